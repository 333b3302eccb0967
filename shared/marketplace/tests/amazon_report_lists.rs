//! The list of settlement reports, as a stand-in serves it: pages of it, reports that are not ready, and a list that repeats.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use kit::{Answer, Call, Scripted, ok, run_of, status};
use robnu_marketplace::code::MarketplaceCode::AmazonIn;
use robnu_marketplace::contract::PageRequest;
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::kind::RunKind;
use serde_json::{Value, json};

const LIST: &str = "/reports/2021-06-30/reports";
const TRANSACTIONS: &str = "/finances/2024-06-19/transactions";

fn report(id: &str, state: &str) -> Value {
    let mut report = json!({
        "reportId": id, "reportType": "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2",
        "createdTime": "2026-11-01T00:00:00Z", "processingStatus": state,
    });
    if state == "DONE" {
        report["reportDocumentId"] = json!(format!("doc/{id}"));
    }
    report
}

/// Answers everything but the list: a document has the id of its report as its settlement, and there are no transactions.
fn other(call: &Call) -> Answer {
    let settlement = call.path.rsplit("%2F").next().unwrap_or_default();
    match call.path.as_str() {
        TRANSACTIONS => ok(json!({ "payload": { "transactions": [] } }).to_string()),
        path if path.starts_with("/reports/2021-06-30/documents/") => {
            ok(json!({ "reportDocumentId": "d", "url": format!("http://{}/file%2F{settlement}", call.host) })
                .to_string())
        }
        _ => ok(format!(
            "settlement-id\ttotal-amount\ttransaction-type\tamount-type\tamount-description\tamount\n{settlement}\t10\t\t\t\t\n{settlement}\t\tOrder\tItemPrice\tPrincipal\t10\n"
        )),
    }
}

async fn read(
    list: impl Fn(&Call) -> Value + Send + Sync + 'static,
) -> (Scripted, Result<kit::Run, AdapterError>) {
    let server = Scripted::start(move |call, _| match call.path.as_str() {
        LIST => ok(list(call).to_string()),
        _ => other(call),
    })
    .await;
    let run = run_of(server.connect(AmazonIn).as_ref(), RunKind::Payouts, PageRequest::default()).await;
    (server, run)
}

#[tokio::test]
async fn a_token_of_the_list_is_sent_alone_and_reports_that_are_not_done_are_left_for_later() {
    let (server, run) = read(|call| match call.parameter("nextToken") {
        None => json!({ "reports": [report("1", "DONE"), report("2", "IN_PROGRESS"), report("3", "FATAL")], "nextToken": "a+/=" }),
        Some("a%2B%2F%3D") => json!({ "reports": [], "nextToken": "b" }),
        Some(_) => json!({ "reports": [report("4", "DONE"), report("5", "CANCELLED"), report("6", "DONE")] }),
    })
    .await;
    let run = run.unwrap();
    let settlements: Vec<&str> = run
        .payouts
        .iter()
        .filter(|part| part.entries.is_empty())
        .map(|part| part.payout.as_ref().unwrap().external_payout_id.as_str())
        .collect();
    assert_eq!(settlements, ["1", "4", "6"]);
    let lists: Vec<Call> = server.page_calls().into_iter().filter(|call| call.path == LIST).collect();
    let first = &lists[0];
    assert_eq!(first.parameter("reportTypes"), Some("GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2"));
    assert_eq!(first.parameter("marketplaceIds"), Some("A21TJRUUN4KGV"));
    assert!(first.parameter("createdSince").is_some() && first.parameter("pageSize") == Some("20"));
    assert_eq!(
        lists[1..].iter().map(|call| call.query.as_str()).collect::<Vec<_>>(),
        ["nextToken=a%2B%2F%3D", "nextToken=b"]
    );
    let transactions: Vec<Call> =
        server.page_calls().into_iter().filter(|call| call.path == TRANSACTIONS).collect();
    assert_eq!(transactions.len(), 6, "half a year in windows");
    assert!(transactions.iter().all(|call| call.parameter("marketplaceId") == Some("A21TJRUUN4KGV")));
    assert_eq!(transactions[0].parameter("postedBefore"), transactions[1].parameter("postedAfter"));
}

