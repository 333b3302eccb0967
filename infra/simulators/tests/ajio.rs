//! The simulated AJIO as a client sees it: tokens, pages, exact amounts, acknowledgement, cancellation, returns, stock.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod support;

use std::collections::HashSet;
use std::str::FromStr;
use std::time::Duration;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use simulators::{AjioAccount, AjioReturnStatus, AjioStatus, ChangeError, Quota, Simulator};
use support::{ajio_all, ajio_get, ajio_login, ajio_post, ajio_token, config, start};

#[derive(Deserialize)]
struct Page {
    orders: Vec<Order>,
}

#[derive(Deserialize)]
struct Order {
    total_amount: Box<RawValue>,
    #[serde(default)]
    po_amount: Option<Box<RawValue>>,
    #[serde(rename = "order_lines")]
    lines: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    ordered_quantity: u32,
    unit_price: Option<Box<RawValue>>,
    item_base_price: Option<Box<RawValue>>,
}

fn decimal(raw: &RawValue) -> Decimal {
    let amount = Decimal::from_str(raw.get()).unwrap();
    assert!(amount.scale() <= 4, "{amount} has more than four decimals");
    amount
}

fn first_in(simulator: &Simulator, username: &str, status: AjioStatus) -> String {
    let orders = simulator.ajio_orders(username).unwrap();
    orders.into_iter().find(|order| order.status == status).unwrap().order_id
}

fn ids(simulator: &Simulator, token: &str, path: &str) -> Vec<String> {
    ajio_all(simulator, token, path).iter().flat_map(|page| page.order_ids("order_id")).collect()
}

fn decision(simulator: &Simulator, token: &str, order_id: &str, status: &str, confirm: bool) -> Value {
    let pending = ajio_all(simulator, token, "/orders/pendency");
    let order = pending
        .iter()
        .flat_map(|page| page.json()["orders"].as_array().unwrap().clone())
        .find(|order| order["order_id"] == order_id)
        .unwrap();
    let line = |line: &Value| {
        let ordered = line["ordered_quantity"].as_u64().unwrap();
        let (confirmed, cancelled) = if confirm { (ordered, 0) } else { (0, ordered) };
        json!({
            "order_item_id": line["order_item_id"], "confirmed_quantity": confirmed, "cancelled_quantity": cancelled,
        })
    };
    let lines: Vec<Value> = order["order_lines"].as_array().unwrap().iter().map(line).collect();
    json!({ "order_id": order_id, "status": status, "order_lines": lines })
}

#[test]
fn pendency_and_orders_together_hold_every_order_once() {
    let simulator = start(&config());
    let token = ajio_token(&simulator, "DV1");
    let (pending, placed) = (ids(&simulator, &token, "/orders/pendency"), ids(&simulator, &token, "/orders"));
    assert_eq!((pending.len(), placed.len()), (40, 80));
    let all: HashSet<&String> = pending.iter().chain(&placed).collect();
    assert_eq!(all.len(), 120);
    let pages = ajio_all(&simulator, &token, "/orders");
    assert_eq!(
        pages[1].json()["page"],
        json!({ "number": 1, "size": 50, "totalElements": 80, "totalPages": 2 })
    );
}

#[test]
fn amounts_are_exact_numbers_and_add_up() {
    let simulator = start(&config());
    let token = ajio_token(&simulator, "DV1");
    let expected: Decimal =
        simulator.ajio_orders("DV1").unwrap().iter().map(|order| order.total_amount).sum();
    let (mut total, mut four_decimals) = (Decimal::ZERO, false);
    for path in ["/orders/pendency", "/orders"] {
        for answer in ajio_all(&simulator, &token, path) {
            let page: Page = serde_json::from_slice(&answer.body).unwrap();
            for order in page.orders {
                let lines: Decimal = order
                    .lines
                    .iter()
                    .filter_map(|line| {
                        Some(decimal(line.unit_price.as_ref()?) * Decimal::from(line.ordered_quantity))
                    })
                    .sum();
                total += decimal(&order.total_amount);
                assert!(path == "/orders" || lines == decimal(&order.total_amount));
                order.po_amount.as_ref().map(|amount| decimal(amount));
                four_decimals |= order.lines.iter().any(|line| {
                    line.item_base_price.as_ref().is_some_and(|price| decimal(price).scale() == 4)
                });
            }
        }
    }
    assert_eq!(total, expected);
    assert!(four_decimals, "no amount has four decimals");
}

