//! A lane follows its account: paused, resumed, disconnected, and changed while somebody works on it.

mod kit;

use std::time::Duration;

use kit::{World, ask_with, body};

async fn opened() -> (World, (robnu_tenancy::SellerId, robnu_tenancy::AccountId)) {
    let world = World::new().await;
    let account = world.ours();
    world.ask(account).await;
    (world, account)
}

#[tokio::test]
async fn a_paused_account_keeps_its_queue_and_is_not_polled_until_it_is_resumed() {
    let (world, account) = opened().await;
    let before = world.lane(account.1).await;
    world.set_status(account.1, "PAUSED").await;
    world.ask(account).await;
    let paused = world.lane(account.1).await;
    assert_eq!(paused.state, "PAUSED");
    assert_eq!((&paused.queue_url, &paused.mapping_id), (&before.queue_url, &before.mapping_id));
    assert_eq!(world.mappings(account.1, 1).await[0].state.as_deref(), Some("Disabled"));

    let run = world.put_queued_run(account.1).await;
    world.set_status(account.1, "ACTIVE").await;
    world.ask(account).await;
    world.expect_open(account.1, 1).await;
    assert_eq!(world.lane(account.1).await, before);
    assert!(world.is_sent(run).await, "the waiting run is published");
}

#[tokio::test]
async fn a_lane_that_opens_does_not_publish_what_operators_hold() {
    let (world, account) = opened().await;
    world.set_status(account.1, "PAUSED").await;
    world.ask(account).await;
    let run = world.put_queued_run(account.1).await;
    world.hold(account.1).await;
    world.set_status(account.1, "ACTIVE").await;
    world.ask(account).await;
    world.expect_open(account.1, 1).await;
    assert!(!world.is_sent(run).await, "the held run waits");
}

#[tokio::test]
async fn an_account_that_must_be_reconnected_keeps_its_lane_so_that_it_can_be_tested() {
    let (world, account) = opened().await;
    let before = world.lane(account.1).await;
    world.set_status(account.1, "NEEDS_RECONNECT").await;
    world.ask(account).await;
    world.expect_open(account.1, 1).await;
    assert_eq!(world.lane(account.1).await, before);
}

#[tokio::test]
async fn an_account_paused_before_it_had_a_lane_gets_one_when_it_is_resumed() {
    let world = World::new().await;
    let account = world.ours();
    world.set_status(account.1, "PAUSED").await;
    world.ask(account).await;
    assert_eq!(world.lane(account.1).await.state, "REQUESTED");
    assert!(!world.has_queue(account.1, 1).await);
    world.set_status(account.1, "ACTIVE").await;
    world.ask(account).await;
    world.expect_open(account.1, 1).await;
}

#[tokio::test]
async fn a_disconnected_account_loses_queue_and_mapping_and_gets_new_ones_when_it_returns() {
    let (world, account) = opened().await;
    world.set_status(account.1, "DISCONNECTED").await;
    world.ask(account).await;
    let retired = world.lane(account.1).await;
    assert_eq!((retired.state.as_str(), retired.generation), ("RETIRED", 2));
    assert_eq!((retired.queue_url, retired.mapping_id), (None, None));
    assert!(!world.has_queue(account.1, 1).await);
    assert!(world.mappings(account.1, 1).await.is_empty());
    world.ask(account).await;
    assert_eq!(world.lane(account.1).await.generation, 2, "retiring twice is retiring once");

    world.set_status(account.1, "ACTIVE").await;
    world.ask(account).await;
    world.expect_open(account.1, 2).await;
}

#[tokio::test]
async fn a_paused_account_can_be_disconnected() {
    let (world, account) = opened().await;
    world.set_status(account.1, "PAUSED").await;
    world.ask(account).await;
    world.set_status(account.1, "DISCONNECTED").await;
    world.ask(account).await;
    assert_eq!(world.lane(account.1).await.state, "RETIRED");
    assert!(!world.has_queue(account.1, 1).await);
}

