//! Shared parts of the redrive function's tests: two sellers whose AJIO accounts have a real lane, and the queues around them, in the
//! local cloud. A message that nobody handles dies there as it does on AWS.

#![allow(dead_code, reason = "each test file uses its own part")]

pub mod process;

use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use redrive::{
    Answer, Collected, Context, DeadLetterQueue, Discarded, Found, Queues, Redriven, Source, handle,
};
use robnu_dispatch::{Job, JobMessage, ParallelQueues, Publisher, lane_queue_name};
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::{AccountId, DeadLetterId, RunId, SellerId};
use robnu_testkit::{Seller, TestDatabase, TwoSellers, local_aws};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

pub struct World {
    pub test: TestDatabase,
    pub sellers: TwoSellers,
    pub superuser: Client,
    pub context: Context,
    /// The dead-letter queue of AJIO's lanes, and that of its parallel queue.
    pub lanes_dead: String,
    pub parallel_dead: String,
    pub parallel: String,
    /// Those of lane requests and of exports.
    pub requests_dead: String,
    pub exports_dead: String,
}

impl World {
    pub async fn new() -> Self {
        let test = TestDatabase::new().await;
        let sellers = TwoSellers::seed(&test).await;
        let superuser = test.superuser().await;
        let sqs = aws_sdk_sqs::Client::new(&local_aws().await);
        let name = |rest: &str| format!("robnu-test-{}-{rest}", &sellers.ours.id.to_string()[9..]);
        let lanes_dead = queue(&sqs, &name("ajio-dlq.fifo"), None).await;
        let parallel_dead = queue(&sqs, &name("ajio-parallel-dlq"), None).await;
        let parallel = queue(&sqs, &name("ajio-parallel"), Some(&parallel_dead)).await;
        let requests_dead = queue(&sqs, &name("lane-requests-dlq"), None).await;
        let exports_dead = queue(&sqs, &name("exports-dlq"), None).await;
        let ajio = Source::Marketplace(MarketplaceCode::Ajio);
        let dead = |source, url: &String| DeadLetterQueue { source, url: url.clone() };
        let queues = Queues {
            dead_letters: vec![
                dead(ajio, &lanes_dead),
                dead(ajio, &parallel_dead),
                dead(Source::LaneRequests, &requests_dead),
                dead(Source::Exports, &exports_dead),
            ],
            parallel: ParallelQueues::from([(MarketplaceCode::Ajio, parallel.clone())]),
            lane_requests: queue(&sqs, &name("lane-requests"), None).await,
            exports: queue(&sqs, &name("exports"), None).await,
        };
        let publisher = Publisher::new(sqs.clone(), queues.parallel.clone());
        let context = Context { database: test.login("robnu_redrive").await, sqs, publisher, queues };
        let world = Self {
            test,
            sellers,
            superuser,
            context,
            lanes_dead,
            parallel_dead,
            parallel,
            requests_dead,
            exports_dead,
        };
        world.sql("delete from robnu.dead_letters", &[]).await;
        world.sql("delete from robnu.dead_letter_actions", &[]).await;
        for account in [world.sellers.ours.ajio, world.sellers.theirs.ajio] {
            world.make_lane(account).await;
        }
        world
    }

    /// Makes the account's lane, whose messages die of one receive.
    async fn make_lane(&self, account: AccountId) {
        let name = lane_queue_name("robnu-test-lane-", account, 1);
        let url = queue(&self.context.sqs, &name, Some(&self.lanes_dead)).await;
        self.move_lane(account, &url).await;
    }

    /// Gives the account a lane at this address.
    pub async fn move_lane(&self, account: AccountId, url: &str) {
        let sql = "update robnu.marketplace_accounts set lane_queue_url = $2 where id = $1";
        self.sql(sql, &[&account, &url]).await;
    }

    pub async fn lane(&self, account: AccountId) -> String {
        self.row("select lane_queue_url from robnu.marketplace_accounts where id = $1", &[&account])
            .await
            .get(0)
    }

    pub async fn another_context(&self) -> Context {
        Context { database: self.test.login("robnu_redrive").await, ..self.context.clone() }
    }

    /// A run of a seller's AJIO account that was just published, and its message.
    pub async fn publish_run(&self, seller: &Seller, kind: RunKind) -> Job {
        self.run(seller, kind, "state, sent_at", "'QUEUED', now()").await.0
    }

    /// A run of a seller's AJIO account whose columns have these SQL values. Its message is sent.
    pub async fn run(&self, seller: &Seller, kind: RunKind, columns: &str, values: &str) -> (Job, RunId) {
        let job = self.unsent_run(seller, kind, columns, values).await;
        let lane = self.lane(seller.ajio).await;
        self.context.publisher.publish(Some(&lane), job.clone()).await.unwrap();
        let run = job.run_id;
        (job, run)
    }

