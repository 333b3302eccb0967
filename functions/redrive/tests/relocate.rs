//! Operators move an account to the other kind of lane: the row says so, the trail has it, and the lanes function is asked.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod kit;

use kit::World;
use redrive::{Answer, Moved};
use robnu_dispatch::LaneRequest;
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::AccountId;
use serde_json::json;

async fn relocate(world: &World, account: AccountId, to: &str, dry_run: bool) -> Moved {
    let request =
        json!({"account_id": account, "to": to, "dry_run": dry_run, "operator": "asha", "reason": "idle"});
    match world.ask("move", request).await {
        Answer::Moved(moved) => moved,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_move_is_recorded_seen_by_the_seller_and_asked_of_the_lanes_function() {
    let world = World::new().await;
    let ours = &world.sellers.ours;
    world.sql("delete from robnu.hold_actions", &[]).await;
    world.sql("delete from robnu.audit_events", &[]).await;
    world.publish_run(ours, RunKind::Orders).await;
    world.publish_run(ours, RunKind::Returns).await;
    world.publish_run(&world.sellers.theirs, RunKind::Orders).await;
    let requests = world.context.queues.lane_requests.clone();

    let dry = relocate(&world, ours.ajio, "SHARED", true).await;
    assert_eq!((dry.changed, dry.asked, dry.live_runs), (true, false, 1), "only what goes through the lane");
    assert_eq!(world.count("select count(*) from robnu.hold_actions").await, 0, "a dry run changes nothing");
    assert_eq!(world.heard(&requests).await, [""; 0]);

    let moved = relocate(&world, ours.ajio, "SHARED", false).await;
    assert_eq!((moved.changed, moved.asked, moved.before.as_str()), (true, true, "DEDICATED"));
    let request = LaneRequest { seller_id: ours.id, account_id: ours.ajio };
    assert_eq!(world.heard(&requests).await, [request.to_body()]);
    assert!(!relocate(&world, ours.ajio, "SHARED", false).await.changed, "it is there already");
    assert_eq!(world.heard(&requests).await, [""; 0]);

    let actions = "select string_agg(concat_ws(' ', action, lane_kind, operator, reason, account_id = $1), ';') from robnu.hold_actions";
    let said: String = world.row(actions, &[&ours.ajio]).await.get(0);
    assert_eq!(said, "MOVE SHARED asha idle t");
    let trail = "select string_agg(concat_ws(' ', action, actor_kind, object_id = $1, changed::text, shown ->> 'lane_kind'), ';')
        from robnu.audit_events where action <> 'run.created'";
    let said: String = world.row(trail, &[&ours.ajio]).await.get(0);
    assert_eq!(said, "account.changed SYSTEM t {lane_kind,lane_kind_since} SHARED");
    let others = "select count(*) from robnu.marketplace_accounts where lane_kind = 'SHARED'";
    assert_eq!(world.count(others).await, 1, "no other account moves");
}

#[tokio::test]
async fn an_account_that_is_not_there_is_refused_and_one_that_is_not_moved_is_stuck() {
    let world = World::new().await;
    let request =
        json!({"account_id": AccountId::new(), "to": "SHARED", "operator": "asha", "reason": "idle"});
    let answer = world.ask("move", request).await;
    assert!(matches!(answer, Answer::Refused { .. }), "{answer:?}");

    let account = world.sellers.ours.ajio;
    relocate(&world, account, "SHARED", false).await;
    let stuck = async || match world.ask("stuck", json!({"filter": {"account_id": account}})).await {
        Answer::Stuck(found) => serde_json::to_value(found).unwrap(),
        other => panic!("{other:?}"),
    };
    assert!(!stuck().await.to_string().contains("lane_not_moved"), "it has just been asked for");
    let long_ago =
        "update robnu.marketplace_accounts set lane_kind_since = now() - interval '1 hour' where id = $1";
    world.sql(long_ago, &[&account]).await;
    assert!(stuck().await.to_string().contains("lane_not_moved"));
    match world.ask("lanes", json!({"filter": {"account_id": account}})).await {
        Answer::Lanes(found) => {
            assert_eq!((found.lanes[0].lane_kind.as_str(), found.lanes[0].is_moving), ("SHARED", true));
        }
        other => panic!("{other:?}"),
    }
}
