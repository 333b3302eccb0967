//! Applies missing migrations, each in a transaction of its own, and refuses a changed history.

use std::time::Duration;

use tokio_postgres::Client;
use tokio_postgres::error::SqlState;

use crate::migrations::Migration;

/// Serialises concurrent migrate invocations on one database. Any constant would do.
const LOCK_KEY: i64 = 0x526f_626e_7501;

/// How the master's session behaves when its client has gone away: a statement ends, and so does a transaction that is not gone on with.
const SESSION: &str =
    "set client_connection_check_interval = '10s'; set idle_in_transaction_session_timeout = '30s'";
/// A statement of a migration that waits for a lock gives up before what queues behind it times out.
const HURRY: &str = "set lock_timeout = '5s'";
const PATIENCE: &str = "reset lock_timeout";
/// How often a migration is tried that gets no lock, and the pause in which others go on.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_secs(3);

/// What one call did.
#[derive(Debug, PartialEq, Eq)]
pub struct Applied {
    /// Migrations applied now, in order.
    pub now: Vec<&'static str>,
    /// How many were applied before.
    pub before: usize,
}

/// Why the schema is not up to date.
#[derive(Debug, thiserror::Error)]
pub enum SchemaError {
    /// An applied file was edited afterwards.
    #[error(
        "migration {name} was changed after it was applied: restore the file and mend its effect in a new one"
    )]
    Changed {
        /// The file.
        name: &'static str,
    },
    /// The database has a migration that this build does not, and lacks one that it does.
    #[error("the database has migration {name}, which this build does not know: deploy a newer build")]
    Unknown {
        /// The name in the database.
        name: String,
    },
    /// A migration's statement failed; its transaction was rolled back.
    #[error("migration {name} failed and was rolled back")]
    Failed {
        /// The file.
        name: &'static str,
        /// The database's error.
        #[source]
        source: tokio_postgres::Error,
    },
    /// The ledger of migrations could not be read or written.
    #[error("the ledger of migrations could not be read or written")]
    Ledger(#[from] tokio_postgres::Error),
}

impl SchemaError {
    /// Whether a statement waited too long for a lock.
    fn waited_in_vain(&self) -> bool {
        match self {
            Self::Failed { source, .. } | Self::Ledger(source) => {
                source.code() == Some(&SqlState::LOCK_NOT_AVAILABLE)
            }
            Self::Changed { .. } | Self::Unknown { .. } => false,
        }
    }
}

/// Brings the database that `client` is connected to, as its master user, up to `migrations`. A migration that gets no lock within five
/// seconds is rolled back and tried again, for a few minutes, so that it holds up no traffic.
pub async fn apply(client: &mut Client, migrations: &'static [Migration]) -> Result<Applied, SchemaError> {
    client.batch_execute(SESSION).await?;
    let mut done = Vec::new();
    let mut attempt = 1;
    loop {
        match apply_once(client, migrations, &mut done).await {
            Err(error) if error.waited_in_vain() && attempt < ATTEMPTS => {
                tracing::info!(attempt, "a migration waits for a lock");
                attempt += 1;
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(error),
            Ok(before) => return Ok(Applied { before: before - done.len(), now: done }),
        }
    }
}

/// Applies what is missing, notes it in `done`, and returns how many migrations the database has then.
async fn apply_once(
    client: &mut Client,
    migrations: &'static [Migration],
    done: &mut Vec<&'static str>,
) -> Result<usize, SchemaError> {
    client.execute("select pg_advisory_lock($1)", &[&LOCK_KEY]).await?;
    client.batch_execute(HURRY).await?;
    let outcome = apply_locked(client, migrations, done).await;
    client.batch_execute(PATIENCE).await?;
    client.execute("select pg_advisory_unlock($1)", &[&LOCK_KEY]).await?;
    outcome
}

async fn apply_locked(
    client: &mut Client,
    migrations: &'static [Migration],
    done: &mut Vec<&'static str>,
) -> Result<usize, SchemaError> {
    let known = applied_checksums(client).await?;
    let unknown = known.iter().find(|(name, _)| migrations.iter().all(|m| m.name != name));
    let is_complete = migrations.iter().all(|m| known.iter().any(|(name, _)| name == m.name));
    // A database that is only ahead suits an older build, because a change expands first. CloudFormation relies on it: it
    // rolls a failed deploy back by calling the previous build.
    if let (Some((name, _)), false) = (unknown, is_complete) {
        return Err(SchemaError::Unknown { name: name.clone() });
    }
    let mut count = known.len();
    for migration in migrations {
        match known.iter().find(|(name, _)| name == migration.name) {
            Some((_, checksum)) if *checksum == digest(migration.sql) => {}
            Some(_) => return Err(SchemaError::Changed { name: migration.name }),
            None => {
                apply_one(client, migration)
                    .await
                    .map_err(|source| SchemaError::Failed { name: migration.name, source })?;
                tracing::info!(migration = migration.name, "applied");
                done.push(migration.name);
                count += 1;
            }
        }
    }
    Ok(count)
}

/// Reads the ledger. The first migration creates the schema and the ledger in one transaction, so both exist or neither does.
async fn applied_checksums(client: &mut Client) -> Result<Vec<(String, Vec<u8>)>, tokio_postgres::Error> {
    let schema = "select exists (select from pg_catalog.pg_namespace where nspname = 'robnu')";
    if !client.query_one(schema, &[]).await?.try_get::<_, bool>(0)? {
        return Ok(Vec::new());
    }
    let transaction = client.transaction().await?;
    transaction.batch_execute("set local role robnu_owner").await?;
    let ledger = "select name, checksum from robnu.schema_migrations order by name";
    let rows = transaction.query(ledger, &[]).await?;
    transaction.commit().await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

async fn apply_one(client: &mut Client, migration: &Migration) -> Result<(), tokio_postgres::Error> {
    let transaction = client.transaction().await?;
    transaction.batch_execute(migration.sql).await?;
    transaction
        .batch_execute(
            "set local role robnu_owner;
             create table if not exists robnu.schema_migrations (
               name text primary key, checksum bytea not null, applied_at timestamptz not null default now())",
        )
        .await?;
    transaction
        .execute(
            "insert into robnu.schema_migrations (name, checksum) values ($1, $2)",
            &[&migration.name, &digest(migration.sql)],
        )
        .await?;
    transaction.commit().await
}

fn digest(sql: &str) -> Vec<u8> {
    ring::digest::digest(&ring::digest::SHA256, sql.as_bytes()).as_ref().to_vec()
}
