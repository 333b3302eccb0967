//! The trace of a request goes from the run's row into every line of the job, and so to each call of a marketplace.
#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use robnu_marketplace::code::MarketplaceCode::Ajio;
use robnu_testkit::LambdaProcess;
use serde_json::{Value, json};
use simulators::SimulatorConfig;
use support::{Stand, acknowledged};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The traces of the lines with a message.
fn traces(function: &LambdaProcess, message: &str) -> Vec<String> {
    let lines = function.log().into_iter().filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    let lines = lines.filter(|line| line["message"] == message);
    lines.map(|line| line["span"]["trace.id"].as_str().unwrap_or("none").to_owned()).collect()
}

/// A job's event whose message has this in the place of its trace.
fn event(stand: &Stand, job: &robnu_dispatch::Job, trace: Value) -> Value {
    let mut event = stand.event(job);
    let body = &mut event["Records"][0]["body"];
    let mut message: Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
    message["trace_parent"] = trace;
    *body = json!(message.to_string());
    event
}

/// A message that another run of the account has published, in its own trace.
fn of_another_run() -> Value {
    json!("00-0123456789abcdef0123456789abcdef-00f067aa0ba902b7-01")
}

#[tokio::test]
async fn each_call_of_a_marketplace_is_logged_in_the_trace_that_the_run_s_row_has() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let function = stand.start(Ajio).await;
    let job = stand.queue_run(Ajio).await;
    let asked = format!("update robnu.sync_runs set trace_id = '{TRACE}' where id = '{}'", job.run_id);
    stand.superuser.batch_execute(&asked).await.unwrap();
    acknowledged(function.invoke(event(&stand, &job, of_another_run())).await);
    for message in ["the run goes on", "called", "job done"] {
        let traces = traces(&function, message);
        assert!(!traces.is_empty(), "{message}: {:#?}", function.log());
        assert!(traces.iter().all(|trace| trace == TRACE), "{message}: {traces:?}");
    }
}

#[tokio::test]
async fn a_run_that_nobody_asked_for_is_logged_in_a_trace_of_its_own() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let function = stand.start(Ajio).await;
    let job = stand.queue_run(Ajio).await;
    acknowledged(function.invoke(event(&stand, &job, of_another_run())).await);
    let own = job.run_id.to_string().replace('-', "");
    assert!(traces(&function, "called").iter().all(|trace| *trace == own), "{:#?}", function.log());
    assert_eq!(traces(&function, "job done"), [own]);
}

#[tokio::test]
async fn garbage_in_the_trace_of_a_message_refuses_no_job_and_reaches_no_log() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let function = stand.start(Ajio).await;
    for garbage in [json!("hunter2\n{\"level\":\"ERROR\"}"), json!({"hunter2": ["hunter2"]}), Value::Null] {
        let job = stand.queue_run(Ajio).await;
        acknowledged(function.invoke(event(&stand, &job, garbage)).await);
        assert_ne!(stand.run(job.run_id).await.state, "QUEUED");
        let own = job.run_id.to_string().replace('-', "");
        assert!(traces(&function, "job done").contains(&own), "{:#?}", function.log());
        stand.run_to_end(&function, job).await;
    }
    assert!(!function.log().join("\n").contains("hunter2"));
}
