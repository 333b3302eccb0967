//! Kills a function at each boundary of a piece of work: at every statement that it sends to `PostgreSQL`, and at every call of AWS and of a
//! marketplace, once before the request is forwarded and once after it was carried out. Then the platform's own means finish the work, and
//! what the seller has is compared with an undisturbed run's.

mod http;
mod lanes;
mod names;
mod picture;
mod platform;
mod postgres;
mod report;
mod scenario;
mod trial;
mod watch;
mod worker;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;
use local::progress::Progress;
use local::terminal::print;
use tokio::task::JoinSet;

use crate::aws::Aws;
use crate::compare::Difference;
use crate::environment::Places;

pub use self::lanes::remove;
use self::picture::Volatile;
use self::platform::Platform;
use self::report::Row;
use self::scenario::Scenario;
use self::watch::{Boundary, Moment, boundaries};

/// Rewrites the stored lists of boundaries.
const UPDATE_VARIABLE: &str = "UPDATE_GOLDEN";

/// Which boundaries, and where things are.
#[derive(Debug, Clone, clap::Args)]
pub struct Arguments {
    /// Only this piece of work
    #[arg(long)]
    pub only: Option<String>,
    /// Every n-th kill alone
    #[arg(long, default_value_t = 1)]
    pub every: usize,
    /// Superuser's URL of the server
    #[arg(long, env = "TEST_DATABASE_URL")]
    pub server: String,
    /// The source tree of the programs
    #[arg(long)]
    pub sources: PathBuf,
    /// Folder with the stored lists of boundaries; without it they are not compared
    #[arg(long)]
    pub lists: Option<PathBuf>,
    /// Where things are
    #[command(flatten)]
    pub places: Places,
}

/// Makes all trials and prints the report. Returns how many differences there are.
pub async fn run(arguments: Arguments, aws: Aws) -> anyhow::Result<usize> {
    let began = Instant::now();
    let progress = Progress::new();
    arguments.places.make_logs()?;
    let mut tasks = JoinSet::new();
    let mut platform = Platform::new(&arguments, aws, &mut tasks).await?;
    let chosen = scenario::all()
        .into_iter()
        .filter(|scenario| arguments.only.as_deref().is_none_or(|only| only == scenario.name));
    let (mut rows, mut differences) = (Vec::new(), Vec::new());
    for scenario in chosen {
        let (row, found) = work(&mut platform, &arguments, &scenario, &progress).await?;
        rows.push(row);
        differences.extend(found);
    }
    differences.extend(platform.onlookers_changed().await?);
    platform.keep_logs();
    tasks.shutdown().await;
    print(&report::render_all(&rows, &differences, began.elapsed()))?;
    Ok(differences.len())
}

/// One piece of work: undisturbed twice, which shows what differs by itself, and then with one kill each.
async fn work(
    platform: &mut Platform,
    arguments: &Arguments,
    scenario: &Scenario,
    progress: &Progress,
) -> anyhow::Result<(Row, Vec<Difference>)> {
    let since = Instant::now();
    let whole = platform.trial(scenario, None).await?;
    let again = platform.trial(scenario, None).await?;
    let volatile = Volatile::between(&whole.picture, &again.picture);
    let mut differences = Vec::new();
    let mut differs = |place: &str, what: Vec<String>| {
        let difference = |what| Difference { kind: format!("{}, {place}", scenario.name), what };
        differences.extend(what.into_iter().map(difference));
    };
    differs("undisturbed", whole.faults.clone());
    differs("undisturbed twice", volatile.compare(&whole.picture, &again.picture));
    if let Some(folder) = &arguments.lists {
        differs("list of boundaries", against_list(folder, scenario, &whole.seen)?);
    }
    let kills: Vec<(Boundary, Moment)> = boundaries(&whole.seen)
        .into_iter()
        .flat_map(|boundary| [(boundary.clone(), Moment::Before), (boundary, Moment::After)])
        .step_by(arguments.every.max(1))
        .collect();
    progress.say(format_args!("{}: {} boundaries, {} kills", scenario.name, whole.seen.len(), kills.len()));
    let (mut struck, mut last) = (0, Instant::now());
    for (at, (boundary, moment)) in kills.iter().enumerate() {
        let trial = platform.trial(scenario, Some((boundary.clone(), *moment))).await?;
        let place = report::place(boundary, *moment);
        if trial.is_struck {
            struck += 1;
        } else {
            differs(&place, vec!["the process never came there".to_owned()]);
        }
        differs(&place, trial.faults.clone());
        differs(&place, volatile.compare(&whole.picture, &trial.picture));
        if last.elapsed().as_secs() >= 5 {
            progress.say(format_args!("{}: {} of {} kills", scenario.name, at + 1, kills.len()));
            last = Instant::now();
        }
    }
    let found = differences.len();
    progress.say(format_args!("{}: {struck} kills, {found} differences", scenario.name));
    let row = Row {
        name: scenario.name,
        boundaries: whole.seen.len(),
        kills: struck,
        compared: whole.picture.rows(),
        differences: found,
        took: since.elapsed(),
    };
    Ok((row, differences))
}

/// How the boundaries differ from the stored list.
fn against_list(folder: &Path, scenario: &Scenario, seen: &[String]) -> anyhow::Result<Vec<String>> {
    let file = folder.join(format!("{}.txt", scenario.name));
    if std::env::var_os(UPDATE_VARIABLE).is_some_and(|value| value == "1") {
        fs::write(&file, seen.join("\n") + "\n").with_context(|| format!("write {}", file.display()))?;
        return Ok(Vec::new());
    }
    let stored = fs::read_to_string(&file).unwrap_or_default();
    let stored: Vec<&str> = stored.lines().collect();
    if stored == seen {
        return Ok(Vec::new());
    }
    let gone = stored.iter().filter(|line| !seen.iter().any(|other| other == *line));
    let new = seen.iter().filter(|line| !stored.contains(&line.as_str()));
    let mut lines: Vec<String> = gone.map(|line| format!("is gone: {line}")).collect();
    lines.extend(new.map(|line| format!("is new: {line}")));
    if lines.is_empty() {
        lines.push("has another order or other numbers".to_owned());
    }
    lines.push(format!("review it, and accept it with {UPDATE_VARIABLE}=1"));
    Ok(lines)
}
