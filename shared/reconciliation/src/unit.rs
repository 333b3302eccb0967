//! Divides an order into units that are compared each for itself: its lines or, if an entry names none of several, the order as a whole.

use crate::facts::{Entry, Item, Order, OrderFacts, Progress, Return, ReturnKind, ReturnedItem};
use crate::money::share;
use rust_decimal::Decimal;

/// What is compared as one.
pub(crate) struct Unit<'a> {
    /// The line's id; `None`: the whole order.
    pub(crate) item: Option<&'a str>,
    /// Its lines: one, or all.
    pub(crate) lots: Vec<Lot<'a>>,
    /// The entries of payouts, by time of booking.
    pub(crate) paid: Vec<&'a Entry>,
    /// The announced ones, likewise.
    pub(crate) announced: Vec<&'a Entry>,
    /// Whether something comes back of which nobody knows what it is.
    pub(crate) has_unplaced_return: bool,
}

/// A line of an order, with what became of its units. What was cancelled is in none of the numbers.
pub(crate) struct Lot<'a> {
    pub(crate) item: &'a Item,
    /// Units that the customer kept or that are on their way.
    pub(crate) kept: u32,
    /// Units that the customer sent back.
    pub(crate) returned: u32,
    /// Units that never reached the customer.
    pub(crate) rto: u32,
    /// What the customer gets back.
    pub(crate) refund: Decimal,
}

impl Lot<'_> {
    /// Units for which the marketplace owes the price, until they come back.
    pub(crate) fn sold(&self) -> u32 {
        self.kept + self.returned
    }

    /// The price of so many of its units.
    pub(crate) fn price_of(&self, units: u32) -> Decimal {
        share(self.item.price, units, self.item.quantity)
    }

    /// The price of so many of its units without GST, if the GST is known.
    pub(crate) fn taxable_of(&self, units: u32) -> Option<Decimal> {
        self.item.tax.map(|tax| share(self.item.price - tax, units, self.item.quantity))
    }
}

impl Unit<'_> {
    /// How many units came back, for whatever reason.
    pub(crate) fn came_back(&self) -> u32 {
        self.lots.iter().map(|lot| lot.returned + lot.rto).fold(0, u32::saturating_add)
    }
}

/// The units of an order.
pub(crate) fn units<'a>(facts: &'a OrderFacts, order: &'a Order) -> Vec<Unit<'a>> {
    let mut entries: Vec<&Entry> = facts.entries.iter().collect();
    entries.sort_by_key(|entry| (entry.posted_at, entry.id));
    let places: Vec<Option<usize>> = entries
        .iter()
        .map(|entry| order.item_named(entry.external_item_id.as_deref(), entry.sku.as_deref()))
        .collect();
    let returns: Vec<&Return> = facts.returns.iter().filter(|one| !one.is_cancelled).collect();
    if places.contains(&None) || order.items.is_empty() {
        let lots = (0..order.items.len()).map(|at| lot(order, at, &returns)).collect();
        return vec![unit(None, lots, &entries, has_unplaced(order, &returns))];
    }
    let of_item = |at: usize| {
        let own = entries.iter().zip(&places).filter(|(_, place)| **place == Some(at));
        let own: Vec<&Entry> = own.map(|(entry, _)| *entry).collect();
        let name = order.items[at].external_item_id.as_str();
        unit(Some(name), vec![lot(order, at, &returns)], &own, has_unplaced(order, &returns))
    };
    (0..order.items.len()).map(of_item).collect()
}

/// The lots of an order, whatever the entries say.
pub(crate) fn lots<'a>(facts: &'a OrderFacts, order: &'a Order) -> Vec<Lot<'a>> {
    let returns: Vec<&Return> = facts.returns.iter().filter(|one| !one.is_cancelled).collect();
    (0..order.items.len()).map(|at| lot(order, at, &returns)).collect()
}

fn unit<'a>(
    item: Option<&'a str>,
    lots: Vec<Lot<'a>>,
    entries: &[&'a Entry],
    has_unplaced_return: bool,
) -> Unit<'a> {
    let (paid, announced) = entries.iter().copied().partition(|entry| entry.payout.is_some());
    Unit { item, lots, paid, announced, has_unplaced_return }
}

fn item_of(order: &Order, returned: &ReturnedItem) -> Option<usize> {
    order.item_named(returned.external_item_id.as_deref(), returned.sku.as_deref())
}

fn has_unplaced(order: &Order, returns: &[&Return]) -> bool {
    returns
        .iter()
        .any(|one| one.items.is_empty() || one.items.iter().any(|item| item_of(order, item).is_none()))
}

fn lot<'a>(order: &'a Order, at: usize, returns: &[&Return]) -> Lot<'a> {
    let item = &order.items[at];
    let shipped = match order.progress {
        Progress::Cancelled => 0,
        Progress::Open | Progress::Delivered | Progress::Undelivered => {
            item.quantity.saturating_sub(item.cancelled)
        }
    };
    let of_kind = |kind: ReturnKind| {
        let own = returns.iter().filter(move |one| one.kind == kind).flat_map(|one| &one.items);
        own.filter(move |returned| item_of(order, returned) == Some(at))
    };
    let came_back =
        |kind| of_kind(kind).map(|returned| returned.quantity).fold(0, u32::saturating_add).min(shipped);
    let returned = came_back(ReturnKind::Customer);
    let rto = match order.progress {
        Progress::Undelivered => shipped - returned,
        _ => came_back(ReturnKind::Rto).min(shipped - returned),
    };
    let stated: Option<Decimal> = of_kind(ReturnKind::Customer).map(|one| one.refund).sum();
    let refund = match stated.filter(|_| returned > 0) {
        Some(amount) => amount,
        None => share(item.price, returned, item.quantity),
    };
    Lot { item, kept: shipped - returned - rto, returned, rto, refund }
}
