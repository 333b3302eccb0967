//! The control endpoints, for users that do not link this crate.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod support;

use serde_json::json;
use support::{SEARCH, ajio_get, ajio_token, amazon_token, config, control, csv, row, search, start};

#[test]
fn the_health_endpoint_answers() {
    let simulator = start(&config());
    assert_eq!(control(&simulator, "GET", "/health", &json!(null)).json(), json!({ "status": "ok" }));
}

#[test]
fn faults_are_set_listed_and_cleared() {
    let simulator = start(&config());
    let token = ajio_token(&simulator, "DV1");
    let faults = [
        json!({ "marketplace": "ajio", "path": "/orders", "kind": "status", "status": 503, "count": 1 }),
        json!({ "marketplace": "ajio", "path": "/orders", "kind": "hang", "millis": 1, "account": "DV1" }),
        json!({
            "marketplace": "ajio", "path": "/orders", "kind": "malformed", "malformation": "missing_field",
            "field": "order_id", "record": 0,
        }),
        json!({ "marketplace": "amazon", "kind": "reject_credentials", "after": 3 }),
    ];
    for fault in &faults {
        assert_eq!(control(&simulator, "POST", "/faults", fault).status, 200, "{fault}");
    }
    assert_eq!(control(&simulator, "GET", "/faults", &json!(null)).json().as_array().unwrap().len(), 4);
    assert_eq!(ajio_get(&simulator, &token, "/orders").status, 503);
    assert!(ajio_get(&simulator, &token, "/orders").json()["orders"][0]["order_id"].is_null());
    assert_eq!(control(&simulator, "DELETE", "/faults", &json!(null)).json(), json!([]));
    assert!(ajio_get(&simulator, &token, "/orders").json()["orders"][0]["order_id"].is_string());
    let unknown = json!({ "marketplace": "ajio", "kind": "explode" });
    assert_eq!(control(&simulator, "POST", "/faults", &unknown).status, 422);
}

#[test]
fn the_ledger_is_read_and_reset() {
    let simulator = start(&config());
    ajio_token(&simulator, "DV1");
    let ledger = control(&simulator, "GET", "/ledger", &json!(null)).json();
    let line = json!({
        "marketplace": "ajio", "account": "DV1", "method": "POST", "path": "/authToken", "status": 200,
        "requests": 1, "orders_served": 0,
    });
    assert_eq!(ledger["lines"], json!([line]));
    assert_eq!(ledger["tokens_issued"], json!([{ "marketplace": "ajio", "account": "DV1", "tokens": 1 }]));
    assert_eq!(control(&simulator, "DELETE", "/ledger", &json!(null)).json()["lines"], json!([]));
}

#[test]
fn tokens_expire_at_once_or_with_the_clock() {
    let simulator = start(&config());
    let token = ajio_token(&simulator, "DV1");
    control(&simulator, "POST", "/tokens/expire", &json!({ "marketplace": "ajio", "account": "DV2" }));
    assert_eq!(ajio_get(&simulator, &token, "/orders").status, 200);
    control(&simulator, "POST", "/tokens/expire", &json!({ "marketplace": "ajio", "account": "DV1" }));
    assert_eq!(ajio_get(&simulator, &token, "/orders").status, 401);
    let renewed = ajio_token(&simulator, "DV1");
    control(&simulator, "POST", "/clock", &json!({ "advance_seconds": 1_801 }));
    assert_eq!(ajio_get(&simulator, &renewed, "/orders").status, 401);
}

#[test]
fn ajio_accounts_and_orders_are_changed() {
    let simulator = start(&config());
    let registered =
        control(&simulator, "POST", "/ajio/accounts", &json!({ "username": "DV7", "orders": 12 }));
    assert_eq!(registered.json(), json!({ "username": "DV7", "orders": 12 }));
    let orders = control(&simulator, "GET", "/ajio/orders?username=DV7", &json!(null)).json();
    let order_id = orders[0]["order_id"].clone();
    assert_eq!(orders[0]["status"], "PENDENCY");
    let cancel = json!({ "action": "customer_cancel", "username": "DV7", "order_id": order_id });
    assert_eq!(control(&simulator, "POST", "/ajio/orders", &cancel).status, 200);
    assert_eq!(control(&simulator, "POST", "/ajio/orders", &cancel).status, 409);
    let pack = json!({ "action": "set_status", "username": "DV7", "order_id": order_id, "status": "PACKED" });
    assert_eq!(control(&simulator, "POST", "/ajio/orders", &pack).status, 200);
    let token = ajio_token(&simulator, "DV7");
    let packed = ajio_get(&simulator, &token, "/orders?status=PACKED").json();
    assert_eq!(packed["orders"][0]["order_id"], order_id);
    assert!(packed["orders"][0]["tracking_number"].is_string());
    assert_eq!(control(&simulator, "GET", "/ajio/orders?username=DV8", &json!(null)).status, 404);
    assert_eq!(control(&simulator, "PUT", "/ajio/quota", &json!({ "rate": 0.0, "burst": 0 })).status, 200);
    assert_eq!(ajio_get(&simulator, &token, "/orders").status, 429);
}

#[test]
fn amazon_accounts_orders_and_quota_are_changed() {
    let simulator = start(&config());
    let text = csv(&[&row("402-1-1", "Pending", "5.5", "1")]);
    let partner = json!({ "account": "A", "refresh_token": "Atzr|A", "orders_csv": text });
    let registered = control(&simulator, "POST", "/amazon/accounts", &partner).json();
    assert_eq!(registered, json!({ "account": "A", "orders": 1, "lines": 1 }));
    let change = json!({
        "account": "A", "order_id": "402-1-1", "status": "Shipped", "updated_at": "2026-07-01T00:00:00Z",
    });
    assert_eq!(control(&simulator, "POST", "/amazon/orders", &change).status, 200);
    let token = amazon_token(&simulator, "Atzr|A");
    let after = [("lastUpdatedAfter", "2026-07-01T00:00:00Z"), ("fulfillmentStatuses", "SHIPPED")];
    assert_eq!(search(&simulator, &token, &after).order_ids("orderId"), ["402-1-1"]);
    control(&simulator, "PUT", "/amazon/quota", &json!({ "rate": 0.5, "burst": 0 }));
    assert_eq!(search(&simulator, &token, &after).status, 429);
    assert_eq!(simulator.ledger().requests_with_status(simulators::Marketplace::Amazon, SEARCH, 429), 1);
    let bad = json!({ "account": "B", "refresh_token": "x", "orders_csv": csv(&[&row("1", "Shipped", "1,5", "1")]) });
    let refused = control(&simulator, "POST", "/amazon/accounts", &bad);
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("orders_csv: line 2, column number 16"), "{}", refused.text());
    let nobody = json!({ "account": "Z", "order_id": "1", "status": "Shipped" });
    assert_eq!(control(&simulator, "POST", "/amazon/orders", &nobody).status, 404);
}
