//! A database per test, cloned from a template that the deployed migrations made.

use std::time::Duration;

use robnu_schema::MIGRATIONS;
use robnu_tenancy::{Database, DatabaseConfig, Limits, MAX_IDLE, Tls};
use tokio_postgres::{Client, Config, NoTls, config::Host};
use uuid::Uuid;

/// Names the superuser's URL of a PostgreSQL that trusts loopback for databases named `test_…`.
const URL_VARIABLE: &str = "TEST_DATABASE_URL";
/// Serialises the making of the template between test processes. Any constant would do.
const TEMPLATE_LOCK: i64 = 0x526f_626e_7502;

/// The migrated database of one test. It is dropped with the value.
#[derive(Debug)]
pub struct TestDatabase {
    name: String,
    server: Config,
}

impl TestDatabase {
    /// Makes a database.
    ///
    /// # Panics
    /// Panics when the server cannot be reached: tests that need it must not pass without it.
    pub async fn new() -> Self {
        let server = server();
        let superuser = connect(server.clone()).await;
        let template = template(&server, &superuser).await;
        let name = format!("test_{}", Uuid::now_v7().simple());
        execute(&superuser, &format!("create database {name} template {template} owner robnu_master")).await;
        // A clone does not inherit its template's grants on the database itself.
        execute(&superuser, &format!("revoke all on database {name} from public")).await;
        let logins = "robnu_api, robnu_adapter, robnu_sweep, robnu_lanes, robnu_exporter, robnu_redrive";
        execute(&superuser, &format!("grant connect on database {name} to {logins}")).await;
        Self { name, server }
    }

    /// Makes a database without any migration, owned by the master user.
    ///
    /// # Panics
    /// Panics when the server cannot be reached.
    pub async fn empty() -> Self {
        let server = server();
        let superuser = connect(server.clone()).await;
        make_master(&superuser).await;
        let name = format!("test_{}", Uuid::now_v7().simple());
        execute(&superuser, &format!("create database {name} owner robnu_master")).await;
        Self { name, server }
    }

    /// The database's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns how to log in as `role`.
    #[must_use]
    pub fn config(&self, role: &str) -> DatabaseConfig {
        let host = match self.server.get_hosts().first() {
            Some(Host::Tcp(host)) => host.clone(),
            _ => "127.0.0.1".to_owned(),
        };
        DatabaseConfig {
            host,
            port: self.server.get_ports().first().copied().unwrap_or(5432),
            name: self.name.clone(),
            user: role.to_owned(),
            password: None,
            tls: Tls::Off,
            pool_size: 1,
            connect_timeout: Duration::from_secs(10),
            max_idle: MAX_IDLE,
            limits: Some(Limits::of_login(role)),
        }
    }

    /// Logs in to the database as a function's login role.
    ///
    /// # Panics
    /// Never: the pool's configuration is sound.
    pub async fn login(&self, role: &str) -> Database {
        Database::new(&self.config(role)).await.expect("the pool's configuration is sound")
    }

    /// Opens a raw connection as `role`, past the pool and its scopes.
    pub async fn raw(&self, role: &str) -> Client {
        let mut config = self.server.clone();
        if config.get_user() != Some(role) {
            config.user(role);
        }
        connect(config.dbname(&self.name).clone()).await
    }

    /// Opens a raw connection that sees everything.
    pub async fn superuser(&self) -> Client {
        connect(self.server.clone().dbname(&self.name).clone()).await
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (name, server) = (self.name.clone(), self.server.clone());
        // A test's own runtime may be shutting down, so the clean-up has its own.
        let cleaner = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime can be built").block_on(async {
                let superuser = connect(server).await;
                execute(&superuser, &format!("drop database if exists {name} with (force)")).await;
            });
        });
        let dropped = cleaner.join();
        assert!(std::thread::panicking() || dropped.is_ok(), "the test's database could not be dropped");
    }
}

fn server() -> Config {
    let url = std::env::var(URL_VARIABLE)
        .unwrap_or_else(|_| panic!("{URL_VARIABLE} is not set: run the tests with `cargo xtask test`"));
    url.parse().unwrap_or_else(|_| panic!("{URL_VARIABLE} is not a PostgreSQL URL"))
}

async fn connect(config: Config) -> Client {
    let (client, connection) = config.connect(NoTls).await.expect("the test server accepts connections");
    tokio::spawn(async move {
        // The client itself reports a broken connection.
        drop(connection.await);
    });
    client
}

async fn execute(client: &Client, sql: &str) {
    client.batch_execute(sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
}

/// Returns the template's name; the first test that needs the template makes it. The name holds a digest of the migrations, so
/// that an edited migration makes another template.
async fn template(server: &Config, superuser: &Client) -> String {
    let all: String = MIGRATIONS.iter().map(|migration| migration.sql).collect();
    let digest: String = superuser
        .query_one("select md5($1)", &[&all])
        .await
        .and_then(|row| row.try_get(0))
        .expect("md5 is built in");
    let name = format!("test_template_{digest}");
    superuser.execute("select pg_advisory_lock($1)", &[&TEMPLATE_LOCK]).await.expect("the lock is free soon");
    let exists = superuser
        .query_opt("select from pg_database where datname = $1", &[&name])
        .await
        .expect("databases can be listed")
        .is_some();
    if !exists {
        make_template(server, superuser, &name).await;
    }
    superuser.execute("select pg_advisory_unlock($1)", &[&TEMPLATE_LOCK]).await.expect("the lock is ours");
    name
}

/// Makes a role with the rights of Aurora's master user: it makes roles and databases, and does not bypass row level security.
async fn make_master(superuser: &Client) {
    let master = "do $$ begin
        if not exists (select from pg_roles where rolname = 'robnu_master') then
          create role robnu_master login createrole createdb; end if; end $$";
    execute(superuser, master).await;
}

/// Migrates under another name first, so that a half-made template is never used.
async fn make_template(server: &Config, superuser: &Client, name: &str) {
    let draft = format!("test_draft_{}", Uuid::now_v7().simple());
    make_master(superuser).await;
    execute(superuser, &format!("create database {draft} owner robnu_master")).await;
    {
        let mut config = server.clone();
        let mut client = connect(config.user("robnu_master").dbname(&draft).clone()).await;
        robnu_schema::apply(&mut client, MIGRATIONS)
            .await
            .unwrap_or_else(|error| panic!("{error}: {error:?}"));
    }
    // The master's connection may take a moment to be gone.
    for _ in 0..100 {
        if superuser.batch_execute(&format!("alter database {draft} rename to {name}")).await.is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the template could not be renamed: somebody is connected to {draft}");
}
