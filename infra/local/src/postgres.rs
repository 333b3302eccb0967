//! PostgreSQL 18 from a Python wheel, with its own data folder and on loopback only. The platform's database needs passwords;
//! the tests' databases need none.

mod home;
mod scratch;

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, anyhow};
use tokio_postgres::{Client, NoTls};

pub use self::scratch::{ScratchServer, Stop};

use self::home::Home;
use crate::failure::{Exit, Failure};
use crate::paths::Paths;
use crate::ports;
use crate::python::{Environment, tail};
use crate::settings::{Settings, write_private};

/// The platform's database.
pub const DATABASE: &str = "robnu";
/// The role that owns it. Like Aurora's master user, it may make roles and databases and is not a superuser.
pub const MASTER: &str = "robnu_master";

/// The tests' databases are temporary and hold nothing of value, so they trust loopback. All others need a password.
const ACCESS: &str = "\
# database  user  address       method
host \"/^test_\" all 127.0.0.1/32 trust
host all       all 127.0.0.1/32 scram-sha-256
";

/// Fails early when its port is taken.
pub fn require_port(paths: &Paths, settings: &Settings) -> anyhow::Result<()> {
    let environment = Environment::cloud(paths);
    let port = settings.postgres_port;
    if environment.program("python").exists() && running_port(&Home::find(paths, &environment)?) == Some(port)
    {
        return Ok(());
    }
    Ok(ports::require_free(port, "PostgreSQL", "--postgres-port")?)
}

/// Starts it unless it runs already, and returns what it did in words.
pub async fn ensure(paths: &Paths, settings: &Settings) -> anyhow::Result<String> {
    let home = Home::find(paths, &Environment::cloud(paths))?;
    let port = settings.postgres_port;
    let outcome = match running_port(&home) {
        Some(running) if running == port => "running already",
        Some(_) => {
            stop_at(&home, Stop::Fast)?;
            start(paths, &home, settings)?;
            "moved to another port"
        }
        None => {
            start(paths, &home, settings)?;
            "started"
        }
    };
    ensure_master(settings).await?;
    Ok(format!("{outcome} on 127.0.0.1:{port}"))
}

/// Stops it and returns whether it ran.
pub fn stop(paths: &Paths) -> anyhow::Result<bool> {
    let environment = Environment::cloud(paths);
    if !environment.program("python").exists() {
        return Ok(false);
    }
    let home = Home::find(paths, &environment)?;
    if running_port(&home).is_none() {
        return Ok(false);
    }
    stop_at(&home, Stop::Fast)?;
    Ok(true)
}

/// Removes the data. The server must be stopped.
pub fn purge(paths: &Paths) -> anyhow::Result<()> {
    let environment = Environment::cloud(paths);
    if environment.program("python").exists() {
        Home::find(paths, &environment)?.purge()?;
    }
    Ok(())
}

/// A superuser's connection to one database.
pub async fn connect(settings: &Settings, database: &str) -> anyhow::Result<Client> {
    let url = settings.database_url(database);
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await.map_err(|error| {
        Failure::new(
            Exit::NotRunning,
            format!("PostgreSQL does not answer on 127.0.0.1:{}: {error}", settings.postgres_port),
            "start the stack with `cargo xtask up`",
        )
    })?;
    tokio::spawn(async move {
        // The client reports a broken connection itself.
        drop(connection.await);
    });
    Ok(client)
}

/// Makes the platform's database unless it exists. With `anew`, drops an existing one first.
pub async fn ensure_database(settings: &Settings, anew: bool) -> anyhow::Result<()> {
    let client = connect(settings, "postgres").await?;
    if anew {
        client.batch_execute(&format!("drop database if exists {DATABASE} with (force)")).await?;
    }
    if !exists(&client).await? {
        client.batch_execute(&format!("create database {DATABASE} owner {MASTER}")).await?;
    }
    Ok(())
}

/// Whether the platform's database exists.
pub async fn database_exists(settings: &Settings) -> anyhow::Result<bool> {
    exists(&connect(settings, "postgres").await?).await
}

async fn exists(client: &Client) -> anyhow::Result<bool> {
    let found = client.query_opt("select from pg_database where datname = $1", &[&DATABASE]).await?;
    Ok(found.is_some())
}

