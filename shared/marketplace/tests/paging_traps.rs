//! Paging traps and responses that only a scripted stand-in can produce.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::time::Duration;

use kit::{Answer, Call, Scripted, ok, run, run_from, status};
use robnu_marketplace::code::MarketplaceCode::{Ajio, AmazonIn, Flipkart};
use robnu_marketplace::contract::{PagePosition, PageRequest};
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::registry::{MarketplaceConfig, Registry};
use serde_json::{Value, json};
use uuid::Uuid;

fn ajio_order(number: u64) -> Value {
    json!({
        "order_id": format!("FN{number:010}"), "order_date": 1_763_600_400, "status": "PACKED",
        "order_lines": [{ "order_item_id": format!("FN{number:010}-1"), "ordered_quantity": 1, "unit_price": 1 }],
    })
}

/// A page of AJIO orders with the given numbers, from a list of `total`.
fn ajio_page(page: u64, numbers: impl Iterator<Item = u64>, total: u64) -> Answer {
    let orders: Vec<Value> = numbers.map(ajio_order).collect();
    let info =
        json!({ "number": page, "size": 50, "totalElements": total, "totalPages": total.div_ceil(50) });
    ok(json!({ "orders": orders, "page": info }).to_string())
}

fn page_number(call: &Call) -> u64 {
    call.parameter("pageNumber").unwrap().parse().unwrap()
}

fn amazon_order(number: usize) -> Value {
    json!({
        "orderId": format!("405-{number:07}-0000001"),
        "createdTime": "2026-11-18T09:15:00Z", "lastUpdatedTime": "2026-11-18T09:15:00Z",
        "fulfillment": { "fulfillmentStatus": "UNSHIPPED" },
        "orderItems": [{ "orderItemId": "1", "quantityOrdered": 1, "product": {} }],
    })
}

fn amazon_page(orders: &[usize], next_token: Option<&str>) -> Answer {
    let orders: Vec<Value> = orders.iter().copied().map(amazon_order).collect();
    let mut page = json!({ "orders": orders, "lastUpdatedBefore": "2026-11-20T11:00:00Z" });
    if let Some(token) = next_token {
        page["pagination"] = json!({ "nextToken": token });
    }
    ok(page.to_string())
}

#[tokio::test]
async fn orders_that_move_up_a_page_while_the_list_shrinks_are_not_missed() {
    // There are 170 orders. After two pages the first ten leave, so that orders 100 to 109 move from page 2 to page 1.
    let server = Scripted::start(|call, before| {
        if call.path == "/orders/pendency" {
            return ajio_page(0, 0..0, 0);
        }
        let page = page_number(call);
        let gone = if before <= 2 { 0 } else { 10 };
        let numbers = (gone + page * 50..(gone + page * 50 + 50).min(170)).take(50);
        ajio_page(page, numbers, 170 - gone)
    })
    .await;
    let run = run(server.connect(Ajio).as_ref()).await.unwrap();
    assert_eq!(run.by_id().len(), 170);
}

#[tokio::test]
async fn a_list_that_shrinks_below_the_asked_page_ends_without_a_repeat() {
    let server = Scripted::start(|call, before| {
        if call.path == "/orders/pendency" {
            return ajio_page(0, 0..0, 0);
        }
        let page = page_number(call);
        if before == 1 { ajio_page(page, 0..50, 60) } else { ajio_page(page, (page * 50).min(20)..20, 20) }
    })
    .await;
    let run = run(server.connect(Ajio).as_ref()).await.unwrap();
    assert_eq!(run.by_id().len(), 50);
}

#[tokio::test]
async fn without_page_numbers_a_page_that_is_not_full_is_the_last() {
    let server = Scripted::start(|call, _| {
        let orders: Vec<Value> = match (call.path.as_str(), page_number(call)) {
            ("/orders/pendency", _) => Vec::new(),
            (_, page) => (page * 50..(page * 50 + 50).min(70)).map(ajio_order).collect(),
        };
        ok(json!({ "orders": orders }).to_string())
    })
    .await;
    let run = run(server.connect(Ajio).as_ref()).await.unwrap();
    assert_eq!((run.by_id().len(), server.page_calls().len()), (70, 3));
}

