//! Odd responses of Amazon's Reports API and of the host of its documents, from a stand-in.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::fmt::Write as _;

use kit::{Answer, Call, Scripted, connect_to, ok, returns_of, run_of, status};
use robnu_marketplace::code::MarketplaceCode::AmazonIn;
use robnu_marketplace::contract::{Page, PagePosition, PageRequest};
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::kind::RunKind;
use serde_json::json;

const HEADER: &str = "Order ID\tReturn request date\tReturn request status\tAmazon RMA ID\tMerchant SKU\tReturn quantity\tReturn type\tReturn delivery date";

const SECRET: &str = "signature-hush";

/// A report with so many returns.
fn report(returns: usize) -> String {
    let mut text = format!("{HEADER}\n");
    for number in 0..returns {
        writeln!(text, "402-0000001-{number:07}\t08-Jul-2026\tApproved\tD{number}\tS\t1\tC-Returns\t")
            .unwrap();
    }
    text
}

fn at(step: &serde_json::Value) -> PageRequest {
    let position = json!({
        "from": "2026-06-10T18:30:00Z", "until": "2026-08-01T10:00:00Z", "second": false, "step": step,
    });
    PageRequest { position: Some(PagePosition::new(position.to_string())), ..PageRequest::default() }
}

fn reading() -> PageRequest {
    at(&json!({ "read": { "document": "D1", "from": 0 } }))
}

fn looking() -> PageRequest {
    at(&json!({ "look": { "report": "R1", "asked_at": chrono::Utc::now() } }))
}

/// An API that sends its client to `host` for the document.
async fn api(host: Option<String>) -> Scripted {
    Scripted::start(move |call, _| {
        let host = host.clone().unwrap_or_else(|| format!("http://{}", call.host));
        ok(json!({ "reportDocumentId": "D1", "url": format!("{host}/stored?{SECRET}") }).to_string())
    })
    .await
}

/// Reads a document that another host stores, and returns what that host was sent.
async fn read(
    stored: impl Fn(&Call) -> Answer + Send + Sync + 'static,
) -> (Result<Page, AdapterError>, Vec<Call>) {
    let host = Scripted::start(move |call, _| stored(call)).await;
    let api = api(Some(host.base_url().to_owned())).await;
    let page = api.connect(AmazonIn).page(RunKind::Returns, &reading()).await;
    if let Err(error) = &page {
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hush") && !shown.contains("127.0.0.1"), "{shown}");
    }
    assert!(api.page_calls().iter().all(|call| call.token.starts_with(kit::TOKEN)));
    (page, host.page_calls())
}

#[tokio::test]
async fn the_host_of_a_document_is_sent_no_token_and_the_url_is_nowhere_shown() {
    let (page, calls) = read(|_| ok(report(3))).await;
    let page = page.unwrap();
    assert_eq!(returns_of(&page).len(), 3);
    let [call] = calls.as_slice() else { panic!("one call: {calls:?}") };
    assert_eq!((call.path.as_str(), call.query.as_str(), call.token.as_str()), ("/stored", SECRET, ""));
    assert!(!format!("{page:?}").contains("hush"));
}

#[tokio::test]
async fn a_position_holds_no_url() {
    let host = Scripted::start(|_, _| ok(report(2_500))).await;
    let api = api(Some(host.base_url().to_owned())).await;
    let page = api.connect(AmazonIn).page(RunKind::Returns, &reading()).await.unwrap();
    let next = page.next.unwrap();
    assert!(!next.as_str().contains("hush") && !next.as_str().contains("http"), "{}", next.as_str());
}

#[tokio::test]
async fn a_refusal_by_the_host_of_a_document_says_nothing_about_the_account() {
    for number in [301, 302, 400, 401, 403, 404, 410, 500, 503] {
        let (page, calls) = read(move |call| Answer {
            status: number,
            headers: vec![("location", format!("http://{}/elsewhere", call.host))],
            body: SECRET.into(),
        })
        .await;
        assert!(matches!(page, Err(AdapterError::Unavailable { .. })), "{number}: {page:?}");
        assert_eq!(calls.len(), 1, "{number}: a redirect is not followed");
    }
    let (page, _) = read(|_| status(429, "")).await;
    assert!(matches!(page, Err(AdapterError::RateLimited { .. })), "{page:?}");
}

#[tokio::test]
async fn a_document_over_sixty_four_mebibytes_is_refused() {
    let (page, _) = read(|_| ok(vec![b'a'; 64 * 1024 * 1024 + 1])).await;
    let what = "body is larger than 64 MiB".to_owned();
    assert_eq!(page.unwrap_err(), AdapterError::Malformed { what });
}

