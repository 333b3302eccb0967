//! Amazon.in through the Selling Partner API: a refresh token gives an access token of an hour, and `searchOrders` of the
//! Orders API 2026-01-01 returns pages that hold their orders whole.
//!
//! A run reads what changed since the watermark. The new watermark is the `lastUpdatedBefore` of the run's first page: whatever
//! changes while later pages are read belongs to the next run. A run for a window of time asks for orders that were placed in
//! it, and leaves the watermark alone.
//!
//! Returns are read from reports, which Amazon prepares on request; `returns` says how. Payouts are read from settlement reports and from
//! transactions; `payouts` says how.

mod client;
mod consent;
mod customer;
pub(crate) mod file;
mod kept;
mod mapping;
mod money;
mod page;
mod paging;
pub(crate) mod payments;
mod payouts;
mod returns;
pub(crate) mod settlement;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Url;
use uuid::Uuid;

use crate::code::MarketplaceCode;
use crate::contract::{Adapter, Connection, Page, PagePosition, PageRequest};
use crate::details::{Credentials, DetailsSpec, FieldSpec, Form, Presence, together};
use crate::error::AdapterError;
use crate::http::HttpClient;
use crate::kind::RunKind;
use crate::oauth::OAuth;
use crate::pace::Calls;
use crate::platform_app::PlatformApp;
use crate::record::{MappedAgain, Records};
use crate::records::{map_again, map_records};
use crate::token_cache::TokenCache;

use client::{AmazonClient, Service};
use consent::AmazonConsent;
use paging::Position;
pub(crate) use returns::cells::CellAmount;

/// Amazon's satellite table.
pub static DETAILS: DetailsSpec = DetailsSpec {
    table: "amazon_account_details",
    fields: &[
        FieldSpec {
            name: "client_id",
            secret: false,
            presence: Presence::UnlessConsented,
            max_len: 200,
            form: Form::Printable,
        },
        FieldSpec {
            name: "client_secret",
            secret: true,
            presence: Presence::UnlessConsented,
            max_len: 500,
            form: Form::Printable,
        },
        FieldSpec {
            name: "refresh_token",
            secret: true,
            presence: Presence::Always,
            max_len: 2_048,
            form: Form::Printable,
        },
    ],
    login: "client_id",
    confirmed_id: None,
    rule: |credentials| together(credentials, "client_id", "client_secret"),
    insert: include_str!("sql/amazon_in_insert_details.sql"),
    update: include_str!("sql/amazon_in_update_details.sql"),
    select: include_str!("sql/amazon_in_select_details.sql"),
};

/// A token lives an hour, and is renewed when less than this is left.
const RENEW_BEFORE: Duration = Duration::from_mins(5);

/// Amazon closes its windows two minutes in the past; ten minutes leave room for clocks and late stamps.
const OVERLAP: Duration = Duration::from_mins(10);

/// How errors name the platform's application when an account needs it and it is missing or refused.
const PLATFORM_APP: &str = "the platform's own application at Amazon.in";

/// Amazon's addresses, and the platform's application there.
pub struct Endpoints {
    /// The Selling Partner API.
    pub base_url: Option<Url>,
    /// Login with Amazon: its base, or the token endpoint itself.
    pub auth_url: Option<Url>,
    /// Seller Central, where sellers consent.
    pub consent_url: Option<Url>,
    /// The platform's application.
    pub app: Option<PlatformApp>,
}

/// Amazon.in.
pub struct AmazonIn {
    service: Option<Arc<Service>>,
    consent: AmazonConsent,
}

impl AmazonIn {
    /// Makes an adapter that calls the API with tokens from the token service. Without the addresses of both it knows only
    /// its details, and how sellers consent.
    #[must_use]
    pub fn new(http: HttpClient, endpoints: Endpoints) -> Self {
        let Endpoints { base_url, auth_url, consent_url, app } = endpoints;
        let service = base_url.zip(auth_url.clone()).map(|(base_url, auth_url)| {
            let tokens = TokenCache::new(RENEW_BEFORE);
            Arc::new(Service { http: http.clone(), base_url, auth_url, app: app.clone(), tokens })
        });
        Self { service, consent: AmazonConsent { http, consent_url, auth_url, app } }
    }
}

