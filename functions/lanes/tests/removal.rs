//! A deleted stack takes its lanes with it, and nobody else's.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod kit;

use std::time::{Duration, SystemTime};

use kit::stack::Presigned;
use kit::{World, in_a_minute};
use lanes::{Answer, Context, LaneError, Removal, handle};
use robnu_dispatch::lane_queue_name;
use robnu_tenancy::{AccountId, Database, DatabaseConfig};
use serde_json::{Value, json};
use tokio::time::Instant;

async fn opened() -> World {
    let world = World::new().await;
    assert_eq!(world.reconcile().await.opened, 4);
    world
}

async fn invoke(context: &Context, event: &Value, deadline: Instant) -> Result<Answer, LaneError> {
    handle(serde_json::from_value(event.clone()).unwrap(), context, deadline).await
}

/// Asks for the removal of everything and returns the response.
async fn remove(context: &Context) -> Value {
    let presigned = Presigned::new().await;
    let event = presigned.request("Delete");
    let (answer, told) = tokio::join!(invoke(context, &event, in_a_minute()), presigned.answer());
    assert_eq!(answer.unwrap(), Answer::Stack(Removal::Done));
    told
}

#[tokio::test]
async fn a_deleted_stack_leaves_no_lane_and_touches_none_of_another_stage() {
    let world = opened().await;
    let run = world.put_queued_run(world.ours().1).await;
    let orphan = world.put_lane(AccountId::new(), 7, "test").await;
    // A lane of another stage, and a queue that bears a name of ours.
    let mut other = world.context.clone();
    other.config.queue_prefix = format!("p{}", &world.context.config.queue_prefix);
    let others_account = AccountId::new();
    let others = lane_queue_name(&other.config.queue_prefix, others_account, 1);
    world.put_queue(&others, "prod").await;
    world.put_mapping(&others).await;
    let namesake = world.put_lane(AccountId::new(), 1, "prod").await;

    let told = remove(&world.context).await;
    assert_eq!((&told["Status"], &told["PhysicalResourceId"]), (&json!("SUCCESS"), &json!("robnu-lanes")));
    for (_, account) in world.accounts() {
        assert!(!world.has_queue(account, 1).await);
        assert!(world.mappings(account, 1).await.is_empty());
        let lane = world.lane(account).await;
        assert_eq!((lane.state.as_str(), lane.generation, lane.queue_url), ("REQUESTED", 2, None));
    }
    assert_eq!(world.mappings_of(&orphan).await.len(), 0);
    assert!(!world.exists(&orphan).await, "a lane that no row knew is gone too");
    assert!(world.exists(&others).await && world.exists(&namesake).await);
    assert_eq!((world.mappings_of(&others).await.len(), world.mappings_of(&namesake).await.len()), (1, 1));

    // Another stack on the same database opens them again, and publishes what waits.
    assert_eq!(world.reconcile().await.opened, 4);
    world.expect_open(world.ours().1, 2).await;
    assert!(world.is_sent(run).await);
}

#[tokio::test]
async fn a_removal_that_is_killed_goes_on_when_it_is_repeated() {
    let world = opened().await;
    let gate = world.wire.hold("DeleteQueue", &world.context.config.queue_prefix);
    let presigned = Presigned::new().await;
    let event = presigned.request("Delete");
    tokio::select! {
        answer = invoke(&world.context, &event, in_a_minute()) => panic!("{answer:?}"),
        // It is dropped in the middle of the call.
        () = gate.reached() => {}
    }
    let (answer, told) = tokio::join!(invoke(&world.context, &event, in_a_minute()), presigned.answer());
    assert_eq!((answer.unwrap(), &told["Status"]), (Answer::Stack(Removal::Done), &json!("SUCCESS")));
    for (_, account) in world.accounts() {
        assert!(!world.has_queue(account, 1).await && world.mappings(account, 1).await.is_empty());
    }
}

#[tokio::test]
async fn what_cannot_be_removed_is_tried_again_and_named_in_the_end() {
    let world = opened().await;
    let stuck = world.queue_name(world.ours().1, 1);
    world.wire.refuse("DeleteQueue", &stuck, "InvalidSecurity", 1_000);
    let mut context = world.context.clone();
    context.config.own_function = Some("robnu-test-lanes".to_owned());
    world.wire.pretend("Invoke", "robnu-test-lanes", "");
    let presigned = Presigned::new().await;
    let mut event = presigned.request("Delete");
    let slice = || Instant::now() + Duration::from_secs(15);
    let answer = invoke(&context, &event, slice()).await;
    assert_eq!(answer.unwrap(), Answer::Stack(Removal::GoesOn));
    assert_eq!(world.wire.unused(), 1, "the next slice was invoked; only the refusals are left");
    let next: Value = serde_json::from_str(&world.wire.last("Invoke")).unwrap();
    assert_eq!(next["ResponseURL"], event["ResponseURL"], "the next slice can respond");
    assert!(next["progress"]["began_at"].is_object(), "{next}");

    let began_at = SystemTime::now() - Duration::from_mins(51);
    event["progress"] = json!({"began_at": began_at, "clear_since": null});
    let (answer, told) = tokio::join!(invoke(&context, &event, slice()), presigned.answer());
    assert_eq!((answer.unwrap(), &told["Status"]), (Answer::Stack(Removal::GivenUp), &json!("FAILED")));
    let reason = told["Reason"].as_str().unwrap();
    assert!(reason.starts_with("1 queues or mappings of lanes are left, such as "), "{reason}");
    assert!(reason.contains(&stuck) && reason.contains("could not be deleted"), "{reason}");
    assert!(reason.ends_with("Repeat: aws cloudformation delete-stack"), "{reason}");
}

#[tokio::test]
async fn lanes_go_although_the_database_has_gone_before_them() {
    let world = opened().await;
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = DatabaseConfig { port, ..world.test.config("robnu_lanes") };
    let database = Database::new(&nobody).await.unwrap();
    let told = remove(&Context { database, ..world.context.clone() }).await;
    assert_eq!(told["Status"], "SUCCESS");
    let account = world.ours().1;
    assert!(!world.has_queue(account, 1).await && world.mappings(account, 1).await.is_empty());
    // If it comes back, the rows still name queues that are gone; rounds repair them.
    world.sql("update robnu.marketplace_accounts set lane_checked_at = now() - interval '1 day'", &[]).await;
    assert_eq!(world.reconcile().await.repaired, 4);
    world.expect_open(account, 2).await;
}

#[tokio::test]
async fn a_stack_that_is_made_or_changed_keeps_its_lanes() {
    let world = opened().await;
    for request_type in ["Create", "Update"] {
        let presigned = Presigned::new().await;
        let event = presigned.request(request_type);
        let (answer, told) = tokio::join!(invoke(&world.context, &event, in_a_minute()), presigned.answer());
        assert_eq!((answer.unwrap(), &told["Status"]), (Answer::Stack(Removal::NotAsked), &json!("SUCCESS")));
    }
    world.expect_open(world.ours().1, 1).await;
}
