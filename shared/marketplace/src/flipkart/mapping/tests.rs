//! An order that is split, held and partly cancelled, as the mapping reads it.

use serde_json::{Value, json};

use super::*;

/// A part of a line.
fn item(id: &str, status: &str, units: u32, price: Value) -> Value {
    let mut prices = json!({ "sellingPrice": 1, "totalPrice": 2 });
    prices["customerPrice"] = price;
    json!({
        "orderItemId": id, "orderId": "OD1", "orderDate": "2026-11-18T09:15:00Z", "status": status, "quantity": units,
        "sku": "K-M", "title": "Kurta", "paymentType": "COD", "serviceProfile": "NON_FBF", "priceComponents": prices,
    })
}

/// A shipment that must leave on this day of November, at ten.
fn shipment(id: &str, day: u32, hold: bool, items: &[Value]) -> Value {
    json!({
        "shipmentId": id, "updatedAt": format!("2026-11-{day:02}T01:00:00Z"), "hold": hold,
        "dispatchAfterDate": format!("2026-11-{day:02}T04:00:00Z"),
        "dispatchByDate": format!("2026-11-{day:02}T10:00:00Z"), "orderItems": items,
    })
}

fn read(shipments: &[Value]) -> Result<OrderRecord, String> {
    let raw = json!({ "orderId": "OD1", "shipments": shipments }).to_string();
    order(&RawValue::from_string(raw).unwrap()).map_err(RecordProblem::into_reason)
}

fn days(order: &OrderRecord) -> (Option<String>, Option<String>, bool) {
    let day = |at: Option<DateTime<Utc>>| at.map(|at| at.format("%d %H").to_string());
    (day(order.dispatch_after), day(order.dispatch_by), order.on_hold)
}

fn stated(after: &str, by: &str, on_hold: bool) -> (Option<String>, Option<String>, bool) {
    (Some(after.to_owned()), Some(by.to_owned()), on_hold)
}

#[test]
fn a_line_that_is_split_and_partly_cancelled_is_the_sum_of_its_parts() {
    let parts = [
        shipment(
            "S1",
            20,
            false,
            &[item("1", "SHIPPED", 1, json!(499.25)), item("2", "SHIPPED", 1, json!(10))],
        ),
        shipment(
            "S2",
            21,
            false,
            &[item("1", "APPROVED", 2, json!("998.50")), item("1", "CANCELLED", 1, json!(499.25))],
        ),
    ];
    let order = read(&parts).unwrap();
    assert_eq!(order.status, OrderStatus::PartiallyShipped);
    assert_eq!(order.marketplace_status, "SHIPPED / APPROVED / CANCELLED");
    let lines: Vec<(&str, i32, i32, String)> = order
        .items
        .iter()
        .map(|it| {
            (
                it.external_item_id.as_str(),
                it.quantity,
                it.quantity_cancelled,
                it.line_amount.unwrap().normalize().to_string(),
            )
        })
        .collect();
    assert_eq!(lines, [("1", 4, 1, "1997".to_owned()), ("2", 1, 0, "10".to_owned())]);
    assert_eq!(order.total_amount.unwrap().normalize().to_string(), "2007");
    let parcels: Vec<(&str, &str)> =
        order.shipments.iter().map(|it| (it.external_shipment_id.as_str(), it.status.as_str())).collect();
    assert_eq!(parcels, [("S1", "SHIPPED"), ("S2", "CONFIRMED")]);
    assert_eq!(order.marketplace_updated_at.unwrap().to_rfc3339(), "2026-11-21T01:00:00+00:00");
}

#[test]
fn what_is_open_decides_the_deadline_and_an_order_is_on_hold_when_nothing_of_it_may_be_packed() {
    let part = |id: &str, day, hold, status: &str| shipment(id, day, hold, &[item(id, status, 1, json!(1))]);
    let held = read(&[part("S1", 20, true, "APPROVED"), part("S2", 22, true, "PACKED")]).unwrap();
    assert_eq!(days(&held), stated("20 04", "20 10", true));
    // The held parcel's deadline stays the order's, but the other may be packed from its own time on.
    let half = read(&[part("S1", 20, true, "APPROVED"), part("S2", 22, false, "PACKED")]).unwrap();
    assert_eq!(days(&half), stated("22 04", "20 10", false));
    assert_eq!(half.shipments.iter().map(|it| it.on_hold).collect::<Vec<_>>(), [true, false]);
    // A hold on what has left or is cancelled holds nothing back.
    let sent = read(&[part("S1", 20, true, "SHIPPED"), part("S2", 22, false, "READY_TO_DISPATCH")]).unwrap();
    assert_eq!(days(&sent), stated("22 04", "22 10", false));
    let gone = read(&[part("S1", 20, true, "SHIPPED"), part("S2", 22, true, "CANCELLED")]).unwrap();
    assert_eq!(days(&gone), stated("20 04", "20 10", false), "what was true of it stays to be seen");
}

