//! What all trials share: a database, the simulators, queues, and the functions. Each trial has a seller of its own.

use std::sync::Arc;

use anyhow::Context;
use robnu_marketplace::code::MarketplaceCode;
use robnu_storage::KeyService;
use robnu_tenancy::SellerId;
use robnu_testkit::{TestDatabase, TwoSellers};
use simulators::{AjioAccount, Simulator};
use tokio::task::JoinSet;

use super::lanes::Fed;
use super::names::Names;
use super::scenario::Subject;
use super::watch::Watch;
use super::worker::Worker;
use super::{Arguments, http, postgres};
use crate::account::SECRET;
use crate::aws::Aws;
use crate::compare::Difference;
use crate::environment::Environments;
use crate::function::Program;
use crate::onlookers;
use crate::schema;
use crate::superuser::Superuser;
use crate::world::{self, Queues, UNINVOLVED};

/// The user name of the account at AJIO, in all trials: a book belongs to a user name.
pub const AJIO_NAME: &str = "DV900";
/// Two pages.
const AJIO_ORDERS: usize = 70;
/// Longer than any trial: a slice ends, and a lease, when the driver says so.
const LONG: &str = "600";

/// The platform.
pub struct Platform {
    /// It is dropped with the value.
    _database: TestDatabase,
    /// Sees everything.
    pub superuser: Superuser,
    /// Queues, bucket and keys.
    pub aws: Aws,
    /// Makes the sellers' data keys.
    pub keys: KeyService,
    /// The marketplaces' queues.
    pub queues: Vec<Queues>,
    /// The queue of lane requests.
    pub requests: String,
    /// The function behind lanes.
    pub fed: Fed,
    /// The watch over the function that is killed.
    pub watch: Arc<Watch>,
    ajio: Worker,
    meesho: Worker,
    sweep: Worker,
    lanes: Worker,
    _simulator: Simulator,
    onlookers: [SellerId; 2],
    before: onlookers::Picture,
}

impl Platform {
    /// Makes the platform. Its proxies end with `tasks`.
    pub async fn new(arguments: &Arguments, aws: Aws, tasks: &mut JoinSet<()>) -> anyhow::Result<Self> {
        let database = schema::database(&arguments.places.migrations).await?;
        let superuser = Superuser::new(&arguments.server, database.name())?;
        let onlookers = TwoSellers::seed(&database).await;
        superuser.script(UNINVOLVED).await?;
        let simulator = Simulator::start(&world::simulator_config()?).context("start the simulators")?;
        let account = AjioAccount {
            username: AJIO_NAME.to_owned(),
            password: Some(SECRET.to_owned()),
            orders: Some(AJIO_ORDERS),
        };
        simulator.register_ajio(account);
        let queues = world::queues(&aws).await?;
        let requests = aws.queue(&format!("{}lane-requests", aws.prefix), None).await?;
        let fed = Fed::new(&aws).await?;

        let watch = Arc::new(Watch::default());
        let server = database.config("robnu_sweep");
        let names = Names::read(&arguments.sources)?;
        let port = postgres::start((server.host, server.port), names, &watch, tasks).await?;
        let aws_upstream = http::Upstream {
            origin: arguments.places.endpoint.trim_end_matches('/').to_owned(),
            marketplace: None,
        };
        let aws_proxy = http::start(aws_upstream, &watch, tasks).await?;
        let ajio_upstream =
            http::Upstream { origin: simulator.base_url().to_owned(), marketplace: Some("AJIO") };
        let ajio_proxy = http::start(ajio_upstream, &watch, tasks).await?;
        let proxied = Proxied {
            port,
            aws: aws_proxy,
            ajio: simulator.ajio_base_url().replace(simulator.base_url(), &ajio_proxy),
        };

        let functions = Environments {
            places: &arguments.places,
            database: &database,
            aws: &aws,
            aws_url: &arguments.places.endpoint,
            simulator: &simulator,
        };
        let of = |code| queues.iter().find(|of| of.code == code).context("every marketplace has queues");
        let (of_ajio, of_meesho) = (of(MarketplaceCode::Ajio)?, of(MarketplaceCode::Meesho)?);
        let worker = |program: Program| {
            let direct = patient(program);
            Worker::new(direct.clone(), proxied.watched(direct), &watch)
        };
        let ajio = worker(functions.adapter(of_ajio));
        let meesho = worker(functions.adapter(of_meesho));
        let sweep = worker(functions.sweep(&queues));
        let lanes = worker(functions.lanes(&queues, &[(of_ajio, fed.alias.clone())], &requests));
        let keys = KeyService::new(aws.kms.clone(), aws.key.clone());
        let onlookers = [onlookers.ours.id, onlookers.theirs.id];
        let before = onlookers::picture(&superuser, &onlookers).await?;
        Ok(Self {
            _database: database,
            superuser,
            aws,
            keys,
            queues,
            requests,
            fed,
            watch,
            ajio,
            meesho,
            sweep,
            lanes,
            _simulator: simulator,
            onlookers,
            before,
        })
    }

    /// A function; an adapter is that of the marketplace.
    pub fn worker(&mut self, subject: Subject, code: MarketplaceCode) -> &mut Worker {
        match (subject, code) {
            (Subject::Adapter, MarketplaceCode::Meesho) => &mut self.meesho,
            (Subject::Adapter, _) => &mut self.ajio,
            (Subject::Sweep, _) => &mut self.sweep,
            (Subject::Lanes, _) => &mut self.lanes,
        }
    }

    /// All functions.
    pub fn workers(&mut self) -> [&mut Worker; 4] {
        [&mut self.ajio, &mut self.meesho, &mut self.sweep, &mut self.lanes]
    }

    /// The queues of a marketplace.
    pub fn queues_of(&self, code: MarketplaceCode) -> anyhow::Result<&Queues> {
        self.queues.iter().find(|of| of.code == code).context("every marketplace has queues")
    }

    /// Rows of sellers that have nothing to do with the trials, and have changed.
    pub async fn onlookers_changed(&self) -> anyhow::Result<Vec<Difference>> {
        let after = onlookers::picture(&self.superuser, &self.onlookers).await?;
        Ok(onlookers::differences(&self.before, &after))
    }

    /// Keeps the functions' logs.
    pub fn keep_logs(&mut self) {
        for worker in self.workers() {
            worker.keep_log();
        }
    }
}

/// The addresses of the proxies.
struct Proxied {
    port: u16,
    aws: String,
    ajio: String,
}

impl Proxied {
    fn watched(&self, mut program: Program) -> Program {
        for (name, value) in &mut program.environment {
            match *name {
                "DATABASE_PORT" => *value = self.port.to_string(),
                "AWS_ENDPOINT_URL" => value.clone_from(&self.aws),
                "AJIO_BASE_URL" => value.clone_from(&self.ajio),
                _ => {}
            }
        }
        program
    }
}

fn patient(mut program: Program) -> Program {
    for (name, value) in &mut program.environment {
        if ["LEASE_SECONDS", "SLICE_SECONDS"].contains(name) {
            LONG.clone_into(value);
        }
    }
    program
}
