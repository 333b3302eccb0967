//! AJIO dropship: a username and a password give a token of 30 minutes; orders come in pages of 50.
//!
//! AJIO has no filter by time of change. So every run reads all orders that AJIO still shows, first those on pendency and
//! then the rest; that is how cancellations are found. There is no watermark to keep. For the same reason a run for a window
//! of time reads all orders too, and keeps those that were placed in the window. A run for returns reads all returns.

mod client;
pub(crate) mod file;
mod kept;
mod mapping;
mod paging;
pub(crate) mod payments;
mod phase;
mod returns;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;
use uuid::Uuid;

use crate::code::MarketplaceCode;
use crate::contract::{Adapter, Connection, Page, PageRequest};
use crate::details::{Credentials, DetailsSpec, FieldSpec, Form, Presence, no_rule};
use crate::error::AdapterError;
use crate::http::HttpClient;
use crate::kind::RunKind;
use crate::pace::Calls;
use crate::record::{MappedAgain, Records};
use crate::records::{map_again, map_records};
use crate::token_cache::TokenCache;

use client::{AjioClient, Service};
use paging::Position;
use phase::Phase;

/// AJIO's satellite table.
pub static DETAILS: DetailsSpec = DetailsSpec {
    table: "ajio_account_details",
    fields: &[
        FieldSpec {
            name: "username",
            secret: false,
            presence: Presence::Always,
            max_len: 100,
            form: Form::Printable,
        },
        FieldSpec {
            name: "password",
            secret: true,
            presence: Presence::Always,
            max_len: 200,
            form: Form::SingleLine,
        },
    ],
    login: "username",
    confirmed_id: None,
    rule: no_rule,
    insert: include_str!("sql/ajio_insert_details.sql"),
    update: include_str!("sql/ajio_update_details.sql"),
    select: include_str!("sql/ajio_select_details.sql"),
};

/// A token with less than 10 minutes left is renewed, as integrators do. Its life of 30 minutes is `TOKEN_LIFETIME` in
/// `ajio/client.rs`.
const RENEW_BEFORE: Duration = Duration::from_mins(10);

/// AJIO dropship.
pub struct Ajio {
    service: Option<Arc<Service>>,
}

impl Ajio {
    /// Makes an adapter that calls `base_url`. Without a URL it knows only its details.
    #[must_use]
    pub fn new(http: HttpClient, base_url: Option<Url>) -> Self {
        let tokens = TokenCache::new(RENEW_BEFORE);
        Self { service: base_url.map(|base_url| Arc::new(Service { http, base_url, tokens })) }
    }
}

impl Adapter for Ajio {
    fn code(&self) -> MarketplaceCode {
        MarketplaceCode::Ajio
    }

    fn live_kinds(&self) -> &'static [RunKind] {
        &[RunKind::Orders, RunKind::Returns, RunKind::CredentialCheck, RunKind::FileImport]
    }

    fn details(&self) -> &'static DetailsSpec {
        &DETAILS
    }

    fn overlap(&self, _kind: RunKind) -> Duration {
        Duration::ZERO
    }

    fn map_again(&self, kind: RunKind, kept: &[String]) -> MappedAgain {
        match kind {
            RunKind::Returns => map_again(kept, returns::returned),
            _ => map_again(kept, |raw| mapping::order(mapping::phase_of(raw), raw)),
        }
    }

    fn connect(
        &self,
        account: Uuid,
        credentials: Credentials,
        calls: Calls,
    ) -> Result<Box<dyn Connection>, AdapterError> {
        let service = self.service.clone().ok_or(AdapterError::Configuration { what: "AJIO base URL" })?;
        Ok(Box::new(AjioConnection { client: AjioClient::new(service, account, credentials, calls)? }))
    }
}

struct AjioConnection {
    client: AjioClient,
}

#[async_trait]
impl Connection for AjioConnection {
    async fn check_credentials(&self) -> Result<(), AdapterError> {
        self.client.check().await
    }

    async fn page(&self, kind: RunKind, request: &PageRequest) -> Result<Page, AdapterError> {
        match kind {
            RunKind::Orders => self.orders(request).await,
            RunKind::Returns => self.returns(request).await,
            other => Err(AdapterError::Unsupported { what: other.as_str() }),
        }
    }
}

impl AjioConnection {
    async fn orders(&self, request: &PageRequest) -> Result<Page, AdapterError> {
        let position = Position::read(request.position.as_ref(), Phase::Pendency)?;
        let page = self.client.page(position.phase, position.page).await?;
        let next = position.after(&page)?;
        let phase = position.phase;
        let mut mapped =
            map_records(&page.orders, page.bad_bytes, mapping::order_id, |raw| mapping::order(phase, raw));
        if let Some(placed) = &request.placed {
            mapped.records.retain(|order| placed.holds(order.placed_at));
        }
        Ok(Page {
            records: Records::Orders(mapped.records),
            quarantined: mapped.quarantined,
            raw: page.raw.into_iter().collect(),
            next: next.map(|next| next.write()).transpose()?,
            ready_in: None,
            complete_until: None,
        })
    }

    async fn returns(&self, request: &PageRequest) -> Result<Page, AdapterError> {
        let position = Position::read(request.position.as_ref(), Phase::Returns)?;
        let page = self.client.page(position.phase, position.page).await?;
        let next = position.after(&page)?;
        let mapped = map_records(&page.orders, page.bad_bytes, returns::return_id, returns::returned);
        Ok(Page {
            records: Records::Returns(mapped.records),
            quarantined: mapped.quarantined,
            raw: page.raw.into_iter().collect(),
            next: next.map(|next| next.write()).transpose()?,
            ready_in: None,
            complete_until: None,
        })
    }
}
