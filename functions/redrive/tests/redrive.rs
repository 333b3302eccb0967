//! Dead letters are redriven: in order, each once, and nothing but what was asked for.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod kit;

use chrono::{DateTime, Utc};
use kit::{World, ids, of, redrive_with};
use redrive::Answer;
use robnu_dispatch::{Job, Progress, TakeLease, Taken, advance};
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::SellerScope;
use serde_json::json;

/// Works on a run as an adapter does, and ends it.
async fn succeed(world: &World, job: &Job) {
    let database = world.test.login("robnu_adapter").await;
    let scope = SellerScope::for_job(job.seller_id, job.account_id);
    let lease = TakeLease::new(job, std::time::Duration::from_secs(30));
    let session = database.session(&scope).await.unwrap();
    let rows = session.commit_with(&[(TakeLease::SQL, &lease.params())]).await.unwrap();
    let Taken::Ours(lease) = Taken::from_rows(&rows[0], job).unwrap() else { panic!("{job:?} is not taken") };
    assert_eq!(lease.fruitless_attempts, 1, "attempts are counted anew");
    let progress = Progress {
        next_position: None,
        is_last: true,
        complete_until: None::<DateTime<Utc>>,
        changed_since: None,
        counts: &[],
        quarantined: 0,
        lease_seconds: 30.0,
    };
    let session = database.session(&scope).await.unwrap();
    advance(session, job, &lease, &progress, None).await.unwrap();
}

#[tokio::test]
async fn a_dead_run_is_redriven_and_succeeds() {
    let world = World::new().await;
    let ours = &world.sellers.ours;
    let job = world.publish_run(ours, RunKind::Orders).await;
    let more = "fruitless_attempts = 7, attempt = 9";
    world.sql(&format!("update robnu.sync_runs set {more} where id = $1"), &[&job.run_id]).await;
    let lane = world.lane(ours.ajio).await;
    world.let_die(&lane).await;
    assert_eq!(world.collect().await.marked, 1);

    let report = world.redrive(json!({"reason": "the adapter was mended"})).await;
    assert_eq!((report.published, report.remaining, report.left.len()), (1, 0, 0));
    assert_eq!(world.standing(job.run_id).await, ("QUEUED".to_owned(), 1, String::new()));
    let sent = "select sent_at is not null and finished_at is null and attempt = 9 from robnu.sync_runs where id = $1";
    assert!(
        world.row(sent, &[&job.run_id]).await.get::<_, bool>(0),
        "attempt is the fencing token and stays"
    );
    let heard = world.heard_jobs(&lane).await;
    assert_eq!(heard, [Job { generation: 1, ..job.clone() }]);
    succeed(&world, &heard[0]).await;
    assert_eq!(world.standing(job.run_id).await, ("SUCCEEDED".to_owned(), 1, String::new()));
    assert_eq!(world.letters().await, [("REDRIVEN".to_owned(), "PUBLISHED".to_owned())]);
    let action =
        "select action || ' ' || operator || ' ' || reason || ' ' || letters from robnu.dead_letter_actions";
    assert_eq!(world.row(action, &[]).await.get::<_, String>(0), "REDRIVE asha the adapter was mended 1");
    let closed = "select closed_by || ' ' || close_reason || ' ' || (published_at is not null) from robnu.dead_letters";
    assert_eq!(world.row(closed, &[]).await.get::<_, String>(0), "asha the adapter was mended true");

    let again = world.redrive(json!({})).await;
    assert_eq!((again.published, again.remaining), (0, 0));
    assert_eq!(world.heard(&lane).await, [""; 0]);
}

#[tokio::test]
async fn a_dry_run_says_what_would_be_done_and_does_nothing() {
    let world = World::new().await;
    world.dead_run(&world.sellers.ours, RunKind::Orders, "").await;
    world.dead_run(&world.sellers.ours, RunKind::Listings, "state = 'SUCCEEDED'").await;
    let before = (world.fingerprint("sync_runs").await, world.fingerprint("dead_letters").await);
    let Answer::Prospects(dry) = world.ask("redrive", json!({"operator": "asha", "dry_run": true})).await
    else {
        panic!("a dry run")
    };
    assert_eq!(json!(dry), json!({"prospects": {"PUBLISH": 1, "MOVED_ON": 1}}));
    let discard = world.discard(json!({"reason": "none", "dry_run": true})).await;
    assert_eq!((discard.discarded, discard.remaining), (0, 2));
    assert_eq!((world.fingerprint("sync_runs").await, world.fingerprint("dead_letters").await), before);
    assert_eq!(world.count("select count(*) from robnu.dead_letter_actions").await, 0);
}

