//! The interface of a stream's store: the statements that write a batch of records, and their counts.

use std::collections::BTreeMap;

use robnu_dispatch::{Job, StreamCounts};
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::record::StreamRecord;
use robnu_tenancy::{Error, Row, ToSql};

/// Makes pages of orders and pages of returns take turns. It is the first statement of both, and [`JOIN_RETURNS`] the last.
pub const TAKE_TURNS: &str = include_str!("../sql/take_turns.sql");
/// Gives returns the order that they belong to. Orders and returns are read by different runs, so the store of each of both sends
/// it: whichever comes later finds the other.
pub const JOIN_RETURNS: &str = include_str!("../sql/join_returns.sql");

/// Whether a job's records are from a file. A file does not state all that a marketplace's API does, and must not erase the rest.
pub fn is_from_file(job: &Job) -> &'static bool {
    if job.kind == RunKind::FileImport { &true } else { &false }
}

/// A statement of ours and its parameters.
pub type Request<'a> = (&'static str, Vec<&'a (dyn ToSql + Sync)>);

/// A page's records of one stream, as columns.
pub trait Batch: Send + Sync {
    /// The statements that store them for the job's account, in order. They are sent without waiting in between.
    fn requests<'a>(&'a self, job: &'a Job) -> Vec<Request<'a>>;

    /// The statements' counts, read from their rows.
    fn counts(&self, answers: &[Vec<Row>]) -> Result<Vec<StreamCounts>, Error>;
}

/// A number in the only row of a result.
pub fn count(rows: &[Row], column: &str) -> Result<i32, Error> {
    let row = rows.first().ok_or(Error::RowCount { found: 0 })?;
    Ok(row.try_get(column)?)
}

/// A statement's counts of new and changed rows, out of so many that were read.
pub fn written(stream: &'static str, rows: &[Row], read: usize, removed: i32) -> Result<StreamCounts, Error> {
    let (added, changed) = (count(rows, "new")?, count(rows, "changed")?);
    let unchanged = i32::try_from(read).unwrap_or(i32::MAX) - added - changed;
    Ok(StreamCounts { stream, added, changed, unchanged, removed })
}

/// A page's records, sorted by their ids, the newest version of each: by the marketplace's own stamp, else the last. The order
/// makes two pages that are stored at the same time take their row locks in the same order.
pub fn newest<R: StreamRecord>(records: &[R]) -> Vec<&R> {
    let mut newest: BTreeMap<&str, &R> = BTreeMap::new();
    for record in records {
        newest
            .entry(record.external_id())
            .and_modify(|known| {
                if record.updated_at() >= known.updated_at() {
                    *known = record;
                }
            })
            .or_insert(record);
    }
    newest.into_values().collect()
}
