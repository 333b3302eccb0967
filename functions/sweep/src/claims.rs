//! The claim sweep: a return that did not arrive in time gets a pending claim, once; and a seller is warned, once, before the
//! last moment at which a claim can be filed.
//!
//! Returns are found across sellers, by id. The work is then done in each seller's scope, in one transaction that checks the
//! returns again. Two concurrent sweeps find the same returns but do the work once. If a sweep dies or runs out of time, the
//! next one finds the returns that are left.

use std::time::{Duration, SystemTime};

use robnu_observe::caught;
use robnu_tenancy::{Error, Params, ReturnId, SellerId, SellerScope, SystemScope};
use serde::Serialize;
use tokio::time::Instant;

use crate::context::Context;
use crate::error::SweepError;

/// The number of returns in one batch.
pub const BATCH: usize = 500;
/// Finds overdue returns.
pub const FIND: &str = include_str!("sql/find_overdue.sql");
/// Makes the claims for one seller's returns.
pub const CLAIM: &str = include_str!("sql/claim_overdue.sql");
/// Finds returns whose claims are due soon.
pub const FIND_DUE_SOON: &str = include_str!("sql/find_due_soon.sql");
/// Warns of one seller's returns.
pub const WARN: &str = include_str!("sql/warn_due_soon.sql");

/// No transaction begins with less time left than this.
const RESERVE: Duration = Duration::from_secs(8);

/// The report of one claim sweep.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Overdue returns without a claim.
    pub returns_found: usize,
    /// Pending claims made for them.
    pub claims_made: usize,
    /// Returns whose claims are due soon and not filed.
    pub due_soon_found: usize,
    /// Warnings given for them.
    pub warnings_given: usize,
    /// Sellers whose claims or warnings could not be made; the next sweep tries again.
    pub sellers_failed: usize,
    /// Whether time ran out before every return was looked at; the next sweep goes on.
    pub time_short: bool,
}

/// One kind of the sweep's work: the statement that finds returns, and the one that does the work in a seller's scope and
/// returns a row for each return that it is done for.
#[derive(Debug, Clone, Copy)]
struct Work {
    find: &'static str,
    act: &'static str,
}

/// What became of one kind of work.
#[derive(Debug, Clone, Copy, Default)]
struct Done {
    found: usize,
    acted: usize,
    sellers_failed: usize,
    time_short: bool,
}

/// A return with work to do; also a position in the order in which returns are found.
#[derive(Debug, Clone, Copy)]
struct DueReturn {
    due_at: SystemTime,
    seller: SellerId,
    id: ReturnId,
}

/// Sweeps until nothing is left to do or the deadline is near.
pub async fn sweep(context: &Context, deadline: Instant) -> Result<Report, SweepError> {
    let stop_at = deadline.checked_sub(RESERVE).unwrap_or(deadline);
    let claims = work(context, stop_at, Work { find: FIND, act: CLAIM }).await?;
    let warnings = work(context, stop_at, Work { find: FIND_DUE_SOON, act: WARN }).await?;
    let report = Report {
        returns_found: claims.found,
        claims_made: claims.acted,
        due_soon_found: warnings.found,
        warnings_given: warnings.acted,
        sellers_failed: claims.sellers_failed + warnings.sellers_failed,
        time_short: claims.time_short || warnings.time_short,
    };
    tracing::info!(
        sweep = "claims",
        returns_found = report.returns_found,
        claims_made = report.claims_made,
        due_soon_found = report.due_soon_found,
        warnings_given = report.warnings_given,
        sellers_failed = report.sellers_failed,
        time_short = report.time_short,
        "sweep done"
    );
    Ok(report)
}

/// Does one kind of work until no return is left or it is time to stop.
async fn work(context: &Context, stop_at: Instant, work: Work) -> Result<Done, SweepError> {
    let mut done = Done::default();
    // A position before all returns: nothing fell due at that instant, so the ids do not matter.
    let mut last = DueReturn { due_at: SystemTime::UNIX_EPOCH, seller: SellerId::new(), id: ReturnId::new() };
    while !done.time_short {
        if Instant::now() >= stop_at {
            done.time_short = true;
            break;
        }
        let found = find(context, work.find, last).await.map_err(SweepError::Find)?;
        last = found.last().copied().unwrap_or(last);
        done.found += found.len();
        for (seller, returns) in by_seller(&found) {
            if Instant::now() >= stop_at {
                done.time_short = true;
                break;
            }
            let acted = caught(act(context, work.act, seller, &returns)).await.unwrap_or(Ok(None))?;
            match acted {
                Some(returns) => done.acted += returns,
                None => done.sellers_failed += 1,
            }
        }
        if found.len() < BATCH {
            break;
        }
    }
    Ok(done)
}

/// The next returns with work to do. Continuing after the last one skips returns for which it cannot be done now.
async fn find(context: &Context, statement: &'static str, after: DueReturn) -> Result<Vec<DueReturn>, Error> {
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let params: Params<'_> = &[&after.due_at, &after.seller, &after.id, &limit];
    let rows = context.database.read(&SystemScope::Sweep, statement, params).await?;
    rows.iter()
        .map(|row| {
            Ok(DueReturn {
                due_at: row.try_get("due_at")?,
                seller: row.try_get("seller_id")?,
                id: row.try_get("id")?,
            })
        })
        .collect()
}

/// The returns grouped by seller, in the order in which each seller first occurs.
fn by_seller(found: &[DueReturn]) -> Vec<(SellerId, Vec<ReturnId>)> {
    let mut sellers: Vec<(SellerId, Vec<ReturnId>)> = Vec::new();
    for due in found {
        match sellers.iter_mut().find(|(seller, _)| *seller == due.seller) {
            Some((_, returns)) => returns.push(due.id),
            None => sellers.push((due.seller, vec![due.id])),
        }
    }
    sellers
}

/// Does the work for one seller's returns and returns for how many, or `None` after a failure. One seller's failure does not
/// hold up the others; an unreachable database ends the sweep.
async fn act(
    context: &Context,
    statement: &'static str,
    seller: SellerId,
    returns: &[ReturnId],
) -> Result<Option<usize>, SweepError> {
    let session =
        context.database.session(&SellerScope::for_sweep(seller)).await.map_err(SweepError::MakeClaims)?;
    match session.commit_with(&[(statement, &[&returns])]).await {
        Ok(answers) => Ok(Some(answers.first().map_or(0, Vec::len))),
        // The seller was suspended a moment ago, so its returns are left alone.
        Err(Error::Suspended) => Ok(Some(0)),
        Err(error) if error.is_transient() && !matches!(error, Error::Busy) => {
            Err(SweepError::MakeClaims(error))
        }
        Err(error) => {
            tracing::error!(
                seller.id = %seller,
                error = robnu_observe::chain(&error),
                "the seller's overdue returns could not be worked on"
            );
            Ok(None)
        }
    }
}
