//! The reseal sweep: a seller whose data key is old gets a new one, what the older keys sealed is sealed anew, and then they go.
//!
//! Every step is committed, may be repeated and may run twice at once; the database holds the rules about time and order
//! (`migrations/0026_new_data_keys.sql`). A ciphertext is replaced only where it still is what was opened, so whatever others
//! write meanwhile stays. No connection to the database is held while KMS is asked.

mod places;

use std::time::Duration;

use robnu_observe::caught;
use robnu_storage::{KeyRing, Place, StorageError};
use robnu_tenancy::{Error, Params, Row, SellerId, SystemScope};
use serde::Serialize;
use tokio::time::Instant;
use uuid::Uuid;

pub use self::places::{RECORDS, SEALED_COLUMNS, SealedColumn};
use crate::context::Context;
use crate::error::SweepError;
use crate::seller::{DATA_KEYS, in_seller};

/// The number of sellers in one batch.
pub const BATCH: usize = 100;
/// The number of ciphertexts that are opened and sealed in one step.
pub const STEP: usize = 500;
/// Finds sellers.
pub const FIND: &str = include_str!("sql/find_sellers_to_reseal.sql");
/// Adds a data key.
pub const ADD: &str = include_str!("sql/add_data_key.sql");
/// Reads ciphertexts.
pub const SEALED: &str = include_str!("sql/sealed_by_older_keys.sql");
/// Replaces ciphertexts.
pub const SEAL_ANEW: &str = include_str!("sql/seal_anew.sql");
/// Replaces quarantined records.
pub const SEAL_RECORDS_ANEW: &str = include_str!("sql/seal_records_anew.sql");
/// Deletes a data key.
pub const DROP: &str = include_str!("sql/drop_data_key.sql");

/// Nothing is begun with less time left than this.
const RESERVE: Duration = Duration::from_secs(15);

/// The report of one reseal sweep.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Sellers with an old data key or with more than one.
    pub sellers_seen: usize,
    /// New data keys.
    pub keys_added: usize,
    /// Ciphertexts that were sealed anew.
    pub resealed: u64,
    /// Older data keys that were deleted.
    pub keys_dropped: usize,
    /// Ciphertexts that do not open. They stay as they are, and so does the key that they name.
    pub unreadable: usize,
    /// Sellers whose work failed; the next sweep tries again.
    pub sellers_failed: usize,
    /// Whether time ran out; the next sweep goes on.
    pub time_short: bool,
}

/// A seller with work.
#[derive(Debug)]
struct Found {
    seller: SellerId,
    newest: Uuid,
    older: Vec<Uuid>,
    is_due: bool,
    /// Whether everybody who opens knows the newest key, so that ciphertexts may be sealed anew.
    is_ready: bool,
}

