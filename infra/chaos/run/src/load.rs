//! The load: schedules fall due, members ask for runs and checks, files are uploaded, and the marketplaces' books change.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::Context;
use fastrand::Rng;
use robnu_dispatch::{Publisher, RequestRun, Requested, mark_sent};
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::{Access, Permission, SellerScope};
use serde_json::json;
use simulators::{AjioReturnStatus, AjioStatus, FlipkartChange, State};
use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::account::Account;
use crate::book::order_book;
use crate::exports;
use crate::upload::{self, Upload};
use crate::world::{DEAD_ACCOUNT, World};

/// The share of the time in which accounts become ready.
const GROWS: f64 = 0.5;
/// So many accounts are ready at once.
const READY_AT_ONCE: usize = 3;
/// How often something happens.
const TICK: Duration = Duration::from_millis(120);
/// An account that has so many files to import uploads no more for now: each waits for the earlier ones, and gives up in the end.
const FILES_AT_ONCE: i64 = 3;
const FILES_UNDER_WAY: &str = "select count(*) from robnu.imports i left join robnu.sync_runs r on r.seller_id = i.seller_id and r.id = i.run_id
    where i.account_id = $1 and (r.id is null or r.finished_at is null)";
/// Meesho's orders in a file.
const ORDERS_OF_A_FILE: usize = 30;
/// Amazon shows some changes late: their stamps lie so many seconds back, at most.
const LATE_SECONDS: i64 = 150;
/// An adapter asks Flipkart for what changed until two minutes ago, and a run of chaos does not wait for so long.
const SETTLED_SECONDS: i64 = 130;

const FALL_DUE: &str = "update robnu.schedules set next_due_at = now() - interval '1 second', enabled = true where account_id = $1 and kind = $2";

/// The load of one run.
pub struct Load<'a> {
    world: &'a World,
    random: Rng,
    publisher: Publisher,
    /// How long accounts become ready, one after the other.
    growth: Duration,
    /// How often each account was moved.
    moves: Vec<usize>,
    /// The reports of Amazon's accounts as they were in the beginning.
    reports: Vec<Option<String>>,
    /// How many orders and returns of each account have changed.
    changed: Vec<(usize, usize)>,
    /// The files so far, with their accounts.
    pub uploads: Vec<(usize, Upload)>,
}

impl<'a> Load<'a> {
    /// A load that follows from the seed. Faults strike for `length`.
    pub fn new(world: &'a World, seed: u64, length: Duration) -> Self {
        let publisher = Publisher::new(world.aws.sqs.clone(), world.parallel.clone());
        let (changed, moves) = (vec![(0, 0); world.accounts.len()], vec![0; world.accounts.len()]);
        let random = Rng::with_seed(seed ^ 0x10ad);
        let reports = world.accounts.iter().map(|account| match account.code {
            MarketplaceCode::AmazonIn => world.simulator.amazon_order_report(&account.name).ok(),
            _ => None,
        });
        let reports = reports.collect();
        Self {
            world,
            random,
            publisher,
            growth: length.mul_f64(GROWS),
            moves,
            reports,
            changed,
            uploads: Vec::new(),
        }
    }

