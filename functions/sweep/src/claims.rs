//! The claim sweep: a return that did not arrive in time gets a pending claim, once.
//!
//! Overdue returns are found across sellers, by id. Each seller's claims are then made in that seller's scope, in one
//! transaction that checks the returns again. Two concurrent sweeps find the same returns but make each claim once. If a
//! sweep dies or runs out of time, the next one finds the returns that are still overdue.

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

/// No transaction begins with less time left than this.
const RESERVE: Duration = Duration::from_secs(8);

/// The report of one claim sweep.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Overdue returns without a claim.
    pub returns_found: usize,
    /// Pending claims made for them.
    pub claims_made: usize,
    /// Sellers whose claims could not be made; the next sweep tries again.
    pub sellers_failed: usize,
    /// Whether time ran out before every overdue return was looked at; the next sweep goes on.
    pub time_short: bool,
}

/// An overdue return; also a position in the order in which they are found.
#[derive(Debug, Clone, Copy)]
struct Overdue {
    due_at: SystemTime,
    seller: SellerId,
    id: ReturnId,
}

/// Sweeps until no overdue return is left or the deadline is near.
pub async fn sweep(context: &Context, deadline: Instant) -> Result<Report, SweepError> {
    let stop_at = deadline.checked_sub(RESERVE).unwrap_or(deadline);
    let mut report = Report::default();
    // A position before all returns: no window has ended at that instant, so the ids do not matter.
    let mut last = Overdue { due_at: SystemTime::UNIX_EPOCH, seller: SellerId::new(), id: ReturnId::new() };
    while !report.time_short {
        if Instant::now() >= stop_at {
            report.time_short = true;
            break;
        }
        let found = find(context, last).await.map_err(SweepError::Find)?;
        last = found.last().copied().unwrap_or(last);
        report.returns_found += found.len();
        for (seller, returns) in by_seller(&found) {
            if Instant::now() >= stop_at {
                report.time_short = true;
                break;
            }
            let claimed = caught(claim(context, seller, &returns)).await.unwrap_or(Ok(None))?;
            match claimed {
                Some(made) => report.claims_made += made,
                None => report.sellers_failed += 1,
            }
        }
        if found.len() < BATCH {
            break;
        }
    }
    tracing::info!(
        sweep = "claims",
        returns_found = report.returns_found,
        claims_made = report.claims_made,
        sellers_failed = report.sellers_failed,
        time_short = report.time_short,
        "sweep done"
    );
    Ok(report)
}

/// The next overdue returns. Continuing after the last one skips returns whose claims cannot be made now.
async fn find(context: &Context, after: Overdue) -> Result<Vec<Overdue>, Error> {
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let params: Params<'_> = &[&after.due_at, &after.seller, &after.id, &limit];
    let rows = context.database.read(&SystemScope::Sweep, FIND, params).await?;
    rows.iter()
        .map(|row| {
            Ok(Overdue {
                due_at: row.try_get("claim_due_at")?,
                seller: row.try_get("seller_id")?,
                id: row.try_get("id")?,
            })
        })
        .collect()
}

/// The returns grouped by seller, in the order in which each seller first occurs.
fn by_seller(found: &[Overdue]) -> Vec<(SellerId, Vec<ReturnId>)> {
    let mut sellers: Vec<(SellerId, Vec<ReturnId>)> = Vec::new();
    for overdue in found {
        match sellers.iter_mut().find(|(seller, _)| *seller == overdue.seller) {
            Some((_, returns)) => returns.push(overdue.id),
            None => sellers.push((overdue.seller, vec![overdue.id])),
        }
    }
    sellers
}

/// Makes the claims for one seller's returns and returns their number, or `None` after a failure. One seller's failure does
/// not hold up the others; an unreachable database ends the sweep.
async fn claim(
    context: &Context,
    seller: SellerId,
    returns: &[ReturnId],
) -> Result<Option<usize>, SweepError> {
    let session =
        context.database.session(&SellerScope::for_sweep(seller)).await.map_err(SweepError::MakeClaims)?;
    match session.commit_with(&[(CLAIM, &[&returns])]).await {
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
                "the claims for the seller's overdue returns could not be made"
            );
            Ok(None)
        }
    }
}
