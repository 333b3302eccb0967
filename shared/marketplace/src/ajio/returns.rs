//! Maps AJIO's returns to ours: parcels that never reached the customer (RTO), and what customers send back (CR).

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fields::{EpochSeconds, Id, Quantity, Text};
use crate::lenient::{Lenient, Notes};
use crate::record::{
    ReturnDocument, ReturnDocumentKind, ReturnItemRecord, ReturnRecord, ReturnStatus, ReturnType,
    UNKNOWN_RETURN_STATUS_NOTE, UNKNOWN_STATUS,
};
use crate::records::{RecordProblem, first_repeat, parse_record};

use super::mapping::{CURRENCY, ItemDetails, Place};

#[derive(Deserialize)]
pub(super) struct AjioReturn {
    pub(super) return_order_id: Id,
    pub(super) return_date: EpochSeconds,
    #[serde(default)]
    pub(super) order_id: Lenient<Id>,
    #[serde(default)]
    pub(super) return_status: Lenient<Text>,
    #[serde(default)]
    pub(super) return_type: Lenient<Text>,
    #[serde(default)]
    pub(super) carrier: Lenient<Text>,
    #[serde(default)]
    pub(super) tracking_number: Lenient<Text>,
    #[serde(default)]
    pub(super) reason: Lenient<Text>,
    // The names of the documents' fields are ours: AJIO's are not public.
    #[serde(default)]
    pub(super) credit_note_number: Lenient<Text>,
    #[serde(default)]
    pub(super) rsi_number: Lenient<Text>,
    #[serde(default)]
    pub(super) debit_note_number: Lenient<Text>,
    pub(super) return_order_items: Option<Vec<AjioReturnItem>>,
}

#[derive(Deserialize)]
pub(super) struct AjioReturnItem {
    pub(super) return_item_id: Id,
    pub(super) return_quantity: Quantity,
    pub(super) cancelled_return_quantity: Option<Quantity>,
    #[serde(default)]
    pub(super) order_item_id: Lenient<Id>,
    #[serde(default)]
    pub(super) reason: Lenient<Text>,
    #[serde(default)]
    pub(super) item_details: Lenient<ItemDetails>,
}

#[derive(Deserialize)]
struct OnlyId {
    return_order_id: Id,
}

/// Returns a record's return id, if at least that can be read.
pub fn return_id(raw: &RawValue) -> Option<String> {
    serde_json::from_str::<OnlyId>(raw.get()).ok().map(|record| record.return_order_id.0)
}

/// Maps a return.
///
/// # Errors
/// Names the field that does not follow the contract.
pub fn returned(raw: &RawValue) -> Result<ReturnRecord, RecordProblem> {
    let given: AjioReturn = parse_record(raw)?;
    let items = given.return_order_items.iter().flatten();
    if first_repeat(items.map(|item| item.return_item_id.0.as_str())).is_some() {
        return Err(RecordProblem::at("return_order_items", "has two lines with one return_item_id"));
    }
    Ok(assemble(given, &|index, field| format!("return_order_items[{index}].{field}"), Notes::default()))
}

/// Maps a return whose lines are told apart, from whatever source.
pub(super) fn assemble(given: AjioReturn, place: &Place<'_>, mut notes: Notes) -> ReturnRecord {
    let (status, marketplace_status) = status(given.return_status, &mut notes);
    let items = given.return_order_items.unwrap_or_default();
    if items.is_empty() {
        notes.add("return_order_items", "is empty");
    }
    let documents = [
        (ReturnDocumentKind::CreditNote, given.credit_note_number.text("credit_note_number", &mut notes)),
        (ReturnDocumentKind::Rsi, given.rsi_number.text("rsi_number", &mut notes)),
        (ReturnDocumentKind::DebitNote, given.debit_note_number.text("debit_note_number", &mut notes)),
    ];
    ReturnRecord {
        external_return_id: given.return_order_id.0,
        // In AJIO the outbound parcel has the order's number.
        external_order_id: given.order_id.read("order_id", &mut notes).map(|id| id.0),
        external_shipment_id: None,
        return_type: return_type(given.return_type, &mut notes),
        status,
        marketplace_status,
        reason: given.reason.text("reason", &mut notes),
        carrier: given.carrier.text("carrier", &mut notes),
        tracking_number: given.tracking_number.text("tracking_number", &mut notes),
        currency: Some(CURRENCY.to_owned()),
        document: documents
            .into_iter()
            .find_map(|(kind, number)| number.map(|number| ReturnDocument { kind, number })),
        initiated_at: given.return_date.0,
        expected_at: None,
        delivered_at: None,
        marketplace_updated_at: None,
        items: items
            .into_iter()
            .enumerate()
            .map(|(index, it)| item(it, &|field| place(index, field), &mut notes))
            .collect(),
        notes: notes.into_vec(),
    }
}