    pub async fn unsent_run(&self, seller: &Seller, kind: RunKind, columns: &str, values: &str) -> Job {
        let run_id = RunId::new();
        let trigger = if kind == RunKind::FileImport { "FILE" } else { "API" };
        let sql = format!(
            "insert into robnu.sync_runs (seller_id, id, account_id, marketplace_code, kind, trigger, {columns})
             values ($1, $2, $3, 'AJIO', $4, $5, {values}) returning step, generation"
        );
        let row = self.row(&sql, &[&seller.id, &run_id, &seller.ajio, &kind.as_str(), &trigger]).await;
        Job {
            run_id,
            step: row.get(0),
            generation: row.get(1),
            seller_id: seller.id,
            account_id: seller.ajio,
            marketplace: MarketplaceCode::Ajio,
            kind,
        }
    }

    /// Lets the messages of a queue die of too many receives, as far as anybody has sent any.
    pub async fn let_die(&self, queue: &str) {
        loop {
            let receive = self.context.sqs.receive_message().queue_url(queue).max_number_of_messages(10);
            let answer = receive.visibility_timeout(0).send().await.unwrap();
            if answer.messages.unwrap_or_default().is_empty() {
                return;
            }
        }
    }

    /// Puts a body into a dead-letter queue, as an adapter does that refuses it.
    pub async fn refuse(&self, dead: &str, body: &str, refusal: &str, from: &str) {
        use aws_sdk_sqs::types::MessageAttributeValue;
        let text = |value: &str| {
            MessageAttributeValue::builder().data_type("String").string_value(value).build().unwrap()
        };
        let mut send = self.context.sqs.send_message().queue_url(dead).message_body(body);
        if dead.strip_suffix(".fifo").is_some() {
            send = send.message_group_id("g").message_deduplication_id(RunId::new().to_string());
        }
        let send = send.message_attributes("refusal", text(refusal)).message_attributes("queue", text(from));
        send.send().await.unwrap();
    }

    /// A dead-lettered run of the seller's AJIO account and its dead letter, without any queue.
    pub async fn dead_run(&self, seller: &Seller, kind: RunKind, more: &str) -> (Job, DeadLetterId) {
        let job = self.unsent_run(seller, kind, "state, finished_at", "'DEAD_LETTERED', now()").await;
        if !more.is_empty() {
            self.sql(&format!("update robnu.sync_runs set {more} where id = $1"), &[&job.run_id]).await;
        }
        let letter = self.letter(&job).await;
        (job, letter)
    }

