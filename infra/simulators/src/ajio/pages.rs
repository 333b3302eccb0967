//! Pages of pendency, orders and returns: paging, filters, and the faults on a page.

use std::collections::{BTreeMap, HashMap};

use axum::http::StatusCode;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::book::{Book, Order};
use super::errors::error;
use super::status::AjioStatus;
use super::wire::{PendingOrder, PlacedOrder, ReturnOrder};
use crate::call::{Call, Reply};
use crate::page_fault::{Malformation, PageFault};

const LARGEST_PAGE: usize = 50;

/// The number of the last page that each path has served.
pub(super) type LastPages = HashMap<String, usize>;

type Fields = BTreeMap<String, Box<RawValue>>;

#[derive(Serialize)]
struct Page {
    orders: Vec<Box<RawValue>>,
    page: PageNumbers,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PageNumbers {
    number: usize,
    size: usize,
    total_elements: usize,
    total_pages: usize,
}

/// `GET /orders/pendency`
pub(super) fn pendency(book: &Book, last: &mut LastPages, call: &Call, page_fault: &PageFault) -> Reply {
    let (from, to) = match (epoch(call, "orderDateFrom"), epoch(call, "orderDateTo")) {
        (Ok(from), Ok(to)) => (from.unwrap_or(i64::MIN), to.unwrap_or(i64::MAX)),
        (Err(refused), _) | (_, Err(refused)) => return refused,
    };
    let is_wanted =
        |order: &&Order| order.status == AjioStatus::Pendency && (from..=to).contains(&order.order_date);
    let orders: Vec<&Order> = book.orders.iter().filter(is_wanted).collect();
    page(&orders, |order| to_raw_value(&PendingOrder::from(*order)).ok(), last, call, page_fault)
}

/// `GET /orders`
pub(super) fn orders(book: &Book, last: &mut LastPages, call: &Call, page_fault: &PageFault) -> Reply {
    let mut statuses = Vec::new();
    for text in call.list("status") {
        let status = serde_json::from_value(serde_json::Value::from(text));
        match status {
            Ok(AjioStatus::Pendency) | Err(_) => return error(StatusCode::BAD_REQUEST, "status is unknown"),
            Ok(status) => statuses.push(status),
        }
    }
    let is_wanted = |order: &&Order| {
        order.status != AjioStatus::Pendency && (statuses.is_empty() || statuses.contains(&order.status))
    };
    let orders: Vec<&Order> = book.orders.iter().filter(is_wanted).collect();
    page(&orders, |order| to_raw_value(&PlacedOrder::from(*order)).ok(), last, call, page_fault)
}

/// `GET /returns`
pub(super) fn returns(book: &Book, last: &mut LastPages, call: &Call, page_fault: &PageFault) -> Reply {
    let kinds = call.list("type");
    if kinds.iter().any(|kind| !["RTO", "CR"].contains(kind)) {
        return error(StatusCode::BAD_REQUEST, "type is neither RTO nor CR");
    }
    let wanted =
        book.returns.iter().filter(|returned| kinds.is_empty() || kinds.contains(&returned.kind.code()));
    let returns: Vec<ReturnOrder<'_>> =
        wanted.map(|returned| ReturnOrder::new(returned, &book.orders[returned.order])).collect();
    page(&returns, |returned| to_raw_value(returned).ok(), last, call, page_fault)
}

fn page<T>(
    records: &[T],
    write: impl Fn(&T) -> Option<Box<RawValue>>,
    last: &mut LastPages,
    call: &Call,
    page_fault: &PageFault,
) -> Reply {
    let (mut number, size) = match (whole(call, "pageNumber", 0), whole(call, "pageSize", LARGEST_PAGE)) {
        (Ok(number), Ok(size @ 1..=LARGEST_PAGE)) => (number, size),
        (Err(refused), _) | (_, Err(refused)) => return refused,
        (Ok(_), Ok(_)) => return error(StatusCode::BAD_REQUEST, "pageSize must be between 1 and 50"),
    };
    if *page_fault == PageFault::Repeat && number > 0 {
        number = last.get(&call.path).copied().unwrap_or(number);
    }
    last.insert(call.path.clone(), number);
    let shown = records.iter().skip(number.saturating_mul(size)).take(size);
    let mut orders: Vec<Box<RawValue>> = shown.filter_map(write).collect();
    page_fault.apply(&mut orders, |order, malformation| {
        if let Some(malformed_order) = malformed(order, malformation) {
            *order = malformed_order;
        }
    });
    let served = orders.len();
    let total_pages = records.len().div_ceil(size);
    let numbers = PageNumbers { number, size, total_elements: records.len(), total_pages };
    Reply::json(StatusCode::OK, &Page { orders, page: numbers }).with_orders(served)
}

fn whole(call: &Call, name: &str, otherwise: usize) -> Result<usize, Reply> {
    match call.parameter(name) {
        None => Ok(otherwise),
        Some(text) => {
            text.parse().map_err(|_| error(StatusCode::BAD_REQUEST, &format!("{name} is not a number")))
        }
    }
}

fn epoch(call: &Call, name: &str) -> Result<Option<i64>, Reply> {
    let seconds = call.parameter(name).map(str::parse).transpose();
    seconds.map_err(|_| error(StatusCode::BAD_REQUEST, &format!("{name} is not in epoch seconds")))
}

fn malformed(order: &RawValue, malformation: &Malformation) -> Option<Box<RawValue>> {
    let mut fields: Fields = serde_json::from_str(order.get()).ok()?;
    let amount = match malformation {
        Malformation::MissingField { field } => {
            let date = if fields.contains_key("return_date") { "return_date" } else { "order_date" };
            fields.remove(field.as_deref().unwrap_or(date));
            return to_raw_value(&fields).ok();
        }
        Malformation::BadAmount => "\"12.3.4\"",
        Malformation::FiveDecimals => "648.37125",
        Malformation::OddCustomer | Malformation::WithheldCustomer => return to_raw_value(&fields).ok(),
    };
    replace(&mut fields, "total_amount", amount);
    if let Some(lines) = fields.get("order_lines") {
        let mut lines: Vec<Fields> = serde_json::from_str(lines.get()).ok()?;
        if let Some(line) = lines.first_mut() {
            replace(line, "unit_price", amount);
            replace(line, "item_base_price", amount);
        }
        fields.insert("order_lines".to_owned(), to_raw_value(&lines).ok()?);
    }
    to_raw_value(&fields).ok()
}

fn replace(fields: &mut Fields, name: &str, amount: &str) {
    if let Some(field) = fields.get_mut(name)
        && let Ok(raw) = RawValue::from_string(amount.to_owned())
    {
        *field = raw;
    }
}
