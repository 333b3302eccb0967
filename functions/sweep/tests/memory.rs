//! A sweep's memory does not grow with what is due.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]
#![allow(clippy::print_stdout, reason = "the figures are for whoever runs it")]

mod kit;

use std::time::{Duration, Instant};

use kit::World;
use robnu_testkit::{Answer, LambdaProcess, function_environment};
use serde_json::json;

/// How many more mebibytes a long sweep may need than a short one.
const MEBIBYTES_MORE: i64 = 8;

/// Gives AJIO so many further accounts with a schedule that is due, in the parallel kind, whose queue they share.
async fn make_due(world: &World, accounts: i32) {
    let sql = "with made as (
           insert into robnu.marketplace_accounts (seller_id, marketplace_code, external_account_id, display_name, verified_at, lane_queue_url)
           select $1, 'AJIO', 'DV-' || n, 'many', now(), (select lane_queue_url from robnu.marketplace_accounts where id = $2)
           from generate_series(1, $3::int) n returning seller_id, id
         )
         insert into robnu.schedules (seller_id, account_id, kind, every_minutes, next_due_at)
         select seller_id, id, 'RETURNS', 60, now() - interval '1 minute' from made";
    let ours = &world.sellers.ours;
    world.run_sql(sql, &[&ours.id, &ours.ajio, &accounts]).await;
}

/// Sweeps so many due schedules in one process, and returns its highest resident memory in KiB.
async fn peak(accounts: i32) -> i64 {
    let world = World::new().await;
    world.nothing_is_due().await;
    world.run_sql("update robnu.marketplaces set runs_at_once = 10000", &[]).await;
    make_due(&world, accounts).await;
    let name = format!("robnu-test-{}-ajio-parallel", uuid::Uuid::now_v7().simple());
    let queue = world.sqs.create_queue().queue_name(name).send().await.unwrap().queue_url.unwrap();
    let mut environment = function_environment(&world.test.config("robnu_sweep"));
    environment.extend(kit::function_variables());
    environment.retain(|(name, _)| *name != "PARALLEL_QUEUES");
    environment.push(("PARALLEL_QUEUES", json!({"AJIO": queue}).to_string()));
    let function =
        LambdaProcess::start(env!("CARGO_BIN_EXE_sweep"), &environment, Duration::from_mins(1)).await;
    let began = Instant::now();
    let (mut published, mut calls) = (0, 0);
    while published < i64::from(accounts) {
        let Answer::Response(report) = function.invoke(json!({"sweep": "scheduling"})).await else {
            panic!("{:?}", function.log())
        };
        calls += 1;
        published += report["published"].as_i64().unwrap() + report["republished"].as_i64().unwrap();
        // What was published ends, and makes room.
        let end = "update robnu.sync_runs set state = 'SUCCEEDED', finished_at = now() where state = 'QUEUED' and sent_at is not null";
        world.run_sql(end, &[]).await;
    }
    let status = std::fs::read_to_string(format!("/proc/{}/status", function.id().unwrap())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    let peak = peak.trim().trim_end_matches(" kB").parse().unwrap();
    println!(
        "{accounts} due schedules: {peak} KiB at most, {calls} calls, {:.1} s",
        began.elapsed().as_secs_f64()
    );
    world.sqs.delete_queue().queue_url(&queue).send().await.unwrap();
    peak
}

#[tokio::test]
async fn a_sweep_of_three_times_as_many_schedules_needs_no_more_memory() {
    let (few, many) = (peak(1_000).await, peak(3_000).await);
    assert!(many - few < MEBIBYTES_MORE * 1_024, "{few} KiB, then {many} KiB");
}

#[tokio::test]
#[ignore = "takes minutes: cargo test -p sweep --test memory -- --ignored --nocapture"]
async fn a_hundred_thousand_due_schedules_need_no_more_memory_than_a_thousand() {
    let (few, many) = (peak(1_000).await, peak(100_000).await);
    assert!(many - few < MEBIBYTES_MORE * 1_024, "{few} KiB, then {many} KiB");
}
