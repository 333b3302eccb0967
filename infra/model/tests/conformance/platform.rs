//! The platform's side: one account of the fixture, with a lane in the local cloud, and the functions that write its runs.

use std::cell::RefCell;
use std::collections::HashSet;
use std::time::Duration;

use api::mail::Mailer;
use aws_sdk_sqs::types::{MessageAttributeValue, QueueAttributeName};
use model::ledger::Publication;
use redrive::{Answer, DeadLetterQueue, Queues, Redriven, Source};
use robnu_dispatch::{
    Job, JobMessage, Lease, OutboxMessage, ParallelQueues, Pause, Progress, Publisher, RequestRun, Requested,
    TakeLease, Taken, advance, continue_later, fail, lane_queue_name, lock_turns, mark_sent, next_in_turn,
    wait,
};
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::kind::RunKind;
use robnu_storage::KeyService;
use robnu_storage::erasure::SellerBucket;
use robnu_storage::objects::{ObjectEncryption, ObjectSettings, Objects};
use robnu_tenancy::{Database, Error, RunId, SellerScope};
use robnu_testkit::{Seller, TestDatabase, TwoSellers, local_aws};
use serde_json::{Value, json};
use sweep::Erasure;
use sweep::scheduling::Report;
use tokio::time::Instant;
use tokio_postgres::Client;

const CANCEL: &str = include_str!("../../../../functions/api/src/sql/runs/cancel.sql");
const LEASE: Duration = Duration::from_mins(1);

/// A run's row as far as the model knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is something of the row")]
pub struct Seen {
    pub state: String,
    pub step: i32,
    pub generation: i32,
    pub attempt: i32,
    pub is_sent: bool,
    /// Whether what a live run waits for is over.
    pub is_over: bool,
    pub pages: i32,
    pub has_position: bool,
    pub waits_for_turn: bool,
}

pub struct Platform {
    test: TestDatabase,
    ours: Seller,
    superuser: Client,
    api: Database,
    adapter: Database,
    sweep: sweep::Context,
    redrive: redrive::Context,
    lane: String,
    dead: String,
    /// The runs that are checks of credentials; the others read orders.
    checks: RefCell<HashSet<RunId>>,
}

impl Platform {
    pub async fn new() -> Self {
        let test = TestDatabase::new().await;
        let ours = TwoSellers::seed(&test).await.ours;
        let aws = local_aws().await;
        let sqs = aws_sdk_sqs::Client::new(&aws);
        let lane = fifo(&sqs, &lane_queue_name("robnu-test-lane-", ours.ajio, 1)).await;
        let dead = fifo(&sqs, &format!("robnu-test-{}-dlq.fifo", &ours.id.to_string()[9..])).await;
        let publisher = Publisher::new(sqs.clone(), ParallelQueues::default());
        let s3 = aws_sdk_s3::Client::new(&aws);
        let kms = aws_sdk_kms::Client::new(&aws);
        let none = "none".to_owned();
        let erasure = Erasure {
            kms: kms.clone(),
            bucket: SellerBucket::new(s3.clone(), none.clone(), none.clone()),
            key_deletion_days: 7,
        };
        let encryption = ObjectEncryption::PlatformKey(none.clone());
        let sweep = sweep::Context {
            database: test.login("robnu_sweep").await,
            publisher: publisher.clone(),
            keys: KeyService::new(kms, none.clone()),
            data_key_days: 365,
            erasure,
            objects: Objects::new(s3, ObjectSettings { bucket: none.clone(), encryption }),
            mailer: Mailer::new(aws_sdk_sesv2::Client::new(&aws), none.clone(), &none),
        };
        let letters =
            DeadLetterQueue { source: Source::Marketplace(MarketplaceCode::Ajio), url: dead.clone() };
        let queues = Queues {
            dead_letters: vec![letters],
            parallel: ParallelQueues::default(),
            lane_requests: none.clone(),
            exports: none,
        };
        let redrive =
            redrive::Context { database: test.login("robnu_redrive").await, sqs, publisher, queues };
        let (api, adapter) = (test.login("robnu_api").await, test.login("robnu_adapter").await);
        let superuser = test.superuser().await;
        let platform = Self {
            test,
            ours,
            superuser,
            api,
            adapter,
            sweep,
            redrive,
            lane,
            dead,
            checks: RefCell::default(),
        };
        // One member asks for more here than anybody may.
        let unbounded = "update robnu.sellers set requests_per_window = 1000000;
            update robnu.orgs set person_requests_per_window = 1000000, newcomer_requests_per_day = 1000000";
        platform.arrange(unbounded).await;
        platform
    }

