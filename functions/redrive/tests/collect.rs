//! Dead letters are taken out of their queues, once, and mark the runs whose present message died.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod kit;

use kit::{World, collect_with, process};
use robnu_dispatch::{Job, JobMessage, LaneRequest, lane_queue_name};
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::{AccountId, ImportId, SellerId};
use serde_json::json;

/// Lets the messages of the seller's lane die and collects them.
async fn die_and_collect(world: &World) -> redrive::Collected {
    for account in [world.sellers.ours.ajio, world.sellers.theirs.ajio] {
        world.let_die(&world.lane(account).await).await;
    }
    world.let_die(&world.parallel).await;
    world.collect().await
}

async fn letter_of(world: &World, job: &Job) -> (String, String, String) {
    let sql = "select state, form, reason from robnu.dead_letters where run_id = $1";
    let row = world.row(sql, &[&job.run_id]).await;
    (row.get(0), row.get(1), row.get(2))
}

#[tokio::test]
async fn a_message_that_died_is_recorded_and_its_run_is_marked() {
    let world = World::new().await;
    let in_lane = world.publish_run(&world.sellers.ours, RunKind::Orders).await;
    let parallel = world.publish_run(&world.sellers.theirs, RunKind::Returns).await;
    let report = die_and_collect(&world).await;
    assert_eq!((report.received, report.recorded, report.marked), (2, 2, 2));
    assert_eq!((report.open["AJIO"], report.open["EXPORTS"]), (2, 0));
    for job in [&in_lane, &parallel] {
        let letter = letter_of(&world, job).await;
        assert_eq!(letter, ("OPEN".to_owned(), "JOB".to_owned(), "TOO_MANY_RECEIVES".to_owned()));
        let marked = ("DEAD_LETTERED".to_owned(), 0, "dead_lettered".to_owned());
        assert_eq!(world.standing(job.run_id).await, marked);
    }
    for queue in [&world.lanes_dead, &world.parallel_dead] {
        assert_eq!(world.heard(queue).await, [""; 0], "the dead-letter queues are empty");
    }
    let audited = "select count(*) from robnu.audit_events where action = 'run.changed' and shown ->> 'state' = 'DEAD_LETTERED'";
    assert_eq!(world.count(audited).await, 2, "the sellers' audit trails say so");
}

#[tokio::test]
async fn a_run_of_lanes_that_died_in_the_parallel_queue_is_marked_if_its_accounts_lane_is_shared() {
    let world = World::new().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    for account in [ours.ajio, theirs.ajio] {
        world.move_lane(account, &world.parallel).await;
    }
    let shared =
        "update robnu.marketplace_accounts set lane_shared = true, lane_mapping_id = null where id = $1";
    world.sql(shared, &[&ours.ajio]).await;
    let marked = world.publish_run(ours, RunKind::Orders).await;
    let strange = world.publish_run(theirs, RunKind::Orders).await;
    world.let_die(&world.parallel).await;
    let report = world.collect().await;
    assert_eq!((report.recorded, report.marked), (2, 1));
    assert_eq!(world.standing(marked.run_id).await.0, "DEAD_LETTERED");
    assert_eq!(world.standing(strange.run_id).await.0, "QUEUED", "its lane is another queue");

    let redriven = world.redrive(json!({"filter": {"account_id": ours.ajio}})).await;
    assert_eq!(redriven.published, 1);
    let jobs = world.heard_jobs(&world.parallel).await;
    assert_eq!(jobs, [Job { generation: 1, ..marked }], "it goes back to the shared lane");
}

#[tokio::test]
async fn a_crashed_holders_run_is_marked() {
    let world = World::new().await;
    let (crashed, run) = world
        .run(
            &world.sellers.ours,
            RunKind::Orders,
            "state, lease_expires_at",
            "'RUNNING', now() - interval '1 second'",
        )
        .await;
    assert_eq!(die_and_collect(&world).await.marked, 1);
    assert_eq!(world.standing(run).await.0, "DEAD_LETTERED");
    assert_eq!(letter_of(&world, &crashed).await.0, "OPEN");
}

