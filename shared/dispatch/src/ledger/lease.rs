//! The lease of a step: its holder works on the run. The lease's length is the template's parameter `LeaseSeconds`, and the
//! attempt number is the fencing token.

use std::time::Duration;

use chrono::{DateTime, Utc};
use robnu_marketplace::contract::PlacedWindow;
use robnu_observe::work::TraceId;
use robnu_tenancy::{Error, Row, ToSql};
use uuid::Uuid;

use crate::job_message::Job;

/// Takes the lease of one step. It is sent together with the job's other reads; [`Taken::from_rows`] reads its rows.
#[derive(Debug)]
pub struct TakeLease<'a> {
    job: &'a Job,
    seconds: f64,
    kinds: Vec<&'static str>,
}

impl<'a> TakeLease<'a> {
    /// The statement.
    pub const SQL: &'static str = include_str!("../sql/take_lease.sql");

    /// Asks for the lease of the job's step, for this long.
    #[must_use]
    pub fn new(job: &'a Job, length: Duration) -> Self {
        Self { job, seconds: length.as_secs_f64(), kinds: job.kind.takes_turns_with() }
    }

    /// The statement's parameters. The statement follows [`lock_turns`](crate::lock_turns) in its transaction.
    #[must_use]
    pub fn params(&self) -> [&(dyn ToSql + Sync); 6] {
        let Job { run_id, account_id, step, generation, .. } = self.job;
        [run_id, account_id, step, generation, &self.seconds, &self.kinds]
    }
}

/// A step that is ours until the lease ends.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools, reason = "each is a column of the row that is read")]
pub struct Lease {
    /// The attempt that holds the lease. Every later write of this run states it.
    pub attempt: i32,
    /// Whether the attempt before was killed, or froze for longer than its lease.
    pub takes_over: bool,
    /// Leases since a page was last committed, this one included.
    pub fruitless_attempts: i32,
    /// Those of them that were not told to wait, this one included.
    pub failed_attempts: i32,
    /// Whether to read everything that the marketplace still shows.
    pub full_read: bool,
    /// The window of time whose orders are read, instead of those that have changed.
    pub window: Option<PlacedWindow>,
    /// Where the run stopped.
    pub page_position: Option<String>,
    /// Since when this run reads changes, once its first page has settled it.
    pub changed_since: Option<DateTime<Utc>>,
    /// Whether no page was committed yet.
    pub is_first_page: bool,
    /// The account's watermark for this kind.
    pub watermark: Option<DateTime<Utc>>,
    /// Whether it is time to read further back than the watermark.
    pub looks_back: bool,
    /// Whether records that were set aside wait to be read again.
    pub has_retries: bool,
    /// `ACTIVE`, or why nothing must be read.
    pub account_status: String,
    /// The generation of the account's credentials. Credentials that are read after the lease was taken are these or newer.
    pub credentials_generation: i32,
    /// The trace of the request that asked for the run; none for runs of schedules and files.
    pub trace: Option<TraceId>,
}

/// Why the lease of a step was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotTaken {
    /// The step is over, a newer publication of it is on its way, or the account's runs are held or paused. Acknowledge the message.
    Passed,
    /// Another run of the account goes first; the row knows that this one waits. Acknowledge the message.
    NotItsTurn,
    /// Another attempt's lease lives. Leave the message in the queue.
    Busy,
    /// The seller has no such run, or it was never published like this. Refuse the message.
    Unknown,
}

/// The outcome of taking a lease.
#[derive(Debug)]
pub enum Taken {
    /// Ours.
    Ours(Lease),
    /// Not ours.
    Not(NotTaken),
}

