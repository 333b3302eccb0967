//! AJIO's payment report: a row for each accounting document, with one signed value.
//!
//! AJIO buys from the seller, so its margin is in the price of the purchase order: there are no fees and no taxes here. What an order
//! brought is the sum of its documents: invoices, less credit notes. A clearing document is one bank credit; a document without one is open.

use crate::files::{FileRecord, FileRow, Key};
use crate::lenient::Notes;
use crate::record::PayoutLineType::{Other, Refund, Sale};
use crate::record::{PayoutEntry, PayoutHead, PayoutPart, PayoutSource};
use crate::records::RecordProblem;

const DOCUMENT: &str = "Internal Document no";
const CLEARING: &str = "Clearing doc no";

/// AJIO sells in India only and names no currency.
const CURRENCY: &str = "INR";

/// Documents are known by their number, whether they are open or cleared.
pub const PAYMENT_KEY: Key = Key::whole(DOCUMENT);

/// What a document without a number is known by, together, whether it is open or cleared.
const INSTEAD: [&str; 5] = ["Journey Type", "Invoice Number", "Credit Note No", "Order No", "Value"];

/// Maps a document.
///
/// # Errors
/// Names the row and the column that cannot be read.
pub fn payment(record: &FileRecord) -> Result<PayoutPart, RecordProblem> {
    let mut notes = Notes::default();
    // Of several rows of one document, a cleared one says more than an open one.
    let row = record.rows.iter().rfind(|row| row.cell(CLEARING).is_some()).unwrap_or_else(|| record.first());
    let entries = record.rows.iter().map(|row| entry(record, row, &mut notes)).collect::<Result<_, _>>()?;
    Ok(PayoutPart {
        external_part_id: part_id(row)?,
        source: PayoutSource::AjioPayments,
        payout: payout(row, &mut notes)?,
        subject: None, // a document keeps its number when it is cleared
        currency: CURRENCY.to_owned(),
        expected_at: row.optional_date("Expected settlement date", &mut notes),
        entries,
        notes: notes.into_vec(),
    })
}

fn part_id(row: &FileRow) -> Result<String, RecordProblem> {
    Ok(match row.id(DOCUMENT)? {
        Some(document) => document,
        None => INSTEAD.map(|column| row.plain(column).unwrap_or_default()).join("/"),
    })
}

fn payout(row: &FileRow, notes: &mut Notes) -> Result<Option<PayoutHead>, RecordProblem> {
    let Some(clearing) = row.id(CLEARING)? else { return Ok(None) };
    let cleared_at = row.optional_date("Clearing date", notes);
    Ok(Some(PayoutHead {
        external_payout_id: clearing.clone(),
        marketplace_status: row.text("Status", notes),
        period_start: None,
        period_end: None,
        settled_at: cleared_at,
        paid_at: cleared_at,
        bank_reference: Some(clearing),
        stated_amount: None, // only its documents state amounts
    }))
}

fn entry(record: &FileRecord, row: &FileRow, notes: &mut Notes) -> Result<PayoutEntry, RecordProblem> {
    let value = row.amount("Value")?.ok_or_else(|| row.problem(Some("Value"), "is blank"))?;
    let journey = row.text("Journey Type", notes).unwrap_or_default();
    let line_type = match journey.to_ascii_uppercase().as_str() {
        "FORWARD" => Sale,
        "RETURN" | "REVERSE" => Refund,
        _ => Other,
    };
    let mut entry = PayoutEntry {
        external_order_id: row.optional_id("Order No", notes),
        posted_at: row.optional_date("Invoice Date", notes),
        stated_amount: Some(value),
        place: Some(row.place(None)),
        other: record.other_cells(row),
        ..PayoutEntry::default()
    };
    entry.add(line_type, &journey, Some(value));
    entry.marketplace_type = journey;
    Ok(entry)
}