    /// Begins anew: no run, no dead letter, no hold, and a lane.
    pub async fn clear(&self) {
        self.arrange(&format!(
            "set session_replication_role = replica;
             delete from robnu.sync_runs; delete from robnu.sync_run_counts; delete from robnu.dead_letters;
             delete from robnu.schedules where account_id <> '{account}';
             update robnu.marketplace_accounts set held_at = null, hold_reason = null;
             set session_replication_role = origin",
            account = self.ours.ajio
        ))
        .await;
        self.set_queue(true).await;
    }

    pub async fn rows(&self) -> Vec<(RunId, Seen)> {
        let sql = "select id, state, step, generation, attempt, sent_at is not null, pages, page_position is not null,
              coalesce(case
                when state = 'QUEUED' and sent_at is null then greatest(queued_at + interval '30 s', next_attempt_at) <= now()
                when state = 'QUEUED' then sent_at <= now() - interval '20 min'
                when state = 'WAITING' then next_attempt_at <= now()
                when state = 'RUNNING' then lease_expires_at <= now() - interval '60 s'
              end, false), turn_since is not null and state in ('QUEUED', 'WAITING')
            from robnu.sync_runs order by id";
        let rows = self.superuser.query(sql, &[]).await.unwrap();
        rows.iter()
            .map(|row| {
                let seen = Seen {
                    state: row.get(1),
                    step: row.get(2),
                    generation: row.get(3),
                    attempt: row.get(4),
                    is_sent: row.get(5),
                    pages: row.get(6),
                    has_position: row.get(7),
                    is_over: row.get(8),
                    waits_for_turn: row.get(9),
                };
                (row.get(0), seen)
            })
            .collect()
    }

    pub fn job(&self, run_id: RunId, Publication { step, generation }: Publication) -> Job {
        Job {
            run_id,
            step: step.into(),
            generation: generation.into(),
            seller_id: self.ours.id,
            account_id: self.ours.ajio,
            marketplace: MarketplaceCode::Ajio,
            kind: self.kind(run_id),
        }
    }

    fn job_scope(&self) -> SellerScope {
        self.ours.job_scope()
    }

    pub fn kind(&self, run: RunId) -> RunKind {
        if self.checks.borrow().contains(&run) { RunKind::CredentialCheck } else { RunKind::Orders }
    }

    pub async fn request(&self, kind: RunKind) -> Requested {
        let request = RequestRun::new(self.ours.ajio, kind, false, None);
        let session = self.api.session(&self.ours.scope("OWNER")).await.unwrap();
        let rows = session.commit_with(&[(RequestRun::SQL, &request.params())]).await.unwrap();
        let requested = Requested::from_row(&rows[0][0], self.ours.id, self.ours.ajio, kind).unwrap();
        if kind == RunKind::CredentialCheck {
            self.checks.borrow_mut().insert(requested.job.run_id);
        }
        requested
    }

    pub async fn mark_sent(&self, job: Job) {
        mark_sent(&self.adapter, &self.job_scope(), &[job]).await.unwrap();
    }

    pub async fn take_lease(&self, job: &Job) -> Taken {
        let take = TakeLease::new(job, LEASE);
        let session = self.adapter.session(&self.job_scope()).await.unwrap();
        let lock = (lock_turns(job).unwrap(), &[&job.account_id as _][..]);
        let rows = session.commit_with(&[lock, (TakeLease::SQL, &take.params())]).await.unwrap();
        Taken::from_rows(&rows[1], job).unwrap()
    }

    /// Chooses the run whose turn it is, as a function does whose own must wait.
    pub async fn next_in_turn(&self) -> Option<Job> {
        let any = self.job(RunId::new(), Publication { step: 0, generation: 0 });
        next_in_turn(&self.adapter, &self.job_scope(), &any).await.unwrap().map(job)
    }

    /// Commits a page. Returns what to publish next, or nothing at all when the lease is lost.
    pub async fn advance(&self, job: &Job, lease: &Lease, is_last: bool) -> Option<Option<Job>> {
        let session = self.adapter.session(&self.job_scope()).await.unwrap();
        let progress = Progress {
            next_position: (!is_last).then_some("the next page"),
            is_last,
            complete_until: None,
            changed_since: None,
            counts: &[],
            quarantined: 0,
            lease_seconds: LEASE.as_secs_f64(),
        };
        match advance(session, job, lease, &progress, None).await {
            Ok(next) => Some(next.map(self::job)),
            Err(Error::LeaseLost) => None,
            Err(error) => panic!("{error:?}"),
        }
    }

    /// Returns what to publish, as [`continue_later`] does.
    pub async fn continue_later(&self, job: &Job, lease: &Lease) -> Option<Job> {
        continue_later(&self.adapter, &self.job_scope(), job, lease).await.unwrap().map(|(next, _)| next)
    }

