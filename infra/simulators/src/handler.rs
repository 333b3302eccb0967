//! Handles each call to a marketplace: finds its account, applies faults, lets the marketplace answer and writes the ledger.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use chrono::{DateTime, Utc};
use futures_util::stream;

use crate::call::{Call, Reply};
use crate::faults::FaultKind;
use crate::ledger::{CallKey, OpenCall};
use crate::lock::lock;
use crate::marketplace::{Marketplace, Simulated};
use crate::page_fault::PageFault;
use crate::state::State;

/// The largest request body that is read. It fits a batch of a few thousand acknowledgements.
const LARGEST_BODY: usize = 8 * 1024 * 1024;

/// How much of a response reaches the client.
enum Delivery {
    Whole,
    CutOff,
}

/// Handles one call to a marketplace.
pub(crate) async fn handle(state: State, marketplace: Marketplace, request: Request) -> Response<Body> {
    let simulated = state.inner.marketplaces.of(marketplace);
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        let simulated = lock(simulated);
        let reply = simulated.failure("", StatusCode::PAYLOAD_TOO_LARGE);
        return response(&*simulated, reply, &Delivery::Whole);
    };
    let call = Call::new(parts.method, &parts.uri, parts.headers, body);
    let (account, path) = {
        let simulated = lock(simulated);
        let account = simulated.account_of(&call).unwrap_or_else(|| "-".to_owned());
        (account, simulated.ledger_path(&call.path))
    };
    let key = CallKey { marketplace, account: account.clone(), method: call.method.to_string(), path };
    let open = OpenCall::begin(&state.inner.ledger, key);
    let taken = lock(&state.inner.faults).take(marketplace, call.method.as_str(), &call.path, &account);
    if !taken.hang.is_zero() {
        tokio::time::sleep(taken.hang).await;
    }
    let mut simulated = lock(simulated);
    let (reply, delivery) = answer(&mut *simulated, &call, state.now(), &account, taken.kind);
    open.answered(reply.status.as_u16(), reply.orders, reply.issued_token);
    response(&*simulated, reply, &delivery)
}

/// The marketplace's reply, changed by the fault.
fn answer(
    simulated: &mut dyn Simulated,
    call: &Call,
    now: DateTime<Utc>,
    account: &str,
    fault: Option<FaultKind>,
) -> (Reply, Delivery) {
    let mut serve = |page_fault: &PageFault| simulated.answer(call, now, page_fault);
    let reply = match fault {
        None | Some(FaultKind::Hang { .. }) => serve(&PageFault::None),
        Some(FaultKind::EmptyPage) => serve(&PageFault::Empty),
        Some(FaultKind::ShortPage) => serve(&PageFault::Short),
        Some(FaultKind::RepeatPage) => serve(&PageFault::Repeat),
        Some(FaultKind::Malformed { malformation, record }) => {
            serve(&PageFault::Malformed(malformation, record))
        }
        Some(FaultKind::DropConnection) => {
            return (Reply { orders: 0, ..serve(&PageFault::None) }, Delivery::CutOff);
        }
        Some(FaultKind::Garbage) => Reply {
            body: b"<html>upstream says no {\"orders\": [".to_vec(),
            orders: 0,
            ..serve(&PageFault::None)
        },
        Some(FaultKind::Truncated) => {
            let mut reply = serve(&PageFault::None);
            reply.body.truncate(reply.body.len() / 2);
            reply.orders = 0;
            reply
        }
        Some(FaultKind::ExpireTokens) => {
            simulated.expire_tokens(Some(account), now);
            simulated.answer(call, now, &PageFault::None)
        }
        Some(FaultKind::DenyConsent) => serve(&PageFault::DenyConsent),
        Some(FaultKind::FatalReport) => serve(&PageFault::FatalReport),
        Some(FaultKind::ExpireCodes) => {
            simulated.expire_codes(now);
            simulated.answer(call, now, &PageFault::None)
        }
        Some(FaultKind::RejectCredentials) => simulated.rejection(&call.path),
        Some(FaultKind::RejectClient) => simulated.client_rejection(&call.path),
        Some(FaultKind::Status { status, retry_after }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let reply = simulated.failure(&call.path, status);
            match retry_after {
                Some(seconds) => reply.with_header("retry-after", seconds.to_string()),
                None => reply,
            }
        }
    };
    (reply, Delivery::Whole)
}

fn response(simulated: &dyn Simulated, reply: Reply, delivery: &Delivery) -> Response<Body> {
    let length = reply.body.len();
    let body = match delivery {
        Delivery::Whole => Body::from(reply.body),
        Delivery::CutOff => cut_off(reply.body),
    };
    let mut response = Response::new(body);
    *response.status_mut() = reply.status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    for (name, value) in reply.headers.into_iter().chain(simulated.common_header()) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// Half of the body and then an error, upon which the server closes the connection.
fn cut_off(mut body: Vec<u8>) -> Body {
    body.truncate(body.len() / 2);
    let half = Some(Bytes::from(body));
    Body::from_stream(stream::unfold((half, false), |(half, ended)| async move {
        match half {
            Some(bytes) => Some((Ok(bytes), (None, ended))),
            None if ended => None,
            None => {
                // The first half must reach the client before the error.
                tokio::time::sleep(Duration::from_millis(20)).await;
                Some((Err(io::Error::from(io::ErrorKind::ConnectionAborted)), (None, true)))
            }
        }
    }))
}