#[test]
fn the_contracts_pitfalls_are_simulated() {
    let simulator = start(&config());
    let token = ajio_token(&simulator, "DV1");
    let pending: String =
        ajio_all(&simulator, &token, "/orders/pendency").iter().map(|page| page.text().to_owned()).collect();
    assert!(pending.contains("\"listing_price \":") && pending.contains("\"listing_price\":"));
    assert!(pending.contains("\"tracking_number\":null"));
    let confirmed = ajio_get(&simulator, &token, "/orders?status=CONFIRMED&status=PACKED").json();
    for order in confirmed["orders"].as_array().unwrap() {
        assert_eq!(order["carrier"].is_null(), order["status"] == "CONFIRMED");
        assert!(order["po_number"].is_string());
    }
}

#[test]
fn each_user_name_always_has_the_same_book_of_its_own() {
    let (first, second) = (start(&config()), start(&config()));
    let read = |simulator: &Simulator, username: &str| {
        ajio_get(simulator, &ajio_token(simulator, username), "/orders/pendency").text().to_owned()
    };
    assert_eq!(read(&first, "DV1"), read(&second, "DV1"));
    assert_ne!(read(&first, "DV1"), read(&first, "DV2"));
}

#[test]
fn only_known_credentials_get_a_token() {
    let mut config = config();
    let password = Some("right".to_owned());
    config.ajio.accounts = vec![AjioAccount { username: "DV9".to_owned(), password, orders: Some(3) }];
    let simulator = start(&config);
    let login = |username: &str, password: &str| ajio_login(&simulator, username, password).status;
    assert_eq!((login("DV1", "any"), login("DV1", ""), login("XX1", "any")), (200, 401, 401));
    assert_eq!((login("DV9", "right"), login("DV9", "wrong")), (200, 401));
    let refused = ajio_login(&simulator, "DV9", "wrong").json();
    assert_eq!((&refused["success"], &refused["statusCode"]), (&json!(false), &json!(401)));
    assert_eq!(simulator.ajio_orders("DV9").unwrap().len(), 3);
}

#[test]
fn a_token_expires_after_half_an_hour() {
    let simulator = start(&config());
    let token = ajio_token(&simulator, "DV1");
    simulator.advance_clock(Duration::from_secs(1_790));
    assert_eq!(ajio_get(&simulator, &token, "/orders").status, 200);
    simulator.advance_clock(Duration::from_secs(11));
    let refused = ajio_get(&simulator, &token, "/orders");
    assert_eq!(refused.status, 401);
    assert_eq!(
        refused.json(),
        json!({ "success": false, "statusCode": 401, "message": "token is invalid or expired" })
    );
    assert_eq!(ajio_get(&simulator, &ajio_token(&simulator, "DV1"), "/orders").status, 200);
}

#[test]
fn a_page_has_at_most_fifty_orders_and_pendency_can_be_filtered_by_date() {
    let simulator = start(&config());
    let token = ajio_token(&simulator, "DV1");
    for bad in ["pageSize=51", "pageSize=0", "pageNumber=-1", "pageNumber=x", "orderDateFrom=2026-01-01"] {
        assert_eq!(ajio_get(&simulator, &token, &format!("/orders/pendency?{bad}")).status, 400, "{bad}");
    }
    assert_eq!(ajio_get(&simulator, &token, "/orders?status=Confirmed").status, 400);
    let page = ajio_get(&simulator, &token, "/orders/pendency?pageSize=2").json();
    let date = page["orders"][1]["order_date"].as_i64().unwrap();
    let later = ajio_get(&simulator, &token, &format!("/orders/pendency?orderDateFrom={date}")).json();
    assert_eq!(later["page"]["totalElements"], 39);
    let until = ajio_get(&simulator, &token, &format!("/orders/pendency?orderDateTo={date}")).json();
    assert_eq!(until["page"]["totalElements"], 2);
    assert_eq!(ajio_get(&simulator, &token, "/orders?pageNumber=99").json()["orders"], json!([]));
}

