//! searchOrders and getOrder: pages of orders, their tokens, and the faults on a page.

use std::collections::HashMap;

use axum::http::StatusCode;
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::customer::{make_odd, withhold};
use super::errors::failure;
use super::query::{Datasets, Query, TimeField, invalid};
use super::render;
use crate::call::{Call, Reply};
use crate::order_book::OrderBook;
use crate::page_fault::{Malformation, PageFault};

/// How long a page token can be used.
const TOKEN_LIFE: TimeDelta = TimeDelta::hours(24);

/// Where a page begins. The position counts the orders of the book, not the filtered ones, so that an order that changes
/// between two pages does not shift the others.
#[derive(Debug, Clone)]
struct PageStart {
    fingerprint: String,
    from: usize,
    before: DateTime<Utc>,
    issued_at: DateTime<Utc>,
}

/// The page tokens of one account, and the last page of each query.
#[derive(Default)]
pub(super) struct Pages {
    starts: HashMap<String, PageStart>,
    last: HashMap<String, (usize, Option<String>)>,
}

/// Answers searchOrders.
pub(super) fn page(
    book: &OrderBook,
    pages: &mut Pages,
    call: &Call,
    now: DateTime<Utc>,
    page_fault: &PageFault,
) -> Reply {
    let query = match Query::parse(call, now) {
        Ok(query) => query,
        Err(refused) => return refused,
    };
    let (mut from, before) = match call.parameter("paginationToken") {
        None => (0, query.before.unwrap_or(now)),
        Some(token) => match pages.starts.get(token) {
            Some(start) if start.fingerprint == query.fingerprint && now - start.issued_at < TOKEN_LIFE => {
                (start.from, start.before)
            }
            _ => return invalid("the paginationToken is unknown, too old, or belongs to another query"),
        },
    };
    let previous = match page_fault {
        PageFault::Repeat if from > 0 => pages.last.get(&query.fingerprint).cloned(),
        _ => None,
    };
    from = previous.as_ref().map_or(from, |(from, _)| *from);

    let mut matching =
        (from..).zip(book.orders().iter().skip(from)).filter(|(_, order)| query.matches(order, before));
    let shown: Vec<_> = matching.by_ref().take(query.page_size).map(|(_, order)| order).collect();
    let mut next = matching.next().map(|(at, _)| at);
    let mut orders: Vec<Value> = shown.iter().map(|order| render::order(order, &query.datasets)).collect();
    if *page_fault == PageFault::Empty && !orders.is_empty() {
        // Nothing is lost: the token leads to the orders that this page withholds.
        next = Some(from);
    }
    page_fault.apply(&mut orders, malform);

    let next_token = match previous {
        Some((_, token)) => token,
        None => next.map(|from| {
            let fingerprint = query.fingerprint.clone();
            pages.issue(PageStart { fingerprint, from, before, issued_at: now })
        }),
    };
    pages.last.insert(query.fingerprint.clone(), (from, next_token.clone()));
    let served = orders.len();
    Reply::json(StatusCode::OK, &body(orders, next_token, query.time_field, before)).with_orders(served)
}

/// Answers getOrder.
pub(super) fn single(book: &OrderBook, call: &Call, order_id: &str, page_fault: &PageFault) -> Reply {
    let datasets = match Datasets::parse(call) {
        Ok(datasets) => datasets,
        Err(refused) => return refused,
    };
    let Some(order) = book.order(order_id) else { return failure(StatusCode::NOT_FOUND) };
    let mut orders = vec![render::order(order, &datasets)];
    if matches!(page_fault, PageFault::Malformed(..)) {
        page_fault.apply(&mut orders, malform);
    }
    Reply::json(StatusCode::OK, &json!({ "order": orders.pop() })).with_orders(1)
}

impl Pages {
    fn issue(&mut self, start: PageStart) -> String {
        self.starts.retain(|_, old| start.issued_at - old.issued_at < TOKEN_LIFE);
        // Like Amazon's own tokens, it contains characters that must be encoded in a URL.
        let token = format!("{}+/{}==", self.starts.len(), Uuid::now_v7().simple());
        self.starts.insert(token.clone(), start);
        token
    }
}

fn body(
    orders: Vec<Value>,
    next_token: Option<String>,
    time_field: TimeField,
    before: DateTime<Utc>,
) -> Value {
    let mut body = Map::new();
    body.insert("orders".to_owned(), Value::Array(orders));
    if let Some(token) = next_token {
        body.insert("pagination".to_owned(), json!({ "nextToken": token }));
    }
    let window_end = match time_field {
        TimeField::Created => "createdBefore",
        TimeField::LastUpdated => "lastUpdatedBefore",
    };
    body.insert(window_end.to_owned(), json!(before.to_rfc3339_opts(SecondsFormat::Millis, true)));
    Value::Object(body)
}

fn malform(order: &mut Value, malformation: &Malformation) {
    const AMOUNTS: [&str; 4] = [
        "/proceeds/grandTotal/amount",
        "/orderItems/0/proceeds/proceedsTotal/amount",
        "/orderItems/0/proceeds/breakdowns/0/subtotal/amount",
        "/orderItems/0/product/price/unitPrice/amount",
    ];
    let amount = match malformation {
        Malformation::MissingField { field } => {
            if let Some(fields) = order.as_object_mut() {
                fields.remove(field.as_deref().unwrap_or("createdTime"));
            }
            return;
        }
        Malformation::BadAmount => "12.3.4",
        Malformation::FiveDecimals => "648.37125",
        Malformation::OddCustomer => return make_odd(order),
        Malformation::WithheldCustomer => return withhold(order),
    };
    for pointer in AMOUNTS {
        if let Some(place) = order.pointer_mut(pointer) {
            *place = Value::from(amount);
        }
    }
}
