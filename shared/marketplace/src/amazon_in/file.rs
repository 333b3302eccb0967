//! Amazon's report of all orders, a flat file between tabs. It has a row for each line and states no line ids, no packages and
//! no payment; its status texts are those of packages.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::files::{FileRecord, FileRow, line_id, whole};
use crate::lenient::Notes;
use crate::record::{
    AmountBasis, Customer, CustomerText, OrderItemRecord, OrderRecord, OrderStatus, UNKNOWN_STATUS,
    UNKNOWN_STATUS_NOTE,
};
use crate::records::{RecordProblem, distinct, first_repeat};

use super::customer;
use super::money::Currency;

const ORDER: &str = "amazon-order-id";
const STATUS: &str = "order-status";
const CURRENCY: &str = "currency";
const POSTAL_CODE: &str = "ship-postal-code";
const CHANNEL: &str = "sales-channel";

/// Maps an order.
///
/// # Errors
/// Names the row and the column that cannot be read.
pub fn order(record: &FileRecord) -> Result<OrderRecord, RecordProblem> {
    let mut notes = Notes::default();
    let first = record.first();
    let (mut statuses, mut texts) = (Vec::new(), Vec::new());
    for row in &record.rows {
        check_channel(row)?;
        let (status, text) = status(row, &mut notes);
        statuses.push(status);
        texts.extend(text);
    }
    let whole_status = whole(statuses.iter().copied());
    let mut items: Vec<OrderItemRecord> = Vec::with_capacity(record.rows.len());
    for (row, status) in record.rows.iter().zip(statuses) {
        let before = items.iter().map(|item| item.external_item_id.as_str());
        let item = item(row, (status, whole_status), before, &mut notes)?;
        items.push(item);
    }
    if first_repeat(items.iter().map(|item| item.external_item_id.as_str())).is_some() {
        return Err(first.problem(Some("order-item-id"), "is also that of another line of the order"));
    }
    let postal_code = postal_code(record, &mut notes);
    let postal_prefix =
        postal_code.as_ref().and_then(|code| customer::postal_prefix(code, POSTAL_CODE, &mut notes));
    let latest = |column, notes: &mut Notes| -> Option<DateTime<Utc>> {
        record.rows.iter().filter_map(|row| row.optional_date(column, notes)).max()
    };
    Ok(OrderRecord {
        external_order_id: first.required_id(ORDER)?,
        status: whole_status,
        marketplace_status: distinct(texts.iter().map(String::as_str))
            .unwrap_or_else(|| UNKNOWN_STATUS.to_owned()),
        placed_at: first.required_date("purchase-date")?,
        marketplace_updated_at: latest("last-updated-date", &mut notes),
        dispatch_by: latest("latest-ship-date", &mut notes),
        dispatch_after: None,
        on_hold: false,
        is_replacement: false,
        fulfilled_by: record.common("fulfillment-channel", &mut notes).as_deref().and_then(fulfilled_by),
        payment_method: record.common("payment-method", &mut notes),
        currency: currency(record)?,
        total_amount: items.iter().map(|item| item.line_amount).sum(),
        ship_city: record.common("ship-city", &mut notes),
        ship_state: record.common("ship-state", &mut notes),
        ship_postal_prefix: postal_prefix,
        customer: Customer { postal_code: postal_code.map(CustomerText::new), ..Customer::default() }
            .if_known(),
        items,
        shipments: Vec::new(),
        notes: notes.into_vec(),
    })
}

/// The report covers all countries in which the account sells. An order of another one is no order of this account here.
fn check_channel(row: &FileRow) -> Result<(), RecordProblem> {
    match row.cell(CHANNEL) {
        Some(channel) if !channel.eq_ignore_ascii_case("Amazon.in") => {
            Err(row.problem(Some(CHANNEL), "is not Amazon.in"))
        }
        _ => Ok(()),
    }
}

/// Spreadsheet programs make `560001.0` of it.
fn postal_code(record: &FileRecord, notes: &mut Notes) -> Option<String> {
    record.rows.iter().find_map(|row| row.optional_id(POSTAL_CODE, notes))
}