async fn ensure_master(settings: &Settings) -> anyhow::Result<()> {
    let client = connect(settings, "postgres").await?;
    // The password is our own hexadecimal text, so quoting it is safe; roles cannot be parameters.
    let sql = format!(
        "do $$ begin
           if not exists (select from pg_roles where rolname = '{MASTER}') then create role {MASTER}; end if;
         end $$;
         alter role {MASTER} login createrole createdb nosuperuser password '{}'",
        settings.master_password
    );
    client.batch_execute(&sql).await.context("make the master role")
}

fn start(paths: &Paths, home: &Home, settings: &Settings) -> anyhow::Result<()> {
    let port = settings.postgres_port;
    ports::require_free(port, "PostgreSQL", "--postgres-port")?;
    if !home.data().join("PG_VERSION").exists() {
        initialise(paths, home, settings)?;
    }
    home.write("pg_hba.conf", ACCESS)?;
    home.write("stack.conf", &configuration(port))?;
    let log = home.base().join("server.log");
    let output = home
        .command("pg_ctl")
        .arg("start")
        .arg("-w")
        .args(["-t", "60", "-D"])
        .arg(home.data())
        .arg("-l")
        .arg(&log)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .context("run pg_ctl")?;
    if output.success() {
        return Ok(());
    }
    Err(Failure::new(
        Exit::NotRunning,
        format!("PostgreSQL did not start:\n{}", tail(&log, 8)),
        format!("read {}; `cargo xtask down --purge` removes its data for a fresh start", log.display()),
    )
    .into())
}

fn initialise(paths: &Paths, home: &Home, settings: &Settings) -> anyhow::Result<()> {
    let password = home.base().join("superuser");
    write_private(&password, settings.superuser_password.as_bytes())?;
    home.own(&password)?;
    let mut command = home.command("initdb");
    command
        .args(["--username=postgres", "--auth=scram-sha-256", "--encoding=UTF8"])
        .args(["--locale-provider=builtin", "--locale=C.UTF-8", "--no-instructions", "-D"])
        .arg(home.data())
        .arg(format!("--pwfile={}", password.display()));
    let made = log_output(&mut command, &paths.log("initdb"));
    let _ = fs::remove_file(&password);
    made?;
    let main = home.data().join("postgresql.conf");
    let text = fs::read_to_string(&main).with_context(|| format!("read {}", main.display()))?;
    home.write("postgresql.conf", &format!("{text}\ninclude = 'stack.conf'\n"))
}

/// As durable as in production, but sized for a laptop and for tests that open many connections.
fn configuration(port: u16) -> String {
    format!(
        "listen_addresses = '127.0.0.1'\nport = {port}\nunix_socket_directories = ''\nmax_connections = 200\n\
         shared_buffers = 256MB\nmax_wal_size = 2GB\ntimezone = 'UTC'\nlog_timezone = 'UTC'\n\
         password_encryption = 'scram-sha-256'\n"
    )
}

fn stop_at(home: &Home, how: Stop) -> anyhow::Result<()> {
    let status = home
        .command("pg_ctl")
        .args(["stop", "-s", "-w", "-m", how.mode(), "-D"])
        .arg(home.data())
        .status()
        .context("run pg_ctl")?;
    if status.success() {
        Ok(())
    } else {
        Err(anyhow!("PostgreSQL did not stop; read {}", home.base().join("server.log").display()))
    }
}

/// The port of the server that runs on our data folder.
fn running_port(home: &Home) -> Option<u16> {
    let status = home.command("pg_ctl").args(["status", "-D"]).arg(home.data()).output().ok()?;
    if !status.status.success() {
        return None;
    }
    let note = fs::read_to_string(home.data().join("postmaster.pid")).ok()?;
    note.lines().nth(3)?.trim().parse().ok()
}

/// Runs a command and writes its output to a log. A failure shows the log's end.
fn log_output(command: &mut Command, log: &Path) -> anyhow::Result<()> {
    let file = fs::File::create(log).with_context(|| format!("write {}", log.display()))?;
    command.stdout(file.try_clone()?).stderr(file);
    let status = command.status().with_context(|| format!("run {}", command.get_program().display()))?;
    if status.success() {
        return Ok(());
    }
    Err(anyhow!("{} failed:\n{}", command.get_program().display(), tail(log, 8)))
}
