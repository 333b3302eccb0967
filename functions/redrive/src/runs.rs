//! Finding runs: a page of them, by states, times, numbers and codes.

use chrono::{DateTime, Utc};
use robnu_tenancy::{AccountId, Error, Row, RunId, SellerId, SystemScope, ToSql};
use serde::Serialize;
use uuid::Uuid;

use crate::context::Context;
use crate::error::RedriveError;
use crate::request::Runs;

pub(crate) const RUNS: &str = include_str!("sql/runs.sql");

/// Runs of a page unless the request says otherwise.
const USUAL_PAGE: i64 = 50;

/// A page of runs, newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundRuns {
    /// The runs.
    pub runs: Vec<FoundRun>,
    /// Where the next page begins (`after`); null after the last.
    pub next: Option<RunId>,
    /// From when on runs were looked for; null: since ever.
    pub since: Option<DateTime<Utc>>,
}

/// A run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FoundRun {
    /// Its id.
    pub id: RunId,
    /// The marketplace's code.
    pub marketplace: String,
    /// The seller.
    pub seller_id: SellerId,
    /// The account.
    pub account_id: AccountId,
    /// What it reads, such as `ORDERS`.
    pub kind: String,
    /// `SCHEDULE`, `API` or `FILE`.
    pub trigger: String,
    /// Whether it reads everything that the marketplace still shows.
    pub full_read: bool,
    /// `QUEUED`, `RUNNING`, `WAITING`, `SUCCEEDED`, `FAILED`, `CANCELLED` or `DEAD_LETTERED`.
    pub state: String,
    /// How many steps came before the present one.
    pub step: i32,
    /// How often the present step was published again.
    pub generation: i32,
    /// Attempts so far.
    pub attempts: i32,
    /// Those since a page was last committed.
    pub fruitless_attempts: i32,
    /// Pages committed.
    pub pages: i32,
    /// Records set aside because they could not be read.
    pub quarantined: i32,
    /// Rows of all streams that were added.
    pub added: i64,
    /// Those changed.
    pub changed: i64,
    /// Those read and left as they were.
    pub unchanged: i64,
    /// Those removed.
    pub removed: i64,
    /// When the run was made.
    pub made_at: DateTime<Utc>,
    /// When the present step was queued.
    pub queued_at: DateTime<Utc>,
    /// When its message was last sent.
    pub sent_at: Option<DateTime<Utc>>,
    /// When the run was first taken.
    pub started_at: Option<DateTime<Utc>>,
    /// Until when the adapter that works on it has said to be alive.
    pub lease_expires_at: Option<DateTime<Utc>>,
    /// Until when it waits.
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
    /// Why it failed or waits.
    pub error_code: Option<String>,
    /// The trace of the request that asked for it; none for runs of schedules and files, whose trace is their own id.
    pub trace_id: Option<Uuid>,
}

/// A page of runs.
pub(crate) async fn runs(context: &Context, request: &Runs) -> Result<FoundRuns, RedriveError> {
    let since = request.since(Utc::now());
    let limit = request.limit.unwrap_or(USUAL_PAGE);
    // One row more than the page shows whether there is a next one.
    let fetch = Runs { since, limit: Some(limit + 1), ..request.clone() };
    let rows = context.database.read(&SystemScope::Redrive, RUNS, &params(&fetch)).await;
    let rows = rows.map_err(RedriveError::Overview)?;
    let page = rows.iter().take(usize::try_from(limit).unwrap_or_default());
    let runs: Vec<FoundRun> =
        page.map(FoundRun::from_row).collect::<Result<_, _>>().map_err(RedriveError::Overview)?;
    let next = runs.last().filter(|_| rows.len() > runs.len()).map(|last| last.id);
    Ok(FoundRuns { runs, next, since })
}

/// The parameters of [`RUNS`], which assumes no times and no limit of its own.
pub(crate) fn params(request: &Runs) -> Vec<&(dyn ToSql + Sync)> {
    let mut params = request.filter.params().to_vec();
    let more: [&(dyn ToSql + Sync); 8] = [
        &request.kind,
        &request.state,
        &request.error,
        &request.since,
        &request.before,
        &request.after,
        &request.limit,
        &request.run_id,
    ];
    params.extend(more);
    params
}

impl FoundRun {
    pub(crate) fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            id: row.try_get("id")?,
            marketplace: row.try_get("marketplace")?,
            seller_id: row.try_get("seller_id")?,
            account_id: row.try_get("account_id")?,
            kind: row.try_get("kind")?,
            trigger: row.try_get("trigger")?,
            full_read: row.try_get("full_read")?,
            state: row.try_get("state")?,
            step: row.try_get("step")?,
            generation: row.try_get("generation")?,
            attempts: row.try_get("attempt")?,
            fruitless_attempts: row.try_get("fruitless_attempts")?,
            pages: row.try_get("pages")?,
            quarantined: row.try_get("quarantined")?,
            added: row.try_get("added")?,
            changed: row.try_get("changed")?,
            unchanged: row.try_get("unchanged")?,
            removed: row.try_get("removed")?,
            made_at: row.try_get("made_at")?,
            queued_at: row.try_get("queued_at")?,
            sent_at: row.try_get("sent_at")?,
            started_at: row.try_get("started_at")?,
            lease_expires_at: row.try_get("lease_expires_at")?,
            next_attempt_at: row.try_get("next_attempt_at")?,
            finished_at: row.try_get("finished_at")?,
            error_code: row.try_get("error_code")?,
            trace_id: row.try_get("trace_id")?,
        })
    }
}
