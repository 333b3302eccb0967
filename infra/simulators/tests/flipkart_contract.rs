//! Checks responses against what Flipkart documents of a shipment and of a return: names of fields, their kinds and closed sets of values, for
//! everything that the simulator can serve. Flipkart documents no field as required, so ours are those that a client needs.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod support;

use serde_json::{Value, json};
use support::{book, config, flipkart_filter, flipkart_get, flipkart_token, row, start};

/// The name of a shape, the fields that a client needs, and the others. `field:Shape` is a field with its own shape, and
/// `field:[Shape]` is a list of them.
const SHAPES: &[(&str, &str, &str)] = &[
    ("FilterPage", "hasMore shipments:[Shipment]", "nextPageUrl"),
    ("Shipments", "shipments:[Shipment]", ""),
    (
        "Shipment",
        "shipmentId updatedAt orderItems:[OrderItem]",
        "dispatchByDate dispatchAfterDate locationId hold mps packagingPolicy subShipments:[SubShipment] forms:[Form] shipmentType",
    ),
    ("SubShipment", "subShipmentId", "packages:[Package]"),
    ("Package", "name", "id dimensions weight notional_value description handling"),
    (
        "OrderItem",
        "orderItemId orderId orderDate status quantity",
        "cancellationGroupId cancellationDate paymentType cancellationReason cancellationSubReason courierReturn fsn sku listingId \
         hsn title packageIds priceComponents:Prices serviceProfile is_replacement",
    ),
    ("Prices", "", "sellingPrice totalPrice shippingCharge customerPrice flipkartDiscount"),
    ("Form", "", "name link automated"),
    ("Returns", "hasMore returnItems:[ReturnItem]", "nextUrl"),
    (
        "ReturnItem",
        "returnId orderItemId orderId quantity createdDate updatedDate status",
        "shipmentId locationId orderDate approvedOn expectedDate courierName sellerId type reason subReason trackingId shipmentStatus \
         comments serviceProfile services:[Service]",
    ),
    ("Service", "", "serviceFulfilmentId description serviceByDate createdAt"),
];

const CLOSED_SETS: &[(&str, &str)] = &[
    (
        "status",
        "APPROVED PACKING_IN_PROGRESS FORM_FAILED PACKED READY_TO_DISPATCH PICKUP_COMPLETE CANCELLED RETURN_REQUESTED \
         RETURNED SHIPPED DELIVERED COMPLETED",
    ),
    ("ReturnItem.status", "CREATED COMPLETED CANCELLED"),
    ("type", "customer_return courier_return"),
    ("paymentType", "COD PREPAID"),
    ("serviceProfile", "Flipkart_Fulfilment Seller_Fulfilment Smart_Fulfilment FBF NON_FBF FBF_LITE"),
    ("shipmentType", "EXPRESS NORMAL SELF"),
];

const FLAGS: &[&str] = &["hasMore", "hold", "mps", "courierReturn", "is_replacement", "automated"];
const NUMBERS: &[&str] =
    &["sellingPrice", "totalPrice", "shippingCharge", "customerPrice", "flipkartDiscount", "quantity"];
const INSTANTS: &[&str] = &[
    "dispatchByDate",
    "dispatchAfterDate",
    "updatedAt",
    "orderDate",
    "cancellationDate",
    "createdDate",
    "updatedDate",
    "approvedOn",
    "expectedDate",
];
const LISTS_OF_TEXTS: &[&str] = &["packageIds"];

fn check(shape: &str, value: &Value) {
    let (_, needed, others) = SHAPES.iter().find(|(name, ..)| *name == shape).unwrap();
    let fields = value.as_object().unwrap_or_else(|| panic!("{shape} is no object: {value}"));
    for field in needed.split_whitespace() {
        let name = field.split(':').next().unwrap();
        assert!(fields.contains_key(name), "{shape} lacks {name}");
    }
    for (name, value) in fields {
        let known = needed.split_whitespace().chain(others.split_whitespace());
        let field =
            known.map(|field| field.split_once(':').unwrap_or((field, ""))).find(|(known, _)| known == name);
        let (_, inner) = field.unwrap_or_else(|| panic!("{shape} has no field {name}"));
        match inner.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
            Some(inner) => value.as_array().unwrap().iter().for_each(|one| check(inner, one)),
            None if inner.is_empty() => check_plain(shape, name, value),
            None => check(inner, value),
        }
    }
}

