//! The one HTTP client of all adapters. It is bounded in time and size, follows no redirect, reads nothing from the
//! environment, and turns failures into [`AdapterError`]s that never carry a URL, header or body.

mod call;

use std::fmt::Write as _;
use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, redirect};
use ring::digest;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use serde_json::Value;

use crate::deadline::Deadline;
use crate::error::AdapterError;
use crate::http::call::Call;
use crate::pace::{self, Calls, Operation};

/// The unit of limits on bodies.
pub const MEBIBYTE: usize = 1024 * 1024;

/// The largest body of most calls, after decompression. Amazon says that its own pages stay under 10 MB.
const MAX_BODY_BYTES: usize = 16 * MEBIBYTE;

/// A failure inside a success is a short response; longer bodies are not searched for one.
pub const MAX_FAILURE_BYTES: usize = 64 * 1024;

/// A longer wait is a mistake of the server and not advice.
const MAX_RETRY_AFTER: Duration = Duration::from_hours(24);

/// Application name and version, in the form Amazon asks for.
const USER_AGENT: &str = concat!("Robnu/", env!("CARGO_PKG_VERSION"), " (Language=Rust)");

/// How long a call may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpTimeouts {
    /// Until the connection stands, including TLS.
    pub connect: Duration,
    /// From the first byte sent to the last byte received.
    pub total: Duration,
}

/// Sends requests and reads whole responses.
#[derive(Debug, Clone)]
pub struct HttpClient {
    client: Client,
    total: Duration,
    calls: Calls,
}

/// A response of any status, as it came.
pub struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    /// How long the server asks to wait.
    pub retry_after: Option<Duration>,
    /// The body, at most 16 MiB unless the call allowed more.
    pub body: Vec<u8>,
}

impl HttpClient {
    /// Builds a client with its own TLS configuration: ring, and Mozilla's roots compiled in.
    ///
    /// # Errors
    /// [`AdapterError::Configuration`] when TLS cannot be set up.
    pub fn new(timeouts: HttpTimeouts) -> Result<Self, AdapterError> {
        let broken = || AdapterError::Configuration { what: "TLS" };
        let roots = RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| broken())?
            .with_root_certificates(roots)
            .with_no_client_auth();
        let client = Client::builder()
            .tls_backend_preconfigured(tls)
            .user_agent(USER_AGENT)
            .connect_timeout(timeouts.connect)
            .redirect(redirect::Policy::none()) // a redirect would carry the token to another host
            .referer(false)
            .no_proxy()
            .build()
            .map_err(|_| broken())?;
        Ok(Self { client, total: timeouts.total, calls: Deadline::NONE.into() })
    }

    /// Returns the same client with calls within these bounds.
    #[must_use]
    pub fn within(&self, calls: Calls) -> Self {
        Self { calls, ..self.clone() }
    }

    /// Begins a GET.
    pub fn get(&self, url: Url) -> RequestBuilder {
        self.client.get(url)
    }

    /// Begins a POST.
    pub fn post(&self, url: Url) -> RequestBuilder {
        self.client.post(url)
    }

    /// Sends a request and reads its response, whatever the status.
    ///
    /// # Errors
    /// Returns [`AdapterError::Unavailable`] when no whole response came, [`AdapterError::Malformed`] when it is too large,
    /// and [`AdapterError::OutOfTime`] when too little time is left to begin.
    pub async fn send(&self, request: RequestBuilder) -> Result<Reply, AdapterError> {
        self.send_for(request, MAX_BODY_BYTES).await
    }

    /// Like [`HttpClient::send`], at the pace of the operation.
    ///
    /// # Errors
    /// As for [`HttpClient::send`], and [`AdapterError::RateLimitReached`] when the operation may not be called soon.
    pub async fn send_paced(
        &self,
        operation: &Operation,
        request: RequestBuilder,
    ) -> Result<Reply, AdapterError> {
        pace::take(&self.calls, operation).await?;
        let reply = self.send(request).await?;
        if reply.stated_failure().unwrap_or(reply.status) == StatusCode::TOO_MANY_REQUESTS {
            self.calls.pace.refused(operation, reply.retry_after.unwrap_or(pace::USUAL_PAUSE)).await;
        }
        Ok(reply)
    }

    /// Like [`HttpClient::send`], for a body of at most so many bytes.
    ///
    /// # Errors
    /// As for [`HttpClient::send`].
    pub async fn send_for(&self, request: RequestBuilder, most: usize) -> Result<Reply, AdapterError> {
        let time = self.calls.deadline.time_for_a_call(self.total).ok_or(AdapterError::OutOfTime)?;
        let (client, request) = request.timeout(time).build_split();
        let request = request.map_err(|error| transport(&error))?;
        let call = Call::begin(&request);
        let response = client.execute(request).await.map_err(|error| transport(&error));
        call.log(response.as_ref());
        let mut response = response?;
        let status = response.status();
        let retry_after = retry_after(response.headers(), Utc::now());
        let body = read_body(&mut response, most).await?;
        Ok(Reply { status, retry_after, body })
    }
}

