//! Of each marketplace only so many runs are under way at once, and no seller goes before all others.

mod kit;

use std::time::Duration;

use kit::{World, sweep_with, try_sweep};
use robnu_dispatch::{RequestRun, Requested};
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::{AccountId, SellerId};
use sweep::scheduling::Report;
use tokio::time::Instant;

/// What a sweep does that has no time to wait until others end; a slow machine has two seconds for it.
async fn glance(world: &World) -> Report {
    match try_sweep(&world.context, "scheduling", Instant::now() + Duration::from_millis(10_900)).await {
        Ok(sweep::Report::Scheduling(report)) => report,
        other => panic!("{other:?}"),
    }
}

async fn limit(world: &World, marketplace: &str, runs: i32) {
    let sql = "update robnu.marketplaces set runs_at_once = $2 where code = $1";
    world.run_sql(sql, &[&marketplace, &runs]).await;
}

/// Gives a seller further AJIO accounts that share a queue, each with a schedule that has been due since `due`.
async fn due_accounts(world: &World, (seller, account): (SellerId, AccountId), count: i32, due: &str) {
    let sql = format!(
        "with made as (
           insert into robnu.marketplace_accounts (seller_id, marketplace_code, external_account_id, display_name, verified_at, lane_queue_url)
           select $1, 'AJIO', 'DV-' || n, 'many', now(), (select lane_queue_url from robnu.marketplace_accounts where id = $2)
           from generate_series(1, $3::int) n returning seller_id, id
         )
         insert into robnu.schedules (seller_id, account_id, kind, every_minutes, next_due_at) select seller_id, id, 'ORDERS', 60, {due} from made"
    );
    world.run_sql(&sql, &[&seller, &account, &count]).await;
}

/// How many runs of each seller are sent and not taken yet, ours first.
async fn sent(world: &World) -> [i64; 2] {
    let mut sent = [0; 2];
    for (place, seller) in [&world.sellers.ours, &world.sellers.theirs].into_iter().enumerate() {
        let sql = "select count(*) from robnu.sync_runs where seller_id = $1 and state = 'QUEUED' and sent_at is not null";
        sent[place] = world.row(sql, &[&seller.id]).await.get(0);
    }
    sent
}

/// The sent runs end.
async fn end_sent(world: &World) {
    let sql = "update robnu.sync_runs set state = 'SUCCEEDED', finished_at = now() where state = 'QUEUED' and sent_at is not null";
    world.run_sql(sql, &[]).await;
}

#[tokio::test]
async fn as_many_are_published_as_may_be_under_way_and_the_rest_stays_in_its_rows() {
    let world = World::new().await;
    world.nothing_is_due().await;
    due_accounts(&world, world.accounts()[0], 25, "now() - interval '1 hour'").await;
    limit(&world, "AJIO", 10).await;
    let report = glance(&world).await;
    assert_eq!((report.schedules_claimed, report.runs_made, report.published), (25, 25, 10));
    assert!(report.held_back && !report.time_short);
    let again = glance(&world).await;
    assert_eq!((again.published, again.republished, again.held_back), (0, 0, true), "there is no room");
    // A run that is leased is under way as well, until its lease is over.
    let lease = "update robnu.sync_runs set state = 'RUNNING', lease_expires_at = now() + interval '1 minute'
        where id in (select id from robnu.sync_runs where state = 'QUEUED' and sent_at is not null limit 4)";
    world.run_sql(lease, &[]).await;
    end_sent(&world).await;
    assert_eq!(glance(&world).await.published, 6);
    world.run_sql("update robnu.sync_runs set state = 'WAITING', next_attempt_at = now() + interval '1 hour' where state = 'RUNNING'", &[]).await;
    assert_eq!(glance(&world).await.published, 4, "what waits for its marketplace takes no room");
    // Whatever was sent two minutes ago waits behind another run of its lane.
    world
        .run_sql(
            "update robnu.sync_runs set sent_at = sent_at - interval '2 minutes' where sent_at is not null",
            &[],
        )
        .await;
    let last = glance(&world).await;
    assert_eq!((last.published, last.held_back), (5, false));
}

#[tokio::test]
async fn a_seller_with_many_accounts_waits_its_turn_and_marketplaces_do_not_wait_for_each_other() {
    let world = World::new().await;
    world.nothing_is_due().await;
    due_accounts(&world, world.accounts()[0], 40, "now() - interval '2 hours'").await;
    due_accounts(&world, world.accounts()[2], 5, "now() - interval '1 hour'").await;
    let amazon = "update robnu.schedules set next_due_at = now() - interval '1 minute' where account_id = $1";
    world.run_sql(amazon, &[&world.accounts()[1].1]).await;
    limit(&world, "AJIO", 8).await;
    assert_eq!(glance(&world).await.published, 9);
    assert_eq!(sent(&world).await, [5, 4], "four of each at AJIO, and one at Amazon");
    end_sent(&world).await;
    assert_eq!(glance(&world).await.published, 8);
    assert_eq!(sent(&world).await, [7, 1]);
}