fn check_plain(shape: &str, name: &str, value: &Value) {
    if FLAGS.contains(&name) {
        assert!(value.is_boolean(), "{shape}.{name} is no flag: {value}");
        return;
    }
    if NUMBERS.contains(&name) {
        assert!(value.is_number(), "{shape}.{name} is no number: {value}");
        return;
    }
    if LISTS_OF_TEXTS.contains(&name) {
        assert!(value.as_array().unwrap().iter().all(Value::is_string), "{shape}.{name}");
        return;
    }
    let text = value.as_str().unwrap_or_else(|| panic!("{shape}.{name} is no text: {value}"));
    if INSTANTS.contains(&name) {
        chrono::DateTime::parse_from_rfc3339(text).unwrap();
    }
    let set_of = |field: &str| CLOSED_SETS.iter().find(|(known, _)| *known == field);
    if let Some((_, set)) = set_of(&format!("{shape}.{name}")).or_else(|| set_of(name)) {
        assert!(set.split_whitespace().any(|allowed| allowed == text), "{shape}.{name} may not be {text}");
    }
}

#[test]
fn every_shipment_has_the_documented_shape_in_the_filter_and_by_its_order() {
    let simulator = start(&config());
    let token = flipkart_token(&simulator, "app-1");
    let open = ["APPROVED", "PACKING_IN_PROGRESS", "PACKED", "FORM_FAILED", "READY_TO_DISPATCH"];
    let dispatched = ["SHIPPED", "DELIVERED", "PICKUP_COMPLETE"];
    let filters = [
        json!({"type": "preDispatch", "states": open}),
        json!({"type": "preDispatch", "states": open, "hold": true}),
        json!({"type": "postDispatch", "states": dispatched}),
        json!({"type": "cancelled", "cancellationType": "sellerCancellation"}),
        json!({"type": "cancelled", "cancellationType": "buyerCancellation"}),
        json!({"type": "cancelled", "cancellationType": "marketplaceCancellation"}),
    ];
    for mut filter in filters {
        filter["serviceProfiles"] = json!(["NON_FBF", "FBF_LITE"]);
        let page = flipkart_filter(
            &simulator,
            &token,
            &json!({ "filter": filter, "pagination": { "pageSize": 3 } }),
        );
        check("FilterPage", &page.json());
        let shipments = page.json()["shipments"].as_array().unwrap().clone();
        assert!(!shipments.is_empty(), "{filter}");
        let orders: Vec<&str> =
            shipments.iter().map(|it| it["orderItems"][0]["orderId"].as_str().unwrap()).collect();
        let path = format!("/sellers/v3/shipments?orderIds={}", orders.join(","));
        check("Shipments", &flipkart_get(&simulator, &token, &path).json());
    }
}

#[test]
fn every_return_has_the_documented_shape_for_both_sources() {
    let mut config = config();
    let rows = [
        row("402-1", "Shipped - Delivered to Buyer", "10", "1"),
        row("402-2", "Shipped - Returned to Seller", "10", "1"),
    ];
    config.flipkart.default_book = book(&rows.each_ref().map(String::as_str));
    let simulator = start(&config);
    let token = flipkart_token(&simulator, "app-1");
    for source in ["customer_return", "courier_return"] {
        let page = flipkart_get(&simulator, &token, &format!("/sellers/v2/returns?source={source}"));
        check("Returns", &page.json());
        assert_eq!(page.ids("returnItems", "type"), [source]);
    }
}
