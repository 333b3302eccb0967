//! The sweep returns a response to any event and goes on.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod kit;

use std::time::Duration;

use kit::wire;
use robnu_testkit::{
    Answer, LambdaProcess, MARKER, TestDatabase, TwoSellers, for_each_hostile, function_environment,
};
use serde_json::json;

/// Hostile events of a usual run.
const CASES: usize = 100;

async fn start(test: &TestDatabase) -> LambdaProcess {
    let (_, bucket) = kit::bucket().await;
    let mut environment = function_environment(&test.config("robnu_sweep"));
    environment.extend([
        ("PARALLEL_QUEUES", "{}".to_owned()),
        ("PLATFORM_KEY_ID", platform_key().await),
        ("AWS_S3_PER_SELLER_KMS", "false".to_owned()),
        ("AWS_S3_BUCKET", bucket),
        ("AWS_S3_OBJECTS_ROLE_ARN", "arn:aws:iam::000000000000:role/objects".to_owned()),
        ("SELLER_KEY_DELETION_DAYS", "7".to_owned()),
        ("DATA_KEY_DAYS", "365".to_owned()),
        ("MAIL_FROM", "no-reply@robnu.test".to_owned()),
        ("APP_URL", "https://app.robnu.test".to_owned()),
    ]);
    LambdaProcess::start(env!("CARGO_BIN_EXE_sweep"), &environment, Duration::from_mins(1)).await
}

async fn platform_key() -> String {
    wire::new_kms_key(&wire::Wire::new().kms()).await
}

#[tokio::test]
async fn hostile_events_fail_alone_and_the_next_sweep_is_done() {
    let test = TestDatabase::new().await;
    TwoSellers::seed(&test).await;
    let function = start(&test).await;
    let bases = ["scheduling", "claims", "retention", "keys", "reseal", "closing", "raw_pages", "usage"]
        .map(|sweep| json!({"sweep": sweep}));
    for_each_hostile(&bases, CASES, async |event| {
        if let Answer::Error(error) = function.invoke(event.clone()).await {
            let kind = error["errorType"].as_str().unwrap();
            assert!(["MalformedEvent", "UnknownSweep"].contains(&kind), "{event}: {error}");
            assert!(kind == "UnknownSweep" || !error.to_string().contains(MARKER), "{event}: {error}");
        }
    })
    .await;
    let panicked: Vec<String> =
        function.log().into_iter().filter(|line| line.contains(r#""message":"panicked""#)).collect();
    assert_eq!(panicked, [""; 0]);
    let Answer::Response(report) = function.invoke(json!({"sweep": "scheduling"})).await else {
        panic!("{:#?}", function.log());
    };
    assert_eq!(report["time_short"], false);
}