fn item(item: AjioReturnItem, path: &dyn Fn(&str) -> String, notes: &mut Notes) -> ReturnItemRecord {
    let quantity = item.return_quantity.0;
    let details = item.item_details.read(&path("item_details"), notes).unwrap_or_default();
    ReturnItemRecord {
        external_item_id: item.return_item_id.0,
        external_order_item_id: item.order_item_id.read(&path("order_item_id"), notes).map(|id| id.0),
        sku: details.item_code.text(&path("item_details.item_code"), notes),
        title: details.name.text(&path("item_details.name"), notes),
        size: details.size.text(&path("item_details.size"), notes),
        quantity,
        quantity_cancelled: item.cancelled_return_quantity.map_or(0, |units| units.0).min(quantity),
        refund_amount: None,
        reason: item.reason.text(&path("reason"), notes),
    }
}

/// A type that the contract does not list counts as a customer's return, which is the more common one.
fn return_type(given: Lenient<Text>, notes: &mut Notes) -> ReturnType {
    match given.text("return_type", notes).as_deref() {
        Some("RTO") => ReturnType::Rto,
        Some("CR") => ReturnType::Customer,
        _ => {
            notes.add("return_type", "is neither RTO nor CR, so the return counts as a customer's");
            ReturnType::Customer
        }
    }
}

fn status(given: Lenient<Text>, notes: &mut Notes) -> (ReturnStatus, String) {
    let text = given.text("return_status", notes);
    let ours = text.as_deref().map_or(ReturnStatus::Unknown, parse_status);
    if ours == ReturnStatus::Unknown {
        notes.add("return_status", UNKNOWN_RETURN_STATUS_NOTE);
    }
    (ours, text.unwrap_or_else(|| UNKNOWN_STATUS.to_owned()))
}

/// AJIO processes a return, and settles it by a document, after it was delivered. Neither undoes the delivery.
fn parse_status(text: &str) -> ReturnStatus {
    match text {
        "RETURN_INITIATED" | "RETURN_CREATED" => ReturnStatus::Initiated,
        "RETURN_DELIVERED" | "RETURN_PROCESSED" | "CREDIT_NOTE_CREATED" => ReturnStatus::Delivered,
        "RETURN_CANCELLED" => ReturnStatus::Cancelled,
        _ => ReturnStatus::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(json: &str) -> Result<ReturnRecord, RecordProblem> {
        returned(&RawValue::from_string(json.to_owned()).unwrap())
    }

    #[test]
    fn every_listed_status_is_known_and_no_other() {
        let expected = [
            ("RETURN_INITIATED", ReturnStatus::Initiated),
            ("RETURN_CREATED", ReturnStatus::Initiated),
            ("RETURN_DELIVERED", ReturnStatus::Delivered),
            ("RETURN_PROCESSED", ReturnStatus::Delivered),
            ("CREDIT_NOTE_CREATED", ReturnStatus::Delivered),
            ("RETURN_CANCELLED", ReturnStatus::Cancelled),
            ("RETURN_LOST", ReturnStatus::Unknown),
        ];
        for (text, status) in expected {
            assert_eq!(parse_status(text), status, "{text}");
        }
    }

    #[test]
    fn odd_side_fields_cost_themselves_and_leave_notes() {
        let returned = map(
            r#"{"return_order_id":77,"return_date":"1636433775","return_status":"WHAT","return_type":3,"order_id":{},
            "tracking_number":149081234,"return_order_items":null}"#,
        )
        .unwrap();
        assert_eq!(returned.external_return_id, "77");
        assert_eq!(returned.tracking_number.as_deref(), Some("149081234"));
        assert_eq!((returned.status, returned.return_type), (ReturnStatus::Unknown, ReturnType::Customer));
        assert_eq!((returned.marketplace_status.as_str(), returned.external_order_id), ("WHAT", None));
        let noted: Vec<&str> =
            returned.notes.iter().map(|note| note.split(' ').next().unwrap_or_default()).collect();
        assert_eq!(noted, ["return_status", "return_order_items", "order_id", "return_type"]);
    }

    #[test]
    fn what_identifies_and_dates_a_return_is_required_and_named() {
        for (json, reason) in [
            (r#"{"return_date":1636433775}"#, "return_order_id is missing"),
            (r#"{"return_order_id":"R-1"}"#, "return_date is missing"),
            (
                r#"{"return_order_id":"R-1","return_date":1636433775000}"#,
                "return_date is not an instant in epoch seconds",
            ),
            (
                r#"{"return_order_id":"R-1","return_date":1636433775,"return_order_items":[{"return_item_id":"1"}]}"#,
                "return_order_items[0].return_quantity is missing",
            ),
        ] {
            assert_eq!(map(json).unwrap_err().into_reason(), reason, "{json}");
        }
    }

    #[test]
    fn the_document_that_settles_a_return_is_kept_with_its_kind() {
        let of = |field: &str| {
            map(&format!(r#"{{"return_order_id":"R-1","return_date":1636433775,"{field}":"N-1"}}"#))
                .unwrap()
                .document
        };
        for (field, kind) in [
            ("credit_note_number", ReturnDocumentKind::CreditNote),
            ("rsi_number", ReturnDocumentKind::Rsi),
            ("debit_note_number", ReturnDocumentKind::DebitNote),
        ] {
            assert_eq!(of(field), Some(ReturnDocument { kind, number: "N-1".to_owned() }), "{field}");
        }
        assert_eq!(of("other"), None);
    }
}
