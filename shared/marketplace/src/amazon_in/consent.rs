//! Consent at Amazon: Seller Central's page, its callback, and the exchange at Login with Amazon.

use std::collections::BTreeMap;

use async_trait::async_trait;
use reqwest::Url;

use crate::details::Credentials;
use crate::error::AdapterError;
use crate::http::{HttpClient, join};
use crate::oauth::{CallbackError, Consent, OAuth, STATE, check_redirect_uri, read_consent, refuse_denied};
use crate::platform_app::PlatformApp;
use crate::token_endpoint::{self, ClientOwner};

use super::PLATFORM_APP;
use super::client::token_url;

const CONSENT_PATH: &[&str] = &["apps", "authorize", "consent"];

/// Consent with the platform's application.
pub struct AmazonConsent {
    pub http: HttpClient,
    pub consent_url: Option<Url>,
    pub auth_url: Option<Url>,
    pub app: Option<PlatformApp>,
}

impl AmazonConsent {
    fn app(&self) -> Result<&PlatformApp, AdapterError> {
        self.app.as_ref().ok_or(AdapterError::Configuration { what: PLATFORM_APP })
    }
}

#[async_trait]
impl OAuth for AmazonConsent {
    fn names_account(&self) -> bool {
        true
    }

    fn authorization_url(&self, state: &str, redirect_uri: &str) -> Result<String, AdapterError> {
        check_redirect_uri(redirect_uri)?;
        let app = self.app()?;
        let application_id = app
            .application_id
            .as_deref()
            .ok_or(AdapterError::Configuration { what: "the application id of the platform at Amazon.in" })?;
        let base =
            self.consent_url.as_ref().ok_or(AdapterError::Configuration { what: "Amazon.in consent URL" })?;
        let mut url = join(base, CONSENT_PATH);
        url.query_pairs_mut()
            .append_pair("application_id", application_id)
            .append_pair(STATE, state)
            .append_pair("redirect_uri", redirect_uri);
        if app.draft {
            // Seller Central shows an unpublished application only when asked for its draft.
            url.query_pairs_mut().append_pair("version", "beta");
        }
        Ok(url.into())
    }

    fn read_callback(&self, parameters: &BTreeMap<String, String>) -> Result<Consent, CallbackError> {
        refuse_denied(parameters)?;
        read_consent(parameters, "spapi_oauth_code", Some("selling_partner_id"))
    }

    async fn exchange_code(
        &self,
        consent: &Consent,
        redirect_uri: &str,
    ) -> Result<Credentials, AdapterError> {
        let app = self.app()?;
        let auth_url = self
            .auth_url
            .as_ref()
            .ok_or(AdapterError::Configuration { what: "Amazon.in authorization URL" })?;
        let form = [
            ("grant_type", "authorization_code"),
            ("code", consent.code()),
            ("redirect_uri", redirect_uri),
            ("client_id", &app.client_id),
            ("client_secret", app.client_secret()),
        ];
        let reply = self.http.send(self.http.post(token_url(auth_url)).form(&form)).await?;
        let body = token_endpoint::accept(reply, ClientOwner::Platform(PLATFORM_APP))?;
        let refresh_token = token_endpoint::read(&body)?.refresh_token.ok_or_else(|| {
            AdapterError::Malformed { what: "token response: refresh_token is missing".to_owned() }
        })?;
        let mut credentials = Credentials::default();
        credentials.set("refresh_token", refresh_token);
        Ok(credentials)
    }
}
