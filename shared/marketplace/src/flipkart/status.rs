//! What Flipkart's item statuses mean, and what follows from those of its items for a shipment or an order.

use crate::record::OrderStatus;

/// Reads an item's status. There is no step in which a seller accepts an order, so an approved one is confirmed. Flipkart
/// counts a parcel that never arrived as a return by the courier.
pub fn of_item(status: &str, courier_return: bool) -> Option<OrderStatus> {
    Some(match status {
        "APPROVED" | "PACKING_IN_PROGRESS" | "FORM_FAILED" => OrderStatus::Confirmed,
        "PACKED" => OrderStatus::Packed,
        "READY_TO_DISPATCH" => OrderStatus::ReadyToDispatch,
        "SHIPPED" | "DELIVERED" | "COMPLETED" | "RETURN_REQUESTED" | "RETURNED" if courier_return => {
            OrderStatus::Undelivered
        }
        "PICKUP_COMPLETE" | "SHIPPED" => OrderStatus::Shipped,
        // What a customer returns had been delivered; the return itself is a record of its own.
        "DELIVERED" | "COMPLETED" | "RETURN_REQUESTED" | "RETURNED" => OrderStatus::Delivered,
        "CANCELLED" => OrderStatus::Cancelled,
        _ => return None,
    })
}

/// Whether an item with this status is still to be sent.
pub fn is_open(status: OrderStatus) -> bool {
    matches!(status, OrderStatus::Confirmed | OrderStatus::Packed | OrderStatus::ReadyToDispatch)
}

/// The status of several items together: of those that are not cancelled, the one that has come least far, and
/// partially shipped when some have left and others not. Of an unknown status nothing follows.
pub fn of_items(statuses: &[OrderStatus]) -> OrderStatus {
    let live = || statuses.iter().copied().filter(|status| *status != OrderStatus::Cancelled);
    let has = |wanted: OrderStatus| live().any(|status| status == wanted);
    if live().next().is_none() {
        return OrderStatus::Cancelled;
    }
    if has(OrderStatus::Unknown) {
        return OrderStatus::Unknown;
    }
    let is_partial = live().any(is_open) && !live().all(is_open);
    if is_partial {
        return OrderStatus::PartiallyShipped;
    }
    // A delivered and an undelivered part together are delivered: nothing is on its way any more.
    let by_progress = [
        OrderStatus::Confirmed,
        OrderStatus::Packed,
        OrderStatus::ReadyToDispatch,
        OrderStatus::Shipped,
        OrderStatus::Delivered,
    ];
    by_progress.into_iter().find(|status| has(*status)).unwrap_or(OrderStatus::Undelivered)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_status_of_the_contract_is_known_and_a_courier_return_is_undelivered() {
        let read = |status: &str| (of_item(status, false), of_item(status, true));
        for (text, plain, by_courier) in [
            ("APPROVED", OrderStatus::Confirmed, OrderStatus::Confirmed),
            ("PACKING_IN_PROGRESS", OrderStatus::Confirmed, OrderStatus::Confirmed),
            ("FORM_FAILED", OrderStatus::Confirmed, OrderStatus::Confirmed),
            ("PACKED", OrderStatus::Packed, OrderStatus::Packed),
            ("READY_TO_DISPATCH", OrderStatus::ReadyToDispatch, OrderStatus::ReadyToDispatch),
            ("PICKUP_COMPLETE", OrderStatus::Shipped, OrderStatus::Shipped),
            ("SHIPPED", OrderStatus::Shipped, OrderStatus::Undelivered),
            ("DELIVERED", OrderStatus::Delivered, OrderStatus::Undelivered),
            ("COMPLETED", OrderStatus::Delivered, OrderStatus::Undelivered),
            ("RETURN_REQUESTED", OrderStatus::Delivered, OrderStatus::Undelivered),
            ("RETURNED", OrderStatus::Delivered, OrderStatus::Undelivered),
            ("CANCELLED", OrderStatus::Cancelled, OrderStatus::Cancelled),
        ] {
            assert_eq!(read(text), (Some(plain), Some(by_courier)), "{text}");
        }
        assert_eq!(read("LEVITATING"), (None, None));
    }

    #[test]
    fn an_order_is_as_far_as_the_part_that_has_come_least_far() {
        use OrderStatus::{
            Cancelled, Confirmed, Delivered, Packed, PartiallyShipped, ReadyToDispatch, Shipped, Undelivered,
            Unknown,
        };
        let cases: [(&[OrderStatus], OrderStatus); 13] = [
            (&[], Cancelled),
            (&[Cancelled, Cancelled], Cancelled),
            (&[Cancelled, Packed], Packed),
            (&[ReadyToDispatch, Packed, Confirmed], Confirmed),
            (&[ReadyToDispatch, Packed], Packed),
            (&[Confirmed, Shipped], PartiallyShipped),
            (&[ReadyToDispatch, Delivered, Cancelled], PartiallyShipped),
            (&[Packed, Undelivered], PartiallyShipped),
            (&[Shipped, Delivered], Shipped),
            (&[Delivered, Undelivered], Delivered),
            (&[Undelivered, Cancelled], Undelivered),
            (&[Confirmed, Unknown], Unknown),
            (&[Shipped, Undelivered], Shipped),
        ];
        for (items, expected) in cases {
            assert_eq!(of_items(items), expected, "{items:?}");
        }
    }
}
