//! The closing sweep: closes sellers whose owner asked for it and whose time to take that back is over.
//!
//! A seller is closed in steps, each committed before the next begins, and each safe to repeat: it is stopped, its personal data is
//! erased, its data keys are deleted, its KMS key is scheduled for deletion and its objects are deleted, and the end is recorded. A
//! sweep that dies leaves the last step that was done; the next one goes on from there, and nothing leads back. Two concurrent sweeps
//! take each step once (`advance_closing` in `migrations/0024_closing.sql`).

mod step;

use std::time::Duration;

use robnu_observe::caught;
use robnu_tenancy::{Error, SellerId, SystemScope};
use serde::Serialize;
use tokio::time::Instant;

use crate::context::Context;
use crate::error::SweepError;
use step::{CloseError, Step};

/// The number of sellers that are looked for at once.
pub const SELLERS: i64 = 100;
/// The number of rows that are erased in one transaction.
pub const ROWS: i64 = 1_000;
/// Finds sellers that are to be closed.
pub const FIND: &str = include_str!("sql/find_closings.sql");
/// Takes a seller's next step.
pub const ADVANCE: &str = include_str!("sql/advance_closing.sql");
/// Makes sellers due that the register names.
pub const CLOSE_AGAIN: &str = include_str!("sql/close_again.sql");

/// Nothing begins with less time left than this.
const RESERVE: Duration = Duration::from_secs(8);

/// The report of one closing sweep.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Sellers that the register of closed sellers names and the database, restored from a backup, did not know to be closed.
    pub sellers_reopened: usize,
    /// Sellers whose closing was due or had begun.
    pub sellers_found: usize,
    /// Sellers whose closing ended.
    pub sellers_closed: usize,
    /// Objects deleted, counting versions and delete markers, and uploads that were never completed.
    pub objects_deleted: usize,
    /// Sellers with a step that failed; the next sweep tries it again.
    pub sellers_failed: usize,
    /// Whether time ran out before every seller was closed; the next sweep goes on.
    pub time_short: bool,
}

/// A seller that is being closed, and the last step that was done.
struct Closing {
    seller: SellerId,
    step: Step,
}

/// Sweeps until no seller is left or the deadline is near.
pub async fn sweep(context: &Context, deadline: Instant) -> Result<Report, SweepError> {
    let stop_at = deadline.checked_sub(RESERVE).unwrap_or(deadline);
    let mut report = Report::default();
    close_again(context, stop_at, &mut report).await?;
    // Ids are not nil, so this comes before all of them.
    let mut last = SellerId::from(uuid::Uuid::nil());
    while !report.time_short {
        let found = find(context, last).await.map_err(SweepError::Close)?;
        report.sellers_found += found.len();
        for closing in &found {
            last = closing.seller;
            if Instant::now() >= stop_at {
                report.time_short = true;
                break;
            }
            Box::pin(close(context, closing, stop_at, &mut report)).await?;
        }
        if i64::try_from(found.len()).unwrap_or(i64::MAX) < SELLERS {
            break;
        }
    }
    tracing::info!(
        sweep = "closing",
        sellers_reopened = report.sellers_reopened,
        sellers_found = report.sellers_found,
        sellers_closed = report.sellers_closed,
        objects_deleted = report.objects_deleted,
        sellers_failed = report.sellers_failed,
        time_short = report.time_short,
        "sweep done"
    );
    Ok(report)
}

/// Compares the register with the database, page by page.
async fn close_again(context: &Context, stop_at: Instant, report: &mut Report) -> Result<(), SweepError> {
    let mut after = None;
    loop {
        if Instant::now() >= stop_at {
            report.time_short = true;
            return Ok(());
        }
        let (closed, next) =
            context.erasure.bucket.closed_sellers(after).await.map_err(SweepError::Register)?;
        if !closed.is_empty() {
            let reopened = reopened(context, &closed).await.map_err(SweepError::Close)?;
            if reopened > 0 {
                tracing::warn!(
                    sellers_reopened = reopened,
                    "the database holds sellers that were closed; they are closed again"
                );
            }
            report.sellers_reopened += reopened;
        }
        after = next;
        if after.is_none() {
            return Ok(());
        }
    }
}

async fn reopened(context: &Context, closed: &[SellerId]) -> Result<usize, Error> {
    let session = context.database.session(&SystemScope::Closing).await?;
    let answers = session.commit_with(&[(CLOSE_AGAIN, &[&closed])]).await?;
    let row = answers.first().and_then(|rows| rows.first()).ok_or(Error::RowCount { found: 0 })?;
    usize::try_from(row.try_get::<_, i32>("reopened")?).map_err(|_| Error::RowShape)
}

async fn find(context: &Context, after: SellerId) -> Result<Vec<Closing>, Error> {
    let rows = context.database.read(&SystemScope::Closing, FIND, &[&after, &SELLERS]).await?;
    rows.iter().map(|row| Ok(Closing { seller: row.try_get("seller")?, step: Step::read(row)? })).collect()
}

/// Closes one seller as far as there is time. Its failure does not hold up the others; an unreachable database ends the sweep.
async fn close(
    context: &Context,
    closing: &Closing,
    stop_at: Instant,
    report: &mut Report,
) -> Result<(), SweepError> {
    let mut step = closing.step;
    while step != Step::Closed {
        if Instant::now() >= stop_at {
            report.time_short = true;
            return Ok(());
        }
        let work = step.take(context, closing.seller, stop_at, &mut report.objects_deleted);
        match Box::pin(caught(work)).await.unwrap_or_else(|panicked| Err(panicked.into())) {
            Ok(Some(next)) => step = next,
            // Another call has taken the step and goes on from there.
            Ok(None) => return Ok(()),
            Err(CloseError::Database(error)) if error.is_transient() && !matches!(error, Error::Busy) => {
                return Err(SweepError::Close(error));
            }
            Err(error) => {
                tracing::error!(
                    seller.id = %closing.seller,
                    closing.step = step.as_str(),
                    error = robnu_observe::chain(&error),
                    "a step of closing a seller failed"
                );
                report.sellers_failed += 1;
                return Ok(());
            }
        }
    }
    report.sellers_closed += 1;
    Ok(())
}
