//! A round of all lanes makes the changes that no request made, and repairs drift.

mod kit;

use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use kit::{World, attribute, in_a_minute, reconcile_with};
use lanes::{Event, LaneError};
use robnu_tenancy::{AccountId, SellerId};
use tokio::time::Instant;

/// Makes all four lanes, unchecked for a day.
async fn opened() -> World {
    let world = World::new().await;
    world.reconcile().await;
    world.sql("update robnu.marketplace_accounts set lane_checked_at = now() - interval '1 day'", &[]).await;
    world
}

fn first(world: &World) -> (SellerId, AccountId) {
    world.ours()
}

#[tokio::test]
async fn lanes_that_nobody_asked_for_are_made_for_both_sellers() {
    let world = World::new().await;
    let report = world.reconcile().await;
    assert_eq!((report.differing, report.opened, report.failed, report.time_short), (4, 4, 0, false));
    assert_eq!(report.lanes, 4, "a metric counts them");
    for (_, account) in world.accounts() {
        world.expect_open(account, 1).await;
    }
    let report = world.reconcile().await;
    assert_eq!((report.differing, report.checked), (0, 0), "a new lane needs no check");
}

#[tokio::test]
async fn lanes_follow_statuses_that_changed_without_a_request() {
    let world = opened().await;
    let statuses = ["PAUSED", "NEEDS_RECONNECT", "DISCONNECTED", "ACTIVE"];
    for ((_, account), status) in world.accounts().into_iter().zip(statuses) {
        world.set_status(account, status).await;
    }
    let report = world.reconcile().await;
    assert_eq!((report.differing, report.paused, report.retired, report.opened), (2, 1, 1, 0));
    let mut states = Vec::new();
    for (_, account) in world.accounts() {
        states.push(world.lane(account).await.state);
    }
    assert_eq!(states, ["PAUSED", "ACTIVE", "RETIRED", "ACTIVE"]);
}

#[tokio::test]
async fn a_sound_lane_is_looked_at_and_left_alone() {
    let world = opened().await;
    let before = world.lane(first(&world).1).await;
    let report = world.reconcile().await;
    assert_eq!((report.checked, report.repaired, report.failed), (4, 0, 0));
    assert_eq!(world.lane(first(&world).1).await, before);
    assert_eq!(world.reconcile().await.checked, 0, "it is not looked at again within the hour");
}

#[tokio::test]
async fn a_deleted_queue_is_made_again_under_the_next_name_and_its_runs_are_published() {
    let world = opened().await;
    let (_, account) = first(&world);
    let url = world.lane(account).await.queue_url.unwrap();
    let run = world.put_queued_run(account).await;
    world
        .sql("update robnu.sync_runs set sent_at = now() - interval '1 minute' where id = $1", &[&run])
        .await;
    world.context.sqs.delete_queue().queue_url(url).send().await.unwrap();
    let report = world.reconcile().await;
    assert_eq!((report.checked, report.repaired, report.failed), (4, 1, 0));
    world.expect_open(account, 2).await;
    assert!(world.mappings(account, 1).await.is_empty(), "the mapping of the lost queue is gone");
    let published = world
        .row("select sent_at > now() - interval '30 seconds' from robnu.sync_runs where id = $1", &[&run])
        .await;
    assert!(published.get::<_, bool>(0), "the message was lost with the queue");
}

#[tokio::test]
async fn a_deleted_mapping_is_made_again() {
    let world = opened().await;
    let (_, account) = first(&world);
    let mapping = world.lane(account).await.mapping_id.unwrap();
    world.context.lambda.delete_event_source_mapping().uuid(&mapping).send().await.unwrap();
    assert_eq!(world.reconcile().await.repaired, 1);
    world.expect_open(account, 1).await;
    assert_ne!(world.lane(account).await.mapping_id, Some(mapping));
}

#[tokio::test]
async fn a_disabled_mapping_is_enabled() {
    let world = opened().await;
    let (_, account) = first(&world);
    let mapping = world.lane(account).await.mapping_id.unwrap();
    world.context.lambda.update_event_source_mapping().uuid(&mapping).enabled(false).send().await.unwrap();
    assert_eq!(world.reconcile().await.repaired, 1);
    world.expect_open(account, 1).await;
}

#[tokio::test]
async fn a_change_of_configuration_reaches_lanes_that_exist() {
    let world = opened().await;
    let (_, account) = first(&world);
    let mut context = world.context.clone();
    context.config.visibility_seconds = 77;
    context.config.max_receives = 9;
    let report = reconcile_with(&context, in_a_minute()).await;
    assert_eq!((report.checked, report.repaired), (4, 4));
    let url = world.lane(account).await.queue_url.unwrap();
    assert_eq!(attribute(&world.context.sqs, &url, QueueAttributeName::VisibilityTimeout).await, "77");
    assert!(attribute(&world.context.sqs, &url, QueueAttributeName::RedrivePolicy).await.contains('9'));
    world.expect_open(account, 1).await;
}

