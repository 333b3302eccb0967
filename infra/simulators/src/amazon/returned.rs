//! The returns of an order book, and the table in which a report states them. The book has no returns, so they are invented
//! from its status texts.

use std::ops::RangeInclusive;

use chrono::{DateTime, FixedOffset, TimeDelta, Utc};
use rust_decimal::Decimal;

use super::render::{asin, seller_sku, title};
use crate::order_book::{Fulfilment, Line, Order, OrderBook};
use crate::page_fault::Malformation;

const COLUMNS: [&str; 32] = [
    "Order ID",
    "Order date",
    "Return request date",
    "Return request status",
    "Amazon RMA ID",
    "Merchant RMA ID",
    "Label type",
    "Label cost",
    "Currency code",
    "Return carrier",
    "Tracking ID",
    "Label to be paid by",
    "A-to-Z Claim",
    "Is prime",
    "ASIN",
    "Merchant SKU",
    "Item Name",
    "Return quantity",
    "Return Reason",
    "In policy",
    "Return type",
    "Resolution",
    "Invoice number",
    "Return delivery date",
    "Order Amount",
    "Order quantity",
    "SafeT Action reason",
    "SafeT claim id",
    "SafeT claim state",
    "SafeT claim creation time",
    "SafeT claim reimbursement amount",
    "Refunded Amount",
];
const RMA_ID: usize = 4;
const REFUNDED: usize = 31;

/// How long after its order a return is asked for, and how long after that it arrives.
const ASKED_AFTER: TimeDelta = TimeDelta::days(7);
const ARRIVES_AFTER: TimeDelta = TimeDelta::days(7);
/// A return that would be older than this when the simulator starts is asked for within that time instead.
const RECENT_DAYS: i64 = 170;

/// The cells of a returned line.
pub(super) type Row = Vec<String>;

/// The rows of a report about returns that were asked for in a span, as they are now.
pub(super) fn rows(
    book: &OrderBook,
    started_at: DateTime<Utc>,
    span: RangeInclusive<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Vec<Row> {
    let mut rows = Vec::new();
    for order in book.orders() {
        let requested_at = requested_at(order, started_at);
        if span.contains(&requested_at) {
            let returned = order.lines.iter().filter_map(|line| Some((line, kind(order, line)?)));
            rows.extend(returned.map(|(line, kind)| row(order, line, kind, requested_at, now)));
        }
    }
    rows
}

/// The text of a report.
pub(super) fn text(rows: &[Row]) -> String {
    let lines = std::iter::once(COLUMNS.join("\t")).chain(rows.iter().map(|row| row.join("\t")));
    lines.map(|line| line + "\r\n").collect()
}

/// Spoils a row.
pub(super) fn malform(row: &mut Row, malformation: &Malformation) {
    let (column, text) = match malformation {
        Malformation::MissingField { field } => {
            let column = COLUMNS.iter().position(|name| field.as_deref() == Some(*name));
            (column.unwrap_or(RMA_ID), "")
        }
        Malformation::BadAmount => (REFUNDED, "12.3.4"),
        Malformation::FiveDecimals => (REFUNDED, "648.37125"),
        Malformation::OddCustomer | Malformation::WithheldCustomer => return,
    };
    text.clone_into(&mut row[column]);
}

/// `Return type` of a line, if it is returned. Amazon reports only what the seller ships. Every fifth delivered order comes back.
pub(super) fn kind(order: &Order, line: &Line) -> Option<&'static str> {
    let says = |word: &str| line.status.contains(word);
    if line.fulfilment == Fulfilment::Amazon || !line.status.starts_with("Shipped") {
        None
    } else if says("Rejected") {
        Some("Rejected")
    } else if says("Return") {
        Some("Undeliverable")
    } else {
        (says("Delivered") && order.order_id.ends_with(['2', '7'])).then_some("C-Returns")
    }
}

/// 00:00 in India, as for all times of the book.
pub(super) fn requested_at(order: &Order, started_at: DateTime<Utc>) -> DateTime<Utc> {
    let usual = order.created_at + ASKED_AFTER;
    if usual >= started_at - TimeDelta::days(RECENT_DAYS) {
        return usual;
    }
    let whole_days = (started_at - order.created_at).num_days();
    let step = |hash: i64, byte: u8| (hash * 31 + i64::from(byte)) % RECENT_DAYS;
    let days_ago = order.order_id.bytes().fold(0, step);
    order.created_at + TimeDelta::days(whole_days - days_ago)
}

fn row(order: &Order, line: &Line, kind: &str, requested_at: DateTime<Utc>, now: DateTime<Utc>) -> Row {
    let arrives_at = requested_at + ARRIVES_AFTER;
    let has_arrived = arrives_at <= now;
    let is_customers = kind == "C-Returns";
    let refunded = if has_arrived && is_customers { line.amount } else { Decimal::ZERO };
    let digits: String = order.order_id.chars().filter(char::is_ascii_alphanumeric).collect();
    let quantity = line.quantity.max(1).to_string();
    let cells: [&str; 32] = [
        &order.order_id,
        &date(order.created_at),
        &date(requested_at),
        "Approved",
        &format!("D{digits}RRMA"),
        "",
        "AmazonUnPaidLabel",
        "0.00",
        &line.currency,
        "ATSIN",
        &format!("36{digits}"),
        "Seller",
        "N",
        "N",
        &asin(line),
        &seller_sku(line),
        &title(line),
        &quantity,
        if is_customers { "CR-NO_REASON_GIVEN" } else { "CR-UNDELIVERABLE" },
        "Y",
        kind,
        "StandardRefund",
        "",
        &if has_arrived { date(arrives_at) } else { String::new() },
        &order.total().to_string(),
        &quantity,
        "",
        "",
        "",
        "",
        "",
        &refunded.to_string(),
    ];
    cells.map(str::to_owned).to_vec()
}

/// Such as `08-Jul-2026`, in India.
fn date(at: DateTime<Utc>) -> String {
    let east_of_greenwich = FixedOffset::east_opt(5 * 3_600 + 1_800);
    east_of_greenwich
        .map_or_else(String::new, |india| at.with_timezone(&india).format("%d-%b-%Y").to_string())
}
