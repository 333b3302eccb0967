//! The story of one run: the run as it is now, what it did to each stream, and every dead letter that names it.

use robnu_tenancy::{Error, Params, Row, RunId, SystemScope};
use serde::Serialize;

use crate::context::Context;
use crate::error::RedriveError;
use crate::find::FoundLetter;
use crate::request::{Runs, Story};
use crate::runs::{self, FoundRun};

const STREAMS: &str = include_str!("sql/story_streams.sql");
const LETTERS: &str = include_str!("sql/story_letters.sql");
const OF_TRACE: &str = include_str!("sql/run_of_trace.sql");

/// A run and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunStory {
    /// The run.
    pub run: FoundRun,
    /// What it did to rows, by stream.
    pub streams: Vec<StreamCounts>,
    /// Its dead letters, in the order in which they died; 100 at most.
    pub dead_letters: Vec<FoundLetter>,
}

/// What a run did to the rows of one stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StreamCounts {
    /// The stream, such as `ORDER_LINES`.
    pub stream: String,
    /// Rows added.
    pub added: i32,
    /// Rows changed.
    pub changed: i32,
    /// Rows read and left as they were.
    pub unchanged: i32,
    /// Rows removed.
    pub removed: i32,
}

/// Tells the story of a run, if there is such a run.
pub(crate) async fn story(context: &Context, request: &Story) -> Result<Option<RunStory>, RedriveError> {
    tell(context, request.run_id).await.map_err(RedriveError::Overview)
}

/// An id that is no run's may be that of a dead letter of one, or the trace of the request that asked for one.
async fn tell(context: &Context, id: RunId) -> Result<Option<RunStory>, Error> {
    if let Some(story) = read(context, id).await? {
        return Ok(Some(story));
    }
    let runs = context.database.read(&SystemScope::Redrive, OF_TRACE, &[&id]).await?;
    match runs.first() {
        Some(run) => read(context, run.try_get("id")?).await,
        None => Ok(None),
    }
}

async fn read(context: &Context, run_id: RunId) -> Result<Option<RunStory>, Error> {
    let one = Runs { run_id: Some(run_id), limit: Some(1), ..Runs::default() };
    let of_run: Params<'_> = &[&run_id];
    let session = context.database.session(&SystemScope::Redrive).await?;
    let statements = [(runs::RUNS, &runs::params(&one)[..]), (STREAMS, of_run), (LETTERS, of_run)];
    let answers = session.commit_with(&statements).await?;
    let [found, streams, letters] = answers.as_slice() else { return Err(Error::RowCount { found: 0 }) };
    let Some(run) = found.first() else { return Ok(None) };
    Ok(Some(RunStory {
        run: FoundRun::from_row(run)?,
        streams: streams.iter().map(StreamCounts::from_row).collect::<Result<_, _>>()?,
        dead_letters: letters.iter().map(FoundLetter::from_row).collect::<Result<_, _>>()?,
    }))
}

impl StreamCounts {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            stream: row.try_get("stream")?,
            added: row.try_get("added")?,
            changed: row.try_get("changed")?,
            unchanged: row.try_get("unchanged")?,
            removed: row.try_get("removed")?,
        })
    }
}
