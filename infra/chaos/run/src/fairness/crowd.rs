//! A thousand accounts of one seller that are due at once, beside another seller with one. All of them read returns of AJIO, through its one
//! parallel queue, and only a few runs of AJIO may be under way at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use local::progress::Progress;
use robnu_marketplace::kind::RunKind;
use robnu_testkit::LambdaProcess;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::lane::Lane;
use super::stage::{Stage, Sync};
use super::{Arguments, FEW, table};
use crate::aws::Aws;

/// Runs of AJIO that may be under way at once, each with a process.
const PLACES: i32 = 8;
/// Syncs in a row, usual or under load.
const IN_A_ROW: usize = 5;
const TIMEOUT: Duration = Duration::from_secs(20);

const LIMIT: &str = "update robnu.marketplaces set runs_at_once = $1 where code = 'AJIO'";
/// Every account of the seller gets a run that no message announces yet, as a schedule makes it.
const FALL_DUE: &str = "insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger)
    select seller_id, id, 'AJIO', 'RETURNS', 'SCHEDULE' from robnu.marketplace_accounts where seller_id = $1 on conflict do nothing";
const CANCEL: &str = "update robnu.sync_runs set state = 'CANCELLED', finished_at = now()
    where seller_id = $1 and state = 'QUEUED' and sent_at is null";
const LIVE: &str =
    "select count(*) from robnu.sync_runs where seller_id = $1 and state in ('QUEUED', 'RUNNING', 'WAITING')";
const DONE: &str = "select count(*) from robnu.sync_runs where seller_id = $1 and state = 'SUCCEEDED'";

/// Odd ones are beside the noisy accounts.
const LOADS: [&str; 4] = [
    "asked for, usual",
    "asked for, beside the noisy accounts",
    "by schedule, usual",
    "by schedule, beside the noisy accounts",
];

/// Measures, and returns the table.
pub async fn measure(arguments: &Arguments, aws: Aws, progress: &Progress) -> anyhow::Result<String> {
    let stage = Stage::new(arguments, aws).await?;
    stage.superuser.query(LIMIT, &[&PLACES]).await?;
    let (quiet, noisy) = (stage.seller("Quiet").await?, stage.seller("Noisy").await?);
    // Returns need no lane, only an account that has one.
    let lane = || stage.no_lane();
    let account = stage.account(&quiet, "DVQUIET", FEW, lane()).await?;
    for at in 0..arguments.accounts {
        stage.account(&noisy, &format!("DVN{at}"), FEW, lane()).await?;
    }
    progress.say(format_args!("{} noisy accounts are connected", arguments.accounts));
    let mut tasks = JoinSet::new();
    let queue = stage.ajio()?.parallel.clone();
    for _ in 0..PLACES {
        let lane = Lane::start(stage.aws.sqs.clone(), queue.clone(), stage.adapter(60)?, &mut tasks).await;
        lane.open(true);
    }
    let goes_on = Arc::new(AtomicBool::new(true));
    let (sweep, program) = (Arc::clone(&goes_on), stage.sweep());
    tasks.spawn(async move {
        let process = LambdaProcess::start(&program.file, &program.environment, TIMEOUT).await;
        while sweep.load(Ordering::Relaxed) {
            drop(process.invoke(json!({"sweep": "scheduling"})).await);
            sleep(Duration::from_secs(1)).await;
        }
    });
    let mut syncs: Vec<(usize, Sync)> = Vec::new();
    stage.sync(&quiet, &account, RunKind::Returns).await?;
    for round in 1..=arguments.rounds {
        for load in 0..LOADS.len() {
            for _ in 0..IN_A_ROW {
                if load % 2 > 0 {
                    stage.superuser.query(FALL_DUE, &[&noisy.id]).await?;
                    full(&stage, &noisy).await?;
                }
                let sync = match load {
                    0 | 1 => stage.sync(&quiet, &account, RunKind::Returns).await?,
                    _ => stage.scheduled(&account, RunKind::Returns).await?,
                };
                syncs.push((load, sync));
            }
            stage.superuser.query(CANCEL, &[&noisy.id]).await?;
            while stage.superuser.row(LIVE, &[&noisy.id]).await?.get::<_, i64>(0) > 0 {
                stage.superuser.query(CANCEL, &[&noisy.id]).await?;
                sleep(Duration::from_millis(50)).await;
            }
        }
        let done: i64 = stage.superuser.row(DONE, &[&noisy.id]).await?.get(0);
        progress
            .say(format_args!("round {round} of {}; the noisy accounts had {done} syncs", arguments.rounds));
    }
    goes_on.store(false, Ordering::Relaxed);
    tasks.shutdown().await;
    Ok(table(&format!("returns, {PLACES} runs at once"), &LOADS, &syncs))
}

/// Waits until all places are taken.
async fn full(stage: &Stage, noisy: &crate::account::Seller) -> anyhow::Result<()> {
    let taken = "select count(*) from robnu.sync_runs where seller_id = $1 and (state = 'RUNNING' or sent_at is not null and state = 'QUEUED')";
    while stage.superuser.row(taken, &[&noisy.id]).await?.get::<_, i64>(0) < i64::from(PLACES) / 2 {
        sleep(Duration::from_millis(5)).await;
    }
    Ok(())
}
