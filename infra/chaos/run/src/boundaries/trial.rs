//! One trial: a new seller, the work with at most one kill, what the platform does by itself afterwards, and the picture of the result.

use anyhow::Context;
use aws_sdk_sqs::types::{Message, QueueAttributeName};
use robnu_dispatch::{LaneRequest, lane_queue_name};
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::AccountId;
use serde_json::json;

use super::picture::Picture;
use super::platform::{AJIO_NAME, Platform};
use super::scenario::{Beginning, Scenario, Subject};
use super::watch::{Boundary, Moment};
use crate::account::{Account, Seller};
use crate::book::order_book;
use crate::function::Outcome;
use crate::source;
use crate::upload::{self, Upload};
use crate::world;

/// How often the driver lets time pass before it gives up.
const ROUNDS: usize = 12;
/// Orders in the uploaded file.
const FILE_ORDERS: usize = 30;
const SERIES: usize = 900;

const ASK: &str = "insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger) values ($1, $2, $3, $4, 'API')";
const FALL_DUE: &str =
    "update robnu.schedules set next_due_at = now() - interval '1 second', every_minutes = 10080
    where seller_id = $1 and account_id = $2 and kind = $3";
const NO_LANE: &str = "update robnu.marketplace_accounts
    set lane_state = 'REQUESTED', lane_queue_url = null, lane_mapping_id = null where seller_id = $1 and id = $2";
const DISCONNECT: &str =
    "update robnu.marketplace_accounts set status = 'DISCONNECTED' where seller_id = $1 and id = $2";
/// An hour passes: leases end, and what nobody has taken is to be published again.
const PASS: [&str; 4] = [
    "update robnu.sync_runs
     set queued_at = queued_at - interval '1 hour', sent_at = sent_at - interval '1 hour',
       next_attempt_at = next_attempt_at - interval '2 hours', lease_expires_at = lease_expires_at - interval '1 hour'
     where seller_id = $1 and state in ('QUEUED', 'RUNNING', 'WAITING')",
    "update robnu.raw_pages set leased_until = leased_until - interval '1 hour' where seller_id = $1 and stored_at is null",
    "update robnu.marketplace_accounts set lane_lease_until = lane_lease_until - interval '1 hour' where seller_id = $1",
    "update robnu.call_buckets set full_at = full_at - interval '1 hour' where seller_id = $1",
];
/// Whether a seller's runs and imports are over.
const RUNS_REST: &str = "select not exists (select from robnu.sync_runs where seller_id = $1 and state in ('QUEUED', 'RUNNING', 'WAITING'))
    and not exists (select from robnu.imports where seller_id = $1 and run_id is null)
    and not exists (select from robnu.schedules where seller_id = $1 and next_due_at <= now())";
/// Whether a seller's lanes are as they should be, and every run that waited for one is sent.
const LANES_REST: &str = "select not exists (select from robnu.marketplace_accounts where seller_id = $1
      and (lane_lease_until > now() or lane_state <> case status when 'ACTIVE' then 'ACTIVE' else 'RETIRED' end))
    and not exists (select from robnu.sync_runs where seller_id = $1 and state = 'QUEUED' and sent_at is null)";
const PAGES_WAIT: &str = "select count(*) from robnu.raw_pages where seller_id = $1 and stored_at is null";

/// What came of a trial.
pub struct Trial {
    /// The boundaries that the process passed.
    pub seen: Vec<String>,
    /// Whether it was killed.
    pub is_struck: bool,
    /// What the seller has at the end.
    pub picture: Picture,
    /// What went wrong on the way.
    pub faults: Vec<String>,
}

impl Platform {
    /// Makes a trial.
    pub async fn trial(
        &mut self,
        scenario: &Scenario,
        target: Option<(Boundary, Moment)>,
    ) -> anyhow::Result<Trial> {
        for worker in self.workers() {
            worker.crashes = 0;
        }
        let letters = self.letters(scenario.code).await?;
        let account = self.account(scenario).await?;
        let mut faults = Vec::new();
        self.arrange(scenario, &account, &mut faults).await?;
        self.worker(scenario.subject, scenario.code).begin(target).await;
        self.finish(scenario, &account, &mut faults).await?;
        let (seen, is_struck) = (self.watch.seen(), self.watch.is_struck());
        self.worker(scenario.subject, scenario.code).end().await;
        for worker in self.workers() {
            if worker.crashes > 0 {
                faults.push(format!("{} processes ended by themselves", worker.crashes));
            }
        }
        let mut picture = Picture::of(&self.superuser, account.seller).await?;
        let died = self.letters(scenario.code).await? - letters;
        let queues = self.lanes_of(account.id).await?;
        let mappings = self.fed.mappings(account.id).await?.len();
        picture.counts = [
            ("dead letters", died),
            ("objects in the bucket", self.objects(&account).await?),
            ("lanes' queues", i64::try_from(queues.len())?),
            ("lanes' mappings", i64::try_from(mappings)?),
        ]
        .into();
        self.fed.remove_mappings(account.id).await?;
        for queue in queues {
            self.aws.sqs.delete_queue().queue_url(queue).send().await.context("delete a lane")?;
        }
        Ok(Trial { seen, is_struck, picture, faults })
    }

