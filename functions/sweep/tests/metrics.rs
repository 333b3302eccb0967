//! What the function states to CloudWatch, as its real binary writes it.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::time::Duration;

use kit::World;
use robnu_testkit::{Answer, LambdaProcess, function_environment};
use serde_json::{Value, json};

async fn start(world: &World) -> LambdaProcess {
    let mut environment = function_environment(&world.test.config("robnu_sweep"));
    environment.extend(kit::function_variables());
    LambdaProcess::start(env!("CARGO_BIN_EXE_sweep"), &environment, Duration::from_secs(11)).await
}

/// Values of a metric by the value of its dimension, with the unit that they are stated in.
fn values(function: &LambdaProcess, metric: &str) -> Vec<(String, i64, String)> {
    let lines = function.log().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    let stated = lines.filter(|line| line["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]["Name"] == metric);
    let value = |line: Value| {
        let declared = &line["_aws"]["CloudWatchMetrics"][0];
        let dimension = declared["Dimensions"][0][0].as_str().unwrap();
        let unit = declared["Metrics"][0]["Unit"].as_str().unwrap().to_owned();
        (line[dimension].as_str().unwrap().to_owned(), line[metric].as_i64().unwrap(), unit)
    };
    stated.map(value).collect()
}

/// Seconds that the oldest run of AJIO has waited, as a new process states them.
async fn oldest_of_ajio(world: &World) -> i64 {
    let function = start(world).await;
    let Answer::Response(_) = function.invoke(json!({"sweep": "scheduling"})).await else {
        panic!("{:?}", function.log())
    };
    let stated = values(&function, "OldestWaiting");
    assert_eq!(stated.len(), 4, "{stated:?}");
    assert!(stated.iter().all(|(_, _, unit)| unit == "Seconds"), "{stated:?}");
    assert_eq!(values(&function, "ColdStarts"), [("under-test".to_owned(), 1, "Count".to_owned())]);
    stated.into_iter().find(|(code, _, _)| code == "AJIO").unwrap().1
}

#[tokio::test]
async fn the_oldest_run_that_should_go_on_is_stated_and_those_that_rest_are_not() {
    let world = World::new().await;
    world.nothing_is_due().await;
    world.run_sql("update robnu.sync_runs set state = 'SUCCEEDED', finished_at = now()", &[]).await;
    assert_eq!(oldest_of_ajio(&world).await, 0);
    let ours = &world.sellers.ours;
    let made = "insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger, state, queued_at, sent_at)
        values ($1, $2, 'AJIO', 'ORDERS', 'API', 'QUEUED', now() - interval '2 hours', now())";
    world.run_sql(made, &[&ours.id, &ours.ajio]).await;
    let stated = oldest_of_ajio(&world).await;
    assert!((7_200..7_300).contains(&stated), "published and not taken for two hours: {stated}");
    for (change, seconds) in [
        ("state = 'WAITING', next_attempt_at = now() + interval '1 hour'", 0),
        ("state = 'RUNNING', next_attempt_at = null, lease_expires_at = now() + interval '1 minute'", 0),
        ("lease_expires_at = now() - interval '50 seconds'", 50),
    ] {
        world
            .run_sql(
                &format!(
                    "update robnu.sync_runs set {change} where account_id = $1 and state <> 'SUCCEEDED'"
                ),
                &[&ours.ajio],
            )
            .await;
        let stated = oldest_of_ajio(&world).await;
        assert!((seconds..seconds + 60).contains(&stated), "{change}: {stated}");
        assert!(seconds > 0 || stated == 0, "{change}: {stated}");
    }
    world.run_sql("update robnu.sync_runs set state = 'QUEUED', lease_expires_at = null, queued_at = now() - interval '2 hours' where account_id = $1 and state <> 'SUCCEEDED'", &[&ours.ajio]).await;
    assert!(oldest_of_ajio(&world).await >= 7_200);
    world.suspend(ours.id).await;
    assert_eq!(oldest_of_ajio(&world).await, 0, "a suspended seller's runs rest");
}
