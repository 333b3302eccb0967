//! Makes the planned faults at their times.

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::Duration;

use anyhow::Context;
use local::{ScratchServer, Stop};
use robnu_marketplace::code::MarketplaceCode;
use simulators::{Fault as Simulated, FaultKind, Malformation};
use tokio::time::{Instant, sleep, sleep_until};

use crate::account::Account;
use crate::function::Doom;
use crate::plan::{Fault, Planned};
use crate::source::{MessageFault, Source};
use crate::strikes::lock;
use crate::world::{DEAD_ACCOUNT, World};

/// A process that is to be killed dies within this time of the beginning of its event.
const KILLED_WITHIN: Duration = Duration::from_millis(400);
/// By then the run of a frozen attempt is in other hands: its lease is over and its message has come back, which takes four seconds.
const TAKEN_OVER: Duration = Duration::from_secs(9);
/// A call of a client is tried three times, so a few failures in a row reach its caller.
const CALLS_IN_A_ROW: usize = 4;
/// Faults of an account that follow each other within this time may meet the same call and its repetition.
const IN_A_ROW: Duration = Duration::from_secs(20);
/// How long a victim for a cut connection is looked for.
const LOOK_FOR: Duration = Duration::from_secs(1);
/// One connection of a function that is in a transaction.
const CUT: &str = "select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and usename like 'robnu\\_%' and usename <> 'robnu_api' and state <> 'idle' and xact_start is not null
    order by usename, xact_start limit 1";

/// Makes faults.
pub struct Injector<'a> {
    /// Whom they meet.
    pub world: &'a World,
    /// The messages.
    pub source: &'a Source,
    /// The database's server.
    pub server: &'a ScratchServer,
    /// When accounts last got which fault of their marketplace.
    pub lately: Mutex<HashMap<(Fault, String), Instant>>,
}

