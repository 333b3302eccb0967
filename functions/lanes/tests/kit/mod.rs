//! Shared parts of the tests of lanes: two sellers whose accounts have no lane yet, and SQS and Lambda of the local cloud
//! behind a connection that can inject faults. All names hold ids that are new in every test.

#![allow(dead_code, reason = "each test file uses its own part")]

pub mod faults;
pub mod stack;

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{EventSourceMappingConfiguration, FunctionCode, Runtime};
use aws_sdk_sqs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_sqs::operation::get_queue_url::GetQueueUrlError;
use aws_sdk_sqs::types::QueueAttributeName;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use faults::Wire;
use lanes::{Answer, Context, Event, LaneConfig, Pace, Report, Target, Targets, handle};
use robnu_dispatch::{JobMessage, LaneRequest, ParallelQueues, Publisher, Record, lane_queue_name};
use robnu_marketplace::code::MarketplaceCode;
use robnu_tenancy::{AccountId, RunId, SellerId};
use robnu_testkit::{TestDatabase, TwoSellers};
use tokio::time::Instant;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

/// Names the local cloud's address.
const ENDPOINT_VARIABLE: &str = "TEST_AWS_ENDPOINT";
/// Faster than on AWS: the local cloud has no limit, and many tests share its time.
pub const CALLS_A_SECOND: u32 = 200;
/// A zip of `refuse.py`, whose `handler` raises: a message sent to it ends in the dead-letter queue.
const REFUSING_FUNCTION: &str = "UEsDBBQAAAAAAAAAIQBORMK2PAAAADwAAAAJAAAAcmVmdXNlLnB5ZGVmIGhhbmRsZXIoZXZlbnQsIGNvbnRleHQpOgogICAgcmFpc2UgRXhjZXB0aW9uKCJyZWZ1c2VkIikKUEsBAhQDFAAAAAAAAAAhAE5EwrY8AAAAPAAAAAkAAAAAAAAAAAAAAKQBAAAAAHJlZnVzZS5weVBLBQYAAAAAAQABADcAAABjAAAAAAA=";

pub struct World {
    pub test: TestDatabase,
    pub sellers: TwoSellers,
    pub superuser: Client,
    pub wire: Wire,
    pub context: Context,
    pub dead_letters: String,
    /// AJIO's parallel queue.
    pub parallel: String,
}

/// An account's lane as its row describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneRow {
    pub state: String,
    pub generation: i32,
    pub queue_url: Option<String>,
    pub mapping_id: Option<String>,
    pub is_leased: bool,
    pub is_shared: bool,
}

impl World {
    pub async fn new() -> Self {
        let test = TestDatabase::new().await;
        let sellers = TwoSellers::seed(&test).await;
        let superuser = test.superuser().await;
        let wire = Wire::new(aws_smithy_http_client::Builder::new().build_http());
        let sqs = sqs(&wire);
        let lambda = lambda(&wire);
        let name = format!("robnu-test-{}", sellers.ours.id);
        let function_arn = make_function(&lambda, &name).await;
        let dead_letters = make_queue(&sqs, &format!("{name}-dlq.fifo")).await;
        let dead_letter_queue_arn = attribute(&sqs, &dead_letters, QueueAttributeName::QueueArn).await;
        let requests = sqs.create_queue().queue_name(format!("{name}-requests")).send().await;
        let requests = requests.expect("the local cloud makes queues").queue_url.expect("a queue has a URL");
        let target = Target { function_arn, dead_letter_queue_arn };
        let targets: Targets = ["AJIO", "AMAZON_IN"].map(|code| (code.to_owned(), target.clone())).into();
        let config = LaneConfig {
            stage: "test".to_owned(),
            requests_queue_url: requests,
            // Each test has lanes of its own, because a round removes those that it has no rows for.
            queue_prefix: format!("rt{}-", &sellers.ours.id.as_uuid().simple().to_string()[12..]),
            visibility_seconds: 40,
            max_receives: 3,
            targets,
            own_function: None,
        };
        let parallel = sqs.create_queue().queue_name(format!("{name}-parallel")).send().await;
        let parallel = parallel.expect("the local cloud makes queues").queue_url.expect("a queue has a URL");
        let parallel_queues = ParallelQueues::from([(MarketplaceCode::Ajio, parallel.clone())]);
        let publisher = Publisher::new(sqs.clone(), parallel_queues.clone());
        let database = test.login("robnu_lanes").await;
        let pace = Pace::new(CALLS_A_SECOND);
        let context = Context { database, sqs, lambda, pace, parallel_queues, publisher, config };
        let world = Self { test, sellers, superuser, wire, context, dead_letters, parallel };
        let fresh = "update robnu.marketplace_accounts set lane_state = 'REQUESTED', lane_queue_url = null, lane_mapping_id = null";
        world.sql(fresh, &[]).await;
        // Two accounts of each seller are enough; the others are not used.
        let gone = "update robnu.marketplace_accounts set status = 'DISCONNECTED', lane_state = 'RETIRED'
                    where marketplace_code not in ('AJIO', 'AMAZON_IN')";
        world.sql(gone, &[]).await;
        world
    }

