//! Requests runs, waits for them and lists them.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use serde_json::Value;

use super::accounts::{Account, api_list, ask_for_sync};
use super::plan::Seller;
use super::schedule;
use crate::aws::Aws;
use crate::progress::Progress;

/// Longer than the schedule's minute, the local AWS's ten-second clock and a large order book together.
const PATIENCE: Duration = Duration::from_mins(10);
/// How long the schedule may take to begin a run.
const SCHEDULE_PATIENCE: Duration = Duration::from_secs(150);
const INTERVAL: Duration = Duration::from_millis(250);
/// How often the schedule is fired while a run waits, for example for a report. On AWS it fires every few minutes.
const FIRE_EVERY: Duration = Duration::from_secs(2);

/// The stack's accounts, as the demo waits for their runs.
pub struct Waiter<'a> {
    pub aws: &'a Aws,
    pub sellers: &'a [Seller<'a>],
    pub accounts: &'a [Account],
}

impl<'a> Waiter<'a> {
    /// Requests one sync of each account and kind and waits until all have ended. An account has only one live run of a kind, so
    /// this first waits for a run that is under way already.
    pub async fn ask(&self, progress: &Progress) -> anyhow::Result<String> {
        let mut asked = Vec::new();
        for account in self.accounts {
            let api = &self.sellers[account.seller].api;
            for kind in &account.kinds {
                let since = Instant::now();
                let run = loop {
                    let (run, new) = ask_for_sync(api, account, kind).await?;
                    if new {
                        break run;
                    }
                    self.end_of(progress, account, &run, since).await?;
                };
                asked.push((account, run));
            }
        }
        let mut ended = Outcomes::default();
        for (account, run) in asked {
            ended.add(&self.end_of(progress, account, &run, Instant::now()).await?);
        }
        Ok(ended.text())
    }

    /// Waits until each account has a run of each kind that the schedule began and that has ended.
    pub async fn scheduled(&self, progress: &Progress) -> anyhow::Result<String> {
        let since = Instant::now();
        let mut announced = 0;
        let mut ended = Outcomes::default();
        let of_account = |account: &'a Account| account.kinds.iter().map(move |kind| (account, *kind));
        for (account, kind) in self.accounts.iter().flat_map(of_account) {
            let run = loop {
                let runs = runs_of(self.sellers, account).await?;
                let begun = runs.iter().find(|run| run["trigger"] == "SCHEDULE" && run["kind"] == kind);
                if let Some(run) = begun {
                    break run["run_id"].as_str().unwrap_or_default().to_owned();
                }
                if since.elapsed() > SCHEDULE_PATIENCE {
                    return Err(anyhow!(
                        "the schedule began no run for {kind} of {} within {} s; read `cargo xtask logs sweep`",
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
            ended.add(&self.end_of(progress, account, &run, Instant::now()).await?);
        }
        Ok(ended.text())
    }

    /// Waits until a run has ended. While it waits for its marketplace, the schedule is fired, so that it goes on in time.
    async fn end_of(
        &self,
        progress: &Progress,
        account: &Account,
        run: &str,
        since: Instant,
    ) -> anyhow::Result<Value> {
        let path = format!("/v1/sellers/{}/runs/{run}", account.seller_id);
        let mut fired: Option<Instant> = None;
        loop {
            let found = self.sellers[account.seller].api.get(&path).await?;
            match found["state"].as_str() {
                Some(state @ ("QUEUED" | "RUNNING" | "WAITING")) if since.elapsed() < PATIENCE => {
                    if state == "WAITING" && fired.is_none_or(|at| at.elapsed() > FIRE_EVERY) {
                        if fired.is_none() {
                            let why = found["error"]["message"].as_str().unwrap_or("it waits");
                            progress.say(format_args!("  {}: {why} …", account.display_name));
                        }
                        schedule::fire(self.aws).await?;
                        fired = Some(Instant::now());
                    }
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
}

/// How many runs had which outcome.
#[derive(Default)]
struct Outcomes(BTreeMap<String, usize>);

impl Outcomes {
    fn add(&mut self, run: &Value) {
        *self.0.entry(run["outcome"].as_str().unwrap_or("no outcome").to_owned()).or_default() += 1;
    }

    fn text(&self) -> String {
        let counts: Vec<String> = self.0.iter().map(|(outcome, runs)| format!("{runs} {outcome}")).collect();
        counts.join(", ")
    }
}

/// The runs of all accounts as the API shows them, with marketplace and seller added. Each account's oldest run comes first.
pub async fn list(sellers: &[Seller<'_>], accounts: &[Account]) -> anyhow::Result<Vec<Value>> {
    let mut all = Vec::new();
    for account in accounts {
        let mut runs = runs_of(sellers, account).await?;
        runs.sort_by_key(|run| run["queued_at"].as_str().unwrap_or_default().to_owned());
        for mut run in runs {
            run["marketplace"] = account.marketplace.clone().into();
            run["seller_id"] = account.seller_id.clone().into();
            all.push(run);
        }
    }
    Ok(all)
}

async fn runs_of(sellers: &[Seller<'_>], account: &Account) -> anyhow::Result<Vec<Value>> {
    let path = format!("/v1/sellers/{}/runs?account_id={}", account.seller_id, account.id);
    api_list(&sellers[account.seller].api, &path, "runs").await
}
