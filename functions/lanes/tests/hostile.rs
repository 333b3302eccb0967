//! The function returns a response to any event of the queue or a schedule, and goes on.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

use std::time::Duration;

use robnu_dispatch::LaneRequest;
use robnu_tenancy::{AccountId, SellerId};
use robnu_testkit::{
    Answer, LambdaProcess, MARKER, TestDatabase, TwoSellers, for_each_hostile, function_environment,
};
use serde_json::{Value, json};

/// Hostile events of a usual run.
const CASES: usize = 150;

async fn start(test: &TestDatabase) -> LambdaProcess {
    let mut environment = function_environment(&test.config("robnu_lanes"));
    let targets = r#"{"AJIO":{"function_arn":"arn:aws:lambda:x","dead_letter_queue_arn":"arn:aws:sqs:x"}}"#;
    environment.extend([
        ("STAGE", "test".to_owned()),
        ("LANE_REQUESTS_QUEUE_URL", "http://127.0.0.1/requests".to_owned()),
        ("LANE_QUEUE_PREFIX", "robnu-test-lane-".to_owned()),
        ("LANE_VISIBILITY_SECONDS", "130".to_owned()),
        ("DEAD_LETTER_MAX_RECEIVES", "5".to_owned()),
        ("LANE_TARGETS", targets.to_owned()),
        ("PARALLEL_QUEUES", "{}".to_owned()),
    ]);
    LambdaProcess::start(env!("CARGO_BIN_EXE_lanes"), &environment, Duration::from_mins(1)).await
}

/// Whether all messages reported as failed were among those delivered; a record may be written as a list.
fn names_its_own(answer: &Value, event: &Value) -> bool {
    let delivered = event["Records"].to_string();
    let failed = answer["batchItemFailures"].as_array().into_iter().flatten();
    failed.into_iter().all(|failure| delivered.contains(&failure["itemIdentifier"].to_string()))
}

#[tokio::test]
async fn hostile_events_fail_alone_and_the_next_round_is_done() {
    let test = TestDatabase::new().await;
    TwoSellers::seed(&test).await;
    let settled = "update robnu.marketplace_accounts set status = 'DISCONNECTED', lane_state = 'RETIRED'";
    test.superuser().await.batch_execute(settled).await.unwrap();
    let function = start(&test).await;
    let body = LaneRequest { seller_id: SellerId::new(), account_id: AccountId::new() }.to_body();
    let message = |id: &str| json!({"messageId": id, "body": body, "eventSource": "aws:sqs"});
    let bases = [
        json!({"Records": [message("a")]}),
        json!({"Records": [message("a"), message("b"), message("b")]}),
        json!({"sweep": "lane-reconcile"}),
        json!({"Records": null, "sweep": null}),
        json!({"RequestType": "Sometimes", "ResponseURL": "http://127.0.0.1:1", "StackId": "", "RequestId": "", "LogicalResourceId": ""}),
    ];
    for_each_hostile(&bases, CASES, async |event| match function.invoke(event.clone()).await {
        Answer::Response(answer) => {
            assert!(names_its_own(&answer, &event), "{event}: {answer}");
        }
        Answer::Error(error) => {
            let kind = error["errorType"].as_str().unwrap();
            assert!(["MalformedEvent", "UnknownSweep"].contains(&kind), "{event}: {error}");
            assert!(kind == "UnknownSweep" || !error.to_string().contains(MARKER), "{event}: {error}");
        }
    })
    .await;
    let panicked: Vec<String> =
        function.log().into_iter().filter(|line| line.contains(r#""message":"panicked""#)).collect();
    assert_eq!(panicked, [""; 0]);
    let Answer::Response(report) = function.invoke(json!({"sweep": "lane-reconcile"})).await else {
        panic!("{:#?}", function.log());
    };
    assert_eq!(report["failed"], 0);
}
