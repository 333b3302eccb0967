//! The money of an order book: what Amazon pays for each shipped order and takes back for each returned one. The book states no money beyond
//! the customer's price, so fees and taxes are invented, the same for the same line.

use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use rust_decimal::Decimal;

use super::render::{asin, seller_sku, title};
use super::returned;
use super::status::{LineState, line_state};
use crate::order_book::{Fulfilment, Line, Order, OrderBook};

/// How long before its return would be asked for an order is paid for, and how long after that it is refunded.
const POSTED_BEFORE: TimeDelta = TimeDelta::days(5);
const REFUNDED_AFTER: TimeDelta = TimeDelta::days(7);
/// How long a deferred transaction waits.
const DEFERRED_FOR: TimeDelta = TimeDelta::days(7);
/// How late some transactions appear.
const LATE: TimeDelta = TimeDelta::hours(36);
/// The length of a settlement.
const PERIOD: TimeDelta = TimeDelta::days(14);

/// A component: its words in the settlement report, and the names of its breakdowns.
type Words = (&'static str, &'static str, &'static [&'static str]);

const PRINCIPAL: Words = ("ItemPrice", "Principal", &["Sales", "ProductCharges", "Principal"]);
const TAX: Words = ("ItemPrice", "Product Tax", &["Sales", "ProductCharges", "Tax"]);
const COMMISSION: Words = ("ItemFees", "Commission", &["Expenses", "AmazonFees", "Commission", "Base"]);
const COMMISSION_TAX: Words =
    ("ItemFees", "Commission IGST", &["Expenses", "AmazonFees", "Commission", "IGST"]);
const CLOSING: Words =
    ("ItemFees", "Fixed closing fee", &["Expenses", "AmazonFees", "FixedClosingFee", "Base"]);
const CLOSING_TAX: Words =
    ("ItemFees", "Fixed closing fee IGST", &["Expenses", "AmazonFees", "FixedClosingFee", "IGST"]);
const EASY_SHIP: Words = (
    "ItemFees",
    "Easy Ship weight handling fees",
    &["Expenses", "AmazonFees", "EasyShipWeightHandlingFees", "Base"],
);
const FBA: Words =
    ("ItemFees", "FBA Weight Handling Fee", &["Expenses", "FBAFees", "FBAWeightHandlingFee", "Base"]);
const SHIPPING_TAX: Words =
    ("ItemFees", "Weight handling fee IGST", &["Expenses", "AmazonFees", "WeightHandlingFee", "IGST"]);
const REFUND_FEE: Words =
    ("ItemFees", "Refund commission", &["Expenses", "AmazonFees", "RefundCommission", "Base"]);
const TCS: Words = ("ItemTCS", "TCS-IGST", &["Expenses", "TCS-IGST"]);
const TDS: Words = ("ItemTDS", "TDS (Section 194-O)", &["Expenses", "TDS"]);

/// What Amazon pays for an order, or takes back for it.
pub(super) struct Transaction<'a> {
    /// Its place among all transactions of the book, those that have not happened included.
    pub(super) slot: usize,
    pub(super) order: &'a Order,
    /// `Shipment` or `Refund`.
    pub(super) kind: &'static str,
    pub(super) posted_at: DateTime<Utc>,
    /// When it can be paid; later than `posted_at` for one that is deferred.
    pub(super) released_at: DateTime<Utc>,
    /// When the Finances API shows it.
    pub(super) visible_at: DateTime<Utc>,
    lines: Vec<&'a Line>,
}

/// The money of one line.
pub(super) struct Item<'a> {
    pub(super) line: &'a Line,
    pub(super) sku: String,
    pub(super) asin: String,
    pub(super) title: String,
    pub(super) components: Vec<(Words, Decimal)>,
}

impl Item<'_> {
    pub(super) fn total(&self) -> Decimal {
        self.components.iter().map(|(_, amount)| amount).sum()
    }
}

impl Transaction<'_> {
    pub(super) fn id(&self) -> String {
        let digits: String = self.order.order_id.chars().filter(char::is_ascii_alphanumeric).collect();
        format!("{}{digits}", &self.kind[..1])
    }

    pub(super) fn is_deferred(&self) -> bool {
        self.released_at > self.posted_at
    }

    pub(super) fn items(&self) -> Vec<Item<'_>> {
        self.lines.iter().map(|line| self.item(line)).collect()
    }

    fn item<'line>(&self, line: &'line Line) -> Item<'line> {
        Item {
            sku: seller_sku(line),
            asin: asin(line),
            title: title(line),
            components: if self.kind == "Refund" { taken_back(line) } else { paid(line) },
            line,
        }
    }

    pub(super) fn total(&self) -> Decimal {
        self.items().iter().map(Item::total).sum()
    }

    /// The settlement that pays it.
    pub(super) fn settlement(&self, account: &str) -> Settlement {
        Settlement::of(account, self.released_at)
    }
}

/// All transactions of a book, in its order. `started_at` is when the simulator started, because old orders are paid as if they were recent.
pub(super) fn transactions(
    book: &OrderBook,
    started_at: DateTime<Utc>,
) -> impl Iterator<Item = Transaction<'_>> {
    book.orders().iter().enumerate().flat_map(move |(place, order)| {
        let asked_at = returned::requested_at(order, started_at);
        let hash = hash(&order.order_id);
        let posted_at = asked_at - POSTED_BEFORE + TimeDelta::seconds(i64::from(hash % 86_400));
        let refunded_at = asked_at + REFUNDED_AFTER + TimeDelta::seconds(i64::from(hash % 43_200));
        let late = if hash.is_multiple_of(5) { LATE } else { TimeDelta::zero() };
        let waits = if hash.is_multiple_of(3) { TimeDelta::zero() } else { DEFERRED_FOR };
        let shipped = order.lines.iter().filter(|line| line_state(&line.status) == LineState::Shipped);
        let back = order.lines.iter().filter(|line| returned::kind(order, line).is_some());
        let transaction = |slot, kind, posted_at, waits, lines: Vec<_>| Transaction {
            slot,
            order,
            kind,
            posted_at,
            released_at: posted_at + waits,
            visible_at: posted_at + late,
            lines,
        };
        [
            transaction(2 * place, "Shipment", posted_at, waits, shipped.collect()),
            transaction(2 * place + 1, "Refund", refunded_at, TimeDelta::zero(), back.collect()),
        ]
        .into_iter()
        .filter(|transaction| !transaction.lines.is_empty())
    })
}

