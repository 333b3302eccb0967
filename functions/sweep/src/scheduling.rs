//! The scheduling sweep: makes runs for due schedules and for imports whose notice was lost, and publishes runs again that nobody
//! leased.
//!
//! Rows are claimed with SKIP LOCKED and committed before anything is published. So two concurrent sweeps share the work,
//! and a sweep that dies leaves unsent runs, which the next one finds.

use std::time::Duration;

use robnu_dispatch::{Job, OutboxMessage, mark_sent};
use robnu_marketplace::code::MARKETPLACE_CODES;
use robnu_tenancy::{Error, Params, Row, RunId, SystemScope};
use serde::Serialize;
use tokio::time::Instant;

use crate::context::Context;
use crate::error::SweepError;

/// The number of schedules, and of runs to publish again, in one transaction.
pub const BATCH: usize = 1_000;
/// Claims due schedules and makes their runs.
pub const CLAIM_DUE: &str = include_str!("sql/claim_due.sql");
/// Claims runs that must be published again.
pub const REPUBLISH: &str = include_str!("sql/republish.sql");

/// Claims imports for which no notice has come, and makes their runs.
pub const BEGIN_IMPORTS: &str = include_str!("sql/begin_imports.sql");

/// How long after its announcement, in seconds, a file must have arrived: an upload begins within 15 minutes, and may last as long.
const AWAITED_SECONDS: f64 = 1800.0;
/// For this long, in seconds, only the writer of an unsent run publishes it.
const UNSENT_SECONDS: f64 = 30.0;
/// The time, in seconds, after which a sent run that nobody has leased counts as lost. A message that no function can handle dies
/// earlier: its dead letter then still is the run's present publication, and marks the run.
const UNANSWERED_SECONDS: f64 = 1200.0;
/// How long, in seconds, a lease must be overdue before its holder counts as gone.
const OVERDUE_LEASE_SECONDS: f64 = 60.0;
/// No batch begins, and nothing is published, with less time left than this, which the last responses and statements need.
const RESERVE: Duration = Duration::from_secs(8);

/// The report of one scheduling sweep.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Schedules that were due and moved on.
    pub schedules_claimed: usize,
    /// Runs made for them; an account that is not active or has a live run gets none.
    pub runs_made: usize,
    /// Runs made for imports for which no notice had come.
    pub imports_begun: usize,
    /// New runs published. Those of accounts without a lane are published when the lane is made.
    pub published: usize,
    /// Older runs published again.
    pub republished: usize,
    /// Messages that could not be sent; the next sweep publishes them.
    pub send_failures: usize,
    /// Whether time ran out before all due work was done; the next sweep goes on.
    pub time_short: bool,
}

/// The work that one transaction claimed.
struct Batch {
    schedules_claimed: usize,
    more_due: bool,
    runs_made: usize,
    imports_begun: usize,
    made: Vec<OutboxMessage>,
    again: Vec<OutboxMessage>,
}

/// Sweeps until nothing is due or the deadline is near.
pub async fn sweep(context: &Context, deadline: Instant) -> Result<Report, SweepError> {
    let stop_at = deadline.checked_sub(RESERVE).unwrap_or(deadline);
    let mut report = Report::default();
    let mut look_again = true;
    loop {
        if Instant::now() >= stop_at {
            report.time_short = true;
            break;
        }
        let batch = claim(context, look_again).await.map_err(SweepError::Claim)?;
        let more_due = batch.more_due;
        look_again = batch.again.len() >= BATCH || batch.imports_begun >= BATCH;
        publish(context, batch, stop_at, &mut report).await?;
        if !more_due && !look_again {
            break;
        }
    }
    tracing::info!(
        sweep = "scheduling",
        schedules_claimed = report.schedules_claimed,
        runs_made = report.runs_made,
        imports_begun = report.imports_begun,
        published = report.published,
        republished = report.republished,
        send_failures = report.send_failures,
        time_short = report.time_short,
        "sweep done"
    );
    Ok(report)
}

