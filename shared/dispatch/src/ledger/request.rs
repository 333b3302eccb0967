//! Asking for a run.

use chrono::{DateTime, Utc};
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::contract::PlacedWindow;
use robnu_marketplace::kind::RunKind;
use robnu_observe::work;
use robnu_tenancy::{AccountId, Error, Row, RunId, SellerId, ToSql};
use uuid::Uuid;

use crate::job_message::Job;

/// Writes a QUEUED run for an account, or finds the live one. It returns a row that [`Requested::from_row`] reads, or none
///
/// - when the seller has no such account that is verified and active (for a check, an account that must be reconnected will do
///   while it has its lane),
/// - when its marketplace does not offer the kind,
/// - when a live run ended in this moment.
#[derive(Debug)]
pub struct RequestRun {
    id: RunId,
    account: AccountId,
    kind: &'static str,
    full: bool,
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    trace: Option<Uuid>,
}

impl RequestRun {
    /// The statement.
    pub const SQL: &'static str = include_str!("../sql/request_run.sql");

    /// Asks for a run of `kind` that reads changes, or with `full` everything, or only what was placed in the window,
    /// in the trace of the request at hand.
    #[must_use]
    pub fn new(account: AccountId, kind: RunKind, full: bool, window: Option<PlacedWindow>) -> Self {
        let (from, until) = window.map(|window| (window.from, window.until)).unzip();
        let trace = work::trace().map(|trace| *trace.as_uuid());
        Self { id: RunId::new(), account, kind: kind.as_str(), full, from, until, trace }
    }

    /// The statement's parameters.
    #[must_use]
    pub fn params(&self) -> [&(dyn ToSql + Sync); 7] {
        [&self.id, &self.account, &self.kind, &self.full, &self.from, &self.until, &self.trace]
    }
}

/// A run that a request made or found.
#[derive(Debug)]
pub struct Requested {
    /// What to publish.
    pub job: Job,
    /// `QUEUED`, or a later state when the run existed already.
    pub state: String,
    /// When a waiting run continues, and why it waits.
    pub waits: Option<(DateTime<Utc>, String)>,
    /// Whether this request made the run.
    pub is_new: bool,
    /// Whether the run is not published yet: it is new, or was written before its lane was made.
    pub is_unpublished: bool,
    /// The lane's queue. `None` until the lane is made; the lanes function publishes the run then.
    pub queue_url: Option<String>,
}

impl Requested {
    /// Reads the row of [`RequestRun`].
    pub fn from_row(
        row: &Row,
        seller_id: SellerId,
        account_id: AccountId,
        kind: RunKind,
    ) -> Result<Self, Error> {
        let marketplace: &str = row.try_get("marketplace_code")?;
        let marketplace: MarketplaceCode = marketplace.parse().map_err(|_| Error::RowShape)?;
        let job = Job {
            run_id: row.try_get("id")?,
            step: row.try_get("step")?,
            generation: row.try_get("generation")?,
            seller_id,
            account_id,
            marketplace,
            kind,
        };
        Ok(Self {
            job,
            state: row.try_get("state")?,
            waits: row
                .try_get::<_, Option<_>>("next_attempt_at")?
                .zip(row.try_get::<_, Option<_>>("error_message")?),
            is_new: row.try_get("is_new")?,
            is_unpublished: row.try_get("is_unpublished")?,
            queue_url: row.try_get("lane_queue_url")?,
        })
    }
}
