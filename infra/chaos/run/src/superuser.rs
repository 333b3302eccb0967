//! A superuser's connection to the run's database. It sees everything, and connects again when the server was restarted.

use std::time::Duration;

use anyhow::{Context, anyhow};
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row};

/// How long the server may be away.
const PATIENCE: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(50);

/// The connection.
#[derive(Debug)]
pub struct Superuser {
    config: Config,
    client: Mutex<Option<Client>>,
}

impl Superuser {
    /// Connects to a database of the server that the URL names.
    pub fn new(url: &str, database: &str) -> anyhow::Result<Self> {
        let mut config: Config = url.parse().context("read the URL of the server")?;
        config.dbname(database).connect_timeout(Duration::from_secs(5));
        Ok(Self { config, client: Mutex::default() })
    }

    /// The rows of a statement. It is repeated when the connection breaks, so it must be one that may be repeated.
    pub async fn query(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> anyhow::Result<Vec<Row>> {
        let since = Instant::now();
        loop {
            match self.once(sql, params).await {
                Ok(rows) => return Ok(rows),
                Err(error) if !is_broken(&error) => return Err(anyhow!(error).context(sql.to_owned())),
                Err(error) if since.elapsed() > PATIENCE => {
                    return Err(error).context("the server stays away");
                }
                Err(_) => sleep(PAUSE).await,
            }
        }
    }

    /// The only row of a statement.
    pub async fn row(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> anyhow::Result<Row> {
        let mut rows = self.query(sql, params).await?;
        if rows.len() != 1 {
            return Err(anyhow!("{} rows of {sql}", rows.len()));
        }
        Ok(rows.swap_remove(0))
    }

    /// Executes a script.
    pub async fn script(&self, sql: &str) -> anyhow::Result<()> {
        let client = self.connect().await?;
        client.batch_execute(sql).await.with_context(|| sql.to_owned())
    }

    async fn once(
        &self,
        sql: &str,
        params: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        let mut kept = self.client.lock().await;
        let client = match kept.take() {
            Some(client) if !client.is_closed() => client,
            _ => self.connect().await?,
        };
        let rows = client.query(sql, params).await;
        *kept = Some(client);
        rows
    }

    async fn connect(&self) -> Result<Client, tokio_postgres::Error> {
        let (client, connection) = self.config.connect(NoTls).await?;
        tokio::spawn(async move {
            // The client reports a broken connection itself.
            drop(connection.await);
        });
        Ok(client)
    }
}

/// Whether the connection is to blame, or a server that stops or starts.
fn is_broken(error: &tokio_postgres::Error) -> bool {
    match error.code() {
        // A server that is shut down, that has crashed, and that is not up yet.
        Some(code) => ["57P01", "57P02", "57P03"].contains(&code.code()) || code.code().starts_with("08"),
        None => true,
    }
}
