//! The flags of `cargo xtask chaos`, `cargo xtask boundaries` and `cargo xtask fairness`.

use clap::Args;

/// How much chaos.
#[derive(Debug, Args)]
pub struct ChaosOptions {
    /// Seed of the plan: which faults strike, when, and in part whom
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// How long faults strike, in minutes; fractions are possible. Afterwards everything comes to rest and is compared
    #[arg(long, value_name = "M", default_value_t = 2.0, value_parser = minutes)]
    pub minutes: f64,
    /// How many processes of functions are killed [default: 30 a minute]
    #[arg(long, value_name = "K")]
    pub kills: Option<usize>,
    /// Plant this defect first, in a copy of the sources. The run must then find a difference, and exits with 7
    #[arg(long = "break", value_name = "NAME")]
    pub defect: Option<String>,
    /// List the defects that --break knows, with the differences that they make
    #[arg(long)]
    pub list: bool,
}

impl ChaosOptions {
    /// How long faults strike, in whole seconds.
    #[must_use]
    pub fn seconds(&self) -> u64 {
        std::time::Duration::from_secs_f64(self.minutes * 60.0).as_secs()
    }

    /// How many processes are killed.
    #[must_use]
    pub fn killed(&self) -> usize {
        self.kills.unwrap_or_else(|| usize::try_from(self.seconds() / 2).unwrap_or(usize::MAX))
    }
}

/// Which boundaries.
#[derive(Debug, Args)]
pub struct BoundariesOptions {
    /// Only one piece of work: orders, returns, check, import, publish, lane-opens or lane-retires
    #[arg(long, value_name = "NAME", value_parser = WORKS)]
    pub only: Option<String>,
    /// Makes every N-th kill alone, counted from the first
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    pub every: u16,
    /// Plant this defect of `infra/chaos/boundaries/planted` first. The run must then find a difference, and exits with 7
    #[arg(long = "break", value_name = "NAME")]
    pub defect: Option<String>,
}

/// How much is measured.
#[derive(Debug, Args)]
pub struct FairnessOptions {
    /// How often usual syncs and syncs under load follow each other
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u16).range(1..))]
    pub rounds: u16,
    /// How many accounts of one seller are noisy at once
    #[arg(long, value_name = "N", default_value_t = 1000, value_parser = clap::value_parser!(u16).range(8..))]
    pub accounts: u16,
}

/// The pieces of work, as the program knows them.
const WORKS: [&str; 7] = ["orders", "returns", "check", "import", "publish", "lane-opens", "lane-retires"];

/// Minutes that a run can last: long enough for every kind of fault, and no longer than a day.
fn minutes(text: &str) -> Result<f64, String> {
    let minutes: f64 = text.parse().map_err(|_| "is not a number of minutes".to_owned())?;
    if (0.25..=1440.0).contains(&minutes) {
        Ok(minutes)
    } else {
        Err("is not between 0.25 and 1440 minutes".to_owned())
    }
}