impl Reply {
    /// Returns the body of a successful call that needs a token, or its error.
    ///
    /// # Errors
    /// 401 is [`AdapterError::Unauthorized`], and 403 is [`AdapterError::NotPermitted`] to do what `call` says. All other
    /// statuses are as in [`Reply::accept`].
    pub fn accept_call(
        self,
        call: &'static str,
        error_code: fn(&[u8]) -> Option<String>,
    ) -> Result<Vec<u8>, AdapterError> {
        let reply = self.with_stated_status();
        match reply.status {
            StatusCode::UNAUTHORIZED => Err(AdapterError::Unauthorized),
            StatusCode::FORBIDDEN => Err(AdapterError::NotPermitted { what: call }),
            _ => reply.accept(error_code),
        }
    }

    /// Returns the response with the status that its body states, if it is a failure inside a success, as gateways make them.
    #[must_use]
    pub fn with_stated_status(self) -> Self {
        match self.stated_failure() {
            Some(status) => Self { status, ..self },
            None => self,
        }
    }

    fn stated_failure(&self) -> Option<StatusCode> {
        if !self.status.is_success() || self.body.len() > MAX_FAILURE_BYTES {
            return None;
        }
        let stated: StatedStatus = serde_json::from_slice(&self.body).ok()?;
        let code = stated.status_code.as_ref().and_then(whole_number)?;
        let status = StatusCode::from_u16(u16::try_from(code).ok()?).ok()?;
        (status.is_client_error() || status.is_server_error()).then_some(status)
    }

    /// Returns the body of a success, or the error that every marketplace means by this status.
    ///
    /// # Errors
    /// 429 is [`AdapterError::RateLimited`]; 408 and 5xx are [`AdapterError::Unavailable`]; every other status that is not 2xx
    /// is [`AdapterError::Rejected`] with whatever code `error_code` finds in the body.
    pub fn accept(self, error_code: fn(&[u8]) -> Option<String>) -> Result<Vec<u8>, AdapterError> {
        match self.status {
            status if status.is_success() => Ok(self.body),
            StatusCode::TOO_MANY_REQUESTS => Err(AdapterError::RateLimited { retry_after: self.retry_after }),
            status if status.is_server_error() || status == StatusCode::REQUEST_TIMEOUT => {
                let what = format!("status {}", status.as_u16());
                Err(AdapterError::Unavailable { what, retry_after: self.retry_after })
            }
            status => Err(AdapterError::Rejected {
                status: status.as_u16(),
                code: error_code(&self.body).filter(|code| is_plain_code(code)),
            }),
        }
    }
}

#[derive(Deserialize)]
struct StatedStatus {
    #[serde(rename = "statusCode")]
    status_code: Option<Value>,
}

