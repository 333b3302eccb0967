//! Runs and lanes as operators see them.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod kit;

use kit::World;
use redrive::{Answer, FoundLanes, FoundRun, FoundRuns};
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::{AccountId, RunId};
use serde_json::{Value, json};

async fn page(world: &World, request: Value) -> FoundRuns {
    match world.ask("runs", request).await {
        Answer::Runs(runs) => runs,
        other => panic!("{other:?}"),
    }
}

async fn ids(world: &World, request: Value) -> Vec<RunId> {
    page(world, request).await.runs.into_iter().map(|run| run.id).collect()
}

async fn lanes(world: &World, request: Value) -> FoundLanes {
    match world.ask("lanes", request).await {
        Answer::Lanes(lanes) => lanes,
        other => panic!("{other:?}"),
    }
}

/// The fixture's runs are gone, and each seller has one of each of these kinds, made in this order.
async fn with_runs() -> (World, Vec<RunId>) {
    let world = World::new().await;
    world.sql("alter table robnu.sync_runs disable trigger all", &[]).await;
    world.sql("delete from robnu.sync_runs", &[]).await;
    let mut runs = Vec::new();
    for seller in [&world.sellers.ours, &world.sellers.theirs] {
        for (kind, columns, values) in [
            (RunKind::Orders, "state, error_code, finished_at", "'FAILED', 'http_500', now()"),
            (RunKind::Returns, "state, finished_at", "'SUCCEEDED', now()"),
            (RunKind::Listings, "queued_at", "now()"),
        ] {
            runs.push(world.unsent_run(seller, kind, columns, values).await.run_id);
        }
    }
    (world, runs)
}

#[tokio::test]
async fn runs_of_both_sellers_are_found_newest_first_and_by_each_filter() {
    let (world, runs) = with_runs().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    let newest: Vec<RunId> = runs.iter().rev().copied().collect();
    assert_eq!(ids(&world, json!({})).await, newest);
    for (request, found) in [
        (json!({"filter": {"seller_id": ours.id}}), &newest[3..]),
        (json!({"filter": {"account_id": theirs.ajio}}), &newest[..3]),
        (json!({"filter": {"marketplace": "AJIO"}}), &newest[..]),
        (json!({"filter": {"marketplace": "MEESHO"}}), &[]),
        (json!({"kind": "ORDERS"}), &[runs[3], runs[0]]),
        (json!({"state": "QUEUED"}), &[runs[5], runs[2]]),
        (json!({"error": "http_500", "filter": {"seller_id": theirs.id}}), &[runs[3]]),
        (json!({"before": chrono::Utc::now() - chrono::TimeDelta::minutes(2)}), &[]),
        (json!({"since": chrono::Utc::now() - chrono::TimeDelta::minutes(2)}), &newest[..]),
    ] {
        assert_eq!(ids(&world, request.clone()).await, found, "{request}");
    }
}

#[tokio::test]
async fn pages_of_runs_join_without_gap_or_repetition() {
    let (world, runs) = with_runs().await;
    let mut found = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = page(&world, json!({"limit": 2, "after": after})).await;
        found.extend(page.runs.iter().map(|run| run.id));
        let Some(next) = page.next else { break };
        after = json!(next);
    }
    found.reverse();
    assert_eq!(found, runs);
}

#[tokio::test]
async fn runs_of_all_sellers_are_looked_for_a_week_back_and_those_of_one_for_ever() {
    let (world, _) = with_runs().await;
    let old: RunId = world
        .row(
            "insert into robnu.sync_runs (seller_id, id, account_id, marketplace_code, kind, trigger, state, finished_at)
             values ($1, uuidv7(interval '-8 days'), $2, 'AJIO', 'ORDERS', 'API', 'SUCCEEDED', now()) returning id",
            &[&world.sellers.ours.id, &world.sellers.ours.ajio],
        )
        .await
        .get(0);
    assert!(!ids(&world, json!({})).await.contains(&old));
    let longer = json!({"since": chrono::Utc::now() - chrono::TimeDelta::days(9)});
    assert!(ids(&world, longer).await.contains(&old));
    assert!(ids(&world, json!({"filter": {"seller_id": world.sellers.ours.id}})).await.contains(&old));
}

#[tokio::test]
async fn a_run_shows_numbers_times_and_codes_and_no_message() {
    let (world, runs) = with_runs().await;
    let change =
        "step = 2, attempt = 9, fruitless_attempts = 3, pages = 4, quarantined = 5, started_at = now(),
        error_message = 'Asha Rao, 98765 43210', page_position = 'Asha Rao'";
    world.sql(&format!("update robnu.sync_runs set {change} where id = $1"), &[&runs[0]]).await;
    for stream in ["ORDERS", "ORDER_LINES"] {
        let sql = "insert into robnu.sync_run_counts (seller_id, run_id, stream, added, changed, unchanged, removed)
            values ($1, $2, $3, 1, 2, 3, 4)";
        world.sql(sql, &[&world.sellers.ours.id, &runs[0], &stream]).await;
    }
    let answer =
        page(&world, json!({"state": "FAILED", "filter": {"seller_id": world.sellers.ours.id}})).await;
    let run: &FoundRun = answer.runs.first().unwrap();
    assert_eq!((run.step, run.attempts, run.fruitless_attempts), (2, 9, 3));
    assert_eq!((run.pages, run.quarantined), (4, 5));
    assert_eq!((run.added, run.changed, run.unchanged, run.removed), (2, 4, 6, 8));
    assert_eq!(run.error_code.as_deref(), Some("http_500"));
    assert!(run.started_at.is_some() && run.finished_at.is_some());
    let text = serde_json::to_string(&answer).unwrap();
    assert!(!text.contains("Asha"), "{text}");
}

