//! Maps Flipkart's orders, each with all its shipments, to ours.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use crate::fields::{Flag, Id, Instant, Text};
use crate::lenient::{Lenient, Notes};
use crate::record::{OrderRecord, OrderStatus, ShipmentRecord, UNKNOWN_STATUS, UNKNOWN_STATUS_NOTE};
use crate::records::{RecordProblem, distinct, parse_record};

use super::lines::{Item, Lines};
use super::status;

/// An order as [`super::assemble`] writes it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FlipkartOrder {
    order_id: Id,
    shipments: Vec<Shipment>,
}

/// A shipment. Buyers and addresses, which some responses carry, are not even read.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shipment {
    #[serde(rename = "shipmentId")]
    id: Id,
    #[serde(default)]
    updated_at: Lenient<Instant>,
    #[serde(default)]
    dispatch_after_date: Lenient<Instant>,
    #[serde(default)]
    dispatch_by_date: Lenient<Instant>,
    #[serde(default)]
    hold: Lenient<Flag>,
    #[serde(default, rename = "shipmentType")]
    kind: Lenient<Text>,
    #[serde(default)]
    sub_shipments: Lenient<Vec<IgnoredAny>>,
    order_items: Vec<Item>,
}

/// What the shipments state about the whole order.
#[derive(Default)]
struct Whole {
    lines: Lines,
    statuses: Vec<OrderStatus>,
    texts: Vec<String>,
    payment_types: Vec<String>,
    profiles: Vec<String>,
    placed_at: Option<DateTime<Utc>>,
    updated_at: Option<DateTime<Utc>>,
    is_replacement: bool,
    parcels: Vec<Parcel>,
}

struct Parcel {
    record: ShipmentRecord,
    is_open: bool,
}

/// Maps an order.
///
/// # Errors
/// Names the field without which the order means nothing.
pub fn order(raw: &RawValue) -> Result<OrderRecord, RecordProblem> {
    let FlipkartOrder { order_id, shipments } = parse_record(raw)?;
    let (mut whole, mut notes) = (Whole::default(), Notes::default());
    for (index, shipment) in shipments.into_iter().enumerate() {
        whole.read(shipment, &order_id, &format!("shipments[{index}]"), &mut notes)?;
    }
    if whole.parcels.is_empty() {
        return Err(RecordProblem::at("shipments", "have no orderItems of the order"));
    }
    let placed_at = whole
        .placed_at
        .ok_or_else(|| RecordProblem::at("shipments[0].orderItems[0].orderDate", "is missing"))?;
    let status = status::of_items(&whole.statuses);
    let readiness = Readiness::of(&whole.parcels);
    let items = whole.lines.into_records(status);
    Ok(OrderRecord {
        external_order_id: order_id.0,
        status,
        marketplace_status: distinct(whole.texts.iter().map(String::as_str))
            .unwrap_or_else(|| UNKNOWN_STATUS.to_owned()),
        placed_at,
        marketplace_updated_at: whole.updated_at,
        dispatch_by: readiness.dispatch_by,
        dispatch_after: readiness.dispatch_after,
        on_hold: readiness.on_hold,
        is_replacement: whole.is_replacement,
        fulfilled_by: fulfilled_by(&whole.profiles),
        payment_method: distinct(whole.payment_types.iter().map(String::as_str)),
        currency: Some("INR".to_owned()),
        // Flipkart states no total; it is known when the price of every line is.
        total_amount: items.iter().map(|item| item.line_amount).sum::<Option<Decimal>>(),
        ship_city: None,
        ship_state: None,
        ship_postal_prefix: None,
        customer: None,
        items,
        shipments: whole.parcels.into_iter().map(|parcel| parcel.record).collect(),
        notes: notes.into_vec(),
    })
}

