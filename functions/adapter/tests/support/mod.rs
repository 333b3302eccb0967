//! A test stand for the adapter's real binary: a database with two sellers, a lane and a dead-letter queue in the local
//! cloud, and the marketplaces' simulator.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot be arranged has failed")]

mod cloud;
mod sealed;
pub mod uploads;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use robnu_dispatch::{Job, JobMessage, lane_queue_name};
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::kind::RunKind;
use robnu_storage::{KeyService, Place, SellerCipher};
use robnu_tenancy::{AccountId, DatabaseConfig, RunId, SellerId};
use robnu_testkit::{
    Answer, LambdaProcess, Seller, TestDatabase, TwoSellers, function_environment, local_aws,
    local_objects_role,
};
use serde_json::{Value, json};
use simulators::{MeeshoAccount, Simulator, SimulatorConfig};
use tokio_postgres::Client;
use uuid::Uuid;

use self::cloud::{bucket, fifo, standard};
use self::sealed::{seal_ajio, seal_amazon, seal_flipkart, seal_meesho, store_key};

/// Shorter than in the template, so that a test can outlast a lease.
pub const LEASE_SECONDS: u64 = 4;

pub struct Stand {
    pub test: TestDatabase,
    pub sellers: TwoSellers,
    pub superuser: Client,
    pub simulator: Simulator,
    pub sqs: aws_sdk_sqs::Client,
    pub s3: aws_sdk_s3::Client,
    pub bucket: String,
    objects_role: String,
    pub dead_letter_queue: String,
    pub lane_queue: String,
    pub parallel_queue: String,
    pub parallel_dead_letter_queue: String,
    pub slice_seconds: u64,
    /// Rates of calls instead of the published ones.
    pub call_rates: &'static str,
    ciphers: HashMap<SellerId, Arc<SellerCipher>>,
    pub platform_key: String,
    digest_secret: String,
    prefix: String,
}

/// A record that a run set aside before this test.
pub struct SetAside<'a> {
    pub seller: SellerId,
    pub account: AccountId,
    pub external_id: &'a str,
    pub raw: &'a str,
    pub wanted: bool,
}

impl Stand {
    /// Gives both sellers credentials that the simulator accepts, encrypted with their own data keys.
    pub async fn new(config: SimulatorConfig) -> Self {
        // The future is a large one, which no caller has to carry.
        Box::pin(Self::made(config)).await
    }

    async fn made(config: SimulatorConfig) -> Self {
        let test = TestDatabase::new().await;
        let sellers = TwoSellers::seed(&test).await;
        let superuser = test.superuser().await;
        let aws = local_aws().await;
        let (kms, sqs) = (aws_sdk_kms::Client::new(&aws), aws_sdk_sqs::Client::new(&aws));
        let s3 = aws_sdk_s3::Client::new(&aws);
        let bucket = bucket(&s3, test.name()).await;
        let objects_role = local_objects_role().await;
        let key = kms.create_key().send().await.unwrap().key_metadata.unwrap().key_id;
        let keys = KeyService::new(kms, key.clone());
        let digest_secret = digest_secret().await;
        let mut username = 0;
        let mut ciphers = HashMap::new();
        for seller in [&sellers.ours, &sellers.theirs] {
            username += 1;
            let cipher = store_key(&superuser, &keys, seller.id).await;
            seal_ajio(&superuser, &cipher, seller.id, seller.ajio, &format!("DV{username}")).await;
            seal_amazon(&superuser, &cipher, seller.id, seller.amazon, &format!("Atzr|{username}")).await;
            seal_flipkart(&superuser, &cipher, seller.id, seller.flipkart).await;
            seal_meesho(&superuser, &cipher, seller.id, seller.meesho, &format!("S{username}")).await;
            ciphers.insert(seller.id, Arc::new(cipher));
        }
        let prefix = format!("t{}-", &Uuid::now_v7().simple().to_string()[20..]);
        let dead_letter_queue = fifo(&sqs, &format!("{prefix}dlq.fifo")).await;
        let parallel_queue = standard(&sqs, &format!("{prefix}ajio-parallel")).await;
        let parallel_dead_letter_queue = standard(&sqs, &format!("{prefix}ajio-parallel-dlq")).await;
        let lane_queue = fifo(&sqs, &lane_queue_name(&prefix, sellers.ours.ajio, 1)).await;
        superuser
            .execute(
                "update robnu.marketplace_accounts set lane_queue_url = $2 where id = $1",
                &[&sellers.ours.ajio, &lane_queue],
            )
            .await
            .unwrap();
        let simulator = Simulator::start(&config).unwrap();
        for supplier in ["S1", "S2"] {
            simulator.register_meesho(MeeshoAccount {
                supplier_id: supplier.to_owned(),
                api_key: format!("key-of-{supplier}"),
                api_secret: "purple-monkey".to_owned(),
            });
        }
        Self {
            test,
            sellers,
            superuser,
            simulator,
            sqs,
            s3,
            bucket,
            objects_role,
            dead_letter_queue,
            lane_queue,
            parallel_queue,
            parallel_dead_letter_queue,
            slice_seconds: 30,
            call_rates: "",
            ciphers,
            platform_key: key,
            digest_secret,
            prefix,
        }
    }

