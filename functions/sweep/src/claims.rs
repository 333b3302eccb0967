//! The claim sweep: a return that did not come in time gets a pending claim, once.
//!
//! Overdue returns are found across sellers, by id; each seller's are then claimed for in that seller's scope, in one
//! transaction that looks at them again. Two sweeps at once find the same returns and claim for each once; one that dies, or
//! runs out of time, leaves returns that are overdue still, which the next one finds.

use std::time::{Duration, SystemTime};

use robnu_observe::caught;
use robnu_tenancy::{Error, Params, ReturnId, SellerId, SellerScope, SystemScope};
use serde::Serialize;
use tokio::time::Instant;

use crate::context::Context;
use crate::error::SweepError;

/// Returns that are looked at in one go.
pub const BATCH: usize = 500;
/// Finds overdue returns.
pub const FIND: &str = include_str!("sql/find_overdue.sql");
/// Claims for one seller's returns.
pub const CLAIM: &str = include_str!("sql/claim_overdue.sql");

/// No transaction begins with less time than this left.
const RESERVE: Duration = Duration::from_secs(8);

/// What one claim sweep did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Overdue returns that nobody had claimed for.
    pub returns_found: usize,
    /// Pending claims made for them.
    pub claims_made: usize,
    /// Sellers whose returns could not be claimed for; the next sweep tries again.
    pub sellers_failed: usize,
    /// Whether time ran short before everything overdue was looked at; the next sweep goes on.
    pub time_short: bool,
}

/// An overdue return, and so a place in the order in which they are found.
#[derive(Debug, Clone, Copy)]
struct Overdue {
    due_at: SystemTime,
    seller: SellerId,
    id: ReturnId,
}

/// Sweeps until nothing overdue is left to look at or the deadline is near.
pub async fn sweep(context: &Context, deadline: Instant) -> Result<Report, SweepError> {
    let stop_at = deadline.checked_sub(RESERVE).unwrap_or(deadline);
    let mut report = Report::default();
    // Before all of them; no window has ended at that instant, so that the ids do not matter.
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

/// The next overdue returns. Going on behind the last one passes over those of a seller that cannot be claimed for now.
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

/// Each seller's returns together, in the order in which the sellers come first.
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

/// Claims for one seller's returns and answers how many, or nothing when it failed. What is wrong with one seller keeps no
/// other waiting; a database that cannot be reached ends the sweep.
async fn claim(
    context: &Context,
    seller: SellerId,
    returns: &[ReturnId],
) -> Result<Option<usize>, SweepError> {
    let session =
        context.database.session(&SellerScope::for_sweep(seller)).await.map_err(SweepError::MakeClaims)?;
    match session.commit_with(&[(CLAIM, &[&returns])]).await {
        Ok(answers) => Ok(Some(answers.first().map_or(0, Vec::len))),
        // It was suspended a moment ago: its returns rest.
        Err(Error::Suspended) => Ok(Some(0)),
        Err(error) if error.is_transient() && !matches!(error, Error::Busy) => {
            Err(SweepError::MakeClaims(error))
        }
        Err(error) => {
            tracing::error!(
                seller.id = %seller,
                error = robnu_observe::chain(&error),
                "the seller's overdue returns could not be claimed for"
            );
            Ok(None)
        }
    }
}