#[tokio::test]
async fn a_list_that_repeats_ends_the_run() {
    let (_, same_token) = read(|_| json!({ "reports": [], "nextToken": "a" })).await;
    assert_eq!(same_token.unwrap_err(), AdapterError::RepeatedPage);
    let (_, same_page) = read(|call| {
        let token = format!("{}x", call.parameter("nextToken").unwrap_or_default());
        json!({ "reports": [report("1", "FATAL")], "nextToken": token })
    })
    .await;
    assert_eq!(same_page.unwrap_err(), AdapterError::RepeatedPage);
}

#[tokio::test]
async fn a_list_that_breaks_the_contract_is_named() {
    for (body, what) in [
        (json!({}), "list of reports: reports is missing"),
        (json!({ "reports": [{ "reportId": "1" }] }), "list of reports: processingStatus is missing"),
        (
            json!({ "reports": "hush" }),
            "list of reports: reports does not have the type that the contract gives it",
        ),
    ] {
        let (_, run) = read(move |_| body.clone()).await;
        assert_eq!(run.unwrap_err(), AdapterError::Malformed { what: what.to_owned() });
    }
    let server = Scripted::start(|call, _| match call.path.as_str() {
        LIST => ok(json!({ "reports": [] }).to_string()),
        TRANSACTIONS => ok("{}"),
        _ => status(404, ""),
    })
    .await;
    let run = run_of(server.connect(AmazonIn).as_ref(), RunKind::Payouts, PageRequest::default()).await;
    let what = "page of transactions: payload.transactions is missing".to_owned();
    assert_eq!(run.unwrap_err(), AdapterError::Malformed { what });
}

#[tokio::test]
async fn a_document_that_cannot_be_had_is_set_aside_and_the_others_are_read() {
    let list = json!({ "reports": [report("1", "DONE"), report("2", "DONE")] });
    let server = Scripted::start(move |call, _| match call.path.as_str() {
        LIST => ok(list.to_string()),
        path if path.ends_with("%2F1") && path.starts_with("/reports/") => {
            ok(json!({ "reportDocumentId": "d", "url": "ftp://hush.example/1" }).to_string())
        }
        _ => other(call),
    })
    .await;
    let run =
        run_of(server.connect(AmazonIn).as_ref(), RunKind::Payouts, PageRequest::default()).await.unwrap();
    assert_eq!(run.payouts.len(), 2);
    let [record] = run.quarantined.as_slice() else { panic!("{:?}", run.quarantined) };
    assert_eq!(
        (record.external_id.as_deref(), record.reason.as_str()),
        (Some("doc/1"), "settlement report cannot be read: report document: url is not an HTTPS URL")
    );
}

/// The token leads to the same page with the same token: as it was reported of this API.
#[tokio::test]
async fn a_token_of_transactions_that_repeats_ends_the_run() {
    let body = json!({ "payload": { "nextToken": "tok-1", "transactions": [] } });
    let server = Scripted::start(move |call, _| match call.path.as_str() {
        LIST => ok(json!({ "reports": [] }).to_string()),
        _ => ok(body.to_string()),
    })
    .await;
    let run = run_of(server.connect(AmazonIn).as_ref(), RunKind::Payouts, PageRequest::default()).await;
    assert_eq!(run.unwrap_err(), AdapterError::RepeatedPage);
    let calls = server.page_calls();
    assert_eq!(calls.iter().filter(|call| call.path == TRANSACTIONS).count(), 2);
    let second = calls.last().unwrap();
    let first = calls.iter().find(|call| call.path == TRANSACTIONS).unwrap();
    assert_eq!(second.query, format!("{}&nextToken=tok-1", first.query), "the same arguments");
}
