//! A run that is told to wait, however often, neither gives up nor holds a function, and ends well in the end.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use robnu_dispatch::Job;
use robnu_marketplace::code::MarketplaceCode::{Ajio, Meesho};
use robnu_testkit::LambdaProcess;
use simulators::{AjioConfig, Fault, FaultKind, Marketplace, SimulatorConfig};
use support::uploads::{announce, key, upload_as};
use support::{Stand, acknowledged, again};

fn ajio(orders: usize) -> SimulatorConfig {
    let mut config = SimulatorConfig::sample().unwrap();
    config.ajio = AjioConfig { orders, ..config.ajio };
    config
}

/// Handles a job's message; returns the state and the reason of its run.
async fn handled(stand: &Stand, function: &LambdaProcess, job: &Job) -> (String, Option<String>) {
    acknowledged(function.invoke(stand.event(job)).await);
    let run = stand.run(job.run_id).await;
    (run.state, run.error_code)
}

fn waits(code: &str) -> (String, Option<String>) {
    ("WAITING".to_owned(), Some(code.to_owned()))
}

#[tokio::test]
async fn after_two_hundred_refusals_in_a_row_the_run_succeeds_and_no_function_has_waited() {
    let stand = Stand::new(ajio(120)).await;
    // Half of them say when to come back, and so soon that waiting for it would tempt.
    for retry_after in [Some(1), None] {
        let refusal = FaultKind::Status { status: 429, retry_after };
        stand.simulator.add_fault(Fault::new(Marketplace::Ajio, "/orders", refusal).times(100));
    }
    let function = stand.start(Ajio).await;
    let mut job = stand.queue_run(Ajio).await;
    for attempt in 1..=200 {
        assert_eq!(
            handled(&stand, &function, &job).await,
            waits("marketplace_throttles"),
            "attempt {attempt}"
        );
        // The time that the marketplace asked for is over, and the sweep publishes the run.
        stand.superuser.batch_execute("delete from robnu.call_buckets").await.unwrap();
        job = again(&stand, job).await;
    }
    let ledger = stand.simulator.ledger();
    let refused: u64 = ledger.lines.iter().filter(|line| line.status == 429).map(|line| line.requests).sum();
    assert_eq!(refused, 200, "each attempt asked once and did not wait to ask again");
    let dead_letter = stand.receive(&stand.dead_letter_queue).await;
    assert!(dead_letter.is_none(), "no message has died");
    stand.run_to_end(&function, job.clone()).await;
    assert_eq!(stand.run(job.run_id).await.state, "SUCCEEDED");
    let (orders, _, _) = stand.stored(job.account_id).await;
    assert_eq!(orders, 121, "all orders, and the fixture's");
}

#[tokio::test]
async fn a_run_that_fails_over_and_over_still_gives_up() {
    let stand = Stand::new(ajio(20)).await;
    let broken = FaultKind::Status { status: 503, retry_after: None };
    stand.simulator.add_fault(Fault::new(Marketplace::Ajio, "/orders", broken));
    let function = stand.start(Ajio).await;
    let mut job = stand.queue_run(Ajio).await;
    let mut attempts = 0;
    while handled(&stand, &function, &job).await == waits("marketplace_unavailable") {
        attempts += 1;
        assert!(attempts < 100, "it never gives up");
        job = again(&stand, job).await;
    }
    assert_eq!(attempts, 20);
    assert_eq!(stand.run(job.run_id).await.error_code.as_deref(), Some("gave_up"));
}

#[tokio::test]
async fn a_file_waits_for_an_earlier_one_as_long_as_that_takes() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let ours = &stand.sellers.ours;
    let function = stand.start(Meesho).await;
    let header = "Reason for Credit Entry,Sub Order No,Order Date,SKU,Quantity,Supplier Discounted Price (Incl GST and Commision)";
    let file = |status: &str| format!("{header}\n{status},18000001_1,2026-08-05,SKU-1,1,100\n");
    let mut jobs = Vec::new();
    for status in ["SHIPPED", "DELIVERED"] {
        let import = upload_as(&stand, ours, Meesho, &file(status), Some(&file(status))).await;
        jobs.push(announce(&stand, &function, &key(ours, Meesho, import)).await.expect("a file makes a run"));
    }
    let [earlier, later] = jobs.try_into().unwrap();
    let mut later: Job = later;
    for _ in 0..30 {
        assert_eq!(handled(&stand, &function, &later).await, waits("earlier_file"));
        later = again(&stand, later).await;
    }
    stand.run_to_end(&function, earlier).await;
    stand.run_to_end(&function, later.clone()).await;
    assert_eq!(stand.run(later.run_id).await.state, "SUCCEEDED");
    let status = "select status from robnu.orders where account_id = $1 and external_order_id = '18000001'";
    let row = stand.superuser.query_one(status, &[&ours.meesho]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "DELIVERED");
}
