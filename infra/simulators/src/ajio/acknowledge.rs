//! `POST /orders`: the seller acknowledges orders, in part or in whole, or cancels them.
//!
//! Each order of a batch succeeds or fails alone. Quantities are numbers in the request and texts in the response.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};

use super::book::{Book, Line, Order};
use super::errors::error;
use super::status::AjioStatus;
use crate::call::Reply;

#[derive(Deserialize)]
#[serde(untagged)]
enum Batch {
    Many(Vec<Request>),
    One(Request),
}

#[derive(Deserialize)]
struct Request {
    order_id: String,
    order_lines: Vec<RequestLine>,
    status: Decision,
}

#[derive(Deserialize)]
struct RequestLine {
    order_item_id: String,
    confirmed_quantity: u32,
    cancelled_quantity: u32,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
enum Decision {
    Acknowledge,
    Cancel,
}

#[derive(Default, Serialize)]
struct BatchResult {
    success: Vec<Success>,
    failed_items: Vec<Failure>,
}

#[derive(Serialize)]
struct Success {
    order_id: String,
    order_status: Decision,
    order_lines: Vec<SuccessLine>,
}

#[derive(Serialize)]
struct SuccessLine {
    order_item_id: String,
    confirmed_quantity: String,
    cancelled_quantity: String,
}

#[derive(Serialize)]
struct Failure {
    order_id: String,
    error_message: String,
}

pub(super) fn acknowledge(book: &mut Book, body: &[u8]) -> Reply {
    let requests = match serde_json::from_slice(body) {
        Ok(Batch::Many(requests)) => requests,
        Ok(Batch::One(request)) => vec![request],
        Err(_) => {
            return error(
                StatusCode::BAD_REQUEST,
                "send an order or an array of orders, quantities as numbers",
            );
        }
    };
    let mut result = BatchResult::default();
    for request in requests {
        match apply(book, &request) {
            Ok(()) => result.success.push(success(request)),
            Err(message) => {
                let failure = Failure { order_id: request.order_id, error_message: message.to_owned() };
                result.failed_items.push(failure);
            }
        }
    }
    Reply::json(StatusCode::OK, &result)
}

fn apply(book: &mut Book, request: &Request) -> Result<(), &'static str> {
    let order = book.order_mut(&request.order_id).ok_or("order is unknown")?;
    match (request.status, order.status) {
        (_, AjioStatus::Pendency) | (Decision::Cancel, AjioStatus::Confirmed) => {}
        (_, AjioStatus::Cancelled) => return Err("order is cancelled"),
        (Decision::Acknowledge, _) => return Err("order is already acknowledged"),
        (Decision::Cancel, _) => return Err("order is packed and cannot be cancelled"),
    }
    if order.lines.len() != request.order_lines.len() {
        return Err("every line of the order must be given once");
    }
    for line in &order.lines {
        let asked = requested(request, line).ok_or("every line of the order must be given once")?;
        if asked.confirmed_quantity.checked_add(asked.cancelled_quantity) != Some(line.ordered) {
            return Err("confirmed and cancelled quantity must add up to the ordered quantity");
        }
        if request.status == Decision::Cancel && asked.confirmed_quantity > 0 {
            return Err("a cancelled order cannot have confirmed quantities");
        }
    }
    settle(order, request);
    Ok(())
}

fn settle(order: &mut Order, request: &Request) {
    let is_kept = request.order_lines.iter().any(|line| line.confirmed_quantity > 0);
    if !is_kept {
        order.cancel_by_seller();
        return;
    }
    order.confirm();
    for line in &mut order.lines {
        line.seller_cancelled = requested(request, line).map_or(0, |asked| asked.cancelled_quantity);
    }
}

fn requested<'a>(request: &'a Request, line: &Line) -> Option<&'a RequestLine> {
    request.order_lines.iter().find(|asked| asked.order_item_id == line.order_item_id)
}

fn success(request: Request) -> Success {
    let line = |line: RequestLine| SuccessLine {
        order_item_id: line.order_item_id,
        confirmed_quantity: line.confirmed_quantity.to_string(),
        cancelled_quantity: line.cancelled_quantity.to_string(),
    };
    Success {
        order_id: request.order_id,
        order_status: request.status,
        order_lines: request.order_lines.into_iter().map(line).collect(),
    }
}
