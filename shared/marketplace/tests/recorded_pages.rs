//! Recorded pages in, records out. The bodies have the shape of the contracts and invented data; the expected records are
//! beside each. After an intended change, run with `UPDATE_RECORDS=1` and read the difference.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use kit::{Scripted, ok};
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::contract::{Page, PagePosition, PageRequest};
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::record::Records;
use serde_json::Value;

const AJIO_ORDERS_START: &str = r#"{"phase":"orders","page":0,"steps_back":0,"rereads":0}"#;

const AJIO_RETURNS_START: &str = r#"{"phase":"returns","page":0,"steps_back":0,"rereads":0}"#;

const AMAZON_RETURNS_DONE: &str = r#"{"from":"2026-06-10T18:30:00Z","until":"2026-08-01T10:00:00Z","second":false,"step":{"read":{"document":"D1","from":0}}}"#;

const AMAZON_TRANSACTIONS_START: &str = r#"{"reports_since":"2026-06-01T00:00:00Z","since":"2026-07-01T00:00:00Z","until":"2026-07-20T00:00:00Z",
    "step":{"transactions":{"from":"2026-07-01T00:00:00Z","walk":{"token":null,"marker":null,"pages":0,"restarted":false,
    "trail":{"recent":[],"marker":null,"pages":0}}}}}"#;

/// A page of dispatched shipments with a fixed end, because a run's own end is the time at which it begins.
const FLIPKART_START: &str = r#"{"pass":"dispatched","since":"2026-11-18T10:00:00Z","until":"2026-11-20T10:00:00Z",
    "placed":false,"from":"2026-11-19T10:00:00Z","query":null,"marker":null,"pages":0,"restarted":false,
    "trail":{"recent":[],"marker":null,"pages":0}}"#;

const FLIPKART_RETURNS_START: &str = r#"{"pass":"courier_return","since":"2026-11-18T10:00:00Z","until":"2026-11-20T10:00:00Z",
    "placed":false,"from":"2026-11-18T10:00:00Z","query":null,"marker":null,"pages":0,"restarted":false,
    "trail":{"recent":[],"marker":null,"pages":0}}"#;

async fn check(code: MarketplaceCode, kind: RunKind, name: &str, position: Option<&str>) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/pages").join(name);
    let body = std::fs::read_to_string(path.with_extension("json")).unwrap();
    // Flipkart is asked for the whole orders or returns of its page as well.
    let second = |name: &str| std::fs::read_to_string(path.with_extension(name)).ok();
    let whole = second("orders.json").or_else(|| second("whole.json")).unwrap_or_default();
    let is_second =
        |call: &kit::Call| ["orderIds", "returnIds"].iter().any(|ids| call.parameter(ids).is_some());
    let server =
        Scripted::start(move |call, _| ok(if is_second(call) { whole.clone() } else { body.clone() })).await;
    check_with(&server, code, kind, &path, position).await;
}

async fn check_with(
    server: &Scripted,
    code: MarketplaceCode,
    kind: RunKind,
    path: &Path,
    position: Option<&str>,
) {
    let position = position.map(|text| PagePosition::new(text.to_owned()));
    let request = PageRequest { position, changed_since: None, placed: None };
    let page = server.connect(code).page(kind, &request).await.unwrap();
    for (ending, actual) in [("records.txt", describe(&page)), ("raw.txt", left_out(&page))] {
        let golden = path.with_extension(ending);
        if std::env::var_os("UPDATE_RECORDS").is_some() {
            std::fs::write(&golden, &actual).unwrap();
        }
        let expected = std::fs::read_to_string(&golden).unwrap();
        assert_eq!(actual, expected, "{} differs", golden.display());
    }
}

