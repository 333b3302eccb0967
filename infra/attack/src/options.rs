//! The flags of `cargo xtask attack`.

use std::path::PathBuf;

use clap::Args;

/// How to attack.
#[derive(Debug, Args)]
pub struct AttackOptions {
    /// Decides what every attempt does
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How many attempts
    #[arg(long, value_name = "M", default_value_t = 1000)]
    pub count: u64,
    /// Only this attempt of the seed, which is one from 1 to --count; it begins on a new test bed, so what attempts before it
    /// changed in the insider's seller is not there
    #[arg(long, value_name = "NUMBER")]
    pub replay: Option<u64>,
    /// What to try
    #[arg(long, value_enum, default_value_t = Part::All)]
    pub part: Part,
    /// Leaves out what measures times: a busy machine has others
    #[arg(long)]
    pub untimed: bool,
    /// What `status --json` says of the stack to attack [default: the running stack]
    #[arg(long, value_name = "FILE", env = "ROBNU_STACK")]
    pub stack: Option<PathBuf>,
}

/// Parts of the attack.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Part {
    /// Both
    All,
    /// Random attempts of one seller's insider to reach another seller; --seed, --count and --replay are about these
    Insider,
    /// What a person may do by the rules, too often: counted, and held against budgets
    Abuse,
}
