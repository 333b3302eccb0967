//! A stand-in for a bridge to Meesho's partner programme. Meesho publishes no seller API: the protocol is our own, and
//! says nothing about Meesho.
//!
//! `GET /v1/supplier` answers whose key signed it. Headers: `x-api-key`; `x-timestamp`, seconds since 1970; `x-signature`,
//! the hexadecimal HMAC-SHA256 under the API secret over method, path and timestamp, one a line.

use axum::http::{Method, StatusCode};
use chrono::{DateTime, Utc};
use ring::hmac;
use serde_json::json;

use crate::call::{Call, Reply};
use crate::config::{MeeshoAccount, MeeshoConfig};

const SUPPLIER_PATH: &str = "/v1/supplier";

/// How far a signature's timestamp may be off.
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

    /// Whose call this is, as far as it says.
    pub(crate) fn account_of(&self, call: &Call) -> Option<String> {
        Some(self.named_by(call)?.supplier_id.clone())
    }

    pub(crate) fn answer(&self, call: &Call, now: DateTime<Utc>) -> Reply {
        let Some(account) = self.named_by(call).filter(|account| is_signed(account, call, now)) else {
            return rejection();
        };
        match (&call.method, call.path.as_str()) {
            (&Method::GET, SUPPLIER_PATH) => {
                Reply::json(StatusCode::OK, &json!({ "supplier_id": account.supplier_id }))
            }
            _ => failure(StatusCode::NOT_FOUND),
        }
    }

    fn named_by(&self, call: &Call) -> Option<&MeeshoAccount> {
        let key = call.header("x-api-key")?;
        self.accounts.iter().find(|account| account.api_key == key)
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

/// A key, signature or timestamp that is not accepted.
pub(crate) fn rejection() -> Reply {
    failure(StatusCode::UNAUTHORIZED)
}

/// An HTTP error.
pub(crate) fn failure(status: StatusCode) -> Reply {
    let code = match status {
        StatusCode::UNAUTHORIZED => "unauthorized",
        StatusCode::NOT_FOUND => "not_found",
        StatusCode::TOO_MANY_REQUESTS => "throttled",
        status if status.is_client_error() => "invalid",
        _ => "unavailable",
    };
    Reply::json(status, &json!({ "code": code }))
}