    /// The open dead letter of a job. Each is later than those before.
    pub async fn letter(&self, job: &Job) -> DeadLetterId {
        let queue = if job.kind.is_parallel() { &self.parallel_dead } else { &self.lanes_dead };
        let queue = queue.rsplit('/').next().unwrap();
        let body = JobMessage::new(job.clone()).to_body();
        let sql = "insert into robnu.dead_letters (queue, message_id, source, form, body, body_bytes, reason, sent_at, seller_id,
              account_id, run_id, kind, step, generation)
            values ($1, uuidv7()::text, 'AJIO', 'JOB', $2, 1, 'TOO_MANY_RECEIVES',
              (select coalesce(max(sent_at), '2026-01-01T00:00:00Z') + interval '1 second' from robnu.dead_letters), $3, $4, $5, $6, $7, $8)
            returning id";
        let (seller, account, run) = (&job.seller_id, &job.account_id, &job.run_id);
        let kind = job.kind.as_str();
        self.row(sql, &[&queue, &body, seller, account, run, &kind, &job.step, &job.generation]).await.get(0)
    }

    pub async fn collect(&self) -> Collected {
        collect_with(&self.context).await
    }

    pub async fn ask(&self, name: &str, request: Value) -> Answer {
        handle(json!({ name: request }), &self.context, in_a_minute()).await.unwrap()
    }

    pub async fn redrive(&self, request: Value) -> Redriven {
        redrive_with(&self.context, request).await
    }

    pub async fn discard(&self, mut request: Value) -> Discarded {
        request["operator"] = "asha".into();
        match self.ask("discard", request).await {
            Answer::Discarded(report) => report,
            other => panic!("{other:?}"),
        }
    }

    pub async fn list(&self, request: Value) -> Found {
        match self.ask("list", request).await {
            Answer::Found(found) => found,
            other => panic!("{other:?}"),
        }
    }

    /// State, generation and error code of a run.
    pub async fn standing(&self, run: RunId) -> (String, i32, String) {
        let sql = "select state, generation, coalesce(error_code, '') from robnu.sync_runs where id = $1";
        let row = self.row(sql, &[&run]).await;
        (row.get(0), row.get(1), row.get(2))
    }

    /// State and outcome of every dead letter, in the order in which they were recorded.
    pub async fn letters(&self) -> Vec<(String, String)> {
        let sql = "select state, coalesce(outcome, '') from robnu.dead_letters order by id";
        let rows = self.superuser.query(sql, &[]).await.unwrap();
        rows.iter().map(|row| (row.get(0), row.get(1))).collect()
    }

    /// Takes all bodies out of a queue, in their order.
    pub async fn heard(&self, queue: &str) -> Vec<String> {
        let mut bodies = Vec::new();
        loop {
            let receive = self.context.sqs.receive_message().queue_url(queue).max_number_of_messages(10);
            let messages = receive.send().await.unwrap().messages.unwrap_or_default();
            if messages.is_empty() {
                return bodies;
            }
            for message in messages {
                bodies.push(message.body.unwrap());
                let receipt = message.receipt_handle.unwrap();
                let delete = self.context.sqs.delete_message().queue_url(queue).receipt_handle(receipt);
                delete.send().await.unwrap();
            }
        }
    }

    /// Takes all jobs out of a queue, in their order.
    pub async fn heard_jobs(&self, queue: &str) -> Vec<Job> {
        let bodies = self.heard(queue).await;
        bodies.iter().map(|body| JobMessage::parse(body).unwrap().into_job()).collect()
    }

    /// How many messages of a queue were handed out and not deleted.
    pub async fn hidden(&self, queue: &str) -> String {
        let hidden = QueueAttributeName::ApproximateNumberOfMessagesNotVisible;
        let ask = self.context.sqs.get_queue_attributes().queue_url(queue).attribute_names(hidden.clone());
        ask.send().await.unwrap().attributes.unwrap()[&hidden].clone()
    }

    /// Half a minute goes by, after which others may send what a redrive has left.
    pub async fn half_a_minute_later(&self) {
        self.sql("update robnu.dead_letters set publish_after = publish_after - interval '31 seconds'", &[])
            .await;
        let sql = "update robnu.sync_runs set next_attempt_at = next_attempt_at - interval '31 seconds',
            queued_at = queued_at - interval '31 seconds'";
        self.sql(sql, &[]).await;
    }

    /// Waits until a statement returns true.
    pub async fn eventually(&self, what: &str, sql: &str) {
        let end = in_a_minute();
        while !self.row(sql, &[]).await.get::<_, bool>(0) {
            assert!(Instant::now() < end, "never: {what}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    pub async fn sql(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> u64 {
        self.superuser.execute(sql, params).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    pub async fn row(&self, sql: &str, params: &[&(dyn ToSql + Sync)]) -> tokio_postgres::Row {
        self.superuser.query_one(sql, params).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
    }

    pub async fn count(&self, sql: &str) -> i64 {
        self.row(sql, &[]).await.get(0)
    }

    /// A fingerprint of every row of a table.
    pub async fn fingerprint(&self, table: &str) -> String {
        let sql = format!(
            "select md5(coalesce(string_agg(t::text, ',' order by t::text), '')) from robnu.{table} t"
        );
        self.row(&sql, &[]).await.get(0)
    }
}

/// Makes a queue whose messages die of one receive, if it has a dead-letter queue.
async fn queue(sqs: &aws_sdk_sqs::Client, name: &str, dead: Option<&str>) -> String {
    let mut make = sqs.create_queue().queue_name(name);
    if name.strip_suffix(".fifo").is_some() {
        make = make.attributes(QueueAttributeName::FifoQueue, "true");
    }
    if let Some(dead) = dead {
        let dead = format!("arn:aws:sqs:ap-south-1:000000000000:{}", dead.rsplit('/').next().unwrap());
        let policy = json!({"deadLetterTargetArn": dead, "maxReceiveCount": 1}).to_string();
        make = make.attributes(QueueAttributeName::RedrivePolicy, policy);
    }
    make.send().await.expect("the local cloud makes queues").queue_url.expect("a queue has a URL")
}

pub fn in_a_minute() -> Instant {
    Instant::now() + Duration::from_mins(1)
}

pub async fn collect_with(context: &Context) -> Collected {
    match handle(json!({"collect": "dead_letters"}), context, in_a_minute()).await {
        Ok(Answer::Collected(report)) => report,
        other => panic!("{other:?}"),
    }
}

pub async fn redrive_with(context: &Context, mut request: Value) -> Redriven {
    request["operator"] = "asha".into();
    if request["rate"].is_null() {
        request["rate"] = 100.into();
    }
    match handle(json!({ "redrive": request }), context, in_a_minute()).await {
        Ok(Answer::Redriven(report)) => report,
        other => panic!("{other:?}"),
    }
}

/// Ids as requests state them.
pub fn ids(letters: &[DeadLetterId]) -> Value {
    letters.iter().map(ToString::to_string).collect()
}

/// The seller's id as requests state it.
pub fn of(seller: SellerId) -> Value {
    json!({"filter": {"seller_id": seller}})
}