    /// Connects the account of a new seller.
    async fn account(&self, scenario: &Scenario) -> anyhow::Result<Account> {
        let seller = Seller::new(&self.superuser, &self.keys, "Asha").await?;
        let id = AccountId::new();
        let code = scenario.code;
        let name = if code == MarketplaceCode::Ajio {
            AJIO_NAME.to_owned()
        } else {
            format!("{}{SERIES}", code.as_str())
        };
        let lane = if scenario.is_of_lane() {
            String::new()
        } else {
            world::lane(&self.aws, id, &self.queues, code).await?
        };
        let account = Account { id, seller: seller.id, code, name, series: SERIES, lane };
        seller.connect(&self.superuser, &account).await?;
        Ok(account)
    }

    /// Makes the work that is to be done.
    async fn arrange(
        &mut self,
        scenario: &Scenario,
        account: &Account,
        faults: &mut Vec<String>,
    ) -> anyhow::Result<()> {
        let (seller, id, code) = (&account.seller, &account.id, account.code.as_str());
        match scenario.beginning {
            Beginning::Asked(kind) => {
                self.superuser.query(ASK, &[seller, id, &code, &kind.as_str()]).await?;
            }
            Beginning::Due(kind) => {
                self.superuser.query(FALL_DUE, &[seller, id, &kind.as_str()]).await?;
            }
            Beginning::Uploaded => {
                let upload = Upload::meesho(account, &order_book(SERIES, 0, FILE_ORDERS)?);
                let queue = self.queues_of(account.code)?.parallel.clone();
                upload::put(&self.aws, &self.superuser, &queue, account, &upload).await?;
            }
            Beginning::Connected => {
                self.superuser.query(NO_LANE, &[seller, id]).await?;
                self.superuser.query(ASK, &[seller, id, &code, &RunKind::Orders.as_str()]).await?;
                self.ask_for_lane(account).await?;
            }
            Beginning::Disconnected => {
                self.superuser.query(NO_LANE, &[seller, id]).await?;
                self.ask_for_lane(account).await?;
                self.finish(scenario, account, faults).await?;
                self.superuser.query(DISCONNECT, &[seller, id]).await?;
                self.ask_for_lane(account).await?;
            }
        }
        Ok(())
    }

    async fn ask_for_lane(&self, account: &Account) -> anyhow::Result<()> {
        let body = LaneRequest { seller_id: account.seller, account_id: account.id }.to_body();
        let send = self.aws.sqs.send_message().queue_url(&self.requests).message_body(body);
        send.send().await.context("ask for a lane")?;
        Ok(())
    }

    /// Hands messages on, and lets time pass and the sweeps run, until everything is at rest.
    async fn finish(
        &mut self,
        scenario: &Scenario,
        account: &Account,
        faults: &mut Vec<String>,
    ) -> anyhow::Result<()> {
        let rest = if scenario.is_of_lane() { LANES_REST } else { RUNS_REST };
        let mut is_resting = false;
        for _ in 0..ROUNDS {
            while self.deliver(scenario, account, faults).await? > 0 {}
            if self.superuser.row(rest, &[&account.seller]).await?.get(0) {
                is_resting = true;
                break;
            }
            self.pass(account).await?;
            self.sweep("scheduling", faults).await;
        }
        for _ in 0..ROUNDS {
            let waiting: i64 = self.superuser.row(PAGES_WAIT, &[&account.seller]).await?.get(0);
            if waiting == 0 {
                break;
            }
            self.pass(account).await?;
            self.sweep("raw_pages", faults).await;
        }
        if !is_resting {
            faults.push("does not come to rest".to_owned());
        }
        Ok(())
    }

