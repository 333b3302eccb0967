//! What every measurement is made on: a database, the simulators, queues, sellers with accounts, and a member who asks for syncs.

use std::time::Duration;

use anyhow::{Context, anyhow};
use robnu_dispatch::{ParallelQueues, Publisher, RequestRun, Requested, mark_sent};
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::kind::RunKind;
use robnu_storage::KeyService;
use robnu_tenancy::{Access, AccountId, Database, Permission, SellerScope};
use robnu_testkit::{TestDatabase, TwoSellers};
use simulators::{AjioAccount, Simulator};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::Arguments;
use crate::account::{Account, SECRET, Seller};
use crate::aws::Aws;
use crate::environment::{Environments, Places};
use crate::function::Program;
use crate::schema;
use crate::superuser::Superuser;
use crate::world::{self, Queues, UNINVOLVED};

const PATIENCE: Duration = Duration::from_mins(1);
const TIMES: &str = "select extract(epoch from started_at - queued_at)::float8, extract(epoch from finished_at - started_at)::float8
    from robnu.sync_runs where id = $1 and state = 'SUCCEEDED'";

const SCHEDULED: &str = "insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger)
    values ($1, $2, 'AJIO', $3, 'SCHEDULE') returning id";

/// A sync's times in seconds, by the database's clock.
#[derive(Debug, Clone, Copy)]
pub struct Sync {
    /// From the request to the lease.
    pub waited: f64,
    /// From the lease to the last page.
    pub worked: f64,
}

/// The stage.
pub struct Stage {
    pub superuser: Superuser,
    pub simulator: Simulator,
    pub aws: Aws,
    pub queues: Vec<Queues>,
    keys: KeyService,
    places: Places,
    api: Database,
    publisher: Publisher,
    /// It is dropped with the value.
    database: TestDatabase,
}

impl Stage {
    /// Makes the stage.
    pub async fn new(arguments: &Arguments, aws: Aws) -> anyhow::Result<Self> {
        let database = schema::database(&arguments.places.migrations).await?;
        let superuser = Superuser::new(&arguments.server, database.name())?;
        TwoSellers::seed(&database).await;
        superuser.script(UNINVOLVED).await?;
        let simulator = Simulator::start(&world::simulator_config()?).context("start the simulators")?;
        let queues = world::queues(&aws).await?;
        let places = arguments.places.clone();
        let keys = KeyService::new(aws.kms.clone(), aws.key.clone());
        let parallel = [0, 1, 2, 3].map(|at| (queues[at].code, queues[at].parallel.clone()));
        let publisher = Publisher::new(aws.sqs.clone(), ParallelQueues::from(parallel));
        let api = database.login("robnu_api").await;
        Ok(Self { superuser, simulator, aws, queues, keys, places, api, publisher, database })
    }

    /// A new seller.
    pub async fn seller(&self, name: &str) -> anyhow::Result<Seller> {
        Seller::new(&self.superuser, &self.keys, name).await
    }

    /// A seller's account at AJIO with so many orders there, and the queue of its lane.
    pub async fn account(
        &self,
        seller: &Seller,
        name: &str,
        orders: usize,
        lane: String,
    ) -> anyhow::Result<Account> {
        self.account_with(AccountId::new(), seller, name, orders, lane).await
    }

    /// The same, with an id that was chosen.
    pub async fn account_with(
        &self,
        id: AccountId,
        seller: &Seller,
        name: &str,
        orders: usize,
        lane: String,
    ) -> anyhow::Result<Account> {
        let (code, name) = (MarketplaceCode::Ajio, name.to_owned());
        let (username, password) = (name.clone(), Some(SECRET.to_owned()));
        self.simulator.register_ajio(AjioAccount { username, password, orders: Some(orders) });
        let account = Account { id, seller: seller.id, code, name, series: 0, lane };
        seller.connect(&self.superuser, &account).await?;
        Ok(account)
    }

    /// AJIO's queues.
    pub fn ajio(&self) -> anyhow::Result<&Queues> {
        self.queues.iter().find(|of| of.code == MarketplaceCode::Ajio).context("AJIO has queues")
    }

    /// The URL of a lane's queue that is never made.
    pub fn no_lane(&self) -> String {
        format!("{}/000000000000/{}none.fifo", self.places.endpoint, self.aws.prefix)
    }

    /// AJIO's adapter with slices of so many seconds.
    pub fn adapter(&self, slice_seconds: u32) -> anyhow::Result<Program> {
        let mut program = self.functions().adapter(self.ajio()?);
        for (variable, value) in &mut program.environment {
            match *variable {
                "SLICE_SECONDS" => *value = slice_seconds.to_string(),
                "LEASE_SECONDS" => "60".clone_into(value),
                _ => {}
            }
        }
        Ok(program)
    }

    /// The sweeps.
    pub fn sweep(&self) -> Program {
        self.functions().sweep(&self.queues)
    }

    fn functions(&self) -> Environments<'_> {
        Environments {
            places: &self.places,
            database: &self.database,
            aws: &self.aws,
            aws_url: &self.places.endpoint,
            simulator: &self.simulator,
        }
    }

    /// Publishes a message.
    pub async fn publish(&self, lane: Option<&str>, job: robnu_dispatch::Job) -> anyhow::Result<()> {
        self.publisher.publish(lane, job).await.context("publish a run")
    }

    /// A sync that reads everything of an account, as the API starts it for a member.
    pub async fn sync(&self, seller: &Seller, account: &Account, kind: RunKind) -> anyhow::Result<Sync> {
        let scope =
            SellerScope::for_member(seller.owner.clone(), seller.id, Permission::SyncRun, Access::Write);
        let request = RequestRun::new(account.id, kind, true, None);
        let session = self.api.session(&scope).await?;
        let answers = session.commit_with(&[(RequestRun::SQL, &request.params())]).await?;
        let row = answers.first().and_then(|rows| rows.first()).context("the run is made")?;
        let requested = Requested::from_row(row, account.seller, account.id, kind)?;
        let run = requested.job.run_id;
        if requested.is_unpublished {
            self.publish(requested.queue_url.as_deref(), requested.job.clone()).await?;
            mark_sent(&self.api, &scope, &[requested.job]).await?;
        }
        self.times(*run.as_uuid()).await
    }

    /// A sync of an account, as its schedule starts it: a sweep publishes it.
    pub async fn scheduled(&self, account: &Account, kind: RunKind) -> anyhow::Result<Sync> {
        let row = self.superuser.row(SCHEDULED, &[&account.seller, &account.id, &kind.as_str()]).await?;
        self.times(row.get(0)).await
    }

    /// Waits until a run has succeeded.
    async fn times(&self, run: Uuid) -> anyhow::Result<Sync> {
        let since = Instant::now();
        while since.elapsed() < PATIENCE {
            if let Some(row) = self.superuser.query(TIMES, &[&run]).await?.first() {
                return Ok(Sync { waited: row.get(0), worked: row.get(1) });
            }
            sleep(Duration::from_millis(20)).await;
        }
        Err(anyhow!("a sync of the measured seller did not end within a minute"))
    }
}
