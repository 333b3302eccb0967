//! Kill -9 at every stage, poison messages, foreign accounts and a failing marketplace: nothing is lost, nothing is doubled,
//! and nobody else is delayed.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use std::time::Duration;

use robnu_dispatch::{Job, JobMessage};
use robnu_marketplace::code::MarketplaceCode::{Ajio, AmazonIn};
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::{RunId, SellerId};
use robnu_testkit::LambdaProcess;
use simulators::{AjioConfig, Fault, FaultKind, Malformation, Marketplace, SimulatorConfig};
use support::{LEASE_SECONDS, Stand, acknowledged, eventually, kill_in_transaction, returned};

fn ajio(orders: usize) -> SimulatorConfig {
    let mut config = SimulatorConfig::sample().unwrap();
    config.ajio = AjioConfig { orders, ..config.ajio };
    config
}

async fn lease_is_over() {
    tokio::time::sleep(Duration::from_secs(LEASE_SECONDS) + Duration::from_millis(200)).await;
}

/// After a crash the message returns; the run must then end with every order stored once.
async fn redeliver_and_check(stand: &Stand, job: &Job, orders: i32) {
    lease_is_over().await;
    let function = stand.start(job.marketplace).await;
    stand.run_to_end(&function, job.clone()).await;
    let run = stand.run(job.run_id).await;
    assert_eq!(run.state, "SUCCEEDED", "{run:?}");
    assert_eq!(
        run.orders_new + run.orders_changed + run.orders_unchanged,
        orders,
        "every order is counted once: {run:?}"
    );
    let counts = "select count(*), count(distinct external_order_id) from robnu.orders where account_id = $1 and external_order_id <> 'FN1'";
    let row = stand.superuser.query_one(counts, &[&job.account_id]).await.unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (i64::from(orders), i64::from(orders)));
}

#[tokio::test]
async fn a_run_killed_between_pages_continues_at_the_page_where_it_stopped() {
    let stand = Stand::new(ajio(200)).await;
    stand.simulator.add_fault(
        Fault::new(Marketplace::Ajio, "/orders", FaultKind::Hang { millis: 30_000 }).after(2).times(1),
    );
    let function = stand.start(Ajio).await;
    let job = stand.queue_run(Ajio).await;
    let _never = function.send(stand.event(&job)).await;
    eventually("two pages are in", async || stand.run(job.run_id).await.pages == 2).await;
    function.kill().await;
    stand.simulator.clear_faults();
    stand.simulator.reset_ledger();
    redeliver_and_check(&stand, &job, 200).await;
    let served = stand.simulator.ledger().orders_served(Marketplace::Ajio, "/orders");
    assert!(served < 200, "stored pages are not read again, {served} orders were served");
}

#[tokio::test]
async fn an_attempt_killed_in_a_transaction_leaves_nothing_of_the_page() {
    let stand = Stand::new(ajio(100)).await;
    let function = stand.start(Ajio).await;
    let job = stand.queue_run(Ajio).await;
    // The lines are written after the orders of the same page; a lock on their table holds the transaction there.
    kill_in_transaction(&stand, function, &job, "order_items").await;
    assert_eq!(stand.run(job.run_id).await.pages, 0);
    let (orders, _, _) = stand.stored(job.account_id).await;
    assert_eq!(orders, 1, "only the fixture's order is stored");
    redeliver_and_check(&stand, &job, 100).await;
}

#[tokio::test]
async fn a_message_redelivered_after_a_kill_finds_the_run_over() {
    let stand = Stand::new(ajio(60)).await;
    let function = stand.start(Ajio).await;
    let job = stand.queue_run(Ajio).await;
    acknowledged(function.invoke(stand.event(&job)).await);
    // For the queue, the message was never acknowledged.
    function.kill().await;
    let before = stand.fingerprint().await;
    let attempt = stand.run(job.run_id).await.attempt;
    let function = stand.start(Ajio).await;
    acknowledged(function.invoke(stand.event(&job)).await);
    assert_eq!(stand.fingerprint().await, before);
    assert_eq!(stand.run(job.run_id).await.attempt, attempt, "no lease was taken");
}

