//! What the store of a stream is: the statements that write a batch of records, and what they counted.

use robnu_dispatch::{Job, StreamCounts};
use robnu_tenancy::{Error, Row, ToSql};

/// A statement of ours and its parameters.
pub type Request<'a> = (&'static str, Vec<&'a (dyn ToSql + Sync)>);

/// A page's records of one stream, as the columns in which they travel.
pub trait Batch: Send + Sync {
    /// The statements that store them for the job's account, in order. They are sent without waiting in between.
    fn requests<'a>(&'a self, job: &'a Job) -> Vec<Request<'a>>;

    /// What the statements did, read from their answers.
    fn counts(&self, answers: &[Vec<Row>]) -> Result<Vec<StreamCounts>, Error>;
}

/// A number in the only row of an answer.
pub fn count(rows: &[Row], column: &str) -> Result<i32, Error> {
    let row = rows.first().ok_or(Error::RowCount { found: 0 })?;
    Ok(row.try_get(column)?)
}
