//! What an operator has before them: a running console, and two sellers with what can go wrong.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot be arranged has failed")]
#![allow(dead_code, reason = "each test file uses a part of it")]

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::stack::{Owner, Stack, eventually, unique};

/// Every view; a run, a letter and a seller are named by capitals.
pub const VIEWS: [&str; 7] = [
    "stuck?seller=SELLER",
    "marketplaces",
    "accounts?seller=SELLER",
    "runs?seller=SELLER",
    "letters?seller=SELLER",
    "run/RUN",
    "letter/LETTER",
];

/// A running console. Dropping it ends it.
pub struct Console {
    pub url: String,
    child: Child,
}

impl Console {
    /// Starts the command for the deployed stack, with more flags.
    pub async fn start(flags: &[&str]) -> Self {
        let stack = Stack::get();
        let facts = std::env::var("ROBNU_STACK").unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_xtask"))
            .arg("--state")
            .arg(Path::new(&facts).parent().unwrap())
            .args(["ops", "console", "--operator", "asha"])
            .args(flags)
            // Where a stack is looked for that is not the local one.
            .env("AWS_ENDPOINT_URL", stack.fact("aws_endpoint"))
            .envs([
                ("AWS_REGION", "ap-south-1"),
                ("AWS_ACCESS_KEY_ID", "test"),
                ("AWS_SECRET_ACCESS_KEY", "test"),
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = lines.next_line().await.unwrap().expect("the command prints the console's address");
        Self { url, child }
    }

    /// Ends the command.
    pub async fn end(&mut self) {
        self.child.kill().await.unwrap();
    }
}

/// A seller with an AJIO account whose lane is active and which nothing reads by schedule.
pub struct Seller {
    pub owner: Owner,
    pub account: String,
}

/// Two sellers.
pub struct Desk {
    pub stack: Stack,
    pub ours: Seller,
    pub theirs: Seller,
}

impl Desk {
    pub async fn new() -> Self {
        let stack = Stack::get();
        let (ours, theirs) = (seller(&stack, "ours").await, seller(&stack, "theirs").await);
        Self { stack, ours, theirs }
    }

    /// A run of the seller's account whose message has died, and its dead letter. Returns the run.
    pub async fn dead_run(&self, seller: &Seller) -> String {
        let sql = "with run as (
              insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger, state, finished_at)
              values ($1::text::uuid, $2::text::uuid, 'AJIO', 'RETURNS', 'SCHEDULE', 'DEAD_LETTERED', now()) returning *)
            insert into robnu.dead_letters (queue, message_id, source, form, body, body_bytes, reason, sent_at, seller_id, account_id, run_id,
              kind, step, generation)
            select 'a-dlq', id::text, 'AJIO', 'JOB', '{}', 2, 'TOO_MANY_RECEIVES', now() - interval '20 minutes', seller_id, account_id, id,
              kind, step, generation from run
            returning run_id::text";
        self.one(sql, &[&seller.owner.seller, &seller.account]).await
    }

    /// A run of our account, and a message that nobody can read, with a text in every field that can hold one. Returns both ids.
    pub async fn hostile(&self, text: &str) -> (String, String) {
        let sql = "insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger, state, finished_at, error_code)
            values ($1::text::uuid, $2::text::uuid, 'AJIO', 'ORDERS', 'SCHEDULE', 'FAILED', now(), $3) returning id::text";
        let run = self.one(sql, &[&self.ours.owner.seller, &self.ours.account, &text]).await;
        let sql = "insert into robnu.dead_letters (queue, message_id, source, from_queue, form, body, body_bytes, reason, sent_at, state, closed_at,
              closed_by, close_reason)
            values ($1, $1 || gen_random_uuid(), 'AJIO', $1, 'UNREADABLE', $1, 100, 'garbage', now(), 'DISCARDED', now(), $1, $1)
            returning id::text";
        (run, self.one(sql, &[&text]).await)
    }

    /// Waits until a run of a seller has ended, and returns it as its seller sees it.
    pub async fn end_of(&self, seller: &Seller, run: &str) -> Value {
        self.stack.end_of(&seller.owner, run, 120).await
    }

    /// The dead letter of a run.
    pub async fn letter_of(&self, run: &str) -> String {
        self.one("select id::text from robnu.dead_letters where run_id = $1::text::uuid", &[&run]).await
    }

    /// The state of a run's dead letter.
    pub async fn state_of_letter(&self, run: &str) -> String {
        self.one("select state from robnu.dead_letters where run_id = $1::text::uuid", &[&run]).await
    }

    /// Whether operators hold our account, and theirs.
    pub async fn held(&self) -> [bool; 2] {
        let sql =
            "select (held_at is not null)::text from robnu.marketplace_accounts where id = $1::text::uuid";
        [
            self.one(sql, &[&self.ours.account]).await == "true",
            self.one(sql, &[&self.theirs.account]).await == "true",
        ]
    }

    /// Removes the dead letters of both sellers and those that nobody can read, so that the next who looks at the stack sees none of them.
    pub async fn clear(&self) {
        let sql = "delete from robnu.dead_letters
            where seller_id in ($1::text::uuid, $2::text::uuid) or (form = 'UNREADABLE' and queue = from_queue)";
        let (ours, theirs) = (&self.ours.owner.seller, &self.theirs.owner.seller);
        self.stack.database().await.execute(sql, &[ours, theirs]).await.unwrap();
    }

    async fn one(&self, sql: &str, params: &[&(dyn tokio_postgres::types::ToSql + Sync)]) -> String {
        self.stack.database().await.query_one(sql, params).await.unwrap().get(0)
    }
}

async fn seller(stack: &Stack, name: &str) -> Seller {
    let owner = stack.new_owner(name).await;
    let account = stack.connect_ajio(&owner, &unique("DV")).await;
    let database = stack.database().await;
    let sql = "update robnu.schedules set enabled = false where account_id = $1::text::uuid";
    database.execute(sql, &[&account]).await.unwrap();
    stack.lane(&owner, &account).await;
    // The sweep may have been quicker than this test.
    let live = "select count(*) from robnu.sync_runs where account_id = $1::text::uuid and state in ('QUEUED', 'RUNNING', 'WAITING')";
    eventually("the account is at rest", 60, async || {
        (database.query_one(live, &[&account]).await.unwrap().get::<_, i64>(0) == 0).then_some(())
    })
    .await;
    Seller { owner, account }
}