#[tokio::test]
async fn while_one_attempt_holds_the_run_another_returns_the_message_and_a_late_one_writes_nothing() {
    let stand = Stand::new(ajio(100)).await;
    let (first, second) = (stand.start(Ajio).await, stand.start(Ajio).await);
    let job = stand.queue_run(Ajio).await;
    stand.simulator.add_fault(
        Fault::new(Marketplace::Ajio, "/orders", FaultKind::Hang { millis: 10_000 }).after(1).times(1),
    );
    let slow = first.send(stand.event(&job)).await;
    eventually("one page is in", async || stand.run(job.run_id).await.pages == 1).await;
    returned(second.invoke(stand.event(&job)).await);
    lease_is_over().await;
    stand.simulator.clear_faults();
    acknowledged(second.invoke(stand.event(&job)).await);
    let after = (stand.fingerprint().await, stand.run(job.run_id).await.pages);
    acknowledged(slow.await.unwrap());
    assert_eq!(
        (stand.fingerprint().await, stand.run(job.run_id).await.pages),
        after,
        "the late attempt wrote nothing"
    );
    assert!(first.log().iter().any(|line| line.contains("TAKEN_OVER")), "and logged it");
}

#[tokio::test]
async fn a_poison_message_goes_to_the_dead_letter_queue_with_its_reason() {
    let stand = Stand::new(ajio(10)).await;
    let function = stand.start(Ajio).await;
    let theirs = stand.theirs().await;
    let job = stand.queue_run(Ajio).await;
    let (ours, their_account) = (stand.sellers.ours.ajio, stand.sellers.theirs.ajio);
    let body = |job: Job| JobMessage::new(job).to_body();
    let cases = [
        ("garbage", ours, "{not json secret=hunter2".to_owned()),
        ("unknown_version", ours, body(job.clone()).replace(r#""version":"1""#, r#""version":"9""#)),
        ("malformed", ours, body(job.clone()).replace(r#""step":0"#, r#""step":"zero""#)),
        ("other_marketplace", ours, body(Job { marketplace: AmazonIn, ..job.clone() })),
        ("other_lane", their_account, body(job.clone())),
        ("other_lane", ours, body(Job { account_id: their_account, ..job.clone() })),
        ("foreign_account", their_account, body(Job { account_id: their_account, ..job.clone() })),
        ("foreign_account", ours, body(Job { seller_id: stand.sellers.theirs.id, ..job.clone() })),
        ("foreign_account", ours, body(Job { seller_id: SellerId::new(), ..job.clone() })),
        ("unknown_run", ours, body(Job { run_id: RunId::new(), ..job.clone() })),
        ("unknown_run", ours, body(Job { run_id: stand.sellers.theirs.run, ..job.clone() })),
        ("unknown_run", ours, body(Job { generation: 7, ..job.clone() })),
        ("other_queue", ours, body(Job { kind: RunKind::Returns, ..job.clone() })),
    ];
    let dead_letter_queue = stand.dead_letter_queue.clone();
    for (reason, lane, body) in cases {
        acknowledged(function.invoke(stand.raw_event(lane, &body)).await);
        let letter =
            stand.receive(&dead_letter_queue).await.unwrap_or_else(|| panic!("no dead letter for {reason}"));
        assert_eq!(letter.body(), Some(body.as_str()), "the message is kept whole");
        let attributes = letter.message_attributes().unwrap();
        assert_eq!(attributes["refusal"].string_value(), Some(reason));
        let log = function.log();
        let line =
            log.iter().rev().find(|line| line.contains("message refused")).expect("a log line says why");
        assert!(line.contains(reason), "{line}");
        assert!(!log.iter().any(|line| line.contains("hunter2")), "a body is never logged");
    }
    assert_eq!(stand.theirs().await, theirs);
    // The lane continues.
    stand.run_to_end(&function, job.clone()).await;
    assert_eq!(stand.run(job.run_id).await.state, "SUCCEEDED");
}

#[tokio::test]
async fn a_throttled_or_failing_marketplace_makes_the_run_wait_and_not_burn_receives() {
    for kind in [
        FaultKind::Status { status: 429, retry_after: Some(120) },
        FaultKind::Status { status: 429, retry_after: None },
        FaultKind::Status { status: 503, retry_after: None },
        FaultKind::Status { status: 500, retry_after: None },
    ] {
        let stand = Stand::new(ajio(100)).await;
        stand.simulator.add_fault(Fault::new(Marketplace::Ajio, "/orders", kind.clone()).after(1));
        let function = stand.start(Ajio).await;
        let job = stand.queue_run(Ajio).await;
        acknowledged(function.invoke(stand.event(&job)).await);
        let run = stand.run(job.run_id).await;
        assert_eq!(
            (run.state.as_str(), run.pages, run.has_position),
            ("WAITING", 1, true),
            "{kind:?}: {run:?}"
        );
        let due =
            "select extract(epoch from next_attempt_at - now())::float8 from robnu.sync_runs where id = $1";
        let seconds: f64 = stand.superuser.query_one(due, &[&job.run_id]).await.unwrap().get(0);
        let least = if matches!(kind, FaultKind::Status { retry_after: Some(_), .. }) { 115.0 } else { 20.0 };
        assert!(seconds > least, "{kind:?} waits {seconds} s");
    }
}

#[tokio::test]
async fn refused_credentials_stop_the_account_and_leave_a_trace() {
    let stand = Stand::new(ajio(10)).await;
    stand.simulator.add_fault(Fault::new(Marketplace::Ajio, "/authToken", FaultKind::RejectCredentials));
    let function = stand.start(Ajio).await;
    let job = stand.queue_run(Ajio).await;
    acknowledged(function.invoke(stand.event(&job)).await);
    let run = stand.run(job.run_id).await;
    assert_eq!((run.state.as_str(), run.error_code.as_deref()), ("FAILED", Some("credentials_refused")));
    let trace = "select a.status, (select count(*) from robnu.credential_events e where e.account_id = a.id and e.event = 'REFUSED')
                 from robnu.marketplace_accounts a where a.id = $1";
    let row = stand.superuser.query_one(trace, &[&job.account_id]).await.unwrap();
    assert_eq!((row.get::<_, &str>(0), row.get::<_, i64>(1)), ("NEEDS_RECONNECT", 1));
    // A run that was queued meanwhile ends without asking the marketplace.
    stand.simulator.reset_ledger();
    let next = stand.queue_run(Ajio).await;
    acknowledged(function.invoke(stand.event(&next)).await);
    assert_eq!(stand.run(next.run_id).await.error_code.as_deref(), Some("account_not_active"));
    assert_eq!(stand.simulator.ledger().requests(Marketplace::Ajio, "/"), 0);
}

#[tokio::test]
async fn a_page_that_is_not_json_in_the_middle_of_a_run_makes_it_wait_and_go_on_from_there() {
    let stand = Stand::new(ajio(200)).await;
    stand.simulator.add_fault(Fault::new(Marketplace::Ajio, "/orders", FaultKind::Garbage).after(2).times(1));
    let function = stand.start(Ajio).await;
    let job = stand.queue_run(Ajio).await;
    acknowledged(function.invoke(stand.event(&job)).await);
    let run = stand.run(job.run_id).await;
    let stands = (run.state.as_str(), run.pages, run.has_position, run.error_code.as_deref());
    assert_eq!(stands, ("WAITING", 2, true, Some("marketplace_garbled")), "{run:?}");
    stand.simulator.reset_ledger();
    // As the sweep does when the wait is over.
    let due = "update robnu.sync_runs set state = 'QUEUED', generation = generation + 1, next_attempt_at = null where id = $1";
    stand.superuser.execute(due, &[&job.run_id]).await.unwrap();
    let run = stand.run(job.run_id).await;
    stand.run_to_end(&function, Job { step: run.step, generation: run.generation, ..job.clone() }).await;
    let run = stand.run(job.run_id).await;
    assert_eq!((run.state.as_str(), run.orders_new), ("SUCCEEDED", 200), "{run:?}");
    let served = stand.simulator.ledger().orders_served(Marketplace::Ajio, "/orders");
    assert!(served < 200, "stored pages are not read again, {served} orders were served");
}

#[tokio::test]
async fn a_call_that_would_outlive_the_function_ends_before_it_and_the_run_waits() {
    let stand = Stand::new(ajio(200)).await;
    let hang = FaultKind::Hang { millis: 60_000 };
    stand.simulator.add_fault(Fault::new(Marketplace::Ajio, "/orders", hang).after(2));
    let config = stand.test.config("robnu_adapter");
    let environment = stand.environment(Ajio, config.host.clone(), config.port);
    let lifetime = Duration::from_secs(10);
    let function = LambdaProcess::start(env!("CARGO_BIN_EXE_adapter"), &environment, lifetime).await;
    // The slice uses its whole time: it does not end with the first page.
    let job = stand.queue_run(Ajio).await;
    let mut next = job.clone();
    loop {
        let begun = std::time::Instant::now();
        acknowledged(function.invoke(stand.event(&next)).await);
        assert!(begun.elapsed() < lifetime, "took {:?}, longer than the function lives", begun.elapsed());
        let run = stand.run(job.run_id).await;
        if run.state != "QUEUED" {
            break;
        }
        next = Job { step: run.step, generation: run.generation, ..next };
    }
    let run = stand.run(job.run_id).await;
    let stands = (run.state.as_str(), run.pages, run.has_position, run.error_code.as_deref());
    assert_eq!(stands, ("WAITING", 2, true, Some("marketplace_unavailable")), "{run:?}");
}

#[tokio::test]
async fn a_permission_that_is_missing_fails_the_run_and_leaves_the_account_connected() {
    let stand = Stand::new(ajio(10)).await;
    let forbidden = FaultKind::Status { status: 403, retry_after: None };
    stand.simulator.add_fault(Fault::new(Marketplace::Ajio, "/orders", forbidden));
    let function = stand.start(Ajio).await;
    let job = stand.queue_run(Ajio).await;
    acknowledged(function.invoke(stand.event(&job)).await);
    let run = stand.run(job.run_id).await;
    assert_eq!((run.state.as_str(), run.error_code.as_deref()), ("FAILED", Some("not_permitted")));
    let account = "select a.status, r.error_message from robnu.marketplace_accounts a, robnu.sync_runs r where a.id = $1 and r.id = $2";
    let row = stand.superuser.query_one(account, &[&job.account_id, &job.run_id]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "ACTIVE");
    assert!(row.get::<_, &str>(1).contains("read orders"), "{}", row.get::<_, &str>(1));
}

#[tokio::test]
async fn a_bad_record_is_kept_encrypted_and_the_rest_of_the_page_goes_on() {
    let stand = Stand::new(ajio(60)).await;
    let malformed = FaultKind::Malformed { malformation: Malformation::FiveDecimals, record: 0 };
    stand.simulator.add_fault(Fault::new(Marketplace::Ajio, "/orders", malformed).times(1));
    let function = stand.start(Ajio).await;
    let job = stand.queue_run(Ajio).await;
    stand.run_to_end(&function, job.clone()).await;
    let run = stand.run(job.run_id).await;
    assert_eq!((run.state.as_str(), run.orders_new, run.quarantined), ("SUCCEEDED", 59, 1), "{run:?}");
    let row = stand
        .superuser
        .query_one(
            "select external_id, reason, record_enc from robnu.quarantined_records where run_id = $1",
            &[&job.run_id],
        )
        .await
        .unwrap();
    let external_id: String = row.get(0);
    let record: Vec<u8> = row.get(2);
    assert!(!row.get::<_, &str>(1).is_empty());
    let clear = record.windows(external_id.len()).any(|window| window == external_id.as_bytes());
    assert!(!clear, "the record is not kept in clear");
}

#[tokio::test]
async fn a_bad_record_that_comes_with_every_run_is_kept_once_and_counted() {
    let stand = Stand::new(ajio(60)).await;
    let malformed = FaultKind::Malformed { malformation: Malformation::FiveDecimals, record: 0 };
    let function = stand.start(Ajio).await;
    let mut last = None;
    for _ in 0..2 {
        let fault = Fault::new(Marketplace::Ajio, "/orders", malformed.clone());
        stand.simulator.add_fault(fault.times(1));
        let job = stand.queue_run(Ajio).await;
        stand.run_to_end(&function, job.clone()).await;
        let run = stand.run(job.run_id).await;
        assert_eq!((run.state.as_str(), run.quarantined), ("SUCCEEDED", 1), "{run:?}");
        last = Some(job.run_id);
    }
    let kept = "select seen, run_id = $2, last_seen_at > created_at from robnu.quarantined_records
                where account_id = $1 and external_id is not null";
    let rows = stand.superuser.query(kept, &[&stand.account(Ajio), &last.unwrap()]).await.unwrap();
    let rows: Vec<(i32, bool, bool)> = rows.iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect();
    assert_eq!(rows, [(2, true, true)]);
}

#[tokio::test]
async fn an_endless_repetition_of_a_page_ends_the_run() {
    let stand = Stand::new(ajio(200)).await;
    stand.simulator.add_fault(Fault::new(Marketplace::Ajio, "/orders", FaultKind::RepeatPage).after(1));
    let function = stand.start(Ajio).await;
    let job = stand.queue_run(Ajio).await;
    acknowledged(function.invoke(stand.event(&job)).await);
    let run = stand.run(job.run_id).await;
    assert_eq!((run.state.as_str(), run.error_code.as_deref()), ("FAILED", Some("page_repeated")), "{run:?}");
}

#[tokio::test]
async fn no_secret_token_or_row_is_ever_logged() {
    let stand = Stand::new(ajio(20)).await;
    let function = stand.start(Ajio).await;
    let job = stand.queue_run(Ajio).await;
    stand.run_to_end(&function, job.clone()).await;
    stand.simulator.add_fault(Fault::new(Marketplace::Ajio, "/authToken", FaultKind::RejectCredentials));
    stand.simulator.expire_tokens(Marketplace::Ajio, None);
    let next = stand.queue_run(Ajio).await;
    acknowledged(function.invoke(stand.event(&next)).await);
    let log = function.log().join("\n");
    assert!(log.contains("job done"), "the log is active");
    let sql = "select external_order_id from robnu.orders where seller_id = $1
               union select title from robnu.order_items where seller_id = $1 and title is not null
               union select sku from robnu.order_items where seller_id = $1 and sku is not null
               union select tracking_number from robnu.shipments where seller_id = $1 and tracking_number is not null";
    let rows = stand.superuser.query(sql, &[&stand.sellers.ours.id]).await.unwrap();
    let rows: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    assert!(rows.len() > 20, "there are rows to look for: {rows:?}");
    let secrets = ["correct horse", "accessToken", "apiKey", "sim."].map(str::to_owned);
    for secret in secrets.iter().chain(&rows) {
        assert!(!log.contains(secret), "the log holds {secret}");
    }
}

#[tokio::test]
async fn without_its_configuration_the_function_refuses_to_start_and_names_the_variable() {
    let stand = Stand::new(ajio(1)).await;
    let config = stand.test.config("robnu_adapter");
    for missing in [
        "DATABASE_HOST",
        "MARKETPLACE_CODE",
        "DEAD_LETTER_QUEUE_URL",
        "PARALLEL_DEAD_LETTER_QUEUE_URL",
        "PARALLEL_QUEUES",
        "LEASE_SECONDS",
        "PLATFORM_KEY_ID",
        "AWS_S3_PER_SELLER_KMS",
    ] {
        let mut environment = stand.environment(Ajio, config.host.clone(), config.port);
        environment.retain(|(name, _)| *name != missing);
        let timeout = Duration::from_secs(5);
        let mut function = LambdaProcess::start(env!("CARGO_BIN_EXE_adapter"), &environment, timeout).await;
        assert_ne!(function.exit_code().await, Some(0));
        eventually("the log names the variable", async || {
            function.log().iter().any(|line| line.contains("cannot start") && line.contains(missing))
        })
        .await;
    }
}

#[tokio::test]
async fn with_the_database_down_the_message_goes_back_to_its_lane() {
    let stand = Stand::new(ajio(1)).await;
    let closed_port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let function = stand.start_with(Ajio, "127.0.0.1".to_owned(), closed_port).await;
    let job = stand.queue_run(Ajio).await;
    returned(function.invoke(stand.event(&job)).await);
    assert!(
        function.log().iter().any(|line| line.contains("the database cannot be reached")),
        "{:?}",
        function.log()
    );
}
