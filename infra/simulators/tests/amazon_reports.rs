//! The simulated reports of returns as a client sees them: made on request, downloaded without a token, and true to the book.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod support;

use std::io::Read;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use simulators::{Fault, FaultKind, Malformation, Marketplace, Quota, Simulator, SimulatorConfig};
use support::{Answer, amazon_token, book, config, control, send, start};

const REPORTS: &str = "/reports/2021-06-30/reports";
const DOWNLOADS: &str = "/report-documents";

fn get(simulator: &Simulator, token: &str, path: &str) -> Answer {
    let url = format!("{}{path}", simulator.amazon_base_url());
    send("GET", &url, &[("x-amz-access-token", token)], "")
}

fn ago(days: i64) -> DateTime<Utc> {
    Utc::now() - TimeDelta::days(days)
}

fn order(from: DateTime<Utc>, until: DateTime<Utc>) -> Value {
    let instant = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Secs, true);
    json!({
        "reportType": "GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE", "marketplaceIds": ["A21TJRUUN4KGV"],
        "dataStartTime": instant(from), "dataEndTime": instant(until),
    })
}

fn create(simulator: &Simulator, token: &str, order: &Value) -> Answer {
    let url = format!("{}{REPORTS}", simulator.amazon_base_url());
    let headers = [("x-amz-access-token", token), ("content-type", "application/json")];
    send("POST", &url, &headers, &order.to_string())
}

fn created(simulator: &Simulator, token: &str, from: i64, until: i64) -> String {
    let answer = create(simulator, token, &order(ago(from), ago(until)));
    assert_eq!(answer.status, 202, "{}", answer.text());
    answer.json()["reportId"].as_str().unwrap().to_owned()
}

/// Looks until the report is no longer under way; returns all statuses and the last response.
fn looked(simulator: &Simulator, token: &str, report: &str) -> (Vec<String>, Value) {
    let mut statuses = Vec::new();
    loop {
        let body = get(simulator, token, &format!("{REPORTS}/{report}")).json();
        statuses.push(body["processingStatus"].as_str().unwrap().to_owned());
        assert!(statuses.len() < 20, "{statuses:?}");
        if !["IN_QUEUE", "IN_PROGRESS"].contains(&statuses.last().unwrap().as_str()) {
            return (statuses, body);
        }
    }
}

fn located(simulator: &Simulator, token: &str, report: &str) -> String {
    let document = looked(simulator, token, report).1["reportDocumentId"].as_str().unwrap().to_owned();
    let answer = get(simulator, token, &format!("/reports/2021-06-30/documents/{document}"));
    assert_eq!(answer.json()["compressionAlgorithm"], "GZIP", "{}", answer.text());
    answer.json()["url"].as_str().unwrap().to_owned()
}

/// Downloads a document: its rows, each with its cells, without the header.
fn downloaded(url: &str) -> Vec<Vec<String>> {
    let answer = send("GET", url, &[], "");
    assert_eq!(answer.status, 200);
    let mut text = String::new();
    GzDecoder::new(answer.body.as_slice()).read_to_string(&mut text).unwrap();
    let rows = text.lines().skip(1);
    rows.map(|row| row.split('\t').map(str::to_owned).collect()).collect()
}

/// Columns of a row that tell returns apart: RMA, quantity, type, date of delivery, refund.
fn brief(row: &[String]) -> String {
    format!("{} {} {} {} {}", row[4], row[17], row[20], if row[23].is_empty() { "-" } else { "+" }, row[31])
}

/// A row of a book that was bought so many days ago.
fn bought(order_id: &str, days_ago: i64, status: &str, fulfilment: &str) -> String {
    let date = ago(days_ago).format("%Y-%m-%d");
    format!("{order_id},{date},{status},{fulfilment},Standard,Shirt,Cash,M,,100.25,1,INR,PUNE,411001,false")
}

