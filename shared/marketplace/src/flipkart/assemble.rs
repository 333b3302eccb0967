//! Makes whole orders of shipments. The filter lists shipments one by one, in whatever pass each of them is, while an order is
//! stored as a whole: so the orders of a page are asked for again with all their shipments, and both answers are joined.
//!
//! What an order is made of is also what is set aside of it: `{"orderId": …, "shipments": […]}`, with the shipments as they came.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::bytes::BadBytes;
use crate::fields::{Id, Instant, Text};
use crate::lenient::{Lenient, Notes};
use crate::record::StreamRecord;
use crate::records::{MappedRecords, RecordProblem, map_records};

use super::page::ListPage;

/// A shipment with what is needed to find its order.
struct Shipment {
    id: Option<String>,
    order_ids: Vec<String>,
    updated_at: Option<DateTime<Utc>>,
    location_id: Option<String>,
    raw: String,
    has_bad_bytes: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Ids {
    #[serde(default)]
    shipment_id: Lenient<Id>,
    #[serde(default)]
    updated_at: Lenient<Instant>,
    #[serde(default)]
    location_id: Lenient<Text>,
    #[serde(default)]
    order_items: Lenient<Vec<Lenient<ItemId>>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ItemId {
    #[serde(default)]
    order_id: Lenient<Id>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OnlyId {
    order_id: Id,
}

/// A whole order or return as text.
pub struct RawWhole {
    pub raw: Box<RawValue>,
    pub has_bad_bytes: bool,
}

/// Maps whole orders or returns. Those with a byte that is not UTF-8 are set aside.
pub fn map_whole<R: StreamRecord>(
    whole: Vec<RawWhole>,
    external_id: fn(&RawValue) -> Option<String>,
    map: fn(&RawValue) -> Result<R, RecordProblem>,
) -> MappedRecords<R> {
    let (bad, good): (Vec<RawWhole>, Vec<RawWhole>) =
        whole.into_iter().partition(|record| record.has_bad_bytes);
    let mapped = |records: Vec<RawWhole>, bad_bytes: BadBytes| {
        let raw: Vec<_> = records.into_iter().map(|record| record.raw).collect();
        map_records(&raw, bad_bytes, external_id, map)
    };
    let mut records = mapped(good, BadBytes::default());
    records.quarantined.append(&mut mapped(bad, BadBytes::KEPT).quarantined);
    records
}

/// Returns an order's id, if at least that can be read.
pub fn order_id(raw: &RawValue) -> Option<String> {
    serde_json::from_str::<OnlyId>(raw.get()).ok().map(|order| order.order_id.0)
}

/// The orders of a page's shipments, each once, as far as they can be asked for.
pub fn order_ids(page: &ListPage) -> Vec<String> {
    let mut ids: Vec<String> = Vec::new();
    for shipment in shipments(page).into_iter().filter(|shipment| !shipment.has_bad_bytes) {
        for id in shipment.order_ids {
            // The call takes ids separated by commas.
            if !ids.contains(&id) && !id.contains(',') {
                ids.push(id);
            }
        }
    }
    ids
}

/// Joins the shipments that a page lists with all shipments of their orders. Of two versions of a shipment the newer one counts,
/// and the listed one when Flipkart does not say which is newer. Shipments of other locations than the account's are left out.
pub fn orders(page: &ListPage, whole: &[ListPage], location_id: Option<&str>) -> Vec<RawWhole> {
    let mut orders: Vec<(Option<String>, Vec<Shipment>)> = Vec::new();
    for shipment in shipments(page) {
        for id in ids_or_none(&shipment) {
            let known = orders.iter_mut().find(|(known, _)| id.is_some() && *known == id);
            match known {
                Some((_, parts)) => add(parts, &shipment),
                None => orders.push((id, vec![shipment.copy()])),
            }
        }
    }
    let is_elsewhere = |shipment: &Shipment| {
        shipment.location_id.as_deref().zip(location_id).is_some_and(|(theirs, ours)| theirs != ours)
    };
    for shipment in whole.iter().flat_map(shipments).filter(|shipment| !is_elsewhere(shipment)) {
        for (_, parts) in
            orders.iter_mut().filter(|(id, _)| id.as_ref().is_some_and(|id| shipment.order_ids.contains(id)))
        {
            add(parts, &shipment);
        }
    }
    for (_, parts) in &mut orders {
        // An order is the same record whichever of its shipments was listed.
        parts.sort_by(|one, other| one.id.cmp(&other.id));
    }
    orders.into_iter().filter_map(|(id, parts)| assembled(id.as_deref(), &parts)).collect()
}

/// A shipment of which no order can be read is an order of its own, to be set aside.
fn ids_or_none(shipment: &Shipment) -> Vec<Option<String>> {
    if shipment.order_ids.is_empty() {
        return vec![None];
    }
    shipment.order_ids.iter().cloned().map(Some).collect()
}

fn add(parts: &mut Vec<Shipment>, shipment: &Shipment) {
    let same = parts.iter_mut().find(|known| known.id.is_some() && known.id == shipment.id);
    match same {
        Some(known) if shipment.updated_at > known.updated_at => *known = shipment.copy(),
        Some(_) => {}
        None => parts.push(shipment.copy()),
    }
}

fn assembled(id: Option<&str>, parts: &[Shipment]) -> Option<RawWhole> {
    let shipments = parts.iter().map(|part| part.raw.as_str()).collect::<Vec<_>>().join(",");
    let id = id.map(|id| format!("\"orderId\":{},", serde_json::Value::from(id))).unwrap_or_default();
    let raw = RawValue::from_string(format!("{{{id}\"shipments\":[{shipments}]}}")).ok()?;
    Some(RawWhole { raw, has_bad_bytes: parts.iter().any(|part| part.has_bad_bytes) })
}

fn shipments(page: &ListPage) -> Vec<Shipment> {
    page.records.iter().map(|raw| shipment(raw, page.bad_bytes)).collect()
}

fn shipment(raw: &RawValue, bad_bytes: BadBytes) -> Shipment {
    let has_bad_bytes = bad_bytes.are_in(raw.get());
    let raw = bad_bytes.shown(raw.get());
    // What cannot be read here is found again, and named, when the order is mapped.
    let unread = &mut Notes::default();
    let ids = serde_json::from_str::<Ids>(&raw).ok();
    let (mut id, mut updated_at, mut location_id, mut order_ids) = (None, None, None, Vec::new());
    if let Some(ids) = ids {
        id = ids.shipment_id.read("", unread).map(|id| id.0);
        updated_at = ids.updated_at.read("", unread).map(|at| at.0);
        location_id = ids.location_id.text("", unread);
        for item in ids.order_items.read("", unread).unwrap_or_default() {
            let order_id = item.read("", unread).and_then(|item| item.order_id.read("", unread));
            order_ids.extend(order_id.map(|id| id.0).filter(|id| !order_ids.contains(id)));
        }
    }
    Shipment { id, order_ids, updated_at, location_id, raw, has_bad_bytes }
}

impl Shipment {
    /// A shipment that holds goods of two orders is a part of both.
    fn copy(&self) -> Self {
        Self {
            id: self.id.clone(),
            order_ids: self.order_ids.clone(),
            updated_at: self.updated_at,
            location_id: self.location_id.clone(),
            raw: self.raw.clone(),
            has_bad_bytes: self.has_bad_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn shipment(id: &str, order: &str, minute: u32, hold: bool, location: &str) -> Value {
        json!({
            "shipmentId": id, "updatedAt": format!("2026-11-18T09:{minute:02}:00Z"), "hold": hold,
            "locationId": location, "orderItems": [{ "orderId": order, "orderItemId": "1" }],
        })
    }

    fn page(shipments: &[Value]) -> ListPage {
        serde_json::from_value(json!({ "shipments": shipments })).unwrap()
    }

    /// Order id, and each shipment's id and hold.
    fn joined(listed: &[Value], whole: &[Value], location: Option<&str>) -> Vec<String> {
        let orders = orders(&page(listed), &[page(whole)], location);
        orders
            .iter()
            .map(|order| {
                let order: Value = serde_json::from_str(order.raw.get()).unwrap();
                let part = |it: &Value| format!(" {}:{}", it["shipmentId"].as_str().unwrap(), it["hold"]);
                let parts: String = order["shipments"].as_array().unwrap().iter().map(part).collect();
                format!("{}{parts}", order["orderId"].as_str().unwrap_or("-"))
            })
            .collect()
    }

    #[test]
    fn an_order_has_the_shipments_of_both_answers_and_the_newer_version_of_each() {
        let listed = [shipment("S1", "OD1", 5, true, "L"), shipment("S3", "OD2", 5, true, "L")];
        let older = [shipment("S1", "OD1", 4, false, "L"), shipment("S2", "OD1", 1, false, "L")];
        assert_eq!(joined(&listed, &older, None), ["OD1 S1:true S2:false", "OD2 S3:true"]);
        let newer = [shipment("S1", "OD1", 6, false, "L"), shipment("S3", "OD2", 5, false, "L")];
        assert_eq!(
            joined(&listed, &newer, None),
            ["OD1 S1:false", "OD2 S3:true"],
            "the listed one if equally old"
        );
        let foreign = [shipment("S9", "OD9", 6, false, "L")];
        assert_eq!(joined(&listed[..1], &foreign, None), ["OD1 S1:true"], "an order that was not asked for");
    }

    #[test]
    fn an_order_is_the_same_whichever_of_its_shipments_is_listed() {
        let both = [shipment("S1", "OD1", 5, true, "L"), shipment("S2", "OD1", 1, false, "L")];
        for listed in &both {
            assert_eq!(joined(std::slice::from_ref(listed), &both, None), ["OD1 S1:true S2:false"]);
        }
    }

    #[test]
    fn an_account_that_stands_for_a_location_has_no_shipments_of_others() {
        let listed = [shipment("S1", "OD1", 5, true, "L")];
        let whole = [shipment("S2", "OD1", 5, true, "M"), shipment("S3", "OD1", 5, true, "L")];
        assert_eq!(joined(&listed, &whole, Some("L")), ["OD1 S1:true S3:true"]);
        assert_eq!(joined(&listed, &whole, None), ["OD1 S1:true S2:true S3:true"]);
    }

    #[test]
    fn a_shipment_of_two_orders_is_a_part_of_both_and_one_of_none_stands_alone() {
        let mut both = shipment("S1", "OD1", 5, true, "L");
        both["orderItems"] = json!([{ "orderId": "OD1" }, { "orderId": "OD2" }, { "orderId": "OD1" }]);
        let nameless = json!({ "shipmentId": "S4", "hold": 7 });
        let listed = [both, nameless.clone(), nameless];
        assert_eq!(order_ids(&page(&listed)), ["OD1", "OD2"]);
        assert_eq!(joined(&listed, &[], None), ["OD1 S1:true", "OD2 S1:true", "- S4:7", "- S4:7"]);
    }
}
