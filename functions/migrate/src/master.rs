//! The master user's connection: the only connection outside the scoped pool, because the migrations create the scopes.

use std::time::Duration;

use robnu_tenancy::{DatabaseConfig, Tls, client_tls};
use tokio::task::JoinHandle;
use tokio_postgres::{Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::MigrateError;

/// A cluster that was just made or was scaled to zero takes a while to respond.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_secs(3);

/// The master user's connection. Dropping it closes the connection at once, also in the middle of a statement, whose locks would
/// otherwise stay until the server misses a frozen client.
#[derive(Debug)]
pub struct Master {
    /// Sends statements.
    pub client: Client,
    connection: JoinHandle<()>,
}

impl Drop for Master {
    fn drop(&mut self) {
        self.connection.abort();
    }
}

/// Connects as the master user, with several attempts.
pub async fn connect(config: &DatabaseConfig) -> Result<Master, MigrateError> {
    let mut attempt = 1;
    loop {
        match connect_once(config).await {
            Err(MigrateError::Connect(error)) if attempt < ATTEMPTS && error.as_db_error().is_none() => {
                tracing::info!(attempt, "the database does not respond yet");
                attempt += 1;
                tokio::time::sleep(PAUSE).await;
            }
            outcome => return outcome,
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the connection's task is aborted when its client is dropped, before the response"
)]
async fn connect_once(config: &DatabaseConfig) -> Result<Master, MigrateError> {
    let postgres = config.to_postgres();
    match &config.tls {
        Tls::Off => {
            let (client, connection) = postgres.connect(NoTls).await.map_err(MigrateError::Connect)?;
            Ok(Master { client, connection: tokio::spawn(drive(connection)) })
        }
        tls => {
            let tls = MakeRustlsConnect::new(client_tls(tls).await?);
            let (client, connection) = postgres.connect(tls).await.map_err(MigrateError::Connect)?;
            Ok(Master { client, connection: tokio::spawn(drive(connection)) })
        }
    }
}

/// Runs the connection; the client learns of its end through its own calls.
async fn drive(connection: impl Future<Output = Result<(), tokio_postgres::Error>>) {
    drop(connection.await);
}
