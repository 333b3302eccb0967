//! The function answers any event, and goes on.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod kit;

use kit::{World, process};
use robnu_marketplace::kind::RunKind;
use robnu_testkit::{Answer, for_each_hostile};
use serde_json::json;

/// Hostile events of a usual run.
const CASES: usize = 150;

#[tokio::test]
async fn hostile_events_are_answered_and_the_next_collection_is_done() {
    let world = World::new().await;
    let (_, letter) = world.dead_run(&world.sellers.ours, RunKind::Orders, "").await;
    let function = process::start(&world).await;
    let filter = json!({"source": "AJIO", "seller_id": world.sellers.ours.id, "account_id": world.sellers.ours.ajio, "kind": "ORDERS",
        "reason": "garbage", "since": "2026-01-01T00:00:00Z", "before": "2026-01-02T00:00:00Z"});
    let whose = json!({"marketplace": "AJIO", "seller_id": world.sellers.ours.id, "account_id": world.sellers.ours.ajio});
    let bases = [
        json!({"collect": "dead_letters"}),
        json!({"list": {"filter": filter, "state": "ALL", "limit": 10, "after": letter}}),
        json!({"show": {"id": letter}}),
        json!({"redrive": {"filter": filter, "ids": [letter], "operator": "asha", "reason": "x", "rate": 50, "limit": 10, "dry_run": true}}),
        json!({"discard": {"filter": filter, "ids": [letter], "operator": "asha", "reason": "x", "limit": 10, "dry_run": true}}),
        json!({"stuck": {"filter": whose, "limit": 10}}),
        json!({"runs": {"filter": whose, "kind": "ORDERS", "state": "FAILED", "error": "http_500", "since": "2026-01-01T00:00:00Z",
            "before": "2026-01-02T00:00:00Z", "limit": 10, "after": world.sellers.ours.id}}),
        json!({"hold": {"account_id": world.sellers.ours.ajio, "operator": "asha", "reason": "x", "dry_run": true}}),
        json!({"resume": {"marketplace": "AJIO", "operator": "asha", "reason": "x", "dry_run": true}}),
        json!({"lanes": {"filter": whose, "limit": 10, "after": world.sellers.ours.ajio}}),
    ];
    for_each_hostile(&bases, CASES, async |event| match function.invoke(event.clone()).await {
        Answer::Response(_) => {}
        Answer::Error(error) => {
            let kind = error["errorType"].as_str().unwrap();
            assert!(["MalformedEvent", "UnknownEvent"].contains(&kind), "{event}: {error}");
        }
    })
    .await;
    let panicked: Vec<String> =
        function.log().into_iter().filter(|line| line.contains(r#""message":"panicked""#)).collect();
    assert_eq!(panicked, [""; 0]);
    let Answer::Response(report) = function.invoke(json!({"collect": "dead_letters"})).await else {
        panic!("{:#?}", function.log());
    };
    assert_eq!(report["received"], 0);
}
