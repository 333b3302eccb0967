//! Responses that break the contract as a whole: which of them are temporary, which cost a token or a record, and which end
//! the run.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use kit::{Answer, Scripted, ok, run, status};
use robnu_marketplace::code::MarketplaceCode::{self, Ajio, AmazonIn, Flipkart};
use robnu_marketplace::contract::PageRequest;
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::kind::RunKind;
use serde_json::{Value, json};

/// An order that every marketplace's client can read; Flipkart's reads it as a shipment.
fn order(number: usize) -> Value {
    json!({
        "order_id": format!("FN{number}"), "order_date": 1_763_600_400, "status": "PACKED",
        "order_lines": [{ "order_item_id": "1", "ordered_quantity": 1, "unit_price": 10 }],
        "orderId": format!("FN{number}"),
        "createdTime": "2026-11-18T09:15:00Z", "lastUpdatedTime": "2026-11-18T09:15:00Z",
        "fulfillment": { "fulfillmentStatus": "UNSHIPPED" },
        "orderItems": [{
            "orderItemId": "1", "quantityOrdered": 1, "product": { "title": "Kurta" },
            "orderId": format!("FN{number}"), "orderDate": "2026-11-18T09:15:00Z", "quantity": 1, "status": "APPROVED",
        }],
        "shipmentId": format!("S{number}"), "updatedAt": "2026-11-18T09:15:00Z",
    })
}

fn page(orders: &[usize]) -> String {
    let orders: Vec<Value> = orders.iter().copied().map(order).collect();
    json!({ "orders": orders, "shipments": orders }).to_string()
}

/// What a marketplace calls the list on its pages.
fn list(code: MarketplaceCode) -> &'static str {
    if code == Flipkart { "shipments" } else { "orders" }
}

/// An Amazon page with the token of the next one.
fn page_with_token(orders: &[usize], token: &str) -> Answer {
    let orders: Vec<Value> = orders.iter().copied().map(order).collect();
    ok(json!({ "orders": orders, "pagination": { "nextToken": token } }).to_string())
}

async fn first_page(server: &Scripted, code: MarketplaceCode) -> Result<kit::Run, AdapterError> {
    let page = server.connect(code).page(RunKind::Orders, &PageRequest::default()).await?;
    let orders = kit::orders_of(&page).to_vec();
    Ok(kit::Run { orders, quarantined: page.quarantined, ..kit::Run::default() })
}

#[tokio::test]
async fn a_token_refused_inside_a_successful_response_is_renewed_once_and_the_run_goes_on() {
    for refusal in [
        json!({ "success": false, "statusCode": 401, "message": "token is invalid or expired" }),
        json!({ "success": "false", "statusCode": "401" }),
        json!({ "statusCode": 401, "orders": null }),
    ] {
        let refusal = refusal.to_string();
        let server = Scripted::start(move |call, _| {
            ok(if call.token.ends_with("-0") { refusal.clone() } else { page(&[1]) })
        })
        .await;
        let run = run(server.connect(Ajio).as_ref()).await.unwrap();
        assert_eq!((run.by_id().len(), server.token_calls().len(), server.page_calls().len()), (1, 2, 3));
    }
}

#[tokio::test]
async fn a_token_refused_again_inside_successful_responses_means_refused_credentials() {
    let refusal = json!({ "success": false, "statusCode": 401 }).to_string();
    let server = Scripted::start(move |_, _| ok(refusal.clone())).await;
    assert_eq!(run(server.connect(Ajio).as_ref()).await.unwrap_err(), AdapterError::Unauthorized);
    assert_eq!((server.token_calls().len(), server.page_calls().len()), (2, 2));
}

#[tokio::test]
async fn another_failure_inside_a_successful_response_has_its_stated_status() {
    for (code, is_passing) in [(429, true), (503, true), (400, false)] {
        let failure = json!({ "success": false, "statusCode": code }).to_string();
        let server = Scripted::start(move |_, _| ok(failure.clone())).await;
        let error = run(server.connect(Ajio).as_ref()).await.unwrap_err();
        let waits = matches!(error, AdapterError::RateLimited { .. } | AdapterError::Unavailable { .. });
        assert_eq!(waits, is_passing, "{code}: {error}");
        assert!(!matches!(error, AdapterError::Malformed { .. }), "{code}: {error}");
    }
}

