//! The key sweep: every data key is wrapped by the KMS key that should wrap it. That is the platform's key, or the seller's own;
//! a seller without one gets it. So the sweep repairs a sign-up that crashed, follows a change of the setting, and follows the
//! rotation of a KMS key. No row that a data key has sealed is touched.
//!
//! Across sellers the sweep sees ids of keys only. A data key is leased and wrapped in its seller's scope. No connection to the
//! database is held while KMS is asked.

use std::time::Duration;

use robnu_observe::caught;
use robnu_storage::{KmsKeys, WrappedKey};
use robnu_tenancy::{Error, Params, SellerId, SystemScope};
use serde::Serialize;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::context::Context;
use crate::error::SweepError;
use crate::seller::in_seller;

/// The number of data keys in one batch.
pub const BATCH: usize = 500;
/// Finds data keys.
pub const FIND: &str = include_str!("sql/find_data_keys.sql");
/// Takes the lease on a data key.
pub const LEASE: &str = include_str!("sql/lease_data_key.sql");
/// Stores a data key that was wrapped anew.
pub const STORE: &str = include_str!("sql/store_wrapped_key.sql");

/// No data key is begun with less time left than this.
const RESERVE: Duration = Duration::from_secs(15);
/// An attempt that takes longer is abandoned, as if it had crashed.
const LONGEST: Duration = Duration::from_secs(10);

/// The report of one key sweep.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Data keys that were looked at.
    pub keys_seen: usize,
    /// Data keys that another KMS key wraps now.
    pub keys_rewrapped: usize,
    /// Data keys that could not be wrapped; the next sweep tries again.
    pub keys_failed: usize,
    /// Whether time ran out before every key was looked at; the next sweep goes on.
    pub time_short: bool,
}

/// A data key and the KMS key that wraps it.
#[derive(Debug, Clone)]
struct Found {
    seller: SellerId,
    id: Uuid,
    kms_key_id: String,
}

/// Why one data key was not wrapped.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("the database failed")]
    Database(#[from] Error),
    #[error("KMS failed")]
    Kms(#[from] robnu_storage::StorageError),
}

/// What became of one data key.
enum Outcome {
    Rewrapped,
    /// Somebody else has the lease.
    Left,
    TimeShort,
}

/// Sweeps until every data key was looked at or the deadline is near. Fails when a key could not be wrapped, after all others.
pub async fn sweep(context: &Context, deadline: Instant) -> Result<Report, SweepError> {
    let stop_at = deadline.checked_sub(RESERVE).unwrap_or(deadline);
    let mut report = Report::default();
    if Instant::now() < stop_at {
        let mut kms_keys = context.keys.kms_keys().await.map_err(SweepError::KmsKeys)?;
        work(context, stop_at, &mut kms_keys, &mut report).await?;
    } else {
        report.time_short = true;
    }
    tracing::info!(
        sweep = "keys",
        keys_seen = report.keys_seen,
        keys_rewrapped = report.keys_rewrapped,
        keys_failed = report.keys_failed,
        time_short = report.time_short,
        "sweep done"
    );
    if report.keys_failed > 0 { Err(SweepError::KeysLeft { keys: report.keys_failed }) } else { Ok(report) }
}

/// Looks at all data keys, batch by batch.
async fn work(
    context: &Context,
    stop_at: Instant,
    kms_keys: &mut KmsKeys,
    report: &mut Report,
) -> Result<(), SweepError> {
    // A position before all keys: no id is smaller.
    let mut last = (SellerId::from(Uuid::nil()), Uuid::nil());
    loop {
        let found = find(context, last).await.map_err(SweepError::FindKeys)?;
        last = found.last().map_or(last, |key| (key.seller, key.id));
        for key in &found {
            report.keys_seen += 1;
            if kms_keys.is_current(key.seller, &key.kms_key_id) {
                continue;
            }
            if Instant::now() >= stop_at {
                report.time_short = true;
                return Ok(());
            }
            let attempt = timeout(LONGEST, rewrap(context, kms_keys, key, stop_at));
            match caught(attempt).await {
                Ok(Ok(Ok(Outcome::Rewrapped))) => report.keys_rewrapped += 1,
                // The seller was suspended a moment ago, or somebody else has the lease.
                Ok(Ok(Ok(Outcome::Left) | Err(Trouble::Database(Error::Suspended)))) => {}
                Ok(Ok(Ok(Outcome::TimeShort))) => report.time_short = true,
                Ok(Ok(Err(Trouble::Database(error))))
                    if error.is_transient() && !matches!(error, Error::Busy) =>
                {
                    return Err(SweepError::WrapKeys(error));
                }
                Ok(Ok(Err(error))) => note_failure(report, key, &error),
                Ok(Err(error)) => note_failure(report, key, &error),
                Err(error) => note_failure(report, key, &error),
            }
        }
        if found.len() < BATCH {
            return Ok(());
        }
    }
}

/// Counts a key that waits for the next sweep. One seller's failure does not hold up the others.
fn note_failure(report: &mut Report, key: &Found, error: &(dyn std::error::Error + 'static)) {
    report.keys_failed += 1;
    tracing::error!(
        seller.id = %key.seller,
        error = robnu_observe::chain(error),
        "the seller's data key could not be wrapped"
    );
}

async fn find(context: &Context, after: (SellerId, Uuid)) -> Result<Vec<Found>, Error> {
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let rows = context.database.read(&SystemScope::Sweep, FIND, &[&after.0, &after.1, &limit]).await?;
    rows.iter()
        .map(|row| {
            Ok(Found {
                seller: row.try_get("seller_id")?,
                id: row.try_get("key_id")?,
                kms_key_id: row.try_get("kms_key_id")?,
            })
        })
        .collect()
}

/// Leases one data key, has it wrapped by the KMS key that should wrap it, and stores the result.
async fn rewrap(
    context: &Context,
    kms_keys: &mut KmsKeys,
    found: &Found,
    stop_at: Instant,
) -> Result<Outcome, Trouble> {
    let lease: Params<'_> = &[&found.id, &found.kms_key_id];
    let rows = in_seller(context, found.seller, LEASE, lease).await?;
    let Some(row) = rows.first() else { return Ok(Outcome::Left) };
    let key = WrappedKey::from_row(row)?.ok_or(Error::RowShape)?;
    let Some(kms_key) = context.keys.ensure_kms_key(found.seller, kms_keys, stop_at).await? else {
        return Ok(Outcome::TimeShort);
    };
    let wrapped = context.keys.rewrap(found.seller, &key, &kms_key).await?;
    let store: Params<'_> = &[&key.id, &key.kms_key_id, &wrapped.ciphertext, &wrapped.kms_key_id];
    let rows = in_seller(context, found.seller, STORE, store).await?;
    Ok(if rows.is_empty() { Outcome::Left } else { Outcome::Rewrapped })
}
