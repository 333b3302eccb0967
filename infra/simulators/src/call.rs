//! One request and one reply without an HTTP framework, so that a marketplace's behaviour is a plain function.

use axum::body::Bytes;
use axum::extract::Query;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use serde::Serialize;

/// A request as a marketplace sees it. The path starts after the marketplace's prefix.
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Call {
    pub(crate) fn new(method: Method, uri: &Uri, headers: HeaderMap, body: Bytes) -> Self {
        let query = pairs(uri).unwrap_or_default();
        Self { method, path: uri.path().to_owned(), query, headers, body }
    }

    /// The first value of a query parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All values of a list parameter, which may be repeated, separated by commas, or both.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        let repeated = self.query.iter().filter(|(key, _)| key == name);
        repeated
            .flat_map(|(_, value)| value.split(','))
            .map(str::trim)
            .filter(|value| !value.is_empty())
            .collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// The fields of a form; none if it cannot be decoded.
pub(crate) fn form(body: &[u8]) -> Option<Vec<(String, String)>> {
    // A form has the syntax of a query, so axum's query parser can read it.
    let text = std::str::from_utf8(body).ok()?.trim();
    pairs(&format!("/?{text}").parse().ok()?)
}

fn pairs(uri: &Uri) -> Option<Vec<(String, String)>> {
    Query::<Vec<(String, String)>>::try_from_uri(uri).ok().map(|query| query.0)
}

/// A reply, with the number of its orders for the ledger.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
    pub(crate) orders: u64,
    pub(crate) issued_token: bool,
}

impl Reply {
    pub(crate) fn json(status: StatusCode, body: &impl Serialize) -> Self {
        // Our own types always serialise. If one did not, clients would see the empty body.
        let body = serde_json::to_vec(body).unwrap_or_default();
        Self { status, headers: Vec::new(), body, orders: 0, issued_token: false }
    }

    pub(crate) fn text(status: StatusCode, text: String) -> Self {
        Self { status, headers: Vec::new(), body: text.into_bytes(), orders: 0, issued_token: false }
    }

    pub(crate) fn with_header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub(crate) fn with_orders(mut self, orders: usize) -> Self {
        self.orders = u64::try_from(orders).unwrap_or(u64::MAX);
        self
    }
}
