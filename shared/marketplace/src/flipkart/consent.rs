//! Consent at Flipkart: the authorization page and the exchange, both of its OAuth service. Flipkart does not tell whose
//! account consented, so the person who connects it has to say.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;

use crate::details::Credentials;
use crate::error::AdapterError;
use crate::http::join;
use crate::oauth::{CallbackError, Consent, OAuth, STATE, check_redirect_uri, read_consent, refuse_denied};
use crate::token_endpoint::ClientOwner;

use super::PLATFORM_APP;
use super::client::{SCOPE, Service};

const AUTHORIZE_PATH: &[&str] = &["oauth-service", "oauth", "authorize"];

/// Consent with the platform's application.
pub struct FlipkartConsent {
    pub service: Option<Arc<Service>>,
}

impl FlipkartConsent {
    fn service(&self) -> Result<&Service, AdapterError> {
        self.service.as_deref().ok_or(AdapterError::Configuration { what: "Flipkart base URL" })
    }
}

#[async_trait]
impl OAuth for FlipkartConsent {
    fn names_account(&self) -> bool {
        false
    }

    fn authorization_url(&self, state: &str, redirect_uri: &str) -> Result<String, AdapterError> {
        check_redirect_uri(redirect_uri)?;
        let service = self.service()?;
        let mut url = join(&service.base_url, AUTHORIZE_PATH);
        url.query_pairs_mut()
            .append_pair("client_id", &service.app()?.client_id)
            .append_pair("redirect_uri", redirect_uri)
            .append_pair("response_type", "code")
            .append_pair("scope", SCOPE)
            .append_pair(STATE, state);
        Ok(url.into())
    }

    fn read_callback(&self, parameters: &BTreeMap<String, String>) -> Result<Consent, CallbackError> {
        refuse_denied(parameters)?;
        read_consent(parameters, "code", None)
    }

    async fn exchange_code(
        &self,
        consent: &Consent,
        redirect_uri: &str,
    ) -> Result<Credentials, AdapterError> {
        let service = self.service()?;
        let app = service.app()?;
        let client = (app.client_id.as_str(), app.client_secret(), ClientOwner::Platform(PLATFORM_APP));
        let parameters =
            [("redirect_uri", redirect_uri), ("grant_type", "authorization_code"), ("code", consent.code())];
        let refresh_token =
            service.grant(&service.http, client, &parameters).await?.refresh_token.ok_or_else(|| {
                AdapterError::Malformed { what: "token response: refresh_token is missing".to_owned() }
            })?;
        let mut credentials = Credentials::default();
        credentials.set("refresh_token", refresh_token);
        Ok(credentials)
    }
}
