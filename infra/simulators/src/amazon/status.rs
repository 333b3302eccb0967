//! Maps the order book's status texts to the statuses of the orders API. The mapping is our own.

use crate::order_book::{Line, Order};

/// The state that a line's status text stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineState {
    Pending,
    Unshipped,
    Shipped,
    Cancelled,
}

/// A line with `Pending - …` is packed and waits for the courier, so it is no longer pending.
pub(super) fn line_state(text: &str) -> LineState {
    if text.starts_with("Cancelled") || text.starts_with("Canceled") {
        LineState::Cancelled
    } else if text.starts_with("Shipped") {
        LineState::Shipped
    } else if text == "Pending" {
        LineState::Pending
    } else {
        LineState::Unshipped
    }
}

/// `fulfillmentStatus` of an order. Cancelled lines count only if there are no others.
pub(super) fn fulfillment_status(order: &Order) -> &'static str {
    let states = order.lines.iter().map(|line| line_state(&line.status));
    let kept: Vec<LineState> = states.filter(|state| *state != LineState::Cancelled).collect();
    let shipped = kept.iter().filter(|state| **state == LineState::Shipped).count();
    if kept.is_empty() {
        "CANCELLED"
    } else if shipped == kept.len() {
        "SHIPPED"
    } else if shipped > 0 {
        "PARTIALLY_SHIPPED"
    } else if kept.contains(&LineState::Pending) {
        "PENDING"
    } else {
        "UNSHIPPED"
    }
}

/// `packageStatus.status` of the lines with this text.
pub(super) fn package_status(text: &str) -> &'static str {
    let detail = text.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| detail.contains(word));
    match line_state(text) {
        LineState::Cancelled => "CANCELLED",
        LineState::Pending | LineState::Unshipped => "PENDING",
        LineState::Shipped if says(&["return", "rejected", "undeliverable", "lost", "damaged"]) => {
            "UNDELIVERABLE"
        }
        LineState::Shipped if says(&["out for delivery", "picked up", "in transit", "on the way"]) => {
            "IN_TRANSIT"
        }
        LineState::Shipped if says(&["delivered"]) => "DELIVERED",
        LineState::Shipped => "SHIPPED",
    }
}

/// The lines of an order by their status text, in the order in which the texts first appear.
pub(super) fn by_status_text(order: &Order) -> Vec<(&str, Vec<&Line>)> {
    let mut groups: Vec<(&str, Vec<&Line>)> = Vec::new();
    for line in &order.lines {
        match groups.iter_mut().find(|(text, _)| *text == line.status) {
            Some((_, lines)) => lines.push(line),
            None => groups.push((&line.status, vec![line])),
        }
    }
    groups
}