impl Taken {
    /// Reads the rows of [`TakeLease`].
    pub fn from_rows(rows: &[Row], job: &Job) -> Result<Self, Error> {
        let Some(row) = rows.first() else { return Ok(Self::Not(NotTaken::Unknown)) };
        let stands_for: (&str, &str) = (row.try_get("marketplace_code")?, row.try_get("kind")?);
        if stands_for != (job.marketplace.as_str(), job.kind.as_str()) {
            return Ok(Self::Not(NotTaken::Unknown));
        }
        if row.try_get("must_wait")? {
            return Ok(Self::Not(NotTaken::NotItsTurn));
        }
        let Some(attempt) = row.try_get("attempt")? else {
            let stands = (row.try_get("step")?, row.try_get("generation")?, row.try_get("state")?);
            return Ok(Self::Not(not_taken(job, stands, row.try_get("is_held")?)));
        };
        Ok(Self::Ours(Lease {
            attempt,
            takes_over: row.try_get("takes_over")?,
            fruitless_attempts: row.try_get("fruitless_attempts")?,
            failed_attempts: row.try_get("failed_attempts")?,
            full_read: row.try_get("full_read")?,
            window: window(row)?,
            page_position: row.try_get("page_position")?,
            changed_since: row.try_get("changed_since")?,
            is_first_page: row.try_get::<_, i32>("pages")? == 0,
            watermark: row.try_get("watermark")?,
            looks_back: row.try_get::<_, Option<bool>>("looks_back")?.unwrap_or(false),
            has_retries: row.try_get("has_retries")?,
            account_status: row.try_get("account_status")?,
            credentials_generation: row.try_get("credentials_generation")?,
            trace: row.try_get::<_, Option<Uuid>>("trace_id")?.and_then(TraceId::from_uuid),
        }))
    }
}

fn window(row: &Row) -> Result<Option<PlacedWindow>, Error> {
    let from: Option<DateTime<Utc>> = row.try_get("window_from")?;
    let until: Option<DateTime<Utc>> = row.try_get("window_until")?;
    Ok(from.zip(until).map(|(from, until)| PlacedWindow { from, until }))
}

fn not_taken(job: &Job, (step, generation, state): (i32, i32, &str), is_held: bool) -> NotTaken {
    let (published, stands) = ((job.step, job.generation), (step, generation));
    match (published.cmp(&stands), state) {
        (std::cmp::Ordering::Greater, _) => NotTaken::Unknown,
        // The message would become a dead letter meanwhile. The sweep publishes the run again when nobody holds it back.
        (_, _) if is_held => NotTaken::Passed,
        (std::cmp::Ordering::Equal, "RUNNING") => NotTaken::Busy,
        _ => NotTaken::Passed,
    }
}

#[cfg(test)]
mod tests {
    use robnu_marketplace::code::MarketplaceCode;
    use robnu_marketplace::kind::RunKind;
    use robnu_tenancy::{AccountId, RunId, SellerId};

    use super::*;

    #[test]
    fn a_step_that_is_not_ours_has_passed_is_held_or_was_never_published_like_this() {
        let job = Job {
            run_id: RunId::new(),
            step: 2,
            generation: 3,
            seller_id: SellerId::new(),
            account_id: AccountId::new(),
            marketplace: MarketplaceCode::Ajio,
            kind: RunKind::Orders,
        };
        for (stands, expected) in [
            ((2, 3, "RUNNING"), NotTaken::Busy),
            ((2, 3, "QUEUED"), NotTaken::Passed),
            ((2, 3, "SUCCEEDED"), NotTaken::Passed),
            ((2, 4, "RUNNING"), NotTaken::Passed),
            ((3, 0, "QUEUED"), NotTaken::Passed),
            ((2, 2, "RUNNING"), NotTaken::Unknown),
            ((1, 9, "QUEUED"), NotTaken::Unknown),
        ] {
            assert_eq!(not_taken(&job, stands, false), expected, "{stands:?}");
        }
        assert_eq!(
            not_taken(&job, (2, 3, "RUNNING"), true),
            NotTaken::Passed,
            "a held run is left to the sweep"
        );
        assert_eq!(not_taken(&job, (2, 2, "RUNNING"), true), NotTaken::Unknown);
    }
}
