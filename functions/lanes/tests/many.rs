//! Many accounts want lanes at once. Rounds make them at a pace that Lambda's control plane bears, and a round that is killed costs no
//! call twice, except those that it was in the middle of.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]
#![allow(clippy::print_stdout, reason = "the long run tells its figures")]

mod kit;

use std::collections::HashSet;
use std::time::Duration;

use kit::{World, in_a_minute, reconcile_with};
use lanes::{Context, Pace};
use tokio::time::{Instant, sleep};

/// Lanes that one round works on at once, so the calls that a kill may cut off.
const AT_ONCE: usize = 4;
/// Over this time calls are counted against the pace.
const SPAN: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_hundred_accounts_get_lanes_although_a_round_is_killed() {
    provision(100, 10).await;
}

/// Takes six minutes, at the pace that is kept on AWS.
#[tokio::test]
#[ignore = "run it by hand after a change of the pace: six minutes"]
async fn a_thousand_accounts_get_lanes_although_a_round_is_killed() {
    provision(1_000, 3).await;
}

/// The name of the lane in a call.
fn lane_in<'a>(call: &'a str, prefix: &str) -> Option<&'a str> {
    call[call.find(prefix)?..].split_once(".fifo").map(|(name, _)| name)
}

async fn provision(accounts: usize, calls_a_second: u32) {
    let world = World::new().await;
    let each = i32::try_from(accounts / 2 - 2).unwrap();
    for seller in [world.sellers.ours.id, world.sellers.theirs.id] {
        let many = "insert into robnu.marketplace_accounts (seller_id, marketplace_code, external_account_id, display_name, verified_at)
            select $1, 'AJIO', 'DV-' || n, 'many', now() from generate_series(1, $2) n";
        world.sql(many, &[&seller, &each]).await;
    }
    let began = Instant::now();
    let pace = || Pace::new(calls_a_second);
    let first = Context { pace: pace(), ..world.context.clone() };
    let in_the_middle = async {
        while world.wire.taken("CreateEventSourceMapping", &[]) < accounts / 10 {
            sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::select! {
        report = reconcile_with(&first, in_a_minute()) => panic!("it is not over yet: {report:?}"),
        // It is dropped, and with it all calls that it was in the middle of.
        () = in_the_middle => {}
    }
    // A minute later the leases that it held have ended.
    let ended =
        "update robnu.marketplace_accounts set lane_lease_until = null where lane_lease_until is not null";
    let held = world.sql(ended, &[]).await;
    assert!(held <= AT_ONCE as u64, "{held} lanes were in work");

    let second = Context { pace: pace(), ..world.another_context().await };
    let mut rounds = 1;
    while world.reconcile_is_short(&second).await {
        rounds += 1;
    }
    let active = "select count(*), count(distinct lane_queue_url), count(distinct lane_mapping_id)
        from robnu.marketplace_accounts where lane_state = 'ACTIVE' and lane_lease_until is null";
    let row = world.row(active, &[]).await;
    let found: [i64; 3] = [row.get(0), row.get(1), row.get(2)];
    assert_eq!(found, [i64::try_from(accounts).unwrap(); 3]);

    for operation in ["CreateQueue", "CreateEventSourceMapping"] {
        let taken = world.wire.all_taken(operation);
        let prefix = world.context.config.queue_prefix.as_str();
        let calls: Vec<&str> = taken.iter().filter_map(|text| lane_in(text, prefix)).collect();
        let lanes: HashSet<&str> = calls.iter().copied().collect();
        assert_eq!(lanes.len(), accounts, "{operation} for each lane");
        let repeated = calls.len() - accounts;
        assert!(repeated <= AT_ONCE, "{operation}: {repeated} calls were repeated for {held} lanes");
    }
    let paced = ["CreateEventSourceMapping", "ListEventSourceMapping", "UpdateEventSourceMapping"];
    let mut times: Vec<Instant> =
        paced.iter().flat_map(|operation| world.wire.tried(operation)).map(|(at, _)| at).collect();
    times.sort_unstable();
    // A slow machine may let the calls of lanes that are worked on at once start together.
    let most = usize::try_from(calls_a_second * 5).unwrap() + AT_ONCE;
    let busiest =
        times.iter().map(|from| times.iter().filter(|at| **at >= *from && **at < *from + SPAN).count());
    let busiest = busiest.max().unwrap();
    assert!(busiest <= most, "{busiest} calls in {SPAN:?}");
    println!(
        "{accounts} lanes in {:?}: {rounds} rounds after the killed one, {} calls of Lambda, {} of CreateQueue, at most {busiest} of Lambda in {SPAN:?}",
        began.elapsed(),
        times.len(),
        world.wire.tried("CreateQueue").len()
    );
}