    /// Starts the function as `marketplace`'s deployment of it.
    pub async fn start(&self, marketplace: MarketplaceCode) -> LambdaProcess {
        let config = self.test.config("robnu_adapter");
        self.start_with(marketplace, config.host, config.port).await
    }

    pub async fn start_with(&self, marketplace: MarketplaceCode, host: String, port: u16) -> LambdaProcess {
        let environment = self.environment(marketplace, host, port);
        LambdaProcess::start(env!("CARGO_BIN_EXE_adapter"), &environment, Duration::from_mins(1)).await
    }

    pub fn environment(
        &self,
        marketplace: MarketplaceCode,
        host: String,
        port: u16,
    ) -> Vec<(&'static str, String)> {
        let database = DatabaseConfig { host, port, ..self.test.config("robnu_adapter") };
        let mut environment = function_environment(&database);
        environment.extend([
            ("RUST_LOG", "debug".to_owned()),
            ("MARKETPLACE_CODE", marketplace.as_str().to_owned()),
            ("AJIO_BASE_URL", self.simulator.ajio_base_url().to_owned()),
            ("AMAZON_IN_BASE_URL", self.simulator.amazon_base_url().to_owned()),
            ("AMAZON_IN_AUTH_URL", self.simulator.amazon_base_url().to_owned()),
            ("FLIPKART_BASE_URL", self.simulator.flipkart_base_url().to_owned()),
            ("MEESHO_BASE_URL", self.simulator.meesho_base_url().to_owned()),
            ("DEAD_LETTER_QUEUE_URL", self.dead_letter_queue.clone()),
            ("PARALLEL_DEAD_LETTER_QUEUE_URL", self.parallel_dead_letter_queue.clone()),
            ("PARALLEL_QUEUES", json!({ marketplace.as_str(): self.parallel_queue }).to_string()),
            ("PLATFORM_KEY_ID", self.platform_key.clone()),
            ("AWS_S3_BUCKET", self.bucket.clone()),
            ("AWS_S3_OBJECTS_ROLE_ARN", self.objects_role.clone()),
            ("AWS_S3_PER_SELLER_KMS", "false".to_owned()),
            ("DIGEST_SECRET_ID", self.digest_secret.clone()),
            ("LEASE_SECONDS", LEASE_SECONDS.to_string()),
            ("SLICE_SECONDS", self.slice_seconds.to_string()),
            ("CALL_RATES", self.call_rates.to_owned()),
        ]);
        environment
    }

    /// Writes a queued run of our account that reads orders.
    pub async fn queue_run(&self, marketplace: MarketplaceCode) -> Job {
        self.queue(marketplace, RunKind::Orders).await
    }

    /// Writes a queued run of our account.
    pub async fn queue(&self, marketplace: MarketplaceCode, kind: RunKind) -> Job {
        self.queue_for(&self.sellers.ours, marketplace, kind).await
    }

