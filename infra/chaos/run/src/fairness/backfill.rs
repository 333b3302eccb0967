//! A backfill of 100,000 orders and a marketplace that hangs, beside a seller with five orders. All three are at AJIO.

use std::sync::Arc;

use robnu_dispatch::Job;
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::kind::RunKind;
use simulators::{Fault, FaultKind, Marketplace};
use tokio::task::JoinSet;

use super::lane::Lane;
use super::stage::{Stage, Sync};
use super::{Arguments, FEW, table};
use crate::account::{Account, Seller};
use crate::aws::Aws;
use crate::world;
use local::progress::Progress;

/// Orders of those who make the load.
const MANY: usize = 100_000;
/// How long each call of the seller with the hanging marketplace hangs, in milliseconds.
const HANGS: u64 = 3_000;
/// Syncs in a row, usual or under load.
const IN_A_ROW: usize = 5;
/// The load stops behind a slice.
const SLICE_SECONDS: u32 = 2;

const BEGIN: &str =
    "insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger, sent_at)
    values ($1, $2, 'AJIO', 'ORDERS', 'SCHEDULE', now()) on conflict do nothing returning id";
const STORED: &str = "select count(*) from robnu.orders where seller_id = $1";

/// What a series of syncs is measured under.
const LOADS: [&str; 3] = ["usual", "backfill and hanging marketplace", "the same at the lowest priority"];

/// Measures, and returns the table.
pub async fn measure(arguments: &Arguments, aws: Aws, progress: &Progress) -> anyhow::Result<String> {
    let mut tasks = JoinSet::new();
    let bench = Bench::new(Stage::new(arguments, aws).await?, &mut tasks).await?;
    let mut syncs: Vec<(usize, Sync)> = Vec::new();
    bench.sync().await?;
    for round in 1..=arguments.rounds {
        for load in 0..LOADS.len() {
            if load > 0 {
                bench.begin(load == 2).await?;
            }
            for _ in 0..IN_A_ROW {
                syncs.push((load, bench.sync().await?));
            }
            bench.rest().await;
        }
        let stored: i64 = bench.stage.superuser.row(STORED, &[&bench.noisy[0].0.seller]).await?.get(0);
        progress.say(format_args!("round {round} of {}; the backfill has {stored} orders", arguments.rounds));
    }
    tasks.shutdown().await;
    Ok(table("orders, in lanes", &LOADS, &syncs))
}

struct Bench {
    stage: Stage,
    seller: Seller,
    account: Account,
    /// The accounts that make the load, the backfill's first.
    noisy: Vec<(Account, Arc<Lane>)>,
}

impl Bench {
    async fn new(stage: Stage, tasks: &mut JoinSet<()>) -> anyhow::Result<Self> {
        let (mut accounts, mut sellers) = (Vec::new(), Vec::new());
        for (name, orders) in [("DVFEW", FEW), ("DVMANY", MANY), ("DVHANGS", MANY)] {
            let seller = stage.seller(name).await?;
            let id = robnu_tenancy::AccountId::new();
            let queue = world::lane(&stage.aws, id, &stage.queues, MarketplaceCode::Ajio).await?;
            let account = stage.account_with(id, &seller, name, orders, queue.clone()).await?;
            let lane = Lane::start(stage.aws.sqs.clone(), queue, stage.adapter(SLICE_SECONDS)?, tasks).await;
            accounts.push((account, lane));
            sellers.push(seller);
        }
        let hang = Fault::new(Marketplace::Ajio, "", FaultKind::Hang { millis: HANGS });
        stage.simulator.add_fault(hang.for_account("DVHANGS"));
        let (account, lane) = accounts.remove(0);
        lane.open(true);
        Ok(Self { stage, seller: sellers.remove(0), account, noisy: accounts })
    }

    /// Lets the others work, and waits until both are at it.
    async fn begin(&self, is_lowest: bool) -> anyhow::Result<()> {
        for (account, lane) in &self.noisy {
            let made = self.stage.superuser.query(BEGIN, &[&account.seller, &account.id]).await?;
            if let Some(run) = made.first() {
                let job = Job {
                    run_id: run.get(0),
                    step: 0,
                    generation: 0,
                    seller_id: account.seller,
                    account_id: account.id,
                    marketplace: MarketplaceCode::Ajio,
                    kind: RunKind::Orders,
                };
                self.stage.publish(Some(&account.lane), job).await?;
            }
            lane.nice(is_lowest);
            lane.open(true);
        }
        for (_, lane) in &self.noisy {
            lane.until_busy().await;
        }
        Ok(())
    }

    /// Stops the others behind their slices.
    async fn rest(&self) {
        for (_, lane) in &self.noisy {
            lane.open(false);
        }
        for (_, lane) in &self.noisy {
            lane.until_idle().await;
        }
    }

    async fn sync(&self) -> anyhow::Result<Sync> {
        self.stage.sync(&self.seller, &self.account, RunKind::Orders).await
    }
}