#[tokio::test]
async fn a_lane_that_was_made_and_never_noted_is_deleted_with_its_account() {
    let (world, account) = opened().await;
    world
        .sql("update robnu.marketplace_accounts set status = 'DISCONNECTED', lane_state = 'REQUESTED', lane_queue_url = null, lane_mapping_id = null where id = $1", &[&account.1])
        .await;
    world.ask(account).await;
    assert!(!world.has_queue(account.1, 1).await);
    assert!(world.mappings(account.1, 1).await.is_empty());
    assert_eq!(world.lane(account.1).await.state, "RETIRED");
}

#[tokio::test]
async fn a_lane_that_is_gone_already_can_be_retired() {
    let (world, account) = opened().await;
    let lane = world.lane(account.1).await;
    world.context.sqs.delete_queue().queue_url(lane.queue_url.unwrap()).send().await.unwrap();
    world.context.lambda.delete_event_source_mapping().uuid(lane.mapping_id.unwrap()).send().await.unwrap();
    world.set_status(account.1, "DISCONNECTED").await;
    world.ask(account).await;
    assert_eq!(world.lane(account.1).await.state, "RETIRED");
}

#[tokio::test]
async fn an_account_disconnected_while_its_lane_is_made_ends_without_one() {
    let world = World::new().await;
    let account = world.ours();
    let gate = world.wire.hold("CreateEventSourceMapping", &world.queue_name(account.1, 1));
    let other = world.another_context().await;
    let meanwhile = async {
        gate.reached().await;
        world.set_status(account.1, "DISCONNECTED").await;
        // The disconnection sends a request too, which meets the lease of the first.
        let waiting = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            gate.open();
        };
        let batch = [body(account)];
        let (failed, ()) = tokio::join!(ask_with(&other, &batch), waiting);
        assert_eq!(failed, [0_usize; 0]);
    };
    tokio::join!(world.ask(account), meanwhile);
    let lane = world.lane(account.1).await;
    assert_eq!((lane.state.as_str(), lane.generation, lane.is_leased), ("RETIRED", 2, false));
    assert!(!world.has_queue(account.1, 1).await);
    assert!(world.mappings(account.1, 1).await.is_empty());
}

#[tokio::test]
async fn an_account_paused_while_its_lane_is_made_ends_paused() {
    let world = World::new().await;
    let account = world.ours();
    let gate = world.wire.hold("CreateQueue", &world.queue_name(account.1, 1));
    let meanwhile = async {
        gate.reached().await;
        world.set_status(account.1, "PAUSED").await;
        gate.open();
    };
    tokio::join!(world.ask(account), meanwhile);
    assert_eq!(world.lane(account.1).await.state, "PAUSED");
    assert_eq!(world.mappings(account.1, 1).await[0].state.as_deref(), Some("Disabled"));
}

#[tokio::test]
async fn a_lease_that_its_holder_lost_is_waited_out() {
    let world = World::new().await;
    let account = world.ours();
    world
        .sql("update robnu.marketplace_accounts set lane_lease_until = now() + interval '1 second' where id = $1", &[&account.1])
        .await;
    world.ask(account).await;
    world.expect_open(account.1, 1).await;
}

#[tokio::test]
async fn an_invocation_whose_lease_ended_stores_nothing() {
    let world = World::new().await;
    let account = world.ours();
    let gate = world.wire.hold("CreateEventSourceMapping", &world.queue_name(account.1, 1));
    let meanwhile = async {
        gate.reached().await;
        // The lease has ended, and another invocation has leased the lane since.
        world
            .sql("update robnu.marketplace_accounts set lane_lease_until = now() + interval '1 hour' where id = $1", &[&account.1])
            .await;
        gate.open();
    };
    let batch = [body(account)];
    let (failed, ()) = tokio::join!(ask_with(&world.context, &batch), meanwhile);
    assert_eq!(failed, [0]);
    let lane = world.lane(account.1).await;
    assert_eq!((lane.state.as_str(), lane.queue_url, lane.is_leased), ("REQUESTED", None, true));
}
