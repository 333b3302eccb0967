//! What a panic leaves behind, seen from outside. The test starts itself again as the function that panics.
#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

use std::process::{Command, Output};

use robnu_observe::{PANICS, Panicked, caught};
use serde_json::Value;

/// Set in the process that is to panic.
const ROLE: &str = "ROBNU_TEST_PANICS";

#[tokio::test(flavor = "current_thread")]
async fn a_function_that_panics() {
    if std::env::var(ROLE).is_err() {
        return;
    }
    robnu_observe::init();
    let sent = String::from("hunter2");
    let outcome = caught(async { sent.parse::<u32>().expect(&sent) }).await;
    assert_eq!(outcome, Err(Panicked));
    let after = caught(async { 7 }).await;
    tracing::info!(after = after.unwrap(), "it goes on");
}

fn panics() -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "a_function_that_panics", "--nocapture", "--quiet"])
        .env(ROLE, "1")
        .env("STAGE", "test")
        .env("AWS_LAMBDA_FUNCTION_NAME", "robnu-test-api")
        .output()
        .unwrap()
}

#[test]
fn a_panic_writes_one_line_without_its_message_and_one_count_and_the_function_goes_on() {
    let output = panics();
    let (out, errors) =
        (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{out}{errors}");
    assert!(!out.contains("hunter2") && !errors.contains("hunter2"), "{out}{errors}");
    let lines: Vec<Value> = out.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let panicked: Vec<&Value> = lines.iter().filter(|line| line["message"] == "panicked").collect();
    assert_eq!(panicked.len(), 1, "{out}");
    assert!(panicked[0]["panic.file"].as_str().unwrap().ends_with("tests/panics.rs"), "{out}");
    assert!(panicked[0]["panic.line"].is_u64() && panicked[0]["level"] == "ERROR", "{out}");
    let counted: Vec<&Value> = lines.iter().filter(|line| line[PANICS] == 1).collect();
    assert_eq!(counted.len(), 1, "{out}");
    assert_eq!(counted[0]["FunctionName"], "robnu-test-api");
    assert_eq!(counted[0]["_aws"]["CloudWatchMetrics"][0]["Namespace"], "Robnu/test");
    assert!(lines.iter().any(|line| line["message"] == "it goes on" && line["after"] == 7), "{out}");
}

/// Tests unwind whatever the profile says, so they cannot see what a deployed function would do.
#[test]
fn no_profile_makes_a_panic_end_the_process() {
    let manifest = include_str!("../../../Cargo.toml");
    let settings = manifest.lines().filter(|line| line.trim_start().starts_with("panic"));
    assert_eq!(settings.collect::<Vec<_>>(), [""; 0]);
}