    /// The account that most tests use.
    pub fn ours(&self) -> (SellerId, AccountId) {
        (self.sellers.ours.id, self.sellers.ours.ajio)
    }

    pub fn accounts(&self) -> [(SellerId, AccountId); 4] {
        let (ours, theirs) = (&self.sellers.ours, &self.sellers.theirs);
        [(ours.id, ours.ajio), (ours.id, ours.amazon), (theirs.id, theirs.ajio), (theirs.id, theirs.amazon)]
    }

    /// The context of another process of the function.
    pub async fn another_context(&self) -> Context {
        Context { database: self.test.login("robnu_lanes").await, ..self.context.clone() }
    }

    /// Sends one request for an account and expects it to succeed.
    pub async fn ask(&self, account: (SellerId, AccountId)) {
        let failed = ask_with(&self.context, &[body(account)]).await;
        assert_eq!(failed, [0_usize; 0], "the request fails");
    }

    /// Runs one round of all lanes.
    pub async fn reconcile(&self) -> Report {
        reconcile_with(&self.context, in_a_minute()).await
    }

    pub async fn lane(&self, account: AccountId) -> LaneRow {
        let sql = "select lane_state, lane_generation, lane_queue_url, lane_mapping_id,
            coalesce(lane_lease_until > now(), false), lane_shared from robnu.marketplace_accounts where id = $1";
        let row = self.row(sql, &[&account]).await;
        LaneRow {
            state: row.get(0),
            generation: row.get(1),
            queue_url: row.get(2),
            mapping_id: row.get(3),
            is_leased: row.get(4),
            is_shared: row.get(5),
        }
    }

    /// Name of the account's queue of a generation.
    pub fn queue_name(&self, account: AccountId, generation: i32) -> String {
        lane_queue_name(&self.context.config.queue_prefix, account, generation)
    }

    /// Whether that queue exists.
    pub async fn has_queue(&self, account: AccountId, generation: i32) -> bool {
        let name = self.queue_name(account, generation);
        match self.context.sqs.get_queue_url().queue_name(name).send().await {
            Ok(_) => true,
            Err(error) if error.as_service_error().is_some_and(GetQueueUrlError::is_queue_does_not_exist) => {
                false
            }
            Err(error) => panic!("{error:?}"),
        }
    }

    /// Whether a queue of this name exists.
    pub async fn exists(&self, name: &str) -> bool {
        let listed = self.context.sqs.list_queues().queue_name_prefix(name).send().await;
        !listed.expect("queues can be listed").queue_urls.unwrap_or_default().is_empty()
    }

    /// The mappings of a queue.
    pub async fn mappings_of(&self, name: &str) -> Vec<EventSourceMappingConfiguration> {
        let arn = self.context.config.targets["AJIO"].queue_arn(name);
        let answer = self.context.lambda.list_event_source_mappings().event_source_arn(arn).send().await;
        answer.expect("mappings can be listed").event_source_mappings.unwrap_or_default()
    }

    /// Makes a FIFO queue with the tag of a stage.
    pub async fn put_queue(&self, name: &str, stage: &str) {
        let request = self.context.sqs.create_queue().queue_name(name).tags("robnu:stage", stage);
        let request = request.attributes(QueueAttributeName::FifoQueue, "true");
        request.send().await.expect("the local cloud makes queues");
    }

    /// Makes a mapping of a queue.
    pub async fn put_mapping(&self, name: &str) {
        let target = &self.context.config.targets["AJIO"];
        let request = self.context.lambda.create_event_source_mapping().function_name(&target.function_arn);
        let made = request.event_source_arn(target.queue_arn(name)).batch_size(1).send().await;
        made.expect("the local cloud makes mappings");
    }

    /// Makes queue and mapping behind the database's back, and returns the queue's name.
    pub async fn put_lane(&self, account: AccountId, generation: i32, stage: &str) -> String {
        let name = self.queue_name(account, generation);
        self.put_queue(&name, stage).await;
        self.put_mapping(&name).await;
        name
    }