#[tokio::test]
async fn a_filter_touches_nothing_else() {
    let world = World::new().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    let (orders, first) = world.dead_run(ours, RunKind::Orders, "").await;
    let (listings, _) = world.dead_run(ours, RunKind::Listings, "").await;
    let (neighbours, third) = world.dead_run(theirs, RunKind::Orders, "").await;
    assert_eq!(world.redrive(json!({"filter": {"source": "MEESHO"}})).await.published, 0);
    assert_eq!(world.redrive(json!({"filter": {"reason": "garbage"}})).await.published, 0);
    assert_eq!(world.redrive(json!({"filter": {"before": "2026-01-01T00:00:00Z"}})).await.published, 0);
    assert_eq!(world.redrive(json!({"filter": {"kind": "ORDERS", "seller_id": ours.id}})).await.published, 1);
    assert_eq!(world.standing(orders.run_id).await.0, "QUEUED");
    assert_eq!(world.standing(listings.run_id).await.0, "DEAD_LETTERED");
    assert_eq!(world.standing(neighbours.run_id).await.0, "DEAD_LETTERED");
    assert_eq!(world.redrive(json!({"ids": ids(&[first, third])})).await.published, 1);
    assert_eq!(world.standing(neighbours.run_id).await.0, "QUEUED");
    assert_eq!(world.redrive(of(ours.id)).await.published, 1);
    assert_eq!(world.standing(listings.run_id).await.0, "QUEUED");
}

#[tokio::test]
async fn the_dead_letter_of_a_run_that_has_moved_on_is_closed_and_not_published() {
    let world = World::new().await;
    let ours = &world.sellers.ours;
    for more in
        ["state = 'CANCELLED'", "state = 'SUCCEEDED'", "generation = 1", "step = 1", "state = 'FAILED'"]
    {
        world.dead_run(ours, RunKind::Orders, more).await;
    }
    let forgotten = Job {
        run_id: robnu_tenancy::RunId::new(),
        ..world.dead_run(ours, RunKind::Listings, "state = 'FAILED'").await.0
    };
    world.letter(&forgotten).await;
    let before = world.fingerprint("sync_runs").await;
    let report = world.redrive(json!({})).await;
    assert_eq!((report.published, report.moved_on, report.remaining), (0, 7, 0));
    assert_eq!(world.fingerprint("sync_runs").await, before);
    assert_eq!(world.heard(&world.lane(ours.ajio).await).await, [""; 0]);
    assert!(
        world.letters().await.iter().all(|(state, outcome)| state == "REDRIVEN" && outcome == "MOVED_ON")
    );
}

#[tokio::test]
async fn a_later_run_that_reads_the_same_supersedes_a_dead_one_and_says_so() {
    let world = World::new().await;
    let ours = &world.sellers.ours;
    let (plain, _) = world.dead_run(ours, RunKind::Orders, "").await;
    let window = "window_from = '2026-01-01T00:00:00Z', window_until = '2026-01-02T00:00:00Z'";
    let (windowed, _) = world.dead_run(ours, RunKind::Orders, window).await;
    let (full, _) = world.dead_run(ours, RunKind::Orders, "full_read = true").await;
    let live = world.unsent_run(ours, RunKind::Orders, "state, sent_at", "'QUEUED', now()").await;
    let report = world.redrive(json!({})).await;
    assert_eq!((report.published, report.superseded, report.remaining), (0, 1, 0));
    assert_eq!(report.left["WAITS_FOR_RUN"], 2, "the live run reads less than these");
    assert_eq!(world.standing(plain.run_id).await, ("FAILED".to_owned(), 0, "superseded".to_owned()));
    for waits in [&windowed, &full] {
        assert_eq!(world.standing(waits.run_id).await.0, "DEAD_LETTERED");
    }
    world.sql("update robnu.sync_runs set state = 'SUCCEEDED' where id = $1", &[&live.run_id]).await;
    let report = world.redrive(json!({})).await;
    assert_eq!((report.published, report.left["WAITS_FOR_RUN"]), (1, 1), "one after the other");
    assert_eq!(world.standing(windowed.run_id).await.0, "QUEUED");
}

