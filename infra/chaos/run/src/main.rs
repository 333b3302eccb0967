//! Makes chaos around the functions' real programs: load, faults, rest, comparison; or kills one of them at each boundary. `cargo xtask
//! chaos` and `cargo xtask boundaries` build and start this program.

mod account;
mod aws;
mod book;
mod boundaries;
mod clock;
mod compare;
mod environment;
mod exports;
mod fairness;
mod forward;
mod function;
mod gateway;
mod inject;
mod lanes;
mod load;
mod mappings;
mod monitor;
mod onlookers;
mod plan;
mod report;
mod run;
mod schema;
mod settle;
mod source;
mod strikes;
mod superuser;
mod upload;
mod world;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use local::failure::{Exit, exit_code};
use tokio::signal::unix::{SignalKind, signal};
use tokio::task::{JoinError, JoinSet};

use crate::aws::Aws;
use crate::environment::Places;

/// What to do around the functions' real programs.
#[derive(Debug, Clone, Parser)]
enum Work {
    /// Makes chaos and says whether anything was lost
    Chaos(Arguments),
    /// Kills a function at each of its statements and calls
    Boundaries(boundaries::Arguments),
    /// Measures how much longer a small seller's sync takes while others make as much work as they can
    Fairness(fairness::Arguments),
}

/// How much chaos, and where.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Seed of the plan of faults
    #[arg(long)]
    pub seed: u64,
    /// How long faults strike, in seconds
    #[arg(long)]
    pub seconds: u64,
    /// How many processes of functions are killed
    #[arg(long)]
    pub kills: usize,
    /// Folder of the database's server
    #[arg(long)]
    pub server: PathBuf,
    /// Where things are
    #[command(flatten)]
    pub places: Places,
}

#[tokio::main]
async fn main() -> ExitCode {
    let _ = rustls::crypto::ring::default_provider().install_default();
    match chaos(Work::parse()).await {
        Ok(Ended::Quietly { differences: 0 }) => ExitCode::SUCCESS,
        // The table has said it, or whoever interrupts knows.
        Ok(Ended::Quietly { .. }) => ExitCode::from(Exit::CheckFailed as u8),
        Ok(Ended::Interrupted) => ExitCode::from(Exit::Interrupted as u8),
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            exit_code(&error)
        }
    }
}

/// How a run ended.
enum Ended {
    /// With its report.
    Quietly { differences: usize },
    /// By a signal.
    Interrupted,
}

/// Makes chaos, and removes what was made in the local AWS, however it ends.
async fn chaos(what: Work) -> anyhow::Result<Ended> {
    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    let run = uuid::Uuid::now_v7().simple().to_string();
    let aws = Aws::new(&run[..12]).await?;
    let mut work = JoinSet::new();
    match what {
        Work::Chaos(arguments) => work.spawn(run::run(arguments, aws.clone())),
        Work::Boundaries(arguments) => work.spawn(boundaries::run(arguments, aws.clone())),
        Work::Fairness(arguments) => work.spawn(fairness::run(arguments, aws.clone())),
    };
    let outcome = tokio::select! {
        outcome = work.join_next() => ended(outcome),
        _ = interrupted.recv() => Ok(Ended::Interrupted),
        _ = terminated.recv() => Ok(Ended::Interrupted),
    };
    work.shutdown().await;
    let lanes = boundaries::remove(&aws).await;
    let removed = aws.remove().await.and(lanes);
    outcome.and_then(|ended| removed.map(|()| ended))
}

/// What the run came to; a panic is an error.
fn ended(outcome: Option<Result<anyhow::Result<usize>, JoinError>>) -> anyhow::Result<Ended> {
    let differences = outcome.context("the run has a task")?.context("the run ended in a panic")??;
    Ok(Ended::Quietly { differences })
}
