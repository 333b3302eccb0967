//! The scheduling sweep: makes runs for due schedules and for imports whose notice was lost, and publishes them and the runs that nobody
//! leased, as many of each marketplace as may be under way at once. While some are held back it stays and publishes one as soon as
//! another ends. So after an outage, when everything is due, work goes on at the pace that connections and marketplaces bear.
//!
//! Rows are claimed with SKIP LOCKED and committed before anything is published. So two concurrent sweeps share the work,
//! and a sweep that dies leaves unsent runs, which the next one finds.

use std::time::Duration;

use robnu_dispatch::{Job, OutboxMessage, mark_sent};
use robnu_marketplace::code::MARKETPLACE_CODES;
use robnu_observe::metric::{self, Unit};
use robnu_tenancy::{Error, Params, Row, SystemScope};
use serde::Serialize;
use tokio::time::Instant;

use crate::context::Context;
use crate::error::SweepError;

/// The number of schedules, and of runs to publish, in one transaction.
pub const BATCH: usize = 1_000;
/// Claims due schedules and makes their runs.
pub const CLAIM_DUE: &str = include_str!("sql/claim_due.sql");
/// Lets one sweep at a time admit runs.
const LOCK_ADMISSION: &str = include_str!("sql/lock_admission.sql");
/// Claims runs that must be published, as many as there is room for.
pub const ADMIT: &str = include_str!("sql/admit.sql");

/// Says how long the oldest run of each marketplace has waited.
pub const OLDEST_WAITING: &str = include_str!("sql/oldest_waiting.sql");
/// Claims imports for which no notice has come, and makes their runs.
pub const BEGIN_IMPORTS: &str = include_str!("sql/begin_imports.sql");

/// How long after its announcement, in seconds, a file must have arrived: an upload begins within 15 minutes, and may last as long.
const AWAITED_SECONDS: f64 = 1800.0;
/// For this long, in seconds, only the writer of an unsent run publishes it. The runs of schedules have no other writer than sweeps.
const UNSENT_SECONDS: f64 = 30.0;
/// The time, in seconds, after which a sent run that nobody has leased counts as lost. A message that no function takes dies later: when it
/// does, its run has long been published again, and is not marked.
const UNANSWERED_SECONDS: f64 = 1200.0;
/// How long, in seconds, a lease must be overdue before its holder counts as gone.
const OVERDUE_LEASE_SECONDS: f64 = 60.0;
/// No batch begins, and nothing is published, with less time left than this, which the last responses and statements need.
const RESERVE: Duration = Duration::from_secs(8);
/// How long to wait, while runs are held back, before looking whether others have ended.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

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
    /// Whether runs were held back until the end, because as many of their marketplace were under way as may be at once.
    pub held_back: bool,
    /// Messages that could not be sent; the next sweep publishes them.
    pub send_failures: usize,
    /// Whether time ran out before all due work was done; the next sweep goes on.
    pub time_short: bool,
}

/// The work that one transaction claimed.
struct Batch {
    schedules_claimed: usize,
    runs_made: usize,
    imports_begun: usize,
    /// Whether more may be due than one transaction claims.
    more_due: bool,
    is_held_back: bool,
    new: Vec<OutboxMessage>,
    again: Vec<OutboxMessage>,
}

