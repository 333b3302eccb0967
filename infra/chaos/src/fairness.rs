//! `fairness`: a benchmark of how much longer a small seller's sync takes while others make as much work as they can.

use anyhow::anyhow;
use local::paths::Paths;
use local::progress::Progress;

use crate::options::FairnessOptions;
use crate::programs::Programs;
use crate::{ended, environment, program};

/// The folder for the functions' logs.
const LOGS: &str = "logs/fairness";

/// Measures, and prints a table.
pub async fn run(paths: &Paths, options: &FairnessOptions) -> anyhow::Result<()> {
    let environment = environment(paths).await?;
    let mut progress = Progress::new();
    let building = progress.begin("programs");
    let programs = Programs::build(paths, None)?;
    progress.done(building, "built");
    let mut command = program(paths, &programs, "fairness", LOGS, &environment);
    command.args(["--rounds", &options.rounds.to_string(), "--accounts", &options.accounts.to_string()]);
    ended(&mut command, || anyhow!("a benchmark finds no differences")).await
}