    pub async fn wait(&self, job: &Job, lease: &Lease) -> Option<Job> {
        let pause = Pause { seconds: 60.0, code: "marketplace_throttles", message: "wait", was_told: true };
        wait(&self.adapter, &self.job_scope(), job, lease, pause).await.unwrap().map(self::job)
    }

    pub async fn fail(&self, job: &Job, lease: &Lease) -> Option<Job> {
        let next = fail(&self.adapter, &self.job_scope(), job, lease, "not_permitted", "no").await.unwrap();
        next.map(self::job)
    }

    /// Returns whether the run was cancelled.
    pub async fn cancel(&self, run: RunId) -> bool {
        let session = self.api.session(&self.ours.scope("OWNER")).await.unwrap();
        let rows = session.commit_with(&[(CANCEL, &[&run])]).await.unwrap();
        !rows[0].is_empty()
    }

    pub async fn sweep(&self, is_due: bool, queue_is_up: bool) -> Report {
        let due = if is_due { "now()" } else { "now() + interval '1 hour'" };
        self.arrange(&format!("update robnu.schedules set next_due_at = {due}")).await;
        self.set_queue(queue_is_up).await;
        let report = sweep::scheduling::sweep(&self.sweep, in_a_minute()).await.unwrap();
        self.set_queue(true).await;
        report
    }

    /// Puts a message into the dead-letter queue as SQS does when it has died in the lane, and collects it. Returns whether it marked its run.
    pub async fn collect(&self, job: &Job) -> bool {
        let lane = self.lane.rsplit('/').next().unwrap();
        let from = format!("arn:aws:sqs:ap-south-1:000000000000:{lane}");
        let from = MessageAttributeValue::builder().data_type("String").string_value(from).build().unwrap();
        let send = self.redrive.sqs.send_message().queue_url(&self.dead).message_group_id("lane");
        let send = send.message_deduplication_id(RunId::new().to_string()).message_attributes("queue", from);
        send.message_body(JobMessage::new(job.clone()).to_body()).send().await.unwrap();
        match redrive::handle(json!({"collect": "dead_letters"}), &self.redrive, in_a_minute()).await.unwrap()
        {
            Answer::Collected(report) => {
                assert_eq!((report.received, report.recorded, report.resumed), (1, 1, 0));
                report.marked == 1
            }
            other => panic!("{other:?}"),
        }
    }

    /// Redrives the first dead letter that can be.
    pub async fn redrive(&self) -> Redriven {
        match self.ask("redrive", json!({"limit": 1, "rate": 100})).await {
            Answer::Redriven(report) => report,
            other => panic!("{other:?}"),
        }
    }

    pub async fn hold(&self, hold: bool) {
        let name = if hold { "hold" } else { "resume" };
        let answer = self.ask(name, json!({"account_id": self.ours.ajio, "reason": "a fault"})).await;
        assert!(matches!(answer, Answer::Held(effect) if effect.held == hold), "{answer:?}");
    }

    async fn ask(&self, name: &str, mut request: Value) -> Answer {
        request["operator"] = "asha".into();
        redrive::handle(json!({ name: request }), &self.redrive, in_a_minute()).await.unwrap()
    }

    /// Two hours pass for all runs. The redrive's own messages stay its own, as it sends them at once.
    pub async fn let_time_pass(&self) {
        let sql = "update robnu.sync_runs set queued_at = queued_at - interval '2 h', sent_at = sent_at - interval '2 h',
            next_attempt_at = next_attempt_at - interval '2 h', lease_expires_at = lease_expires_at - interval '2 h'";
        self.arrange(sql).await;
    }

    /// Gives the account its lane, or one whose queue is gone.
    async fn set_queue(&self, is_up: bool) {
        let url =
            if is_up { self.lane.clone() } else { self.lane.replace("robnu-test-lane-", "robnu-gone-lane-") };
        self.arrange(&format!(
            "update robnu.marketplace_accounts set lane_queue_url = '{url}' where id = '{}'",
            self.ours.ajio
        ))
        .await;
    }

    async fn arrange(&self, sql: &str) {
        let database = self.test.name();
        self.superuser
            .batch_execute(sql)
            .await
            .unwrap_or_else(|error| panic!("{database}: {sql}: {error:?}"));
    }
}

fn job(message: OutboxMessage) -> Job {
    message.job
}

async fn fifo(sqs: &aws_sdk_sqs::Client, name: &str) -> String {
    let make = sqs.create_queue().queue_name(name).attributes(QueueAttributeName::FifoQueue, "true");
    make.send().await.expect("the local cloud makes queues").queue_url.expect("a queue has a URL")
}

fn in_a_minute() -> Instant {
    Instant::now() + Duration::from_mins(1)
}