#[tokio::test]
async fn a_dead_run_holds_back_neither_a_schedule_nor_a_member() {
    let world = World::new().await;
    let ours = &world.sellers.ours;
    world.dead_run(ours, RunKind::Orders, "").await;
    world.sql("update robnu.schedules set next_due_at = now() where account_id = $1", &[&ours.ajio]).await;
    let sweep = world.test.login("robnu_sweep").await;
    let claim = include_str!("../../sweep/src/sql/claim_due.sql");
    let codes = vec!["AJIO"];
    sweep.read(&robnu_tenancy::SystemScope::Sweep, claim, &[&10_i64, &codes]).await.unwrap();
    let made = "select count(*) from robnu.sync_runs where account_id = $1 and trigger = 'SCHEDULE' and state = 'QUEUED'";
    assert_eq!(world.row(made, &[&ours.ajio]).await.get::<_, i64>(0), 1);
}

#[tokio::test]
async fn runs_of_accounts_that_take_none_wait() {
    let world = World::new().await;
    let ours = &world.sellers.ours;
    let (job, _) = world.dead_run(ours, RunKind::Orders, "").await;
    let (file, _) = world.dead_run(ours, RunKind::FileImport, "").await;
    let suspend =
        "update robnu.sellers set suspended_at = now(), suspension_reason = 'unpaid' where seller_id = $1";
    world.sql(suspend, &[&ours.id]).await;
    assert_eq!(world.redrive(json!({})).await.left["WAITS_FOR_ACCOUNT"], 2);
    let resume =
        "update robnu.sellers set suspended_at = null, suspension_reason = null where seller_id = $1";
    world.sql(resume, &[&ours.id]).await;
    let status = "update robnu.marketplace_accounts set status = $2 where id = $1";
    world.sql(status, &[&ours.ajio, &"NEEDS_RECONNECT"]).await;
    let report = world.redrive(json!({})).await;
    assert_eq!((report.published, report.left["WAITS_FOR_ACCOUNT"]), (1, 1));
    assert_eq!(world.standing(file.run_id).await.0, "QUEUED", "a file needs no credentials");
    assert_eq!(world.standing(job.run_id).await.0, "DEAD_LETTERED");
    world.sql(status, &[&ours.ajio, &"ACTIVE"]).await;
    assert_eq!(world.redrive(json!({})).await.published, 1);
}

#[tokio::test]
async fn an_accounts_dead_letters_are_sent_in_the_order_in_which_they_died() {
    let world = World::new().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    let kinds = [
        RunKind::Listings,
        RunKind::Orders,
        RunKind::CredentialCheck,
        RunKind::Processing,
        RunKind::InventoryPush,
    ];
    for kind in kinds {
        for seller in [ours, theirs] {
            world.dead_run(seller, kind, "").await;
        }
    }
    // Later rows of an earlier death come first.
    let (early, _) = world.dead_run(ours, RunKind::FileImport, "").await;
    let (late, _) = world.dead_run(ours, RunKind::FileImport, "").await;
    world
        .sql(
            "update robnu.dead_letters set sent_at = '2025-01-01T00:00:00Z' where run_id = $1",
            &[&late.run_id],
        )
        .await;
    assert_eq!(world.redrive(json!({})).await.published, 12);
    for seller in [ours, theirs] {
        let heard = world.heard_jobs(&world.lane(seller.ajio).await).await;
        assert_eq!(heard.iter().map(|job| job.kind).collect::<Vec<_>>(), kinds);
        assert!(heard.iter().all(|job| (job.seller_id, job.account_id) == (seller.id, seller.ajio)));
    }
    let files = world.heard_jobs(&world.parallel).await;
    assert_eq!(files.iter().map(|job| job.run_id).collect::<Vec<_>>(), [late.run_id, early.run_id]);
}

