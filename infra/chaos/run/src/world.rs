//! Everything that a run needs, made for it alone: a database, sellers with accounts, queues, the simulators, and the functions.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use robnu_dispatch::{ParallelQueues, lane_queue_name};
use robnu_marketplace::code::{MARKETPLACE_CODES, MarketplaceCode};
use robnu_storage::KeyService;
use robnu_tenancy::{AccountId, Database};
use robnu_testkit::{TestDatabase, TwoSellers, function_environment};
use serde_json::json;
use simulators::{Quota, Simulator, SimulatorConfig};
use tokio::task::JoinSet;

use crate::account::{Account, Seller};
use crate::aws::Aws;
use crate::function::{Function, Program};
use crate::gateway::Gateway;
use crate::monitor;
use crate::schema;
use crate::strikes::Strikes;
use crate::superuser::Superuser;

/// How long a lease lives without a page, and how long a slice works, in seconds: shorter than in the template, so that leases end and
/// slices follow each other often.
pub const LEASE_SECONDS: u64 = 3;
const SLICE_SECONDS: u64 = 1;
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
const UNINVOLVED: &str = "update robnu.schedules set enabled = false; delete from robnu.raw_pages; delete from robnu.request_counts";
/// Quotas that the accounts of a run never exhaust: 429 is a fault of its own.
const PLENTY: Quota = Quota { rate: 1000.0, burst: 1000 };

/// Where things are.
#[derive(Debug, Clone)]
pub struct Places {
    /// The folder with the functions' programs.
    pub programs: PathBuf,
    /// The folder with the migrations.
    pub migrations: PathBuf,
    /// The folder for the functions' logs.
    pub logs: PathBuf,
    /// The superuser's URL of the server, and the address of the local AWS.
    pub server: String,
    pub endpoint: String,
}

/// A marketplace's queues.
#[derive(Debug, Clone)]
pub struct Queues {
    /// The marketplace.
    pub code: MarketplaceCode,
    /// Its parallel queue.
    pub parallel: String,
    lane_letters: String,
    parallel_letters: String,
}

/// The world.
pub struct World {
    /// The run's database. It is dropped with the world.
    _database: TestDatabase,
    /// Sees everything.
    pub superuser: Superuser,
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
    /// The database as the API.
    pub api: Database,
    /// The parallel queues by marketplace.
    pub parallel: ParallelQueues,
    /// What struck.
    pub strikes: Arc<Strikes>,
}

impl World {
    /// Makes the world. Its servers and processes end with `tasks`.
    pub async fn new(places: &Places, aws: Aws, tasks: &mut JoinSet<()>) -> anyhow::Result<Self> {
        let database = schema::database(&places.migrations).await?;
        let superuser = Superuser::new(&places.server, database.name())?;
        let strikes = Arc::new(Strikes::default());
        let onlookers = TwoSellers::seed(&database).await;
        superuser.script(UNINVOLVED).await?;
        let simulator = Simulator::start(&simulator_config()?).context("start the simulators")?;
        let gateway = Gateway::start(&places.endpoint, &strikes, tasks).await?;
        let queues = queues(&aws).await?;
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
        let functions =
            Functions { places, database: &database, aws: &aws, gateway: &gateway, simulator: &simulator };
        let mut start = |program, processes| Function::start(program, processes, &strikes, tasks);
        let adapters = queues.iter().map(|of| start(functions.adapter(of), 2)).collect();
        let sweep = start(functions.sweep(&queues), 2);
        let redrive = start(functions.redrive(&queues), 1);
        let api = database.login("robnu_api").await;
        Ok(Self {
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
            api,
            parallel: ParallelQueues::from(parallel),
            strikes,
            _database: database,
        })
    }

