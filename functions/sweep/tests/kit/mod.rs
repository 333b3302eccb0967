//! Shared parts of the sweep's tests: two sellers, each account with a real queue in the local cloud, and a sweep that logs
//! in as the function does.

#![allow(dead_code, reason = "each test file uses its own part")]

pub mod closing;
pub mod mails;
pub mod raw_pages;
#[path = "../../../../shared/storage/tests/wire/mod.rs"]
pub mod wire;

use std::time::Duration;

use api::mail::Mailer;
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::types::QueueAttributeName;
use robnu_dispatch::{Job, JobMessage, ParallelQueues, Publisher, lane_queue_name};
use robnu_marketplace::code::MarketplaceCode;
use robnu_storage::KeyService;
use robnu_storage::erasure::SellerBucket;
use robnu_storage::objects::{ObjectEncryption, ObjectSettings, Objects};
use robnu_tenancy::{AccountId, Database, ReturnId, RunId, SellerId};
use robnu_testkit::{TestDatabase, TwoSellers, local_aws};
use sweep::scheduling::Report;
use sweep::{Context, Erasure, Request, SweepError, handle};
use tokio::time::Instant;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;
use wire::Wire;

/// Names the local cloud's address.
const ENDPOINT_VARIABLE: &str = "TEST_AWS_ENDPOINT";

pub struct World {
    pub test: TestDatabase,
    pub sellers: TwoSellers,
    pub superuser: Client,
    pub sqs: aws_sdk_sqs::Client,
    pub context: Context,
}

impl World {
    /// Two sellers, for sweeps that publish nothing.
    pub async fn without_lanes() -> Self {
        let test = TestDatabase::new().await;
        let sellers = TwoSellers::seed(&test).await;
        let superuser = test.superuser().await;
        let sqs = sqs();
        let context = Context {
            database: test.login("robnu_sweep").await,
            publisher: Publisher::new(sqs.clone(), ParallelQueues::default()),
            keys: no_keys(),
            data_key_days: 365,
            erasure: erasure("robnu-test-no-bucket", "no key").await,
            objects: objects("robnu-test-no-bucket", "no key").await,
            mailer: no_mailer(),
        };
        Self { test, sellers, superuser, sqs, context }
    }

    /// Two sellers whose four accounts have a lane and a schedule that is due.
    pub async fn new() -> Self {
        let world = Self::without_lanes().await;
        for (_, account) in world.accounts() {
            let queue = world.queue(account).await;
            world
                .run_sql(
                    "update robnu.marketplace_accounts set lane_queue_url = $2 where id = $1",
                    &[&account, &queue],
                )
                .await;
        }
        world
    }

    pub fn accounts(&self) -> [(SellerId, AccountId); 4] {
        let (ours, theirs) = (&self.sellers.ours, &self.sellers.theirs);
        [(ours.id, ours.ajio), (ours.id, ours.amazon), (theirs.id, theirs.ajio), (theirs.id, theirs.amazon)]
    }

    /// Makes the account's queue; account ids are new in every test, so its name is too.
    pub async fn queue(&self, account: AccountId) -> String {
        let made = self
            .sqs
            .create_queue()
            .queue_name(lane_queue_name("robnu-test-lane-", account, 1))
            .attributes(QueueAttributeName::FifoQueue, "true")
            .send()
            .await;
        made.expect("the local cloud makes queues").queue_url.expect("a queue has a URL")
    }

    pub async fn sweep(&self) -> Report {
        sweep_with(&self.context).await
    }

    pub async fn another_context(&self) -> Context {
        let database = self.test.login("robnu_sweep").await;
        self.context_with(database)
    }

    /// A context that publishes AJIO's parallel runs to this queue.
    pub async fn context_with_parallel(&self, queue_url: &str) -> Context {
        let parallel = ParallelQueues::from([(MarketplaceCode::Ajio, queue_url.to_owned())]);
        let context = self.another_context().await;
        Context { publisher: Publisher::new(self.sqs.clone(), parallel), ..context }
    }

    pub fn context_with(&self, database: Database) -> Context {
        Context {
            database,
            publisher: Publisher::new(self.sqs.clone(), ParallelQueues::default()),
            keys: no_keys(),
            data_key_days: 365,
            erasure: self.context.erasure.clone(),
            objects: self.context.objects.clone(),
            mailer: no_mailer(),
        }
    }

