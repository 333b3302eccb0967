//! `chaos`: load on all live kinds of runs, while functions are killed, `PostgreSQL` restarts, messages vanish and marketplaces fail; then a
//! comparison of the marketplaces' books with the rows. And [`boundaries`]: one kill at each statement and call of one piece of work. This crate
//! prepares a run: it builds the programs, with a defect if one is asked for, and starts a database server where one has to be stopped. The
//! program `chaos-run` does the work.

pub mod boundaries;
mod defect;
pub mod fairness;
mod options;
mod programs;

use std::path::PathBuf;
use std::process::Stdio;

use anyhow::{Context, anyhow};
use local::ScratchServer;
use local::checks;
use local::failure::{Exit, Failure};
use local::paths::Paths;
use local::progress::Progress;
use local::terminal::print;
use tokio::process::Command;
use tokio::signal::unix::{SignalKind, signal};

use self::defect::Defect;
pub use self::options::{BoundariesOptions, ChaosOptions, FairnessOptions};
use self::programs::Programs;

/// Names the local AWS that tests use; the caller may provide one.
const ENDPOINT: &str = "TEST_AWS_ENDPOINT";
/// The folder for the functions' logs.
const LOGS: &str = "logs/chaos";
/// Names the server on which the run makes its database.
const DATABASE_URL: &str = "TEST_DATABASE_URL";

/// Makes chaos. Fails if anything differs afterwards, or if a kind of fault never struck.
pub async fn run(paths: &Paths, options: &ChaosOptions) -> anyhow::Result<()> {
    if options.list {
        return print(&defect::list(&paths.root)?);
    }
    let defect = options
        .defect
        .as_deref()
        .map(|name| Defect::find(&paths.root, defect::OF_CHAOS, name))
        .transpose()?;
    let environment = environment(paths).await?;
    let mut progress = Progress::new();
    let building = progress.begin("programs");
    let programs = Programs::build(paths, defect.as_ref())?;
    progress.done(building, "built");
    let folder = paths.local(&format!("chaos-{}", std::process::id()));
    let outcome = served(paths, options, &programs, &folder, environment).await;
    let cleaned = programs.clean();
    outcome.and(cleaned)
}

/// What the program needs to find the local AWS. The caller may have provided it, with its credentials.
async fn environment(paths: &Paths) -> anyhow::Result<Vec<(&'static str, String)>> {
    match std::env::var(ENDPOINT) {
        Ok(_) => Ok(Vec::new()),
        Err(_) => checks::test_environment(paths).await,
    }
}

/// Starts the server, makes chaos, and removes the server.
async fn served(
    paths: &Paths,
    options: &ChaosOptions,
    programs: &Programs,
    folder: &PathBuf,
    mut environment: Vec<(&'static str, String)>,
) -> anyhow::Result<()> {
    let server = ScratchServer::start(paths, folder).await?;
    environment.retain(|(name, _)| *name != DATABASE_URL);
    environment.push((DATABASE_URL, server.url()));
    let outcome = chaos(paths, options, programs, folder, &environment).await;
    let removed = server.remove();
    outcome.and(removed)
}

/// Runs the program.
async fn chaos(
    paths: &Paths,
    options: &ChaosOptions,
    programs: &Programs,
    server: &PathBuf,
    environment: &[(&'static str, String)],
) -> anyhow::Result<()> {
    let mut command = program(paths, programs, "chaos", LOGS, environment);
    command.args(["--seed", &options.seed.to_string(), "--seconds", &options.seconds().to_string()]);
    command.args(["--kills", &options.killed().to_string()]).arg("--server").arg(server);
    ended(&mut command, || found(paths)).await
}

/// The program that does the work, with what each kind of work needs.
fn program(
    paths: &Paths,
    programs: &Programs,
    work: &str,
    logs: &str,
    environment: &[(&'static str, String)],
) -> Command {
    let mut command = Command::new(programs.folder.join("chaos-run"));
    command.arg(work).arg("--programs").arg(&programs.folder);
    command.arg("--migrations").arg(&programs.migrations).arg("--logs").arg(paths.local(logs));
    command.envs(environment.iter().map(|(name, value)| (name, value)));
    command
}

/// Runs the program to its end, and hands it the signals that this command gets.
async fn ended(command: &mut Command, found: impl FnOnce() -> anyhow::Error) -> anyhow::Result<()> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let mut child = command.stdin(Stdio::null()).kill_on_drop(true).spawn().context("start chaos-run")?;
    let pid = child.id();
    let status = loop {
        tokio::select! {
            status = child.wait() => break status?,
            _ = interrupted.recv() => {}
            _ = terminated.recv() => {}
        }
        if let Some(pid) = pid {
            local::signal(pid, "TERM")?;
        }
    };
    match status.code() {
        Some(0) => Ok(()),
        Some(7) => Err(found()),
        Some(130) => Err(Failure::new(
            Exit::Interrupted,
            "interrupted",
            "everything that it made is removed; start it again",
        )
        .into()),
        _ => Err(anyhow!("the program ended with {status}; the message is above")),
    }
}

fn found(paths: &Paths) -> anyhow::Error {
    let logs = paths.shown(&paths.local(LOGS));
    let next = format!(
        "the table names the differences, and {logs} has the functions' logs; the same --seed makes the same plan"
    );
    Failure::new(Exit::CheckFailed, "the run found differences", next).into()
}
