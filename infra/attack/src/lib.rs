//! `attack`: random attempts of one seller's insider to reach another seller, over HTTP, SQL and queues. What the victim has
//! is counted and digested by SQL before and after, and whatever is answered is searched for the victim's markers.

mod abuse;
mod attempt;
mod catalogue;
mod http;
mod messages;
mod openapi;
mod options;
mod pool;
mod random;
mod report;
mod sql;
mod tenant;
mod test_bed;
mod tokens;
mod watch;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::task::JoinSet;

use local::failure::{Exit, Failure};
use local::paths::Paths;
use local::progress::Progress;
use local::status;
use local::terminal::print;
use local::traces::Traces;

use self::attempt::{Attempt, Front};
pub use self::options::{AttackOptions, Part};
use self::random::Random;
use self::report::Report;
use self::test_bed::{Facts, TestBed};
use self::watch::Watch;

/// Attempts under way at once.
const AT_ONCE: usize = 6;
/// The victim is looked at after so many attempts.
const ROUND: u64 = 500;
/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_mins(1);

const FRONTS: [(usize, Front); 4] =
    [(48, Front::Http), (38, Front::Sql), (10, Front::Pool), (4, Front::Messages)];

/// Attacks; fails when anything was found.
pub async fn run(paths: &Paths, options: &AttackOptions) -> anyhow::Result<()> {
    let numbers = numbers(options)?;
    let facts = match &options.stack {
        Some(file) => {
            let text = std::fs::read(file).with_context(|| format!("read {}", file.display()))?;
            serde_json::from_slice(&text).with_context(|| format!("read {}", file.display()))?
        }
        None => serde_json::to_value(status::describe(paths).await?)?,
    };
    let facts = Facts(facts);
    let traces = facts.traces().await?;
    traces.around(attack(&facts, &traces, options, &numbers)).await
}

/// Which attempts are made.
fn numbers(options: &AttackOptions) -> anyhow::Result<Vec<u64>> {
    if options.replay.is_some() && options.part == Part::Abuse {
        let next = "leave --replay out: `--part abuse` goes every way again";
        return Err(Failure::new(
            Exit::Usage,
            "ways of abuse have no numbers that could be tried again",
            next,
        )
        .into());
    }
    match options.replay {
        None => Ok((1..=options.count).collect()),
        Some(number) if (1..=options.count).contains(&number) => Ok(vec![number]),
        Some(number) => {
            let what =
                format!("attempt {number} was never tried: {} attempts are numbered from 1", options.count);
            let next = "give the --seed and the --count of the run that named the attempt";
            Err(Failure::new(Exit::Usage, what, next).into())
        }
    }
}

async fn attack(
    facts: &Facts,
    traces: &Traces,
    options: &AttackOptions,
    numbers: &[u64],
) -> anyhow::Result<()> {
    let progress = Progress::new();
    let mut findings = 0;
    if options.part != Part::Abuse {
        progress.say(format_args!("seed {}, {} attempts", options.seed, options.count));
        findings += Box::pin(insider(facts, traces, options, numbers, &progress)).await?;
    }
    if options.part != Part::Insider && options.replay.is_none() {
        let account = Box::pin(abuse::run(facts, traces, options, &progress)).await?;
        findings += account.findings();
        print(&account.render())?;
    }
    if findings == 0 {
        return Ok(());
    }
    let what = format!("{findings} findings");
    let next = format!(
        "`cargo xtask attack --seed {} --count {} --replay NUMBER` repeats one attempt, `--part abuse` all ways of abuse",
        options.seed, options.count
    );
    Err(Failure::new(Exit::CheckFailed, what, next).into())
}

/// Random attempts of an insider; answers how much was found.
async fn insider(
    facts: &Facts,
    traces: &Traces,
    options: &AttackOptions,
    numbers: &[u64],
    progress: &Progress,
) -> anyhow::Result<usize> {
    let bed = Arc::new(TestBed::set(facts, traces, progress).await?);
    let mut watch = Watch::begin(&bed).await?;
    let mut report = Report::default();
    for round in numbers.chunks(usize::try_from(ROUND)?) {
        for attempt in play(&bed, options.seed, round).await {
            report.add(attempt);
        }
        let differences = watch.look(&bed, false).await?;
        let last = round.last().copied().unwrap_or_default();
        report
            .differences
            .extend(differences.into_iter().map(|difference| format!("until attempt {last}: {difference}")));
        bed.rearm().await?;
        progress.say(format_args!("{last} attempts, {} findings", report.findings()));
    }
    let differences = watch.look(&bed, true).await?;
    report.differences.extend(differences.into_iter().map(|difference| format!("in the end: {difference}")));
    if options.replay.is_none() && options.count >= 100 {
        report.require_power();
    }
    print(&report.render(options.seed, &watch, progress.elapsed()))?;
    Ok(report.findings())
}

/// Makes some attempts, several at a time.
async fn play(bed: &Arc<TestBed>, seed: u64, numbers: &[u64]) -> Vec<Attempt> {
    let mut running = JoinSet::new();
    let mut done = Vec::with_capacity(numbers.len());
    for &number in numbers {
        if running.len() >= AT_ONCE
            && let Some(attempt) = running.join_next().await
        {
            done.push(attempt.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())));
        }
        running.spawn(one(Arc::clone(bed), seed, number));
    }
    while let Some(attempt) = running.join_next().await {
        done.push(attempt.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())));
    }
    done.sort_by_key(|attempt| attempt.number);
    done
}

async fn one(bed: Arc<TestBed>, seed: u64, number: u64) -> Attempt {
    let mut random = Random::new(seed, number);
    let front = *random.weighted(&FRONTS);
    let mut attempt = Attempt::new(number, front);
    let since = Instant::now();
    let work = async {
        match front {
            Front::Http => http::attempt(&bed, &mut random, &mut attempt).await,
            Front::Sql => sql::attempt(&bed, &mut random, &mut attempt).await,
            Front::Pool => pool::attempt(&bed, &mut random, &mut attempt).await,
            Front::Messages => messages::attempt(&bed, &mut random, &mut attempt).await,
        }
    };
    if tokio::time::timeout(PATIENCE, work).await.is_err() {
        attempt.find(format!("did not end in {} s", since.elapsed().as_secs()));
    }
    attempt
}