#[tokio::test]
async fn an_empty_list_may_be_empty_null_or_absent_and_the_second_list_is_read() {
    let empty = [
        json!({ "orders": [], "page": { "number": 0, "totalElements": 0, "totalPages": 0 } }),
        json!({ "orders": null, "page": { "number": 0, "size": 50, "totalElements": 0, "totalPages": 0 } }),
        json!({ "page": { "number": "0", "totalElements": "0", "totalPages": "0" } }),
        json!({ "orders": null }),
    ];
    for empty in empty {
        let shown = empty.to_string();
        let body = shown.clone();
        let server = Scripted::start(move |call, _| match call.path.as_str() {
            "/orders/pendency" => ok(body.clone()),
            _ => ok(page(&[1])),
        })
        .await;
        let run = run(server.connect(Ajio).as_ref()).await;
        assert_eq!(run.map(|run| run.orders.len()), Ok(1), "{shown}");
    }
    let server =
        Scripted::start(|_, _| ok(r#"{"orders":null,"lastUpdatedBefore":"2026-11-20T11:00:00Z"}"#)).await;
    assert!(run(server.connect(AmazonIn).as_ref()).await.unwrap().orders.is_empty());
}

#[tokio::test]
async fn a_response_without_any_part_of_a_page_does_not_count_as_an_empty_page() {
    let server = Scripted::start(|_, _| ok("{}")).await;
    for code in kit::codes_with_orders() {
        let error = run(server.connect(code).as_ref()).await.unwrap_err();
        assert!(matches!(error, AdapterError::Malformed { .. }), "{error}");
    }
}

#[tokio::test]
async fn numbers_of_pages_may_be_text() {
    let server = Scripted::start(|call, _| {
        if call.path == "/orders/pendency" {
            return ok(r#"{"orders":[]}"#);
        }
        let number: usize = call.parameter("pageNumber").unwrap().parse().unwrap();
        let orders: Vec<Value> = (number * 50..(number * 50 + 50).min(120)).map(order).collect();
        let info = json!({ "number": number.to_string(), "totalElements": "120", "totalPages": "3" });
        ok(json!({ "orders": orders, "page": info }).to_string())
    })
    .await;
    let run = run(server.connect(Ajio).as_ref()).await.unwrap();
    assert_eq!((run.by_id().len(), server.page_calls().len()), (120, 4));
}

#[tokio::test]
async fn a_response_that_is_not_whole_json_is_temporary_and_one_that_breaks_the_contract_is_not() {
    for body in ["<html>oops</html>", "", "  ", "{\"orders\":[{\"orde", "{\"orders\":[]} trailing"] {
        for code in kit::codes_with_orders() {
            let server = Scripted::start(move |_, _| ok(body)).await;
            let error = first_page(&server, code).await.unwrap_err();
            assert!(matches!(error, AdapterError::Garbled { .. }), "{code} {body:?}: {error}");
        }
    }
    for body in ["{\"orders\":7}", "[]", "{\"orders\":{}}"] {
        for code in kit::codes_with_orders() {
            let body = body.replace("orders", list(code));
            let shown = body.clone();
            let server = Scripted::start(move |_, _| ok(body.clone())).await;
            let error = first_page(&server, code).await.unwrap_err();
            assert!(matches!(error, AdapterError::Malformed { .. }), "{code} {shown:?}: {error}");
        }
    }
}

#[tokio::test]
async fn what_breaks_the_contract_is_named_by_its_place_and_what_only_begins_like_json_is_garbled() {
    for (body, place) in [("7", "record"), ("{\"orders\":7}", "orders")] {
        for code in kit::codes_with_orders() {
            let body = body.replace("orders", list(code));
            let server = Scripted::start(move |_, _| ok(body.clone())).await;
            let place = place.replace("orders", list(code));
            let what = format!("page of orders: {place} does not have the type that the contract gives it");
            let error = first_page(&server, code).await.unwrap_err();
            assert_eq!(error, AdapterError::Malformed { what }, "{code}");
        }
    }
    // A proxy's words behind a number, and behind a list that would not fit either.
    for body in ["7 is the error", "{\"orders\":7} try again"] {
        for code in kit::codes_with_orders() {
            let body = body.replace("orders", list(code));
            let server = Scripted::start(move |_, _| ok(body.clone())).await;
            let error = first_page(&server, code).await.unwrap_err();
            let garbled = AdapterError::Garbled { what: "page of orders is not JSON".to_owned() };
            assert_eq!(error, garbled, "{code}");
        }
    }
}

#[tokio::test]
async fn a_bad_byte_costs_its_record_and_a_byte_order_mark_costs_nothing() {
    for code in kit::codes_with_orders() {
        let mut body = b"\xEF\xBB\xBF".to_vec();
        body.extend(page(&[1, 2, 3]).replace("FN2", "FN2 BAD").into_bytes());
        // The second order's id ends with a byte that begins no character.
        for at in 0..body.len() {
            if body[at..].starts_with(b"BAD") {
                body[at] = 0xFF;
            }
        }
        let server = Scripted::start(move |_, _| ok(body.clone())).await;
        let read = first_page(&server, code).await.unwrap();
        let ids: Vec<&str> = read.orders.iter().map(|order| order.external_order_id.as_str()).collect();
        assert_eq!(ids, ["FN1", "FN3"], "{code}");
        let [record] = read.quarantined.as_slice() else { panic!("one record is quarantined") };
        assert_eq!(record.reason, "record holds bytes that are not UTF-8");
        assert!(record.raw.contains("FN2"));
    }
}

#[tokio::test]
async fn a_replacement_character_sent_by_the_marketplace_costs_nothing() {
    let server = Scripted::start(|_, _| ok(page(&[1]).replace("Kurta", "Kurta \u{FFFD}"))).await;
    let read = first_page(&server, AmazonIn).await.unwrap();
    assert_eq!(read.orders[0].items[0].title.as_deref(), Some("Kurta \u{FFFD}"));
}

#[tokio::test]
async fn forbidden_with_a_new_token_means_not_permitted_and_asks_nobody_to_reconnect() {
    let amazon = json!({ "errors": [{ "code": "Unauthorized", "message": "no" }] }).to_string();
    for (code, body) in [
        (AmazonIn, amazon),
        (Ajio, r#"{"statusCode":403}"#.to_owned()),
        (Ajio, String::new()),
        (Flipkart, r#"{"error":"access_denied"}"#.to_owned()),
    ] {
        let server = Scripted::start(move |_, _| status(403, body.clone())).await;
        let error = run(server.connect(code).as_ref()).await.unwrap_err();
        assert!(matches!(error, AdapterError::NotPermitted { .. }), "{code}: {error}");
        assert!(error.to_string().contains("orders"), "it says what is missing: {error}");
        assert_eq!(server.token_calls().len(), 2, "one new token was asked for");
    }
}

#[tokio::test]
async fn forbidden_with_an_old_token_renews_it_and_the_run_goes_on() {
    let server = Scripted::start(|call, _| {
        if call.token.ends_with("-0") {
            return status(403, r#"{"errors":[{"code":"Unauthorized"}]}"#);
        }
        ok(page(&[1]))
    })
    .await;
    assert_eq!(run(server.connect(AmazonIn).as_ref()).await.unwrap().by_id().len(), 1);
}

#[tokio::test]
async fn pages_that_repeat_under_new_tokens_end_the_run_after_one_cycle() {
    for round in [2, 3, 5, 12] {
        let server = Scripted::start(move |_, before| {
            page_with_token(&[before % round, 100 + before % round], &format!("t{before}"))
        })
        .await;
        assert_eq!(run(server.connect(AmazonIn).as_ref()).await.unwrap_err(), AdapterError::RepeatedPage);
        assert_eq!(server.page_calls().len(), round + 1, "a cycle of {round}");
    }
}

#[tokio::test]
async fn pages_that_repeat_in_a_long_cycle_or_shuffled_end_the_run_too() {
    let server = Scripted::start(|_, before| page_with_token(&[before % 100], &format!("t{before}"))).await;
    assert_eq!(run(server.connect(AmazonIn).as_ref()).await.unwrap_err(), AdapterError::RepeatedPage);
    assert!(server.page_calls().len() <= 300, "{} calls", server.page_calls().len());
    let server = Scripted::start(|_, before| {
        let orders = if before % 2 == 0 { [1, 2] } else { [2, 1] };
        page_with_token(&orders, &format!("t{before}"))
    })
    .await;
    assert_eq!(run(server.connect(AmazonIn).as_ref()).await.unwrap_err(), AdapterError::RepeatedPage);
    assert_eq!(server.page_calls().len(), 2);
}

#[tokio::test]
async fn an_order_that_changes_while_it_is_read_may_come_again() {
    let server = Scripted::start(|_, before| {
        let mut changed = order(before % 2);
        changed["lastUpdatedTime"] = json!(format!("2026-11-18T09:15:{before:02}Z"));
        let mut page = json!({ "orders": [changed] });
        if before < 5 {
            page["pagination"] = json!({ "nextToken": format!("t{before}") });
        }
        ok(page.to_string())
    })
    .await;
    assert_eq!(run(server.connect(AmazonIn).as_ref()).await.unwrap().by_id().len(), 2);
}

#[tokio::test]
async fn ajios_pages_that_repeat_end_the_run_after_one_cycle() {
    let server = Scripted::start(|call, _| {
        if call.path == "/orders/pendency" {
            return ok(r#"{"orders":[]}"#);
        }
        let number: usize = call.parameter("pageNumber").unwrap().parse().unwrap();
        let orders: Vec<Value> = (0..50).map(|index| order(1000 * (number % 3) + index)).collect();
        ok(json!({ "orders": orders }).to_string())
    })
    .await;
    assert_eq!(run(server.connect(Ajio).as_ref()).await.unwrap_err(), AdapterError::RepeatedPage);
    assert_eq!(server.page_calls().len(), 5);
}
