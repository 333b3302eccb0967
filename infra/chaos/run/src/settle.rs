//! After the faults: everything comes to rest. Then each account is read once more, and a quiet seller reads the same books for the first time.

use std::time::Duration;

use anyhow::Context;
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::kind::RunKind;
use serde_json::json;
use tokio::time::{Instant, sleep};

use crate::account::Account;
use crate::function::Outcome;
use crate::load::{Load, files_under_way};
use crate::upload::{self, Upload};
use crate::world::{DEAD_ACCOUNT, World};

/// How long runs may take to end when no fault strikes any more.
const PATIENCE: Duration = Duration::from_secs(45);
const PAUSE: Duration = Duration::from_millis(250);

const STOP_SCHEDULES: &str = "update robnu.schedules set enabled = false where enabled";
/// Runs and exports that are not over, imports without a run, and accounts that still move.
const UNENDED: &str = "select
    (select count(*) from robnu.sync_runs where state in ('QUEUED', 'RUNNING', 'WAITING', 'DEAD_LETTERED'))
    + (select count(*) from robnu.imports where run_id is null)
    + (select count(*) from robnu.exports where state in ('QUEUED', 'RUNNING'))
    + (select count(*) from robnu.marketplace_accounts where lane_state <> 'RETIRED' and lane_kind_since is not null
        and (lane_state <> 'ACTIVE' or (lane_kind = 'SHARED') <> lane_shared))";
/// Letters that can be handled again.
const LETTERS: &str = "select count(*) from robnu.sync_runs where state = 'DEAD_LETTERED'";
const ASKED: &str = "select count(*) from robnu.sync_runs where account_id = $1 and kind = $2";

/// An account with that of the quiet seller who reads the same book.
pub struct Pair {
    /// The account.
    pub account: Account,
    /// The quiet one.
    pub mirror: Account,
}

/// Brings everything to rest. Returns the accounts to compare, or none if something does not come to rest: that is enough of a difference.
pub async fn settle(world: &World, load: &Load<'_>) -> anyhow::Result<Vec<Pair>> {
    world.superuser.query(STOP_SCHEDULES, &[]).await?;
    if !rest(world).await? {
        return Ok(Vec::new());
    }
    let pairs = mirror(world).await?;
    let both = pairs.iter().flat_map(|pair| [&pair.account, &pair.mirror]);
    let read: Vec<&Account> = both.filter(|account| account.code != MarketplaceCode::Meesho).collect();
    ask(world, load, &read).await?;
    for (at, sent) in &load.uploads {
        let of = &world.accounts[*at];
        let pair =
            pairs.iter().find(|pair| pair.account.id == of.id).context("every account has a mirror")?;
        let since = Instant::now();
        while files_under_way(world, &pair.mirror).await? > 0 && since.elapsed() < PATIENCE {
            sleep(PAUSE / 5).await;
        }
        upload::announce(world, &pair.mirror, &Upload::again(sent)).await?;
    }
    rest(world).await?;
    Ok(pairs)
}

/// Asks for a run of both kinds for each account, until there is one more.
async fn ask(world: &World, load: &Load<'_>, accounts: &[&Account]) -> anyhow::Result<()> {
    for account in accounts {
        for kind in [RunKind::Orders, RunKind::Returns] {
            let runs = async || -> anyhow::Result<i64> {
                Ok(world.superuser.row(ASKED, &[&account.id, &kind.as_str()]).await?.get(0))
            };
            let (before, since) = (runs().await?, Instant::now());
            while runs().await? == before && since.elapsed() < PATIENCE {
                load.ask(account, kind).await;
            }
        }
    }
    Ok(())
}

/// Waits, with a bound, until all runs are over, and returns whether they are. What is not over then is found when the rows are compared.
async fn rest(world: &World) -> anyhow::Result<bool> {
    let since = Instant::now();
    while since.elapsed() < PATIENCE {
        let unended: i64 = world.superuser.row(UNENDED, &[]).await?.get(0);
        if unended == 0 {
            return Ok(true);
        }
        let letters: i64 = world.superuser.row(LETTERS, &[]).await?.get(0);
        if letters > 0 {
            redrive(world).await;
        }
        sleep(PAUSE).await;
    }
    Ok(false)
}

/// Handles all dead letters again, as an operator would.
async fn redrive(world: &World) {
    let request = json!({"redrive": {"operator": "chaos", "reason": "the faults are over", "rate": 100.0}});
    let outcome = world.redrive.invoke(request, "redrive").await;
    if let Outcome::Error(error) = outcome {
        eprintln!("the redrive failed: {error}");
    }
}

/// Connects the quiet seller's accounts.
async fn mirror(world: &World) -> anyhow::Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    for account in world.accounts.iter().filter(|account| account.name != DEAD_ACCOUNT) {
        let mirror = world.mirrored(account).await?;
        world.connect(&mirror).await?;
        pairs.push(Pair { account: account.clone(), mirror });
    }
    world.superuser.query(STOP_SCHEDULES, &[]).await?;
    Ok(pairs)
}