impl Adapter for AmazonIn {
    fn code(&self) -> MarketplaceCode {
        MarketplaceCode::AmazonIn
    }

    fn live_kinds(&self) -> &'static [RunKind] {
        &[RunKind::Orders, RunKind::Returns, RunKind::Payouts, RunKind::CredentialCheck, RunKind::FileImport]
    }

    fn details(&self) -> &'static DetailsSpec {
        &DETAILS
    }

    fn oauth(&self) -> Option<&dyn OAuth> {
        Some(&self.consent)
    }

    fn overlap(&self, kind: RunKind) -> Duration {
        match kind {
            RunKind::Returns => returns::OVERLAP,
            RunKind::Payouts => payouts::OVERLAP,
            _ => OVERLAP,
        }
    }

    fn map_again(&self, kind: RunKind, kept: &[String]) -> MappedAgain {
        match kind {
            RunKind::Returns => map_again(kept, returns::returned),
            RunKind::Payouts => payouts::map_again(kept),
            _ => map_again(kept, mapping::order),
        }
    }

    fn connect(
        &self,
        account: Uuid,
        credentials: Credentials,
        calls: Calls,
    ) -> Result<Box<dyn Connection>, AdapterError> {
        let service = self
            .service
            .clone()
            .ok_or(AdapterError::Configuration { what: "Amazon.in base URL or authorization URL" })?;
        Ok(Box::new(AmazonConnection { client: AmazonClient::new(service, account, credentials, calls)? }))
    }
}

struct AmazonConnection {
    client: AmazonClient,
}

#[async_trait]
impl Connection for AmazonConnection {
    async fn check_credentials(&self) -> Result<(), AdapterError> {
        self.client.check().await
    }

    async fn sells_here(&self) -> Result<bool, AdapterError> {
        self.client.sells_in_india().await
    }

    async fn owns_any(&self, external_order_ids: &[String]) -> Result<Option<bool>, AdapterError> {
        for id in external_order_ids {
            if self.client.has_order(id).await? {
                return Ok(Some(true));
            }
        }
        Ok(Some(external_order_ids.is_empty()))
    }

    async fn page(&self, kind: RunKind, request: &PageRequest) -> Result<Page, AdapterError> {
        match kind {
            RunKind::Orders => self.orders(request).await,
            RunKind::Returns => returns::page(&self.client, request).await,
            RunKind::Payouts => payouts::page(&self.client, request).await,
            other => Err(AdapterError::Unsupported { what: other.as_str() }),
        }
    }
}

impl AmazonConnection {
    async fn orders(&self, request: &PageRequest) -> Result<Page, AdapterError> {
        let position = Position::read(request)?;
        if position.is_too_young() {
            return Ok(empty(None));
        }
        let page = match self.client.search_orders(&position).await {
            Ok(page) => page,
            Err(error) => return restarted(&position, error),
        };
        let next = position.after(&page)?;
        let complete_until = position.complete_until(&page);
        let mapped = map_records(&page.orders, page.bad_bytes, mapping::order_id, mapping::order);
        Ok(Page {
            records: Records::Orders(mapped.records),
            quarantined: mapped.quarantined,
            raw: page.raw.into_iter().collect(),
            next: next.map(|next| next.write()).transpose()?,
            ready_in: None,
            complete_until,
        })
    }
}

/// A page token expires after a day, or earlier without notice. An empty page then leads back to the window's start.
fn restarted(position: &Position, error: AdapterError) -> Result<Page, AdapterError> {
    let start = position.restart_after(&error).ok_or(error)?;
    tracing::info!("page token no longer accepted, reading the window again from its start");
    Ok(empty(Some(start.write()?)))
}

fn empty(next: Option<PagePosition>) -> Page {
    Page {
        records: Records::Orders(Vec::new()),
        quarantined: Vec::new(),
        raw: Vec::new(),
        next,
        ready_in: None,
        complete_until: None,
    }
}
