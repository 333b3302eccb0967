//! A crash on the deployed stack. This test has its own file, because it kills every running AJIO adapter: the tests of one file
//! run at the same time, but files run one after the other.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod stack;

use reqwest::Method;
use serde_json::json;
use stack::{Stack, eventually, unique};

#[tokio::test]
async fn a_run_whose_adapter_is_killed_loses_no_order_and_doubles_none() {
    let stack = Stack::get();
    let owner = stack.new_owner("killed").await;
    let username = unique("DV");
    let account = stack.connect_ajio(&owner, &username).await;
    stack.lane(&owner, &account).await;
    let hang = json!({"marketplace": "ajio", "path": "/orders", "account": username, "after": 1, "count": 1, "kind": "hang", "millis": 25_000});
    stack.control(Method::POST, "/faults", Some(hang)).await;
    let run = stack.ask_for_sync(&owner, &account).await;
    let database = stack.database().await;
    eventually("one page is in", 60, async || {
        let sql = "select pages from robnu.sync_runs where account_id = $1::text::uuid and state = 'RUNNING' and pages > 0";
        database.query_opt(sql, &[&account]).await.unwrap()
    })
    .await;
    assert!(kill_adapters(stack.fact("aws_endpoint")) > 0, "an adapter was running");
    // The message returns after the lane's visibility timeout.
    let run = stack.end_of(&owner, &run, 180).await;
    assert_eq!(run["state"], "SUCCEEDED", "{run}");
    let served = stack.control(Method::GET, &format!("/ajio/orders?username={username}"), None).await;
    let served = served.as_array().or_else(|| served["orders"].as_array()).unwrap().len();
    let sql = "select count(*), count(distinct external_order_id) from robnu.orders where account_id = $1::text::uuid";
    let row = database.query_one(sql, &[&account]).await.unwrap();
    assert_eq!(
        (row.get::<_, i64>(0), row.get::<_, i64>(1)),
        (i64::try_from(served).unwrap(), i64::try_from(served).unwrap())
    );
}

/// Kills every running AJIO adapter of this stack, as a crash would. Returns how many it killed.
fn kill_adapters(aws_endpoint: &str) -> usize {
    let marks =
        ["AWS_LAMBDA_FUNCTION_NAME=robnu-local-adapter-ajio", &format!("AWS_ENDPOINT_URL={aws_endpoint}")];
    let mut killed = 0;
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Ok(environment) = std::fs::read(entry.path().join("environ")) else { continue };
        let variables: Vec<&[u8]> = environment.split(|byte| *byte == 0).collect();
        if marks.iter().all(|mark| variables.contains(&mark.as_bytes())) {
            let pid = entry.file_name().into_string().unwrap();
            let status = std::process::Command::new("kill").args(["-9", &pid]).status().unwrap();
            killed += usize::from(status.success());
        }
    }
    killed
}
