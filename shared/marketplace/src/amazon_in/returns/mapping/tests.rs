//! Rows of the report in, returns out.

use serde_json::{Value, json};

use super::*;

fn row() -> Value {
    json!({
        "Order ID": "404-0000001-0000002", "Return request date": "08-Jul-2026", "Return request status": "Approved",
        "Amazon RMA ID": "DxRRMA1", "Currency code": "INR", "Return carrier": "ATSIN", "Tracking ID": "360000000001",
        "ASIN": "B0XXXXXXX1", "Merchant SKU": "SKU-A-01", "Item Name": "Pendant", "Return quantity": "1",
        "Return Reason": "CR-DEFECTIVE", "Return type": "C-Returns", "Refunded Amount": "0.00",
    })
}

/// The row with some cells replaced, or removed if the new value is null.
fn with(changes: &[(&str, Value)]) -> Value {
    let mut row = row();
    for (column, value) in changes {
        match value {
            Value::Null => row.as_object_mut().unwrap().remove(*column),
            value => row.as_object_mut().unwrap().insert((*column).to_owned(), value.clone()),
        };
    }
    row
}

fn map(rows: &[Value]) -> Result<ReturnRecord, RecordProblem> {
    returned(&RawValue::from_string(Value::from(rows).to_string()).unwrap())
}

fn mapped(changes: &[(&str, Value)]) -> ReturnRecord {
    map(&[with(changes)]).unwrap()
}

#[test]
fn a_date_of_delivery_makes_a_return_delivered_whatever_became_of_its_request() {
    for text in ["Approved", "Closed", "Cancelled", "WHAT"] {
        let returned =
            mapped(&[("Return request status", json!(text)), ("Return delivery date", json!("15-Jul-2026"))]);
        assert_eq!(returned.status, ReturnStatus::Delivered, "{text}");
        assert_eq!(returned.delivered_at.unwrap().to_rfc3339(), "2026-07-14T18:30:00+00:00");
        assert_eq!((returned.marketplace_status.as_str(), returned.notes.len()), (text, 0));
    }
}

#[test]
fn statuses_are_those_of_the_request() {
    let expected = [
        ("Approved", ReturnStatus::Initiated),
        ("PendingApproval", ReturnStatus::Initiated),
        ("Pending Approval", ReturnStatus::Initiated),
        ("Closed", ReturnStatus::Initiated),
        ("Completed", ReturnStatus::Initiated),
        ("Cancelled", ReturnStatus::Cancelled),
        ("Denied", ReturnStatus::Cancelled),
    ];
    for (text, status) in expected {
        let returned = mapped(&[("Return request status", json!(text))]);
        assert_eq!((returned.status, returned.notes), (status, vec![]), "{text}");
    }
    for value in [json!("Lost"), Value::Null, json!(["x"])] {
        let returned = mapped(&[("Return request status", value.clone())]);
        assert_eq!(returned.status, ReturnStatus::Unknown, "{value}");
        assert!(returned.notes.last().unwrap().starts_with("Return request status "), "{:?}", returned.notes);
    }
}

#[test]
fn types_tell_customers_returns_from_parcels_that_never_arrived() {
    let expected = [
        ("C-Returns", ReturnType::Customer),
        ("Customer Return", ReturnType::Customer),
        ("Rejected", ReturnType::Rto),
        ("Undeliverable", ReturnType::Rto),
        ("RTO", ReturnType::Rto),
    ];
    for (text, kind) in expected {
        let returned = mapped(&[("Return type", json!(text))]);
        assert_eq!((returned.return_type, returned.notes), (kind, vec![]), "{text}");
    }
    for value in [json!("Swap"), Value::Null] {
        let returned = mapped(&[("Return type", value)]);
        assert_eq!(returned.return_type, ReturnType::Customer);
        assert!(returned.notes[0].starts_with("Return type is neither"), "{:?}", returned.notes);
    }
}

