//! Turns API Gateway's event into a request, and the response into the form that API Gateway sends.
//!
//! Everything in an event except the claims and the request's id comes from a stranger. So nothing here trusts its form, and
//! parts that no operation reads are left out: host, forwarding headers and cookies decide nothing. We convert events
//! ourselves, because `lambda_http` unwraps its results for the path, the host, the forwarded protocol and the body, and so
//! panics on bad input.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::net::IpAddr;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The headers that operations read; no other header reaches them.
pub const READ_HEADERS: [&str; 4] = ["content-type", "idempotency-key", "if-match", "impersonation-session"];

/// The path used for every path that is not in its one spelling: no operation has it.
const NOWHERE: &str = "/";

/// The parts of an API Gateway HTTP API event (payload format 2.0) that are read.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    raw_path: String,
    raw_query_string: Option<String>,
    #[serde(default)]
    headers: Option<HashMap<String, Value>>,
    body: Option<String>,
    is_base64_encoded: Option<bool>,
    request_context: RequestContext,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RequestContext {
    request_id: Option<String>,
    http: Http,
    authorizer: Option<Authorizer>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Http {
    method: String,
    /// In any form, because an unreadable address is no reason to refuse the request.
    source_ip: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Authorizer {
    jwt: Option<Jwt>,
}

#[derive(Debug, Deserialize)]
struct Jwt {
    claims: Option<HashMap<String, Value>>,
}

/// What API Gateway itself says about a request.
#[derive(Debug, Clone)]
pub struct Gateway {
    /// The request's id.
    pub request_id: String,
    /// The claims of a token that the authorizer has verified. It hands every claim over as text.
    pub claims: Option<HashMap<String, String>>,
    /// The network address that called API Gateway.
    pub source_ip: Option<IpAddr>,
}

/// The response that API Gateway sends.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    status_code: u16,
    headers: BTreeMap<String, String>,
    body: String,
    is_base64_encoded: bool,
}

impl Event {
    /// The id that API Gateway gave to the request, if it is valid as a header's value.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        let printable =
            |id: &&str| (1..=128).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        self.request_context.request_id.as_deref().filter(printable)
    }

    /// Makes the request, whatever is in the event.
    pub fn into_request(self, request_id: String) -> Request<Body> {
        let jwt = self.request_context.authorizer.and_then(|authorizer| authorizer.jwt);
        let claims = jwt.and_then(|jwt| jwt.claims).map(texts);
        let source_ip = self.request_context.http.source_ip;
        let source_ip = source_ip.and_then(|address| address.as_str()?.parse().ok());
        let mut request = Request::new(body(self.body, self.is_base64_encoded.unwrap_or_default()));
        *request.method_mut() = method(&self.request_context.http.method);
        *request.uri_mut() = uri(&self.raw_path, self.raw_query_string.as_deref().unwrap_or_default());
        *request.headers_mut() = headers(&self.headers.unwrap_or_default());
        request.extensions_mut().insert(Gateway { request_id, claims, source_ip });
        request
    }
}

impl Answer {
    /// Reads a response to its end.
    pub async fn new(response: Response) -> Result<Self, axum::Error> {
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await?;
        let (body, is_base64_encoded) = match String::from_utf8(bytes.into()) {
            Ok(text) => (text, false),
            Err(error) => (STANDARD.encode(error.as_bytes()), true),
        };
        let mut headers = BTreeMap::new();
        for (name, value) in &parts.headers {
            let all: &mut String = headers.entry(name.to_string()).or_default();
            if !all.is_empty() {
                all.push_str(", ");
            }
            all.push_str(&String::from_utf8_lossy(value.as_bytes()));
        }
        Ok(Self { status_code: parts.status.as_u16(), headers, body, is_base64_encoded })
    }
}

fn texts(claims: HashMap<String, Value>) -> HashMap<String, String> {
    let text = |(name, value)| if let Value::String(text) = value { Some((name, text)) } else { None };
    claims.into_iter().filter_map(text).collect()
}

/// One method that no operation has replaces every unknown method, so that no word of a stranger gets any further.
fn method(text: &str) -> Method {
    let known = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::HEAD,
        Method::OPTIONS,
    ];
    known.into_iter().find(|method| method.as_str() == text).unwrap_or(Method::TRACE)
}

/// Only a path in its one spelling is looked up. Text after a decoded `?` or `#` would not be read as part of the path, and
/// a rule over paths, such as a firewall's, would have to know every spelling that we accept.
fn uri(path: &str, query: &str) -> Uri {
    let path = if is_canonical(path) { path } else { NOWHERE };
    let whole = if query.is_empty() { path.to_owned() } else { format!("{path}?{}", printable(query)) };
    // A text too long for a URI is not one of our paths either.
    whole.parse().unwrap_or(Uri::from_static(NOWHERE))
}

