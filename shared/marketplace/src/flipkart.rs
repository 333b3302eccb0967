//! Flipkart Marketplace: an access token of 60 days comes from an application's own key, or from a seller's consent.
//!
//! Flipkart blocks sellers who hand their self-access key to an aggregator, so consent with the platform's application is
//! the way to connect. A seller who runs the platform for themselves can use their own key. The claim deadline is not here but in
//! `migrations/0003_tenancy.sql`.
//!
//! Flipkart's unit is the shipment, and ours is the order. A run reads the shipments that are open or have changed (`filter`,
//! `paging`), asks for all shipments of their orders, and maps each order as a whole (`assemble`, `mapping`). A run for returns reads
//! two lists in the same way (`returns`).

mod assemble;
mod client;
mod consent;
pub(crate) mod file;
mod filter;
mod kept;
mod lines;
mod mapping;
mod page;
mod paging;
mod returns;
mod status;
mod text;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::Utc;
use reqwest::Url;
use uuid::Uuid;

use crate::code::MarketplaceCode;
use crate::contract::{Adapter, Connection, Page, PageRequest};
use crate::details::{Credentials, DetailsSpec, FieldSpec, Form, Presence, together};
use crate::error::AdapterError;
use crate::http::HttpClient;
use crate::kind::RunKind;
use crate::oauth::OAuth;
use crate::pace::Calls;
use crate::platform_app::PlatformApp;
use crate::raw::RawPage;
use crate::record::{MappedAgain, OrderRecord, ReturnRecord, StreamRecord};
use crate::records::{MappedRecords, map_again};
use crate::token_cache::TokenCache;

use assemble::{map_whole, order_id};
use client::{FlipkartClient, Service};
use consent::FlipkartConsent;
use filter::Pass;
use page::ListPage;
use paging::{Passes, Position};
use returns::Source;

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

/// A run ends two minutes in the past; half an hour leaves room for what Flipkart lists later than their stamp says.
const OVERLAP: Duration = Duration::from_mins(30);

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
        &[RunKind::Orders, RunKind::Returns, RunKind::CredentialCheck, RunKind::FileImport]
    }

    fn details(&self) -> &'static DetailsSpec {
        &DETAILS
    }

    fn oauth(&self) -> Option<&dyn OAuth> {
        Some(&self.consent)
    }

    fn overlap(&self, _kind: RunKind) -> Duration {
        OVERLAP
    }

    fn map_again(&self, kind: RunKind, kept: &[String]) -> MappedAgain {
        match kind {
            RunKind::Returns => map_again(kept, returns::returned),
            _ => map_again(kept, mapping::order),
        }
    }

    fn connect(
        &self,
        account: Uuid,
        credentials: Credentials,
        calls: Calls,
    ) -> Result<Box<dyn Connection>, AdapterError> {
        let service =
            self.service.clone().ok_or(AdapterError::Configuration { what: "Flipkart base URL" })?;
        Ok(Box::new(FlipkartConnection {
            client: FlipkartClient::new(service, account, credentials, calls)?,
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

    async fn page(&self, kind: RunKind, request: &PageRequest) -> Result<Page, AdapterError> {
        match kind {
            RunKind::Orders => self.orders(request).await,
            RunKind::Returns => self.returns(request).await,
            other => Err(AdapterError::Unsupported { what: other.as_str() }),
        }
    }
}

impl FlipkartConnection {
    async fn orders(&self, request: &PageRequest) -> Result<Page, AdapterError> {
        let position = Position::<Pass>::read(request, Utc::now())?;
        if position.is_empty() {
            return page_of(nothing::<OrderRecord>(), None, &position);
        }
        let (page, query) = match self.client.shipments(&position).await {
            Ok(answer) => answer,
            Err(error) => return without_page(&position, error),
        };
        let next = position.after(&page, query)?;
        let whole = self.client.of_orders(&assemble::order_ids(&page)).await?;
        let orders = assemble::orders(&page, &whole, self.client.location_id());
        let mapped = map_whole(orders, order_id, mapping::order);
        Ok(Page { raw: raw_of(page, whole), ..page_of(mapped, next.as_ref(), &position)? })
    }

    async fn returns(&self, request: &PageRequest) -> Result<Page, AdapterError> {
        let position = Position::<Source>::read(request, Utc::now())?;
        let (page, query) = match self.client.returns(&position).await {
            Ok(answer) => answer,
            Err(error) => return restarted::<_, ReturnRecord>(&position, &error).unwrap_or(Err(error)),
        };
        let next = position.after(&page, query)?;
        let whole = self.client.whole_returns(position.pass(), &returns::return_ids(&page)).await?;
        let mapped = returns::of_page(position.pass(), &page, &whole);
        Ok(Page { raw: raw_of(page, whole), ..page_of(mapped, next.as_ref(), &position)? })
    }
}

/// What is kept of a page and of the responses that completed its records.
fn raw_of(page: ListPage, whole: Vec<ListPage>) -> Vec<RawPage> {
    std::iter::once(page).chain(whole).filter_map(|page| page.raw).collect()
}

/// Goes on without a page when Flipkart refuses its link, from the window's start, or refuses a whole pass that it is known to
/// refuse. An outage is neither.
fn without_page(position: &Position<Pass>, error: AdapterError) -> Result<Page, AdapterError> {
    if let Some(page) = restarted::<_, OrderRecord>(position, &error) {
        return page;
    }
    let is_rejected = matches!(error, AdapterError::Rejected { .. } | AdapterError::NotPermitted { .. });
    if !is_rejected || !position.pass().may_be_rejected() {
        return Err(error);
    }
    tracing::warn!(pass = ?position.pass(), error = %error, "Flipkart rejects this list of cancellations, so the run does without");
    page_of(nothing::<OrderRecord>(), position.after_pass().as_ref(), position)
}

/// An empty page that leads back to the window's start, if Flipkart refuses the link of the page.
fn restarted<P: Passes, R: StreamRecord>(
    position: &Position<P>,
    error: &AdapterError,
) -> Option<Result<Page, AdapterError>> {
    let start = position.restart_after(error)?;
    tracing::info!(pass = ?position.pass(), "page link no longer accepted, reading the window again from its start");
    Some(page_of(nothing::<R>(), Some(&start), position))
}

fn nothing<R>() -> MappedRecords<R> {
    MappedRecords { records: Vec::new(), quarantined: Vec::new() }
}

fn page_of<P: Passes, R: StreamRecord>(
    mapped: MappedRecords<R>,
    next: Option<&Position<P>>,
    position: &Position<P>,
) -> Result<Page, AdapterError> {
    Ok(Page {
        records: R::of_page(mapped.records),
        quarantined: mapped.quarantined,
        raw: Vec::new(),
        next: next.map(Position::write).transpose()?,
        ready_in: None,
        complete_until: position.complete_until(),
    })
}