#[tokio::test]
async fn a_server_that_ignores_the_page_number_ends_the_run() {
    let server = Scripted::start(|_, _| ajio_page(0, 0..50, 500)).await;
    let error = run(server.connect(Ajio).as_ref()).await.unwrap_err();
    assert_eq!((error, server.page_calls().len()), (AdapterError::RepeatedPage, 2));
}

#[tokio::test]
async fn page_tokens_are_encoded_and_sent_beside_unchanged_parameters() {
    let server = Scripted::start(|_, before| match before {
        0 => amazon_page(&[1], Some("a+b/c=&d e")),
        _ => amazon_page(&[2], None),
    })
    .await;
    let since = "2026-11-19T23:59:59.750Z".parse().unwrap();
    let request = PageRequest { position: None, changed_since: Some(since), placed: None };
    run_from(server.connect(AmazonIn).as_ref(), request).await.unwrap();
    let calls = server.page_calls();
    let (first, second) = (&calls[0], &calls[1]);
    assert_eq!(second.query, format!("{}&paginationToken=a%2Bb%2Fc%3D%26d+e", first.query));
    assert_eq!(first.parameter("lastUpdatedAfter"), Some("2026-11-19T23%3A59%3A59Z"));
    assert_eq!(first.parameter("marketplaceIds"), Some("A21TJRUUN4KGV"));
    assert_eq!(first.parameter("maxResultsPerPage"), Some("100"));
}

#[tokio::test]
async fn page_tokens_that_form_a_cycle_end_the_run() {
    let tokens = ["a", "b", "c"];
    let server = Scripted::start(move |_, before| amazon_page(&[before], Some(tokens[before % 3]))).await;
    let error = run(server.connect(AmazonIn).as_ref()).await.unwrap_err();
    assert_eq!(error, AdapterError::RepeatedPage);
    assert!(server.page_calls().len() < 10);
}

#[tokio::test]
async fn the_same_orders_under_a_new_token_end_the_run() {
    let server = Scripted::start(|_, before| amazon_page(&[1, 2], Some(&format!("token-{before}")))).await;
    let error = run(server.connect(AmazonIn).as_ref()).await.unwrap_err();
    assert_eq!((error, server.page_calls().len()), (AdapterError::RepeatedPage, 2));
}

#[tokio::test]
async fn the_last_version_of_an_order_that_comes_twice_is_kept() {
    let mut later = amazon_order(1);
    later["fulfillment"]["fulfillmentStatus"] = json!("CANCELLED");
    let page = json!({ "orders": [amazon_order(1), amazon_order(2), later] }).to_string();
    let server = Scripted::start(move |_, _| ok(page.clone())).await;
    let run = run(server.connect(AmazonIn).as_ref()).await.unwrap();
    let statuses: Vec<&str> = run.orders.iter().map(|order| order.marketplace_status.as_str()).collect();
    assert_eq!(statuses, ["UNSHIPPED", "CANCELLED"]);
}

#[tokio::test]
async fn a_page_without_its_list_of_orders_is_malformed() {
    for (code, list) in [(Ajio, "orders"), (AmazonIn, "orders"), (Flipkart, "shipments")] {
        let server = Scripted::start(|_, _| ok("{}")).await;
        let error = run(server.connect(code).as_ref()).await.unwrap_err();
        assert_eq!(error, AdapterError::Malformed { what: format!("page of orders: {list} is missing") });
    }
}

#[tokio::test]
async fn a_body_beyond_sixteen_megabytes_is_not_read_to_its_end() {
    let server = Scripted::start(|_, _| ok(" ".repeat(17 * 1024 * 1024))).await;
    let error = run(server.connect(Ajio).as_ref()).await.unwrap_err();
    assert_eq!(error, AdapterError::Malformed { what: "body is larger than 16 MiB".to_owned() });
}