fn with_book(rows: &[String]) -> SimulatorConfig {
    let mut config = config();
    config.amazon.default_book = book(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    config
}

#[test]
fn a_report_is_ready_after_two_looks_and_states_what_the_seller_ships_and_gets_back() {
    let delivered = "Shipped - Delivered to Buyer";
    let simulator = start(&with_book(&[
        bought("402-1000001-0000002", 20, delivered, "Merchant"),
        bought("402-1000001-0000002", 20, delivered, "Merchant"),
        bought("402-1000001-0000003", 20, delivered, "Merchant"),
        bought("402-1000001-0000007", 20, delivered, "Amazon"),
        bought("402-1000001-0000008", 20, "Shipped - Returned to Seller", "Merchant"),
        bought("402-1000001-0000009", 9, "Shipped - Rejected by Buyer", "Merchant"),
        bought("402-1000001-0000012", 9, delivered, "Merchant"),
        bought("402-1000001-0000022", 100, delivered, "Merchant"),
    ]));
    let token = amazon_token(&simulator, "Atzr|a");
    let report = created(&simulator, &token, 59, 0);
    let url = located(&simulator, &token, &report);
    let (statuses, _) = looked(&simulator, &token, &created(&simulator, &token, 59, 0));
    assert_eq!(statuses, ["IN_QUEUE", "IN_PROGRESS", "DONE"]);
    let rows: Vec<String> = downloaded(&url).iter().map(|row| brief(row)).collect();
    assert_eq!(
        rows,
        [
            "D40210000010000002RRMA 1 C-Returns + 100.25",
            "D40210000010000002RRMA 1 C-Returns + 100.25",
            "D40210000010000008RRMA 1 Undeliverable + 0",
            "D40210000010000009RRMA 1 Rejected - 0",
            "D40210000010000012RRMA 1 C-Returns - 0",
        ]
    );
}

#[test]
fn a_document_stays_as_it_is_and_a_later_report_knows_more() {
    let simulator =
        start(&with_book(&[bought("402-1000001-0000012", 9, "Shipped - Delivered to Buyer", "Merchant")]));
    let token = amazon_token(&simulator, "Atzr|a");
    let report = created(&simulator, &token, 59, 0);
    let before = downloaded(&located(&simulator, &token, &report));
    assert_eq!(brief(&before[0]), "D40210000010000012RRMA 1 C-Returns - 0");
    simulator.advance_clock(Duration::from_hours(8 * 24));
    let token = amazon_token(&simulator, "Atzr|a");
    assert_eq!(downloaded(&located(&simulator, &token, &report)), before);
    let after = downloaded(&located(&simulator, &token, &created(&simulator, &token, 59, 0)));
    assert_eq!(brief(&after[0]), "D40210000010000012RRMA 1 C-Returns + 100.25");
}

#[test]
fn a_report_without_rows_is_cancelled_and_old_returns_are_dated_within_the_last_months() {
    let simulator = start(&config());
    let token = amazon_token(&simulator, "Atzr|a");
    let (statuses, body) = looked(&simulator, &token, &created(&simulator, &token, 400, 341));
    assert_eq!((statuses.last().unwrap().as_str(), &body["reportDocumentId"]), ("CANCELLED", &Value::Null));
    let mut rows = 0;
    for from in [180, 121, 62] {
        let report = created(&simulator, &token, from, (from - 59).max(0));
        if looked(&simulator, &token, &report).0.last().unwrap() == "DONE" {
            rows += downloaded(&located(&simulator, &token, &report)).len();
        }
    }
    assert_eq!(rows, 4, "two lines of one order and two parcels that never arrived");
}

#[test]
fn a_url_takes_no_token_and_expires_and_so_do_reports() {
    let simulator = start(&config());
    let token = amazon_token(&simulator, "Atzr|a");
    let report = (0..3)
        .map(|part| created(&simulator, &token, 178 - part * 59, (119 - part * 59).max(0)))
        .find(|report| looked(&simulator, &token, report).0.last().unwrap() == "DONE")
        .unwrap();
    let url = located(&simulator, &token, &report);
    let sent = send("GET", &url, &[("x-amz-access-token", &token)], "");
    assert_eq!((sent.status, &sent.json()["errors"][0]["code"]), (400, &json!("TokenSent")));
    assert_eq!(send("GET", &url, &[("authorization", "Bearer x")], "").status, 400);
    assert_eq!(send("GET", &format!("{url}0"), &[], "").status, 403);
    simulator.advance_clock(Duration::from_secs(299));
    assert_eq!(send("GET", &url, &[], "").status, 200);
    simulator.advance_clock(Duration::from_secs(2));
    assert_eq!(send("GET", &url, &[], "").status, 403);
    simulator.advance_clock(Duration::from_hours(90 * 24));
    let token = amazon_token(&simulator, "Atzr|a");
    assert_eq!(get(&simulator, &token, &format!("{REPORTS}/{report}")).status, 404);
}

#[test]
fn reports_belong_to_their_account_and_a_bad_order_is_refused() {
    let simulator = start(&config());
    let token = amazon_token(&simulator, "Atzr|a");
    let report = created(&simulator, &token, 59, 0);
    let stranger = amazon_token(&simulator, "Atzr|b");
    assert_eq!(get(&simulator, &stranger, &format!("{REPORTS}/{report}")).status, 404);
    assert_eq!(get(&simulator, "nobody", &format!("{REPORTS}/{report}")).status, 403);
    let document = looked(&simulator, &token, &report).1["reportDocumentId"].clone();
    let path = format!("/reports/2021-06-30/documents/{}", document.as_str().unwrap_or("none"));
    assert_eq!(get(&simulator, &stranger, &path).status, 404);
    let with = |name: &str, value: Value| {
        let mut order = order(ago(59), ago(0));
        order[name] = value;
        order
    };
    for order in [
        order(ago(62), ago(1)),
        order(ago(1), ago(-1)),
        order(ago(1), ago(2)),
        with("reportType", json!("GET_OTHER")),
        with("marketplaceIds", json!(["A1VC38T7YXB528"])),
        with("dataStartTime", json!("yesterday")),
        json!({}),
    ] {
        assert_eq!(create(&simulator, &token, &order).status, 400, "{order}");
    }
}

#[test]
fn every_operation_has_a_quota_and_the_ledger_shows_no_ids() {
    let mut config = config();
    config.amazon.create_report = Quota { rate: 0.0167, burst: 2 };
    config.amazon.get_report = Quota { rate: 0.1, burst: 4 };
    let simulator = start(&config);
    let token = amazon_token(&simulator, "Atzr|a");
    let report = created(&simulator, &token, 59, 0);
    created(&simulator, &token, 59, 0);
    assert_eq!(create(&simulator, &token, &order(ago(59), ago(0))).status, 429);
    looked(&simulator, &token, &report);
    assert_eq!(get(&simulator, &token, &format!("{REPORTS}/{report}")).status, 200);
    assert_eq!(get(&simulator, &token, &format!("{REPORTS}/{report}")).status, 429);
    let ledger = simulator.ledger();
    assert_eq!(ledger.requests_with_status(Marketplace::Amazon, REPORTS, 202), 2);
    assert_eq!(ledger.requests(Marketplace::Amazon, &format!("{REPORTS}/{{reportId}}")), 5);
    assert_eq!(ledger.requests(Marketplace::Amazon, DOWNLOADS), 0);
}

#[test]
fn a_report_fails_on_demand_and_its_rows_can_be_spoilt() {
    let delivered = "Shipped - Delivered to Buyer";
    let simulator = start(&with_book(&[
        bought("402-1000001-0000002", 20, delivered, "Merchant"),
        bought("402-1000001-0000012", 20, delivered, "Merchant"),
    ]));
    let token = amazon_token(&simulator, "Atzr|a");
    let fault = |path: &str, kind| Fault::new(Marketplace::Amazon, path, kind).times(1);
    simulator.add_fault(fault(REPORTS, FaultKind::FatalReport).for_method("GET"));
    let report = created(&simulator, &token, 59, 0);
    assert_eq!(looked(&simulator, &token, &report).0, ["FATAL"]);
    assert_eq!(looked(&simulator, &token, &report).0, ["FATAL"], "it stays so");
    control(&simulator, "PUT", "/amazon/reports", &json!({ "looks": 0 }));
    let report = created(&simulator, &token, 59, 0);
    assert_eq!(looked(&simulator, &token, &report).0, ["DONE"]);
    let spoilt = |kind| {
        simulator.add_fault(fault(DOWNLOADS, kind));
        downloaded(&located(&simulator, &token, &report))
    };
    let malformed = |malformation| FaultKind::Malformed { malformation, record: 1 };
    assert_eq!(spoilt(malformed(Malformation::BadAmount))[1][31], "12.3.4");
    assert_eq!(spoilt(malformed(Malformation::FiveDecimals))[1][31], "648.37125");
    assert_eq!(spoilt(malformed(Malformation::MissingField { field: None }))[1][4], "");
    let field = Some("Return quantity".to_owned());
    assert_eq!(spoilt(malformed(Malformation::MissingField { field }))[1][17], "");
    assert_eq!((spoilt(FaultKind::ShortPage).len(), spoilt(FaultKind::EmptyPage).len()), (1, 0));
}
