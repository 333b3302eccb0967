//! Flipkart's filter of shipments, its pages and the shipments of orders, as a client sees them.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod support;

use serde_json::{Value, json};
use simulators::{FlipkartAccount, FlipkartChange, Marketplace, Simulator};
use support::{
    FILTER, book, config, control, csv, flipkart_filter, flipkart_get, flipkart_token, many, row, send, start,
};

const OPEN: [&str; 5] = ["APPROVED", "PACKING_IN_PROGRESS", "PACKED", "FORM_FAILED", "READY_TO_DISPATCH"];
const ALL_PROFILES: [&str; 3] = ["FBF", "NON_FBF", "FBF_LITE"];

fn dispatched() -> Value {
    json!({"filter": {"type": "postDispatch", "states": ["SHIPPED", "DELIVERED", "PICKUP_COMPLETE"],
        "serviceProfiles": ALL_PROFILES}})
}

fn open(hold: Option<bool>) -> Value {
    let mut body =
        json!({"filter": {"type": "preDispatch", "states": OPEN, "serviceProfiles": ALL_PROFILES}});
    if let Some(hold) = hold {
        body["filter"]["hold"] = json!(hold);
    }
    body
}

fn cancelled(by: &str) -> Value {
    json!({"filter": {"type": "cancelled", "cancellationType": by, "serviceProfiles": ALL_PROFILES}})
}

