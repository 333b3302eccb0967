//! Amazon's settlement report V2: the first row of a settlement states its total, each of the others one component.
//!
//! The rows of one event of an order's line become an entry; nothing states its sum, so only the whole settlement can be checked. Equal rows
//! are genuine. Amazon publishes no list of its words, so one that is not known here is kept as OTHER.

pub mod words;

use chrono::{DateTime, Utc};

use crate::files::{FileRecord, FileRow, Key};
use crate::lenient::Notes;
use crate::record::{PayoutEntry, PayoutHead, PayoutPart, PayoutSource};
use crate::records::RecordProblem;

use super::money::Currency;
use words::line_type;

const SETTLEMENT: &str = "settlement-id";

/// Rows name a currency at most in the first one of their settlement.
const CURRENCY: &str = "INR";

/// Entries are known by the settlement and the event: columns that together tell events apart and keep their entries small.
pub const SETTLEMENT_KEY: Key = Key::all(SETTLEMENT, NAMES);

/// The columns that name a part within its settlement.
const NAMES: &[&str] =
    &["transaction-type", "order-id", "adjustment-id", "shipment-id", "order-item-code", "amount-type"];

/// Maps the rows of one event, or the row of the settlement itself.
///
/// # Errors
/// Names the row and the column that cannot be read.
pub fn part(record: &FileRecord) -> Result<PayoutPart, RecordProblem> {
    let mut notes = Notes::default();
    let first = record.first();
    let settlement = first.required_id(SETTLEMENT)?;
    let names: Vec<String> = NAMES.iter().filter_map(|column| first.plain(column)).collect();
    let is_head = first.cell("transaction-type").is_none() && first.cell("amount").is_none();
    Ok(PayoutPart {
        external_part_id: format!("settlement/{settlement}/{}", names.join("/")),
        source: PayoutSource::AmazonSettlement,
        payout: Some(head(first, &settlement, &mut notes)?),
        subject: None,
        currency: currency(first)?,
        expected_at: None,
        entries: if is_head { Vec::new() } else { vec![entry(record, &mut notes)?] },
        notes: notes.into_vec(),
    })
}

fn currency(row: &FileRow) -> Result<String, RecordProblem> {
    match row.cell("currency") {
        Some(cell) => row.leaf::<Currency>("currency", cell).map(|currency| currency.0),
        None => Ok(CURRENCY.to_owned()),
    }
}

fn head(row: &FileRow, settlement: &str, notes: &mut Notes) -> Result<PayoutHead, RecordProblem> {
    let deposited_at = row.optional_date("deposit-date", notes);
    let period_end = row.optional_date("settlement-end-date", notes);
    Ok(PayoutHead {
        external_payout_id: settlement.to_owned(),
        marketplace_status: None,
        period_start: row.optional_date("settlement-start-date", notes),
        period_end,
        settled_at: deposited_at.or(period_end),
        paid_at: deposited_at,
        bank_reference: None,
        stated_amount: row.amount("total-amount")?,
    })
}

fn entry(record: &FileRecord, notes: &mut Notes) -> Result<PayoutEntry, RecordProblem> {
    let first = record.first();
    let transaction = first.text("transaction-type", notes).unwrap_or_default();
    let mut entry = PayoutEntry {
        external_item_id: first.optional_id("order-item-code", notes),
        sku: record.rows.iter().find_map(|row| row.optional_id("sku", notes)),
        quantity: first.optional_units("quantity-purchased", notes),
        posted_at: posted_at(first, notes),
        place: Some(first.place(None)),
        other: record.other_cells(first),
        ..PayoutEntry::default()
    };
    add_order(&mut entry, first.optional_id("order-id", notes));
    for row in &record.rows {
        let [kind, description] =
            ["amount-type", "amount-description"].map(|column| row.plain(column).unwrap_or_default());
        let amount = row.amount("amount")?.ok_or_else(|| row.problem(Some("amount"), "is blank"))?;
        let words = format!("{kind} / {description}");
        entry.add(line_type(&transaction, &kind, &description), &words, Some(amount));
    }
    entry.marketplace_type = transaction;
    Ok(entry)
}

/// The id of an order, if it is one: fees of inbound shipments have the shipment's id in its place.
pub fn add_order(entry: &mut PayoutEntry, id: Option<String>) {
    let Some(id) = id else { return };
    if is_order_id(&id) {
        entry.external_order_id = Some(id);
    } else {
        entry.other.insert("order-id".to_owned(), id);
    }
}

/// Whether a text has the form of Amazon's order ids: 3, 7 and 7 digits.
fn is_order_id(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    lengths == [3, 7, 7] && parts.concat().bytes().all(|sign| sign.is_ascii_digit())
}

fn posted_at(row: &FileRow, notes: &mut Notes) -> Option<DateTime<Utc>> {
    row.optional_date("posted-date-time", notes).or_else(|| row.optional_date("posted-date", notes))
}