/// A settlement of an account: two weeks.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Settlement {
    pub(super) id: String,
    pub(super) start: DateTime<Utc>,
    pub(super) end: DateTime<Utc>,
}

impl Settlement {
    fn of(account: &str, released_at: DateTime<Utc>) -> Self {
        let number = released_at.timestamp().div_euclid(PERIOD.num_seconds());
        let start = Utc.timestamp_opt(number * PERIOD.num_seconds(), 0).single().unwrap_or(released_at);
        let id = format!("{}{number:06}", 10_000 + hash(account) % 90_000);
        Self { id, start, end: start + PERIOD }
    }

    /// When its report is listed, and an hour later is ready.
    pub(super) fn reported_at(&self) -> DateTime<Utc> {
        self.end + TimeDelta::days(2)
    }

    pub(super) fn paid_at(&self) -> DateTime<Utc> {
        self.end + TimeDelta::days(3)
    }
}

/// The price with 5 per cent GST in it, less commission, closing fee, shipping, the GST on these, TCS and TDS.
fn paid(line: &Line) -> Vec<(Words, Decimal)> {
    let (principal, tax) = price(line);
    let commission = rounded(principal * Decimal::new(10, 2));
    let (closing, shipping) = (Decimal::from(20), Decimal::from(60));
    let shipping_words = if line.fulfilment == Fulfilment::Amazon { FBA } else { EASY_SHIP };
    without_zeros(vec![
        (PRINCIPAL, principal),
        (TAX, tax),
        (COMMISSION, -commission),
        (COMMISSION_TAX, -gst(commission)),
        (CLOSING, -closing),
        (CLOSING_TAX, -gst(closing)),
        (shipping_words, -shipping),
        (SHIPPING_TAX, -gst(shipping)),
        (TCS, -rounded(principal * Decimal::new(5, 3))),
        (TDS, -rounded(principal * Decimal::new(1, 3))),
    ])
}

/// The price goes back, the commission and the taxes on the price come back, and a fee is due.
fn taken_back(line: &Line) -> Vec<(Words, Decimal)> {
    let (principal, tax) = price(line);
    let commission = rounded(principal * Decimal::new(10, 2));
    without_zeros(vec![
        (PRINCIPAL, -principal),
        (TAX, -tax),
        (COMMISSION, commission),
        (COMMISSION_TAX, gst(commission)),
        (REFUND_FEE, -Decimal::from(30)),
        (TCS, rounded(principal * Decimal::new(5, 3))),
        (TDS, rounded(principal * Decimal::new(1, 3))),
    ])
}

fn without_zeros(components: Vec<(Words, Decimal)>) -> Vec<(Words, Decimal)> {
    components.into_iter().filter(|(_, amount)| !amount.is_zero()).collect()
}

/// What of a line's amount is price, and what is tax.
fn price(line: &Line) -> (Decimal, Decimal) {
    let principal = rounded(line.amount / Decimal::new(105, 2));
    (principal, line.amount - principal)
}

fn gst(fee: Decimal) -> Decimal {
    rounded(fee * Decimal::new(18, 2))
}

fn rounded(amount: Decimal) -> Decimal {
    amount.round_dp(2)
}

fn hash(text: &str) -> u32 {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(16_777_619);
    text.bytes().fold(2_166_136_261, step)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]
mod tests {
    use super::*;

    #[test]
    fn what_is_paid_and_taken_back_has_all_digits_of_the_price() {
        let book = OrderBook::sample().unwrap();
        for line in book.orders().iter().flat_map(|order| &order.lines) {
            let of = |components: Vec<(Words, Decimal)>, words: &[Words]| -> Decimal {
                components.iter().filter(|(own, _)| words.contains(own)).map(|(_, amount)| amount).sum()
            };
            assert_eq!(of(paid(line), &[PRINCIPAL, TAX]), line.amount);
            assert_eq!(of(taken_back(line), &[PRINCIPAL, TAX]), -line.amount);
        }
    }

    #[test]
    fn transactions_are_the_same_each_time_and_some_are_deferred_late_or_refunds() {
        let book = OrderBook::sample().unwrap();
        let started_at = "2026-07-01T00:00:00Z".parse().unwrap();
        let told = || -> Vec<_> {
            let tell = |one: Transaction<'_>| (one.slot, one.id(), one.released_at, one.total());
            transactions(&book, started_at).map(tell).collect()
        };
        assert_eq!(told(), told());
        let all: Vec<_> = transactions(&book, started_at).collect();
        assert!(all.windows(2).all(|pair| pair[0].slot < pair[1].slot));
        assert!(all.iter().any(Transaction::is_deferred) && !all.iter().all(Transaction::is_deferred));
        assert!(
            all.iter().any(|one| one.kind == "Refund")
                && all.iter().any(|one| one.visible_at > one.posted_at)
        );
        assert!(all.iter().filter(|one| one.kind == "Refund").all(|one| one.total() < Decimal::ZERO));
    }
}
