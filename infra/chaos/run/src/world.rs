//! Everything that a run needs, made for it alone: a database, sellers with accounts, queues, the simulators, and the functions.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context;
use robnu_dispatch::{ParallelQueues, lane_queue_name};
use robnu_marketplace::code::{MARKETPLACE_CODES, MarketplaceCode};
use robnu_storage::KeyService;
use robnu_tenancy::{AccountId, Database};
use robnu_testkit::{TestDatabase, TwoSellers};
use simulators::{Quota, Simulator, SimulatorConfig};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::JoinSet;

use crate::account::{Account, Seller};
use crate::aws::{Aws, arn};
use crate::environment::{Environments, Places};
use crate::function::Function;
use crate::gateway::Gateway;
use crate::mappings::{Feed, Mappings, adapter_arn};
use crate::monitor;
use crate::schema;
use crate::strikes::Strikes;
use crate::superuser::Superuser;

/// The name of the account whose marketplace never answers anything sensible.
pub const DEAD_ACCOUNT: &str = "DV9DEAD";
/// The accounts of each of the two sellers. The first reads are the ones that can lose most, so there are several accounts of each kind.
const ACCOUNTS: [MarketplaceCode; 7] = [
    MarketplaceCode::Ajio,
    MarketplaceCode::AmazonIn,
    MarketplaceCode::AmazonIn,
    MarketplaceCode::Flipkart,
    MarketplaceCode::Ajio,
    MarketplaceCode::Meesho,
    MarketplaceCode::AmazonIn,
];
/// Nothing of the onlookers is due. Counts of requests are the one table that a crash of the server may empty.
pub const UNINVOLVED: &str = "update robnu.schedules set enabled = false; delete from robnu.raw_pages; delete from robnu.request_counts; delete from robnu.exports";
const STORE_MAPPING: &str = "update robnu.marketplace_accounts set lane_mapping_id = $2 where id = $1";
/// Quotas that the accounts of a run never exhaust: 429 is a fault of its own.
const PLENTY: Quota = Quota { rate: 1000.0, burst: 1000 };

/// A marketplace's queues.
#[derive(Debug, Clone)]
pub struct Queues {
    /// The marketplace.
    pub code: MarketplaceCode,
    /// Its parallel queue.
    pub parallel: String,
    /// Where the messages of lanes die, and those of the parallel queue.
    pub lane_letters: String,
    pub parallel_letters: String,
}

/// The world.
pub struct World {
    /// The run's database. It is dropped with the world.
    _database: TestDatabase,
    /// Sees everything.
    pub superuser: Arc<Superuser>,
    /// Sellers that have nothing to do with the run. Not a row of theirs may change.
    pub onlookers: TwoSellers,
    /// The sellers whose accounts are read while faults strike.
    pub sellers: Vec<Seller>,
    /// A seller whose accounts read the same books when everything is quiet.
    pub mirror: Seller,
    /// The accounts of the sellers.
    pub accounts: Vec<Account>,
    /// The simulated marketplaces.
    pub simulator: Simulator,
    /// Queues, bucket and keys.
    pub aws: Aws,
    /// The functions' way to the local AWS.
    pub gateway: Gateway,
    /// The marketplaces' queues.
    pub queues: Vec<Queues>,
    /// The adapters, in the order of the queues.
    pub adapters: Vec<Arc<Function>>,
    /// The sweeps.
    pub sweep: Arc<Function>,
    /// The function that collects dead letters.
    pub redrive: Arc<Function>,
    /// The function of lanes, and the queue of its requests.
    pub lanes: Arc<Function>,
    pub lane_requests: String,
    /// The function that writes exports, and its queue.
    pub exporter: Arc<Function>,
    pub exports: String,
    /// What feeds lanes to adapters.
    pub mappings: Arc<Mappings>,
    /// The database as the API.
    pub api: Database,
    /// The parallel queues by marketplace.
    pub parallel: ParallelQueues,
    /// What struck.
    pub strikes: Arc<Strikes>,
}

impl World {
    /// Makes the world, and returns what lanes are to feed. Its servers and processes end with `tasks`.
    pub async fn new(
        server: &str,
        places: &Places,
        aws: Aws,
        tasks: &mut JoinSet<()>,
    ) -> anyhow::Result<(Self, UnboundedReceiver<Feed>)> {
        let database = schema::database(&places.migrations).await?;
        let superuser = Arc::new(Superuser::new(server, database.name())?);
        let strikes = Arc::new(Strikes::default());
        let onlookers = TwoSellers::seed(&database).await;
        superuser.script(UNINVOLVED).await?;
        let simulator = Simulator::start(&simulator_config()?).context("start the simulators")?;
        let (mappings, feeds) = Mappings::new();
        let gateway = Gateway::start(&places.endpoint, &mappings, &strikes, tasks).await?;
        let queues = queues(&aws).await?;
        let lane_requests = aws.queue(&format!("{}lane-requests", aws.prefix), None).await?;
        let exports = aws.queue(&format!("{}exports", aws.prefix), None).await?;
        let keys = KeyService::new(aws.kms.clone(), aws.key.clone());
        let mut sellers = Vec::new();
        for name in ["Asha", "Ravi"] {
            sellers.push(Seller::new(&superuser, &keys, name).await?);
        }
        let mirror = Seller::new(&superuser, &keys, "Quiet").await?;
        let accounts = accounts(&aws, &sellers, &queues).await?;
        for account in &accounts {
            account.register(&simulator)?;
        }
        monitor::begin(&superuser).await?;
        let parallel = [0, 1, 2, 3].map(|at| (queues[at].code, queues[at].parallel.clone()));
        let functions = Environments {
            places,
            database: &database,
            aws: &aws,
            aws_url: &gateway.url,
            simulator: &simulator,
        };
        let mut start = |program, processes| Function::start(program, processes, &strikes, &superuser, tasks);
        let adapters = queues.iter().map(|of| start(functions.adapter(of), 2)).collect();
        let sweep = start(functions.sweep(&queues), 2);
        let redrive = start(functions.redrive(&queues, &lane_requests, &exports), 1);
        let fed: Vec<_> = queues.iter().map(|of| (of, adapter_arn(of.code.as_str()))).collect();
        let lanes = start(functions.lanes(&queues, &fed, &lane_requests), 2);
        let exporter = start(functions.exporter(&exports), 1);
        let api = database.login("robnu_api").await;
        let world = Self {
            superuser,
            onlookers,
            sellers,
            mirror,
            accounts,
            simulator,
            aws,
            gateway,
            queues,
            adapters,
            sweep,
            redrive,
            lanes,
            lane_requests,
            exporter,
            exports,
            mappings,
            api,
            parallel: ParallelQueues::from(parallel),
            strikes,
            _database: database,
        };
        Ok((world, feeds))
    }

