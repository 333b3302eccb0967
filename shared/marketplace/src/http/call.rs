//! One line of the log per call: whom it asked, what came back, and the other side's own id of the call, which is what a marketplace's
//! support asks for.
//!
//! The line's span has our trace. A marketplace is sent no header of ours: none of them documents one, an unknown header may be refused by
//! a gateway or be part of a signature, and our ids are nobody else's business. The way back is their id in our log.
//! Paths and queries are left out, because they hold ids of orders.

use reqwest::header::HeaderMap;
use reqwest::{Request, Response};
use tokio::time::Instant;

use crate::error::AdapterError;

/// Where servers state their id of a call, in the order in which they are looked for. The first is Amazon's.
const ID_HEADERS: [&str; 4] = ["x-amzn-requestid", "x-amz-request-id", "x-request-id", "x-correlation-id"];
/// Longer texts are no ids.
const LONGEST_ID: usize = 100;

/// A call that has begun.
pub(super) struct Call {
    began: Instant,
    method: String,
    host: String,
}

impl Call {
    pub(super) fn begin(request: &Request) -> Self {
        let host = request.url().host_str().unwrap_or_default().to_owned();
        Self { began: Instant::now(), method: request.method().to_string(), host }
    }

    /// Logs that its response has begun, or why it has none.
    pub(super) fn log(&self, outcome: Result<&Response, &AdapterError>) {
        let headers = outcome.ok().map(Response::headers);
        tracing::info!(
            http.method = self.method,
            http.host = self.host,
            http.status = outcome.ok().map(|response| response.status().as_u16()),
            call.id = headers.and_then(id),
            error = outcome.err().map(tracing::field::display),
            elapsed.ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            "called"
        );
    }
}

/// The server's id of a call, if it looks like one.
fn id(headers: &HeaderMap) -> Option<&str> {
    let stated = ID_HEADERS.iter().filter_map(|name| headers.get(*name)?.to_str().ok());
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=".contains(&byte);
    stated.into_iter().find(|id| !id.is_empty() && id.len() <= LONGEST_ID && id.bytes().all(is_plain))
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn stated(name: &'static str, value: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        id(&headers).map(str::to_owned)
    }

    #[test]
    fn a_server_s_id_is_read_and_whatever_does_not_look_like_one_is_left_out() {
        let plain = "eb78fd4d-6e79-4b0f-9fe2-0c4e4d8e8a3f";
        assert_eq!(stated("x-amzn-requestid", plain).as_deref(), Some(plain));
        assert_eq!(stated("x-request-id", "JKJaXmPLvHcESHA=").as_deref(), Some("JKJaXmPLvHcESHA="));
        assert_eq!(stated("x-request-id", "a customer@example.com"), None);
        assert_eq!(stated("x-request-id", "\"},{\"level\":\"ERROR\""), None);
        assert_eq!(stated("x-request-id", &"x".repeat(101)), None);
        assert_eq!(stated("set-cookie", plain), None);
    }
}
