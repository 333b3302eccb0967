//! Maps Flipkart's returns, each with all its items, to ours.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::fields::{Id, Instant, Quantity, Text};
use crate::flipkart::mapping::read_updated_at;
use crate::lenient::{Lenient, Notes};
use crate::record::{
    ReturnItemRecord, ReturnRecord, ReturnStatus, ReturnType, UNKNOWN_RETURN_STATUS_NOTE, UNKNOWN_STATUS,
};
use crate::records::{RecordProblem, distinct, first_repeat, parse_record};

use super::Source;

/// A return as [`super::assemble`] writes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FlipkartReturn {
    return_id: Id,
    source: Source,
    return_items: Vec<Item>,
}

/// An item of a return. Comments, which may hold a customer's own words, are not even read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Item {
    order_item_id: Id,
    quantity: Quantity,
    #[serde(default)]
    order_id: Lenient<Id>,
    #[serde(default)]
    shipment_id: Lenient<Id>,
    #[serde(default)]
    created_date: Lenient<Instant>,
    #[serde(default)]
    approved_on: Lenient<Instant>,
    #[serde(default)]
    updated_date: Lenient<Instant>,
    #[serde(default)]
    expected_date: Lenient<Instant>,
    #[serde(default)]
    courier_name: Lenient<Text>,
    #[serde(default)]
    tracking_id: Lenient<Text>,
    #[serde(default)]
    status: Lenient<Text>,
    #[serde(default)]
    reason: Lenient<Text>,
    #[serde(default)]
    sub_reason: Lenient<Text>,
}

/// What the items state about the whole return.
#[derive(Default)]
struct Whole {
    order_id: Option<String>,
    shipment_id: Option<String>,
    carrier: Option<String>,
    tracking_number: Option<String>,
    statuses: Vec<ReturnStatus>,
    texts: Vec<String>,
    reasons: Vec<String>,
    initiated_at: Option<DateTime<Utc>>,
    expected_at: Option<DateTime<Utc>>,
    updated_at: Option<DateTime<Utc>>,
    items: Vec<ReturnItemRecord>,
}

/// Maps a return.
///
/// # Errors
/// Names the field without which the return means nothing.
pub fn returned(raw: &RawValue) -> Result<ReturnRecord, RecordProblem> {
    let FlipkartReturn { return_id, source, return_items } = parse_record(raw)?;
    if first_repeat(return_items.iter().map(|item| item.order_item_id.0.as_str())).is_some() {
        return Err(RecordProblem::at("returnItems", "has two items with one orderItemId"));
    }
    let (mut whole, mut notes) = (Whole::default(), Notes::default());
    for (index, item) in return_items.into_iter().enumerate() {
        whole.read(item, &format!("returnItems[{index}]"), &mut notes)?;
    }
    let initiated_at = whole.initiated_at.ok_or_else(|| RecordProblem::at("returnItems", "is empty"))?;
    let status = of_items(&whole.statuses);
    Ok(ReturnRecord {
        external_return_id: return_id.0,
        external_order_id: whole.order_id,
        external_shipment_id: whole.shipment_id,
        return_type: match source {
            Source::CustomerReturn => ReturnType::Customer,
            Source::CourierReturn => ReturnType::Rto,
        },
        status,
        marketplace_status: distinct(whole.texts.iter().map(String::as_str))
            .unwrap_or_else(|| UNKNOWN_STATUS.to_owned()),
        reason: distinct(whole.reasons.iter().map(String::as_str)),
        carrier: whole.carrier,
        tracking_number: whole.tracking_number,
        currency: Some("INR".to_owned()),
        document: None,
        initiated_at,
        expected_at: whole.expected_at,
        // Flipkart states no day of delivery. It is the last change of the version that was first read as delivered (upsert_returns.sql),
        // so that a later change does not move the deadline of a claim.
        delivered_at: None,
        marketplace_updated_at: whole.updated_at,
        items: whole.items,
        notes: notes.into_vec(),
    })
}

