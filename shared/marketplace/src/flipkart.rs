//! Flipkart Marketplace: an access token of 60 days comes from an application's own key, or from a seller's consent.
//!
//! Flipkart blocks sellers who hand their self-access key to an aggregator, so consent with the platform's application is
//! the way to connect. A seller who runs the platform for themselves can use their own key. Orders are not read yet: the
//! adapter knows the details, the consent and the check. The claim deadline is not here but in `migrations/0003_tenancy.sql`.

mod client;
mod consent;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;
use uuid::Uuid;

use crate::code::MarketplaceCode;
use crate::contract::{Adapter, Connection};
use crate::deadline::Deadline;
use crate::details::{Credentials, DetailsSpec, FieldSpec, Form, Presence, together};
use crate::error::AdapterError;
use crate::http::HttpClient;
use crate::kind::RunKind;
use crate::oauth::OAuth;
use crate::platform_app::PlatformApp;
use crate::token_cache::TokenCache;

use client::{FlipkartClient, Service};
use consent::FlipkartConsent;

/// Flipkart's satellite table.
pub static DETAILS: DetailsSpec = DetailsSpec {
    table: "flipkart_account_details",
    fields: &[
        FieldSpec {
            name: "app_id",
            secret: false,
            presence: Presence::Optional,
            max_len: 200,
            form: Form::Printable,
        },
        FieldSpec {
            name: "app_secret",
            secret: true,
            presence: Presence::Optional,
            max_len: 500,
            form: Form::Printable,
        },
        FieldSpec {
            name: "refresh_token",
            secret: true,
            presence: Presence::Optional,
            max_len: 2_048,
            form: Form::Printable,
        },
        // The seller's warehouse that the account stands for. Flipkart itself leaves it out when there is only one.
        FieldSpec {
            name: "location_id",
            secret: false,
            presence: Presence::Optional,
            max_len: 100,
            form: Form::Printable,
        },
    ],
    login: "app_id",
    confirmed_id: None,
    rule: key_or_consent,
    insert: include_str!("sql/flipkart_insert_details.sql"),
    update: include_str!("sql/flipkart_update_details.sql"),
    select: include_str!("sql/flipkart_select_details.sql"),
};

/// Tokens live for weeks, but the cache keeps none for longer than a day.
const RENEW_BEFORE: Duration = Duration::from_hours(1);

/// How errors name the platform's application when an account needs it and it is missing or refused.
const PLATFORM_APP: &str = "the platform's own application at Flipkart";

/// Requires an application's key, a refresh token, or both when the token was issued to that application.
fn key_or_consent(credentials: &Credentials) -> Result<(), (&'static str, &'static str)> {
    together(credentials, "app_id", "app_secret")?;
    // HTTP's basic authentication ends the id at its first colon. With a colon in it, Flipkart would check another id than the one
    // that is counted.
    if credentials.get("app_id").is_some_and(|id| id.contains(':')) {
        return Err(("app_id", "must not hold a colon"));
    }
    if credentials.get("app_id").is_none() && credentials.get("refresh_token").is_none() {
        return Err(("app_id", "is required unless there is a refresh token"));
    }
    Ok(())
}

/// Flipkart.
pub struct Flipkart {
    service: Option<Arc<Service>>,
    consent: FlipkartConsent,
}

impl Flipkart {
    /// Makes an adapter that calls `base_url`, the host of both the API and the OAuth service. Without a URL it knows only its
    /// details.
    #[must_use]
    pub fn new(http: HttpClient, base_url: Option<Url>, app: Option<PlatformApp>) -> Self {
        let service = base_url
            .map(|base_url| Arc::new(Service { http, base_url, app, tokens: TokenCache::new(RENEW_BEFORE) }));
        Self { consent: FlipkartConsent { service: service.clone() }, service }
    }
}

impl Adapter for Flipkart {
    fn code(&self) -> MarketplaceCode {
        MarketplaceCode::Flipkart
    }

    fn live_kinds(&self) -> &'static [RunKind] {
        &[RunKind::CredentialCheck]
    }

    fn details(&self) -> &'static DetailsSpec {
        &DETAILS
    }

    fn oauth(&self) -> Option<&dyn OAuth> {
        Some(&self.consent)
    }

    fn overlap(&self, _kind: RunKind) -> Duration {
        Duration::ZERO
    }

    fn connect(
        &self,
        account: Uuid,
        credentials: Credentials,
        deadline: Deadline,
    ) -> Result<Box<dyn Connection>, AdapterError> {
        let service =
            self.service.clone().ok_or(AdapterError::Configuration { what: "Flipkart base URL" })?;
        Ok(Box::new(FlipkartConnection {
            client: FlipkartClient::new(service, account, credentials, deadline)?,
        }))
    }
}

struct FlipkartConnection {
    client: FlipkartClient,
}

#[async_trait]
impl Connection for FlipkartConnection {
    async fn check_credentials(&self) -> Result<(), AdapterError> {
        self.client.check().await
    }
}