/// Claims one batch in one round trip. Runs to publish again and lost notices are rare, so most batches need not look for them.
async fn claim(context: &Context, look_again: bool) -> Result<Batch, Error> {
    let codes: Vec<&str> = MARKETPLACE_CODES.iter().map(|code| code.as_str()).collect();
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let due: Params<'_> = &[&limit, &codes];
    let again: Params<'_> = &[&limit, &codes, &UNSENT_SECONDS, &UNANSWERED_SECONDS, &OVERDUE_LEASE_SECONDS];
    let awaited: Params<'_> = &[&limit, &codes, &AWAITED_SECONDS];
    let requests = [(CLAIM_DUE, due), (REPUBLISH, again), (BEGIN_IMPORTS, awaited)];
    let requests = if look_again { &requests[..] } else { &requests[..1] };
    let session = context.database.session(&SystemScope::Sweep).await?;
    let mut answers = session.commit_with(requests).await?.into_iter();
    let due_rows = answers.next().unwrap_or_default();
    let again_rows = answers.next().unwrap_or_default();
    let import_rows = answers.next().unwrap_or_default();
    read_batch(&due_rows, &again_rows, &import_rows)
}

fn read_batch(due_rows: &[Row], again_rows: &[Row], import_rows: &[Row]) -> Result<Batch, Error> {
    let totals = due_rows.first().ok_or(Error::RowCount { found: 0 })?;
    let schedules_claimed: i64 = totals.try_get("schedules_claimed")?;
    let mut runs_made = 0;
    let mut made = Vec::with_capacity(due_rows.len());
    for row in due_rows {
        if row.try_get::<_, Option<RunId>>("id")?.is_some() {
            runs_made += 1;
            made.extend(OutboxMessage::from_row(row)?);
        }
    }
    for row in import_rows {
        made.extend(OutboxMessage::from_row(row)?);
    }
    let mut again = Vec::with_capacity(again_rows.len());
    for row in again_rows {
        again.extend(OutboxMessage::from_row(row)?);
    }
    let schedules_claimed = usize::try_from(schedules_claimed).map_err(|_| Error::RowShape)?;
    let more_due = totals.try_get("more_due")?;
    Ok(Batch { schedules_claimed, more_due, runs_made, imports_begun: import_rows.len(), made, again })
}

/// Publishes a batch and marks the sent runs in one statement.
async fn publish(
    context: &Context,
    batch: Batch,
    stop_at: Instant,
    report: &mut Report,
) -> Result<(), SweepError> {
    let made = context.publisher.publish_all(batch.made, stop_at).await;
    let again = context.publisher.publish_all(batch.again, stop_at).await;
    report.schedules_claimed += batch.schedules_claimed;
    report.runs_made += batch.runs_made;
    report.imports_begun += batch.imports_begun;
    report.published += made.sent.len();
    report.republished += again.sent.len();
    for sent in [&made, &again] {
        report.send_failures += sent.failed + sent.out_of_time;
        report.time_short |= sent.out_of_time > 0;
        if let Some(complaint) = sent.complaint() {
            tracing::warn!(
                sent = sent.sent.len(),
                complaint,
                "some messages could not be sent; the next sweep publishes them"
            );
        }
    }
    let sent: Vec<Job> = made.sent.into_iter().chain(again.sent).collect();
    mark_sent(&context.database, &SystemScope::Sweep, &sent).await.map_err(SweepError::MarkSent)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The default of a number among the template's parameters.
    fn default_of(parameter: &str) -> f64 {
        let template = include_str!("../../../template.yaml");
        let (_, after) = template.split_once(&format!("\n  {parameter}:\n")).expect("the parameter");
        let (_, value) = after.split_once("Default: ").expect("its default");
        value.lines().next().and_then(|value| value.parse().ok()).expect("a number")
    }

    #[test]
    fn a_message_dies_before_its_run_is_published_again() {
        // The collection of dead letters needs two minutes at most.
        let dies_after = default_of("DeadLetterMaxReceives") * default_of("LaneVisibilitySeconds") + 120.0;
        assert!(dies_after < UNANSWERED_SECONDS, "a message dies after {dies_after} s");
    }
}