    /// Writes a queued run of a seller's account.
    pub async fn queue_for(&self, seller: &Seller, marketplace: MarketplaceCode, kind: RunKind) -> Job {
        let account_id = account_of(seller, marketplace);
        let run_id = RunId::new();
        self.superuser
            .execute(
                "insert into robnu.sync_runs (seller_id, id, account_id, marketplace_code, kind, trigger, sent_at)
                 values ($1, $2, $3, $4, $5, 'API', now())",
                &[&seller.id, &run_id, &account_id, &marketplace.as_str(), &kind.as_str()],
            )
            .await
            .unwrap();
        Job { run_id, step: 0, generation: 0, seller_id: seller.id, account_id, marketplace, kind }
    }

    /// Sets aside a record of an earlier run, encrypted with its seller's key; `wanted` says whether it is to be read again.
    pub async fn set_aside(&self, record: SetAside<'_>) {
        let SetAside { seller, account, external_id, raw, wanted } = record;
        let cipher = &self.ciphers[&seller];
        let id = Uuid::now_v7();
        let place = Place { table: "quarantined_records", column: "record", row: id };
        let sealed = cipher.seal(place, raw.as_bytes()).unwrap();
        let sql = "with run as (
              insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger, state)
              select seller_id, id, marketplace_code, 'ORDERS', 'API', 'SUCCEEDED' from robnu.marketplace_accounts where id = $2
              returning id)
            insert into robnu.quarantined_records (seller_id, id, account_id, run_id, external_id, reason, record_enc, record_digest, retry_requested_at)
            select $1, $3, $2, run.id, $4, 'a reason of then', $5, sha256($5), case when $6 then now() end from run";
        self.superuser.execute(sql, &[&seller, &account, &id, &external_id, &sealed, &wanted]).await.unwrap();
    }

    /// All sellers' set-aside records whose number begins with this text, by number: whether it is to be read again, and its
    /// reason.
    pub async fn aside(&self, beginning: &str) -> Vec<String> {
        let sql = "select external_id || case when retry_requested_at is null then ' kept: ' else ' wanted: ' end || reason
            from robnu.quarantined_records where starts_with(external_id, $1) order by external_id, seller_id";
        self.superuser.query(sql, &[&beginning]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    /// Gives a further AJIO account of a seller credentials that the simulator accepts.
    pub async fn seal_more(&self, seller: SellerId, account: AccountId, username: &str) {
        let sql = "insert into robnu.ajio_account_details (seller_id, account_id, username, password_enc) values ($1, $2, $3, '')";
        self.superuser.execute(sql, &[&seller, &account, &username]).await.unwrap();
        seal_ajio(&self.superuser, &self.ciphers[&seller], seller, account, username).await;
    }

    /// The cipher with a seller's data key.
    pub fn cipher(&self, seller: SellerId) -> &SellerCipher {
        &self.ciphers[&seller]
    }

    /// The same, to keep.
    pub fn own_cipher(&self, seller: SellerId) -> Arc<SellerCipher> {
        Arc::clone(&self.ciphers[&seller])
    }

    pub fn account(&self, marketplace: MarketplaceCode) -> AccountId {
        account_of(&self.sellers.ours, marketplace)
    }

    /// The event that the queue of `job`'s kind delivers.
    pub fn event(&self, job: &Job) -> Value {
        let body = JobMessage::new(job.clone()).to_body();
        if job.kind.is_parallel() {
            self.parallel_event(&[&body])
        } else {
            self.raw_event(job.account_id, &body)
        }
    }

    /// The event that the parallel queue delivers, with a message for each body.
    pub fn parallel_event(&self, bodies: &[&str]) -> Value {
        let record = |body: &&str| {
            json!({
                "messageId": Uuid::now_v7().to_string(),
                "body": body,
                "eventSource": "aws:sqs",
                "eventSourceARN": format!("arn:aws:sqs:ap-south-1:000000000000:{}ajio-parallel", self.prefix),
            })
        };
        json!({ "Records": bodies.iter().map(record).collect::<Vec<Value>>() })
    }

    /// The event with any body, in any account's lane.
    pub fn raw_event(&self, lane: AccountId, body: &str) -> Value {
        let name = lane_queue_name(&self.prefix, lane, 1);
        json!({"Records": [{
            "messageId": Uuid::now_v7().to_string(),
            "body": body,
            "eventSource": "aws:sqs",
            "eventSourceARN": format!("arn:aws:sqs:ap-south-1:000000000000:{name}"),
        }]})
    }

    /// Runs a job to its end, in as many steps as it needs.
    pub async fn run_to_end(&self, function: &LambdaProcess, mut job: Job) -> Job {
        loop {
            acknowledged(function.invoke(self.event(&job)).await);
            let run = self.run(job.run_id).await;
            if run.state != "QUEUED" {
                return job;
            }
            job = Job { step: run.step, generation: run.generation, ..job };
        }
    }

    pub async fn run(&self, run: RunId) -> Run {
        let row = self
            .superuser
            .query_one(
                "select r.state, r.step, r.generation, r.attempt, r.pages, coalesce(o.added, 0), coalesce(o.changed, 0),
                   coalesce(o.unchanged, 0), coalesce(l.added, 0), coalesce(l.removed, 0), r.quarantined, r.error_code,
                   r.page_position is not null
                 from robnu.sync_runs r
                 left join robnu.sync_run_counts o on o.seller_id = r.seller_id and o.run_id = r.id and o.stream = 'ORDERS'
                 left join robnu.sync_run_counts l on l.seller_id = r.seller_id and l.run_id = r.id and l.stream = 'ORDER_LINES'
                 where r.id = $1",
                &[&run],
            )
            .await
            .unwrap();
        Run {
            state: row.get(0),
            step: row.get(1),
            generation: row.get(2),
            attempt: row.get(3),
            pages: row.get(4),
            orders_new: row.get(5),
            orders_changed: row.get(6),
            orders_unchanged: row.get(7),
            lines_new: row.get(8),
            lines_removed: row.get(9),
            quarantined: row.get(10),
            error_code: row.get(11),
            has_position: row.get(12),
        }
    }

    /// Orders, lines and the lines' sum that an account has now.
    pub async fn stored(&self, account: AccountId) -> (i64, i64, rust_decimal::Decimal) {
        let sql = "select count(distinct o.id), count(i.id), coalesce(sum(i.line_amount), 0)
                   from robnu.orders o left join robnu.order_items i on i.order_id = o.id where o.account_id = $1";
        let row = self.superuser.query_one(sql, &[&account]).await.unwrap();
        (row.get(0), row.get(1), row.get(2))
    }

    /// Every stored row with its xmin, which changes with any write.
    pub async fn fingerprint(&self) -> Vec<String> {
        let sql = "select x.row from (
              select 'order ' || o.xmin || ' ' || o::text as row from robnu.orders o
              union all select 'customer ' || c.xmin || ' ' || c::text from robnu.order_pii c
              union all select 'item ' || i.xmin || ' ' || i::text from robnu.order_items i
              union all select 'shipment ' || s.xmin || ' ' || s::text from robnu.shipments s) x order by 1";
        self.superuser.query(sql, &[]).await.unwrap().iter().map(|row| row.get(0)).collect()
    }

    /// The latest transaction that locked or rewrote a row in place. A vacuum may clear the mark, never make a later one.
    pub async fn latest_lock(&self) -> i64 {
        let sql = "select max(x.xmax::text::bigint) from (select xmax from robnu.orders
                   union all select xmax from robnu.order_items union all select xmax from robnu.shipments) x";
        self.superuser.query_one(sql, &[]).await.unwrap().get(0)
    }

    /// The other seller's data, row by row.
    pub async fn theirs(&self) -> Vec<String> {
        let sql = "select x.row from (
              select o.xmin || o::text as row from robnu.orders o where seller_id = $1
              union all select i.xmin || i::text from robnu.order_items i where seller_id = $1
              union all select r.xmin || r::text from robnu.sync_runs r where seller_id = $1
              union all select a.xmin || a::text from robnu.marketplace_accounts a where seller_id = $1) x order by 1";
        self.superuser
            .query(sql, &[&self.sellers.theirs.id])
            .await
            .unwrap()
            .iter()
            .map(|row| row.get(0))
            .collect()
    }

    /// The next message in a queue with its attributes, if one comes within a moment.
    pub async fn receive(&self, queue_url: &str) -> Option<aws_sdk_sqs::types::Message> {
        let answer = self
            .sqs
            .receive_message()
            .queue_url(queue_url)
            .message_attribute_names("All")
            .wait_time_seconds(2);
        let message = answer.send().await.unwrap().messages.unwrap_or_default().pop()?;
        self.sqs
            .delete_message()
            .queue_url(queue_url)
            .receipt_handle(message.receipt_handle().unwrap())
            .send()
            .await
            .unwrap();
        Some(message)
    }
}