    /// All functions.
    pub fn functions(&self) -> impl Iterator<Item = &Arc<Function>> {
        self.adapters.iter().chain([&self.sweep, &self.redrive])
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

fn simulator_config() -> anyhow::Result<SimulatorConfig> {
    let mut config = SimulatorConfig::sample().context("read the simulators' book")?;
    config.amazon.search_orders = PLENTY;
    config.amazon.create_report = PLENTY;
    config.amazon.get_report = PLENTY;
    config.amazon.get_report_document = PLENTY;
    config.amazon.report_looks = 1;
    Ok(config)
}

async fn queues(aws: &Aws) -> anyhow::Result<Vec<Queues>> {
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

async fn lane(
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
    for seller in sellers {
        for code in ACCOUNTS {
            let (id, series) = (AccountId::new(), 1 + accounts.len());
            let name = match code {
                MarketplaceCode::Ajio => format!("DV{series}"),
                _ => format!("{}{series}", code.as_str()),
            };
            let lane = lane(aws, id, queues, code).await?;
            accounts.push(Account { id, seller: seller.id, code, name, series, lane });
        }
    }
    let id = AccountId::new();
    let code = MarketplaceCode::Ajio;
    let lane = lane(aws, id, queues, code).await?;
    accounts.push(Account {
        id,
        seller: sellers[0].id,
        code,
        name: DEAD_ACCOUNT.to_owned(),
        series: 0,
        lane,
    });
    Ok(accounts)
}

/// What the functions' environments are made of.
struct Functions<'a> {
    places: &'a Places,
    database: &'a TestDatabase,
    aws: &'a Aws,
    gateway: &'a Gateway,
    simulator: &'a Simulator,
}

impl Functions<'_> {
    fn program(&self, program: &str, name: &str, more: Vec<(&'static str, String)>) -> Program {
        let mut environment = function_environment(&self.database.config(&format!("robnu_{program}")));
        environment.retain(|(variable, _)| *variable != "AWS_ENDPOINT_URL");
        environment.extend([
            ("AWS_ENDPOINT_URL", self.gateway.url.clone()),
            ("RUST_LOG", "info".to_owned()),
            ("PLATFORM_KEY_ID", self.aws.key.clone()),
            ("AWS_S3_BUCKET", self.aws.bucket.clone()),
            ("AWS_S3_OBJECTS_ROLE_ARN", self.aws.objects_role.clone()),
            ("AWS_S3_PER_SELLER_KMS", "false".to_owned()),
        ]);
        environment.extend(more);
        let log = self.places.logs.join(format!("{name}.log"));
        Program { name: name.to_owned(), file: self.places.programs.join(program), environment, log }
    }

    fn adapter(&self, queues: &Queues) -> Program {
        let simulator = self.simulator;
        let more = vec![
            ("MARKETPLACE_CODE", queues.code.as_str().to_owned()),
            ("AJIO_BASE_URL", simulator.ajio_base_url().to_owned()),
            ("AMAZON_IN_BASE_URL", simulator.amazon_base_url().to_owned()),
            ("AMAZON_IN_AUTH_URL", simulator.amazon_base_url().to_owned()),
            ("FLIPKART_BASE_URL", simulator.flipkart_base_url().to_owned()),
            ("MEESHO_BASE_URL", simulator.meesho_base_url().to_owned()),
            ("DEAD_LETTER_QUEUE_URL", queues.lane_letters.clone()),
            ("PARALLEL_DEAD_LETTER_QUEUE_URL", queues.parallel_letters.clone()),
            ("PARALLEL_QUEUES", json!({queues.code.as_str(): queues.parallel}).to_string()),
            ("DIGEST_SECRET_ID", self.aws.digest_secret.clone()),
            ("LEASE_SECONDS", LEASE_SECONDS.to_string()),
            ("SLICE_SECONDS", SLICE_SECONDS.to_string()),
        ];
        let code = queues.code.as_str().to_lowercase().replace('_', "-");
        self.program("adapter", &format!("adapter-{code}"), more)
    }

    fn sweep(&self, queues: &[Queues]) -> Program {
        let more = vec![
            ("PARALLEL_QUEUES", parallel_queues(queues)),
            ("SELLER_KEY_DELETION_DAYS", "30".to_owned()),
            ("DATA_KEY_DAYS", "365".to_owned()),
        ];
        self.program("sweep", "sweep", more)
    }

    fn redrive(&self, queues: &[Queues]) -> Program {
        let letters =
            |of: &Queues| (of.code.as_str().to_owned(), json!([of.lane_letters, of.parallel_letters]));
        let letters: serde_json::Map<_, _> = queues.iter().map(letters).collect();
        let more = vec![
            ("STAGE", "chaos".to_owned()),
            ("DEAD_LETTER_QUEUES", serde_json::Value::from(letters).to_string()),
            ("PARALLEL_QUEUES", parallel_queues(queues)),
            // Nothing here goes to these queues.
            ("LANE_REQUESTS_QUEUE_URL", queues[0].parallel_letters.clone()),
            ("EXPORTS_QUEUE_URL", queues[0].parallel_letters.clone()),
        ];
        self.program("redrive", "redrive", more)
    }
}

fn parallel_queues(queues: &[Queues]) -> String {
    let urls = queues.iter().map(|of| (of.code.as_str().to_owned(), json!(of.parallel)));
    serde_json::Value::from(urls.collect::<serde_json::Map<_, _>>()).to_string()
}