/// Sweeps until nothing is due or the deadline is near.
pub async fn sweep(context: &Context, deadline: Instant) -> Result<Report, SweepError> {
    let stop_at = deadline.checked_sub(RESERVE).unwrap_or(deadline);
    let mut report = Report::default();
    // Imports are few and begin half an hour after their announcement, so one look per sweep is enough.
    let mut asks_for_imports = true;
    state_oldest_waiting(context, stop_at).await;
    loop {
        if Instant::now() >= stop_at {
            report.time_short = true;
            break;
        }
        let batch = claim(context, asks_for_imports).await.map_err(SweepError::Claim)?;
        asks_for_imports = batch.imports_begun >= BATCH;
        let more_due = batch.more_due || asks_for_imports;
        report.held_back = batch.is_held_back;
        publish(context, batch, stop_at, &mut report).await?;
        if more_due {
            continue;
        }
        if !report.held_back || Instant::now() + LOOK_AGAIN >= stop_at {
            break;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    tracing::info!(
        sweep = "scheduling",
        schedules_claimed = report.schedules_claimed,
        runs_made = report.runs_made,
        imports_begun = report.imports_begun,
        published = report.published,
        republished = report.republished,
        held_back = report.held_back,
        send_failures = report.send_failures,
        time_short = report.time_short,
        "sweep done"
    );
    Ok(report)
}

/// States the metric of how long the oldest run of each marketplace has waited. A metric ends no sweep.
async fn state_oldest_waiting(context: &Context, stop_at: Instant) {
    if Instant::now() >= stop_at {
        return;
    }
    let asked = async {
        let rows = context.database.read(&SystemScope::Sweep, OLDEST_WAITING, &[&codes()]).await?;
        rows.iter()
            .map(|row| Ok((row.try_get::<_, String>("code")?, row.try_get("seconds")?)))
            .collect::<Result<Vec<(String, i64)>, Error>>()
    };
    match asked.await {
        Ok(waits) => {
            for (code, seconds) in waits {
                metric::state(metric::OLDEST_WAITING, Unit::Seconds, ("Marketplace", &code), seconds);
            }
        }
        Err(error) => tracing::warn!(
            error = robnu_observe::chain(&error),
            "nobody knows how long the oldest runs have waited"
        ),
    }
}

fn codes() -> Vec<&'static str> {
    MARKETPLACE_CODES.iter().map(|code| code.as_str()).collect()
}

/// Claims one batch in one round trip.
async fn claim(context: &Context, asks_for_imports: bool) -> Result<Batch, Error> {
    let codes = codes();
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let due: Params<'_> = &[&limit, &codes];
    let awaited: Params<'_> = &[&limit, &codes, &AWAITED_SECONDS];
    let admitted: Params<'_> =
        &[&limit, &codes, &UNSENT_SECONDS, &UNANSWERED_SECONDS, &OVERDUE_LEASE_SECONDS];
    let imports = asks_for_imports.then_some((BEGIN_IMPORTS, awaited));
    let more: [(&'static str, Params<'_>); 2] = [(LOCK_ADMISSION, &[]), (ADMIT, admitted)];
    let requests: Vec<_> = [(CLAIM_DUE, due)].into_iter().chain(imports).chain(more).collect();
    let session = context.database.session(&SystemScope::Sweep).await?;
    let answers = session.commit_with(&requests).await?;
    match answers.as_slice() {
        [due, _, admitted] => read_batch(due, &[], admitted),
        [due, imports, _, admitted] => read_batch(due, imports, admitted),
        _ => Err(Error::RowShape),
    }
}

fn read_batch(due: &[Row], imports: &[Row], admitted: &[Row]) -> Result<Batch, Error> {
    let [due, totals] = [due, admitted].map(|rows| rows.first().ok_or(Error::RowCount { found: 0 }));
    let (due, totals) = (due?, totals?);
    let count = |name| usize::try_from(due.try_get::<_, i64>(name)?).map_err(|_| Error::RowShape);
    let mut batch = Batch {
        schedules_claimed: count("schedules_claimed")?,
        runs_made: count("runs_made")?,
        imports_begun: imports.len(),
        more_due: due.try_get("more_due")? || totals.try_get("more_due")?,
        is_held_back: totals.try_get("is_held_back")?,
        new: Vec::new(),
        again: Vec::new(),
    };
    for row in imports {
        batch.new.extend(OutboxMessage::from_row(row)?);
    }
    for row in admitted {
        match row.try_get::<_, Option<bool>>("is_first")? {
            Some(true) => batch.new.extend(OutboxMessage::from_row(row)?),
            Some(false) => batch.again.extend(OutboxMessage::from_row(row)?),
            None => {}
        }
    }
    Ok(batch)
}

/// Publishes a batch and marks the sent runs in one statement.
async fn publish(
    context: &Context,
    batch: Batch,
    stop_at: Instant,
    report: &mut Report,
) -> Result<(), SweepError> {
    let new = context.publisher.publish_all(batch.new, stop_at).await;
    let again = context.publisher.publish_all(batch.again, stop_at).await;
    report.schedules_claimed += batch.schedules_claimed;
    report.runs_made += batch.runs_made;
    report.imports_begun += batch.imports_begun;
    report.published += new.sent.len();
    report.republished += again.sent.len();
    for sent in [&new, &again] {
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
    let sent: Vec<Job> = new.sent.into_iter().chain(again.sent).collect();
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
    fn a_run_that_nobody_takes_is_published_again_before_its_message_dies() {
        let dies_after = default_of("DeadLetterMaxReceives") * default_of("LaneVisibilitySeconds");
        assert!(dies_after > UNANSWERED_SECONDS, "a message dies after {dies_after} s");
    }
}