impl Whole {
    fn read(
        &mut self,
        shipment: Shipment,
        order_id: &Id,
        path: &str,
        notes: &mut Notes,
    ) -> Result<(), RecordProblem> {
        let (mut statuses, mut texts) = (Vec::new(), Vec::new());
        for (index, mut item) in shipment.order_items.into_iter().enumerate() {
            let path = format!("{path}.orderItems[{index}]");
            let owner = std::mem::take(&mut item.order_id).read(&format!("{path}.orderId"), notes);
            // A shipment may hold goods of another order too.
            if owner.is_some_and(|owner| owner != *order_id) {
                continue;
            }
            let (status, text) = self.read_item(&mut item, &path, notes)?;
            self.lines.add(item, status, &path, notes)?;
            statuses.push(status);
            texts.extend(text);
        }
        if statuses.is_empty() {
            return Ok(());
        }
        let updated_at = read_updated_at(shipment.updated_at, &format!("{path}.updatedAt"), notes);
        let instant = |given: Lenient<Instant>, field: &str, notes: &mut Notes| {
            given.read(&format!("{path}.{field}"), notes).map(|at| at.0)
        };
        let hold = shipment.hold.read(&format!("{path}.hold"), notes).is_some_and(|hold| hold.0);
        let sub_shipments = shipment.sub_shipments.read(&format!("{path}.subShipments"), notes);
        let record = ShipmentRecord {
            external_shipment_id: shipment.id.0,
            status: status::of_items(&statuses).as_str().to_owned(),
            marketplace_status: distinct(texts.iter().map(String::as_str)),
            carrier: None,
            tracking_number: None,
            shipment_type: shipment.kind.text(&format!("{path}.shipmentType"), notes),
            dispatch_after: instant(shipment.dispatch_after_date, "dispatchAfterDate", notes),
            dispatch_by: instant(shipment.dispatch_by_date, "dispatchByDate", notes),
            on_hold: hold,
            package_count: sub_shipments
                .and_then(|parts| i32::try_from(parts.len()).ok())
                .filter(|parts| *parts > 0),
        };
        self.parcels.push(Parcel { record, is_open: statuses.iter().any(|status| status::is_open(*status)) });
        self.updated_at = self.updated_at.max(updated_at);
        self.statuses.append(&mut statuses);
        self.texts.append(&mut texts);
        Ok(())
    }

    /// Reads what an item states about the order, and returns its status and the text of it.
    fn read_item(
        &mut self,
        item: &mut Item,
        path: &str,
        notes: &mut Notes,
    ) -> Result<(OrderStatus, Option<String>), RecordProblem> {
        use std::mem::take;
        let placed_at = take(&mut item.order_date).required_readable(&format!("{path}.orderDate"))?;
        self.placed_at = self.placed_at.into_iter().chain(placed_at.map(|at| at.0)).min();
        self.payment_types.extend(take(&mut item.payment_type).text(&format!("{path}.paymentType"), notes));
        self.profiles.extend(take(&mut item.service_profile).text(&format!("{path}.serviceProfile"), notes));
        let spelt = [
            ("is_replacement", take(&mut item.replacement)),
            ("isReplacement", take(&mut item.is_replacement)),
        ];
        for (name, flag) in spelt {
            self.is_replacement |= flag.read(&format!("{path}.{name}"), notes).is_some_and(|flag| flag.0);
        }
        let by_courier = take(&mut item.courier_return).read(&format!("{path}.courierReturn"), notes);
        let status_path = format!("{path}.status");
        let text = take(&mut item.status).text(&status_path, notes);
        let status =
            text.as_deref().and_then(|text| status::of_item(text, by_courier.is_some_and(|flag| flag.0)));
        if status.is_none() {
            notes.add(&status_path, UNKNOWN_STATUS_NOTE);
        }
        Ok((status.unwrap_or(OrderStatus::Unknown), text))
    }
}

/// Reads when a part was last changed; adds a note when Flipkart does not say so.
pub(super) fn read_updated_at(
    given: Lenient<Instant>,
    path: &str,
    notes: &mut Notes,
) -> Option<DateTime<Utc>> {
    match given.required_readable(path) {
        Ok(Some(at)) => return Some(at.0),
        Ok(None) => notes.add(path, "is missing"),
        Err(problem) => notes.push(problem),
    }
    None
}

/// From when and by when an order must leave, and whether anything of it may be packed.
struct Readiness {
    dispatch_after: Option<DateTime<Utc>>,
    dispatch_by: Option<DateTime<Utc>>,
    on_hold: bool,
}

impl Readiness {
    /// Only what is still open counts, as long as anything is. An order is on hold when everything that is open is: otherwise there is
    /// something to pack.
    fn of(parcels: &[Parcel]) -> Self {
        let open: Vec<&Parcel> = parcels.iter().filter(|parcel| parcel.is_open).collect();
        let is_any_free = open.iter().any(|parcel| !parcel.record.on_hold);
        let on_hold = !open.is_empty() && !is_any_free;
        let counting = if open.is_empty() { parcels.iter().collect() } else { open };
        let free = counting.iter().filter(|parcel| !is_any_free || !parcel.record.on_hold);
        Self {
            dispatch_after: free.filter_map(|parcel| parcel.record.dispatch_after).min(),
            dispatch_by: counting.iter().filter_map(|parcel| parcel.record.dispatch_by).min(),
            on_hold,
        }
    }
}

/// Who sends the goods. What the seller sends a part of is the seller's to send.
fn fulfilled_by(profiles: &[String]) -> Option<String> {
    let has = |names: &[&str]| profiles.iter().any(|profile| names.contains(&profile.as_str()));
    if has(&["NON_FBF", "Seller_Fulfilment", "FBF_LITE", "Smart_Fulfilment"]) {
        return Some("SELLER".to_owned());
    }
    has(&["FBF", "Flipkart_Fulfilment"]).then(|| "MARKETPLACE".to_owned())
}

#[cfg(test)]
mod tests;
