//! A seller's shipments and returns, made of an order book. Which of them are held, split, replaced or delivered by the seller is our own choice, and
//! the same for the same book.

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;

use crate::error::ChangeError;
use crate::order_book::{Fulfilment, Line, Order, OrderBook};

use super::returns::{self, ReturnItem};

/// The one location of every seller.
pub(super) const LOCATION: &str = "LOC1";

/// A part of an order line.
#[derive(Clone)]
pub(super) struct Item {
    pub(super) order_item_id: String,
    pub(super) status: String,
    /// Who cancelled it.
    pub(super) cancellation: Option<String>,
    pub(super) courier_return: bool,
    pub(super) quantity: u32,
    pub(super) amount: Decimal,
    pub(super) sku: String,
    pub(super) title: String,
    pub(super) payment_type: &'static str,
    pub(super) service_profile: &'static str,
}

/// A shipment of an order.
#[derive(Clone)]
pub(super) struct Shipment {
    pub(super) id: String,
    pub(super) order_id: String,
    pub(super) ordered_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) dispatch_after: DateTime<Utc>,
    pub(super) dispatch_by: DateTime<Utc>,
    pub(super) hold: bool,
    pub(super) kind: &'static str,
    pub(super) sub_shipments: usize,
    pub(super) is_replacement: bool,
    pub(super) items: Vec<Item>,
}

/// What happens to an order, or to one shipment of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FlipkartChange {
    /// Every item that is not cancelled gets this status.
    Status(String),
    /// It is put on hold, or taken off it.
    Hold(bool),
    /// It is cancelled by `sellerCancellation`, `buyerCancellation` or `marketplaceCancellation`.
    Cancelled(String),
}

/// The shipments and returns of one seller, in the order of the book.
pub(super) struct Book {
    pub(super) shipments: Vec<Shipment>,
    pub(super) returns: Vec<ReturnItem>,
}

impl Book {
    pub(super) fn new(orders: &OrderBook, now: DateTime<Utc>) -> Self {
        let numbered = (0_u32..).zip(orders.orders());
        let shipments: Vec<Shipment> =
            numbered.flat_map(|(number, order)| shipments(number, order, now)).collect();
        Self { returns: returns::returns(&shipments), shipments }
    }

    /// The orders' ids, each once.
    pub(super) fn order_ids(&self) -> Vec<String> {
        let mut ids: Vec<String> = self.shipments.iter().map(|shipment| shipment.order_id.clone()).collect();
        ids.dedup();
        ids
    }

    /// Changes the shipments of an order, or one of them.
    pub(super) fn change(
        &mut self,
        order_id: &str,
        shipment_id: Option<&str>,
        change: &FlipkartChange,
        at: DateTime<Utc>,
    ) -> Result<(), ChangeError> {
        let mut is_known = false;
        let is_meant = |it: &Shipment| it.order_id == order_id && shipment_id.is_none_or(|id| id == it.id);
        for shipment in self.shipments.iter_mut().filter(|it| is_meant(it)) {
            is_known = true;
            shipment.updated_at = at;
            match change {
                FlipkartChange::Hold(hold) => shipment.hold = *hold,
                FlipkartChange::Status(status) => {
                    for item in shipment.items.iter_mut().filter(|item| item.status != "CANCELLED") {
                        item.status.clone_from(status);
                    }
                }
                FlipkartChange::Cancelled(by) => {
                    for item in &mut shipment.items {
                        "CANCELLED".clone_into(&mut item.status);
                        item.cancellation = Some(by.clone());
                    }
                }
            }
        }
        if is_known { Ok(()) } else { Err(ChangeError::UnknownOrder) }
    }
}

/// The shipments of an order: one for each status text, and one more for the rest of a line of three units or more.
fn shipments(number: u32, order: &Order, now: DateTime<Utc>) -> Vec<Shipment> {
    let mut groups: Vec<(&str, bool, Vec<Item>)> = Vec::new();
    for line in &order.lines {
        for (is_rest, items) in parts(number, line) {
            match groups.iter_mut().find(|(text, rest, _)| *text == line.status && *rest == is_rest) {
                Some((_, _, known)) => known.extend(items),
                None => groups.push((&line.status, is_rest, items)),
            }
        }
    }
    let numbered = (1..).zip(groups);
    numbered.map(|(ordinal, (text, _, items))| shipment(number, ordinal, order, text, items, now)).collect()
}