    /// Takes all messages out of an account's lane.
    pub async fn heard(&self, account: AccountId) -> Vec<Job> {
        let row = self
            .row("select lane_queue_url from robnu.marketplace_accounts where id = $1", &[&account])
            .await;
        let queue: String = row.get(0);
        let mut jobs = Vec::new();
        loop {
            let answer = self.sqs.receive_message().queue_url(&queue).max_number_of_messages(10).send().await;
            let messages = answer.expect("the queue can be read").messages.unwrap_or_default();
            if messages.is_empty() {
                return jobs;
            }
            for message in messages {
                let body = message.body.expect("a message has a body");
                jobs.push(JobMessage::parse(&body).expect("a message names a job").into_job());
                let receipt = message.receipt_handle.expect("a message has a receipt");
                self.sqs
                    .delete_message()
                    .queue_url(&queue)
                    .receipt_handle(receipt)
                    .send()
                    .await
                    .expect("acknowledged");
            }
        }
    }

    /// Replaces the account's runs with one live run, given by `columns` and their SQL `values`.
    pub async fn put_run(&self, account: AccountId, columns: &str, values: &str) -> RunId {
        let run = RunId::new();
        let sql = format!(
            "insert into robnu.sync_runs (seller_id, id, account_id, marketplace_code, kind, trigger, {columns})
             select seller_id, $1, id, marketplace_code, 'ORDERS', 'API', {values} from robnu.marketplace_accounts where id = $2"
        );
        self.run_sql(&sql, &[&run, &account]).await;
        run
    }