fn fulfilled_by(channel: &str) -> Option<String> {
    let ours = match channel.to_ascii_lowercase().as_str() {
        "merchant" | "mfn" => "SELLER",
        "amazon" | "afn" => "MARKETPLACE",
        _ => return None,
    };
    Some(ours.to_owned())
}

/// Returns the currency of all rows that state one.
fn currency(record: &FileRecord) -> Result<Option<String>, RecordProblem> {
    let mut one: Option<Currency> = None;
    for row in &record.rows {
        let Some(cell) = row.cell(CURRENCY) else { continue };
        let currency: Currency = row.leaf(CURRENCY, cell)?;
        if one.as_ref().is_some_and(|one| *one != currency) {
            return Err(row.problem(Some(CURRENCY), "is not that of the rest of the order"));
        }
        one = Some(currency);
    }
    Ok(one.map(|currency| currency.0))
}

/// Reads a line's status: `item-status` only says that a line was cancelled, everything else is in `order-status`.
fn status(row: &FileRow, notes: &mut Notes) -> (OrderStatus, Option<String>) {
    let text = row.text(STATUS, notes);
    let is_cancelled =
        row.cell("item-status").is_some_and(|status| is_cancelled(&status.to_ascii_lowercase()));
    if is_cancelled {
        return (OrderStatus::Cancelled, text);
    }
    let ours = text.as_deref().and_then(parse_status).unwrap_or_else(|| {
        notes.push(row.problem(Some(STATUS), UNKNOWN_STATUS_NOTE));
        OrderStatus::Unknown
    });
    (ours, text)
}

fn is_cancelled(status: &str) -> bool {
    status.starts_with("cancel")
}

/// Reads a status such as `Shipped - Delivered to Buyer`. A line with `Pending - …` is packed and waits for the courier, so it
/// is no longer pending.
fn parse_status(text: &str) -> Option<OrderStatus> {
    let text = text.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
    Some(match text.as_str() {
        cancelled if is_cancelled(cancelled) => OrderStatus::Cancelled,
        "unfulfillable" => OrderStatus::Cancelled,
        "pending" | "pendingavailability" => OrderStatus::Pending,
        "unshipped" | "shipping" => OrderStatus::Confirmed,
        pending if pending.starts_with("pending -") => OrderStatus::Confirmed,
        "partiallyshipped" | "partially shipped" => OrderStatus::PartiallyShipped,
        shipped if shipped.starts_with("shipped") => {
            if says(&["return", "rejected", "undeliverable", "lost", "damaged"]) {
                OrderStatus::Undelivered
            } else if says(&["delivered"]) && !says(&["out for delivery"]) {
                OrderStatus::Delivered
            } else {
                OrderStatus::Shipped
            }
        }
        _ => return None,
    })
}

/// Maps a line by its own status and that of the whole order.
fn item<'a>(
    row: &FileRow,
    (status, whole_status): (OrderStatus, OrderStatus),
    before: impl Iterator<Item = &'a str>,
    notes: &mut Notes,
) -> Result<OrderItemRecord, RecordProblem> {
    let quantity = row.required_units("quantity")?;
    let sku = row.optional_id("sku", notes);
    let article = sku.clone().or_else(|| row.optional_id("asin", notes));
    // A line of a cancelled order keeps its stored amounts.
    let nothing = (quantity == 0 && whole_status != OrderStatus::Cancelled).then_some(Decimal::ZERO);
    Ok(OrderItemRecord {
        external_item_id: row.id("order-item-id")?.unwrap_or_else(|| line_id(article.as_deref(), before)),
        sku,
        title: row.text("product-name", notes),
        size: None,
        quantity,
        quantity_cancelled: if status == OrderStatus::Cancelled { quantity } else { 0 },
        line_amount: row.amount("item-price")?.or(nothing), // of the whole line, without shipping
        amount_basis: AmountBasis::Customer,
        tax_amount: row.amount("item-tax")?.or(nothing),
        hsn: None,
    })
}