fn shipment(
    number: u32,
    ordinal: u32,
    order: &Order,
    text: &str,
    items: Vec<Item>,
    now: DateTime<Utc>,
) -> Shipment {
    let digits: String = order.order_id.chars().filter(char::is_ascii_alphanumeric).collect();
    // The book does not say when an order changed: it was an hour earlier for each order, within sixty days.
    let updated_at = now - TimeDelta::hours(i64::from(number % 1_440)) - TimeDelta::minutes(5);
    let is_approved = items.iter().any(|item| item.status == "APPROVED");
    let release = if is_approved && number % 5 == 3 { TimeDelta::days(1) } else { TimeDelta::zero() };
    let dispatch_after = updated_at + release;
    Shipment {
        id: format!("{digits}{ordinal:02}"),
        order_id: format!("OD{digits}"),
        ordered_at: order.created_at,
        updated_at,
        dispatch_after,
        dispatch_by: dispatch_after + TimeDelta::days(2),
        hold: text == "Pending",
        kind: match number % 8 {
            3 => "SELF",
            1 | 5 => "EXPRESS",
            _ => "NORMAL",
        },
        sub_shipments: if number % 5 == 2 { 2 } else { 1 },
        is_replacement: number % 6 == 5,
        items,
    }
}

/// The parts of a line, and whether a part is the rest that goes with another shipment. Of three units or more the first goes alone; of
/// five or more, the customer cancels one.
fn parts(number: u32, line: &Line) -> Vec<(bool, Vec<Item>)> {
    let (status, courier_return) = status(&line.status);
    let cancellation = (status == "CANCELLED").then(|| {
        let by = ["sellerCancellation", "buyerCancellation", "marketplaceCancellation"];
        by[(number % 3) as usize].to_owned()
    });
    let item = |quantity: u32, amount: Decimal| Item {
        order_item_id: line.order_item_id.clone(),
        status: status.to_owned(),
        cancellation: cancellation.clone(),
        courier_return,
        quantity,
        amount,
        sku: format!("{}-{}", line.category, line.size).to_uppercase(),
        title: format!("{} \"{}\"", line.category, line.size),
        payment_type: if line.payment_method == "Cash" { "COD" } else { "PREPAID" },
        service_profile: match line.fulfilment {
            Fulfilment::Merchant => "NON_FBF",
            Fulfilment::Amazon => "FBF_LITE",
        },
    };
    if status == "CANCELLED" || line.quantity < 3 {
        return vec![(false, vec![item(line.quantity, line.amount)])];
    }
    let unit = (line.amount / Decimal::from(line.quantity)).trunc_with_scale(2);
    let first = item(1, unit);
    if line.quantity < 5 {
        return vec![(false, vec![first]), (true, vec![item(line.quantity - 1, line.amount - unit)])];
    }
    let rest = item(line.quantity - 2, line.amount - unit - unit);
    let cancellation = Some("buyerCancellation".to_owned());
    let cancelled = Item { status: "CANCELLED".to_owned(), cancellation, ..item(1, unit) };
    vec![(false, vec![first]), (true, vec![rest, cancelled])]
}

/// Flipkart's status for a status text of the book, and whether the courier brings the goods back.
fn status(text: &str) -> (&'static str, bool) {
    let detail = text.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| detail.contains(word));
    if detail.starts_with("cancel") {
        ("CANCELLED", false)
    } else if !detail.starts_with("shipped") {
        (if detail.starts_with("pending -") { "PACKED" } else { "APPROVED" }, false)
    } else if says(&["return", "rejected", "undeliverable", "lost", "damaged"]) {
        ("SHIPPED", true)
    } else if says(&["out for delivery"]) {
        ("SHIPPED", false)
    } else if says(&["delivered"]) {
        ("DELIVERED", false)
    } else if says(&["picked up"]) {
        ("PICKUP_COMPLETE", false)
    } else {
        ("SHIPPED", false)
    }
}
