//! Messages that are not runs are sent to their own queues again. What is given up stays given up, with its reason.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod kit;

use kit::{World, ids};
use redrive::Answer;
use robnu_dispatch::{ExportMessage, LaneRequest};
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::ImportId;
use serde_json::{Value, json};

#[tokio::test]
async fn notices_lane_requests_and_exports_go_to_their_own_queues_again() {
    let world = World::new().await;
    let ours = &world.sellers.ours;
    let key = format!("imports/{}/{}/{}/AJIO", ours.id, ours.ajio, ImportId::new());
    let notice = json!({"Records": [{"s3": {"object": {"key": key}}}]}).to_string();
    let request = LaneRequest { seller_id: ours.id, account_id: ours.ajio }.to_body();
    let export = ExportMessage { seller_id: ours.id, export_id: ours.export }.to_body();
    let queues = world.context.queues.clone();
    for (dead, body) in
        [(&world.parallel_dead, &notice), (&world.requests_dead, &request), (&world.exports_dead, &export)]
    {
        world.refuse(dead, body, "unknown_file", "q").await;
    }
    assert_eq!(world.collect().await.recorded, 3);
    let report = world.redrive(json!({})).await;
    assert_eq!((report.sent, report.published, report.remaining), (3, 0, 0));
    let heard: Value = serde_json::from_str(&world.heard(&world.parallel).await[0]).unwrap();
    assert_eq!(heard["Records"][0]["s3"]["object"]["key"], *key);
    assert_eq!(world.heard(&queues.lane_requests).await, [request]);
    assert_eq!(world.heard(&queues.exports).await, [export]);
    assert_eq!(world.redrive(json!({})).await.sent, 0);
    world.half_a_minute_later().await;
    assert_eq!(world.collect().await.resumed, 0, "what was sent is not sent again");
}

#[tokio::test]
async fn a_body_that_no_queue_takes_is_sent_later() {
    let mut world = World::new().await;
    let export = ExportMessage { seller_id: world.sellers.ours.id, export_id: world.sellers.ours.export };
    world.refuse(&world.exports_dead, &export.to_body(), "garbage", "q").await;
    world.collect().await;
    let exports = world.context.queues.exports.clone();
    world.context.queues.exports.push_str("-gone");
    assert_eq!(world.redrive(json!({})).await.failed, 1);
    world.context.queues.exports = exports.clone();
    assert_eq!(world.redrive(json!({})).await.sent, 0);
    world.half_a_minute_later().await;
    assert_eq!(world.redrive(json!({})).await.sent, 1);
    assert_eq!(world.heard(&exports).await, [export.to_body()]);
}

#[tokio::test]
async fn what_is_discarded_ends_its_run_and_stays_with_its_reason() {
    let world = World::new().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    let (job, letter) = world.dead_run(ours, RunKind::Orders, "").await;
    let (moved_on, other) = world.dead_run(ours, RunKind::Listings, "state = 'QUEUED', generation = 4").await;
    let (neighbours, _) = world.dead_run(theirs, RunKind::Orders, "").await;
    let report = world.discard(json!({"ids": ids(&[letter, other]), "reason": "the account is gone"})).await;
    assert_eq!((report.discarded, report.runs_ended, report.remaining), (2, 1, 0));
    assert_eq!(world.standing(job.run_id).await, ("FAILED".to_owned(), 0, "given_up".to_owned()));
    assert_eq!(world.standing(moved_on.run_id).await.0, "QUEUED", "a stale one says nothing of its run");
    assert_eq!(world.standing(neighbours.run_id).await.0, "DEAD_LETTERED");
    let action =
        "select action || ' ' || operator || ' ' || reason || ' ' || letters from robnu.dead_letter_actions";
    assert_eq!(world.row(action, &[]).await.get::<_, String>(0), "DISCARD asha the account is gone 2");
    let told = "select error_message from robnu.sync_runs where id = $1";
    let told: String = world.row(told, &[&job.run_id]).await.get(0);
    assert!(!told.contains("account is gone"), "the reason is the operators' own: {told}");
    assert_eq!(world.redrive(json!({"filter": {"seller_id": ours.id}})).await.remaining, 0);
    assert_eq!(world.list(json!({"state": "DISCARDED"})).await.dead_letters.len(), 2);
}

#[tokio::test]
async fn nothing_is_discarded_without_a_reason_or_by_nobody() {
    let world = World::new().await;
    world.dead_run(&world.sellers.ours, RunKind::Orders, "").await;
    let before = world.fingerprint("dead_letters").await;
    for (request, field) in [
        (json!({"operator": "asha"}), "reason"),
        (json!({"operator": "asha", "reason": "  "}), "reason"),
        (json!({"reason": "because"}), "operator"),
        (json!({"operator": "asha", "reason": "because", "filter": {"seller": "x"}}), "filter.seller"),
    ] {
        let Answer::Refused { refused } = world.ask("discard", request.clone()).await else {
            panic!("{request} is done")
        };
        assert!(refused.field == field || refused.message.contains("`seller`"), "{request}: {refused}");
    }
    assert_eq!(world.fingerprint("dead_letters").await, before);
}

#[tokio::test]
async fn a_list_is_paged_newest_first_and_shows_no_body() {
    let world = World::new().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.insert(0, world.dead_run(&world.sellers.ours, RunKind::FileImport, "").await.1);
    }
    world.dead_run(&world.sellers.theirs, RunKind::FileImport, "").await;
    let mut request = json!({"limit": 2, "filter": {"seller_id": world.sellers.ours.id}});
    let (mut listed, mut pages) = (Vec::new(), 0);
    loop {
        let found = world.list(request.clone()).await;
        assert!(!json!(found).to_string().contains("trace_parent"), "{found:?}");
        listed.extend(found.dead_letters.iter().map(|letter| letter.id));
        pages += 1;
        let Some(next) = found.next else { break };
        request["after"] = next.to_string().into();
    }
    assert_eq!((listed, pages), (made, 3));
}

#[tokio::test]
async fn one_dead_letter_is_shown_with_its_run_as_it_is_now() {
    let world = World::new().await;
    let (job, letter) = world.dead_run(&world.sellers.ours, RunKind::Orders, "").await;
    let show = async || match world.ask("show", json!({"id": letter})).await {
        Answer::Shown(shown) => *shown,
        other => panic!("{other:?}"),
    };
    let shown = show().await;
    assert_eq!(
        (shown.prospect.as_deref(), shown.run_state.as_deref()),
        (Some("PUBLISH"), Some("DEAD_LETTERED"))
    );
    assert!(shown.body.contains(&job.run_id.to_string()));
    world.redrive(json!({})).await;
    let shown = show().await;
    assert_eq!((shown.prospect, shown.run_generation, shown.generation), (None, Some(1), Some(0)));
    assert_eq!(shown.letter.outcome.as_deref(), Some("PUBLISHED"));
    let unknown = world.ask("show", json!({"id": job.run_id})).await;
    assert!(matches!(unknown, Answer::Refused { .. }), "{unknown:?}");
}