    async fn pass(&self, account: &Account) -> anyhow::Result<()> {
        for statement in PASS {
            self.superuser.query(statement, &[&account.seller]).await?;
        }
        Ok(())
    }

    async fn sweep(&mut self, name: &str, faults: &mut Vec<String>) {
        let sweep = self.worker(Subject::Sweep, MarketplaceCode::Ajio);
        if let Outcome::Error(error) = sweep.invoke(json!({"sweep": name})).await {
            faults.push(format!("the sweep {name} failed: {error}"));
        }
    }

    /// Hands the messages of the queues to their functions. Returns how many were handled, or killed their function.
    async fn deliver(
        &mut self,
        scenario: &Scenario,
        account: &Account,
        faults: &mut Vec<String>,
    ) -> anyhow::Result<usize> {
        let sources = if scenario.is_of_lane() {
            vec![(self.requests.clone(), Subject::Lanes)]
        } else {
            let parallel = self.queues_of(account.code)?.parallel.clone();
            vec![(account.lane.clone(), Subject::Adapter), (parallel, Subject::Adapter)]
        };
        let mut handled = 0;
        for (queue, subject) in sources {
            while let Some(message) = self.receive(&queue).await? {
                let event = source::event(&queue, std::slice::from_ref(&message));
                let outcome = self.worker(subject, account.code).invoke(event).await;
                let is_done = match &outcome {
                    Outcome::Response(response) => source::failed(response).is_empty(),
                    Outcome::Error(error) => {
                        faults.push(format!("a function failed: {error}"));
                        false
                    }
                    // What a dead process held is free when its message comes back.
                    Outcome::Died => {
                        self.pass(account).await?;
                        false
                    }
                };
                handled += usize::from(is_done || matches!(outcome, Outcome::Died));
                self.settle(&queue, &message, is_done).await?;
                if !is_done {
                    break;
                }
            }
        }
        Ok(handled)
    }

    async fn receive(&self, queue: &str) -> anyhow::Result<Option<Message>> {
        let receive = self.aws.sqs.receive_message().queue_url(queue).max_number_of_messages(1);
        let answer = receive.wait_time_seconds(0).send().await.context("read a queue")?;
        Ok(answer.messages.unwrap_or_default().pop())
    }

    /// Deletes a message, or makes it visible again as if its time were over.
    async fn settle(&self, queue: &str, message: &Message, is_done: bool) -> anyhow::Result<()> {
        let receipt = message.receipt_handle.clone();
        if is_done {
            let delete = self.aws.sqs.delete_message().queue_url(queue).set_receipt_handle(receipt);
            delete.send().await.context("delete a message")?;
        } else {
            let show = self.aws.sqs.change_message_visibility().queue_url(queue);
            show.set_receipt_handle(receipt)
                .visibility_timeout(0)
                .send()
                .await
                .context("show a message again")?;
        }
        Ok(())
    }

    /// How many dead letters of a marketplace there are.
    async fn letters(&self, code: MarketplaceCode) -> anyhow::Result<i64> {
        let queues = self.queues_of(code)?;
        let mut all = 0;
        for queue in [&queues.lane_letters, &queues.parallel_letters] {
            let name = QueueAttributeName::ApproximateNumberOfMessages;
            let ask = self.aws.sqs.get_queue_attributes().queue_url(queue).attribute_names(name.clone());
            let attributes = ask.send().await.context("look at a queue")?.attributes.unwrap_or_default();
            all += attributes.get(&name).and_then(|count| count.parse::<i64>().ok()).unwrap_or_default();
        }
        Ok(all)
    }

    /// The queues of an account's lanes.
    async fn lanes_of(&self, account: AccountId) -> anyhow::Result<Vec<String>> {
        let name = lane_queue_name(&self.aws.prefix, account, 1);
        let prefix = name.trim_end_matches("1.fifo");
        let list =
            self.aws.sqs.list_queues().queue_name_prefix(prefix).send().await.context("list queues")?;
        Ok(list.queue_urls.unwrap_or_default())
    }

    /// How many objects of a seller the bucket has.
    async fn objects(&self, account: &Account) -> anyhow::Result<i64> {
        let mut all = 0;
        for folder in ["raw-payloads", "imports", "documents", "exports"] {
            let prefix = format!("{folder}/{}/", account.seller);
            let list = self.aws.s3.list_objects_v2().bucket(&self.aws.bucket).prefix(prefix).send();
            all += i64::from(list.await.context("list objects")?.key_count.unwrap_or_default());
        }
        Ok(all)
    }
}
