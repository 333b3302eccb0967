//! Requests runs, waits for them and lists them.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use serde_json::Value;

use super::accounts::{Account, api_list, ask_for_sync};
use super::plan::Seller;
use crate::progress::Progress;

/// Longer than the schedule's minute, the local AWS's ten-second clock and a large order book together.
const PATIENCE: Duration = Duration::from_mins(10);
/// How long the schedule may take to begin a run.
const SCHEDULE_PATIENCE: Duration = Duration::from_secs(150);
const INTERVAL: Duration = Duration::from_millis(250);

/// Requests one sync of each account and waits until all have ended. An account has only one live run of a kind, so this
/// first waits for a run that is under way already.
pub async fn ask(sellers: &[Seller<'_>], accounts: &[Account]) -> anyhow::Result<String> {
    let mut asked = Vec::new();
    for account in accounts {
        let api = &sellers[account.seller].api;
        let since = Instant::now();
        let run = loop {
            let (run, new) = ask_for_sync(api, account).await?;
            if new {
                break run;
            }
            wait_for_end(sellers, account, &run, since).await?;
        };
        asked.push((account, run));
    }
    let mut states = Vec::new();
    for (account, run) in asked {
        let run = wait_for_end(sellers, account, &run, Instant::now()).await?;
        states.push(outcome(&run));
    }
    Ok(states.join(", "))
}

/// Waits until each account has a run for orders that the schedule began and that has ended.
pub async fn wait_for_schedule(
    progress: &Progress,
    sellers: &[Seller<'_>],
    accounts: &[Account],
) -> anyhow::Result<String> {
    let since = Instant::now();
    let mut announced = 0;
    let mut states = Vec::new();
    for account in accounts {
        let run = loop {
            let runs = of_account(sellers, account).await?;
            let is_scheduled = |run: &&Value| run["trigger"] == "SCHEDULE" && run["kind"] == "ORDERS";
            if let Some(run) = runs.iter().find(is_scheduled) {
                break run["run_id"].as_str().unwrap_or_default().to_owned();
            }
            if since.elapsed() > SCHEDULE_PATIENCE {
                return Err(anyhow!(
                    "the schedule began no run of {} within {} s; read `cargo xtask logs sweep`",
                    account.display_name,
                    SCHEDULE_PATIENCE.as_secs()
                ));
            }
            if since.elapsed().as_secs() / 10 > announced {
                announced = since.elapsed().as_secs() / 10;
                progress.say("  waiting for the schedule …");
            }
            tokio::time::sleep(INTERVAL).await;
        };
        states.push(outcome(&wait_for_end(sellers, account, &run, Instant::now()).await?));
    }
    Ok(states.join(", "))
}

/// The runs of all accounts as the API shows them, with marketplace and seller added. Each account's oldest run comes first.
pub async fn list(sellers: &[Seller<'_>], accounts: &[Account]) -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    for account in accounts {
        let mut runs = of_account(sellers, account).await?;
        runs.sort_by_key(|run| run["queued_at"].as_str().unwrap_or_default().to_owned());
        for mut run in runs {
            run["marketplace"] = account.marketplace.clone().into();
            run["seller_id"] = account.seller_id.clone().into();
            all.push(run);
        }
    }
    Ok(all)
}

async fn of_account(sellers: &[Seller<'_>], account: &Account) -> anyhow::Result<Vec<Value>> {
    let path = format!("/v1/sellers/{}/runs?account_id={}", account.seller_id, account.id);
    api_list(&sellers[account.seller].api, &path, "runs").await
}

async fn wait_for_end(
    sellers: &[Seller<'_>],
    account: &Account,
    run: &str,
    since: Instant,
) -> anyhow::Result<Value> {
    let path = format!("/v1/sellers/{}/runs/{run}", account.seller_id);
    loop {
        let found = sellers[account.seller].api.get(&path).await?;
        match found["state"].as_str() {
            Some("QUEUED" | "RUNNING" | "WAITING") if since.elapsed() < PATIENCE => {
                tokio::time::sleep(INTERVAL).await;
            }
            Some("SUCCEEDED") => return Ok(found),
            state => {
                return Err(anyhow!(
                    "run {run} of {} is {}: {}; read `cargo xtask logs`",
                    account.display_name,
                    state.unwrap_or("in no known state"),
                    found["error"]
                ));
            }
        }
    }
}

fn outcome(run: &Value) -> String {
    run["outcome"].as_str().unwrap_or("no outcome").to_owned()
}