fn shipments(simulator: &Simulator, token: &str, body: &Value) -> Vec<Value> {
    let answer = flipkart_filter(simulator, token, body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["shipments"].as_array().unwrap().clone()
}

#[test]
fn states_and_the_kind_of_cancellation_are_mandatory_and_unknown_words_are_rejected() {
    let simulator = start(&config());
    let token = flipkart_token(&simulator, "app-1");
    for filter in [
        json!({"type": "preDispatch"}),
        json!({"type": "preDispatch", "states": []}),
        json!({"type": "preDispatch", "states": ["SHIPPED"]}),
        json!({"type": "postDispatch"}),
        json!({"type": "postDispatch", "states": ["APPROVED"]}),
        json!({"type": "cancelled"}),
        json!({"type": "cancelled", "cancellationType": "nobody"}),
        json!({"type": "everything"}),
        json!({"states": OPEN}),
        json!({"type": "preDispatch", "states": OPEN, "serviceProfiles": ["ALL"]}),
        json!({"type": "preDispatch", "states": OPEN, "shipmentTypes": ["SLOW"]}),
        json!({"type": "preDispatch", "states": OPEN, "modifiedDate": {"from": "yesterday"}}),
    ] {
        let answer = flipkart_filter(&simulator, &token, &json!({ "filter": filter }));
        assert_eq!(answer.status, 400, "{filter}");
    }
    for size in [0, 501] {
        let mut body = open(None);
        body["pagination"] = json!({ "pageSize": size });
        assert_eq!(flipkart_filter(&simulator, &token, &body).status, 400, "{size}");
    }
    let url = format!("{}{FILTER}", simulator.flipkart_base_url());
    assert_eq!(send("POST", &url, &[], &open(None).to_string()).status, 401);
    assert_eq!(
        send(
            "POST",
            &format!("{url}/"),
            &[("authorization", &format!("Bearer {token}"))],
            &open(None).to_string()
        )
        .status,
        200
    );
}

#[test]
fn what_is_on_hold_is_hidden_unless_asked_for() {
    let mut config = config();
    config.flipkart.default_book =
        book(&[&row("402-1", "Pending", "10", "1"), &row("402-2", "Unshipped", "10", "1")]);
    let simulator = start(&config);
    let token = flipkart_token(&simulator, "app-1");
    let holds = |hold| {
        shipments(&simulator, &token, &open(hold))
            .iter()
            .map(|it| it["hold"].as_bool().unwrap())
            .collect::<Vec<_>>()
    };
    assert_eq!((holds(None), holds(Some(false)), holds(Some(true))), (vec![false], vec![false], vec![true]));
    let change = FlipkartChange::Hold(false);
    simulator.change_flipkart_order("app-1", "OD4021", None, &change, None).unwrap();
    assert_eq!(holds(None), [false, false]);
}

#[test]
fn a_page_has_twenty_shipments_and_its_link_takes_each_form_in_turn() {
    let mut config = config();
    config.flipkart.default_book = many(90);
    let simulator = start(&config);
    let token = flipkart_token(&simulator, "app-1");
    let mut page = flipkart_filter(&simulator, &token, &dispatched());
    let (mut seen, mut forms) = (Vec::new(), Vec::new());
    loop {
        let body = page.json();
        seen.push(page.ids("shipments", "shipmentId").len());
        let Some(link) = body["nextPageUrl"].as_str() else { break };
        assert_eq!(body["hasMore"], true);
        forms.push(link.split("shipments").next().unwrap().to_owned());
        page = flipkart_get(&simulator, &token, link);
    }
    assert_eq!(seen, [20, 20, 20, 20, 10]);
    assert_eq!(page.json()["hasMore"], false);
    let absolute = format!("{}/sellers/v3/", simulator.flipkart_base_url());
    assert_eq!(forms, ["/v3/", "/sellers/v3/", &absolute, "/v3/"]);
    assert_eq!(simulator.ledger().orders_served(Marketplace::Flipkart, FILTER), 90);
    assert_eq!(flipkart_get(&simulator, &token, &format!("{FILTER}?next_token=mine")).status, 400);
}

#[test]
fn dates_locations_and_profiles_narrow_and_a_sort_orders() {
    let mut config = config();
    config.flipkart.default_book = many(5);
    let simulator = start(&config);
    let token = flipkart_token(&simulator, "app-1");
    let with = |name: &str, value: Value| {
        let mut body = dispatched();
        body["filter"][name] = value;
        shipments(&simulator, &token, &body).len()
    };
    assert_eq!((with("locationId", json!("LOC1")), with("locationId", json!("LOC2"))), (5, 0));
    assert_eq!((with("serviceProfiles", json!([])), with("serviceProfiles", json!(["FBF_LITE"]))), (5, 0));
    assert_eq!((with("sku", json!(["SHIRT-M"])), with("sku", json!(["SHIRT-L"]))), (5, 0));
    // The first order of a book changed a moment ago, and each other an hour earlier.
    let from = (simulator.now() - chrono::TimeDelta::minutes(90)).to_rfc3339();
    assert_eq!(with("modifiedDate", json!({ "from": from })), 2);
    assert_eq!(with("modifiedDate", json!({ "to": from })), 3);
    assert_eq!(with("orderDate", json!({ "from": "2026-06-02T00:00:00Z" })), 0);
    let sorted = |order: &str| {
        let mut body = dispatched();
        body["sort"] = json!({ "field": "modifiedDate", "order": order });
        flipkart_filter(&simulator, &token, &body).ids("shipments", "updatedAt")
    };
    let (up, down) = (sorted("asc"), sorted("desc"));
    assert!(up.is_sorted() && up.iter().rev().eq(&down));
}

#[test]
fn the_shipments_of_a_hundred_orders_are_served_at_once_whatever_their_state() {
    let rows = [
        row("402-1", "Unshipped", "10", "1"),
        row("402-1", "Shipped", "10", "1"),
        row("402-2", "Cancelled", "1", "1"),
    ];
    let mut config = config();
    config.flipkart.default_book = book(&rows.each_ref().map(String::as_str));
    let simulator = start(&config);
    let token = flipkart_token(&simulator, "app-1");
    let get = |query: &str| flipkart_get(&simulator, &token, &format!("/sellers/v3/shipments?{query}"));
    assert_eq!(get("orderIds=OD4021").ids("shipments", "shipmentId"), ["402101", "402102"]);
    assert_eq!(get("orderIds=OD4021,OD4022").ids("shipments", "shipmentId").len(), 3);
    assert_eq!(get("shipmentIds=402201").ids("shipments", "shipmentId"), ["402201"]);
    assert_eq!(get("orderItemIds=402-1-002").ids("shipments", "shipmentId"), ["402102"]);
    let hundred = |count: usize| get(&format!("orderIds={}", vec!["OD4021"; count].join(","))).status;
    assert_eq!((hundred(100), hundred(101)), (200, 400));
    for odd in ["", "orderIds=", "orderIds=OD4021&shipmentIds=402101"] {
        assert_eq!(get(odd).status, 400, "{odd}");
    }
    assert_eq!(get("orderIds=OD9").json(), json!({ "shipments": [] }));
}

#[test]
fn the_sample_book_holds_every_kind_of_shipment() {
    let simulator = start(&config());
    let token = flipkart_token(&simulator, "app-1");
    let lists = [
        open(None),
        open(Some(true)),
        dispatched(),
        cancelled("sellerCancellation"),
        cancelled("buyerCancellation"),
        cancelled("marketplaceCancellation"),
    ];
    let lists = lists.map(|mut body| {
        body["pagination"] = json!({ "pageSize": 100 });
        shipments(&simulator, &token, &body)
    });
    assert!(lists.iter().all(|list| !list.is_empty()), "{:?}", lists.each_ref().map(Vec::len));
    let all = || lists.iter().flatten();
    for kind in ["NORMAL", "EXPRESS", "SELF"] {
        assert!(all().any(|it| it["shipmentType"] == kind), "{kind}");
    }
    assert!(all().any(|it| it["mps"] == true && it["subShipments"].as_array().unwrap().len() == 2));
    assert!(all().any(|it| it["orderItems"][0]["is_replacement"] == true));
    assert!(all().any(|it| it["orderItems"][0]["courierReturn"] == true));
    assert!(
        all().any(|it| it["dispatchAfterDate"].as_str().unwrap() > simulator.now().to_rfc3339().as_str())
    );
    let of_seven = all().filter(|it| it["orderItems"][0]["orderItemId"] == "40210000010000011001");
    let units: Vec<Vec<(&str, u64)>> = of_seven
        .map(|it| it["orderItems"].as_array().unwrap())
        .map(|items| {
            items
                .iter()
                .map(|it| (it["status"].as_str().unwrap(), it["quantity"].as_u64().unwrap()))
                .collect()
        })
        .collect();
    let (first, rest) = (vec![("PICKUP_COMPLETE", 1)], vec![("PICKUP_COMPLETE", 5), ("CANCELLED", 1)]);
    assert!(
        units.contains(&first) && units.contains(&rest),
        "a line of seven is split, and a unit of it cancelled: {units:?}"
    );
}

#[test]
fn control_calls_change_orders_and_refuse_lists_of_cancellations() {
    let simulator = start(&config());
    let orders = csv(&[&row("402-7", "Unshipped", "10", "1")]);
    let account = json!({"account": "F1", "app_id": "app-1", "app_secret": "secret", "orders_csv": orders});
    assert_eq!(control(&simulator, "POST", "/flipkart/accounts", &account).status, 200);
    let broken = json!({"account": "F2", "app_id": "b", "app_secret": "s", "orders_csv": "no book"});
    assert_eq!(control(&simulator, "POST", "/flipkart/accounts", &broken).status, 400);
    let token = flipkart_token(&simulator, "app-1");
    let change = |mut change: Value| {
        change["account"] = json!("F1");
        change["order_id"] = json!("OD4027");
        control(&simulator, "POST", "/flipkart/orders", &change).status
    };
    assert_eq!(change(json!({"action": "hold", "hold": true, "updated_at": "2026-06-02T00:00:00Z"})), 200);
    let held = shipments(&simulator, &token, &open(Some(true)));
    assert_eq!((held.len(), &held[0]["updatedAt"]), (1, &json!("2026-06-02T00:00:00.000Z")));
    assert_eq!(change(json!({"action": "set_status", "status": "SHIPPED", "shipment_id": "402701"})), 200);
    assert_eq!(shipments(&simulator, &token, &dispatched()).len(), 1);
    assert_eq!(change(json!({"action": "cancel", "by": "marketplaceCancellation"})), 200);
    assert_eq!(shipments(&simulator, &token, &cancelled("marketplaceCancellation")).len(), 1);
    assert_eq!(change(json!({"action": "hold", "hold": true, "shipment_id": "402799"})), 404);
    let unknown = json!({"account": "F9", "order_id": "OD4027", "action": "hold", "hold": true});
    assert_eq!(control(&simulator, "POST", "/flipkart/orders", &unknown).status, 404);

    assert_eq!(control(&simulator, "PUT", "/flipkart/cancellations", &json!(500)).status, 200);
    let status = |by: &str| flipkart_filter(&simulator, &token, &cancelled(by)).status;
    assert_eq!(
        ["sellerCancellation", "buyerCancellation", "marketplaceCancellation"].map(status),
        [200, 500, 500]
    );
    assert_eq!(control(&simulator, "PUT", "/flipkart/cancellations", &Value::Null).status, 200);
    assert_eq!(status("buyerCancellation"), 200);
}

#[test]
fn every_seller_has_shipments_of_its_own() {
    let mut config = config();
    config.flipkart.accounts.push(FlipkartAccount {
        account: "F1".to_owned(),
        app_id: "app-1".to_owned(),
        app_secret: "secret".to_owned(),
        orders: Some(many(2)),
    });
    let simulator = start(&config);
    let (first, second) = (flipkart_token(&simulator, "app-1"), flipkart_token(&simulator, "app-2"));
    let change = FlipkartChange::Status("DELIVERED".to_owned());
    let before = shipments(&simulator, &second, &dispatched());
    for shipment in shipments(&simulator, &first, &dispatched()) {
        let order = shipment["orderItems"][0]["orderId"].as_str().unwrap();
        simulator.change_flipkart_order("F1", order, None, &change, None).unwrap();
    }
    let states = |token: &str| {
        shipments(&simulator, token, &dispatched())
            .iter()
            .map(|it| it["orderItems"][0]["status"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(states(&first), ["DELIVERED", "DELIVERED"]);
    assert_eq!(shipments(&simulator, &second, &dispatched()), before);
}