/// Whether a path is written as our paths are: segments of unreserved characters, none of them empty, `.` or `..`, and
/// nothing percent-encoded. API Gateway decodes everything in a path except `%25` before it sends the event.
fn is_canonical(path: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let segment = |text: &str| !matches!(text, "" | "." | "..") && text.bytes().all(unreserved);
    path.strip_prefix('/').is_some_and(|path| path.split('/').all(segment))
}

/// A query string as a URI can hold it. API Gateway passes it on as it was sent.
fn printable(query: &str) -> String {
    let mut printable = String::with_capacity(query.len());
    for byte in query.bytes() {
        if byte.is_ascii_graphic() && !matches!(byte, b'#' | b'"' | b'<' | b'>' | b'`' | b'\\') {
            printable.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(printable, "%{byte:02X}");
        }
    }
    printable
}

fn headers(given: &HashMap<String, Value>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for name in READ_HEADERS {
        for (_, value) in given.iter().filter(|(given, _)| given.eq_ignore_ascii_case(name)) {
            headers.append(HeaderName::from_static(name), header_value(value));
        }
    }
    headers
}

/// An impossible header value must not count as absent: it becomes a value that every reader refuses with its own message.
fn header_value(value: &Value) -> HeaderValue {
    let text = value.as_str().map(str::as_bytes);
    let value = text.and_then(|text| HeaderValue::from_bytes(text).ok());
    value.unwrap_or_else(|| HeaderValue::from_bytes(b"\xFF").expect("opaque bytes are a header's value"))
}

/// A body that is wrongly marked as base64 fails when it is read, like a body that breaks off.
fn body(text: Option<String>, is_base64: bool) -> Body {
    let text = text.unwrap_or_default();
    if !is_base64 {
        return Body::from(text);
    }
    match STANDARD.decode(text) {
        Ok(bytes) => Body::from(bytes),
        Err(error) => Body::from_stream(futures_util::stream::iter([Err::<Vec<u8>, _>(error)])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_one_spelling() {
        for path in [
            "/v1/me",
            "/v1/openapi.json",
            "/v1/sellers/0192abcd-ef01-7234-8567-89abcdef0123/orders",
            "/v1/A_b",
        ] {
            assert_eq!(uri(path, ""), path);
        }
        let others = [
            "",
            "v1/me",
            "//v1/me",
            "/v1//me",
            "/v1/me/",
            "/./v1/me",
            "/v1/../v1/me",
            "/v1/me/..",
            "/v1/%6De",
            "/v1/me%3F",
            "/v1/me?",
            "/v1/me?limit=1",
            "/v1/me#",
            "/v1/me%23",
            "/v1/me\t",
            "/v1/me%09",
            "/v1/me\0",
            "/v1/me%00",
            "/v1/me%0a",
            "/v1\\me",
            "/v1%2Fme",
            "/v1%2fme",
            "/v1%5Cme",
            "/v1/%256De",
            "/v1/m\u{e9}",
            "/v1/me\u{fffd}",
            "/v1/me;a=b",
            "/v1/me ",
            "/v1/*",
            ":99999999",
            "@evil",
            "http://evil/v1/me",
            "/v1/\u{ff4d}e",
        ];
        for path in others {
            assert_eq!(uri(path, ""), NOWHERE, "{path:?}");
        }
        assert_eq!(uri(&format!("/{}", "a".repeat(70_000)), ""), NOWHERE);
    }

    #[test]
    fn a_query_is_passed_on_unchanged_or_encoded_where_necessary() {
        assert_eq!(uri("/v1/me", "a=%20+b&c=%zz&d={1}"), "/v1/me?a=%20+b&c=%zz&d={1}");
        assert_eq!(uri("/v1/me", "a=\0 \"#\u{e9}\r\n"), "/v1/me?a=%00%20%22%23%C3%A9%0D%0A");
    }

    #[test]
    fn a_header_that_is_read_never_vanishes() {
        let given = [
            ("If-Match", Value::from("a\r\nb")),
            ("idempotency-key", 7.into()),
            ("X-Forwarded-Proto", "https, http".into()),
        ];
        let headers = headers(&given.map(|(name, value)| (name.to_owned(), value)).into());
        assert_eq!(headers.len(), 2);
        assert!(headers.values().all(|value| value.to_str().is_err()));
    }
}
