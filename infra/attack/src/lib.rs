//! `attack`: random attempts of one seller's insider to reach another seller, over HTTP, SQL and queues. SQL counts and digests
//! the victim's rows before and after, and every response is searched for the victim's marker. A second part, `abuse`, does too
//! often what everybody may do.

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
mod schedules;
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

use self::attempt::{Attempt, Surface};
pub use self::options::{AttackOptions, Part};
use self::random::Random;
use self::report::Report;
use self::test_bed::{Facts, TestBed};
use self::watch::Watch;

/// How many attempts run at once.
const AT_ONCE: usize = 6;
/// The victim's rows are compared after this many attempts.
const ROUND: u64 = 500;
/// How long one attempt may take.
const PATIENCE: Duration = Duration::from_mins(1);

const SURFACES: [(usize, Surface); 4] =
    [(48, Surface::Http), (38, Surface::Sql), (10, Surface::Pool), (4, Surface::Messages)];

/// Attacks. Fails if there is any finding.
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

/// The numbers of the attempts to make.
fn numbers(options: &AttackOptions) -> anyhow::Result<Vec<u64>> {
    if options.replay.is_some() && options.part == Part::Abuse {
        let next = "leave --replay out: `--part abuse` tries every way again";
        return Err(Failure::new(
            Exit::Usage,
            "ways of abuse have no numbers, so none can be replayed",
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
        "`cargo xtask attack --seed {} --count {} --replay NUMBER` repeats one attempt; `--part abuse` repeats all ways of abuse",
        options.seed, options.count
    );
    Err(Failure::new(Exit::CheckFailed, what, next).into())
}

/// Makes the insider's random attempts. Returns how many findings there are.
async fn insider(
    facts: &Facts,
    traces: &Traces,
    options: &AttackOptions,
    numbers: &[u64],
    progress: &Progress,
) -> anyhow::Result<usize> {
    let test_bed = Arc::new(TestBed::set_up(facts, traces, progress).await?);
    let mut watch = Watch::begin(&test_bed).await?;
    progress.say("firing every schedule of the stack …");
    schedules::fire_all(&test_bed.aws, facts.get("stack_name")?).await?;
    let by_itself = watch.look(&test_bed, false).await?;
    anyhow::ensure!(
        by_itself.is_empty(),
        "the stack's schedules change the victim without an attack: {}; leave them nothing to do in `Tenant::seed`",
        by_itself.join("; ")
    );
    let mut report = Report::default();
    for round in numbers.chunks(usize::try_from(ROUND)?) {
        for attempt in make_attempts(&test_bed, options.seed, round).await {
            report.add(attempt);
        }
        let differences = watch.look(&test_bed, false).await?;
        let last = round.last().copied().unwrap_or_default();
        report
            .differences
            .extend(differences.into_iter().map(|difference| format!("until attempt {last}: {difference}")));
        test_bed.rearm().await?;
        progress.say(format_args!("{last} attempts, {} findings", report.findings()));
    }
    let differences = watch.look(&test_bed, true).await?;
    report.differences.extend(differences.into_iter().map(|difference| format!("in the end: {difference}")));
    if options.replay.is_none() && options.count >= 100 {
        report.require_power();
    }
    // The report is long, and a log of a failed check may be cut.
    for finding in report.all_findings() {
        progress.say(format_args!("finding: {finding}"));
    }
    print(&report.render(options.seed, &watch, progress.elapsed()))?;
    Ok(report.findings())
}

/// Makes the attempts, several at a time.
async fn make_attempts(test_bed: &Arc<TestBed>, seed: u64, numbers: &[u64]) -> Vec<Attempt> {
    let mut running = JoinSet::new();
    let mut done = Vec::with_capacity(numbers.len());
    for &number in numbers {
        if running.len() >= AT_ONCE
            && let Some(attempt) = running.join_next().await
        {
            done.push(attempt.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())));
        }
        running.spawn(make_attempt(Arc::clone(test_bed), seed, number));
    }
    while let Some(attempt) = running.join_next().await {
        done.push(attempt.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic())));
    }
    done.sort_by_key(|attempt| attempt.number);
    done
}

async fn make_attempt(test_bed: Arc<TestBed>, seed: u64, number: u64) -> Attempt {
    let mut random = Random::new(seed, number);
    let surface = *random.weighted(&SURFACES);
    let mut attempt = Attempt::new(number, surface);
    let since = Instant::now();
    let work = async {
        match surface {
            Surface::Http => http::attempt(&test_bed, &mut random, &mut attempt).await,
            Surface::Sql => sql::attempt(&test_bed, &mut random, &mut attempt).await,
            Surface::Pool => pool::attempt(&test_bed, &mut random, &mut attempt).await,
            Surface::Messages => messages::attempt(&test_bed, &mut random, &mut attempt).await,
        }
    };
    if tokio::time::timeout(PATIENCE, work).await.is_err() {
        attempt.find(format!("did not end within {} s", since.elapsed().as_secs()));
    }
    attempt
}
