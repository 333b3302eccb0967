//! A test stand for the adapter's real binary: a database with two sellers, a lane and a dead-letter queue in the local
//! cloud, and the marketplaces' simulator.

#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot be arranged has failed")]

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use robnu_dispatch::{Job, JobMessage, lane_queue_name};
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::kind::RunKind;
use robnu_storage::{KeyService, Place, SellerCipher};
use robnu_tenancy::{AccountId, RunId, SellerId};
use robnu_testkit::{Answer, LambdaProcess, Seller, TestDatabase, TwoSellers, local_aws};
use serde_json::{Value, json};
use simulators::{MeeshoAccount, Simulator, SimulatorConfig};
use tokio_postgres::Client;
use uuid::Uuid;

/// Shorter than in the template, so that a test can outlast a lease.
pub const LEASE_SECONDS: u64 = 4;

pub struct Stand {
    pub test: TestDatabase,
    pub sellers: TwoSellers,
    pub superuser: Client,
    pub simulator: Simulator,
    pub sqs: aws_sdk_sqs::Client,
    pub dead_letter_queue: String,
    pub lane_queue: String,
    pub parallel_queue: String,
    pub parallel_dead_letter_queue: String,
    pub slice_seconds: u64,
    ciphers: HashMap<SellerId, SellerCipher>,
    platform_key: String,
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
        let test = TestDatabase::new().await;
        let sellers = TwoSellers::seed(&test).await;
        let superuser = test.superuser().await;
        let aws = local_aws().await;
        let (kms, sqs) = (aws_sdk_kms::Client::new(&aws), aws_sdk_sqs::Client::new(&aws));
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
            ciphers.insert(seller.id, cipher);
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
            dead_letter_queue,
            lane_queue,
            parallel_queue,
            parallel_dead_letter_queue,
            slice_seconds: 30,
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
        let inherited = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
        let mut environment: Vec<_> =
            inherited.into_iter().map(|name| (name, std::env::var(name).unwrap_or_default())).collect();
        environment.extend([
            ("AWS_ENDPOINT_URL", std::env::var("TEST_AWS_ENDPOINT").unwrap()),
            ("RUST_LOG", "debug".to_owned()),
            ("DATABASE_HOST", host),
            ("DATABASE_PORT", port.to_string()),
            ("DATABASE_NAME", self.test.name().to_owned()),
            ("DATABASE_USER", "robnu_adapter".to_owned()),
            ("DATABASE_TLS", "off".to_owned()),
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
            ("DIGEST_SECRET_ID", self.digest_secret.clone()),
            ("LEASE_SECONDS", LEASE_SECONDS.to_string()),
            ("SLICE_SECONDS", self.slice_seconds.to_string()),
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

/// The text of the secret for the digests of user names.
pub const DIGEST_SECRET: &str = "a digest key of thirty-two letters";

async fn digest_secret() -> String {
    let secrets = aws_sdk_secretsmanager::Client::new(&local_aws().await);
    let name = format!("test/digest/{}", Uuid::now_v7().simple());
    secrets.create_secret().name(&name).secret_string(DIGEST_SECRET).send().await.unwrap();
    name
}

async fn store_key(superuser: &Client, keys: &KeyService, seller: SellerId) -> SellerCipher {
    let key = keys.generate(seller).await.unwrap();
    superuser
        .execute(
            "update robnu.seller_keys set id = $2, wrapped_key = $3, kms_key_id = $4 where seller_id = $1",
            &[&seller, &key.wrapped.id, &key.wrapped.ciphertext, &key.kms_key_id],
        )
        .await
        .unwrap();
    key.cipher
}

async fn seal_ajio(
    superuser: &Client,
    cipher: &SellerCipher,
    seller: SellerId,
    account: AccountId,
    username: &str,
) {
    let place = Place { table: "ajio_account_details", column: "password", row: *account.as_uuid() };
    let sql = "update robnu.ajio_account_details set username = $3, password_enc = $4 where seller_id = $1 and account_id = $2";
    let password = cipher.seal(place, b"correct horse").unwrap();
    superuser.execute(sql, &[&seller, &account, &username, &password]).await.unwrap();
}

async fn seal_amazon(
    superuser: &Client,
    cipher: &SellerCipher,
    seller: SellerId,
    account: AccountId,
    refresh_token: &str,
) {
    let place = |column| Place { table: "amazon_account_details", column, row: *account.as_uuid() };
    let sql = "update robnu.amazon_account_details set client_secret_enc = $3, refresh_token_enc = $4
               where seller_id = $1 and account_id = $2";
    let secret = cipher.seal(place("client_secret"), b"battery staple").unwrap();
    let token = cipher.seal(place("refresh_token"), refresh_token.as_bytes()).unwrap();
    superuser.execute(sql, &[&seller, &account, &secret, &token]).await.unwrap();
}

/// A key of the seller's own; the simulator accepts any that is not registered.
async fn seal_flipkart(superuser: &Client, cipher: &SellerCipher, seller: SellerId, account: AccountId) {
    let place = Place { table: "flipkart_account_details", column: "app_secret", row: *account.as_uuid() };
    let sql =
        "update robnu.flipkart_account_details set app_id = $3, app_secret_enc = $4, refresh_token_enc = null
               where seller_id = $1 and account_id = $2";
    let secret = cipher.seal(place, b"dishwasher").unwrap();
    superuser.execute(sql, &[&seller, &account, &format!("app-{account}"), &secret]).await.unwrap();
}

async fn seal_meesho(
    superuser: &Client,
    cipher: &SellerCipher,
    seller: SellerId,
    account: AccountId,
    supplier: &str,
) {
    let place = |column| Place { table: "meesho_account_details", column, row: *account.as_uuid() };
    let sql =
        "update robnu.meesho_account_details set supplier_id = $3, api_key_enc = $4, api_secret_enc = $5
               where seller_id = $1 and account_id = $2";
    let key = cipher.seal(place("api_key"), format!("key-of-{supplier}").as_bytes()).unwrap();
    let secret = cipher.seal(place("api_secret"), b"purple-monkey").unwrap();
    superuser.execute(sql, &[&seller, &account, &supplier, &key, &secret]).await.unwrap();
}

async fn fifo(sqs: &aws_sdk_sqs::Client, name: &str) -> String {
    let create = sqs.create_queue().queue_name(name).attributes(QueueAttributeName::FifoQueue, "true");
    create.send().await.unwrap().queue_url.unwrap()
}

async fn standard(sqs: &aws_sdk_sqs::Client, name: &str) -> String {
    sqs.create_queue().queue_name(name).send().await.unwrap().queue_url.unwrap()
}