    /// Makes load until it is told to stop, which it does with nothing left half done. A first read can lose most, so the accounts begin one after the other, and faults meet each.
    pub async fn run(&mut self, stop: &AtomicBool) -> anyhow::Result<()> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let began = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            ticks.tick().await;
            let ready = began.elapsed().as_secs_f64() / self.growth.as_secs_f64();
            let at = self.random.usize(..ready_of(self.world.accounts.len(), ready));
            let account = &self.world.accounts[at];
            let kind = if self.random.bool() { RunKind::Orders } else { RunKind::Returns };
            if account.code == MarketplaceCode::Meesho {
                self.upload(at, account).await?;
                continue;
            }
            match self.random.u8(..11) {
                0..=3 => self.fall_due(account, kind).await?,
                4..=5 => self.ask(account, kind).await,
                6 => self.ask(account, RunKind::CredentialCheck).await,
                7 if self.reports[at].is_some() => self.upload_report(at, account).await?,
                8 => match self.random.u8(..6) {
                    0..=2 => self.relocate(at, account).await,
                    3 => exports::ask(self.world, self.world.seller(account), self.random.bool()).await,
                    _ => self.change(at, account)?,
                },
                _ => self.change(at, account)?,
            }
        }
        Ok(())
    }

    /// Lets the schedule of a kind fall due; an account without one has none.
    async fn fall_due(&self, account: &Account, kind: RunKind) -> anyhow::Result<()> {
        self.world.superuser.query(FALL_DUE, &[&account.id, &kind.as_str()]).await?;
        Ok(())
    }

    /// Asks for a run, as the API does for a member: writes the row, publishes, marks as sent. What fails is left to the sweep.
    pub async fn ask(&self, account: &Account, kind: RunKind) {
        let owner = self.world.seller(account).owner.clone();
        let scope = SellerScope::for_member(owner, account.seller, Permission::SyncRun, Access::Write);
        let request = RequestRun::new(account.id, kind, false, None);
        let asked = async {
            let session = self.world.api.session(&scope).await?;
            let answers = session.commit_with(&[(RequestRun::SQL, &request.params())]).await?;
            let row = answers.first().and_then(|rows| rows.first());
            let requested = row.map(|row| Requested::from_row(row, account.seller, account.id, kind));
            let Some(requested) = requested.transpose()?.filter(|requested| requested.is_unpublished) else {
                return anyhow::Ok(());
            };
            self.publisher.publish(requested.queue_url.as_deref(), requested.job.clone()).await?;
            Ok(mark_sent(&self.world.api, &scope, &[requested.job]).await?)
        };
        // The member's request fails with the database, and they ask again.
        drop(asked.await);
    }

    /// Uploads a file of Meesho's, in a third of the cases one that was uploaded before.
    async fn upload(&mut self, at: usize, account: &Account) -> anyhow::Result<()> {
        if files_under_way(self.world, account).await? >= FILES_AT_ONCE {
            return Ok(());
        }
        let of_account = self.uploads.iter().filter(|(of, _)| *of == at).count();
        let again = of_account > 0 && self.random.u8(..3) == 0;
        let number = if again { self.random.usize(..of_account) } else { of_account };
        let book = order_book(account.series, number * ORDERS_OF_A_FILE, ORDERS_OF_A_FILE)?;
        let upload = Upload::meesho(account, &book);
        upload::announce(self.world, account, &upload).await?;
        self.uploads.push((at, upload));
        Ok(())
    }

    /// Uploads Amazon's report of the beginning, whose versions of orders are old by now.
    async fn upload_report(&mut self, at: usize, account: &Account) -> anyhow::Result<()> {
        let Some(report) = &self.reports[at] else { return Ok(()) };
        if files_under_way(self.world, account).await? == 0 {
            upload::announce(self.world, account, &Upload::report(report.clone())).await?;
        }
        Ok(())
    }

    /// Moves the account to the other kind of lane, as an operator does, whatever goes on in its lane.
    async fn relocate(&mut self, at: usize, account: &Account) {
        let to = if self.moves[at].is_multiple_of(2) { "SHARED" } else { "DEDICATED" };
        self.moves[at] += 1;
        let change = json!({"account_id": account.id, "to": to, "operator": "chaos", "reason": "it is moved to and fro"});
        self.world.redrive.invoke(json!({ "move": change }), "move").await;
    }

    /// Lets one order or return of the account go on.
    fn change(&mut self, at: usize, account: &Account) -> anyhow::Result<()> {
        if account.name == DEAD_ACCOUNT {
            return Ok(());
        }
        let simulator: &State = &self.world.simulator;
        let (orders, returns) = &mut self.changed[at];
        let name = &account.name;
        let context = || format!("change the book of {name}");
        if self.random.u8(..4) == 0 {
            change_return(simulator, account, *returns).with_context(context)?;
            *returns += 1;
            return Ok(());
        }
        let number = *orders;
        *orders += 1;
        match account.code {
            MarketplaceCode::Ajio => {
                let open = simulator.ajio_orders(name)?;
                let open = open.iter().filter(|order| order.status == AjioStatus::Pendency).nth(number % 7);
                if let Some(order) = open {
                    simulator.set_ajio_status(name, &order.order_id, AjioStatus::Packed)?;
                }
            }
            MarketplaceCode::AmazonIn => {
                let book = account.book()?.context("Amazon has a book")?;
                let open: Vec<_> = book
                    .orders()
                    .iter()
                    .filter(|order| order.lines[0].status.starts_with("Pending -"))
                    .collect();
                if let Some(order) = open.get(number) {
                    let late = chrono::TimeDelta::seconds(self.random.i64(0..=LATE_SECONDS));
                    let updated_at = simulator.now() - late;
                    simulator.set_amazon_status(
                        name,
                        &order.order_id,
                        "Shipped - Picked Up",
                        Some(updated_at),
                    )?;
                }
            }
            MarketplaceCode::Flipkart => {
                let orders = simulator.flipkart_orders(name)?;
                let order = &orders[number % orders.len()];
                let change = FlipkartChange::Status("DELIVERED".to_owned());
                simulator.change_flipkart_order(name, order, None, &change, Some(settled(simulator)))?;
            }
            MarketplaceCode::Meesho => {}
        }
        Ok(())
    }
}

/// How many accounts are ready when this share of the time is over.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "there are few accounts"
)]
fn ready_of(accounts: usize, share: f64) -> usize {
    READY_AT_ONCE + ((accounts - READY_AT_ONCE) as f64 * share.min(1.0)) as usize
}

/// How many files of an account are not imported yet.
pub async fn files_under_way(world: &World, account: &Account) -> anyhow::Result<i64> {
    Ok(world.superuser.row(FILES_UNDER_WAY, &[&account.id]).await?.get(0))
}

fn change_return(simulator: &State, account: &Account, number: usize) -> anyhow::Result<()> {
    let name = &account.name;
    match account.code {
        MarketplaceCode::Ajio => {
            let open = simulator.ajio_returns(name)?;
            let is_open = |status| matches!(status, AjioReturnStatus::Initiated | AjioReturnStatus::Created);
            if let Some((id, _)) = open.iter().filter(|(_, status)| is_open(*status)).nth(number % 2) {
                simulator.set_ajio_return_status(name, id, AjioReturnStatus::Delivered)?;
            }
        }
        MarketplaceCode::Flipkart => {
            let open = simulator.flipkart_returns(name)?;
            if let Some((id, _)) = open.iter().find(|(_, status)| status == "CREATED") {
                simulator.set_flipkart_return_status(
                    name,
                    id,
                    None,
                    "COMPLETED",
                    Some(settled(simulator)),
                )?;
            }
        }
        // Amazon's returns follow from its orders, and Meesho's are not read.
        MarketplaceCode::AmazonIn | MarketplaceCode::Meesho => {}
    }
    Ok(())
}

/// The stamp of a change at Flipkart.
fn settled(simulator: &State) -> chrono::DateTime<chrono::Utc> {
    simulator.now() - chrono::TimeDelta::seconds(SETTLED_SECONDS)
}
