//! Meesho's file of returns. It has a row for each sub-order that comes back, and no id of the return: a sub-order may come
//! back more than once, so a return is known by its sub-order and the day on which it was created. That is the same in the
//! files of all, of delivered and of lost returns.

use chrono::{DateTime, FixedOffset, NaiveTime, Utc};

use crate::files::{FileRecord, FileRow, Key};
use crate::lenient::Notes;
use crate::record::{
    ReturnItemRecord, ReturnRecord, ReturnStatus, ReturnType, UNKNOWN_RETURN_STATUS_NOTE, UNKNOWN_STATUS,
};
use crate::records::RecordProblem;

use super::{CURRENCY, order_number};

const SUB_ORDER: &str = "Suborder Number";
const CREATED: &str = "Return Created Date";
const STATUS: &str = "Status";
const TYPE: &str = "Type of Return";

const INDIA: Option<FixedOffset> = FixedOffset::east_opt(5 * 3600 + 1800);

/// Returns are known by the sub-order and their day.
pub const RETURN_KEY: Key =
    Key { column: SUB_ORDER, of: |sub_order| sub_order, and: &[CREATED], named_by_all: false };

/// Maps a return.
///
/// # Errors
/// Names the row and the column that cannot be read.
pub fn returned(record: &FileRecord) -> Result<ReturnRecord, RecordProblem> {
    let mut notes = Notes::default();
    // Of rows of one return, the last one counts: files that were put together have newer rows further down.
    let row = record.rows.last().unwrap_or_else(|| record.first());
    let sub_order = row.required_id(SUB_ORDER)?;
    let created_at = row.required_date(CREATED)?;
    let delivered_at = row.optional_date("Delivered Date", &mut notes);
    let (status, marketplace_status) = status(row, delivered_at.is_some(), &mut notes);
    let reason = row.text("Detailed Return Reason", &mut notes);
    let reason = row.text("Return Reason", &mut notes).or(reason);
    Ok(ReturnRecord {
        external_return_id: format!("{sub_order}-{}", day(created_at)),
        external_order_id: Some(order_number(&sub_order).to_owned()),
        external_shipment_id: None,
        return_type: return_type(row, &mut notes),
        status,
        marketplace_status,
        reason: reason.clone(),
        carrier: row.text("Courier Partner", &mut notes),
        tracking_number: row.optional_id("AWB Number", &mut notes),
        currency: Some(CURRENCY.to_owned()),
        document: None,
        initiated_at: created_at,
        expected_at: row.optional_date("Expected Delivery Date", &mut notes),
        delivered_at,
        marketplace_updated_at: None,
        items: vec![item(row, sub_order, reason, &mut notes)?],
        notes: notes.into_vec(),
    })
}

fn item(
    row: &FileRow,
    sub_order: String,
    reason: Option<String>,
    notes: &mut Notes,
) -> Result<ReturnItemRecord, RecordProblem> {
    Ok(ReturnItemRecord {
        external_item_id: sub_order.clone(),
        external_order_item_id: Some(sub_order),
        sku: row.optional_id("SKU", notes),
        title: row.text("Product Name", notes),
        size: row.text("Variation", notes),
        quantity: row.required_units("Qty")?,
        quantity_cancelled: 0,
        refund_amount: None,
        reason,
    })
}

/// The day in India, with the time when the file has one.
fn day(created_at: DateTime<Utc>) -> String {
    let Some(india) = INDIA else { return created_at.format("%Y%m%d").to_string() };
    let local = created_at.with_timezone(&india);
    let form = if local.time() == NaiveTime::MIN { "%Y%m%d" } else { "%Y%m%dT%H%M%S" };
    local.format(form).to_string()
}

/// A type that is not known counts as a customer's return, which is the more common one.
fn return_type(row: &FileRow, notes: &mut Notes) -> ReturnType {
    let text = row.text(TYPE, notes).unwrap_or_default().to_ascii_lowercase();
    if text.contains("rto") || text.contains("courier") {
        return ReturnType::Rto;
    }
    if !text.contains("customer") {
        notes.push(row.problem(
            Some(TYPE),
            "is neither Customer Return nor Courier Return (RTO), so the return counts as a customer's",
        ));
    }
    ReturnType::Customer
}

/// The date of delivery counts more than the status. A lost return never comes.
fn status(row: &FileRow, is_delivered: bool, notes: &mut Notes) -> (ReturnStatus, String) {
    let text = row.text(STATUS, notes);
    let ours = text.as_deref().map_or(ReturnStatus::Unknown, parse_status);
    let ours = if is_delivered { ReturnStatus::Delivered } else { ours };
    if ours == ReturnStatus::Unknown {
        notes.push(row.problem(Some(STATUS), UNKNOWN_RETURN_STATUS_NOTE));
    }
    (ours, text.unwrap_or_else(|| UNKNOWN_STATUS.to_owned()))
}

fn parse_status(text: &str) -> ReturnStatus {
    match text.to_ascii_lowercase().replace(['_', '-'], " ").as_str() {
        "initiated" | "return initiated" | "created" | "pending" | "pickup pending" => {
            ReturnStatus::Initiated
        }
        "picked up" | "pickup done" => ReturnStatus::PickedUp,
        "in transit" | "out for delivery" | "shipped" => ReturnStatus::InTransit,
        "delivered" => ReturnStatus::Delivered,
        "cancelled" | "lost" => ReturnStatus::Cancelled,
        _ => ReturnStatus::Unknown,
    }
}