    /// Runs one round in a context of its own, and returns whether there is more to do.
    pub async fn reconcile_is_short(&self, context: &Context) -> bool {
        let report = reconcile_with(context, in_a_minute()).await;
        assert_eq!((report.failed, report.busy, report.orphans), (0, 0, 0), "{report:?}");
        report.time_short
    }

    /// The mappings of that queue.
    pub async fn mappings(
        &self,
        account: AccountId,
        generation: i32,
    ) -> Vec<EventSourceMappingConfiguration> {
        let arn = self.context.config.targets["AJIO"].queue_arn(&self.queue_name(account, generation));
        let answer = self.context.lambda.list_event_source_mappings().event_source_arn(arn).send().await;
        answer.expect("mappings can be listed").event_source_mappings.unwrap_or_default()
    }

    /// Expects the account's lane to exist exactly once, complete and enabled.
    pub async fn expect_open(&self, account: AccountId, generation: i32) {
        let lane = self.lane(account).await;
        assert_eq!((lane.state.as_str(), lane.generation, lane.is_leased), ("ACTIVE", generation, false));
        assert!(
            lane.queue_url
                .expect("an active lane has a queue")
                .ends_with(&self.queue_name(account, generation))
        );
        assert!(self.has_queue(account, generation).await);
        let mappings = self.mappings(account, generation).await;
        assert_eq!(mappings.len(), 1, "{mappings:?}");
        assert_eq!(mappings[0].uuid, lane.mapping_id);
        assert_eq!(mappings[0].state.as_deref(), Some("Enabled"));
    }

    pub async fn set_status(&self, account: AccountId, status: &str) {
        self.sql("update robnu.marketplace_accounts set status = $2 where id = $1", &[&account, &status])
            .await;
    }

    /// Operators want the account to have another kind of lane.
    pub async fn set_kind(&self, account: AccountId, kind: &str) {
        let sql =
            "update robnu.marketplace_accounts set lane_kind = $2, lane_kind_since = now() where id = $1";
        self.sql(sql, &[&account, &kind]).await;
    }

    /// Expects the account's lane to be the parallel queue, which nobody has touched, and no queue or mapping of its own.
    pub async fn expect_shared(&self, account: AccountId) {
        let lane = self.lane(account).await;
        assert_eq!((lane.state.as_str(), lane.is_shared, lane.is_leased), ("ACTIVE", true, false));
        assert_eq!((lane.queue_url.as_ref(), lane.mapping_id), (Some(&self.parallel), None));
        for generation in 1..=lane.generation {
            assert!(!self.has_queue(account, generation).await, "generation {generation}");
            assert!(self.mappings(account, generation).await.is_empty(), "generation {generation}");
        }
        self.expect_parallel_queue().await;
    }

    /// Expects AJIO's parallel queue to exist.
    pub async fn expect_parallel_queue(&self) {
        attribute(&self.context.sqs, &self.parallel, QueueAttributeName::QueueArn).await;
    }

    /// The runs that messages in a queue name, with their generations; the messages are taken out.
    pub async fn messages(&self, queue: &str) -> Vec<(RunId, i32)> {
        let mut found = Vec::new();
        loop {
            let answer = self.context.sqs.receive_message().queue_url(queue).max_number_of_messages(10);
            let messages = answer.send().await.expect("the queue can be read").messages.unwrap_or_default();
            if messages.is_empty() {
                return found;
            }
            for message in messages {
                let job = JobMessage::parse(message.body().unwrap_or_default()).expect("a job").into_job();
                found.push((job.run_id, job.generation));
                let handle = message.receipt_handle().expect("a received message has a handle");
                let delete = self.context.sqs.delete_message().queue_url(queue).receipt_handle(handle);
                delete.send().await.expect("a message can be deleted");
            }
        }
    }

    /// Operators hold the account's runs.
    pub async fn hold(&self, account: AccountId) {
        let sql =
            "update robnu.marketplace_accounts set held_at = now(), hold_reason = 'a fault' where id = $1";
        self.sql(sql, &[&account]).await;
    }

    pub async fn put_queued_run(&self, account: AccountId) -> RunId {
        let run = RunId::new();
        let sql = "insert into robnu.sync_runs (seller_id, id, account_id, marketplace_code, kind, trigger)
             select seller_id, $1, id, marketplace_code, 'ORDERS', 'API' from robnu.marketplace_accounts where id = $2";
        self.sql(sql, &[&run, &account]).await;
        run
    }

    pub async fn is_sent(&self, run: RunId) -> bool {
        self.row("select sent_at is not null from robnu.sync_runs where id = $1", &[&run]).await.get(0)
    }

