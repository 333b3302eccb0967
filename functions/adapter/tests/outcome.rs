//! The outcome of each job is one line of the log, and two metrics.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod support;

use robnu_dispatch::Job;
use robnu_marketplace::code::MarketplaceCode::Ajio;
use robnu_marketplace::kind::RunKind;
use robnu_testkit::LambdaProcess;
use serde_json::{Value, json};
use simulators::{Fault, FaultKind, Marketplace, SimulatorConfig};
use support::{Stand, acknowledged};

/// Hands the job over once, and returns the outcome's line and the metrics that it printed.
async fn outcome(stand: &Stand, function: &LambdaProcess, job: &Job) -> (Value, Vec<Value>) {
    let before = function.log().len();
    acknowledged(function.invoke(stand.event(job)).await);
    let log = function.log();
    let lines: Vec<Value> = log[before..].iter().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let done: Vec<&Value> = lines.iter().filter(|line| line["message"] == "job done").collect();
    let [done] = done.as_slice() else { panic!("{} lines: {log:?}", done.len()) };
    ((*done).clone(), lines.iter().filter(|line| line["_aws"].is_object()).cloned().collect())
}

fn said(line: &Value) -> Value {
    json!([
        line["run.end"],
        line["run.error"],
        line["pages"],
        line["added"],
        line["unchanged"],
        line["quarantined"]
    ])
}

#[tokio::test]
async fn each_outcome_is_one_line_with_whose_it_is_what_it_did_and_why_it_ended() {
    let mut config = SimulatorConfig::sample().unwrap();
    config.ajio.orders = 60;
    let stand = Stand::new(config).await;
    let function = stand.start(Ajio).await;
    let job = stand.queue_run(Ajio).await;
    let (line, metrics) = outcome(&stand, &function, &job).await;
    let run = stand.run(job.run_id).await;
    assert_eq!((&line["run.end"], &line["run.error"]), (&json!("SUCCEEDED"), &Value::Null));
    assert_eq!((line["pages"].as_i64(), run.orders_new), (Some(i64::from(run.pages)), 60));
    let counted = "select sum(added) from robnu.sync_run_counts where run_id = $1";
    let counted: i64 = stand.superuser.query_one(counted, &[&job.run_id]).await.unwrap().get(0);
    assert_eq!(line["added"], counted, "as the run shows it");
    assert!(line["elapsed.ms"].as_u64().unwrap() > 0);
    let span = &line["span"];
    assert_eq!(
        (&span["run.id"], &span["seller.id"], &span["account.id"], &span["marketplace"], &line["run.kind"]),
        (
            &json!(job.run_id.to_string()),
            &json!(job.seller_id.to_string()),
            &json!(job.account_id.to_string()),
            &json!("AJIO"),
            &json!("ORDERS")
        )
    );
    let value = |name: &str| {
        let named: Vec<&Value> = metrics.iter().filter(|metric| metric[name].is_number()).collect();
        assert_eq!((named.len(), &named[0]["Marketplace"]), (1, &json!("AJIO")), "{name}");
        assert_eq!(named[0]["_aws"]["CloudWatchMetrics"][0]["Dimensions"], json!([["Marketplace"]]));
        named[0][name].as_i64().unwrap()
    };
    assert_eq!(
        (value("Jobs"), value("RecordsStored")),
        (1, line["added"].as_i64().unwrap() + line["changed"].as_i64().unwrap())
    );

    // The same message again.
    let (line, metrics) = outcome(&stand, &function, &job).await;
    assert_eq!(said(&line), json!(["PASSED", null, 0, 0, 0, 0]));
    assert_eq!(metrics.len(), 2);

    let throttled = FaultKind::Status { status: 429, retry_after: Some(60) };
    stand.simulator.add_fault(Fault::new(Marketplace::Ajio, "/returns", throttled).times(1));
    let job = stand.queue(Ajio, RunKind::Returns).await;
    let (line, _) = outcome(&stand, &function, &job).await;
    assert_eq!(said(&line), json!(["WAITING", "marketplace_throttles", 0, 0, 0, 0]));

    stand.simulator.clear_faults();
    stand.simulator.add_fault(Fault::new(Marketplace::Ajio, "/authToken", FaultKind::RejectCredentials));
    let function = stand.start(Ajio).await;
    stand
        .superuser
        .batch_execute("delete from robnu.call_buckets; delete from robnu.access_tokens")
        .await
        .unwrap();
    let job = stand.queue_run(Ajio).await;
    let (line, _) = outcome(&stand, &function, &job).await;
    assert_eq!(said(&line), json!(["FAILED", "credentials_refused", 0, 0, 0, 0]));
}
