//! What a command that tries the stack leaves behind: nothing. Everybody it signs up has an address of one domain, every
//! seller it makes was signed up by one of them, and all of it is removed when the command ends: well, badly, by a panic
//! or by a signal. What a killed one left is removed by the next, and by `up`.
//!
//! Nothing of anybody else's is ever changed, so there is nothing to put back. The rate of a person, which is one number for
//! the whole database, is left as it is: the command forgets what its own people have sent instead.

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

/// Held by whoever has traces in the database, shared; alone by who removes everybody's.
const LOCK: &str = "7226001";
/// How often the requests of the command's own people are forgotten: well below the ten seconds in which they are counted.
const FORGET_EVERY: Duration = Duration::from_secs(1);

/// One command's traces.
#[derive(Debug)]
pub struct Traces {
    run: String,
    /// Holds the lock as long as it is connected.
    keeper: Client,
    database: Config,
    aws: Aws,
    outputs: Outputs,
    /// Subjects of people of this run whose requests are forgotten.
    unbounded: Mutex<Vec<String>>,
}

impl Traces {
    /// Removes what was left by commands that were killed, unless another one is at work, and begins anew.
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

    /// What tells this run's names from others'.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// An address for somebody of this run.
    pub fn email(&self, name: &str) -> String {
        format!("{name}@{}.{DOMAIN}", self.run)
    }

    /// The test kit's fixture with a staff member of this run, as the stack's own are not to be touched.
    pub fn fixture(&self, script: &str) -> String {
        script.replace("('STAFF')", &format!("('{}')", self.email("staff")))
    }

    /// Makes a fixture's seller, and the people whom the fixture gave it, part of this run's traces.
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

    /// From now on the rate of a person does not bind this one.
    pub fn unbind(&self, subject: &str) {
        self.unbounded().push(subject.to_owned());
    }

    fn unbounded(&self) -> MutexGuard<'_, Vec<String>> {
        self.unbounded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does the work, and removes this run's traces, however the work ends.
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
        // A connection of its own, since the work may have left the keeper in the middle of something.
        let database = connect(&self.database).await?;
        removal::remove(&database, &self.aws, &self.outputs, Whose::Run(&self.run)).await
    }

    /// Forgets the requests of people of this run, again and again.
    async fn forget(&self) -> anyhow::Result<()> {
        let database = connect(&self.database).await?;
        loop {
            let now = self.unbounded().clone();
            removal::forget_requests(&database, &now).await?;
            tokio::time::sleep(FORGET_EVERY).await;
        }
    }
}

/// Removes what commands that were killed have left, unless one is at work.
pub async fn remove_leftovers(database: &Client, aws: &Aws, outputs: &Outputs) -> anyhow::Result<()> {
    let alone: bool = database.query_one(&format!("select pg_try_advisory_lock({LOCK})"), &[]).await?.get(0);
    if alone {
        removal::remove(database, aws, outputs, Whose::Everybody).await?;
        database.batch_execute(&format!("select pg_advisory_unlock({LOCK})")).await?;
    }
    Ok(())
}

fn stopped() -> anyhow::Error {
    Failure::new(Exit::Interrupted, "interrupted", "what it had made is removed; start it again").into()
}

/// A future whose panic is a failure, so that what comes after it is done.
async fn without_panic<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let mut work = pin!(work);
    std::future::poll_fn(|context| {
        let poll = std::panic::catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context)));
        poll.unwrap_or_else(|_| Poll::Ready(Err(anyhow!("the command has panicked; see above"))))
    })
    .await
}

async fn connect(config: &Config) -> anyhow::Result<Client> {
    let (client, connection) = config.connect(NoTls).await.context("connect to PostgreSQL")?;
    // The client hears of a broken connection itself.
    tokio::spawn(async move { drop(connection.await) });
    Ok(client)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_failure_and_what_comes_after_it_is_done() {
        let failed = without_panic(async { panic!("an attempt") as anyhow::Result<()> }).await;
        assert!(failed.is_err_and(|error| error.to_string().contains("panicked")));
        assert!(without_panic(async { Ok(7) }).await.is_ok_and(|seven| seven == 7));
    }
}
