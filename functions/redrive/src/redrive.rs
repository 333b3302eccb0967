//! Redriving: dead letters are handled again, in the order in which those of an account died.
//!
//! One transaction takes at most one dead letter of each account and queue: it requeues the run in a new generation and closes the
//! letter. After the commit the messages are sent, and only then is the account's next one taken. So at most one message of an account
//! is under way when an invocation dies, and the order holds.

use std::collections::BTreeMap;
use std::time::Duration;

use robnu_tenancy::{Error, Row, SystemScope, ToSql};
use serde::Serialize;
use tokio::time::Instant;
use uuid::Uuid;

use crate::context::Context;
use crate::error::RedriveError;
use crate::publish::{OWN_SECONDS, Pace, Sent, resume, send};
use crate::request::{Choice, Redrive};

const REDRIVE: &str = include_str!("sql/redrive.sql");
const PROSPECTS: &str = include_str!("sql/prospects.sql");

/// Dead letters in one invocation, unless the request says otherwise.
pub(crate) const USUAL_LIMIT: usize = 500;
/// Dead letters in one transaction at most.
const CHUNK: f64 = 25.0;
/// Seconds that the messages of one transaction may take to be sent.
const CHUNK_SECONDS: f64 = 2.0;
/// No transaction begins with less time left than this.
const RESERVE: Duration = Duration::from_secs(12);
/// How often a run that becomes live at the same moment may spoil a transaction.
const COLLISIONS: usize = 10;

/// The report of one invocation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Redriven {
    /// Runs published.
    pub published: usize,
    /// Other messages sent to their queues again.
    pub sent: usize,
    /// Dead letters closed whose run had moved on.
    pub moved_on: usize,
    /// Dead letters closed because a later run reads the same.
    pub superseded: usize,
    /// Messages that a queue did not take; they are sent later.
    pub failed: usize,
    /// Dead letters that another call redrives.
    pub remaining: i64,
    /// Dead letters that cannot be redriven now, by prospect, such as `WAITS_FOR_ACCOUNT` or `DISCARD_ONLY`.
    pub left: BTreeMap<String, i64>,
}

/// What a redrive would do, by prospect (`dead_letter_prospects` in the migrations).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Prospects {
    /// How many of each.
    pub prospects: BTreeMap<String, i64>,
}

/// Says what a redrive would do now.
pub(crate) async fn prospects(context: &Context, choice: Choice<'_>) -> Result<Prospects, RedriveError> {
    let rows = context.database.read(&SystemScope::Redrive, PROSPECTS, &choice.params()).await;
    let counts = rows.map_err(RedriveError::Find)?;
    let count = |row: &Row| Ok((row.try_get("prospect")?, row.try_get("letters")?));
    let prospects = counts.iter().map(count).collect::<Result<_, Error>>().map_err(RedriveError::Find)?;
    Ok(Prospects { prospects })
}

/// Redrives until nothing that can be redriven is left, the limit is reached or the deadline is near.
pub(crate) async fn redrive(
    context: &Context,
    request: &Redrive,
    deadline: Instant,
) -> Result<Redriven, RedriveError> {
    let stop_at = deadline.checked_sub(RESERVE).unwrap_or(deadline);
    let mut pace = Pace::new(request.rate());
    let mut report = Redriven::default();
    let resumed = resume(context, &mut pace, stop_at).await?;
    note(&mut report, &[], &resumed)?;
    let (action, limit) = (Uuid::now_v7(), request.limit.unwrap_or(USUAL_LIMIT));
    let mut taken = 0;
    let mut collisions = 0;
    while taken < limit && Instant::now() < stop_at {
        let at_most = (request.rate() * CHUNK_SECONDS).clamp(1.0, CHUNK);
        #[expect(clippy::cast_possible_truncation, reason = "it is between 1 and 25")]
        let at_most = (at_most as i64).min(i64::try_from(limit - taken).unwrap_or(i64::MAX));
        let rows = match take(context, request, action, at_most).await {
            Ok(rows) => rows,
            // Somebody has made a live run of an account and kind since the statement began. Now it is seen.
            Err(Error::Exists { .. }) if collisions < COLLISIONS => {
                collisions += 1;
                continue;
            }
            Err(error) => return Err(RedriveError::Redrive(error)),
        };
        if rows.is_empty() {
            break;
        }
        taken += rows.len();
        let sent = send(context, &rows, &mut pace).await?;
        note(&mut report, &rows, &sent)?;
    }
    report.left = prospects(context, request.choice()).await?.prospects;
    for prospect in ["PUBLISH", "SEND", "MOVED_ON", "SUPERSEDED", "WAITS_FOR_EARLIER"] {
        report.remaining += report.left.remove(prospect).unwrap_or_default();
    }
    tracing::info!(
        operator = request.operator,
        published = report.published,
        sent = report.sent,
        moved_on = report.moved_on,
        superseded = report.superseded,
        failed = report.failed,
        remaining = report.remaining,
        "dead letters redriven"
    );
    Ok(report)
}

/// Takes the next dead letters, closes them and requeues their runs. Returns what to send.
async fn take(context: &Context, request: &Redrive, action: Uuid, at_most: i64) -> Result<Vec<Row>, Error> {
    let choice = request.choice();
    let asked = choice.asked();
    let mut params = choice.params();
    let more: [&(dyn ToSql + Sync); 6] =
        [&at_most, &request.operator, &request.reason, &action, &asked, &OWN_SECONDS];
    params.extend(more);
    let session = context.database.session(&SystemScope::Redrive).await?;
    Ok(session.commit_with(&[(REDRIVE, &params)]).await?.pop().unwrap_or_default())
}

fn note(report: &mut Redriven, rows: &[Row], sent: &Sent) -> Result<(), RedriveError> {
    report.published += sent.published;
    report.sent += sent.bodies;
    report.failed += sent.failed;
    for row in rows {
        match row.try_get("outcome").map_err(|error| RedriveError::Redrive(error.into()))? {
            "MOVED_ON" => report.moved_on += 1,
            "SUPERSEDED" => report.superseded += 1,
            _ => {}
        }
    }
    Ok(())
}