#[tokio::test]
async fn lanes_show_the_accounts_status_its_queue_and_what_waits() {
    let (world, _) = with_runs().await;
    let ours = &world.sellers.ours;
    let columns = "state, lease_expires_at, queued_at";
    let running = "'RUNNING', now() + interval '1 minute', now() - interval '3 hours'";
    world.unsent_run(ours, RunKind::Orders, columns, running).await;
    world.unsent_run(ours, RunKind::FileImport, "queued_at", "now() - interval '2 hours'").await;
    let sql = "update robnu.marketplace_accounts set status = 'PAUSED', lane_state = 'RETIRED', lane_queue_url = null where id = $1";
    world.sql(sql, &[&ours.amazon]).await;
    let found = lanes(&world, json!({"filter": {"seller_id": ours.id}})).await;
    assert_eq!((found.lanes.len(), found.next), (4, None));
    let of = |account: AccountId| found.lanes.iter().find(|lane| lane.account_id == account).unwrap();
    let ajio = of(ours.ajio);
    assert_eq!((ajio.status.as_str(), ajio.lane_state.as_str(), ajio.has_queue), ("ACTIVE", "ACTIVE", true));
    assert_eq!(ajio.live_runs, 2);
    assert!(chrono::Utc::now() - ajio.oldest_waiting.unwrap() < chrono::TimeDelta::hours(1), "{ajio:?}");
    let amazon = of(ours.amazon);
    assert_eq!(
        (amazon.status.as_str(), amazon.lane_state.as_str(), amazon.has_queue),
        ("PAUSED", "RETIRED", false)
    );
    assert_eq!((amazon.live_runs, amazon.oldest_waiting), (0, None));
}

#[tokio::test]
async fn lanes_show_when_each_kind_was_last_read_to_its_end_and_how_often_it_should_be() {
    let (world, _) = with_runs().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    world.sql("delete from robnu.schedules", &[]).await;
    for seller in [ours, theirs] {
        let sql = "insert into robnu.schedules (seller_id, account_id, kind, every_minutes, enabled)
            values ($1, $2, 'ORDERS', 30, true), ($1, $2, 'PAYOUTS', 60, false)";
        world.sql(sql, &[&seller.id, &seller.ajio]).await;
    }
    let columns = "state, finished_at, window_from, window_until";
    let window = "'SUCCEEDED', now(), now() - interval '2 days', now() - interval '1 day'";
    world.unsent_run(ours, RunKind::Orders, columns, window).await;
    world.unsent_run(theirs, RunKind::Orders, "state, finished_at", "'SUCCEEDED', now()").await;
    world.unsent_run(theirs, RunKind::Orders, "state, finished_at", "'FAILED', now()").await;
    let reads = async |account: AccountId| {
        let found = lanes(&world, json!({"filter": {"account_id": account}})).await;
        let reads = found.lanes.into_iter().next().unwrap().reads.into_iter();
        reads.map(|read| (read.kind, read.read_at.is_some(), read.every_minutes)).collect::<Vec<_>>()
    };
    let row = |kind: &str, read: bool, every: Option<i32>| (kind.to_owned(), read, every);
    assert_eq!(reads(ours.ajio).await, [row("ORDERS", false, Some(30)), row("RETURNS", true, None)]);
    assert_eq!(reads(theirs.ajio).await, [row("ORDERS", true, Some(30)), row("RETURNS", true, None)]);
    assert_eq!(reads(ours.meesho).await, []);
}

#[tokio::test]
async fn lanes_of_both_sellers_are_found_page_by_page_and_by_each_filter() {
    let world = World::new().await;
    let mut found = Vec::new();
    let mut after = Value::Null;
    loop {
        let page = lanes(&world, json!({"limit": 3, "after": after})).await;
        found.extend(page.lanes.iter().map(|lane| lane.account_id));
        let Some(next) = page.next else { break };
        after = json!(next);
    }
    assert_eq!(found.len(), 8);
    assert!(found.is_sorted() && found.iter().collect::<std::collections::BTreeSet<_>>().len() == 8);
    assert_eq!(lanes(&world, json!({"filter": {"marketplace": "AJIO"}})).await.lanes.len(), 2);
    let one = lanes(&world, json!({"filter": {"account_id": world.sellers.theirs.meesho}})).await;
    assert_eq!(one.lanes.iter().map(|lane| lane.seller_id).collect::<Vec<_>>(), [world.sellers.theirs.id]);
}

#[tokio::test]
async fn a_wrong_request_is_refused_by_its_field() {
    let world = World::new().await;
    for (name, request, field) in [
        ("stuck", json!({"filter": {"marketplace": "EBAY"}}), "filter.marketplace"),
        ("runs", json!({"state": "DEAD"}), "state"),
        ("lanes", json!({"limit": 0}), "limit"),
    ] {
        let Answer::Refused { refused } = world.ask(name, request).await else {
            panic!("{name} is answered")
        };
        assert_eq!(refused.field, field);
    }
}
