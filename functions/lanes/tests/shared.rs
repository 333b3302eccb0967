//! Lanes that accounts share: an account moves to its marketplace's parallel queue and back, and that queue belongs to nobody.

mod kit;

use kit::{World, ask_with, body};
use robnu_tenancy::{AccountId, SellerId};

/// An account whose lane is the parallel queue.
async fn shared() -> (World, (SellerId, AccountId)) {
    let world = World::new().await;
    let account = world.ours();
    world.set_kind(account.1, "SHARED").await;
    world.ask(account).await;
    world.expect_shared(account.1).await;
    (world, account)
}

#[tokio::test]
async fn a_moved_account_leaves_nothing_behind_and_its_runs_go_on_in_another_generation() {
    let world = World::new().await;
    let account = world.ours();
    world.ask(account).await;
    let run = world.put_queued_run(account.1).await;
    let theirs = world.put_queued_run(world.sellers.theirs.ajio).await;
    world.sql("update robnu.sync_runs set sent_at = now() where id = any ($1)", &[&vec![run, theirs]]).await;

    world.set_kind(account.1, "SHARED").await;
    world.ask(account).await;
    world.expect_shared(account.1).await;
    assert_eq!(world.lane(account.1).await.generation, 2, "the old queue's name is not used again");
    assert_eq!(world.messages(&world.parallel).await, [(run, 1)]);
    assert!(world.is_sent(run).await);

    world.set_kind(account.1, "DEDICATED").await;
    world.ask(account).await;
    let generation = world.lane(account.1).await.generation;
    world.expect_open(account.1, generation).await;
    let lane = world.lane(account.1).await;
    assert!(!lane.is_shared);
    let queue = lane.queue_url.expect("an active lane has a queue");
    // The lane's mapping may have taken the message out already.
    let sent = world.wire.taken("SendMessage", &[&queue, &run.to_string(), "\\\"generation\\\":2"]);
    assert_eq!(sent, 1, "its run is published there, in another generation");
    world.expect_parallel_queue().await;
    let stands = "select generation from robnu.sync_runs where id = $1";
    assert_eq!(
        world.row(stands, &[&theirs]).await.get::<_, i32>(0),
        0,
        "another account's run is left alone"
    );
}

#[tokio::test]
async fn runs_that_go_through_the_parallel_queue_in_any_case_keep_their_messages() {
    let world = World::new().await;
    let account = world.ours();
    world.ask(account).await;
    let run = world.put_queued_run(account.1).await;
    let sql = "update robnu.sync_runs set sent_at = now(), kind = 'RETURNS' where id = $1";
    world.sql(sql, &[&run]).await;
    world.set_kind(account.1, "SHARED").await;
    world.ask(account).await;
    let stands = "select generation from robnu.sync_runs where id = $1";
    assert_eq!(world.row(stands, &[&run]).await.get::<_, i32>(0), 0);
}

#[tokio::test]
async fn a_shared_lane_follows_its_account_and_never_touches_the_queue_of_all() {
    let (world, account) = shared().await;
    world.set_status(account.1, "PAUSED").await;
    world.ask(account).await;
    let paused = world.lane(account.1).await;
    assert_eq!((paused.state.as_str(), paused.is_shared), ("PAUSED", true));
    world.expect_parallel_queue().await;

    let run = world.put_queued_run(account.1).await;
    world.set_status(account.1, "ACTIVE").await;
    world.ask(account).await;
    world.expect_shared(account.1).await;
    assert!(world.is_sent(run).await, "what waited during the pause is published");

    world.set_status(account.1, "DISCONNECTED").await;
    world.ask(account).await;
    let retired = world.lane(account.1).await;
    assert_eq!((retired.state.as_str(), retired.queue_url, retired.is_shared), ("RETIRED", None, false));
    world.expect_parallel_queue().await;

    world.set_status(account.1, "ACTIVE").await;
    world.ask(account).await;
    world.expect_shared(account.1).await;
}

#[tokio::test]
async fn an_account_that_must_be_reconnected_keeps_its_live_runs_when_it_moves() {
    let world = World::new().await;
    let account = world.ours();
    world.ask(account).await;
    world.set_status(account.1, "NEEDS_RECONNECT").await;
    let run = world.put_queued_run(account.1).await;
    world.set_kind(account.1, "SHARED").await;
    world.ask(account).await;
    world.expect_shared(account.1).await;
    let state = world.row("select state from robnu.sync_runs where id = $1", &[&run]).await;
    assert_eq!(state.get::<_, &str>(0), "QUEUED");
}

#[tokio::test]
async fn a_paused_account_that_moves_has_no_lane_until_it_is_resumed() {
    let world = World::new().await;
    let account = world.ours();
    world.ask(account).await;
    world.set_status(account.1, "PAUSED").await;
    world.ask(account).await;
    world.set_kind(account.1, "SHARED").await;
    world.ask(account).await;
    assert_eq!(world.lane(account.1).await.state, "REQUESTED");
    assert!(!world.has_queue(account.1, 1).await);
    world.set_status(account.1, "ACTIVE").await;
    world.ask(account).await;
    world.expect_shared(account.1).await;
}

#[tokio::test]
async fn a_queue_that_was_made_and_never_noted_is_deleted_when_the_account_has_moved() {
    let world = World::new().await;
    let account = world.ours();
    world.ask(account).await;
    let forgotten = "update robnu.marketplace_accounts set lane_state = 'REQUESTED', lane_queue_url = null, lane_mapping_id = null where id = $1";
    world.sql(forgotten, &[&account.1]).await;
    world.set_kind(account.1, "SHARED").await;
    world.ask(account).await;
    world.expect_shared(account.1).await;
}

#[tokio::test]
async fn a_round_moves_what_nobody_asked_for_and_counts_no_shared_lane_as_polled() {
    let world = World::new().await;
    let report = world.reconcile().await;
    assert_eq!((report.opened, report.lanes), (4, 4));
    let account = world.ours();
    world.set_kind(account.1, "SHARED").await;
    let report = world.reconcile().await;
    assert_eq!((report.differing, report.failed, report.lanes), (1, 0, 3));
    world.expect_shared(account.1).await;

    // The deployment has another parallel queue than the row names.
    let stale = "update robnu.marketplace_accounts set lane_queue_url = 'http://gone/x-parallel', lane_checked_at = now() - interval '1 day' where id = $1";
    world.sql(stale, &[&account.1]).await;
    let report = world.reconcile().await;
    assert_eq!((report.differing, report.repaired, report.failed), (0, 1, 0));
    world.expect_shared(account.1).await;
}

#[tokio::test]
async fn a_move_that_dies_between_any_two_calls_is_finished_later() {
    let world = World::new().await;
    let account = world.ours();
    for kind in ["SHARED", "DEDICATED", "SHARED"] {
        world.ask(account).await;
        world.set_kind(account.1, kind).await;
        for calls in 0.. {
            world.wire.cut_after(Some(calls));
            let failed = ask_with(&world.context, &[body(account)]).await;
            world.wire.cut_after(None);
            world
                .sql(
                    "update robnu.marketplace_accounts set lane_lease_until = null where id = $1",
                    &[&account.1],
                )
                .await;
            if failed.is_empty() {
                break;
            }
        }
        let lane = world.lane(account.1).await;
        assert_eq!(lane.is_shared, kind == "SHARED");
        if kind == "DEDICATED" {
            world.expect_open(account.1, lane.generation).await;
        } else {
            world.expect_shared(account.1).await;
        }
    }
}
