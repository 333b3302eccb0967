//! Only runs that nobody leased are published again.

mod kit;

use kit::World;
use robnu_tenancy::{AccountId, RunId};

async fn standing(world: &World, run: RunId) -> (String, i32, bool) {
    let row = world
        .row("select state, generation, sent_at is not null from robnu.sync_runs where id = $1", &[&run])
        .await;
    (row.get(0), row.get(1), row.get(2))
}

fn first(world: &World) -> AccountId {
    world.accounts()[0].1
}

/// Sets up one run, sweeps, and expects it to be published again with the next generation.
async fn expect_republished(columns: &str, values: &str) {
    let world = World::new().await;
    world.nothing_is_due().await;
    let run = world.put_run(first(&world), columns, values).await;
    let report = world.sweep().await;
    assert_eq!((report.published, report.republished, report.send_failures), (0, 1, 0));
    assert_eq!(standing(&world, run).await, ("QUEUED".to_owned(), 1, true));
    let heard = world.heard(first(&world)).await;
    assert_eq!(heard.len(), 1);
    assert_eq!((heard[0].run_id, heard[0].step, heard[0].generation), (run, 0, 1));
    assert_eq!(world.sweep().await.republished, 0, "a message that was sent is not repeated at once");
}

/// Sets up one run, sweeps, and expects it untouched.
async fn expect_left_alone(columns: &str, values: &str) {
    let world = World::new().await;
    world.nothing_is_due().await;
    let run = world.put_run(first(&world), columns, values).await;
    let before = standing(&world, run).await;
    assert_eq!(world.sweep().await.republished, 0);
    assert_eq!(standing(&world, run).await, before);
    assert_eq!(world.heard(first(&world)).await, []);
}

#[tokio::test]
async fn a_queued_run_that_was_never_sent_is_published() {
    expect_republished("state, queued_at", "'QUEUED', now() - interval '31 seconds'").await;
}

#[tokio::test]
async fn a_queued_run_that_was_just_written_is_left_to_its_writer() {
    expect_left_alone("state, queued_at", "'QUEUED', now() - interval '5 seconds'").await;
}

#[tokio::test]
async fn a_sent_run_that_nobody_leased_is_published_again() {
    expect_republished(
        "state, queued_at, sent_at",
        "'QUEUED', now() - interval '1 hour', now() - interval '21 minutes'",
    )
    .await;
}

#[tokio::test]
async fn a_sent_run_that_waits_in_its_lane_is_left_alone() {
    expect_left_alone(
        "state, queued_at, sent_at",
        "'QUEUED', now() - interval '1 hour', now() - interval '19 minutes'",
    )
    .await;
}

#[tokio::test]
async fn a_waiting_run_whose_time_has_come_is_published() {
    expect_republished(
        "state, queued_at, sent_at, next_attempt_at",
        "'WAITING', now() - interval '1 hour', now() - interval '5 minutes', now()",
    )
    .await;
}

#[tokio::test]
async fn a_waiting_run_before_its_time_is_left_alone() {
    expect_left_alone(
        "state, queued_at, next_attempt_at",
        "'WAITING', now() - interval '1 hour', now() + interval '1 minute'",
    )
    .await;
}

#[tokio::test]
async fn a_running_run_whose_holder_is_gone_is_published() {
    expect_republished(
        "state, queued_at, lease_expires_at",
        "'RUNNING', now() - interval '1 hour', now() - interval '61 seconds'",
    )
    .await;
}

#[tokio::test]
async fn a_running_run_whose_lease_has_only_just_ended_is_left_alone() {
    expect_left_alone(
        "state, queued_at, lease_expires_at",
        "'RUNNING', now() - interval '1 hour', now() - interval '10 seconds'",
    )
    .await;
}

#[tokio::test]
async fn a_finished_run_is_left_alone() {
    expect_left_alone(
        "state, queued_at, lease_expires_at",
        "'FAILED', now() - interval '1 hour', now() - interval '10 minutes'",
    )
    .await;
}

#[tokio::test]
async fn a_run_whose_account_is_not_active_is_left_alone() {
    for status in ["PAUSED", "NEEDS_RECONNECT", "DISCONNECTED"] {
        let world = World::new().await;
        world.nothing_is_due().await;
        world.run_sql("update robnu.marketplace_accounts set status = $1", &[&status]).await;
        let run =
            world.put_run(first(&world), "state, queued_at", "'QUEUED', now() - interval '1 hour'").await;
        assert_eq!(world.sweep().await.republished, 0, "{status}");
        assert_eq!(standing(&world, run).await, ("QUEUED".to_owned(), 0, false));
    }
}

#[tokio::test]
async fn the_check_of_an_account_that_must_be_reconnected_is_published() {
    let world = World::new().await;
    world.nothing_is_due().await;
    world.run_sql("update robnu.marketplace_accounts set status = 'NEEDS_RECONNECT'", &[]).await;
    let run = world.put_run(first(&world), "state, next_attempt_at", "'WAITING', now()").await;
    world.run_sql("update robnu.sync_runs set kind = 'CREDENTIAL_CHECK' where id = $1", &[&run]).await;
    assert_eq!(world.sweep().await.republished, 1);
    let heard = world.heard(first(&world)).await;
    assert_eq!((heard.len(), heard[0].kind), (1, robnu_marketplace::kind::RunKind::CredentialCheck));
}