#[tokio::test]
async fn a_document_elsewhere_than_at_https_or_beside_a_stand_in_is_not_fetched() {
    for host in ["http://documents.example.com", "ftp://127.0.0.1", "http://user:word@127.0.0.1", "hush"] {
        let api = api(Some(host.to_owned())).await;
        let error = api.connect(AmazonIn).page(RunKind::Returns, &reading()).await.unwrap_err();
        let what = "report document: url is not an HTTPS URL".to_owned();
        assert_eq!(error, AdapterError::Malformed { what }, "{host}");
    }
}

#[tokio::test]
async fn a_large_report_is_read_in_pages_of_two_thousand_returns() {
    let server = Scripted::start(|call, _| match call.path.as_str() {
        "/stored" => ok(report(4_500)),
        _ => ok(json!({ "url": format!("http://{}/stored", call.host) }).to_string()),
    })
    .await;
    let connection = connect_to(server.base_url(), AmazonIn);
    let run = run_of(connection.as_ref(), RunKind::Returns, reading()).await.unwrap();
    let pages: Vec<usize> = run.pages.iter().map(|page| returns_of(page).len()).collect();
    assert_eq!(pages, [2_000, 2_000, 500]);
    let numbers: Vec<String> = (0..4_500).map(|number| format!("D{number}")).collect();
    assert!(run.returns.iter().map(|it| &it.external_return_id).eq(&numbers));
    assert!(run.pages[2].complete_until.is_some() && run.pages[1].complete_until.is_none());
}

#[tokio::test]
async fn a_missing_column_is_named_and_a_document_without_rows_is_an_empty_one() {
    let (page, _) = read(|_| ok(report(2).replace("Merchant SKU", "SKU"))).await;
    let what = "report of returns: column Merchant SKU is missing".to_owned();
    assert_eq!(page.unwrap_err(), AdapterError::Malformed { what });
    let (page, _) = read(|_| ok(report(0))).await;
    assert!(returns_of(&page.unwrap()).is_empty());
    let (page, _) = read(|_| ok("")).await;
    assert!(matches!(page, Err(AdapterError::Garbled { .. })), "{page:?}");
}

#[tokio::test]
async fn a_byte_that_is_not_utf_8_costs_its_return() {
    let (page, _) = read(|_| {
        let mut body = report(3).into_bytes();
        let at = body.windows(6).position(|part| part == b"\tD1\tS\t").unwrap();
        body[at + 4] = 0xE9;
        ok(body)
    })
    .await;
    let page = page.unwrap();
    let ids: Vec<&str> = returns_of(&page).iter().map(|it| it.external_return_id.as_str()).collect();
    assert_eq!(ids, ["D0", "D2"]);
    let [record] = page.quarantined.as_slice() else { panic!("one record is quarantined") };
    assert_eq!(record.reason, "record holds bytes that are not UTF-8");
    assert_eq!(record.external_id.as_deref(), Some("D1"));
}

#[tokio::test]
async fn a_report_that_breaks_the_contract_ends_the_run_and_says_where() {
    for (body, what) in [
        (r#"{"processingStatus":"DONE"}"#, "report: reportDocumentId is missing"),
        (
            r#"{"processingStatus":"PAUSED"}"#,
            "report: processingStatus is none of those that the contract lists",
        ),
        ("{}", "report: processingStatus is missing"),
    ] {
        let server = Scripted::start(move |_, _| ok(body)).await;
        let error = server.connect(AmazonIn).page(RunKind::Returns, &looking()).await.unwrap_err();
        assert_eq!(error, AdapterError::Malformed { what: what.to_owned() });
    }
}

#[tokio::test]
async fn a_report_is_asked_for_with_its_type_its_marketplace_and_its_span() {
    let server = Scripted::start(|_, _| status(202, r#"{"reportId":50001}"#)).await;
    let page = server.connect(AmazonIn).page(RunKind::Returns, &at(&json!("ask"))).await.unwrap();
    let call = &server.page_calls()[0];
    assert_eq!(call.path, "/reports/2021-06-30/reports");
    let expected = json!({
        "reportType": "GET_FLAT_FILE_RETURNS_DATA_BY_RETURN_DATE", "marketplaceIds": ["A21TJRUUN4KGV"],
        "dataStartTime": "2026-06-10T18:30:00Z", "dataEndTime": "2026-08-01T10:00:00Z",
    });
    assert_eq!(serde_json::from_str::<serde_json::Value>(&call.body).unwrap(), expected);
    assert!(page.next.unwrap().as_str().contains("50001"));
}
