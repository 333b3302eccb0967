//! Pages of the filter, the shipments of orders, and the faults on a page.

use axum::http::StatusCode;
use serde::Serialize;

use super::book::{Book, Shipment};
use super::filter::PageOf;
use super::render::Rendered;
use crate::call::{Call, Reply};
use crate::page_fault::PageFault;

/// How many ids one call may name.
const MAX_IDS: usize = 100;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body {
    #[serde(skip_serializing_if = "Option::is_none")]
    has_more: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_page_url: Option<String>,
    shipments: Vec<Rendered>,
}

/// Answers a page of the filter.
pub(super) fn page(book: &Book, asked: PageOf, call: &Call, page_fault: &PageFault) -> Reply {
    let is_repeated = *page_fault == PageFault::Repeat && asked.page_num > 0;
    let page = PageOf { page_num: asked.page_num - usize::from(is_repeated), ..asked };
    let matching = page.matching(&book.shipments);
    let start = page.page_num.saturating_mul(page.page_size).min(matching.len());
    let end = (start + page.page_size).min(matching.len());
    let mut shown: Vec<Rendered> =
        matching[start..end].iter().map(|shipment| Rendered::of(shipment)).collect();
    let mut next =
        (end < matching.len()).then(|| PageOf { page_num: page.page_num + 1, attempt: 0, ..page.clone() });
    if *page_fault == PageFault::Empty && !shown.is_empty() {
        // Nothing is lost: the link leads to the shipments that this page withholds.
        next = Some(PageOf { attempt: page.attempt + 1, ..page.clone() });
    }
    page_fault.apply(&mut shown, Rendered::malform);
    let served = shown.len();
    let body = Body {
        has_more: Some(next.is_some()),
        next_page_url: next.map(|next| link(&next, call)),
        shipments: shown,
    };
    Reply::json(StatusCode::OK, &body).with_orders(served)
}

/// Answers the shipments of exactly one kind of ids; `None` for anything else.
pub(super) fn of_ids(book: &Book, call: &Call) -> Option<Reply> {
    let kinds = ["shipmentIds", "orderItemIds", "orderIds"];
    let given: Vec<(&str, Vec<&str>)> =
        kinds.iter().map(|kind| (*kind, call.list(kind))).filter(|(_, ids)| !ids.is_empty()).collect();
    let [(kind, ids)] = given.as_slice() else { return None };
    if ids.len() > MAX_IDS {
        return None;
    }
    let is_meant = |shipment: &&Shipment| match *kind {
        "shipmentIds" => ids.contains(&shipment.id.as_str()),
        "orderIds" => ids.contains(&shipment.order_id.as_str()),
        _ => shipment.items.iter().any(|item| ids.contains(&item.order_item_id.as_str())),
    };
    let shown: Vec<&Shipment> = book.shipments.iter().filter(is_meant).collect();
    let shipments = shown.iter().map(|shipment| Rendered::of(shipment)).collect();
    let body = Body { has_more: None, next_page_url: None, shipments };
    Some(Reply::json(StatusCode::OK, &body).with_orders(shown.len()))
}

/// The link in one of the three forms that Flipkart's own pages give it, each in its turn.
fn link(page: &PageOf, call: &Call) -> String {
    let query = format!("shipments/filter?next_token={}", page.token());
    match page.page_num % 3 {
        0 => format!("http://{}/flipkart/sellers/v3/{query}", call.header("host").unwrap_or("localhost")),
        1 => format!("/v3/{query}"),
        _ => format!("/sellers/v3/{query}"),
    }
}