#[tokio::test]
async fn a_dead_letter_of_a_run_that_goes_on_changes_nothing_of_it() {
    let world = World::new().await;
    let ours = &world.sellers.ours;
    for (columns, values) in [
        ("state, lease_expires_at", "'RUNNING', now() + interval '1 minute'"),
        ("state, next_attempt_at", "'WAITING', now() + interval '1 minute'"),
        ("state, finished_at", "'SUCCEEDED', now()"),
        ("state, finished_at", "'CANCELLED', now()"),
    ] {
        let (job, run) = world.run(ours, RunKind::Orders, columns, values).await;
        let before = world.fingerprint("sync_runs").await;
        let report = die_and_collect(&world).await;
        assert_eq!((report.recorded, report.marked), (1, 0), "{values}");
        assert_eq!(world.fingerprint("sync_runs").await, before, "{values}");
        assert_eq!(letter_of(&world, &job).await.0, "OPEN");
        world.sql("update robnu.sync_runs set state = 'FAILED' where id = $1", &[&run]).await;
    }
}

#[tokio::test]
async fn a_stale_dead_letter_changes_no_run() {
    let world = World::new().await;
    let ours = &world.sellers.ours;
    for newer in ["generation = generation + 1", "step = step + 1"] {
        let job = world.publish_run(ours, RunKind::Orders).await;
        world.sql(&format!("update robnu.sync_runs set {newer} where id = $1"), &[&job.run_id]).await;
        let before = world.fingerprint("sync_runs").await;
        let report = die_and_collect(&world).await;
        assert_eq!((report.recorded, report.marked), (1, 0), "{newer}");
        assert_eq!(world.fingerprint("sync_runs").await, before, "a newer message is on its way");
        world.sql("update robnu.sync_runs set state = 'FAILED' where id = $1", &[&job.run_id]).await;
    }
}

#[tokio::test]
async fn a_message_in_a_strangers_lane_marks_nobodys_run() {
    let world = World::new().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    // Their run is queued; a copy of its message dies in our lane, and a refused one says that it was there.
    let job = world.unsent_run(theirs, RunKind::Orders, "state, sent_at", "'QUEUED', now()").await;
    let lane = world.lane(ours.ajio).await;
    world.context.publisher.publish(Some(&lane), job.clone()).await.unwrap();
    let body = JobMessage::new(job.clone()).to_body();
    world.refuse(&world.lanes_dead, &body, "other_lane", &lane).await;
    let own = lane_queue_name("robnu-test-lane-", theirs.ajio, 1);
    world.refuse(&world.lanes_dead, &body, "other_queue", &own).await;
    let report = die_and_collect(&world).await;
    assert_eq!((report.recorded, report.marked), (3, 0));
    assert_eq!(world.standing(job.run_id).await, ("QUEUED".to_owned(), 0, String::new()));
    // A message that names another seller's run under its own seller finds no run.
    let forged = JobMessage::new(Job { seller_id: ours.id, account_id: ours.ajio, ..job.clone() }).to_body();
    let send = world.context.sqs.send_message().queue_url(&lane).message_body(forged);
    send.message_group_id("g").message_deduplication_id("forged").send().await.unwrap();
    let report = die_and_collect(&world).await;
    assert_eq!((report.recorded, report.marked), (1, 0));
    assert_eq!(world.standing(job.run_id).await.0, "QUEUED");
}

#[tokio::test]
async fn a_collection_that_is_killed_between_commit_and_deletion_is_repeated_and_changes_nothing() {
    let world = World::new().await;
    let job = world.publish_run(&world.sellers.ours, RunKind::Orders).await;
    world.let_die(&world.lane(job.account_id).await).await;
    let function = process::start(&world).await;
    // The transaction waits for a row that we hold, and commits when nobody is left to delete the message.
    let mut blocker = world.test.superuser().await;
    let lock = blocker.transaction().await.unwrap();
    lock.execute("select from robnu.sync_runs where id = $1 for update", &[&job.run_id]).await.unwrap();
    let _never = function.send(json!({"collect": "dead_letters"})).await;
    let waits = "select count(*) > 0 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
    world.eventually("the collection waits", waits).await;
    function.kill().await;
    lock.rollback().await.unwrap();
    world.eventually("the letter is recorded", "select count(*) = 1 from robnu.dead_letters").await;
    assert_eq!(world.standing(job.run_id).await.0, "DEAD_LETTERED");
    assert_eq!(world.hidden(&world.lanes_dead).await, "1", "the message was not deleted");

    // Meanwhile somebody redrives the run. Then the message comes again; a copy stands in for it, because it is hidden for a minute.
    assert_eq!(world.redrive(json!({})).await.published, 1);
    let copy = world.context.sqs.send_message().queue_url(&world.lanes_dead).message_body("{}");
    let copy = copy.message_group_id("copy").message_deduplication_id("copy").send().await.unwrap();
    let id = copy.message_id().unwrap();
    world.sql("update robnu.dead_letters set message_id = $1", &[&id]).await;
    let before = (world.fingerprint("sync_runs").await, world.fingerprint("dead_letters").await);
    let report = world.collect().await;
    assert_eq!((report.received, report.recorded, report.marked), (1, 0, 0));
    assert_eq!((world.fingerprint("sync_runs").await, world.fingerprint("dead_letters").await), before);
}

