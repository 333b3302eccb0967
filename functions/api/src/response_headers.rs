//! Headers with which browsers protect their users, the same on every response of this function.

use axum::http::header::{CONTENT_SECURITY_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue};

/// TLS only for two years, for the subdomains too.
const TLS_ONLY: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");
/// Browsers must not guess a type other than the content type.
const NO_SNIFFING: HeaderValue = HeaderValue::from_static("nosniff");
/// If a browser shows a body anyway, it loads nothing, runs nothing and cannot be framed.
const DATA_ONLY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// Adds the headers. A page's own policy stays, because it must allow what the page uses.
pub fn protect(headers: &mut HeaderMap) {
    headers.insert(STRICT_TRANSPORT_SECURITY, TLS_ONLY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, NO_SNIFFING);
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(DATA_ONLY);
}
