//! Settlement reports: Amazon makes one for each settlement that is closed, and nobody can ask for one.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::{Value, json};

use super::money::{Settlement, Transaction, transactions};
use crate::order_book::OrderBook;
use crate::page_fault::Malformation;

pub(super) const REPORT_TYPE: &str = "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2";

/// How long a report is being prepared.
const PREPARED_FOR: TimeDelta = TimeDelta::hours(1);
/// What the ids of documents begin with, before that of the settlement.
const DOCUMENT: &str = "amzn1.spdoc.1.4.eu.settlement.";

const COLUMNS: [&str; 24] = [
    "settlement-id",
    "settlement-start-date",
    "settlement-end-date",
    "deposit-date",
    "total-amount",
    "currency",
    "transaction-type",
    "order-id",
    "merchant-order-id",
    "adjustment-id",
    "shipment-id",
    "marketplace-name",
    "amount-type",
    "amount-description",
    "amount",
    "fulfillment-id",
    "posted-date",
    "posted-date-time",
    "order-item-code",
    "merchant-order-item-id",
    "merchant-adjustment-item-id",
    "sku",
    "quantity-purchased",
    "promotion-id",
];
const AMOUNT: usize = 14;

/// The cells of a row.
pub(super) type Row = Vec<String>;

/// A settlement that is closed and reported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AmazonSettlement {
    /// Its id.
    pub id: String,
    /// When its report appeared.
    pub reported_at: DateTime<Utc>,
    /// The sum of its transactions.
    pub total: Decimal,
    /// What each order adds to it, refunds included; sorted by order id.
    pub orders: Vec<(String, Decimal)>,
    /// Its report (a flat file V2), as Seller Central hands it out.
    pub report: String,
}

/// The account's settlements whose reports are listed by now, the oldest first.
pub(super) fn reported(
    account: &str,
    book: &OrderBook,
    started_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Vec<Settlement> {
    let all: BTreeSet<_> = transactions(book, started_at)
        .map(|one| one.settlement(account))
        .filter(|settlement| settlement.reported_at() <= now)
        .map(|settlement| (settlement.start, settlement))
        .collect();
    all.into_iter().map(|(_, settlement)| settlement).collect()
}

/// The settlements as a test compares them.
pub(super) fn told(
    account: &str,
    book: &OrderBook,
    started_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Vec<AmazonSettlement> {
    let tell = |settlement: Settlement| {
        let paid = of_settlement(account, book, started_at, &settlement);
        let mut orders: Vec<(String, Decimal)> = Vec::new();
        for one in &paid {
            match orders.iter_mut().find(|(id, _)| *id == one.order.order_id) {
                Some((_, sum)) => *sum += one.total(),
                None => orders.push((one.order.order_id.clone(), one.total())),
            }
        }
        orders.sort();
        AmazonSettlement {
            reported_at: settlement.reported_at(),
            total: paid.iter().map(Transaction::total).sum(),
            orders,
            report: text(&rows(&settlement, &paid)),
            id: settlement.id,
        }
    };
    reported(account, book, started_at, now).into_iter().map(tell).collect()
}

fn of_settlement<'a>(
    account: &str,
    book: &'a OrderBook,
    started_at: DateTime<Utc>,
    settlement: &Settlement,
) -> Vec<Transaction<'a>> {
    transactions(book, started_at).filter(|one| one.settlement(account) == *settlement).collect()
}

/// A report as the list states it. The report's id is that of its settlement.
pub(super) fn stated(settlement: &Settlement, marketplace: &str, now: DateTime<Utc>) -> Value {
    let instant = |at: DateTime<Utc>| json!(at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true));
    let is_ready = now >= settlement.reported_at() + PREPARED_FOR;
    let mut body = json!({
        "reportId": settlement.id, "reportType": REPORT_TYPE, "marketplaceIds": [marketplace],
        "dataStartTime": instant(settlement.start), "dataEndTime": instant(settlement.end),
        "createdTime": instant(settlement.reported_at()),
        "processingStatus": if is_ready { "DONE" } else { "IN_PROGRESS" },
    });
    if is_ready {
        body["processingEndTime"] = instant(settlement.reported_at() + PREPARED_FOR);
        body["reportDocumentId"] = json!(format!("{DOCUMENT}{}", settlement.id));
    }
    body
}

/// The rows of a document, by its id, if it is one of a report that is ready.
pub(super) fn document(
    id: &str,
    account: &str,
    book: &OrderBook,
    started_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Option<Vec<Row>> {
    let wanted = id.strip_prefix(DOCUMENT)?;
    let settlement = reported(account, book, started_at, now - PREPARED_FOR)
        .into_iter()
        .find(|settlement| settlement.id == wanted)?;
    Some(rows(&settlement, &of_settlement(account, book, started_at, &settlement)))
}

/// Whether a document is packed. Amazon packs some and others not.
pub(super) fn is_packed(document: &str) -> bool {
    document.ends_with(['0', '2', '4', '6', '8'])
}

fn rows(settlement: &Settlement, paid: &[Transaction<'_>]) -> Vec<Row> {
    let total: Decimal = paid.iter().map(Transaction::total).sum();
    let date = |at: DateTime<Utc>| at.format("%d.%m.%Y %H:%M:%S UTC").to_string();
    let head = [
        (0, settlement.id.clone()),
        (1, date(settlement.start)),
        (2, date(settlement.end)),
        (3, date(settlement.paid_at())),
        (4, total.to_string()),
        (5, "INR".to_owned()),
    ];
    std::iter::once(row(&head)).chain(paid.iter().flat_map(|one| of_transaction(settlement, one))).collect()
}

fn of_transaction(settlement: &Settlement, one: &Transaction<'_>) -> Vec<Row> {
    let kind = if one.kind == "Refund" { "Refund" } else { "Order" };
    let mut rows = Vec::new();
    for item in one.items() {
        for ((amount_type, description, _), amount) in &item.components {
            let mut cells = vec![
                (0, settlement.id.clone()),
                (6, kind.to_owned()),
                (7, one.order.order_id.clone()),
                (11, "Amazon.in".to_owned()),
                (12, (*amount_type).to_owned()),
                (13, (*description).to_owned()),
                (AMOUNT, amount.to_string()),
                (16, one.posted_at.format("%d.%m.%Y").to_string()),
                (17, one.posted_at.format("%d.%m.%Y %H:%M:%S UTC").to_string()),
                (18, item.line.order_item_id.clone()),
                (21, item.sku.clone()),
            ];
            if *description == "Principal" {
                cells.push((22, item.line.quantity.to_string()));
            }
            if kind == "Refund" {
                cells.push((9, format!("A{}", item.line.order_item_id)));
            }
            rows.push(row(&cells));
        }
    }
    rows
}

fn row(cells: &[(usize, String)]) -> Row {
    let mut row = vec![String::new(); COLUMNS.len()];
    for (column, text) in cells {
        row[*column].clone_from(text);
    }
    row
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
            (column.unwrap_or_default(), "")
        }
        Malformation::BadAmount => (AMOUNT, "1.234,56"),
        Malformation::FiveDecimals => (AMOUNT, "648.37125"),
        Malformation::OddCustomer | Malformation::WithheldCustomer => return,
    };
    text.clone_into(&mut row[column]);
}