/// Why a seller's work failed.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error("the database failed")]
    Database(#[from] Error),
    #[error("a data key could not be made or used")]
    Key(#[from] StorageError),
}

/// Sweeps until every seller was looked at or the deadline is near; with `only`, one seller, whose data key is due whatever its
/// age. Fails when a seller's work failed or a ciphertext did not open, after all others.
pub async fn sweep(
    context: &Context,
    only: Option<SellerId>,
    deadline: Instant,
) -> Result<Report, SweepError> {
    let stop_at = deadline.checked_sub(RESERVE).unwrap_or(deadline);
    let mut report = Report::default();
    work(context, only, stop_at, &mut report).await?;
    tracing::info!(
        sweep = "reseal",
        sellers_seen = report.sellers_seen,
        keys_added = report.keys_added,
        resealed = report.resealed,
        keys_dropped = report.keys_dropped,
        unreadable = report.unreadable,
        sellers_failed = report.sellers_failed,
        time_short = report.time_short,
        "sweep done"
    );
    if report.sellers_failed > 0 || report.unreadable > 0 {
        return Err(SweepError::NotResealed {
            sellers: report.sellers_failed,
            ciphertexts: report.unreadable,
        });
    }
    Ok(report)
}

async fn work(
    context: &Context,
    only: Option<SellerId>,
    stop_at: Instant,
    report: &mut Report,
) -> Result<(), SweepError> {
    // A position before all sellers: no id is smaller.
    let mut last = SellerId::from(Uuid::nil());
    loop {
        if Instant::now() >= stop_at {
            report.time_short = true;
            return Ok(());
        }
        let found = find(context, last, only).await.map_err(SweepError::FindKeys)?;
        for seller in &found {
            last = seller.seller;
            report.sellers_seen += 1;
            match caught(Box::pin(one_seller(context, seller, stop_at, report))).await {
                // The seller was suspended a moment ago.
                Ok(Ok(()) | Err(Trouble::Database(Error::Suspended))) => {}
                Ok(Err(error)) => note_failure(report, seller.seller, &error),
                Err(error) => note_failure(report, seller.seller, &error),
            }
        }
        if found.len() < BATCH {
            return Ok(());
        }
    }
}

/// Counts a seller that waits for the next sweep. One seller's failure does not hold up the others.
fn note_failure(report: &mut Report, seller: SellerId, error: &(dyn std::error::Error + 'static)) {
    report.sellers_failed += 1;
    tracing::error!(
        seller.id = %seller,
        error = robnu_observe::chain(error),
        "the seller's data could not be sealed anew"
    );
}

async fn find(context: &Context, after: SellerId, only: Option<SellerId>) -> Result<Vec<Found>, Error> {
    let limit = i64::try_from(BATCH).unwrap_or(i64::MAX);
    let params: Params<'_> = &[&after, &context.data_key_days, &limit, &only];
    let rows = context.database.read(&SystemScope::Sweep, FIND, params).await?;
    rows.iter()
        .map(|row| {
            Ok(Found {
                seller: row.try_get("seller_id")?,
                newest: row.try_get("newest")?,
                older: row.try_get("older")?,
                is_due: row.try_get("is_due")?,
                is_ready: row.try_get("is_ready")?,
            })
        })
        .collect()
}

/// Does for one seller what can be done now.
async fn one_seller(
    context: &Context,
    found: &Found,
    stop_at: Instant,
    report: &mut Report,
) -> Result<(), Trouble> {
    // With two keys a change is under way already. The next one waits until it has ended.
    if found.older.is_empty() && found.is_due {
        report.keys_added += usize::from(add_key(context, found).await?);
        return Ok(());
    }
    if !found.is_ready {
        return Ok(());
    }
    let rows = in_seller(context, found.seller, DATA_KEYS, &[]).await?;
    let Some(ring) = context.keys.ring_from_rows(found.seller, &rows)? else { return Ok(()) };
    for column in SEALED_COLUMNS {
        if !reseal(context, found.seller, &ring, *column, stop_at, report).await? {
            return Ok(());
        }
    }
    for older in &found.older {
        let rows = in_seller(context, found.seller, DROP, &[older]).await?;
        report.keys_dropped += usize::from(flag(&rows, "dropped")?);
    }
    Ok(())
}

/// Has KMS make a data key under the platform's key, as at sign-up; the key sweep has it wrapped by the seller's own.
async fn add_key(context: &Context, found: &Found) -> Result<bool, Trouble> {
    let key = context.keys.generate(found.seller).await?.wrapped;
    let params: Params<'_> = &[&found.newest, &key.id, &key.ciphertext, &key.kms_key_id];
    let rows = in_seller(context, found.seller, ADD, params).await?;
    Ok(flag(&rows, "added")?)
}

/// Seals one column of a seller anew. Returns `false` when time ran out.
async fn reseal(
    context: &Context,
    seller: SellerId,
    ring: &KeyRing<'_>,
    column: SealedColumn,
    stop_at: Instant,
    report: &mut Report,
) -> Result<bool, Trouble> {
    let mut last = Uuid::nil();
    let limit = i64::try_from(STEP).unwrap_or(i64::MAX);
    loop {
        if Instant::now() >= stop_at {
            report.time_short = true;
            return Ok(false);
        }
        let position: Params<'_> = &[&column.table, &column.column, &last, &limit];
        let rows = in_seller(context, seller, SEALED, position).await?;
        let Some(row) = rows.last() else { return Ok(true) };
        last = row.try_get("id").map_err(Error::from)?;
        let step = Step::new(seller, ring, column, &rows, report).await?;
        report.resealed += step.store(context, seller, column).await?;
    }
}

/// Ciphertexts of one column before and after, as columns.
#[derive(Default)]
struct Step {
    ids: Vec<Uuid>,
    before: Vec<Vec<u8>>,
    now: Vec<Vec<u8>>,
    digests: Vec<Vec<u8>>,
}

impl Step {
    /// Opens each ciphertext and seals it with the newest key. One that does not open is left out.
    async fn new(
        seller: SellerId,
        ring: &KeyRing<'_>,
        column: SealedColumn,
        rows: &[Row],
        report: &mut Report,
    ) -> Result<Self, Trouble> {
        let newest = ring.sealer().await?;
        let mut step = Self::default();
        for row in rows {
            let id: Uuid = row.try_get("id").map_err(Error::from)?;
            let before: Vec<u8> = row.try_get("ciphertext").map_err(Error::from)?;
            let place = Place { table: column.table, column: column.bound_to, row: id };
            let clear = match ring.open(place, &before).await {
                Ok(clear) => clear,
                Err(StorageError::Sealed { .. }) => {
                    report.unreadable += 1;
                    tracing::error!(seller.id = %seller, table = column.table, column = column.column, row = %id, "a ciphertext does not open");
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            step.now.push(newest.seal(place, &clear)?);
            if column == RECORDS {
                step.digests.push(newest.digest(place.table, place.column, &clear).to_vec());
            }
            step.ids.push(id);
            step.before.push(before);
        }
        Ok(step)
    }

    /// Stores the new ciphertexts. Returns how many replaced an old one.
    async fn store(&self, context: &Context, seller: SellerId, column: SealedColumn) -> Result<u64, Trouble> {
        let Self { ids, before, now, digests } = self;
        let rows = if column == RECORDS {
            in_seller(context, seller, SEAL_RECORDS_ANEW, &[ids, before, now, digests]).await?
        } else {
            let params: Params<'_> = &[&column.table, &column.column, ids, before, now];
            in_seller(context, seller, SEAL_ANEW, params).await?
        };
        let row = rows.first().ok_or(Error::RowShape)?;
        let replaced: i64 = row.try_get("replaced").map_err(Error::from)?;
        Ok(u64::try_from(replaced).unwrap_or_default())
    }
}

/// What a statement says that returns one row with yes or no.
fn flag(rows: &[Row], column: &str) -> Result<bool, Error> {
    Ok(rows.first().ok_or(Error::RowShape)?.try_get(column)?)
}