#[test]
fn a_customers_cancellation_moves_the_order_from_pendency_to_the_orders() {
    let simulator = start(&config());
    let token = ajio_token(&simulator, "DV1");
    let order_id = first_in(&simulator, "DV1", AjioStatus::Pendency);
    simulator.cancel_ajio_order("DV1", &order_id).unwrap();
    assert!(!ids(&simulator, &token, "/orders/pendency").contains(&order_id));
    let placed = ajio_all(&simulator, &token, "/orders");
    let orders = placed.iter().flat_map(|page| page.json()["orders"].as_array().unwrap().clone());
    let cancelled = orders.into_iter().find(|order| order["order_id"] == order_id.as_str()).unwrap();
    assert_eq!(cancelled["status"], "CANCELLED");
    assert!(cancelled["po_number"].is_null());
    for line in cancelled["order_lines"].as_array().unwrap() {
        assert_eq!(line["customer_cancelled_qty"], line["ordered_quantity"]);
        assert_eq!((&line["quantity"], &line["seller_cancelled_qty"]), (&json!(0), &json!(0)));
    }
    assert_eq!(simulator.cancel_ajio_order("DV1", &order_id), Err(ChangeError::NotPending));
}

#[test]
fn an_acknowledgement_takes_numbers_and_returns_texts() {
    let simulator = start(&config());
    let token = ajio_token(&simulator, "DV1");
    let order_id = first_in(&simulator, "DV1", AjioStatus::Pendency);
    let request = decision(&simulator, &token, &order_id, "Acknowledge", true);
    let answer = ajio_post(&simulator, &token, "/orders", &request).json();
    assert_eq!(answer["failed_items"], json!([]));
    let success = &answer["success"][0];
    assert_eq!((&success["order_id"], &success["order_status"]), (&json!(order_id), &json!("Acknowledge")));
    assert!(success["order_lines"][0]["confirmed_quantity"].is_string());
    assert_eq!(success["order_lines"][0]["cancelled_quantity"], "0");
    assert!(ids(&simulator, &token, "/orders").contains(&order_id));
    assert!(!ids(&simulator, &token, "/orders/pendency").contains(&order_id));
    let again = ajio_post(&simulator, &token, "/orders", &request).json();
    assert_eq!(again["failed_items"][0]["order_id"], order_id);
}

#[test]
fn a_batch_of_acknowledgements_fails_order_by_order() {
    let simulator = start(&config());
    let token = ajio_token(&simulator, "DV1");
    let pending = ids(&simulator, &token, "/orders/pendency");
    let mut wrong_sum = decision(&simulator, &token, &pending[1], "Acknowledge", true);
    wrong_sum["order_lines"][0]["cancelled_quantity"] = json!(9);
    let mut unknown = wrong_sum.clone();
    unknown["order_id"] = json!("FN0");
    let batch = json!([
        decision(&simulator, &token, &pending[0], "Cancel", false),
        wrong_sum,
        unknown,
        decision(&simulator, &token, &pending[2], "Acknowledge", false),
    ]);
    let answer = ajio_post(&simulator, &token, "/orders", &batch).json();
    let named = |list: &str| -> Vec<Value> {
        answer[list].as_array().unwrap().iter().map(|one| one["order_id"].clone()).collect()
    };
    assert_eq!(named("success"), [json!(pending[0]), json!(pending[2])]);
    assert_eq!(named("failed_items"), [json!(pending[1]), json!("FN0")]);
    let status = |id: &String| {
        simulator.ajio_orders("DV1").unwrap().into_iter().find(|o| o.order_id == *id).unwrap().status
    };
    assert_eq!(status(&pending[0]), AjioStatus::Cancelled);
    assert_eq!(status(&pending[1]), AjioStatus::Pendency);
    assert_eq!(status(&pending[2]), AjioStatus::Cancelled, "all lines rejected is a cancellation");
    let texts = json!({ "order_id": pending[3], "status": "Acknowledge", "order_lines": [
        { "order_item_id": "x", "confirmed_quantity": "1", "cancelled_quantity": "0" }] });
    assert_eq!(ajio_post(&simulator, &token, "/orders", &texts).status, 400);
}

