//! Headers that browsers protect their users by, the same on every response of this function.

use axum::http::header::{CONTENT_SECURITY_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderValue};

/// Two years over TLS only, for hosts below this one as well.
const TLS_ONLY: HeaderValue = HeaderValue::from_static("max-age=63072000; includeSubDomains");
/// A body is what its content type says.
const NO_SNIFFING: HeaderValue = HeaderValue::from_static("nosniff");
/// A body that a browser shows all the same loads nothing, runs nothing and stands in no frame.
const DATA_ONLY: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");

/// Adds them. A page's own policy stays, because it must allow what the page has.
pub fn protect(headers: &mut HeaderMap) {
    headers.insert(STRICT_TRANSPORT_SECURITY, TLS_ONLY);
    headers.insert(X_CONTENT_TYPE_OPTIONS, NO_SNIFFING);
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(DATA_ONLY);
}