/// The fields without a value in what is kept of the page's responses: those that are left out, and those that had none.
fn left_out(page: &Page) -> String {
    let mut text = String::new();
    for (part, raw) in (1..).zip(&page.raw) {
        let mut kept = String::new();
        flate2::read::GzDecoder::new(raw.packed()).read_to_string(&mut kept).unwrap();
        let mut paths = BTreeSet::new();
        nulls(&serde_json::from_str(&kept).unwrap(), "", &mut paths);
        writeln!(text, "response {part} has no value in").unwrap();
        for path in paths {
            writeln!(text, "  {path}").unwrap();
        }
    }
    text
}

fn nulls(value: &Value, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Value::Null => drop(found.insert(path.to_owned())),
        Value::Array(values) => values.iter().for_each(|value| nulls(value, &format!("{path}[]"), found)),
        Value::Object(fields) => {
            let separator = if path.is_empty() { "" } else { "." };
            fields.iter().for_each(|(name, value)| nulls(value, &format!("{path}{separator}{name}"), found));
        }
        _ => {}
    }
}

fn describe(page: &Page) -> String {
    let mut text = String::new();
    writeln!(text, "complete until {:?}, more {}", page.complete_until, page.next.is_some()).unwrap();
    match &page.records {
        Records::Orders(orders) => {
            for order in orders {
                writeln!(text, "{order:#?}").unwrap();
            }
        }
        Records::Returns(returns) => {
            for returned in returns {
                writeln!(text, "{returned:#?}").unwrap();
            }
        }
        Records::Payouts(parts) => {
            for part in parts {
                writeln!(text, "{part:#?}").unwrap();
            }
        }
    }
    for record in &page.quarantined {
        writeln!(text, "quarantined {}: {}", record.external_id.as_deref().unwrap_or("-"), record.reason)
            .unwrap();
    }
    text
}

#[tokio::test]
async fn ajio_orders_on_pendency_become_pending_orders_at_customer_prices() {
    check(MarketplaceCode::Ajio, RunKind::Orders, "ajio/pendency", None).await;
}

#[tokio::test]
async fn ajio_orders_keep_status_quantities_and_purchase_prices() {
    check(MarketplaceCode::Ajio, RunKind::Orders, "ajio/orders", Some(AJIO_ORDERS_START)).await;
}

#[tokio::test]
async fn amazon_orders_keep_lines_packages_and_exact_amounts() {
    check(MarketplaceCode::AmazonIn, RunKind::Orders, "amazon_in/orders", None).await;
}

#[tokio::test]
async fn ajio_returns_keep_type_status_numbers_documents_and_lines() {
    check(MarketplaceCode::Ajio, RunKind::Returns, "ajio/returns", Some(AJIO_RETURNS_START)).await;
}

#[tokio::test]
async fn amazon_returns_keep_their_rows_as_lines_and_what_cannot_be_read_is_set_aside() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/pages/amazon_in/returns");
    let report = std::fs::read(path.with_extension("txt")).unwrap();
    let server = Scripted::start(move |call, _| match call.path.as_str() {
        "/reports/2021-06-30/documents/D1" => {
            ok(format!(r#"{{"reportDocumentId":"D1","url":"http://{}/stored"}}"#, call.host))
        }
        _ => ok(report.clone()),
    })
    .await;
    let position = Some(AMAZON_RETURNS_DONE);
    check_with(&server, MarketplaceCode::AmazonIn, RunKind::Returns, &path, position).await;
}

#[tokio::test]
async fn amazon_transactions_become_entries_and_what_cannot_be_read_is_set_aside() {
    let position = Some(AMAZON_TRANSACTIONS_START);
    check(MarketplaceCode::AmazonIn, RunKind::Payouts, "amazon_in/transactions", position).await;
}

#[tokio::test]
async fn flipkart_shipments_become_whole_orders() {
    check(MarketplaceCode::Flipkart, RunKind::Orders, "flipkart/shipments", Some(FLIPKART_START)).await;
}

#[tokio::test]
async fn flipkart_returns_keep_source_numbers_dates_and_items() {
    check(MarketplaceCode::Flipkart, RunKind::Returns, "flipkart/returns", Some(FLIPKART_RETURNS_START))
        .await;
}