#[tokio::test]
async fn a_message_that_no_queue_takes_is_sent_later_in_another_generation_and_the_next_one_waits() {
    let world = World::new().await;
    let ours = &world.sellers.ours;
    let (first, _) = world.dead_run(ours, RunKind::Orders, "").await;
    let (second, _) = world.dead_run(ours, RunKind::Listings, "").await;
    let lane = world.lane(ours.ajio).await;
    world.move_lane(ours.ajio, &format!("{lane}-gone.fifo")).await;
    let report = world.redrive(json!({})).await;
    assert_eq!((report.published, report.failed, report.remaining), (0, 1, 1));
    assert_eq!(world.standing(first.run_id).await, ("QUEUED".to_owned(), 1, String::new()));
    assert_eq!(world.standing(second.run_id).await.0, "DEAD_LETTERED", "it would overtake the first");
    world.move_lane(ours.ajio, &lane).await;
    let report = world.redrive(json!({})).await;
    assert_eq!((report.published, report.remaining), (0, 1), "half a minute is the first redrive's own");
    world.half_a_minute_later().await;
    assert_eq!(world.redrive(json!({})).await.published, 2);
    let heard = world.heard_jobs(&lane).await;
    let heard: Vec<_> = heard.iter().map(|job| (job.run_id, job.generation)).collect();
    assert_eq!(heard, [(first.run_id, 2), (second.run_id, 1)]);
}

#[tokio::test]
async fn what_the_scheduling_sweep_has_published_meanwhile_is_not_published_again() {
    let world = World::new().await;
    let ours = &world.sellers.ours;
    let (job, _) = world.dead_run(ours, RunKind::Orders, "").await;
    let lane = world.lane(ours.ajio).await;
    world.move_lane(ours.ajio, &format!("{lane}-gone.fifo")).await;
    assert_eq!(world.redrive(json!({})).await.failed, 1);
    world.move_lane(ours.ajio, &lane).await;
    world.half_a_minute_later().await;
    let swept = "update robnu.sync_runs set generation = generation + 1, sent_at = now() where id = $1";
    world.sql(swept, &[&job.run_id]).await;
    assert_eq!(world.collect().await.resumed, 0);
    assert_eq!(world.heard(&lane).await, [""; 0]);
    assert_eq!(world.count("select count(*) from robnu.dead_letters where published_at is null").await, 0);
}

#[tokio::test]
async fn what_a_redrive_left_is_sent_by_the_next_collection() {
    let world = World::new().await;
    let ours = &world.sellers.ours;
    let (job, _) = world.dead_run(ours, RunKind::Orders, "").await;
    let lane = world.lane(ours.ajio).await;
    world.move_lane(ours.ajio, &format!("{lane}-gone.fifo")).await;
    world.redrive(json!({})).await;
    world.move_lane(ours.ajio, &lane).await;
    assert_eq!(world.collect().await.resumed, 0);
    world.half_a_minute_later().await;
    assert_eq!(world.collect().await.resumed, 1);
    assert_eq!(world.heard_jobs(&lane).await, [Job { generation: 2, ..job }]);
    assert_eq!(world.collect().await.resumed, 0);
}

#[tokio::test]
async fn two_redrives_at_once_publish_each_run_once() {
    let world = World::new().await;
    for _ in 0..20 {
        world.dead_run(&world.sellers.ours, RunKind::FileImport, "").await;
        world.dead_run(&world.sellers.theirs, RunKind::FileImport, "").await;
    }
    let (one, two) = (world.another_context().await, world.another_context().await);
    let mut published = 0;
    loop {
        let (one, two) = tokio::join!(redrive_with(&one, json!({})), redrive_with(&two, json!({})));
        published += one.published + two.published;
        if one.remaining + two.remaining == 0 {
            break;
        }
    }
    let heard = world.heard_jobs(&world.parallel).await;
    assert_eq!((published, heard.len()), (40, 40));
    assert!(heard.iter().all(|job| job.generation == 1));
    assert_eq!(
        world.count("select count(*) from robnu.sync_runs where state = 'QUEUED' and generation = 1").await,
        40
    );
}