    /// Adds a return that is overdue from `due` on, changed as `set` says, bypassing the triggers.
    pub async fn put_return(&self, account: AccountId, number: &str, due: &str, set: &str) -> ReturnId {
        let id = ReturnId::new();
        self.arrange(&format!(
            "insert into robnu.returns (seller_id, id, account_id, external_return_id, return_type, status, marketplace_status,
               currency, initiated_at, missing_after_days, file_by_days, missing_at, pending_at)
             select seller_id, '{id}', id, '{number}', 'CUSTOMER', 'IN_TRANSIT', 'x', 'INR', now() - interval '60 days', 60,
               array_fill(null::integer, array[6]), {due}, {due}
             from robnu.marketplace_accounts where id = '{account}';
             update robnu.returns set {set} where id = '{id}'"
        ))
        .await;
        id
    }

    /// Runs statements that no scope could, without the triggers.
    pub async fn arrange(&self, sql: &str) {
        let sql =
            format!("set session_replication_role = replica; {sql}; set session_replication_role = origin");
        self.superuser.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }

    pub async fn text(&self, sql: &str) -> String {
        self.row(sql, &[]).await.get(0)
    }

    /// A fingerprint of every row of these tables: it changes when any row is written, moved or removed.
    pub async fn fingerprint(&self, tables: &[&str]) -> String {
        let each: Vec<String> = tables
            .iter()
            .map(|table| {
                format!(
                    "(select count(*) || coalesce(string_agg(md5(t::text) || t.xmin || t.ctid, ',' order by t.ctid), '') from robnu.{table} t)"
                )
            })
            .collect();
        self.text(&format!("select md5({})", each.join(" || ';' || "))).await
    }

    /// Every table except those named.
    pub async fn tables_but(&self, but: &[&str]) -> Vec<String> {
        let sql = "select relname::text from pg_class where relnamespace = 'robnu'::regnamespace and relkind = 'r' and relname <> all ($1) order by 1";
        let rows = self.superuser.query(sql, &[&but]).await.unwrap_or_else(|error| panic!("{error:?}"));
        rows.iter().map(|row| row.get(0)).collect()
    }

    pub async fn suspend(&self, seller: SellerId) {
        let sql = "update robnu.sellers set suspended_at = now(), suspension_reason = 'unpaid' where seller_id = $1";
        self.run_sql(sql, &[&seller]).await;
    }

    pub async fn resume(&self, seller: SellerId) {
        let sql =
            "update robnu.sellers set suspended_at = null, suspension_reason = null where seller_id = $1";
        self.run_sql(sql, &[&seller]).await;
    }

    pub async fn nothing_is_due(&self) {
        self.run_sql("update robnu.schedules set next_due_at = now() + interval '1 hour'", &[]).await;
    }

    pub async fn run_sql(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> u64 {
        self.superuser.execute(sql, params).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    pub async fn row(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> tokio_postgres::Row {
        self.superuser.query_one(sql, params).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    pub async fn count(&self, sql: &str) -> i64 {
        self.row(sql, &[]).await.get(0)
    }
}

pub fn in_a_minute() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

pub async fn sweep_with(context: &Context) -> Report {
    match try_sweep(context, "scheduling", in_a_minute()).await {
        Ok(sweep::Report::Scheduling(report)) => report,
        other => panic!("{other:?}"),
    }
}

pub async fn claim_with(context: &Context, deadline: Instant) -> sweep::claims::Report {
    match try_sweep(context, "claims", deadline).await {
        Ok(sweep::Report::Claims(report)) => report,
        other => panic!("{other:?}"),
    }
}

pub async fn forget_with(context: &Context, deadline: Instant) -> sweep::retention::Report {
    match try_sweep(context, "retention", deadline).await {
        Ok(sweep::Report::Retention(report)) => report,
        other => panic!("{other:?}"),
    }
}

pub async fn close_with(context: &Context, deadline: Instant) -> sweep::closing::Report {
    match try_sweep(context, "closing", deadline).await {
        Ok(sweep::Report::Closing(report)) => report,
        other => panic!("{other:?}"),
    }
}

pub async fn usage_with(context: &Context, deadline: Instant) -> sweep::usage::Report {
    match try_sweep(context, "usage", deadline).await {
        Ok(sweep::Report::Usage(report)) => report,
        other => panic!("{other:?}"),
    }
}

pub async fn raw_pages_with(context: &Context, deadline: Instant) -> sweep::raw_pages::Report {
    match try_sweep(context, "raw_pages", deadline).await {
        Ok(sweep::Report::RawPages(report)) => report,
        other => panic!("{other:?}"),
    }
}

/// What closing needs, with this bucket and this key of the platform.
pub async fn erasure(bucket: &str, platform_key: &str) -> Erasure {
    let aws = local_aws().await;
    Erasure {
        kms: aws_sdk_kms::Client::new(&aws),
        bucket: SellerBucket::new(aws_sdk_s3::Client::new(&aws), bucket.to_owned(), platform_key.to_owned()),
        key_deletion_days: 7,
    }
}

/// The sellers' objects in this bucket, under this key of the platform.
pub async fn objects(bucket: &str, platform_key: &str) -> Objects {
    let encryption = ObjectEncryption::PlatformKey(platform_key.to_owned());
    let settings = ObjectSettings { bucket: bucket.to_owned(), encryption };
    Objects::new(aws_sdk_s3::Client::new(&local_aws().await), settings)
}

/// Makes a bucket of the test's own that keeps versions.
pub async fn bucket() -> (aws_sdk_s3::Client, String) {
    use aws_sdk_s3::types::{
        BucketLocationConstraint, BucketVersioningStatus, CreateBucketConfiguration, VersioningConfiguration,
    };
    let s3 = aws_sdk_s3::Client::new(&local_aws().await);
    let name = format!("robnu-test-{}", SellerId::new());
    let region =
        CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::ApSouth1).build();
    s3.create_bucket()
        .bucket(&name)
        .create_bucket_configuration(region)
        .send()
        .await
        .expect("a bucket is made");
    let versions = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
    let keeps = s3.put_bucket_versioning().bucket(&name).versioning_configuration(versions).send().await;
    keeps.expect("the bucket keeps versions");
    (s3, name)
}

pub async fn try_sweep(
    context: &Context,
    name: &str,
    deadline: Instant,
) -> Result<sweep::Report, SweepError> {
    handle(&Request { sweep: name.to_owned(), seller_id: None }, context, deadline).await
}

/// What the function's real binary reads from its environment besides the database's address, for sweeps that need nothing else.
pub fn function_variables() -> Vec<(&'static str, String)> {
    [
        ("PARALLEL_QUEUES", "{}"),
        ("PLATFORM_KEY_ID", "none"),
        ("AWS_S3_PER_SELLER_KMS", "false"),
        ("AWS_S3_BUCKET", "robnu-test-no-bucket"),
        ("AWS_S3_OBJECTS_ROLE_ARN", "arn:aws:iam::000000000000:role/objects"),
        ("SELLER_KEY_DELETION_DAYS", "7"),
        ("DATA_KEY_DAYS", "365"),
        ("MAIL_FROM", "no-reply@robnu.test"),
        ("APP_URL", "https://app.robnu.test"),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into()
}

/// A sender that SES does not know, for the sweeps that mail nobody.
pub fn no_mailer() -> Mailer {
    mails::sender("nobody@robnu.invalid")
}

/// Keys for the sweeps that use none: the platform's key does not exist.
pub fn no_keys() -> KeyService {
    KeyService::new(Wire::new().kms(), "none".to_owned())
}

pub async fn keys_with(context: &Context, deadline: Instant) -> Result<sweep::keys::Report, SweepError> {
    match try_sweep(context, "keys", deadline).await? {
        sweep::Report::Keys(report) => Ok(report),
        other => panic!("{other:?}"),
    }
}

pub fn sqs() -> aws_sdk_sqs::Client {
    let endpoint = std::env::var(ENDPOINT_VARIABLE)
        .unwrap_or_else(|_| panic!("{ENDPOINT_VARIABLE} is not set: run the tests with `cargo xtask test`"));
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .region(Region::new("ap-south-1"))
        .credentials_provider(Credentials::new("test", "test", None, None, "test"))
        .endpoint_url(endpoint);
    aws_sdk_sqs::Client::from_conf(config.build())
}
