//! A backfill crosses many invocations: each order arrives exactly once, progress is seen while it goes on, and another run of the account starts
//! within one slice.
//!
//! The long one: `cargo test -p adapter --test backfill -- --ignored --nocapture`.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use robnu_dispatch::{Job, JobMessage};
use robnu_marketplace::code::MarketplaceCode::Ajio;
use robnu_marketplace::kind::RunKind;
use robnu_testkit::LambdaProcess;
use simulators::{AjioConfig, SimulatorConfig};
use support::{Stand, acknowledged};

/// A run of the lane, as the seller sees it.
#[derive(Debug)]
struct Seen {
    kind: RunKind,
    step: i32,
    orders: i32,
}

/// Delivers the lane's messages one after the other until it is empty. After the first slice of the backfill, a member asks for a check of
/// the credentials, whose message then stands in the lane before the backfill's next step.
async fn deliver(stand: &Stand, function: &LambdaProcess, backfill: &Job) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut message = Some(backfill.clone());
    while let Some(job) = message {
        let is_first = seen.is_empty();
        let asked = if is_first { Some(stand.queue(Ajio, RunKind::CredentialCheck).await) } else { None };
        if let Some(check) = &asked {
            send(stand, check).await;
        }
        acknowledged(function.invoke(stand.event(&job)).await);
        let run = stand.run(job.run_id).await;
        seen.push(Seen { kind: job.kind, step: job.step, orders: run.orders_new });
        let next = stand.receive(&stand.lane_queue.clone()).await;
        message = next.map(|next| JobMessage::parse(next.body().unwrap()).unwrap().into_job());
    }
    seen
}

/// Sends a job's message into the account's lane, as the API does.
async fn send(stand: &Stand, job: &Job) {
    let id = job.run_id.to_string();
    let send = stand
        .sqs
        .send_message()
        .queue_url(&stand.lane_queue)
        .message_body(JobMessage::new(job.clone()).to_body());
    send.message_group_id("lane").message_deduplication_id(id).send().await.unwrap();
}

async fn backfill(orders: usize, slice_seconds: u64) -> Vec<Seen> {
    let mut config = SimulatorConfig::sample().unwrap();
    config.ajio = AjioConfig { orders, ..config.ajio };
    let mut stand = Stand::new(config).await;
    stand.slice_seconds = slice_seconds;
    let function = stand.start(Ajio).await;
    let theirs = stand.theirs().await;
    let job = stand.queue_run(Ajio).await;
    let seen = deliver(&stand, &function, &job).await;

    let run = stand.run(job.run_id).await;
    let orders = i32::try_from(orders).unwrap();
    assert_eq!((run.state.as_str(), run.orders_new, run.orders_changed), ("SUCCEEDED", orders, 0));
    let (stored, _, _) = stand.stored(job.account_id).await;
    assert_eq!(stored, i64::from(orders) + 1, "each order once, and the fixture's");
    let served = stand.simulator.ledger();
    let served: u64 = served.lines.iter().map(|line| line.orders_served).sum();
    assert_eq!(served, u64::try_from(orders).unwrap(), "no page was read twice");
    assert_eq!(stand.theirs().await, theirs);

    assert_eq!(
        (seen[0].kind, seen[1].kind),
        (RunKind::Orders, RunKind::CredentialCheck),
        "the check waits for one slice"
    );
    let progress: Vec<i32> =
        seen.iter().filter(|seen| seen.kind == RunKind::Orders).map(|seen| seen.orders).collect();
    assert!(progress.is_sorted_by(|before, after| before < after), "each slice is seen: {progress:?}");
    seen
}

#[tokio::test]
async fn each_order_of_a_backfill_arrives_once_and_a_check_starts_within_one_slice() {
    let seen = backfill(2_000, 0).await;
    let steps = seen.iter().filter(|seen| seen.kind == RunKind::Orders).map(|seen| seen.step).max();
    assert_eq!(steps, Some(40), "a step for each page, and the last one");
}

#[tokio::test]
#[ignore = "takes some minutes"]
async fn a_hundred_thousand_orders_arrive_once_in_slices_of_five_seconds() {
    let begun = std::time::Instant::now();
    let seen = backfill(100_000, 5).await;
    println!("100,000 orders in {} invocations, {} s", seen.len() - 1, begun.elapsed().as_secs());
    assert!(seen.len() > 5, "it crosses several invocations");
}