fn account_of(seller: &Seller, marketplace: MarketplaceCode) -> AccountId {
    match marketplace {
        MarketplaceCode::Ajio => seller.ajio,
        MarketplaceCode::AmazonIn => seller.amazon,
        MarketplaceCode::Flipkart => seller.flipkart,
        MarketplaceCode::Meesho => seller.meesho,
    }
}

#[derive(Debug)]
pub struct Run {
    pub state: String,
    pub step: i32,
    pub generation: i32,
    pub attempt: i32,
    pub pages: i32,
    pub orders_new: i32,
    pub orders_changed: i32,
    pub orders_unchanged: i32,
    pub lines_new: i32,
    pub lines_removed: i32,
    pub quarantined: i32,
    pub error_code: Option<String>,
    pub has_position: bool,
}

/// The message was acknowledged.
pub fn acknowledged(answer: Answer) {
    assert_eq!(failures(answer), 0, "the message was not acknowledged");
}

/// The message goes back to its lane.
pub fn returned(answer: Answer) {
    assert_eq!(failures(answer), 1, "the message was acknowledged");
}

fn failures(answer: Answer) -> usize {
    failed(answer).len()
}

/// The ids of the messages that go back to their queue.
pub fn failed(answer: Answer) -> Vec<String> {
    match answer {
        Answer::Response(response) => {
            let failures = response["batchItemFailures"].as_array().into_iter().flatten();
            failures.filter_map(|failure| failure["itemIdentifier"].as_str()).map(str::to_owned).collect()
        }
        Answer::Error(error) => panic!("the function failed: {error}"),
    }
}

