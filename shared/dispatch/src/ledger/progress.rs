//! What the holder of a lease writes while it works. Each write states the attempt; a write of an attempt that is no longer
//! the latest changes nothing. What ends work on the run returns the account's next run in turn, for the caller to publish.

use chrono::{DateTime, Utc};
use robnu_tenancy::{Database, Error, Params, RunId, Scope, SellerScope, Session, ToSql};
use serde::Serialize;

use crate::job_message::Job;
use crate::ledger::lease::Lease;
use crate::ledger::turns::commit_end;
use crate::outbox::OutboxMessage;

const ADVANCE: &str = include_str!("../sql/advance.sql");
const FINISH: &str = include_str!("../sql/finish.sql");
pub(super) const WAIT: &str = include_str!("../sql/wait.sql");
const FAIL: &str = include_str!("../sql/fail.sql");
const CONTINUE_LATER: &str = include_str!("../sql/continue_later.sql");
const MARK_SENT: &str = include_str!("../sql/mark_sent.sql");

/// After so many seconds a sweep publishes a step that waits for its turn, in case whoever goes first dies: about a lease.
const SWEPT_AFTER_SECONDS: f64 = 90.0;

/// What a page did to the rows of one stream, such as orders or their lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct StreamCounts {
    /// The stream's name, in capitals.
    pub stream: &'static str,
    /// Rows that were not stored before.
    pub added: i32,
    /// Rows that differed from what was stored.
    pub changed: i32,
    /// Rows equal to what was stored.
    pub unchanged: i32,
    /// Rows that the source no longer has.
    pub removed: i32,
}

/// Where a page leaves the run.
#[derive(Debug)]
pub struct Progress<'a> {
    /// The next page; `None` is the first.
    pub next_position: Option<&'a str>,
    /// Whether this was the last page, which ends the run.
    pub is_last: bool,
    /// Up to which instant the marketplace vouches for this read.
    pub complete_until: Option<DateTime<Utc>>,
    /// Since when the run reads changes.
    pub changed_since: Option<DateTime<Utc>>,
    /// What the page did to each stream that it wrote.
    pub counts: &'a [StreamCounts],
    /// Records that could not be mapped.
    pub quarantined: i32,
    /// How long the lease is renewed for, in seconds.
    pub lease_seconds: f64,
}

/// Commits a page with its progress, in one round trip; the last page ends the run and moves the watermark. `also` is the page's
/// own last statement, sent before those. After the last page it returns the account's next run in turn.
///
/// # Errors
/// Returns [`Error::LeaseLost`] when another attempt has taken over; nothing of the page is stored then.
///
/// # Panics
/// Never: numbers and texts always serialize.
pub async fn advance(
    session: Session,
    job: &Job,
    lease: &Lease,
    progress: &Progress<'_>,
    also: Option<(&'static str, Params<'_>)>,
) -> Result<Option<OutboxMessage>, Error> {
    let counts = serde_json::to_string(progress.counts).expect("numbers and texts always serialize");
    let params: Params<'_> = &[
        &job.run_id,
        &job.step,
        &lease.attempt,
        &progress.lease_seconds,
        &progress.next_position,
        &progress.complete_until,
        &progress.changed_since,
        &progress.quarantined,
        &counts,
    ];
    let finish: Params<'_> = &[&job.run_id, &job.step, &lease.attempt];
    let finish = progress.is_last.then_some((FINISH, finish));
    let requests: Vec<_> = also.into_iter().chain([(ADVANCE, params)]).chain(finish).collect();
    if progress.is_last {
        return Ok(commit_end(session, job, &requests).await?.1);
    }
    session.commit_with(&requests).await?;
    Ok(None)
}

/// How long a run is postponed, and why.
#[derive(Debug, Clone, Copy)]
pub struct Pause<'a> {
    /// Seconds.
    pub seconds: f64,
    /// The code of the reason.
    pub code: &'a str,
    /// The reason in words.
    pub message: &'a str,
    /// Whether the run was told to wait. Such an attempt does not count towards giving up.
    pub was_told: bool,
}

impl<'a> Pause<'a> {
    /// The parameters of `wait.sql`.
    pub(super) fn params(&'a self, job: &'a Job, lease: &'a Lease) -> [&'a (dyn ToSql + Sync); 7] {
        [&job.run_id, &job.step, &lease.attempt, &self.seconds, &self.code, &self.message, &self.was_told]
    }
}

/// Postpones the run.
pub async fn wait(
    database: &Database,
    scope: &SellerScope,
    job: &Job,
    lease: &Lease,
    pause: Pause<'_>,
) -> Result<Option<OutboxMessage>, Error> {
    let session = database.session(scope).await?;
    Ok(commit_end(session, job, &[(WAIT, &pause.params(job, lease))]).await?.1)
}

/// Ends the run for good, with the reason.
pub async fn fail(
    database: &Database,
    scope: &SellerScope,
    job: &Job,
    lease: &Lease,
    code: &str,
    message: &str,
) -> Result<Option<OutboxMessage>, Error> {
    let session = database.session(scope).await?;
    let params: Params<'_> = &[&job.run_id, &job.step, &lease.attempt, &code, &message];
    Ok(commit_end(session, job, &[(FAIL, params)]).await?.1)
}

/// Ends the slice: the remaining work becomes the next step. Returns what to publish and where: the next step, or the account's run whose
/// turn it is before that. `None` when another attempt has taken over and when operators hold the account's runs.
pub async fn continue_later(
    database: &Database,
    scope: &SellerScope,
    job: &Job,
    lease: &Lease,
) -> Result<Option<(Job, Option<String>)>, Error> {
    let session = database.session(scope).await?;
    let kinds = job.kind.takes_turns_with();
    let params: Params<'_> = &[&job.run_id, &job.step, &lease.attempt, &kinds, &SWEPT_AFTER_SECONDS];
    let (mut answers, in_turn) = commit_end(session, job, &[(CONTINUE_LATER, params)]).await?;
    if let Some(OutboxMessage { job, lane_url }) = in_turn {
        return Ok(Some((job, lane_url)));
    }
    let rows = answers.swap_remove(0);
    let Some(row) = rows.first() else { return Ok(None) };
    if row.try_get("is_held")? || row.try_get("must_wait")? {
        return Ok(None);
    }
    let next = Job { step: row.try_get("step")?, generation: row.try_get("generation")?, ..job.clone() };
    Ok(Some((next, row.try_get("lane_queue_url")?)))
}

/// Marks these messages as sent, so that the sweep need not repeat them.
pub async fn mark_sent(database: &Database, scope: &impl Scope, sent: &[Job]) -> Result<(), Error> {
    if sent.is_empty() {
        return Ok(());
    }
    let ids: Vec<RunId> = sent.iter().map(|job| job.run_id).collect();
    let steps: Vec<i32> = sent.iter().map(|job| job.step).collect();
    let generations: Vec<i32> = sent.iter().map(|job| job.generation).collect();
    let session = database.session(scope).await?;
    session.commit_with(&[(MARK_SENT, &[&ids, &steps, &generations])]).await?;
    Ok(())
}