#[tokio::test]
async fn two_collections_at_once_record_each_message_once() {
    let world = World::new().await;
    let mut jobs = Vec::new();
    for _ in 0..30 {
        jobs.push(
            world.run(&world.sellers.ours, RunKind::FileImport, "state, sent_at", "'QUEUED', now()").await.0,
        );
    }
    world.let_die(&world.parallel).await;
    let (one, two) = (world.another_context().await, world.another_context().await);
    let (one, two) = tokio::join!(collect_with(&one), collect_with(&two));
    assert_eq!((one.recorded + two.recorded, one.marked + two.marked), (30, 30), "{one:?} {two:?}");
    assert_eq!(world.count("select count(distinct run_id) from robnu.dead_letters").await, 30);
    assert_eq!(world.heard(&world.parallel_dead).await, [""; 0]);
}

#[tokio::test]
async fn bodies_of_garbage_are_recorded_within_bounds_and_mark_nothing() {
    let world = World::new().await;
    let ours = &world.sellers.ours;
    let before = world.fingerprint("sync_runs").await;
    let request = LaneRequest { seller_id: SellerId::new(), account_id: AccountId::new() }.to_body();
    let bodies = [
        "this is no job".to_owned(),
        "x".repeat(250_000),
        "é\u{fffd}\u{7f}\u{85}\u{10ffff}\t".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        json!({"version": "1", "job": {"run_id": ours.id}}).to_string(),
        json!({"version": "9"}).to_string(),
        json!({"Records": [{"s3": {"object": {"key": "imports/../../x"}}}]}).to_string(),
        request,
    ];
    for (at, body) in bodies.iter().enumerate() {
        let dead = if at % 2 == 0 { &world.lanes_dead } else { &world.parallel_dead };
        world.refuse(dead, body, "garbage", "q").await;
    }
    let report = world.collect().await;
    assert_eq!((report.recorded, report.marked), (bodies.len(), 0));
    let bounded = "select count(*) from robnu.dead_letters where form = 'UNREADABLE' and octet_length(body) <= 2000 and reason = 'garbage'";
    assert_eq!(usize::try_from(world.count(bounded).await).unwrap(), bodies.len());
    assert_eq!(world.count("select max(body_bytes)::bigint from robnu.dead_letters").await, 250_000);
    assert_eq!(world.fingerprint("sync_runs").await, before);
    let redriven = world.redrive(json!({})).await;
    assert_eq!((redriven.published, redriven.sent, redriven.remaining), (0, 0, 0));
    assert_eq!(redriven.left["DISCARD_ONLY"], 9, "what nobody can read can only be discarded");
}

#[tokio::test]
async fn a_queue_that_cannot_be_read_keeps_no_other_waiting_and_is_a_failure() {
    let mut world = World::new().await;
    let job = world.publish_run(&world.sellers.ours, RunKind::Returns).await;
    world.let_die(&world.parallel).await;
    world.context.queues.dead_letters[0].url.push_str("-gone.fifo");
    let event = json!({"collect": "dead_letters"});
    let failed = redrive::handle(event, &world.context, kit::in_a_minute()).await.unwrap_err();
    assert_eq!(failed.to_string(), "1 dead-letter queues could not be read");
    assert_eq!(world.standing(job.run_id).await.0, "DEAD_LETTERED");
}

#[tokio::test]
async fn a_notice_of_a_file_is_recorded_with_its_account() {
    let world = World::new().await;
    let ours = &world.sellers.ours;
    let key = format!("imports/{}/{}/{}/AJIO", ours.id, ours.ajio, ImportId::new());
    let notice = json!({"Records": [{"s3": {"bucket": {"name": "b"}, "object": {"key": key}}}]}).to_string();
    world.refuse(&world.parallel_dead, &notice, "unknown_file", &world.parallel).await;
    assert_eq!(world.collect().await.recorded, 1);
    let found = world.list(json!({"filter": {"account_id": ours.ajio}})).await;
    assert_eq!((found.dead_letters.len(), found.dead_letters[0].form.as_str()), (1, "FILE_NOTICE"));
}
