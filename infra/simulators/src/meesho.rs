//! A simulated bridge to Meesho's partner programme. Meesho publishes no seller API, so the protocol is our own invention and
//! says nothing about Meesho.
//!
//! `GET /v1/supplier` returns the supplier whose key signed the call. Headers: `x-api-key`; `x-timestamp`, seconds since 1970;
//! `x-signature`, the hexadecimal HMAC-SHA256 under the API secret over method, path and timestamp, each on its own line.

pub mod panel;

use axum::http::{Method, StatusCode};
use chrono::{DateTime, Utc};
use ring::hmac;
use serde_json::json;

use crate::call::{Call, Reply};
use crate::config::{MeeshoAccount, MeeshoConfig};
use crate::marketplace::Simulated;
use crate::page_fault::PageFault;

const SUPPLIER_PATH: &str = "/v1/supplier";

/// How far a signature's timestamp may differ from now.
const TOLERANCE_SECONDS: i64 = 300;

pub(crate) struct Meesho {
    accounts: Vec<MeeshoAccount>,
}

impl Meesho {
    pub(crate) fn new(config: &MeeshoConfig) -> Self {
        Self { accounts: config.accounts.clone() }
    }

    pub(crate) fn register(&mut self, account: MeeshoAccount) {
        self.accounts.retain(|known| known.supplier_id != account.supplier_id);
        self.accounts.push(account);
    }

    fn named_by(&self, call: &Call) -> Option<&MeeshoAccount> {
        let key = call.header("x-api-key")?;
        self.accounts.iter().find(|account| account.api_key == key)
    }
}

impl Simulated for Meesho {
    fn account_of(&self, call: &Call) -> Option<String> {
        Some(self.named_by(call)?.supplier_id.clone())
    }

    fn answer(&mut self, call: &Call, now: DateTime<Utc>, _page_fault: &PageFault) -> Reply {
        let Some(account) = self.named_by(call).filter(|account| is_signed(account, call, now)) else {
            return failure(StatusCode::UNAUTHORIZED);
        };
        match (&call.method, call.path.as_str()) {
            (&Method::GET, SUPPLIER_PATH) => {
                Reply::json(StatusCode::OK, &json!({ "supplier_id": account.supplier_id }))
            }
            _ => failure(StatusCode::NOT_FOUND),
        }
    }

    /// There are no tokens: every call carries its own signature.
    fn expire_tokens(&mut self, _account: Option<&str>, _now: DateTime<Utc>) {}

    fn rejection(&self, _path: &str) -> Reply {
        failure(StatusCode::UNAUTHORIZED)
    }

    fn failure(&self, _path: &str, status: StatusCode) -> Reply {
        failure(status)
    }
}

fn is_signed(account: &MeeshoAccount, call: &Call, now: DateTime<Utc>) -> bool {
    let Some(timestamp) = call.header("x-timestamp") else { return false };
    let is_recent =
        timestamp.parse::<i64>().is_ok_and(|seconds| (now.timestamp() - seconds).abs() <= TOLERANCE_SECONDS);
    let Some(signature) = call.header("x-signature").and_then(bytes) else { return false };
    let key = hmac::Key::new(hmac::HMAC_SHA256, account.api_secret.as_bytes());
    let signed = format!("{}\n{}\n{timestamp}", call.method, call.path);
    is_recent && hmac::verify(&key, signed.as_bytes(), &signature).is_ok()
}

fn bytes(hexadecimal: &str) -> Option<Vec<u8>> {
    if !hexadecimal.is_ascii() {
        return None;
    }
    let pairs = hexadecimal.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

/// An HTTP error.
fn failure(status: StatusCode) -> Reply {
    let code = match status {
        StatusCode::UNAUTHORIZED => "unauthorized",
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::TOO_MANY_REQUESTS => "throttled",
        status if status.is_client_error() => "invalid",
        _ => "unavailable",
    };
    Reply::json(status, &json!({ "code": code }))
}
