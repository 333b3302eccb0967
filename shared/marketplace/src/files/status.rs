//! The status of an order whose lines each have one of their own, as in files.

use crate::record::OrderStatus;

/// Returns the status of the whole. Cancelled lines count only if there are no others. When some of the rest have left and some
/// have not, the order is partially shipped; when none has, it is as far as the line that is the furthest behind.
pub(crate) fn whole(lines: impl IntoIterator<Item = OrderStatus>) -> OrderStatus {
    let kept: Vec<OrderStatus> =
        lines.into_iter().filter(|status| *status != OrderStatus::Cancelled).collect();
    let Some(first) = kept.first() else { return OrderStatus::Cancelled };
    if kept.iter().all(|status| status == first) {
        return *first;
    }
    if kept.contains(&OrderStatus::Unknown) {
        return OrderStatus::Unknown;
    }
    match kept.iter().filter(|status| has_left(**status)).count() {
        0 => kept.iter().copied().min_by_key(|status| progress(*status)).unwrap_or(*first),
        left if left == kept.len() && !kept.contains(&OrderStatus::PartiallyShipped) => OrderStatus::Shipped,
        _ => OrderStatus::PartiallyShipped,
    }
}

fn has_left(status: OrderStatus) -> bool {
    matches!(
        status,
        OrderStatus::PartiallyShipped
            | OrderStatus::Shipped
            | OrderStatus::Delivered
            | OrderStatus::Undelivered
    )
}

/// How far a line is that has not left.
fn progress(status: OrderStatus) -> u8 {
    match status {
        OrderStatus::Pending => 0,
        OrderStatus::Confirmed => 1,
        OrderStatus::Packed => 2,
        OrderStatus::ReadyToDispatch => 3,
        OrderStatus::PartiallyShipped
        | OrderStatus::Shipped
        | OrderStatus::Delivered
        | OrderStatus::Undelivered
        | OrderStatus::Cancelled
        | OrderStatus::Unknown => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::OrderStatus::{
        Cancelled, Confirmed, Delivered, PartiallyShipped, Pending, ReadyToDispatch, Shipped, Undelivered,
        Unknown,
    };
    use super::*;

    #[test]
    fn an_order_is_as_far_as_its_lines() {
        for (lines, expected) in [
            (vec![Cancelled, Cancelled], Cancelled),
            (vec![Cancelled, Shipped], Shipped),
            (vec![Delivered, Delivered], Delivered),
            (vec![Delivered, Shipped], Shipped),
            (vec![Delivered, Undelivered], Shipped),
            (vec![Delivered, ReadyToDispatch], PartiallyShipped),
            (vec![ReadyToDispatch, Confirmed, Cancelled], Confirmed),
            (vec![Confirmed, Pending], Pending),
            (vec![PartiallyShipped, Delivered], PartiallyShipped),
            (vec![Unknown, Delivered], Unknown),
            (vec![Unknown, Cancelled], Unknown),
        ] {
            assert_eq!(whole(lines.clone()), expected, "{lines:?}");
        }
    }
}