#[test]
fn returns_can_be_filtered_by_type() {
    let simulator = start(&config());
    let token = ajio_token(&simulator, "DV1");
    let count =
        |path: &str| ajio_get(&simulator, &token, path).json()["page"]["totalElements"].as_u64().unwrap();
    let (all, to_origin, customer) =
        (count("/returns"), count("/returns?type=RTO"), count("/returns?type=CR"));
    assert!(to_origin > 0 && customer > 0);
    assert_eq!(all, to_origin + customer);
    assert_eq!(ajio_get(&simulator, &token, "/returns?type=LOST").status, 400);
}

#[test]
fn a_return_moves_to_the_status_that_a_test_gives_it() {
    let simulator = start(&config());
    let token = ajio_token(&simulator, "DV1");
    let (id, _) = simulator.ajio_returns("DV1").unwrap()[0].clone();
    let status = || {
        let page = ajio_get(&simulator, &token, "/returns").json();
        let returns = page["orders"].as_array().unwrap().clone();
        returns.into_iter().find(|returned| returned["return_order_id"] == id.as_str()).unwrap()["return_status"].clone()
    };
    for (to, text) in
        [(AjioReturnStatus::Processed, "RETURN_PROCESSED"), (AjioReturnStatus::Initiated, "RETURN_INITIATED")]
    {
        simulator.set_ajio_return_status("DV1", &id, to).unwrap();
        assert_eq!(status(), text);
    }
    let unknown = simulator.set_ajio_return_status("DV1", "R-0", AjioReturnStatus::Created);
    assert_eq!(unknown, Err(ChangeError::UnknownReturn));
}

#[test]
fn stock_is_updated_for_fifty_variants_and_refused_for_fifty_one() {
    let simulator = start(&config());
    let token = ajio_token(&simulator, "DV1");
    let stock = |n: usize, inventory: Value| json!({ "productId": "P", "variantId": format!("V{n}"), "inventory": inventory });
    let update = |list: Vec<Value>| {
        ajio_post(&simulator, &token, "/updateInventory", &json!({ "inventoryList": list }))
    };
    let accepted = update((0..50).map(|n| stock(n, json!(7))).collect());
    assert_eq!(accepted.json(), json!({ "status": "SUCCESS", "failedProductList": [] }));
    assert_eq!(update((0..51).map(|n| stock(n, json!(7))).collect()).status, 400);
    let partial = update(vec![stock(1, json!(-1)), stock(2, json!(0))]).json();
    assert_eq!(partial["status"], "PARTIAL_SUCCESS");
    assert_eq!(partial["failedProductList"][0]["variantId"], "V1");
    assert_eq!(update(vec![stock(1, json!("many"))]).json()["status"], "FAILED");
}

#[test]
fn a_throttle_is_counted_for_each_user_name() {
    let mut config = config();
    config.ajio.quota = Some(Quota { rate: 0.5, burst: 1 });
    let simulator = start(&config);
    let (mine, other) = (ajio_token(&simulator, "DV1"), ajio_token(&simulator, "DV2"));
    assert_eq!(ajio_get(&simulator, &mine, "/orders").status, 200);
    let refused = ajio_get(&simulator, &mine, "/orders");
    assert_eq!((refused.status, refused.headers["retry-after"].as_str()), (429, "2"));
    assert_eq!(ajio_get(&simulator, &other, "/orders").status, 200);
}

#[test]
fn a_book_of_five_thousand_orders_is_served_completely() {
    let mut config = config();
    config.ajio.orders = 5_000;
    let simulator = start(&config);
    let token = ajio_token(&simulator, "DV1");
    let mut all = ids(&simulator, &token, "/orders/pendency");
    all.extend(ids(&simulator, &token, "/orders"));
    assert_eq!(all.iter().collect::<HashSet<_>>().len(), 5_000);
}
