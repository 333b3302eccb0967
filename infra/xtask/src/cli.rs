//! The command line: the list of commands. Each crate declares the flags of its own commands.

use std::path::PathBuf;

use attack::AttackOptions;
use chaos::{BoundariesOptions, ChaosOptions, FairnessOptions};
use clap::{Parser, Subcommand};
use defects::DefectsOptions;
use local::cli::{DemoOptions, DeployOptions, DownOptions, LogsOptions, StatusOptions, UpOptions};
use model::ModelOptions;
use ops::OpsOptions;

/// The exit codes in the help text. Scripts may rely on them.
const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  an unexpected error
  2  wrong flags, or a tool is missing
  3  a port is taken
  4  the order file cannot be read
  5  the stack, or a part of it such as the database, is not running
  6  a build or a deploy failed
  7  a check failed, the demo's result is not complete, or something is stuck (`ops stuck`)
  130  interrupted; `attack`, `chaos`, `boundaries`, `fairness` and `contract` have removed what they made";

/// Runs the local cloud, deploys the platform there, demonstrates it and checks the project.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask", version, after_help = EXIT_CODES)]
pub struct Arguments {
    /// Folder for everything that is installed, built and stored; another folder is another stack
    #[arg(long, value_name = "FOLDER", env = "ROBNU_LOCAL", global = true)]
    pub state: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Starts the local cloud and deploys the platform; a second run does only what changed
    Up(UpOptions),
    /// Stops what `up` started
    Down(DownOptions),
    /// Shows what runs and how to reach it
    Status(StatusOptions),
    /// Prints the functions' logs
    Logs(LogsOptions),
    /// Builds a release and deploys it to a stage on AWS, with all parameters as samconfig.toml has them now
    Deploy(DeployOptions),
    /// Prints a superuser's URL of the migrated local database
    Db,
    /// Starts everything, signs two sellers up, syncs their orders and prints what arrived
    Demo(DemoOptions),
    /// Runs every check that continuous integration runs
    Test,
    /// Plants known defects in a copy of the sources, one by one, and shows whether a test catches each
    Defects(DefectsOptions),
    /// Tries the API with thousands of requests made from its own document
    Contract(UpOptions),
    /// Attacks one seller of the running stack from inside another, then abuses free accounts
    Attack(AttackOptions),
    /// Kills functions, restarts the database, loses messages and lets marketplaces fail, and shows whether anything was lost
    Chaos(ChaosOptions),
    /// Kills a function at each statement and call of one piece of work, and shows whether what its seller has is the same afterwards
    Boundaries(BoundariesOptions),
    /// Measures how much longer a small seller's sync takes while others make as much work as they can
    Fairness(FairnessOptions),
    /// Searches a model of runs, leases and queues for an order of events that loses or doubles an order
    Model(ModelOptions),
    /// Does an operator's work on a running stack: what is stuck, runs, lanes and dead letters; `ops console` is a page for all of it
    Ops(OpsOptions),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_of_other_crates_have_no_flag_that_another_one_has() {
        let lines: [&[&str]; 12] = [
            &["model", "--faults", "2", "--defect", "all"],
            &["ops", "stuck", "--seller", "an id"],
            &["ops", "runs", "--status", "FAILED", "--newer-than", "3d"],
            &["ops", "account", "pause", "an id", "--operator", "asha", "--reason", "none"],
            &["ops", "marketplace", "resume", "AJIO", "--operator", "asha", "--reason", "none"],
            &["ops", "lanes", "--marketplace", "AJIO"],
            &["ops", "story", "an id"],
            &["ops", "console", "--allow-changes", "--operator", "asha", "--port", "4588"],
            &["ops", "dlq", "list", "--status", "ALL"],
            &["ops", "dlq", "show", "an id"],
            &["ops", "dlq", "redrive", "--operator", "asha"],
            &["ops", "dlq", "discard", "--operator", "asha", "--reason", "none"],
        ];
        for line in lines {
            let line = ["cargo xtask", "--state", "folder"].iter().chain(line);
            let parsed = Arguments::try_parse_from(line).expect("good flags");
            assert_eq!(parsed.state, Some(PathBuf::from("folder")), "{parsed:?}");
        }
    }
}
