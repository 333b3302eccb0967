//! What is known, as one statement each can read it: orders with their lines, returns, claims, and entries of payouts with their lines.
//!
//! Amounts are in one currency, that of the account. Amounts in entries have the sign of the money: what is taken from the seller is
//! negative. All other amounts are positive.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::line_type::LineType;

/// The bits of an entry's UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EntryId(pub u128);

/// Everything that concerns one order.
#[derive(Debug, Clone)]
pub struct OrderFacts {
    /// The marketplace's code, such as `FLIPKART`.
    pub marketplace: String,
    /// The marketplace's id of the order.
    pub external_order_id: String,
    /// The order; `None` when only entries name it.
    pub order: Option<Order>,
    /// Its returns.
    pub returns: Vec<Return>,
    /// The claims for its returns.
    pub claims: Vec<Claim>,
    /// The entries that name it, announced ones included.
    pub entries: Vec<Entry>,
}

/// How far an order has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It is not delivered yet.
    Open,
    /// It reached the customer.
    Delivered,
    /// It is on its way back or came back without reaching the customer.
    Undelivered,
    /// It was cancelled.
    Cancelled,
}

/// An order.
#[derive(Debug, Clone)]
pub struct Order {
    /// How far it has come.
    pub progress: Progress,
    /// When the customer placed it. Its day in India decides which row of a card counts.
    pub placed_at: DateTime<Utc>,
    /// Until when it had to leave.
    pub dispatch_by: Option<DateTime<Utc>>,
    /// When it left. Its day decides which tax rate counts; until it is known, the day of the order does.
    pub dispatched_at: Option<DateTime<Utc>>,
    /// When it was delivered.
    pub delivered_at: Option<DateTime<Utc>>,
    /// Whether the seller cancelled any of it; `None`: if anything was cancelled, nobody knows by whom.
    pub cancelled_by_seller: Option<bool>,
    /// Whether it replaces goods that came back. Nothing is paid for it again.
    pub is_replacement: bool,
    /// Who fulfils it, in the card's word, such as `SELLER`.
    pub fulfilment: Option<String>,
    /// Its lines.
    pub items: Vec<Item>,
}

/// A line of an order.
#[derive(Debug, Clone)]
pub struct Item {
    /// The marketplace's id of the line, unique within the order.
    pub external_item_id: String,
    /// The seller's article code.
    pub sku: Option<String>,
    /// The category, in the card's word.
    pub category: Option<String>,
    /// Units ordered.
    pub quantity: u32,
    /// How many of them were cancelled.
    pub cancelled: u32,
    /// What the marketplace owes for all units ordered before its deductions, GST included.
    pub price: Decimal,
    /// The GST contained in it.
    pub tax: Option<Decimal>,
    /// The weight of all units as the seller ships them.
    pub weight_grams: Option<u32>,
    /// The shipping zone, in the card's word.
    pub zone: Option<String>,
}

/// Why goods come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReturnKind {
    /// The customer sent them.
    Customer,
    /// They never reached the customer.
    Rto,
}

/// A return.
#[derive(Debug, Clone)]
pub struct Return {
    /// The marketplace's id of the return.
    pub external_return_id: String,
    /// Why.
    pub kind: ReturnKind,
    /// Whether it was called off.
    pub is_cancelled: bool,
    /// Its lines.
    pub items: Vec<ReturnedItem>,
}

/// A line of a return.
#[derive(Debug, Clone)]
pub struct ReturnedItem {
    /// The marketplace's id of the order's line.
    pub external_item_id: Option<String>,
    /// The seller's article code.
    pub sku: Option<String>,
    /// Units that come back, without cancelled ones.
    pub quantity: u32,
    /// What the customer gets back, if it is known.
    pub refund: Option<Decimal>,
}

/// What became of a claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClaimState {
    /// It is not decided.
    Open,
    /// The marketplace agreed to pay.
    Won,
    /// It is over without money.
    Closed,
}

/// A claim for a return.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The marketplace's id of its return.
    pub external_return_id: String,
    /// What became of it.
    pub state: ClaimState,
    /// When it was decided.
    pub resolved_at: Option<DateTime<Utc>>,
    /// What the marketplace agreed to pay.
    pub recovered: Option<Decimal>,
}

/// An entry of a payout: an amount that the source states as a whole.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its id.
    pub id: EntryId,
    /// The marketplace's id of its payout; `None`: announced, not paid yet.
    pub payout: Option<String>,
    /// The marketplace's id of the order's line.
    pub external_item_id: Option<String>,
    /// The seller's article code.
    pub sku: Option<String>,
    /// When the marketplace booked it.
    pub posted_at: Option<DateTime<Utc>>,
    /// When the marketplace wants to pay it.
    pub expected_at: Option<DateTime<Utc>>,
    /// The weight for which shipping was charged: the upper end of the slab.
    pub charged_weight_grams: Option<u32>,
    /// Its components.
    pub lines: Vec<Line>,
}

/// A component of an entry.
#[derive(Debug, Clone)]
pub struct Line {
    /// Its place in the entry.
    pub number: u32,
    /// What it is.
    pub line_type: LineType,
    /// The marketplace's own words.
    pub marketplace_type: String,
    /// The amount.
    pub amount: Decimal,
}

/// A payout as a whole.
#[derive(Debug, Clone)]
pub struct Payout {
    /// The marketplace's id of it.
    pub external_payout_id: String,
    /// When it was paid or closed.
    pub settled_at: DateTime<Utc>,
    /// The total that the marketplace states, if it does.
    pub stated: Option<Decimal>,
    /// The sum of its entries.
    pub sum: Decimal,
}

impl Entry {
    /// The sum of its lines, without a transfer.
    #[must_use]
    pub fn amount(&self) -> Decimal {
        self.lines.iter().filter(|line| line.line_type.is_in_sum()).map(|line| line.amount).sum()
    }
}

impl Order {
    /// Whether anything of it was cancelled.
    #[must_use]
    pub fn is_cancelled_in_part(&self) -> bool {
        self.progress == Progress::Cancelled || self.items.iter().any(|item| item.cancelled > 0)
    }

    /// The line that an id or an article code names. Without either, the only line; `None` if that leaves more than one.
    #[must_use]
    pub fn item_named(&self, external_item_id: Option<&str>, sku: Option<&str>) -> Option<usize> {
        let by_id = |id: &str| self.items.iter().position(|item| item.external_item_id == id);
        if let Some(found) = external_item_id.and_then(by_id) {
            return Some(found);
        }
        let mut of_sku =
            (0..self.items.len()).filter(|at| sku.is_some() && self.items[*at].sku.as_deref() == sku);
        match (of_sku.next(), of_sku.next()) {
            (Some(found), None) => Some(found),
            _ => (self.items.len() == 1).then_some(0),
        }
    }
}
