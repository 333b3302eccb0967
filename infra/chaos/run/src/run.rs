//! One run, from the empty database to the report.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use local::ScratchServer;
use local::progress::Progress;
use local::terminal::print;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::Arguments;
use crate::aws::Aws;
use crate::inject::Injector;
use crate::load::Load;
use crate::plan::{Planned, plan};
use crate::settle::settle;
use crate::source::Source;
use crate::world::World;
use crate::{clock, compare, exports, lanes, mappings, monitor, onlookers, report};

/// How often the sweeps run. Time passes faster here, and so do schedules.
const SWEEP_EVERY: Duration = Duration::from_millis(500);
const COLLECT_EVERY: Duration = Duration::from_secs(2);
const PROGRESS_EVERY: Duration = Duration::from_secs(5);
/// How long the last faults of the plan may take to strike, and how long nothing may strike meanwhile: some never meet what they need.
const LINGER: Duration = Duration::from_mins(1);
const LINGER_IDLE: Duration = Duration::from_secs(8);
/// How many of the faults that wait are named.
const SHOWN: usize = 3;
const POLLERS_OF_A_PARALLEL_QUEUE: usize = 2;

const ENDED: &str = "select count(*) filter (where finished_at is not null), count(*) filter (where state in ('QUEUED', 'RUNNING', 'WAITING'))
    from robnu.sync_runs where seller_id = any ($1)";

/// Makes chaos and prints the report. Returns how many differences there are; a kind of fault that never struck is one.
pub async fn run(arguments: Arguments, aws: Aws) -> anyhow::Result<usize> {
    let began = Instant::now();
    let progress = Progress::new();
    let server = ScratchServer::open(&arguments.server)?;
    let length = Duration::from_secs(arguments.seconds);
    let faults = plan(arguments.seed, length, arguments.kills);
    arguments.places.make_logs()?;
    let mut tasks = JoinSet::new();
    let (world, feeds) = World::new(&server.url(), &arguments.places, aws, &mut tasks).await?;
    let world = Arc::new(world);
    let source = Source::new(world.aws.sqs.clone(), Arc::clone(&world.strikes));
    tasks.spawn(mappings::feed(Arc::clone(&source), feeds, world.by_arn(), world.queue_address()));
    connect(&world, &source, &mut tasks).await?;
    sweeps(&world, &mut tasks);
    let bystanders = [world.onlookers.ours.id, world.onlookers.theirs.id];
    let before = onlookers::picture(&world.superuser, &bystanders).await?;
    progress.say(format_args!("seed {}: {} faults are planned", arguments.seed, faults.len()));

    let injector = Injector { world: &world, source: &source, server: &server, lately: Mutex::default() };
    injector.deaden();
    let mut load = Load::new(&world, arguments.seed, length);
    let rest = async {
        let stop = AtomicBool::new(false);
        let struck = async {
            let struck = strike(&injector, &faults, &progress).await;
            stop.store(true, Ordering::Relaxed);
            struck
        };
        let (struck, loaded) = tokio::join!(struck, load.run(&stop));
        struck.and(loaded)?;
        injector.stop();
        progress.say("the faults are over; everything comes to rest");
        settle(&world, &load).await
    };
    let pairs = tokio::select! {
        pairs = rest => pairs?,
        never = clock::pass(&world.superuser) => return never.map(|()| 0),
        never = say(&world, &progress) => return never.map(|()| 0),
    };
    tasks.shutdown().await;

    let mut differences = report::missing(&faults, &world.strikes);
    differences.extend(monitor::findings(&world.superuser, &source.seen()).await?);
    differences.extend(compare::differences(&world, &load, &pairs).await?);
    differences.extend(exports::differences(&world).await?);
    differences.extend(lanes::differences(&world).await?);
    let after = onlookers::picture(&world.superuser, &bystanders).await?;
    differences.extend(onlookers::differences(&before, &after));
    let sellers: Vec<_> = world.sellers.iter().map(|seller| seller.id).collect();
    let text = report::render_all(
        &world.superuser,
        &sellers,
        &faults,
        &world.strikes,
        &differences,
        began.elapsed(),
    );
    print(&text.await?)?;
    Ok(differences.len())
}

/// Makes the faults of the plan, and waits until the last ones have struck.
async fn strike(injector: &Injector<'_>, faults: &[Planned], progress: &Progress) -> anyhow::Result<()> {
    injector.run(faults).await?;
    let (since, mut last, mut said) = (Instant::now(), Instant::now(), 0);
    loop {
        let waiting = injector.waiting();
        if waiting.is_empty() || since.elapsed() > LINGER || last.elapsed() > LINGER_IDLE {
            return Ok(());
        }
        if waiting.len() != said {
            let some = &waiting[..waiting.len().min(SHOWN)];
            progress.say(format_args!(
                "{} faults are still to strike, such as: {}",
                waiting.len(),
                some.join(", ")
            ));
            (last, said) = (Instant::now(), waiting.len());
        }
        sleep(Duration::from_millis(250)).await;
    }
}

/// Connects the accounts, whose mappings feed the adapters, and hands the messages of all other queues to their functions.
async fn connect(world: &World, source: &Arc<Source>, tasks: &mut JoinSet<()>) -> anyhow::Result<()> {
    for account in &world.accounts {
        world.connect(account).await?;
    }
    for queues in &world.queues {
        for _ in 0..POLLERS_OF_A_PARALLEL_QUEUE {
            source.poll(&queues.parallel, world.adapter(queues.code), tasks);
        }
    }
    source.poll(&world.lane_requests, &world.lanes, tasks);
    source.poll(&world.exports, &world.exporter, tasks);
    Ok(())
}

/// Runs the sweeps again and again. A call that takes long does not hold the next one up, as on AWS.
fn sweeps(world: &Arc<World>, tasks: &mut JoinSet<()>) {
    let schedules = [
        (Arc::clone(&world.sweep), json!({"sweep": "scheduling"}), "scheduling", SWEEP_EVERY),
        (Arc::clone(&world.sweep), json!({"sweep": "raw_pages"}), "raw pages", COLLECT_EVERY),
        (Arc::clone(&world.redrive), json!({"collect": "dead_letters"}), "collect", COLLECT_EVERY),
        (Arc::clone(&world.lanes), json!({"sweep": "lane-reconcile"}), "reconcile", COLLECT_EVERY),
        (Arc::clone(&world.exporter), json!({"sweep": "exports"}), "exports", COLLECT_EVERY),
    ];
    for (function, event, what, every) in schedules {
        tasks.spawn(async move {
            let mut ticks = interval(every);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
            loop {
                ticks.tick().await;
                function.invoke(event.clone(), what).await;
            }
        });
    }
}

/// Says every few seconds how far the run is.
async fn say(world: &World, progress: &Progress) -> anyhow::Result<()> {
    let sellers: Vec<_> = world.sellers.iter().map(|seller| seller.id).collect();
    let mut ticks = interval(PROGRESS_EVERY);
    loop {
        ticks.tick().await;
        let row = world.superuser.row(ENDED, &[&sellers]).await?;
        let (ended, live): (i64, i64) = (row.get(0), row.get(1));
        let struck = world.strikes.all();
        progress.say(format_args!("{struck} faults struck, {ended} runs ended, {live} live"));
    }
}
