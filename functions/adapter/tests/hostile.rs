//! The function returns a response to any event of a queue and goes on.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use robnu_dispatch::Job;
use robnu_marketplace::code::MarketplaceCode::Ajio;
use robnu_testkit::{Answer, MARKER, for_each_hostile};
use serde_json::{Value, json};
use simulators::SimulatorConfig;
use support::Stand;

/// Hostile events of a usual run.
const CASES: usize = 150;

/// Whether all messages reported as failed were among those delivered; a record may be written as a list.
fn names_its_own(answer: &Value, event: &Value) -> bool {
    let delivered = event["Records"].to_string();
    let failed = answer["batchItemFailures"].as_array().into_iter().flatten();
    failed.into_iter().all(|failure| delivered.contains(&failure["itemIdentifier"].to_string()))
}

#[tokio::test]
async fn hostile_events_fail_alone_and_the_next_job_is_done() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let function = stand.start(Ajio).await;
    let job = stand.queue_run(Ajio).await;
    // A publication that was never made, so that no mutation of it equals the job itself.
    let unknown = stand.event(&Job { generation: job.generation + 7, ..job.clone() });
    let mut both = unknown.clone();
    both["Records"]
        .as_array_mut()
        .unwrap()
        .push(stand.raw_event(job.account_id, "{\"version\":\"1\"}")["Records"][0].clone());
    let bases = [unknown, both, json!({"Records": null}), json!({"Records": [null]}), json!({})];
    for_each_hostile(&bases, CASES, async |event| match function.invoke(event.clone()).await {
        Answer::Response(answer) => {
            assert!(names_its_own(&answer, &event), "{event}: {answer}");
        }
        Answer::Error(error) => {
            let kind = error["errorType"].as_str().unwrap();
            assert!(["MalformedEvent", "MissingMessageId"].contains(&kind), "{event}: {error}");
            assert!(!error.to_string().contains(MARKER), "{event}: {error}");
        }
    })
    .await;
    let panicked: Vec<String> =
        function.log().into_iter().filter(|line| line.contains(r#""message":"panicked""#)).collect();
    assert_eq!(panicked, [""; 0]);
    let job = stand.run_to_end(&function, job).await;
    assert_eq!(stand.run(job.run_id).await.state, "SUCCEEDED");
}