#[test]
fn a_line_has_an_amount_when_all_of_it_that_counts_is_priced() {
    let amount = |parts: &[Value]| read(&[shipment("S1", 20, false, parts)]).unwrap().items[0].line_amount;
    let unpriced = |status: &str, units: u32| {
        let mut part = item("1", status, units, json!(1));
        part["priceComponents"] = Value::Null;
        part
    };
    assert_eq!(amount(&[item("1", "APPROVED", 1, json!(7)), unpriced("APPROVED", 1)]), None);
    assert_eq!(
        amount(&[item("1", "APPROVED", 1, json!(7)), unpriced("CANCELLED", 1)]),
        Some(Decimal::from(7))
    );
    assert_eq!(amount(&[unpriced("CANCELLED", 1)]), None, "a cancelled order keeps what is stored");
    assert_eq!(amount(&[unpriced("APPROVED", 0)]), Some(Decimal::ZERO));
    let mut without = item("1", "APPROVED", 1, Value::Null);
    assert_eq!(amount(std::slice::from_ref(&without)), Some(Decimal::from(2)), "else the total price");
    without["priceComponents"]["totalPrice"] = Value::Null;
    assert_eq!(amount(&[without]), Some(Decimal::ONE), "else the selling price");
}

#[test]
fn a_replacement_is_known_in_both_spellings_and_texts_are_unescaped() {
    for name in ["is_replacement", "isReplacement"] {
        let mut part = item("1", "APPROVED", 1, json!(0));
        part[name] = json!(true);
        part["sku"] = json!("SHELF-12&quot;");
        part["title"] = json!("Shelf &amp; bracket");
        let order = read(&[shipment("S1", 20, false, &[part])]).unwrap();
        assert!(order.is_replacement, "{name}");
        assert_eq!(order.items[0].sku.as_deref(), Some("SHELF-12\""));
        assert_eq!(order.items[0].title.as_deref(), Some("Shelf & bracket"));
    }
    assert!(
        !read(&[shipment("S1", 20, false, &[item("1", "APPROVED", 1, json!(0))])]).unwrap().is_replacement
    );
}

#[test]
fn a_parcel_says_how_it_travels_and_of_how_many_packages_it_consists() {
    let mut parcel = shipment("S1", 20, false, &[item("1", "APPROVED", 1, json!(1))]);
    parcel["shipmentType"] = json!("SELF");
    parcel["subShipments"] = json!([{ "subShipmentId": "a" }, { "subShipmentId": "b" }]);
    let order = read(&[parcel]).unwrap();
    assert_eq!(order.shipments[0].shipment_type.as_deref(), Some("SELF"));
    assert_eq!(order.shipments[0].package_count, Some(2));
}

#[test]
fn who_sends_the_goods_follows_from_the_service_profiles() {
    for (profiles, expected) in [
        (["NON_FBF", "NON_FBF"], Some("SELLER")),
        (["FBF_LITE", "FBF"], Some("SELLER")),
        (["Smart_Fulfilment", "x"], Some("SELLER")),
        (["Seller_Fulfilment", "x"], Some("SELLER")),
        (["FBF", "FBF"], Some("MARKETPLACE")),
        (["Flipkart_Fulfilment", "x"], Some("MARKETPLACE")),
        (["x", "y"], None),
    ] {
        let parts = profiles.map(|profile| {
            let mut part = item("1", "APPROVED", 1, json!(1));
            part["serviceProfile"] = json!(profile);
            part
        });
        assert_eq!(read(&[shipment("S1", 20, false, &parts)]).unwrap().fulfilled_by.as_deref(), expected);
    }
}

#[test]
fn goods_of_another_order_in_the_same_shipment_are_left_out() {
    let mut other = item("9", "SHIPPED", 5, json!(1));
    other["orderId"] = json!("OD2");
    let shared = shipment("S1", 20, false, &[item("1", "APPROVED", 1, json!(1)), other.clone()]);
    let order = read(&[shared, shipment("S2", 21, false, std::slice::from_ref(&other))]).unwrap();
    assert_eq!((order.items.len(), order.shipments.len(), order.status), (1, 1, OrderStatus::Confirmed));
    let none = read(&[shipment("S2", 21, false, &[other])]);
    assert_eq!(none.unwrap_err(), "shipments have no orderItems of the order");
}

#[test]
fn what_makes_an_order_meaningless_is_named() {
    let broken = |pointer: &str, value: Value| {
        let mut parcel = shipment("S1", 20, false, &[item("1", "APPROVED", 1, json!(1))]);
        *parcel.pointer_mut(pointer).unwrap() = value;
        read(&[parcel]).unwrap_err()
    };
    let path = "shipments[0].orderItems[0]";
    assert_eq!(broken("/shipmentId", json!([])), "shipments[0].shipmentId is not an identifier");
    assert_eq!(
        broken("/orderItems/0/quantity", json!(-1)),
        format!("{path}.quantity is not a whole number of units")
    );
    assert_eq!(broken("/orderItems/0/orderDate", Value::Null), format!("{path}.orderDate is missing"));
    assert_eq!(
        broken("/orderItems/0/orderDate", json!("soon")),
        format!("{path}.orderDate is not an ISO 8601 instant")
    );
    let price = "/orderItems/0/priceComponents/customerPrice";
    let named = format!("{path}.priceComponents.customerPrice");
    assert_eq!(broken(price, json!("12.3.4")), format!("{named} is not a decimal number"));
    assert_eq!(broken(price, json!(1.00001)), format!("{named} has more than 4 decimals"));
    let huge = [
        item("1", "APPROVED", 1, json!(9_999_999_999_u64)),
        item("1", "APPROVED", 1, json!(9_999_999_999_u64)),
    ];
    let said = read(&[shipment("S1", 20, false, &huge)]).unwrap_err();
    assert_eq!(said, "shipments[0].orderItems[1].priceComponents makes too large an amount for the line");
}
