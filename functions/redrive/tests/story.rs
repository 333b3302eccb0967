//! The story of a run: what it did, its dead letters, and nothing that is not the operator's to see.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod kit;

use kit::World;
use redrive::{Answer, RunStory};
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::RunId;
use serde_json::{Value, json};

async fn story(world: &World, id: impl serde::Serialize) -> RunStory {
    match world.ask("story", json!({"run_id": id})).await {
        Answer::Story(story) => *story,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_run_is_told_from_its_making_to_its_dead_letters_stream_by_stream() {
    let world = World::new().await;
    let (ours, theirs) = (&world.sellers.ours, &world.sellers.theirs);
    let (job, first) = world.dead_run(ours, RunKind::Orders, "step = 1, generation = 4, attempt = 9").await;
    let second = world.letter(&job).await;
    let (other, _) = world.dead_run(theirs, RunKind::Orders, "").await;
    for (seller, run) in [(ours.id, job.run_id), (theirs.id, other.run_id)] {
        for stream in ["ORDER_LINES", "ORDERS"] {
            let sql = "insert into robnu.sync_run_counts (seller_id, run_id, stream, added, changed, unchanged, removed)
                values ($1, $2, $3, 1, 2, 3, 4)";
            world.sql(sql, &[&seller, &run, &stream]).await;
        }
    }
    let told = story(&world, job.run_id).await;
    assert_eq!((told.run.id, told.run.seller_id), (job.run_id, ours.id));
    assert_eq!((told.run.step, told.run.generation, told.run.attempts), (1, 4, 9));
    assert!((chrono::Utc::now() - told.run.made_at).num_minutes() < 5, "{told:?}");
    assert_eq!((told.run.added, told.run.removed), (2, 8));
    let streams: Vec<_> =
        told.streams.iter().map(|counts| (counts.stream.as_str(), counts.changed)).collect();
    assert_eq!(streams, [("ORDERS", 2), ("ORDER_LINES", 2)]);
    let letters: Vec<_> = told.dead_letters.iter().map(|letter| letter.id).collect();
    assert_eq!(letters, [first, second]);
    assert_eq!(story(&world, second).await, told, "a dead letter's id leads to its run");
}

#[tokio::test]
async fn a_run_is_found_however_old_it_is_and_in_the_list_too() {
    let world = World::new().await;
    let old: RunId = world
        .row(
            "insert into robnu.sync_runs (seller_id, id, account_id, marketplace_code, kind, trigger, state, finished_at)
             values ($1, uuidv7(interval '-300 days'), $2, 'AJIO', 'ORDERS', 'API', 'SUCCEEDED', now()) returning id",
            &[&world.sellers.theirs.id, &world.sellers.theirs.ajio],
        )
        .await
        .get(0);
    assert_eq!(story(&world, old).await.run.id, old);
    let Answer::Runs(found) = world.ask("runs", json!({"run_id": old})).await else { panic!("runs") };
    assert_eq!(found.runs.iter().map(|run| run.id).collect::<Vec<_>>(), [old]);
}

#[tokio::test]
async fn a_story_holds_ids_times_and_codes_and_no_text() {
    let world = World::new().await;
    let (job, _) = world.dead_run(&world.sellers.ours, RunKind::Orders, "").await;
    let change = "error_message = 'Asha Rao, 98765 43210', page_position = 'Asha Rao'";
    world.sql(&format!("update robnu.sync_runs set {change} where id = $1"), &[&job.run_id]).await;
    let text = serde_json::to_string(&story(&world, job.run_id).await).unwrap();
    assert!(!text.contains("Asha") && !text.contains("\"body\""), "{text}");
}

#[tokio::test]
async fn a_run_that_is_not_there_is_refused_by_its_field() {
    let world = World::new().await;
    for (request, field) in [(json!({"run_id": RunId::new()}), "run_id"), (json!({"run": 1}), "run")] {
        let Answer::Refused { refused } = world.ask("story", request).await else { panic!("it is answered") };
        assert_eq!(refused.field, field);
    }
    let Answer::Runs(found) = world.ask("runs", json!({"run_id": RunId::new()})).await else {
        panic!("runs")
    };
    assert_eq!(serde_json::to_value(found.runs).unwrap(), Value::Array(Vec::new()));
}
