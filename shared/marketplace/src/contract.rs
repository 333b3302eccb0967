//! The contract of every marketplace adapter: credentials and a position in, a page of normalised records out.
//!
//! An adapter only translates. It never sees SQL, queues or other tenants. The engine in `functions/adapter` stores a page's
//! records and decides when the next page is asked for.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::code::MarketplaceCode;
use crate::details::{Credentials, DetailsSpec};
use crate::error::AdapterError;
use crate::kind::RunKind;
use crate::oauth::OAuth;
use crate::pace::Calls;
use crate::raw::RawPage;
use crate::record::{MappedAgain, QuarantinedRecord, Records};

/// A run's position in a marketplace's pages, in the adapter's own words. The engine stores it with each page, hands it
/// back and never looks inside.
#[derive(Clone, PartialEq, Eq)]
pub struct PagePosition(String);

impl PagePosition {
    /// Wraps an adapter's text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// Writes an adapter's position as JSON.
    ///
    /// # Errors
    /// [`AdapterError::Malformed`] when it has no JSON.
    pub(crate) fn of(position: &impl Serialize) -> Result<Self, AdapterError> {
        serde_json::to_string(position)
            .map(Self)
            .map_err(|_| AdapterError::Malformed { what: "page position cannot be written".to_owned() })
    }

    /// Reads what [`Self::of`] wrote.
    ///
    /// # Errors
    /// [`AdapterError::Malformed`] when it is another text.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, AdapterError> {
        serde_json::from_str(&self.0)
            .map_err(|_| AdapterError::Malformed { what: "stored page position cannot be read".to_owned() })
    }

    /// The adapter's text, as it was given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PagePosition {
    /// A marketplace's page token may be a capability, so it stays out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PagePosition(..)")
    }
}

/// A window of time, both ends included, in which the orders to read were placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlacedWindow {
    /// The earliest instant.
    pub from: DateTime<Utc>,
    /// The latest instant.
    pub until: DateTime<Utc>,
}

impl PlacedWindow {
    /// Whether the window includes something that was placed then.
    #[must_use]
    pub fn holds(&self, placed_at: DateTime<Utc>) -> bool {
        (self.from..=self.until).contains(&placed_at)
    }
}

/// What to read: the first page of a window, or the page a run stopped at.
#[derive(Debug, Clone, Default)]
pub struct PageRequest {
    /// The page to read; `None` starts a run.
    pub position: Option<PagePosition>,
    /// The account's watermark, less the overlap; `None` reads everything that the marketplace still shows.
    pub changed_since: Option<DateTime<Utc>>,
    /// Only records that were placed in this window, whenever they changed. When a marketplace has no such filter, the adapter
    /// reads everything and leaves out the rest. Such a read vouches for nothing: its pages have no `complete_until`.
    pub placed: Option<PlacedWindow>,
}

/// One page of normalised records of one stream, and the position of the next.
#[derive(Debug)]
pub struct Page {
    /// Records that could be mapped.
    pub records: Records,
    /// Records that could not be mapped, each with its reason. The rest of the page goes on without them.
    pub quarantined: Vec<QuarantinedRecord>,
    /// The responses that the records are from, without customers: several where a page takes several calls. A file has none.
    pub raw: Vec<RawPage>,
    /// The next page; `None` when this was the last.
    pub next: Option<PagePosition>,
    /// How long the marketplace needs to prepare the next page. The run is put off for so long and holds no function.
    pub ready_in: Option<Duration>,
    /// Up to which instant the marketplace itself vouches for this read. It becomes the account's watermark once the last
    /// page is stored.
    pub complete_until: Option<DateTime<Utc>>,
}

/// One marketplace. It keeps only a token cache; the registry holds one adapter of each marketplace.
pub trait Adapter: Send + Sync {
    /// The registry key.
    fn code(&self) -> MarketplaceCode;

    /// The kinds of runs that this adapter can do: those that `marketplace_kinds` calls LIVE.
    fn live_kinds(&self) -> &'static [RunKind];

    /// How an account's details are validated, stored and read back.
    fn details(&self) -> &'static DetailsSpec;

    /// How an account is connected by consent in the browser, if the marketplace offers that.
    fn oauth(&self) -> Option<&dyn OAuth> {
        None
    }

    /// How far behind the watermark the next run of a kind starts, because marketplaces stamp changes late.
    fn overlap(&self, kind: RunKind) -> Duration;

    /// Maps records of a kind again that [`Connection::page`] set aside. Each is given as it was kept.
    fn map_again(&self, _kind: RunKind, kept: &[String]) -> MappedAgain {
        MappedAgain::none(kept.len(), "record is of a kind that this marketplace's adapter does not read")
    }

    /// Opens a connection for one account. Performs no I/O. Connections of one account share its token; other
    /// credentials for the same account never see a token of the old ones. No call of the connection outlives the deadline of
    /// `calls`, and with too little time left none begins: that is [`AdapterError::OutOfTime`]. None begins before their pace allows it:
    /// that is [`AdapterError::RateLimitReached`].
    ///
    /// # Errors
    /// Returns [`AdapterError::Configuration`] when the credentials lack a field or this deployment has no base URL.
    fn connect(
        &self,
        account: Uuid,
        credentials: Credentials,
        calls: Calls,
    ) -> Result<Box<dyn Connection>, AdapterError>;
}

/// An account's authenticated connection to its marketplace.
#[async_trait]
pub trait Connection: Send + Sync {
    /// Only asks the marketplace whether it accepts the credentials, whatever token is cached.
    async fn check_credentials(&self) -> Result<(), AdapterError>;

    /// Whether the account sells at this marketplace, if the marketplace says so. One account may sell in several countries.
    async fn sells_here(&self) -> Result<bool, AdapterError> {
        Ok(true)
    }

    /// Whether these credentials open the account that one of these orders belongs to. Returns `None` when the marketplace
    /// cannot be asked for a single order.
    async fn owns_any(&self, _external_order_ids: &[String]) -> Result<Option<bool>, AdapterError> {
        Ok(None)
    }

    /// Reads one page for a run of this kind. An adapter reads every kind that it names in [`Adapter::live_kinds`].
    async fn page(&self, kind: RunKind, _request: &PageRequest) -> Result<Page, AdapterError> {
        Err(AdapterError::Unsupported { what: kind.as_str() })
    }
}