#[tokio::test]
async fn a_run_that_somebody_asked_for_and_that_found_no_room_is_published_as_soon_as_there_is() {
    let world = World::new().await;
    world.nothing_is_due().await;
    limit(&world, "AJIO", 1).await;
    // Somebody else's run is under way.
    due_accounts(&world, world.accounts()[2], 1, "now()").await;
    assert_eq!(glance(&world).await.published, 1);
    let ours = &world.sellers.ours;
    let asked = RequestRun::new(ours.ajio, RunKind::Orders, false, None);
    let api = world.test.login("robnu_api").await;
    let session = api.session(&ours.scope("OPERATOR")).await.unwrap();
    let rows = session.commit_with(&[(RequestRun::SQL, &asked.params())]).await.unwrap();
    let requested = Requested::from_row(&rows[0][0], ours.id, ours.ajio, RunKind::Orders).unwrap();
    assert!(requested.is_new && !requested.is_unpublished, "it is made and held back");
    assert_eq!(sent(&world).await, [0, 1], "there is no room yet");
    end_sent(&world).await;
    glance(&world).await;
    assert_eq!(sent(&world).await, [1, 0], "nobody else would publish it");
}

#[tokio::test]
async fn a_place_that_becomes_free_goes_to_the_seller_who_has_the_fewest_under_way() {
    let world = World::new().await;
    world.nothing_is_due().await;
    due_accounts(&world, world.accounts()[0], 20, "now() - interval '2 hours'").await;
    limit(&world, "AJIO", 4).await;
    assert_eq!(glance(&world).await.published, 4);
    // The other seller comes later, while all places are taken, and one run after the other ends.
    due_accounts(&world, world.accounts()[2], 3, "now() - interval '1 minute'").await;
    for (place, expected) in [[3, 1], [2, 2], [2, 2]].into_iter().enumerate() {
        let end = "update robnu.sync_runs set state = 'SUCCEEDED', finished_at = now() where id = (
            select id from robnu.sync_runs where state = 'QUEUED' and sent_at is not null and seller_id = $1 limit 1)";
        world.run_sql(end, &[&world.sellers.ours.id]).await;
        assert_eq!(glance(&world).await.published, 1);
        assert_eq!(sent(&world).await, expected, "after {place}");
    }
}

#[tokio::test]
async fn a_sweep_stays_while_runs_are_held_back_and_publishes_as_others_end() {
    let world = World::new().await;
    world.nothing_is_due().await;
    due_accounts(&world, world.accounts()[0], 12, "now()").await;
    limit(&world, "AJIO", 5).await;
    let ending = async {
        while world.count("select count(*) from robnu.sync_runs where state = 'SUCCEEDED' and kind = 'ORDERS' and trigger = 'SCHEDULE'").await < 12 {
            end_sent(&world).await;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let (report, ()) = tokio::join!(sweep_with(&world.context), ending);
    assert_eq!((report.published, report.held_back, report.time_short), (12, false, false));
}

#[tokio::test]
async fn two_sweeps_at_once_stay_within_the_limit() {
    let world = World::new().await;
    world.nothing_is_due().await;
    due_accounts(&world, world.accounts()[0], 60, "now()").await;
    limit(&world, "AJIO", 20).await;
    let (one, two) = (world.another_context().await, world.another_context().await);
    let soon = || Instant::now() + Duration::from_millis(10_900);
    let (one, two) =
        tokio::join!(try_sweep(&one, "scheduling", soon()), try_sweep(&two, "scheduling", soon()));
    let published = |report| match report {
        Ok(sweep::Report::Scheduling(report)) => report.published + report.republished,
        other => panic!("{other:?}"),
    };
    assert_eq!(published(one) + published(two), 20);
    assert_eq!(sent(&world).await, [20, 0]);
    let twice = "select count(*) from (select from robnu.sync_runs where trigger = 'SCHEDULE' group by account_id having count(*) > 1) t";
    assert_eq!(world.count(twice).await, 0);
}

#[tokio::test]
async fn a_sweep_counts_what_is_under_way_only_after_another_one_has_committed() {
    let world = World::new().await;
    let mut other = world.test.superuser().await;
    let admission = other.transaction().await.unwrap();
    admission.execute("select pg_advisory_xact_lock(hashtextextended('admission', 0))", &[]).await.unwrap();
    let waits = "select count(*) from pg_locks where locktype = 'advisory' and not granted
        and database = (select oid from pg_database where datname = current_database())";
    let commits = async {
        let end = Instant::now() + Duration::from_secs(4);
        while world.count(waits).await == 0 {
            assert!(Instant::now() < end, "the sweep waits for the other one");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        admission
            .execute("update robnu.marketplaces set runs_at_once = 1 where code = 'AJIO'", &[])
            .await
            .unwrap();
        admission.commit().await.unwrap();
    };
    let (report, ()) = tokio::join!(glance(&world), commits);
    assert_eq!((report.published, report.held_back), (3, true), "one of the two at AJIO, and two at Amazon");
}
