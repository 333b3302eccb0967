//! The interface of a stream's store: the statements that write a batch of records, and their counts.

use robnu_dispatch::{Job, StreamCounts};
use robnu_tenancy::{Error, Row, ToSql};

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