impl Injector<'_> {
    /// Makes all faults of the plan.
    pub async fn run(&self, plan: &[Planned]) -> anyhow::Result<()> {
        let began = Instant::now();
        for planned in plan {
            sleep_until(began + planned.at).await;
            self.make(planned).await.with_context(|| format!("make the fault: {}", planned.fault))?;
        }
        Ok(())
    }

    async fn make(&self, planned: &Planned) -> anyhow::Result<()> {
        let Planned { fault, choice, share, .. } = *planned;
        let strikes = &self.world.strikes;
        match fault {
            Fault::Kill => self.doom(choice, Doom::Kill(KILLED_WITHIN.mul_f64(share))),
            Fault::Freeze => {
                let doom = Doom::Freeze(KILLED_WITHIN.mul_f64(share) / 2, TAKEN_OVER);
                self.world.adapters[choice % 3].doom(doom);
            }
            Fault::DatabaseRestart | Fault::DatabaseCrash => {
                let how = if fault == Fault::DatabaseCrash { Stop::Immediate } else { Stop::Fast };
                let server = ScratchServer::clone(self.server);
                tokio::task::spawn_blocking(move || server.restart(how)).await??;
                strikes.count(fault);
            }
            Fault::ConnectionCut => self.cut().await?,
            Fault::MessageLost if choice % 3 == 0 => self.source.spoil(MessageFault::NoticeLost),
            Fault::MessageLost => self.source.spoil(MessageFault::Lost),
            Fault::MessageDoubled => self.source.spoil(MessageFault::Doubled),
            Fault::MessageDelayed => {
                self.source.spoil(MessageFault::Delayed(Duration::from_secs(6).mul_f64(share)));
            }
            Fault::S3 | Fault::Kms | Fault::Sqs | Fault::Lambda => {
                self.world.gateway.fail(fault, CALLS_IN_A_ROW, share < 0.3);
            }
            _ => self.simulate(fault, choice, share),
        }
        Ok(())
    }

    /// Dooms a process of some function: mostly of one that reads a marketplace.
    fn doom(&self, choice: usize, doom: Doom) {
        let World { adapters, sweep, redrive, lanes, exporter, .. } = self.world;
        // The thirds are the adapters of AJIO, Amazon and Flipkart.
        let function = match choice % 24 {
            0..=14 => &adapters[choice % 3],
            15..=16 => &adapters[3],
            17..=18 => lanes,
            19..=20 => exporter,
            21 => redrive,
            _ => sweep,
        };
        function.doom(doom);
    }

    async fn cut(&self) -> anyhow::Result<()> {
        let since = Instant::now();
        while since.elapsed() < LOOK_FOR {
            let cut = self.world.superuser.query(CUT, &[]).await?;
            if !cut.is_empty() {
                self.world.strikes.count(Fault::ConnectionCut);
                return Ok(());
            }
            sleep(Duration::from_millis(2)).await;
        }
        Ok(())
    }

    /// Sets a fault of a marketplace's simulator for one account. It counts as struck when the simulator has used it up.
    fn simulate(&self, fault: Fault, choice: usize, share: f64) {
        let live =
            |account: &&Account| account.code != MarketplaceCode::Meesho && account.name != DEAD_ACCOUNT;
        let accounts: Vec<&Account> = self
            .world
            .accounts
            .iter()
            .filter(|account| live(account) && !(is_once(fault) && self.has_lately(fault, account)))
            .collect();
        let Some(account) = accounts.get(choice % accounts.len().max(1)) else { return };
        let lists = match account.code {
            MarketplaceCode::Flipkart => "/sellers",
            _ => "/orders",
        };
        let (path, kind) = match fault {
            Fault::Throttled => {
                ("", FaultKind::Status { status: 429, retry_after: Some(u32::from(share > 0.5)) })
            }
            Fault::ServerError => {
                ("", FaultKind::Status { status: if share > 0.5 { 500 } else { 503 }, retry_after: None })
            }
            Fault::Hang => (lists, FaultKind::Hang { millis: if share > 0.5 { 6_500 } else { 1_500 } }),
            Fault::CutAnswer => (lists, FaultKind::DropConnection),
            Fault::Garbage => (lists, FaultKind::Garbage),
            Fault::Truncated => (lists, FaultKind::Truncated),
            Fault::EmptyPage => (lists, FaultKind::EmptyPage),
            Fault::RepeatedPage => (lists, FaultKind::RepeatPage),
            Fault::ExpiredTokens => (lists, FaultKind::ExpireTokens),
            _ => {
                let malformation = Malformation::MissingField { field: None };
                (lists, FaultKind::Malformed { malformation, record: choice % 50 })
            }
        };
        let simulated = Simulated::new(account.marketplace(), path, kind).for_account(&account.name);
        self.world.simulator.add_fault(simulated.times(1));
        self.world.strikes.count(fault);
        lock(&self.lately).insert((fault, account.name.clone()), Instant::now());
    }

    /// Whether an account still waits for such a fault, or met one a moment ago.
    fn has_lately(&self, fault: Fault, account: &Account) -> bool {
        let pending = self.world.simulator.faults();
        let is_same =
            |set: &Simulated| of_kind(set) == Some(fault) && set.account.as_ref() == Some(&account.name);
        let set = lock(&self.lately).get(&(fault, account.name.clone())).copied();
        pending.iter().any(is_same) || set.is_some_and(|at| at.elapsed() < IN_A_ROW)
    }

    /// The faults that still wait for what they are to meet.
    pub fn waiting(&self) -> Vec<String> {
        let dooms = self.world.functions().filter(|function| function.doomed() > 0);
        let mut waiting: Vec<String> =
            dooms.map(|function| format!("{} is doomed", function.name())).collect();
        let simulated = self.world.simulator.faults();
        waiting.extend(simulated.iter().filter_map(|set| {
            let fault = of_kind(set)?;
            Some(format!("{fault} for {}", set.account.as_deref().unwrap_or_default()))
        }));
        waiting.extend((self.source.spoiled() > 0).then(|| "messages".to_owned()));
        waiting.extend((self.world.gateway.failing() > 0).then(|| "calls of AWS".to_owned()));
        waiting
    }

    /// Stops all faults, and takes back those of simulators that no call has met.
    pub fn stop(&self) {
        for function in self.world.functions() {
            function.spare();
        }
        self.source.spare();
        self.world.gateway.spare();
        for left in self.world.simulator.faults() {
            if let Some(fault) = of_kind(&left) {
                self.world.strikes.take_back(fault);
            }
        }
        self.world.simulator.clear_faults();
        self.deaden();
    }

    /// Lets the dead account's marketplace answer nonsense for ever.
    pub fn deaden(&self) {
        let garbage = Simulated::new(simulators::Marketplace::Ajio, "", FaultKind::Garbage);
        self.world.simulator.add_fault(garbage.for_account(DEAD_ACCOUNT));
    }
}

/// Whether two such faults in a row are something else: tokens that expire as soon as they are issued are refused credentials, and a page
/// that is empty again and again is the end of its list.
fn is_once(fault: Fault) -> bool {
    matches!(fault, Fault::ExpiredTokens | Fault::EmptyPage)
}

/// The planned fault that a simulator's fault is; none for that of the dead account.
fn of_kind(simulated: &Simulated) -> Option<Fault> {
    simulated.count?;
    Some(match simulated.kind {
        FaultKind::Status { status: 429, .. } => Fault::Throttled,
        FaultKind::Status { .. } => Fault::ServerError,
        FaultKind::Hang { .. } => Fault::Hang,
        FaultKind::DropConnection => Fault::CutAnswer,
        FaultKind::Garbage => Fault::Garbage,
        FaultKind::Truncated => Fault::Truncated,
        FaultKind::EmptyPage => Fault::EmptyPage,
        FaultKind::RepeatPage => Fault::RepeatedPage,
        FaultKind::ExpireTokens => Fault::ExpiredTokens,
        _ => Fault::MalformedRecord,
    })
}
