//! Flipkart's list of returns and its pages, as a client sees them.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod support;

use serde_json::{Value, json};
use simulators::{Marketplace, Simulator, SimulatorConfig};
use support::{Answer, book, config, control, flipkart_get, flipkart_token, row, start};

const RETURNS: &str = "/sellers/v2/returns";

/// So many delivered orders, of which every second comes back, and as many that the courier brings back.
fn returned(count: usize) -> SimulatorConfig {
    let delivered = "Shipped - Delivered to Buyer";
    let mut rows: Vec<String> =
        (0..count).map(|n| row(&format!("402-1-{n:04}"), delivered, "10", "2")).collect();
    rows.extend((0..count).map(|n| row(&format!("402-2-{n:04}"), "Shipped - Returned to Seller", "10", "1")));
    let mut config = config();
    config.flipkart.default_book = book(&rows.iter().map(String::as_str).collect::<Vec<_>>());
    config
}

fn get(simulator: &Simulator, token: &str, query: &str) -> Answer {
    flipkart_get(simulator, token, &format!("{RETURNS}?{query}"))
}

#[test]
fn a_source_is_mandatory_and_at_most_twenty_five_ids_are_taken() {
    let simulator = start(&returned(2));
    let token = flipkart_token(&simulator, "app-1");
    let status = |query: &str| get(&simulator, &token, query).status;
    for refused in [
        "",
        "source=",
        "source=nobody",
        "returnIds=R1",
        "source=customer_return&modifiedAfter=yesterday",
        "next_token=mine",
    ] {
        assert_eq!(status(refused), 400, "{refused}");
    }
    for ids in ["returnIds", "trackingIds"] {
        let many =
            |count: usize| status(&format!("source=customer_return&{ids}={}", vec!["R1"; count].join(",")));
        assert_eq!((many(25), many(26)), (200, 400), "{ids}");
    }
    assert_eq!(
        flipkart_get(&simulator, "no token", &format!("{RETURNS}?source=customer_return")).status,
        401
    );
}

#[test]
fn a_page_has_twenty_five_items_and_its_link_takes_each_form_in_turn() {
    let simulator = start(&returned(120));
    let token = flipkart_token(&simulator, "app-1");
    let mut page = get(&simulator, &token, "source=courier_return");
    let (mut seen, mut forms) = (Vec::new(), Vec::new());
    loop {
        let body = page.json();
        seen.push(page.ids("returnItems", "returnId").len());
        let Some(link) = body["nextUrl"].as_str() else { break };
        assert_eq!(body["hasMore"], true);
        forms.push(link.split("returns").next().unwrap().to_owned());
        page = flipkart_get(&simulator, &token, link);
    }
    assert_eq!((seen, page.json()["hasMore"].clone()), (vec![25, 25, 25, 25, 20], json!(false)));
    let absolute = format!("{}/sellers/v2/", simulator.flipkart_base_url());
    assert_eq!(forms, ["/", "/v2/", "/sellers/v2/", &absolute]);
    assert_eq!(simulator.ledger().orders_served(Marketplace::Flipkart, RETURNS), 120);
}

#[test]
fn sources_dates_locations_and_ids_narrow() {
    let simulator = start(&returned(4));
    let token = flipkart_token(&simulator, "app-1");
    let count = |query: &str| get(&simulator, &token, query).ids("returnItems", "returnId").len();
    assert_eq!((count("source=customer_return"), count("source=courier_return")), (2, 4));
    // The orders of the book changed an hour apart, the first one a moment ago.
    let at = (simulator.now() - chrono::TimeDelta::minutes(90)).format("%Y-%m-%dT%H:%M:%SZ");
    assert_eq!(count(&format!("source=customer_return&modifiedAfter={at}")), 1);
    assert_eq!(count(&format!("source=customer_return&modifiedBefore={at}")), 1);
    assert_eq!(count(&format!("source=customer_return&createdAfter={at}")), 0);
    assert_eq!(count("source=courier_return&locationId=LOC1"), 4);
    assert_eq!(count("source=courier_return&locationId=LOC2"), 0);
    let first = get(&simulator, &token, "source=courier_return").json()["returnItems"][0].clone();
    for (ids, field) in [("returnIds", "returnId"), ("trackingIds", "trackingId")] {
        let id = first[field].as_str().unwrap();
        assert_eq!(count(&format!("source=courier_return&{ids}={id},other")), 1, "{ids}");
        assert_eq!(count(&format!("source=customer_return&{ids}={id}")), 0, "another source");
    }
}

#[test]
fn control_calls_list_orders_and_returns_and_move_a_return() {
    let simulator = start(&returned(2));
    let unknown = control(&simulator, "GET", "/flipkart/returns?account=app-1", &Value::Null);
    assert_eq!(unknown.status, 404, "before it has asked for anything");
    let token = flipkart_token(&simulator, "app-1");
    get(&simulator, &token, "source=courier_return");
    let orders = control(&simulator, "GET", "/flipkart/orders?account=app-1", &Value::Null).json();
    assert_eq!(orders.as_array().unwrap().len(), 4);
    assert_eq!(orders[0], json!({ "order_id": "OD40210000" }));
    let list = || control(&simulator, "GET", "/flipkart/returns?account=app-1", &Value::Null).json();
    assert_eq!(list().as_array().unwrap().len(), 3);
    let id = list()[0]["return_id"].as_str().unwrap().to_owned();
    let mut change = json!({ "account": "app-1", "return_id": id, "status": "CANCELLED", "updated_at": "2026-11-18T09:00:00Z" });
    assert_eq!(control(&simulator, "POST", "/flipkart/returns", &change).status, 200);
    assert_eq!(list()[0], json!({ "return_id": id, "status": "CANCELLED" }));
    let item = get(&simulator, &token, &format!("source=customer_return&returnIds={id}")).json();
    assert_eq!(item["returnItems"][0]["updatedDate"], "2026-11-18T09:00:00.000Z");
    change["order_item_id"] = json!("another");
    assert_eq!(control(&simulator, "POST", "/flipkart/returns", &change).status, 404);
}
