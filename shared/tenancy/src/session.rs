//! A session: one transaction in one scope.

use tokio_postgres::Row;

use crate::connection::Connection;
use crate::error::Error;
use crate::pipeline::{COMMIT, ROLLBACK, send_pipelined};
use crate::scope::{RequestCount, ScopeEntry};
use crate::{Params, Request};

/// Statements of one transaction, in one scope. BEGIN and the scope's entry travel with the first statement.
///
/// A session that is dropped without [`Session::commit`] closes its connection and commits nothing.
#[must_use = "a session that is not committed changes nothing"]
pub struct Session {
    connection: Connection,
    entry: Option<ScopeEntry>,
    /// Sent after COMMIT or ROLLBACK. A dropped session is not counted.
    count: Option<RequestCount>,
    failed: bool,
    /// An error concerned the connection rather than the rows, so the connection is closed and not given back. A plan that
    /// a migration has invalidated is such an error; it would come back with every use of the connection.
    suspect: bool,
    /// COMMIT was answered without an error, so the transaction is over, committed or rolled back.
    over: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("failed", &self.failed).finish_non_exhaustive()
    }
}

impl Session {
    pub(crate) fn new(connection: Connection, entry: ScopeEntry) -> Self {
        let count = entry.request_count();
        Self { connection, entry: Some(entry), count, failed: false, suspect: false, over: false }
    }

    /// Runs one statement.
    pub async fn query(&mut self, sql: &'static str, params: Params<'_>) -> Result<Vec<Row>, Error> {
        let mut answers = self.pipeline(&[(sql, params)]).await?;
        Ok(answers.pop().unwrap_or_default())
    }

    /// Runs one statement that returns at most one row.
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

    /// Runs one statement that returns exactly one row.
    pub async fn query_one(&mut self, sql: &'static str, params: Params<'_>) -> Result<Row, Error> {
        let row = self.query_opt(sql, params).await?;
        row.ok_or_else(|| {
            self.failed = true;
            Error::RowCount { found: 0 }
        })
    }

    /// Runs several statements in one round trip and returns their rows, statement by statement. No statement can use the
    /// rows that another returned, but each sees the effects of those before it.
    pub async fn pipeline(&mut self, requests: &[Request<'_>]) -> Result<Vec<Vec<Row>>, Error> {
        self.send(requests, false).await
    }

    /// Runs the last statements and COMMIT in one round trip. Use it when no result decides whether to commit.
    pub async fn commit_with(mut self, requests: &[Request<'_>]) -> Result<Vec<Vec<Row>>, Error> {
        let outcome = self.send(requests, true).await;
        // After an error the server answered COMMIT with a rollback, so the connection can be used again.
        if self.over && !self.suspect {
            self.connection.give_back();
        }
        outcome
    }

    /// Commits. Returns [`Error::Aborted`] when a statement failed before, because the server would answer that COMMIT
    /// with "ok" and roll back.
    pub async fn commit(mut self) -> Result<(), Error> {
        if self.failed {
            self.rollback().await?;
            return Err(Error::Aborted);
        }
        if self.entry.is_some() {
            self.connection.give_back();
            return Ok(());
        }
        self.send(&[], true).await?;
        self.connection.give_back();
        Ok(())
    }

    /// Rolls back and keeps the connection, unless an error made it suspect.
    pub async fn rollback(self) -> Result<(), Error> {
        if self.entry.is_none() {
            for answer in
                send_pipelined(self.connection.client(), &[ROLLBACK], self.count.as_ref()).await?.answers
            {
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
        // The session counts as failed until every answer is good, and its connection as suspect until they are read, so
        // that a dropped future leaves both like this.
        self.failed = true;
        self.suspect = true;
        let entry = self.entry.take();
        let entry_params = entry.as_ref().map(ScopeEntry::params).unwrap_or_default();
        let mut all: Vec<Request<'_>> = Vec::with_capacity(requests.len() + 3);
        if let Some(entry) = &entry {
            all.extend([entry.begin(), (entry.sql(), entry_params.as_slice())]);
        }
        let skipped = all.len();
        all.extend_from_slice(requests);
        let mut count = None;
        if commit {
            all.push(COMMIT);
            count = self.count.take();
        }
        let results = send_pipelined(self.connection.client(), &all, count.as_ref()).await;
        let outcome: Result<Vec<Vec<Row>>, Error> = match results {
            Ok(results) => {
                self.over = commit && results.all_sent && results.answers.last().is_some_and(Result::is_ok);
                results.answers.into_iter().map(|answer| answer.map_err(Error::from)).collect()
            }
            Err(unprepared) => Err(unprepared.into()),
        };
        self.suspect = matches!(outcome, Err(Error::Statement(_)));
        let mut answers = outcome?;
        if let Some(entry) = &entry {
            entry.note_admitted();
        }
        answers.truncate(skipped + requests.len());
        answers.drain(..skipped);
        self.failed = false;
        Ok(answers)
    }
}
