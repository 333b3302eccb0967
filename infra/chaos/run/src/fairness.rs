//! Measures fairness: how much longer a small seller's sync takes while others make as much work as they can. It is a benchmark, so nothing is
//! asserted; usual times and times under load are measured in turn within one run, and only their ratio means something elsewhere.
//!
//! Every seller has a process of the adapter, as on Lambda, where each lane has its own concurrency. What the machine adds is that all
//! processes share its processors with the database, the local AWS and the marketplaces. So the load is measured a second time with its
//! adapters at the lowest priority, which comes nearer to processors of their own.

mod backfill;
mod crowd;
mod lane;
mod stage;

use local::progress::Progress;
use local::table::render;
use local::terminal::print;

use self::stage::Sync;
use crate::aws::Aws;
use crate::environment::Places;

/// Orders of the seller who is measured.
const FEW: usize = 5;

/// How much is measured, and where things are.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// How often usual syncs and syncs under load follow each other
    #[arg(long, default_value_t = 6)]
    pub rounds: usize,
    /// How many accounts are noisy at once
    #[arg(long, default_value_t = 1000)]
    pub accounts: usize,
    /// Superuser's URL of the server
    #[arg(long, env = "TEST_DATABASE_URL")]
    pub server: String,
    /// Where things are
    #[command(flatten)]
    pub places: Places,
}

/// Measures both and prints the tables. Returns no differences.
pub async fn run(arguments: Arguments, aws: Aws) -> anyhow::Result<usize> {
    let progress = Progress::new();
    arguments.places.make_logs()?;
    print(&backfill::measure(&arguments, aws.clone(), &progress).await?)?;
    print(&format!("\n{}", crowd::measure(&arguments, aws, &progress).await?))?;
    Ok(0)
}

/// Medians of times, and their ratios to the usual ones, by what the syncs were measured under.
fn table(what: &str, loads: &[&str], syncs: &[(usize, Sync)]) -> String {
    let median = |load: usize, time: fn(&Sync) -> f64| {
        let mut times: Vec<f64> =
            syncs.iter().filter(|(of, _)| *of == load).map(|(_, sync)| time(sync)).collect();
        times.sort_by(f64::total_cmp);
        times.get(times.len() / 2).copied().unwrap_or_default()
    };
    let parts: [fn(&Sync) -> f64; 3] =
        [|sync| sync.waited + sync.worked, |sync| sync.waited, |sync| sync.worked];
    let rows = loads.iter().enumerate().map(|(load, name)| {
        let mut row = vec![(*name).to_owned()];
        row.extend(parts.map(|part| format!("{:.0} ms", 1_000.0 * median(load, part))));
        row.extend(parts.map(|part| format!("{:.2}", median(load, part) / median(0, part))));
        row
    });
    let header = [what, "all", "waited", "worked", "all", "waited", "worked"];
    render(&header, &rows.collect::<Vec<_>>(), &[1, 2, 3, 4, 5, 6])
}
