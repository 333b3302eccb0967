//! pgbench as a child process: prepared statements in one pipeline.

use std::process::{Command, Stdio};
use std::time::Duration;

use robnu_tenancy::DatabaseConfig;
use tokio_postgres::Client;

/// A script of statements that are sent in one pipeline, and the role that sends them.
pub struct Pgbench {
    script: String,
    user: String,
    host: String,
    port: u16,
    database: String,
}

impl Pgbench {
    pub fn new(config: &DatabaseConfig, user: &str, statements: &[&str]) -> Self {
        let script = format!("\\startpipeline\n{};\n\\endpipeline\n", statements.join(";\n"));
        let (host, database) = (config.host.clone(), config.name.clone());
        Self { script, user: user.to_owned(), host, port: config.port, database }
    }

    /// Runs the script for a while with so many concurrent clients, and returns how often it ran per second.
    pub async fn run(&self, superuser: &Client, clients: usize, seconds: u32) -> f64 {
        let folder = std::env::temp_dir().join(format!("robnu-entry-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let script = folder.join("script.sql");
        std::fs::write(&script, &self.script).unwrap();
        let mut command = if can_pin() {
            let mut pinned = Command::new("taskset");
            pinned.args(["-c", "1", "pgbench"]);
            pinned
        } else {
            Command::new("pgbench")
        };
        let (port, seconds, many) = (self.port.to_string(), seconds.to_string(), clients.to_string());
        command
            .args(["-n", "-M", "prepared", "-c", &many, "-h", &self.host, "-p", &port, "-T", &seconds])
            .args(["-U", &self.user, "-f"])
            .arg(&script)
            .arg(&self.database)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let child = command.spawn().expect("pgbench is on the PATH: it comes with PostgreSQL");
        pin_servers(superuser, clients).await;
        let output = tokio::task::spawn_blocking(|| child.wait_with_output()).await.unwrap().unwrap();
        drop(std::fs::remove_dir_all(&folder));
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let rate = text.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next()?.parse().ok());
        rate.unwrap_or_else(|| panic!("{text}{}", String::from_utf8_lossy(&output.stderr)))
    }
}

/// Pins the server's processes of the script to a core that the client does not use.
async fn pin_servers(superuser: &Client, clients: usize) {
    let sql = "select pid from pg_stat_activity where datname = current_database() and application_name = 'pgbench'";
    for _ in 0..100 {
        let servers = superuser.query(sql, &[]).await.unwrap();
        for row in &servers {
            pin(row.get(0), 0);
        }
        if servers.len() == clients {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Whether processes can be pinned.
pub fn can_pin() -> bool {
    Command::new("taskset").args(["-c", "1", "true"]).output().is_ok_and(|output| output.status.success())
}

/// Pins a process to a core, if the machine and our rights allow it.
pub fn pin(process: i32, core: u8) {
    let _ = Command::new("taskset")
        .args(["-cp", &core.to_string(), &process.to_string()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
}
