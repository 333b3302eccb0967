//! A session: one transaction in one scope.

use tokio_postgres::Row;

use crate::Params;
use crate::error::Error;
use crate::flight::{Request, fly};
use crate::pool::Connection;
use crate::scope::{Door, Knock};

pub(crate) const COMMIT: Request<'static> = ("commit", &[]);
const ROLLBACK: Request<'static> = ("rollback", &[]);

/// Statements of one transaction, in one scope. BEGIN and the scope's door travel with the first statement.
///
/// Dropped without [`Session::commit`], it closes its connection, and nothing is committed.
#[must_use = "a session that is not committed changes nothing"]
pub struct Session {
    connection: Connection,
    door: Option<Door>,
    /// Goes with the end of the transaction, however it ends; one that is dropped is not counted.
    knock: Option<Knock>,
    failed: bool,
    /// An error said something about the connection rather than about the rows: it is closed, not given back. A plan
    /// that a migration has invalidated is such an error; it would come back with every use of the connection.
    suspect: bool,
    /// COMMIT was sent and answered without an error: the transaction is over, committed or rolled back.
    over: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("failed", &self.failed).finish_non_exhaustive()
    }
}

impl Session {
    pub(crate) fn new(connection: Connection, door: Door) -> Self {
        let knock = door.knock();
        Self { connection, door: Some(door), knock, failed: false, suspect: false, over: false }
    }

    /// Runs one statement.
    pub async fn query(&mut self, sql: &'static str, params: Params<'_>) -> Result<Vec<Row>, Error> {
        let mut answers = self.flight(&[(sql, params)]).await?;
        Ok(answers.pop().unwrap_or_default())
    }

    /// Runs one statement that answers at most one row.
    pub async fn query_opt(&mut self, sql: &'static str, params: Params<'_>) -> Result<Option<Row>, Error> {
        let mut rows = self.query(sql, params).await?;
        match rows.len() {
            0 | 1 => Ok(rows.pop()),
            found => {
                self.failed = true;
                Err(Error::RowCount { found })
            }
        }
    }

    /// Runs one statement that answers exactly one row.
    pub async fn query_one(&mut self, sql: &'static str, params: Params<'_>) -> Result<Row, Error> {
        let row = self.query_opt(sql, params).await?;
        row.ok_or_else(|| {
            self.failed = true;
            Error::RowCount { found: 0 }
        })
    }

    /// Runs several statements in one flight and answers their rows, statement by statement. None sees the rows of
    /// another, but each sees its effects.
    pub async fn flight(&mut self, requests: &[Request<'_>]) -> Result<Vec<Vec<Row>>, Error> {
        self.send(requests, false).await
    }

    /// Runs the last statements and COMMIT in one flight: for when no answer decides whether to commit.
    pub async fn commit_with(mut self, requests: &[Request<'_>]) -> Result<Vec<Vec<Row>>, Error> {
        let outcome = self.send(requests, true).await;
        // After an error COMMIT was answered as well, with a rollback: the connection is as good as new.
        if self.over && !self.suspect {
            self.connection.give_back();
        }
        outcome
    }

    /// Commits. Answers [`Error::Aborted`] when a statement had failed before, because the server itself would answer
    /// "ok" to that COMMIT and roll back.
    pub async fn commit(mut self) -> Result<(), Error> {
        if self.failed {
            self.rollback().await?;
            return Err(Error::Aborted);
        }
        if self.door.is_some() {
            self.connection.give_back();
            return Ok(());
        }
        self.send(&[], true).await?;
        self.connection.give_back();
        Ok(())
    }

    /// Gives everything up and keeps the connection, unless an error made it suspect.
    pub async fn rollback(self) -> Result<(), Error> {
        if self.door.is_none() {
            for answer in fly(self.connection.client(), &[ROLLBACK], self.knock.as_ref()).await?.answers {
                answer?;
            }
        }
        if !self.suspect {
            self.connection.give_back();
        }
        Ok(())
    }

    async fn send(&mut self, requests: &[Request<'_>], commit: bool) -> Result<Vec<Vec<Row>>, Error> {
        if self.failed {
            return Err(Error::Aborted);
        }
        // Until every answer is good the session counts as failed, and until they are seen its connection as suspect, so
        // that a dropped future leaves them so.
        self.failed = true;
        self.suspect = true;
        let door = self.door.take();
        let door_params = door.as_ref().map(Door::params).unwrap_or_default();
        let mut all: Vec<Request<'_>> = Vec::with_capacity(requests.len() + 3);
        if let Some(door) = &door {
            all.extend([door.begin(), (door.sql(), door_params.as_slice())]);
        }
        let skipped = all.len();
        all.extend_from_slice(requests);
        let mut knock = None;
        if commit {
            all.push(COMMIT);
            knock = self.knock.take();
        }
        let landed = fly(self.connection.client(), &all, knock.as_ref()).await;
        let outcome: Result<Vec<Vec<Row>>, Error> = match landed {
            Ok(landed) => {
                self.over = commit && landed.all_sent && landed.answers.last().is_some_and(Result::is_ok);
                landed.answers.into_iter().map(|answer| answer.map_err(Error::from)).collect()
            }
            Err(unprepared) => Err(unprepared.into()),
        };
        self.suspect = matches!(outcome, Err(Error::Statement(_)));
        let mut answers = outcome?;
        answers.truncate(skipped + requests.len());
        answers.drain(..skipped);
        self.failed = false;
        Ok(answers)
    }
}
