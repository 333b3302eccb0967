//! Odd fields in a record. A field that can be left out costs only itself and leaves a note, and the order is stored.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use kit::{Run, Scripted, ok};
use robnu_marketplace::code::MarketplaceCode::{self, Ajio, AmazonIn, Flipkart};
use robnu_marketplace::contract::{PagePosition, PageRequest};
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::record::{OrderRecord, OrderStatus};
use rust_decimal::Decimal;
use serde_json::{Value, json};

fn amazon() -> Value {
    json!({
        "orderId": "405-1", "createdTime": "2026-11-18T09:15:00Z", "lastUpdatedTime": "2026-11-18T10:15:00Z",
        "buyer": { "buyerName": "Invented Buyer", "buyerEmail": "buyer@example.invalid" },
        "recipient": { "deliveryAddress": {
            "name": "Invented Recipient", "phone": "+91 00000 00000", "addressLine1": "1 Invented Street",
            "city": "PUNE", "stateOrRegion": "MAHARASHTRA", "postalCode": "411001",
        } },
        "fulfillment": {
            "fulfillmentStatus": "UNSHIPPED", "fulfilledBy": "MERCHANT",
            "shipByWindow": { "latestDateTime": "2026-11-19T11:30:00Z" },
        },
        "payment": { "paymentExecutions": [{ "paymentMethod": "COD" }] },
        "orderItems": [{
            "orderItemId": "1", "quantityOrdered": 1, "product": { "title": "Kurta", "sellerSku": "K-M" },
            "proceeds": { "proceedsTotal": { "amount": "499.50", "currencyCode": "INR" } },
        }],
        "packages": [{ "packageReferenceId": "1", "packageStatus": { "status": "SHIPPED" }, "carrier": "ATS" }],
    })
}

fn ajio() -> Value {
    json!({
        "order_id": "FN1", "order_date": 1_763_600_400, "status": "PACKED", "payment_method": "COD",
        "carrier": "Delhivery", "tracking_number": "AWB1",
        "order_lines": [{
            "order_item_id": "1", "ordered_quantity": 1, "unit_price": 10, "hsn": "6203",
            "item_details": { "item_code": "K-M", "name": "Kurta", "size": "M" },
        }],
    })
}

/// A shipment, which is all of its order.
fn flipkart() -> Value {
    json!({
        "shipmentId": "S1", "updatedAt": "2026-11-18T10:15:00Z", "hold": false, "shipmentType": "NORMAL",
        "dispatchAfterDate": "2026-11-18T10:00:00Z", "dispatchByDate": "2026-11-19T11:30:00Z",
        "subShipments": [{ "subShipmentId": "SS-1" }],
        "orderItems": [{
            "orderItemId": "1", "orderId": "OD1", "orderDate": "2026-11-18T09:15:00Z", "status": "APPROVED", "quantity": 1,
            "sku": "K-M", "title": "Kurta", "hsn": "6203", "paymentType": "COD", "serviceProfile": "NON_FBF",
            "courierReturn": false, "is_replacement": false, "isReplacement": false,
            "priceComponents": { "customerPrice": 499.50 },
        }],
    })
}

