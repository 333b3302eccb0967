//! The master user's connection: the only connection outside the scoped pool, because the migrations create the scopes.

use std::time::Duration;

use robnu_tenancy::{DatabaseConfig, Tls, client_tls};
use tokio_postgres::{Client, NoTls};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::error::MigrateError;

/// A cluster that was just made or was scaled to zero takes a while to respond.
const ATTEMPTS: u32 = 10;
const PAUSE: Duration = Duration::from_secs(3);

/// Connects as the master user, with several attempts.
pub async fn connect(config: &DatabaseConfig) -> Result<Client, MigrateError> {
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
    reason = "the connection's task ends when its client is dropped, before the response"
)]
async fn connect_once(config: &DatabaseConfig) -> Result<Client, MigrateError> {
    let postgres = config.to_postgres();
    match &config.tls {
        Tls::Off => {
            let (client, connection) = postgres.connect(NoTls).await.map_err(MigrateError::Connect)?;
            tokio::spawn(drive(connection));
            Ok(client)
        }
        tls => {
            let tls = MakeRustlsConnect::new(client_tls(tls).await?);
            let (client, connection) = postgres.connect(tls).await.map_err(MigrateError::Connect)?;
            tokio::spawn(drive(connection));
            Ok(client)
        }
    }
}

/// Runs the connection; the client learns of its end through its own calls.
async fn drive(connection: impl Future<Output = Result<(), tokio_postgres::Error>>) {
    drop(connection.await);
}
