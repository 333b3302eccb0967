//! The flags of `cargo xtask attack`.

use std::path::PathBuf;

use clap::Args;

/// How to attack.
#[derive(Debug, Args)]
pub struct AttackOptions {
    /// Seed that determines what every attempt does
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Number of attempts
    #[arg(long, value_name = "M", default_value_t = 1000)]
    pub count: u64,
    /// Make only this attempt, from 1 to --count. It runs on a new test bed, without the changes that earlier attempts made in
    /// the insider's seller
    #[arg(long, value_name = "NUMBER")]
    pub replay: Option<u64>,
    /// Part of the attack to run
    #[arg(long, value_enum, default_value_t = Part::All)]
    pub part: Part,
    /// Leave out the measurement of filters, which a busy machine distorts
    #[arg(long)]
    pub untimed: bool,
    /// File with the output of `status --json` for the stack to attack [default: the running stack]
    #[arg(long, value_name = "FILE", env = "ROBNU_STACK")]
    pub stack: Option<PathBuf>,
}

/// Parts of the attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Both
    All,
    /// Random attempts of one seller's insider to reach another seller; --seed, --count and --replay apply to these
    Insider,
    /// Allowed actions, done too often, counted and compared with budgets
    Abuse,
}