/// Waits, with a bound, for a condition that another process brings about.
pub async fn eventually(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    for _ in 0..1200 {
        if condition().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("never happened: {what}");
}

/// Kills the function in the transaction of a page, where a lock on this table holds it, and waits until its connection is gone.
pub async fn kill_in_transaction(stand: &Stand, function: LambdaProcess, job: &Job, table: &str) {
    let count = async |sql: &str| stand.superuser.query_one(sql, &[]).await.unwrap().get::<_, i64>(0);
    let mut blocker = stand.test.superuser().await;
    let lock = blocker.transaction().await.unwrap();
    lock.batch_execute(&format!("lock table robnu.{table} in share mode")).await.unwrap();
    let _never = function.send(stand.event(job)).await;
    let waiting = "select count(*) from pg_stat_activity where usename = 'robnu_adapter' and wait_event_type = 'Lock' and datname = current_database()";
    eventually("the page's transaction waits", async || count(waiting).await == 1).await;
    function.kill().await;
    lock.rollback().await.unwrap();
    let alive = "select count(*) from pg_stat_activity where usename = 'robnu_adapter' and datname = current_database()";
    eventually("its connection is gone", async || count(alive).await == 0).await;
}

/// The run as the sweep publishes it after its holder was killed.
pub async fn again(stand: &Stand, job: Job) -> Job {
    let sql = "update robnu.sync_runs set state = 'QUEUED', generation = generation + 1, lease_expires_at = null where id = $1 returning step, generation";
    let row = stand.superuser.query_one(sql, &[&job.run_id]).await.unwrap();
    Job { step: row.get(0), generation: row.get(1), ..job }
}

/// The text of the secret for the digests of user names.
pub const DIGEST_SECRET: &str = "a digest key of thirty-two letters";

async fn digest_secret() -> String {
    let secrets = aws_sdk_secretsmanager::Client::new(&local_aws().await);
    let name = format!("test/digest/{}", Uuid::now_v7().simple());
    secrets.create_secret().name(&name).secret_string(DIGEST_SECRET).send().await.unwrap();
    name
}
