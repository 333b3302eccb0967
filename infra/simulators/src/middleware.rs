//! What every marketplace call passes first: it finds the account, applies faults and writes the ledger.

use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Response, StatusCode};
use futures_util::stream;
use uuid::Uuid;

use crate::ajio;
use crate::amazon;
use crate::call::{Call, Reply};
use crate::faults::{FaultKind, PageFault};
use crate::flipkart;
use crate::ledger::{CallKey, OpenCall};
use crate::meesho;
use crate::state::{Marketplace, State, lock};

/// The largest request body that is read: a batch of a few thousand acknowledgements.
const LARGEST_BODY: usize = 8 * 1024 * 1024;

/// How an answer leaves the house.
enum Delivery {
    Whole,
    CutOff,
}

/// Answers one call to a marketplace.
pub(crate) async fn enter(state: State, marketplace: Marketplace, request: Request) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return deliver(
            marketplace,
            failure(marketplace, "", StatusCode::PAYLOAD_TOO_LARGE),
            &Delivery::Whole,
        );
    };
    let call = Call::new(parts.method, &parts.uri, parts.headers, body);
    let account = account_of(&state, marketplace, &call);
    let open = OpenCall::begin(
        &state.inner.ledger,
        CallKey {
            marketplace,
            account: account.clone(),
            method: call.method.to_string(),
            path: ledger_path(marketplace, &call.path),
        },
    );
    let taken = lock(&state.inner.faults).take(marketplace, call.method.as_str(), &call.path, &account);
    if !taken.hang.is_zero() {
        tokio::time::sleep(taken.hang).await;
    }
    let (reply, delivery) = answer(&state, marketplace, &call, &account, taken.kind);
    open.answered(reply.status.as_u16(), reply.orders, reply.issued_token);
    deliver(marketplace, reply, &delivery)
}

fn account_of(state: &State, marketplace: Marketplace, call: &Call) -> String {
    let known = match marketplace {
        Marketplace::Ajio => lock(&state.inner.ajio).account_of(call),
        Marketplace::Amazon => lock(&state.inner.amazon).account_of(call),
        Marketplace::Flipkart => lock(&state.inner.flipkart).account_of(call),
        Marketplace::Meesho => lock(&state.inner.meesho).account_of(call),
    };
    known.unwrap_or_else(|| "-".to_owned())
}

fn ledger_path(marketplace: Marketplace, path: &str) -> String {
    match marketplace {
        Marketplace::Ajio | Marketplace::Flipkart | Marketplace::Meesho => path.to_owned(),
        Marketplace::Amazon => amazon::ledger_path(path),
    }
}

fn answer(
    state: &State,
    marketplace: Marketplace,
    call: &Call,
    account: &str,
    fault: Option<FaultKind>,
) -> (Reply, Delivery) {
    let serve = |page_fault: &PageFault| {
        let now = state.inner.clock.now();
        match marketplace {
            Marketplace::Ajio => lock(&state.inner.ajio).answer(call, now, page_fault),
            Marketplace::Amazon => lock(&state.inner.amazon).answer(call, now, page_fault),
            Marketplace::Flipkart => lock(&state.inner.flipkart).answer(call, now, page_fault),
            Marketplace::Meesho => lock(&state.inner.meesho).answer(call, now),
        }
    };
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
            state.expire_tokens(marketplace, Some(account));
            serve(&PageFault::None)
        }
        Some(FaultKind::DenyConsent) => serve(&PageFault::DenyConsent),
        Some(FaultKind::ExpireCodes) => {
            state.expire_codes(marketplace);
            serve(&PageFault::None)
        }
        Some(FaultKind::RejectCredentials) => match marketplace {
            Marketplace::Ajio => ajio::rejection(),
            Marketplace::Amazon => amazon::rejection(&call.path),
            Marketplace::Flipkart => flipkart::rejection(&call.path),
            Marketplace::Meesho => meesho::rejection(),
        },
        Some(FaultKind::RejectClient) => match marketplace {
            Marketplace::Ajio => ajio::rejection(),
            Marketplace::Amazon => amazon::client_rejection(&call.path),
            Marketplace::Flipkart => flipkart::client_rejection(),
            Marketplace::Meesho => meesho::rejection(),
        },
        Some(FaultKind::Status { status, retry_after }) => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            let reply = failure(marketplace, &call.path, status);
            match retry_after {
                Some(seconds) => reply.with_header("retry-after", seconds.to_string()),
                None => reply,
            }
        }
    };
    (reply, Delivery::Whole)
}

fn failure(marketplace: Marketplace, path: &str, status: StatusCode) -> Reply {
    match marketplace {
        Marketplace::Ajio => ajio::failure(status),
        Marketplace::Amazon => amazon::failure(path, status),
        Marketplace::Flipkart => flipkart::failure(status),
        Marketplace::Meesho => meesho::failure(status),
    }
}

fn deliver(marketplace: Marketplace, reply: Reply, delivery: &Delivery) -> Response<Body> {
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
    let request_id = match marketplace {
        Marketplace::Amazon => Some(("x-amzn-requestid", Uuid::now_v7().to_string())),
        Marketplace::Ajio | Marketplace::Flipkart | Marketplace::Meesho => None,
    };
    for (name, value) in reply.headers.into_iter().chain(request_id) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// Half of the body, then an error, on which the server closes the connection.
fn cut_off(mut body: Vec<u8>) -> Body {
    body.truncate(body.len() / 2);
    let half = Some(Bytes::from(body));
    Body::from_stream(stream::unfold((half, false), |(half, ended)| async move {
        match half {
            Some(bytes) => Some((Ok(bytes), (None, ended))),
            None if ended => None,
            None => {
                // The half already handed over must reach the client first.
                tokio::time::sleep(Duration::from_millis(20)).await;
                Some((Err(io::Error::from(io::ErrorKind::ConnectionAborted)), (None, true)))
            }
        }
    }))
}
