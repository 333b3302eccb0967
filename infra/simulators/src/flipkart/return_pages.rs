//! Pages of returns: the checks of a request, the items that match it, the token of the next page, and the faults on a page.

use axum::http::StatusCode;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::book::LOCATION;
use super::returns::{ReturnItem, Source};
use crate::call::{Call, Reply};
use crate::page_fault::{Malformation, PageFault};

/// How many items a page has, and how many ids a call may name.
const MAX: usize = 25;

/// A page of a request. It is what a token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct ReturnsAsked {
    source: Source,
    modified: (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    created: (Option<DateTime<Utc>>, Option<DateTime<Utc>>),
    location_id: Option<String>,
    return_ids: Vec<String>,
    tracking_ids: Vec<String>,
    page_num: usize,
    /// Tells the token of a page that was withheld from that of the page before it.
    attempt: u32,
}

impl ReturnsAsked {
    /// The page that a call asks for; `None` for a call that Flipkart rejects.
    pub(super) fn of(call: &Call) -> Option<Self> {
        if let Some(token) = call.parameter("next_token") {
            return serde_json::from_slice(&STANDARD.decode(token).ok()?).ok();
        }
        let instant = |name: &str| match call.parameter(name) {
            None => Some(None),
            Some(text) => DateTime::parse_from_rfc3339(text).ok().map(|at| Some(at.with_timezone(&Utc))),
        };
        let ids = |name: &str| {
            let ids: Vec<String> = call.list(name).into_iter().map(str::to_owned).collect();
            (ids.len() <= MAX).then_some(ids)
        };
        Some(Self {
            source: Source::parse(call.parameter("source")?)?,
            modified: (instant("modifiedAfter")?, instant("modifiedBefore")?),
            created: (instant("createdAfter")?, instant("createdBefore")?),
            location_id: call.parameter("locationId").map(str::to_owned),
            return_ids: ids("returnIds")?,
            tracking_ids: ids("trackingIds")?,
            page_num: 0,
            attempt: 0,
        })
    }

    fn matches(&self, item: &ReturnItem) -> bool {
        let within = |(from, to): (Option<DateTime<Utc>>, Option<DateTime<Utc>>), at: DateTime<Utc>| {
            from.is_none_or(|from| at >= from) && to.is_none_or(|to| at <= to)
        };
        let is_listed = |ids: &[String], id: &String| ids.is_empty() || ids.contains(id);
        item.source == self.source
            && within(self.modified, item.updated_at)
            && within(self.created, item.created_at)
            && self.location_id.as_deref().is_none_or(|location| location == LOCATION)
            && is_listed(&self.return_ids, &item.return_id)
            && is_listed(&self.tracking_ids, &item.tracking_id)
    }

    /// The link in one of the forms that a client has to expect, each in its turn.
    fn link(&self, call: &Call) -> String {
        let token = STANDARD.encode(serde_json::to_vec(self).unwrap_or_default());
        let token = token.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        let query = format!("returns?next_token={token}");
        match self.page_num % 4 {
            0 => format!("http://{}/flipkart/sellers/v2/{query}", call.header("host").unwrap_or("localhost")),
            1 => format!("/returns?next_token={token}"),
            2 => format!("/v2/{query}"),
            _ => format!("/sellers/v2/{query}"),
        }
    }
}

/// Answers a page of returns.
pub(super) fn page(items: &[ReturnItem], asked: ReturnsAsked, call: &Call, page_fault: &PageFault) -> Reply {
    let is_repeated = *page_fault == PageFault::Repeat && asked.page_num > 0;
    let page = ReturnsAsked { page_num: asked.page_num - usize::from(is_repeated), ..asked };
    let mut matching: Vec<&ReturnItem> = items.iter().filter(|item| page.matches(item)).collect();
    matching.sort_by_key(|item| item.updated_at);
    let start = page.page_num.saturating_mul(MAX).min(matching.len());
    let end = (start + MAX).min(matching.len());
    let mut shown: Vec<Value> = matching[start..end].iter().map(|item| render(item)).collect();
    let mut next = (end < matching.len()).then(|| ReturnsAsked {
        page_num: page.page_num + 1,
        attempt: 0,
        ..page.clone()
    });
    if *page_fault == PageFault::Empty && !shown.is_empty() {
        // Nothing is lost: the link leads to the items that this page withholds.
        next = Some(ReturnsAsked { attempt: page.attempt + 1, ..page.clone() });
    }
    page_fault.apply(&mut shown, |item, malformation| {
        if let Value::Object(fields) = item {
            malform(fields, malformation);
        }
    });
    let served = shown.len();
    let mut body = json!({ "hasMore": next.is_some(), "returnItems": shown });
    if let Some(next) = next {
        body["nextUrl"] = json!(next.link(call));
    }
    Reply::json(StatusCode::OK, &body).with_orders(served)
}

/// A return has no amounts, so the number that is spoilt is that of its units.
fn malform(fields: &mut serde_json::Map<String, Value>, malformation: &Malformation) {
    match malformation {
        Malformation::BadAmount => fields.insert("quantity".to_owned(), json!("12.3.4")),
        Malformation::FiveDecimals => fields.insert("quantity".to_owned(), json!("1.37125")),
        Malformation::MissingField { field } => fields.remove(field.as_deref().unwrap_or("createdDate")),
        Malformation::OddCustomer | Malformation::WithheldCustomer => None,
    };
}

fn render(item: &ReturnItem) -> Value {
    let instant = |at: DateTime<Utc>| at.to_rfc3339_opts(SecondsFormat::Millis, true);
    let is_customers = item.source == Source::CustomerReturn;
    json!({
        "returnId": item.return_id,
        "orderItemId": item.order_item_id,
        "orderId": item.order_id,
        "shipmentId": item.shipment_id,
        "locationId": LOCATION,
        "quantity": item.quantity,
        "orderDate": instant(item.ordered_at),
        "createdDate": instant(item.created_at),
        "updatedDate": instant(item.updated_at),
        "approvedOn": instant(item.created_at + TimeDelta::hours(1)),
        "expectedDate": instant(item.created_at + TimeDelta::days(10)),
        "courierName": "E-Kart Logistics",
        "sellerId": "simulated-seller",
        "status": item.status,
        "type": item.source.as_str(),
        "reason": if is_customers { "DEFECTIVE_PRODUCT" } else { "ORDER_NOT_DELIVERED" },
        "subReason": if is_customers { "PRODUCT_BROKEN" } else { "CUSTOMER_UNAVAILABLE" },
        "trackingId": item.tracking_id,
        "shipmentStatus": "IN_TRANSIT",
        "comments": "in the customer's own words",
        "serviceProfile": item.service_profile,
        "services": [],
    })
}