#[tokio::test]
async fn a_lane_that_fails_delays_nobody() {
    let world = World::new().await;
    let (_, account) = first(&world);
    world.wire.refuse("CreateQueue", &world.queue_name(account, 1), "InvalidAttributeValue", 1);
    let report = world.reconcile().await;
    assert_eq!((report.differing, report.opened, report.failed), (4, 3, 1));
    assert_eq!(world.reconcile().await.opened, 1, "the next round tries it again");
}

#[tokio::test]
async fn a_leased_lane_is_skipped() {
    let world = World::new().await;
    let (_, account) = first(&world);
    world
        .sql("update robnu.marketplace_accounts set lane_lease_until = now() + interval '1 minute' where id = $1", &[&account])
        .await;
    let report = world.reconcile().await;
    assert_eq!((report.differing, report.opened, report.busy, report.failed), (4, 3, 1, 0));
}

#[tokio::test]
async fn two_rounds_at_once_do_the_work_once() {
    let world = opened().await;
    let (one, two) = (world.another_context().await, world.another_context().await);
    let (one, two) = tokio::join!(reconcile_with(&one, in_a_minute()), reconcile_with(&two, in_a_minute()));
    assert_eq!(one.checked + two.checked, 4);
    assert_eq!(one.failed + two.failed, 0);
    for (_, account) in world.accounts() {
        world.expect_open(account, 1).await;
    }
}

#[tokio::test]
async fn many_lanes_are_brought_in_order_in_one_round() {
    let world = World::new().await;
    let (seller, _) = first(&world);
    let many = "insert into robnu.marketplace_accounts (seller_id, marketplace_code, external_account_id, display_name, status, verified_at)
        select $1, 'AJIO', 'DV-' || n, 'many', 'DISCONNECTED', now() from generate_series(1, 230) n";
    world.sql(many, &[&seller]).await;
    let report = world.reconcile().await;
    assert_eq!((report.differing, report.retired, report.opened, report.time_short), (234, 230, 4, false));
    assert_eq!(world.reconcile().await.differing, 0);
}

#[tokio::test]
async fn a_seller_with_thousands_of_lanes_to_make_keeps_no_other_seller_waiting() {
    let world = World::new().await;
    let accounts = world.accounts();
    let (older, newer) = if accounts[0].0 < accounts[2].0 { (0, 2) } else { (2, 0) };
    let many = "insert into robnu.marketplace_accounts (seller_id, marketplace_code, external_account_id, display_name, verified_at)
        select $1, 'AJIO', 'DV-' || n, 'many', now() from generate_series(1, 3000) n";
    world.sql(many, &[&accounts[older].0]).await;
    let report = reconcile_with(&world.context, Instant::now() + Duration::from_secs(13)).await;
    assert!(report.time_short && report.opened < 3_000, "the round is too short for all: {report:?}");
    for (_, account) in &accounts[newer..newer + 2] {
        assert_eq!(world.lane(*account).await.state, "ACTIVE");
    }
}

#[tokio::test]
async fn a_round_without_time_left_says_so() {
    let world = World::new().await;
    let report = reconcile_with(&world.context, Instant::now() + Duration::from_secs(1)).await;
    assert!(report.time_short);
    assert_eq!((report.differing, report.checked), (0, 0));
}

#[tokio::test]
async fn a_marketplace_without_a_deployed_adapter_is_counted_and_left() {
    let world = World::new().await;
    let mut context = world.context.clone();
    context.config.targets.remove("AMAZON_IN");
    let report = reconcile_with(&context, in_a_minute()).await;
    assert_eq!((report.differing, report.opened, report.without_target, report.failed), (4, 2, 2, 0));
}

#[tokio::test]
async fn an_unknown_sweep_is_refused_by_name() {
    let world = World::new().await;
    let event: Event = serde_json::from_str(r#"{"sweep":"spring-cleaning"}"#).unwrap();
    let error = lanes::handle(event, &world.context, in_a_minute()).await.unwrap_err();
    assert!(matches!(&error, LaneError::UnknownSweep { name } if name == "spring-cleaning"));
    assert_eq!(error.to_string(), r#"unknown sweep "spring-cleaning": this function knows "lane-reconcile""#);
}

#[tokio::test]
async fn the_search_for_differing_lanes_reads_only_those() {
    let world = opened().await;
    let raw = world.test.raw("robnu_lanes").await;
    let enter = "begin; select robnu.enter_system('robnu_system_lanes'); set local enable_seqscan = off";
    raw.batch_execute(enter).await.unwrap();
    let search = include_str!("../src/sql/find_differing.sql");
    let search = search.split_once("select").unwrap().1.replace("$1", "100");
    let rows = raw.query(&format!("explain select {search}"), &[]).await.unwrap();
    let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
    let plan = plan.join("\n");
    for index in ["marketplace_accounts_lane_differs", "marketplace_accounts_refused"] {
        assert!(plan.contains(index), "{plan}");
    }
}
