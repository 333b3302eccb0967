//! Removes everything that a command has made in the stack. Every person whom the command signs up has an address in one
//! domain, and every seller that it makes was signed up by such a person. All of that is removed when the command ends, also
//! after a failure, a panic or a signal. After `kill -9`, the next such command or `up` removes it.
//!
//! The command never changes anything that belongs to others, so there is nothing to restore. The rate limit of a person is one
//! number for the whole database and stays as it is; instead, the command deletes the request counts of its own people.

mod removal;

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::signal::unix::{SignalKind, signal};
use tokio_postgres::{Client, Config, NoTls};
use uuid::Uuid;

use crate::aws::{Aws, Outputs};
use crate::failure::{Exit, Failure};

use self::removal::{DOMAIN, Whose};

/// The advisory lock. A command that has traces in the database holds it shared; a command that removes everybody's traces
/// holds it alone.
const LOCK: &str = "7226001";
/// How often the request counts of the command's people are deleted: well below the ten seconds of a counting window.
const FORGET_EVERY: Duration = Duration::from_secs(1);

/// One command's traces.
#[derive(Debug)]
pub struct Traces {
    run: String,
    /// The connection that holds the lock.
    keeper: Client,
    database: Config,
    aws: Aws,
    outputs: Outputs,
    /// Subjects of people of this run whose request counts are deleted.
    unbounded: Mutex<Vec<String>>,
}

impl Traces {
    /// Removes what killed commands left behind, unless another command is running, and begins a new run.
    pub async fn begin(database: &Config, aws: &Aws, outputs: &Outputs) -> anyhow::Result<Self> {
        let keeper = connect(database).await?;
        remove_leftovers(&keeper, aws, outputs).await?;
        keeper.batch_execute(&format!("select pg_advisory_lock_shared({LOCK})")).await?;
        Ok(Self {
            run: Uuid::now_v7().simple().to_string(),
            keeper,
            database: database.clone(),
            aws: aws.clone(),
            outputs: outputs.clone(),
            unbounded: Mutex::default(),
        })
    }

    /// The text that makes this run's names differ from those of other runs.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// An address for a person of this run.
    pub fn email(&self, name: &str) -> String {
        format!("{name}@{}.{DOMAIN}", self.run)
    }

    /// The test kit's fixture with a staff member of this run, so that the stack's own staff stay untouched.
    pub fn fixture(&self, script: &str) -> String {
        script.replace("('STAFF')", &format!("('{}')", self.email("staff")))
    }

    /// Makes a fixture's seller and its people part of this run's traces.
    pub async fn adopt(&self, seller: Uuid) -> anyhow::Result<()> {
        let of_the_run = self.email("");
        self.keeper
            .batch_execute(&format!(
                "begin; set local session_replication_role = replica;
                 update robnu.people set email = lower(split_part(subject, '@', 1)) || '-' || left('{seller}', 8) || '{of_the_run}'
                   where subject like '%@{seller}';
                 update robnu.sellers set signed_up_by = (select id from robnu.people where subject = 'OWNER@{seller}')
                   where seller_id = '{seller}' and signed_up_by is null;
                 commit"
            ))
            .await
            .context("make the fixture's people part of this run")
    }

    /// Lifts the rate limit of a person.
    pub fn unbind(&self, subject: &str) {
        self.unbounded().push(subject.to_owned());
    }

    fn unbounded(&self) -> MutexGuard<'_, Vec<String>> {
        self.unbounded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does the work and then removes this run's traces, however the work ends.
    pub async fn around<T>(&self, work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
        let mut interrupted = signal(SignalKind::interrupt())?;
        let mut terminated = signal(SignalKind::terminate())?;
        let result = tokio::select! {
            result = without_panic(work) => result,
            never = self.forget() => never.map(|()| unreachable!("it forgets as long as there is work")),
            _ = interrupted.recv() => Err(stopped()),
            _ = terminated.recv() => Err(stopped()),
        };
        let removed = self.remove().await;
        let value = result?;
        removed.map(|()| value)
    }

    async fn remove(&self) -> anyhow::Result<()> {
        // This needs its own connection, since the work may have left the keeper inside a transaction.
        let database = connect(&self.database).await?;
        removal::remove(&database, &self.aws, &self.outputs, Whose::Run(&self.run)).await
    }

    /// Deletes the request counts of this run's people, again and again.
    async fn forget(&self) -> anyhow::Result<()> {
        let database = connect(&self.database).await?;
        loop {
            let now = self.unbounded().clone();
            removal::forget_requests(&database, &now).await?;
            tokio::time::sleep(FORGET_EVERY).await;
        }
    }
}

/// Removes what killed commands left behind, unless a command is running.
pub async fn remove_leftovers(database: &Client, aws: &Aws, outputs: &Outputs) -> anyhow::Result<()> {
    let alone: bool = database.query_one(&format!("select pg_try_advisory_lock({LOCK})"), &[]).await?.get(0);
    if alone {
        removal::remove(database, aws, outputs, Whose::Everybody).await?;
        database.batch_execute(&format!("select pg_advisory_unlock({LOCK})")).await?;
    }
    Ok(())
}

fn stopped() -> anyhow::Error {
    Failure::new(Exit::Interrupted, "interrupted", "everything that it made is removed; start it again")
        .into()
}

/// Turns a panic of the work into an error, so that the caller can clean up.
async fn without_panic<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let mut work = pin!(work);
    std::future::poll_fn(|context| {
        let poll = std::panic::catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        poll.unwrap_or_else(|_| Poll::Ready(Err(anyhow!("the command panicked; the message is above"))))
    })
    .await
}

async fn connect(config: &Config) -> anyhow::Result<Client> {
    let (client, connection) = config.connect(NoTls).await.context("connect to PostgreSQL")?;
    // The client reports a broken connection itself.
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_becomes_an_error_and_later_work_still_runs() {
        let failed = without_panic(async { panic!("an attempt") as anyhow::Result<()> }).await;
        assert!(failed.is_err_and(|error| error.to_string().contains("panicked")));
        assert!(without_panic(async { Ok(7) }).await.is_ok_and(|seven| seven == 7));
    }
}
