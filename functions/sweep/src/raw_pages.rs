//! The sweep of raw pages: moves the pages that runs have kept into objects of the bucket, as `jsonl.gz`.
//!
//! Across sellers it sees that pages wait, and since when. The pages of one account and hour go into one object. They are leased and
//! given the object's id first, then the object is written, then it is recorded and the pages are emptied. If a call dies in between,
//! the next one writes the same pages to the same key, so a page is in one object, once. No connection to the database is held while S3
//! or KMS is asked. When they do not answer, the pages wait in the database and no run is affected.

mod object;

use std::collections::HashSet;
use std::time::Duration;

use robnu_observe::{Panicked, caught};
use robnu_storage::StorageError;
use robnu_tenancy::{Error, SellerId, SystemScope};
use serde::Serialize;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::context::Context;
use crate::error::SweepError;

/// The number of sellers that are looked for at once.
pub const SELLERS: i64 = 500;
/// The most pages in one object.
pub const PAGES: i32 = 500;
/// The most bytes, sealed, that go into one object, unless it is of one page. It bounds the memory of a call.
pub const BYTES: i64 = 4 * 1024 * 1024;
/// Finds sellers whose pages wait.
pub const FIND: &str = include_str!("sql/find_raw_pages.sql");
/// Leases the pages of one object.
pub const TAKE: &str = include_str!("sql/take_raw_pages.sql");
/// Records an object.
pub const KEEP: &str = include_str!("sql/keep_raw_pages.sql");

/// No object is begun with less time left than this.
const RESERVE: Duration = Duration::from_secs(15);
/// An attempt that takes longer is abandoned, as if it had crashed. The lease on its pages is longer.
const LONGEST: Duration = Duration::from_secs(10);
/// After so many failures in a row the rest is left to the next call, because more would fail.
const FAILURES_IN_A_ROW: usize = 3;

/// The report of one sweep of raw pages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Sellers whose pages waited.
    pub sellers_found: usize,
    /// Objects written.
    pub objects_stored: usize,
    /// Pages in them.
    pub pages_stored: usize,
    /// Pages that do not open with the seller's data keys. They are lost, and their rows are emptied.
    pub pages_unreadable: usize,
    /// Sellers with an object that could not be written; the next sweep tries again.
    pub sellers_failed: usize,
    /// For how many minutes the oldest page had waited when the sweep began.
    pub oldest_minutes: u64,
    /// Whether time ran out before every page was stored; the next sweep goes on.
    pub time_short: bool,
}

/// Why an object was not stored.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("the database failed")]
    Database(#[from] Error),
    #[error("KMS or S3 failed")]
    Storage(#[from] StorageError),
    #[error("the pages could not be compressed")]
    Lines(#[from] std::io::Error),
    #[error("KMS or S3 took too long")]
    TooLong(#[from] tokio::time::error::Elapsed),
    #[error("the attempt ended in a panic")]
    Panicked(#[from] Panicked),
}

/// A pass stores one object of each seller that has pages, so that a seller with many does not hold up the others.
struct Pass {
    stored: usize,
    is_first: bool,
}

/// Sweeps until no page is left that can be stored, or the deadline is near.
pub async fn sweep(context: &Context, deadline: Instant) -> Result<Report, SweepError> {
    let stop_at = deadline.checked_sub(RESERVE).unwrap_or(deadline);
    let mut report = Report::default();
    let mut failed = HashSet::new();
    let mut pass = Pass { stored: 0, is_first: true };
    loop {
        let goes_on = take_pass(context, stop_at, &mut pass, &mut failed, &mut report).await?;
        if !goes_on || pass.stored == 0 {
            break;
        }
        pass = Pass { stored: 0, is_first: false };
    }
    report.sellers_failed = failed.len();
    tracing::info!(
        sweep = "raw_pages",
        sellers_found = report.sellers_found,
        objects_stored = report.objects_stored,
        pages_stored = report.pages_stored,
        pages_unreadable = report.pages_unreadable,
        sellers_failed = report.sellers_failed,
        oldest_minutes = report.oldest_minutes,
        time_short = report.time_short,
        "sweep done"
    );
    Ok(report)
}

/// Returns whether another pass makes sense.
async fn take_pass(
    context: &Context,
    stop_at: Instant,
    pass: &mut Pass,
    failed: &mut HashSet<SellerId>,
    report: &mut Report,
) -> Result<bool, SweepError> {
    let mut failures = 0;
    let mut last = SellerId::from(Uuid::nil());
    loop {
        let found = find(context, last).await.map_err(SweepError::FindRawPages)?;
        for (seller, minutes) in &found {
            last = *seller;
            if pass.is_first {
                report.sellers_found += 1;
                report.oldest_minutes = report.oldest_minutes.max(*minutes);
            }
            if failed.contains(seller) {
                continue;
            }
            if Instant::now() >= stop_at || failures >= FAILURES_IN_A_ROW {
                report.time_short |= failures < FAILURES_IN_A_ROW;
                return Ok(false);
            }
            match attempt(context, *seller, report).await {
                Ok(stored) => {
                    pass.stored += usize::from(stored);
                    failures = 0;
                }
                Err(Trouble::Database(error)) if error.is_transient() && !matches!(error, Error::Busy) => {
                    return Err(SweepError::StoreRawPages(error));
                }
                Err(error) => {
                    failures += 1;
                    failed.insert(*seller);
                    tracing::warn!(
                        seller.id = %seller,
                        error = robnu_observe::chain(&error),
                        "the seller's raw pages stay in the database"
                    );
                }
            }
        }
        if i64::try_from(found.len()).unwrap_or(i64::MAX) < SELLERS {
            return Ok(true);
        }
    }
}

/// Stores one object of a seller, in bounded time. Returns whether there was one.
async fn attempt(context: &Context, seller: SellerId, report: &mut Report) -> Result<bool, Trouble> {
    caught(timeout(LONGEST, Box::pin(object::store(context, seller, report)))).await??
}

async fn find(context: &Context, after: SellerId) -> Result<Vec<(SellerId, u64)>, Error> {
    let rows = context.database.read(&SystemScope::Sweep, FIND, &[&after, &SELLERS]).await?;
    let seller = |row: &robnu_tenancy::Row| {
        let minutes: i64 = row.try_get("oldest_minutes")?;
        Ok((row.try_get("seller_id")?, u64::try_from(minutes).unwrap_or_default()))
    };
    rows.iter().map(seller).collect()
}