    pub async fn sql(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> u64 {
        self.superuser.execute(sql, params).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    pub async fn row(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> tokio_postgres::Row {
        self.superuser.query_one(sql, params).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }
}

/// The body of a lane request.
pub fn body((seller, account): (SellerId, AccountId)) -> String {
    LaneRequest { seller_id: seller, account_id: account }.to_body()
}

/// Sends requests as one batch and returns the positions of those that failed.
pub async fn ask_with(context: &Context, bodies: &[String]) -> Vec<usize> {
    ask_until(context, bodies, in_a_minute()).await
}

pub async fn ask_until(context: &Context, bodies: &[String], deadline: Instant) -> Vec<usize> {
    let records = bodies.iter().enumerate();
    let records = records
        .map(|(place, body)| Record {
            message_id: place.to_string(),
            body: Some(body.clone()),
            ..Record::default()
        })
        .collect();
    match handle(Event::Requests { records }, context, deadline).await {
        Ok(Answer::Requests { batch_item_failures }) => {
            let mut places: Vec<usize> = batch_item_failures
                .iter()
                .map(|failure| failure.item_identifier.parse().expect("our own ids"))
                .collect();
            places.sort_unstable();
            places
        }
        other => panic!("{other:?}"),
    }
}

pub async fn reconcile_with(context: &Context, deadline: Instant) -> Report {
    match handle(Event::Sweep { sweep: "lane-reconcile".to_owned(), round: 0 }, context, deadline).await {
        Ok(Answer::Reconciled(report)) => report,
        other => panic!("{other:?}"),
    }
}

pub fn in_a_minute() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

pub async fn attribute(sqs: &aws_sdk_sqs::Client, queue_url: &str, name: QueueAttributeName) -> String {
    let answer = sqs.get_queue_attributes().queue_url(queue_url).attribute_names(name.clone()).send().await;
    let mut attributes: HashMap<_, _> =
        answer.expect("the queue can be inspected").attributes.unwrap_or_default();
    attributes.remove(&name).expect("the attribute is there")
}

pub async fn make_queue(sqs: &aws_sdk_sqs::Client, name: &str) -> String {
    let request = sqs.create_queue().queue_name(name).attributes(QueueAttributeName::FifoQueue, "true");
    request.send().await.expect("the local cloud makes queues").queue_url.expect("a queue has a URL")
}

/// Makes a function with an alias and returns the alias's ARN.
async fn make_function(lambda: &aws_sdk_lambda::Client, name: &str) -> String {
    let code = BASE64_STANDARD.decode(REFUSING_FUNCTION).expect("base64");
    // A local AWS that evaluates policies needs an existing role: the role of any function deployed there will do.
    let deployed = lambda.list_functions().send().await.expect("functions can be listed");
    let role = deployed.functions().iter().find_map(|function| function.role());
    let role = role.unwrap_or("arn:aws:iam::000000000000:role/none").to_owned();
    lambda
        .create_function()
        .function_name(name)
        .runtime(Runtime::Python312)
        .handler("refuse.handler")
        .role(role)
        .code(FunctionCode::builder().zip_file(Blob::new(code)).build())
        .publish(true)
        .send()
        .await
        .expect("the local cloud makes functions");
    let alias = lambda.create_alias().function_name(name).name("live").function_version("1").send().await;
    alias.expect("the function can have an alias").alias_arn.expect("an alias has an ARN")
}

fn endpoint() -> String {
    std::env::var(ENDPOINT_VARIABLE)
        .unwrap_or_else(|_| panic!("{ENDPOINT_VARIABLE} is not set: run the tests with `cargo xtask test`"))
}

fn credentials() -> Credentials {
    Credentials::new("test", "test", None, None, "test")
}

fn sqs(wire: &Wire) -> aws_sdk_sqs::Client {
    let config = aws_sdk_sqs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(wire.clone())
        .region(Region::new("ap-south-1"))
        .credentials_provider(credentials())
        .endpoint_url(endpoint());
    aws_sdk_sqs::Client::from_conf(config.build())
}

fn lambda(wire: &Wire) -> aws_sdk_lambda::Client {
    let config = aws_sdk_lambda::Config::builder()
        .behavior_version(aws_sdk_lambda::config::BehaviorVersion::latest())
        .http_client(wire.clone())
        .region(aws_sdk_lambda::config::Region::new("ap-south-1"))
        .credentials_provider(credentials())
        .endpoint_url(endpoint());
    aws_sdk_lambda::Client::from_conf(config.build())
}