impl Whole {
    fn read(&mut self, item: Item, path: &str, notes: &mut Notes) -> Result<(), RecordProblem> {
        let at = |field: &str| format!("{path}.{field}");
        let initiated_at = initiated_at(item.created_date, item.approved_on, path, notes)?;
        let updated_at = read_updated_at(item.updated_date, &at("updatedDate"), notes);
        let expected_at = item.expected_date.read(&at("expectedDate"), notes).map(|at| at.0);
        let (status, text) = status(item.status, &at("status"), notes);
        let order_id = item.order_id.read(&at("orderId"), notes).map(|id| id.0);
        let shipment_id = item.shipment_id.read(&at("shipmentId"), notes).map(|id| id.0);
        let carrier = item.courier_name.text(&at("courierName"), notes);
        let tracking_number = item.tracking_id.text(&at("trackingId"), notes);
        let reasons = [item.reason.text(&at("reason"), notes), item.sub_reason.text(&at("subReason"), notes)];
        let quantity = item.quantity.0;
        self.items.push(ReturnItemRecord {
            external_item_id: item.order_item_id.0.clone(),
            external_order_item_id: Some(item.order_item_id.0),
            // Flipkart states neither code nor title; the order's line has them.
            sku: None,
            title: None,
            size: None,
            quantity,
            quantity_cancelled: if status == ReturnStatus::Cancelled { quantity } else { 0 },
            refund_amount: None,
            reason: distinct(reasons.iter().flatten().map(String::as_str)),
        });
        self.order_id = self.order_id.take().or(order_id);
        self.shipment_id = self.shipment_id.take().or(shipment_id);
        self.carrier = self.carrier.take().or(carrier);
        self.tracking_number = self.tracking_number.take().or(tracking_number);
        self.initiated_at = self.initiated_at.into_iter().chain([initiated_at]).min();
        self.expected_at = self.expected_at.max(expected_at);
        self.updated_at = self.updated_at.max(updated_at);
        self.statuses.push(status);
        self.texts.extend(text);
        self.reasons.extend(reasons.into_iter().flatten());
        Ok(())
    }
}

/// When an item's return was asked for; when it was approved, if Flipkart does not say the former.
fn initiated_at(
    created: Lenient<Instant>,
    approved: Lenient<Instant>,
    path: &str,
    notes: &mut Notes,
) -> Result<DateTime<Utc>, RecordProblem> {
    let approved = approved.read(&format!("{path}.approvedOn"), notes).map(|at| at.0);
    let created_path = format!("{path}.createdDate");
    let problem = match created.required_readable(&created_path) {
        Ok(Some(at)) => return Ok(at.0),
        Ok(None) => RecordProblem::at(&created_path, "is missing"),
        Err(problem) => problem,
    };
    let Some(at) = approved else { return Err(problem) };
    notes.push(problem);
    Ok(at)
}

fn status(given: Lenient<Text>, path: &str, notes: &mut Notes) -> (ReturnStatus, Option<String>) {
    let text = given.text(path, notes);
    let ours = text.as_deref().map_or(ReturnStatus::Unknown, parse_status);
    if ours == ReturnStatus::Unknown {
        notes.add(path, UNKNOWN_RETURN_STATUS_NOTE);
    }
    (ours, text)
}

/// The list knows CREATED, COMPLETED and CANCELLED. Flipkart's notifications have words for the way back as well.
fn parse_status(text: &str) -> ReturnStatus {
    match text.to_ascii_uppercase().as_str() {
        "CREATED" => ReturnStatus::Initiated,
        "RETURN_PICKED_UP" | "PICKED_UP" => ReturnStatus::PickedUp,
        "IN_TRANSIT" | "OUT_FOR_DELIVERY" => ReturnStatus::InTransit,
        "COMPLETED" => ReturnStatus::Delivered,
        "CANCELLED" => ReturnStatus::Cancelled,
        _ => ReturnStatus::Unknown,
    }
}

/// The status of several items together: of those that are not cancelled, the one that has come least far. Nothing follows from an
/// unknown status.
fn of_items(statuses: &[ReturnStatus]) -> ReturnStatus {
    let least_first = [
        ReturnStatus::Unknown,
        ReturnStatus::Initiated,
        ReturnStatus::PickedUp,
        ReturnStatus::InTransit,
        ReturnStatus::Delivered,
    ];
    least_first.into_iter().find(|status| statuses.contains(status)).unwrap_or(ReturnStatus::Cancelled)
}

#[cfg(test)]
mod tests;