#[tokio::test]
async fn the_runs_of_a_suspended_seller_are_published_once_it_is_resumed() {
    let world = World::new().await;
    world.nothing_is_due().await;
    let suspend =
        "update robnu.sellers set suspended_at = now(), suspension_reason = 'unpaid' where seller_id = $1";
    world.run_sql(suspend, &[&world.sellers.ours.id]).await;
    let run =
        world.put_run(first(&world), "state, lease_expires_at", "'RUNNING', now() - interval '1 hour'").await;
    assert_eq!(world.sweep().await.republished, 0);
    assert_eq!(standing(&world, run).await, ("RUNNING".to_owned(), 0, false));
    let resume =
        "update robnu.sellers set suspended_at = null, suspension_reason = null where seller_id = $1";
    world.run_sql(resume, &[&world.sellers.ours.id]).await;
    assert_eq!(world.sweep().await.republished, 1);
    assert_eq!(world.heard(first(&world)).await.len(), 1);
}

#[tokio::test]
async fn the_runs_of_a_held_account_or_marketplace_are_published_once_operators_let_them_go() {
    let world = World::new().await;
    world.nothing_is_due().await;
    let [(_, account), (_, other)] = [world.accounts()[0], world.accounts()[1]];
    for (hold, let_go) in [
        (
            "update robnu.marketplace_accounts set held_at = now(), hold_reason = 'a fault' where id = $1",
            "update robnu.marketplace_accounts set held_at = null, hold_reason = null where id = $1",
        ),
        (
            "update robnu.marketplaces set held_at = now(), hold_reason = 'a fault'
             where code = (select marketplace_code from robnu.marketplace_accounts where id = $1)",
            "update robnu.marketplaces set held_at = null, hold_reason = null
             where code = (select marketplace_code from robnu.marketplace_accounts where id = $1)",
        ),
    ] {
        world.run_sql("update robnu.sync_runs set state = 'CANCELLED' where state = 'QUEUED'", &[]).await;
        world.run_sql(hold, &[&account]).await;
        let values = "'RUNNING', now() - interval '1 hour'";
        let run = world.put_run(account, "state, lease_expires_at", values).await;
        world.put_run(other, "state, lease_expires_at", values).await;
        assert_eq!(world.sweep().await.republished, 1, "{hold}");
        assert_eq!(standing(&world, run).await, ("RUNNING".to_owned(), 0, false));
        world.run_sql(let_go, &[&account]).await;
        assert_eq!(world.sweep().await.republished, 1, "{hold}");
        assert_eq!(world.heard(account).await.len(), 1);
    }
}

#[tokio::test]
async fn a_run_without_a_lane_is_left_alone_and_is_not_a_failure() {
    let world = World::new().await;
    world.nothing_is_due().await;
    world.run_sql("update robnu.marketplace_accounts set lane_queue_url = null", &[]).await;
    let run = world.put_run(first(&world), "state, queued_at", "'QUEUED', now() - interval '1 hour'").await;
    let report = world.sweep().await;
    assert_eq!((report.republished, report.send_failures), (0, 0));
    assert_eq!(standing(&world, run).await, ("QUEUED".to_owned(), 0, false));
}

#[tokio::test]
async fn a_publication_that_fails_is_counted_delays_nobody_and_is_left_for_the_next_sweep() {
    let world = World::new().await;
    let gone = first(&world);
    let queue =
        world.row("select lane_queue_url from robnu.marketplace_accounts where id = $1", &[&gone]).await;
    world.sqs.delete_queue().queue_url(queue.get::<_, String>(0)).send().await.unwrap();
    let report = world.sweep().await;
    assert_eq!(
        (report.runs_made, report.published, report.send_failures, report.time_short),
        (4, 3, 1, false)
    );
    let run: RunId = world
        .row("select id from robnu.sync_runs where account_id = $1 and state = 'QUEUED'", &[&gone])
        .await
        .get(0);
    assert_eq!(standing(&world, run).await, ("QUEUED".to_owned(), 0, false));

    // Half a minute later, still without a queue: the run is tried once, not in a loop.
    let later = "update robnu.sync_runs set queued_at = now() - interval '1 minute', next_attempt_at = now() where id = $1";
    world.run_sql(later, &[&run]).await;
    let report = world.sweep().await;
    assert_eq!((report.republished, report.send_failures), (0, 1));
    assert_eq!(standing(&world, run).await, ("QUEUED".to_owned(), 1, false));

    // The lane exists again and the pause is over.
    let queue = world.queue(gone).await;
    world
        .run_sql("update robnu.marketplace_accounts set lane_queue_url = $2 where id = $1", &[&gone, &queue])
        .await;
    world.run_sql("update robnu.sync_runs set next_attempt_at = now() where id = $1", &[&run]).await;
    assert_eq!(world.sweep().await.republished, 1);
    assert_eq!(standing(&world, run).await, ("QUEUED".to_owned(), 2, true));
    assert_eq!(world.heard(gone).await.len(), 1);
}

#[tokio::test]
async fn two_sweeps_at_once_publish_a_run_once() {
    let world = World::new().await;
    world.nothing_is_due().await;
    for (_, account) in world.accounts() {
        world.put_run(account, "state, queued_at", "'QUEUED', now() - interval '1 hour'").await;
    }
    let (one, two) = (world.another_context().await, world.another_context().await);
    let (one, two) = tokio::join!(kit::sweep_with(&one), kit::sweep_with(&two));
    assert_eq!(one.republished + two.republished, 4);
    for (_, account) in world.accounts() {
        assert_eq!(world.heard(account).await.len(), 1);
    }
}