async fn read(code: MarketplaceCode, orders: &[Value]) -> Run {
    let body = json!({ "orders": orders, "shipments": orders }).to_string().replace("HALF", r"\ud83d");
    let server = Scripted::start(move |_, _| ok(body.clone())).await;
    // This uses AJIO's second list, because orders on the first have no status of their own.
    let second_list =
        PagePosition::new(r#"{"phase":"orders","page":0,"steps_back":0,"rereads":0}"#.to_owned());
    let position = (code == Ajio).then_some(second_list);
    let request = PageRequest { position, ..PageRequest::default() };
    let page = server.connect(code).page(RunKind::Orders, &request).await.unwrap();
    Run { orders: kit::orders_of(&page).to_vec(), quarantined: page.quarantined, ..Run::default() }
}

/// Reads an order with one field replaced, or removed if the new value is null.
async fn with(code: MarketplaceCode, pointer: &str, value: Value) -> OrderRecord {
    let mut order = match code {
        Ajio => ajio(),
        Flipkart => flipkart(),
        _ => amazon(),
    };
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    let parent = order.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    if value.is_null() {
        parent.remove(field).map(drop)
    } else {
        parent.insert(field.to_owned(), value).map(drop)
    };
    let mut run = read(code, &[order]).await;
    assert!(run.quarantined.is_empty(), "{pointer}: {:?}", run.quarantined);
    run.orders.remove(0)
}

const SIDE_FIELDS: [(MarketplaceCode, &str, &str); 45] = [
    (AmazonIn, "/buyer", "buyer"),
    (AmazonIn, "/buyer/buyerName", "buyer.buyerName"),
    (AmazonIn, "/buyer/buyerEmail", "buyer.buyerEmail"),
    (AmazonIn, "/recipient/deliveryAddress/name", "recipient.deliveryAddress.name"),
    (AmazonIn, "/recipient/deliveryAddress/phone", "recipient.deliveryAddress.phone"),
    (AmazonIn, "/recipient/deliveryAddress/addressLine1", "recipient.deliveryAddress.addressLine1"),
    (AmazonIn, "/recipient/deliveryAddress/stateOrRegion", "recipient.deliveryAddress.stateOrRegion"),
    (AmazonIn, "/recipient", "recipient"),
    (AmazonIn, "/recipient/deliveryAddress", "recipient.deliveryAddress"),
    (AmazonIn, "/recipient/deliveryAddress/city", "recipient.deliveryAddress.city"),
    (AmazonIn, "/recipient/deliveryAddress/postalCode", "recipient.deliveryAddress.postalCode"),
    (AmazonIn, "/fulfillment", "fulfillment"),
    (AmazonIn, "/fulfillment/fulfillmentStatus", "fulfillment.fulfillmentStatus"),
    (AmazonIn, "/fulfillment/fulfilledBy", "fulfillment.fulfilledBy"),
    (AmazonIn, "/fulfillment/shipByWindow", "fulfillment.shipByWindow"),
    (AmazonIn, "/fulfillment/shipByWindow/latestDateTime", "fulfillment.shipByWindow.latestDateTime"),
    (AmazonIn, "/lastUpdatedTime", "lastUpdatedTime"),
    (AmazonIn, "/payment", "payment"),
    (AmazonIn, "/payment/paymentExecutions", "payment.paymentExecutions"),
    (AmazonIn, "/orderItems/0/product", "orderItems[0].product"),
    (AmazonIn, "/orderItems/0/product/title", "orderItems[0].product.title"),
    (AmazonIn, "/orderItems/0/product/sellerSku", "orderItems[0].product.sellerSku"),
    (AmazonIn, "/packages", "packages"),
    (AmazonIn, "/packages/0/packageStatus", "packages[0].packageStatus"),
    (Ajio, "/status", "status"),
    (Ajio, "/payment_method", "payment_method"),
    (Ajio, "/tracking_number", "tracking_number"),
    (Ajio, "/order_lines/0/hsn", "order_lines[0].hsn"),
    (Ajio, "/order_lines/0/item_details", "order_lines[0].item_details"),
    (Ajio, "/order_lines/0/item_details/name", "order_lines[0].item_details.name"),
    (Flipkart, "/updatedAt", "shipments[0].updatedAt"),
    (Flipkart, "/hold", "shipments[0].hold"),
    (Flipkart, "/shipmentType", "shipments[0].shipmentType"),
    (Flipkart, "/dispatchAfterDate", "shipments[0].dispatchAfterDate"),
    (Flipkart, "/dispatchByDate", "shipments[0].dispatchByDate"),
    (Flipkart, "/subShipments", "shipments[0].subShipments"),
    (Flipkart, "/orderItems/0/status", "shipments[0].orderItems[0].status"),
    (Flipkart, "/orderItems/0/sku", "shipments[0].orderItems[0].sku"),
    (Flipkart, "/orderItems/0/title", "shipments[0].orderItems[0].title"),
    (Flipkart, "/orderItems/0/hsn", "shipments[0].orderItems[0].hsn"),
    (Flipkart, "/orderItems/0/paymentType", "shipments[0].orderItems[0].paymentType"),
    (Flipkart, "/orderItems/0/serviceProfile", "shipments[0].orderItems[0].serviceProfile"),
    (Flipkart, "/orderItems/0/courierReturn", "shipments[0].orderItems[0].courierReturn"),
    (Flipkart, "/orderItems/0/is_replacement", "shipments[0].orderItems[0].is_replacement"),
    (Flipkart, "/orderItems/0/isReplacement", "shipments[0].orderItems[0].isReplacement"),
];

#[tokio::test]
async fn an_unreadable_lenient_field_costs_only_itself_and_leaves_a_note() {
    for (code, pointer, path) in SIDE_FIELDS {
        // A flag is odd as a number.
        let other = if pointer.to_lowercase().contains("replacement")
            || pointer.ends_with("hold")
            || pointer.ends_with("courierReturn")
        {
            json!(7)
        } else {
            json!(true)
        };
        for odd in [other, json!("HALF hush"), json!("hush ".repeat(500))] {
            let order = with(code, pointer, odd.clone()).await;
            let noted = order.notes.iter().any(|note| note.starts_with(&format!("{path} ")));
            assert!(noted, "{pointer}: {:?}", order.notes);
            assert!(order.notes.iter().all(|note| !note.contains("hush")), "{pointer}: {:?}", order.notes);
            assert_eq!((order.items.len(), order.items[0].quantity), (1, 1), "{pointer}");
            assert!(order.items[0].line_amount.is_some(), "{pointer}");
            assert_eq!(order.customer.is_some(), code == AmazonIn, "{pointer}");
        }
    }
}

#[tokio::test]
async fn an_absent_block_costs_nothing_else() {
    for (code, pointer, _) in SIDE_FIELDS {
        let order = with(code, pointer, Value::Null).await;
        let says_more = ["/fulfillment", "/lastUpdatedTime", "/status", "/updatedAt", "/orderItems/0/status"];
        let is_noted = says_more.contains(&pointer) || pointer.ends_with("fulfillmentStatus");
        assert_eq!(order.notes.len(), usize::from(is_noted), "{pointer}: {:?}", order.notes);
    }
    assert_eq!(with(AmazonIn, "/fulfillment", Value::Null).await.marketplace_status, "UNKNOWN");
}

#[tokio::test]
async fn codes_that_come_as_numbers_are_read_as_text() {
    let order = with(AmazonIn, "/recipient/deliveryAddress/postalCode", json!(411_001)).await;
    assert_eq!((order.ship_postal_prefix.as_deref(), order.notes.len()), (Some("411"), 0));
    assert_eq!(order.customer.unwrap().postal_code.unwrap().as_str(), "411001");
    let order = with(AmazonIn, "/orderItems/0/product/sellerSku", json!(12_345)).await;
    assert_eq!((order.items[0].sku.as_deref(), order.notes.len()), (Some("12345"), 0));
    let order = with(Flipkart, "/orderItems/0/sku", json!(12_345)).await;
    assert_eq!((order.items[0].sku.as_deref(), order.notes.len()), (Some("12345"), 0));
    let order = with(Ajio, "/order_lines/0/item_details/item_code", json!(12_345)).await;
    assert_eq!((order.items[0].sku.as_deref(), order.notes.len()), (Some("12345"), 0));
}

#[tokio::test]
async fn an_invalid_ship_by_date_is_left_out() {
    let reasons =
        [("", "is not an ISO 8601 instant"), ("1970-01-01T00:00:00Z", "between the years 2000 and 2100")];
    for (date, reason) in reasons {
        for (code, pointer) in
            [(AmazonIn, "/fulfillment/shipByWindow/latestDateTime"), (Flipkart, "/dispatchByDate")]
        {
            let order = with(code, pointer, json!(date)).await;
            assert_eq!(order.dispatch_by, None);
            assert!(order.notes[0].contains(reason), "{:?}", order.notes);
        }
    }
}

#[tokio::test]
async fn an_unknown_status_promises_nothing_and_is_kept_as_text() {
    let pointers =
        [(AmazonIn, "/fulfillment/fulfillmentStatus"), (Ajio, "/status"), (Flipkart, "/orderItems/0/status")];
    for (code, pointer) in pointers {
        let order = with(code, pointer, json!("LEVITATING")).await;
        assert_eq!((order.status, order.marketplace_status.as_str()), (OrderStatus::Unknown, "LEVITATING"));
        assert_eq!(order.notes.len(), 1);
        assert!(order.notes[0].contains("keeps the one it had"), "{:?}", order.notes);
    }
}

#[tokio::test]
async fn a_package_without_an_id_of_its_own_costs_only_the_package() {
    let packages = json!([
        { "packageReferenceId": "1", "packageStatus": null },
        { "carrier": "ATS" },
        7,
        { "packageReferenceId": "1", "packageStatus": { "status": "DELIVERED" } },
    ]);
    let order = with(AmazonIn, "/packages", packages).await;
    let packages: Vec<(&str, &str)> =
        order.shipments.iter().map(|it| (it.external_shipment_id.as_str(), it.status.as_str())).collect();
    assert_eq!(packages, [("1", "DELIVERED")]);
    let paths: Vec<&str> = order.notes.iter().map(|note| note.split(' ').next().unwrap()).collect();
    assert_eq!(paths, ["packages[1].packageReferenceId", "packages[2]", "packages[3].packageReferenceId"]);
}

#[tokio::test]
async fn an_unreadable_field_that_makes_an_order_meaningless_still_quarantines_it() {
    for field in ["orderId", "createdTime", "orderItems"] {
        let mut order = amazon();
        order[field] = json!([]);
        let run = read(AmazonIn, &[order, amazon()]).await;
        assert_eq!((run.orders.len(), run.quarantined.len()), (1, 1), "{field}");
    }
}

#[tokio::test]
async fn an_unreadable_field_that_makes_a_shipment_meaningless_quarantines_its_order() {
    for pointer in
        ["/shipmentId", "/orderItems/0/orderItemId", "/orderItems/0/orderDate", "/orderItems/0/quantity"]
    {
        let mut shipment = flipkart();
        *shipment.pointer_mut(pointer).unwrap() = json!([]);
        let mut other = flipkart();
        other["shipmentId"] = json!("S2");
        other["orderItems"][0]["orderId"] = json!("OD2");
        let run = read(Flipkart, &[shipment, other]).await;
        assert_eq!((run.orders.len(), run.quarantined.len()), (1, 1), "{pointer}");
        assert_eq!(run.quarantined[0].external_id.as_deref(), Some("OD1"), "{pointer}");
    }
}

#[tokio::test]
async fn many_odd_fields_leave_a_bounded_number_of_notes() {
    let item =
        |number: usize| json!({ "orderItemId": number, "quantityOrdered": 1, "product": { "title": true } });
    let items: Vec<Value> = (0..5_000).map(item).collect();
    let order = with(AmazonIn, "/orderItems", json!(items)).await;
    assert_eq!((order.items.len(), order.notes.len()), (5_000, 21));
}

#[tokio::test]
async fn a_line_without_units_carries_no_money_unless_the_whole_order_is_cancelled() {
    let zero = Some(Decimal::ZERO);
    let line = json!([{ "orderItemId": "1", "quantityOrdered": 0, "product": { "title": "Kurta" } }]);
    let order = with(AmazonIn, "/orderItems", line.clone()).await;
    assert_eq!((order.items[0].line_amount, order.items[0].tax_amount), (zero, zero));
    let mut cancelled = amazon();
    cancelled["orderItems"] = line;
    cancelled["fulfillment"]["fulfillmentStatus"] = json!("CANCELLED");
    assert_eq!(read(AmazonIn, &[cancelled]).await.orders[0].items[0].line_amount, None);
    for line in [
        json!([{ "order_item_id": "1", "ordered_quantity": 0 }]),
        json!([{ "order_item_id": "1", "ordered_quantity": "0", "item_base_price": 7 }]),
    ] {
        let order = with(Ajio, "/order_lines", line).await;
        assert_eq!(order.items[0].line_amount, zero);
        assert_eq!(
            order.items[0].amount_basis.as_str(),
            "CUSTOMER",
            "otherwise it would not replace the stored amount"
        );
    }
}

#[tokio::test]
async fn a_missing_currency_is_not_invented() {
    let line = json!([{ "orderItemId": "1", "quantityOrdered": 1, "product": {} }]);
    assert_eq!(with(AmazonIn, "/orderItems", line).await.currency, None);
    let mut order = amazon();
    order["orderItems"][0]["proceeds"]["proceedsTotal"]["currencyCode"] = json!("USD");
    assert_eq!(read(AmazonIn, &[order]).await.orders[0].currency.as_deref(), Some("USD"));
}

#[tokio::test]
async fn the_newer_version_of_an_order_that_comes_twice_on_a_page_counts() {
    let (mut older, newer) = (amazon(), amazon());
    older["lastUpdatedTime"] = json!("2026-11-18T10:14:59Z");
    older["fulfillment"]["fulfillmentStatus"] = json!("PENDING");
    for page in [[older.clone(), newer.clone()], [newer, older]] {
        let run = read(AmazonIn, &page).await;
        let statuses: Vec<OrderStatus> = run.orders.iter().map(|order| order.status).collect();
        assert_eq!(statuses, [OrderStatus::Confirmed]);
    }
}
