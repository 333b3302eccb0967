//! Tests of the mapping of returns.

use serde_json::{Value, json};

use super::*;

fn item(id: &str, status: &str) -> Value {
    json!({
        "orderItemId": id, "quantity": 2, "orderId": "OD1", "shipmentId": "S1", "status": status, "trackingId": 1490,
        "courierName": "E-Kart", "reason": "DEFECTIVE_PRODUCT", "subReason": "BROKEN", "comments": "hush",
        "createdDate": "2026-11-10T09:00:00Z", "updatedDate": "2026-11-18T09:00:00Z", "expectedDate": "2026-11-20T09:00:00Z",
    })
}

fn map(source: &str, items: &[Value]) -> Result<ReturnRecord, RecordProblem> {
    let text = json!({ "returnId": "R1", "source": source, "returnItems": items }).to_string();
    returned(&RawValue::from_string(text).unwrap())
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

#[test]
fn every_status_is_known_in_any_case_and_the_source_is_the_type() {
    for (text, expected) in [
        ("CREATED", ReturnStatus::Initiated),
        ("RETURN_PICKED_UP", ReturnStatus::PickedUp),
        ("PICKED_UP", ReturnStatus::PickedUp),
        ("in_transit", ReturnStatus::InTransit),
        ("out_for_delivery", ReturnStatus::InTransit),
        ("COMPLETED", ReturnStatus::Delivered),
        ("CANCELLED", ReturnStatus::Cancelled),
        ("LEVITATING", ReturnStatus::Unknown),
    ] {
        let returned = map("courier_return", &[item("1", text)]).unwrap();
        assert_eq!((returned.status, returned.return_type), (expected, ReturnType::Rto), "{text}");
        assert_eq!(returned.marketplace_status, text);
        assert_eq!(returned.notes.len(), usize::from(expected == ReturnStatus::Unknown), "{text}");
    }
    assert_eq!(map("customer_return", &[item("1", "CREATED")]).unwrap().return_type, ReturnType::Customer);
}

#[test]
fn a_return_keeps_its_numbers_dates_and_reasons_and_nobodys_words() {
    let returned = map("customer_return", &[item("1", "COMPLETED")]).unwrap();
    let numbers = (
        returned.external_order_id.as_deref(),
        returned.external_shipment_id.as_deref(),
        returned.tracking_number.as_deref(),
        returned.carrier.as_deref(),
    );
    assert_eq!(numbers, (Some("OD1"), Some("S1"), Some("1490"), Some("E-Kart")));
    assert_eq!(returned.initiated_at, at("2026-11-10T09:00:00Z"));
    assert_eq!(returned.expected_at, Some(at("2026-11-20T09:00:00Z")));
    assert_eq!(returned.delivered_at, None, "Flipkart does not state it");
    assert_eq!(returned.marketplace_updated_at, Some(at("2026-11-18T09:00:00Z")));
    assert_eq!(returned.reason.as_deref(), Some("DEFECTIVE_PRODUCT / BROKEN"));
    assert_eq!(returned.items[0].external_order_item_id.as_deref(), Some("1"));
    assert!(!format!("{returned:?}").contains("hush"));
    assert!(returned.notes.is_empty(), "{:?}", returned.notes);
}

#[test]
fn a_return_is_as_far_as_the_item_that_has_come_least_far_and_changed_when_the_last_of_them_did() {
    let mut later = item("2", "COMPLETED");
    later["updatedDate"] = json!("2026-11-19T09:00:00Z");
    let done =
        map("customer_return", &[item("1", "COMPLETED"), later.clone(), item("3", "CANCELLED")]).unwrap();
    assert_eq!(
        (done.status, done.marketplace_updated_at),
        (ReturnStatus::Delivered, Some(at("2026-11-19T09:00:00Z")))
    );
    let cancelled: Vec<i32> = done.items.iter().map(|item| item.quantity_cancelled).collect();
    assert_eq!(cancelled, [0, 0, 2]);
    assert_eq!(done.marketplace_status, "COMPLETED / CANCELLED");
    let open = map("customer_return", &[item("1", "CREATED"), later.clone()]).unwrap();
    assert_eq!(open.status, ReturnStatus::Initiated);
    let unknown = map("customer_return", &[item("1", "WHAT"), later]).unwrap();
    assert_eq!(unknown.status, ReturnStatus::Unknown);
    let nothing = map("customer_return", &[item("1", "CANCELLED")]).unwrap();
    assert_eq!(nothing.status, ReturnStatus::Cancelled);
}

#[test]
fn odd_side_fields_cost_themselves_and_leave_notes() {
    let odd = json!({ "orderItemId": "1", "quantity": "1", "createdDate": "1970-01-01T00:00:00Z",
        "approvedOn": "2026-11-11T09:00:00Z", "orderId": {}, "trackingId": [], "expectedDate": "" });
    let returned = map("customer_return", &[odd]).unwrap();
    assert_eq!(returned.initiated_at, at("2026-11-11T09:00:00Z"), "when it was approved");
    assert_eq!(
        (returned.status, returned.marketplace_status.as_str()),
        (ReturnStatus::Unknown, UNKNOWN_STATUS)
    );
    assert_eq!((returned.external_order_id, returned.tracking_number), (None, None));
    let noted: Vec<&str> = returned.notes.iter().map(|it| it.split(' ').next().unwrap()).collect();
    let fields = ["createdDate", "updatedDate", "expectedDate", "status", "orderId", "trackingId"];
    assert_eq!(noted, fields.map(|field| format!("returnItems[0].{field}")));
}

#[test]
fn what_identifies_dates_and_counts_a_return_is_required_and_named() {
    let without = |field: &str| {
        let mut item = item("1", "CREATED");
        item.as_object_mut().unwrap().remove(field);
        map("customer_return", &[item]).unwrap_err().into_reason()
    };
    for field in ["orderItemId", "quantity", "createdDate"] {
        assert_eq!(without(field), format!("returnItems[0].{field} is missing"));
    }
    let twice = map("customer_return", &[item("1", "CREATED"), item("1", "CREATED")]).unwrap_err();
    assert_eq!(twice.into_reason(), "returnItems has two items with one orderItemId");
    assert_eq!(map("customer_return", &[]).unwrap_err().into_reason(), "returnItems is empty");
    let nameless =
        RawValue::from_string(json!({ "source": "customer_return", "returnItems": [] }).to_string());
    assert_eq!(returned(&nameless.unwrap()).unwrap_err().into_reason(), "returnId is missing");
}
