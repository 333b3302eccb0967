//! Meesho: a supplier's data comes as files, or through a key of Meesho's partner programme.
//!
//! Meesho has no public seller API. This adapter speaks our own protocol to a base URL, where the operator's bridge to the
//! partner programme answers: one signed request tells whose key it is. An account without a key is complete, and a check
//! has nothing to ask.

mod client;
pub(crate) mod file;

use async_trait::async_trait;
use reqwest::Url;
use std::time::Duration;
use uuid::Uuid;

use crate::code::MarketplaceCode;
use crate::contract::{Adapter, Connection};
use crate::details::{Credentials, DetailsSpec, FieldSpec, Form, Presence, together};
use crate::error::AdapterError;
use crate::http::HttpClient;
use crate::kind::RunKind;
use crate::pace::Calls;

use client::MeeshoClient;

/// Meesho's satellite table.
pub static DETAILS: DetailsSpec = DetailsSpec {
    table: "meesho_account_details",
    fields: &[
        FieldSpec {
            name: "supplier_id",
            secret: false,
            presence: Presence::Always,
            max_len: 100,
            form: Form::Printable,
        },
        FieldSpec {
            name: "api_key",
            secret: true,
            presence: Presence::Optional,
            max_len: 200,
            form: Form::Printable,
        },
        FieldSpec {
            name: "api_secret",
            secret: true,
            presence: Presence::Optional,
            max_len: 500,
            form: Form::Printable,
        },
    ],
    login: "supplier_id",
    confirmed_id: Some("supplier_id"),
    rule: |credentials| together(credentials, "api_key", "api_secret"),
    insert: include_str!("sql/meesho_insert_details.sql"),
    update: include_str!("sql/meesho_update_details.sql"),
    select: include_str!("sql/meesho_select_details.sql"),
};

/// Meesho.
pub struct Meesho {
    http: HttpClient,
    base_url: Option<Url>,
}

impl Meesho {
    /// Makes an adapter that calls the bridge at `base_url`. Without a URL it knows its details, and accounts without a key.
    #[must_use]
    pub fn new(http: HttpClient, base_url: Option<Url>) -> Self {
        Self { http, base_url }
    }
}

impl Adapter for Meesho {
    fn code(&self) -> MarketplaceCode {
        MarketplaceCode::Meesho
    }

    fn live_kinds(&self) -> &'static [RunKind] {
        &[RunKind::CredentialCheck, RunKind::FileImport]
    }

    fn details(&self) -> &'static DetailsSpec {
        &DETAILS
    }

    fn overlap(&self, _kind: RunKind) -> Duration {
        Duration::ZERO
    }

    fn connect(
        &self,
        _account: Uuid,
        credentials: Credentials,
        calls: Calls,
    ) -> Result<Box<dyn Connection>, AdapterError> {
        DETAILS.require_complete(&credentials)?;
        if credentials.get("api_key").is_none() {
            return Ok(Box::new(FilesOnly));
        }
        let base_url =
            self.base_url.clone().ok_or(AdapterError::Configuration { what: "Meesho base URL" })?;
        Ok(Box::new(MeeshoConnection {
            client: MeeshoClient::new(self.http.within(calls), base_url, credentials),
        }))
    }
}

/// An account without a key.
struct FilesOnly;

#[async_trait]
impl Connection for FilesOnly {
    async fn check_credentials(&self) -> Result<(), AdapterError> {
        Err(AdapterError::Unsupported { what: "a check, because it has no API key" })
    }
}

struct MeeshoConnection {
    client: MeeshoClient,
}

#[async_trait]
impl Connection for MeeshoConnection {
    async fn check_credentials(&self) -> Result<(), AdapterError> {
        self.client.check().await
    }
}
