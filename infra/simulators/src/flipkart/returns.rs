//! A seller's returns, made of the shipments of the book: every shipment that a courier brings back, and every second delivered one.
//! All of it is our own choice, and the same for the same book.

use chrono::{DateTime, TimeDelta, Utc};

use super::book::{Item, Shipment};
use crate::error::ChangeError;

/// Who brings the goods back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Source {
    CustomerReturn,
    CourierReturn,
}

impl Source {
    /// Reads Flipkart's word.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text {
            "customer_return" => Some(Self::CustomerReturn),
            "courier_return" => Some(Self::CourierReturn),
            _ => None,
        }
    }

    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::CustomerReturn => "customer_return",
            Self::CourierReturn => "courier_return",
        }
    }
}

/// An item that comes back. Items of one shipment share the return.
#[derive(Clone)]
pub(super) struct ReturnItem {
    pub(super) return_id: String,
    pub(super) source: Source,
    pub(super) order_item_id: String,
    pub(super) order_id: String,
    pub(super) shipment_id: String,
    pub(super) tracking_id: String,
    pub(super) quantity: u32,
    pub(super) ordered_at: DateTime<Utc>,
    pub(super) created_at: DateTime<Utc>,
    pub(super) updated_at: DateTime<Utc>,
    pub(super) status: String,
    pub(super) service_profile: &'static str,
}

/// The returns of these shipments, item by item.
pub(super) fn returns(shipments: &[Shipment]) -> Vec<ReturnItem> {
    let (mut delivered, mut returned) = (0_usize, 0_usize);
    let mut items = Vec::new();
    for shipment in shipments {
        let coming = |item: &&Item| {
            let has_left = item.courier_return || item.status == "DELIVERED";
            has_left && item.status != "CANCELLED" && item.quantity > 0
        };
        let back: Vec<&Item> = shipment.items.iter().filter(coming).collect();
        let Some(first) = back.first() else { continue };
        let source = if first.courier_return { Source::CourierReturn } else { Source::CustomerReturn };
        delivered += usize::from(source == Source::CustomerReturn);
        if source == Source::CustomerReturn && delivered.is_multiple_of(2) {
            continue;
        }
        let status = ["CREATED", "COMPLETED", "CREATED", "CANCELLED"][returned % 4];
        returned += 1;
        items.extend(back.into_iter().map(|item| return_item(shipment, item, source, status)));
    }
    items
}

fn return_item(shipment: &Shipment, item: &Item, source: Source, status: &str) -> ReturnItem {
    ReturnItem {
        return_id: format!("R{}", shipment.id),
        source,
        order_item_id: item.order_item_id.clone(),
        order_id: shipment.order_id.clone(),
        shipment_id: shipment.id.clone(),
        tracking_id: format!("FMPR{}", shipment.id),
        quantity: item.quantity,
        ordered_at: shipment.ordered_at,
        created_at: shipment.updated_at - TimeDelta::days(3),
        updated_at: shipment.updated_at,
        status: status.to_owned(),
        service_profile: item.service_profile,
    }
}

/// The returns' ids with their statuses, which are one text when the items of a return differ.
pub(super) fn statuses(items: &[ReturnItem]) -> Vec<(String, String)> {
    let mut returns: Vec<(String, Vec<&str>)> = Vec::new();
    for item in items {
        match returns.iter_mut().find(|(id, _)| *id == item.return_id) {
            Some((_, known)) if known.contains(&item.status.as_str()) => {}
            Some((_, known)) => known.push(&item.status),
            None => returns.push((item.return_id.clone(), vec![&item.status])),
        }
    }
    returns.into_iter().map(|(id, statuses)| (id, statuses.join(" / "))).collect()
}

/// Moves a return, or one item of it, to another status.
pub(super) fn set_status(
    items: &mut [ReturnItem],
    (return_id, order_item_id): (&str, Option<&str>),
    status: &str,
    at: DateTime<Utc>,
) -> Result<(), ChangeError> {
    let is_meant = |item: &ReturnItem| {
        item.return_id == return_id && order_item_id.is_none_or(|id| id == item.order_item_id)
    };
    let mut is_known = false;
    for item in items.iter_mut().filter(|item| is_meant(item)) {
        is_known = true;
        status.clone_into(&mut item.status);
        item.updated_at = at;
    }
    if is_known { Ok(()) } else { Err(ChangeError::UnknownReturn) }
}
