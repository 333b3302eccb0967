//! The sweep returns a response to any event and goes on.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

use std::time::Duration;

use robnu_testkit::{Answer, LambdaProcess, MARKER, TestDatabase, TwoSellers, for_each_hostile};
use serde_json::json;

/// Hostile events of a usual run.
const CASES: usize = 100;

async fn start(test: &TestDatabase) -> LambdaProcess {
    let config = test.config("robnu_sweep");
    let inherited = ["AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
    let mut environment: Vec<(&str, String)> =
        inherited.into_iter().map(|name| (name, std::env::var(name).unwrap_or_default())).collect();
    environment.extend([
        ("AWS_ENDPOINT_URL", std::env::var("TEST_AWS_ENDPOINT").unwrap()),
        ("DATABASE_TLS", "off".to_owned()),
        ("DATABASE_HOST", config.host),
        ("DATABASE_PORT", config.port.to_string()),
        ("DATABASE_NAME", test.name().to_owned()),
        ("DATABASE_USER", "robnu_sweep".to_owned()),
        ("PARALLEL_QUEUES", "{}".to_owned()),
    ]);
    LambdaProcess::start(env!("CARGO_BIN_EXE_sweep"), &environment, Duration::from_mins(1)).await
}

#[tokio::test]
async fn hostile_events_fail_alone_and_the_next_sweep_is_done() {
    let test = TestDatabase::new().await;
    TwoSellers::seed(&test).await;
    let function = start(&test).await;
    let bases = ["scheduling", "claims", "retention"].map(|sweep| json!({"sweep": sweep}));
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