/// Reads a number, or the same as text.
#[must_use]
pub fn whole_number(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

/// Parses a base URL from the deployment's configuration.
///
/// Plain HTTP is accepted because stand-in servers speak it.
///
/// # Errors
/// Returns [`AdapterError::Configuration`] naming `what` when it is not an HTTP URL or carries a password, query or fragment.
pub fn parse_base_url(text: &str, what: &'static str) -> Result<Url, AdapterError> {
    let misconfigured = || AdapterError::Configuration { what };
    let url = Url::parse(text).map_err(|_| misconfigured())?;
    let plain = url.username().is_empty() && url.password().is_none();
    let bare = url.query().is_none() && url.fragment().is_none();
    if matches!(url.scheme(), "http" | "https") && plain && bare && url.has_host() {
        Ok(url)
    } else {
        Err(misconfigured())
    }
}

/// Appends a path to a base URL and keeps the base's own path.
#[must_use]
pub fn join(base: &Url, segments: &[&str]) -> Url {
    let mut url = base.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// Makes a header value that debug output never shows.
///
/// # Errors
/// Returns [`AdapterError::Malformed`] when the text cannot be sent in a header.
pub fn secret_header(text: &str) -> Result<HeaderValue, AdapterError> {
    let mut value = HeaderValue::from_str(text).map_err(|_| AdapterError::Malformed {
        what: "token holds characters that a header cannot carry".to_owned(),
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// Makes a short digest of a page's record ids, to recognise a page that comes twice.
#[must_use]
pub fn page_digest<'a>(ids: impl Iterator<Item = &'a str>) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for id in ids {
        context.update(&(id.len() as u64).to_be_bytes());
        context.update(id.as_bytes());
    }
    let mut text = String::with_capacity(32);
    for byte in &context.finish().as_ref()[..16] {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

async fn read_body(response: &mut Response, most: usize) -> Result<Vec<u8>, AdapterError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| transport(&error))? {
        if body.len() + chunk.len() > most {
            let what = format!("body is larger than {} MiB", most / MEBIBYTE);
            return Err(AdapterError::Malformed { what });
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// Names only the kind of failure, because reqwest's own text would print the URL.
fn transport(error: &reqwest::Error) -> AdapterError {
    let what = if error.is_timeout() {
        "timed out"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_decode() {
        "body could not be decoded"
    } else if error.is_builder() {
        "request could not be built"
    } else {
        "connection broke"
    };
    AdapterError::Unavailable { what: what.to_owned(), retry_after: None }
}

/// Reads `Retry-After` as seconds, with or without a fraction, or as an HTTP date in any of its three forms.
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let wait = if let Some(seconds) = whole_seconds(text) {
        Duration::from_secs(seconds)
    } else {
        let until = match httpdate::parse_http_date(text) {
            Ok(until) => DateTime::<Utc>::from(until),
            // Some servers send an offset instead of GMT, which no form of HTTP has.
            Err(_) => DateTime::parse_from_rfc2822(text).ok()?.with_timezone(&Utc),
        };
        (until - now).to_std().unwrap_or_default()
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

/// Rounds a fraction up, so that nobody comes too early. A negative number and infinity are `None`.
fn whole_seconds(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let all_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !all_digits(whole) || !all_digits(fraction) {
        return None;
    }
    let more = u64::from(fraction.bytes().any(|byte| byte != b'0'));
    Some(whole.parse().unwrap_or(u64::MAX).saturating_add(more))
}

/// Whether a code may be shown. Codes reach logs and the run's error, so only short words and numbers pass.
fn is_plain_code(code: &str) -> bool {
    (1..=64).contains(&code.len()) && code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(value: &'static str) -> Option<Duration> {
        let now = DateTime::parse_from_rfc3339("2026-11-06T08:49:00Z").unwrap().with_timezone(&Utc);
        retry_after(&HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static(value))]), now)
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_as_a_date() {
        assert_eq!(wait("90"), Some(Duration::from_secs(90)));
        assert_eq!(wait("Fri, 06 Nov 2026 08:49:37 GMT"), Some(Duration::from_secs(37)));
    }

    #[test]
    fn retry_after_takes_fractions_and_every_form_of_an_http_date() {
        for (text, seconds) in [("0.5", 1), ("12.0", 12), ("12.25", 13), ("0", 0)] {
            assert_eq!(wait(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "Friday, 06-Nov-26 08:49:37 GMT",
            "Fri Nov  6 08:49:37 2026",
            "Fri, 06 Nov 2026 08:49:37 +0000",
            "Fri, 06 Nov 2026 14:19:37 +0530",
        ] {
            assert_eq!(wait(text), Some(Duration::from_secs(37)), "{text}");
        }
        assert_eq!(wait("Mon, 09 Nov 2026 08:49:00 GMT"), Some(MAX_RETRY_AFTER), "days ahead are bounded");
    }

    #[test]
    fn a_date_that_has_passed_means_no_wait() {
        assert_eq!(wait("Fri, 06 Nov 2026 08:00:00 GMT"), Some(Duration::ZERO));
    }

    #[test]
    fn a_retry_after_that_makes_no_sense_is_ignored_and_a_huge_one_is_capped() {
        for senseless in ["soon", "-5", "-0.5", "inf", "NaN", "1e9", "", ".", "5.", "+5"] {
            assert_eq!(wait(senseless), None, "{senseless}");
        }
        assert_eq!(wait("99999999999"), Some(MAX_RETRY_AFTER));
    }

    #[test]
    fn a_base_url_keeps_its_path_when_joined() {
        for base in ["http://localhost:8080/ds/robnu", "http://localhost:8080/ds/robnu/"] {
            let url = join(&parse_base_url(base, "base").unwrap(), &["orders", "pendency"]);
            assert_eq!(url.as_str(), "http://localhost:8080/ds/robnu/orders/pendency");
        }
    }

    #[test]
    fn a_base_url_with_a_password_or_another_scheme_is_refused() {
        for base in ["ftp://host/", "https://host/?a=b", "https://host/#a", "host", "", "mailto:a@b"] {
            assert!(parse_base_url(base, "base").is_err(), "{base}");
        }
        for base in ["https://user:word@host/", "https://user@host/", "https://:word@host/"] {
            assert!(parse_base_url(base, "base").is_err(), "{base}");
        }
    }

    #[test]
    fn a_failure_inside_a_success_is_looked_for_in_answers_of_up_to_sixty_four_kibibytes() {
        let status = |length: usize| {
            let mut body = br#"{"statusCode":401}"#.to_vec();
            body.resize(length, b' ');
            Reply { status: StatusCode::OK, retry_after: None, body }.with_stated_status().status
        };
        assert_eq!(status(65_536), StatusCode::UNAUTHORIZED);
        assert_eq!(status(65_537), StatusCode::OK);
    }

    #[test]
    fn different_lists_of_ids_have_different_digests() {
        assert_ne!(page_digest(["ab", "c"].into_iter()), page_digest(["a", "bc"].into_iter()));
        assert_eq!(page_digest(["ab"].into_iter()), page_digest(["ab"].into_iter()));
    }

    #[test]
    fn only_plain_words_pass_as_error_codes() {
        assert!(is_plain_code("InvalidInput"));
        assert!(!is_plain_code("token Atza|abc is wrong"));
        assert!(!is_plain_code(""));
    }
}