    /// All functions.
    pub fn functions(&self) -> impl Iterator<Item = &Arc<Function>> {
        self.adapters.iter().chain([&self.sweep, &self.redrive, &self.lanes, &self.exporter])
    }

    /// Connects an account to its seller, with a mapping for its lane.
    pub async fn connect(&self, account: &Account) -> anyhow::Result<()> {
        self.seller(account).connect(&self.superuser, account).await?;
        let mapping = self.mappings.add(&arn(&account.lane), &adapter_arn(account.code.as_str()));
        self.superuser.query(STORE_MAPPING, &[&account.id, &mapping]).await?;
        Ok(())
    }

    /// The adapters, as mappings name them.
    pub fn by_arn(&self) -> HashMap<String, Arc<Function>> {
        let adapters = self.queues.iter().zip(&self.adapters);
        adapters.map(|(of, adapter)| (adapter_arn(of.code.as_str()), Arc::clone(adapter))).collect()
    }

    /// What the URLs of all queues begin with.
    pub fn queue_address(&self) -> String {
        self.exports.rsplit_once('/').map_or_else(String::new, |(address, _)| address.to_owned())
    }

    /// The seller of an account.
    pub fn seller(&self, account: &Account) -> &Seller {
        self.sellers.iter().find(|seller| seller.id == account.seller).unwrap_or(&self.mirror)
    }

    /// The adapter that serves a marketplace.
    pub fn adapter(&self, code: MarketplaceCode) -> &Arc<Function> {
        &self.adapters[self.queues.iter().position(|of| of.code == code).unwrap_or_default()]
    }

    /// The mirror's account of another seller's account.
    pub async fn mirrored(&self, account: &Account) -> anyhow::Result<Account> {
        let id = AccountId::new();
        let lane = lane(&self.aws, id, &self.queues, account.code).await?;
        Ok(Account { id, seller: self.mirror.id, lane, ..account.clone() })
    }
}

/// Simulators whose quotas a run never exhausts.
pub fn simulator_config() -> anyhow::Result<SimulatorConfig> {
    let mut config = SimulatorConfig::sample().context("read the simulators' book")?;
    config.amazon.search_orders = PLENTY;
    config.amazon.create_report = PLENTY;
    config.amazon.get_report = PLENTY;
    config.amazon.get_report_document = PLENTY;
    config.amazon.report_looks = 1;
    Ok(config)
}

/// Makes the queues of all marketplaces.
pub async fn queues(aws: &Aws) -> anyhow::Result<Vec<Queues>> {
    let mut made = Vec::new();
    for &code in MARKETPLACE_CODES {
        let name =
            |rest: &str| format!("{}{}-{rest}", aws.prefix, code.as_str().to_lowercase().replace('_', "-"));
        let lane_letters = aws.queue(&name("dlq.fifo"), None).await?;
        let parallel_letters = aws.queue(&name("parallel-dlq"), None).await?;
        let parallel = aws.queue(&name("parallel"), Some(&parallel_letters)).await?;
        made.push(Queues { code, parallel, lane_letters, parallel_letters });
    }
    Ok(made)
}

/// Makes the queue of an account's lane.
pub async fn lane(
    aws: &Aws,
    account: AccountId,
    queues: &[Queues],
    code: MarketplaceCode,
) -> anyhow::Result<String> {
    let letters = queues.iter().find(|of| of.code == code).map(|of| of.lane_letters.as_str());
    aws.queue(&lane_queue_name(&aws.prefix, account, 1), letters).await
}

async fn accounts(aws: &Aws, sellers: &[Seller], queues: &[Queues]) -> anyhow::Result<Vec<Account>> {
    let mut accounts = Vec::new();
    // The account whose runs must give up needs the most time.
    let dead = [(&sellers[0], MarketplaceCode::Ajio, Some(DEAD_ACCOUNT))];
    let others = sellers.iter().flat_map(|seller| ACCOUNTS.map(|code| (seller, code, None)));
    for (series, (seller, code, name)) in dead.into_iter().chain(others).enumerate() {
        let name = match (name, code) {
            (Some(name), _) => name.to_owned(),
            (None, MarketplaceCode::Ajio) => format!("DV{series}"),
            (None, code) => format!("{}{series}", code.as_str()),
        };
        let id = AccountId::new();
        let lane = lane(aws, id, queues, code).await?;
        accounts.push(Account { id, seller: seller.id, code, name, series, lane });
    }
    Ok(accounts)
}