#[tokio::test]
async fn a_body_of_sixteen_megabytes_is_read() {
    let mut body = br#"{"orders":[]}"#.to_vec();
    body.resize(16_777_216, b' ');
    let server = Scripted::start(move |_, _| ok(body.clone())).await;
    assert!(run(server.connect(AmazonIn).as_ref()).await.unwrap().orders.is_empty());
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let server = Scripted::start(|_, _| Answer {
        status: 302,
        headers: vec![("location", "http://127.0.0.1:9/elsewhere".to_owned())],
        body: Vec::new(),
    })
    .await;
    let error = run(server.connect(Ajio).as_ref()).await.unwrap_err();
    assert_eq!(error, AdapterError::Rejected { status: 302, code: None });
}

#[tokio::test]
async fn a_server_that_says_nothing_is_unavailable_when_the_time_is_up() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let config = MarketplaceConfig {
        ajio_base_url: Some(format!("http://{}", silent.local_addr().unwrap())),
        total_timeout: Duration::from_millis(100),
        ..Default::default()
    };
    let registry = Registry::new(&config).unwrap();
    let connection = kit::connect(&registry, Ajio, Uuid::nil(), &kit::details(Ajio));
    let error = connection.check_credentials().await.unwrap_err();
    assert_eq!(error, AdapterError::Unavailable { what: "timed out".to_owned(), retry_after: None });
}

#[tokio::test]
async fn amazons_refusals_are_distinguished_from_other_forbidden_calls() {
    let body = |code: &str| json!({ "errors": [{ "code": code, "message": "no" }] }).to_string();
    for (code, expected) in [
        ("Unauthorized", AdapterError::NotPermitted { what: "read orders (searchOrders and getOrder)" }),
        ("ExpiredToken", AdapterError::Unauthorized),
        (
            "InvalidSignature",
            AdapterError::Rejected { status: 403, code: Some("InvalidSignature".to_owned()) },
        ),
    ] {
        let answer = body(code);
        let server = Scripted::start(move |_, _| status(403, answer.clone())).await;
        assert_eq!(run(server.connect(AmazonIn).as_ref()).await.unwrap_err(), expected);
    }
}

#[tokio::test]
async fn a_login_refused_inside_a_successful_response_is_still_refused() {
    let refusal = json!({ "success": false, "statusCode": 401, "message": "no" }).to_string();
    let server = Scripted::start_with_tokens(move |_, _| ok(refusal.clone()), |_, _| ok("{}")).await;
    assert_eq!(server.connect(Ajio).check_credentials().await, Err(AdapterError::Unauthorized));
}

#[tokio::test]
async fn an_unreadable_stored_position_is_an_error_that_says_so() {
    for code in kit::codes_with_orders() {
        let server = Scripted::start(|_, _| ok("{}")).await;
        let position = Some(PagePosition::new("{\"page\":".to_owned()));
        let request = PageRequest { position, changed_since: None, placed: None };
        let error = server.connect(code).page(RunKind::Orders, &request).await.unwrap_err();
        let what = "stored page position cannot be read".to_owned();
        assert_eq!(error, AdapterError::Malformed { what });
        assert!(server.page_calls().is_empty());
    }
}

#[tokio::test]
async fn accounts_never_share_a_token_and_rotated_credentials_fetch_their_own() {
    let server = Scripted::start(|call, _| match call.path.as_str() {
        "/orders/pendency" => ajio_page(0, 0..0, 0),
        _ => amazon_page(&[], None),
    })
    .await;
    let registry = Registry::new(&kit::config(server.base_url())).unwrap();
    let mut rotated = kit::details(Ajio);
    rotated.insert("password".to_owned(), "rotated".to_owned());
    let one = Uuid::from_u128(1);
    for (account, details) in [
        (one, kit::details(Ajio)),
        (one, kit::details(Ajio)),
        (Uuid::from_u128(2), kit::details(Ajio)),
        (one, rotated),
    ] {
        let connection = kit::connect(&registry, Ajio, account, &details);
        connection.page(RunKind::Orders, &PageRequest::default()).await.unwrap();
    }
    let tokens: Vec<String> = server.page_calls().into_iter().map(|call| call.token).collect();
    assert_eq!(tokens[0], tokens[1]);
    assert_eq!(server.token_calls().len(), 3);
    assert!(tokens[2] != tokens[0] && tokens[3] != tokens[0] && tokens[3] != tokens[2]);
}