#[test]
fn equal_rows_are_two_lines_and_the_articles_are_numbered_apart() {
    let other = |sku: Value, asin: Value| with(&[("Merchant SKU", sku), ("ASIN", asin)]);
    let rows = [
        row(),
        other(json!("SKU-A"), json!("B0")),
        row(),
        other(Value::Null, json!("B0")),
        other(Value::Null, Value::Null),
        other(Value::Null, Value::Null),
    ];
    let returned = map(&rows).unwrap();
    let ids: Vec<&str> = returned.items.iter().map(|item| item.external_item_id.as_str()).collect();
    assert_eq!(ids, ["SKU-A-01-1", "SKU-A-1", "SKU-A-01-2", "B0-1", "line-1", "line-2"]);
    assert_eq!(returned.items[3].sku, None);
}

#[test]
fn what_one_row_leaves_out_another_states_and_a_part_that_arrived_makes_the_return_delivered() {
    let rows = [
        with(&[("Tracking ID", Value::Null), ("Return carrier", Value::Null)]),
        with(&[
            ("Return delivery date", json!("15-Jul-2026")),
            ("Return request date", json!("07-Jul-2026")),
        ]),
        with(&[("Return delivery date", json!("16-Jul-2026")), ("Refunded Amount", json!("1,999.50"))]),
    ];
    let returned = map(&rows).unwrap();
    assert_eq!(returned.tracking_number.as_deref(), Some("360000000001"));
    assert_eq!(returned.initiated_at.to_rfc3339(), "2026-07-06T18:30:00+00:00");
    assert_eq!(returned.delivered_at.unwrap().to_rfc3339(), "2026-07-15T18:30:00+00:00");
    let refunds: Vec<String> =
        returned.items.iter().map(|item| item.refund_amount.unwrap().to_string()).collect();
    assert_eq!(refunds, ["0", "0", "1999.5"]);
}

#[test]
fn a_number_that_is_no_order_number_leaves_a_note_and_the_order_item_is_kept() {
    for number in ["S01-0000001-0000002", "404-1-2", "404-0000001-00000022", "404000000010000002"] {
        let returned = mapped(&[("Order ID", json!(number)), ("Order Item ID", json!("17000000000001"))]);
        assert_eq!(returned.external_order_id, None, "{number}");
        assert_eq!(returned.notes, ["[0].Order ID does not have the form 3-7-7"]);
        assert_eq!(returned.items[0].external_order_item_id.as_deref(), Some("17000000000001"));
    }
}

#[test]
fn what_identifies_dates_and_counts_a_return_is_required_and_named() {
    for (column, value, reason) in [
        ("Amazon RMA ID", Value::Null, "[0].Amazon RMA ID is missing"),
        ("Return request date", Value::Null, "[0].Return request date is missing"),
        (
            "Return request date",
            json!("08/07/2026"),
            "[0].Return request date is not a date between the years 2000 and 2100",
        ),
        ("Return quantity", json!("one"), "[0].Return quantity is not a whole number of units"),
        ("Refunded Amount", json!("12,50"), "[0].Refunded Amount is not a decimal number"),
        ("Refunded Amount", json!("0.00005"), "[0].Refunded Amount has more than 4 decimals"),
        (BEYOND, json!("x"), "row has cells beyond the header"),
    ] {
        assert_eq!(map(&[with(&[(column, value)])]).unwrap_err().into_reason(), reason);
    }
    for (column, value) in [("Order ID", "404-0000001-0000003"), ("Currency code", "USD")] {
        let problem = map(&[row(), with(&[(column, json!(value))])]).unwrap_err().into_reason();
        assert_eq!(problem, format!("{column} differs between the rows of one RMA"));
    }
    assert_eq!(map(&[]).unwrap_err().into_reason(), "Amazon RMA ID is missing");
}

#[test]
fn odd_cells_cost_themselves_and_leave_notes() {
    let returned = mapped(&[
        ("Return delivery date", json!("soon")),
        ("Currency code", json!("rupees")),
        ("Item Name", json!("x".repeat(3_000))),
    ]);
    assert_eq!((returned.delivered_at, returned.status), (None, ReturnStatus::Initiated));
    assert_eq!((returned.currency, returned.items[0].title.as_ref()), (None, None));
    assert_eq!(
        returned.notes,
        [
            "[0].Return delivery date is not a date between the years 2000 and 2100",
            "[0].Currency code is not an ISO 4217 currency code",
            "[0].Item Name is longer than 2000 bytes",
        ]
    );
}
