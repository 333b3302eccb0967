//! Writes one log line per request, and puts the request's id on every response.
//!
//! The line names the route as it was declared, so that no id, token or search text of a path gets into logs. Bodies are
//! never logged. An error is logged here and nowhere else.

use std::time::Instant;

use axum::extract::{FromRequestParts, MatchedPath, Request};
use axum::http::header::{ALLOW, CACHE_CONTROL};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use robnu_observe::{Panicked, caught, metric, work};
use robnu_tenancy::{ImpersonationId, SellerId};
use tracing::Instrument;
use uuid::Uuid;

use crate::identity::{PathId, impersonation, request_id};
use crate::problem::{ApiError, Failure};
use crate::response_headers::protect;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Runs the request, writes its log line and completes its response.
pub async fn log_request(request: Request, next: Next) -> Response {
    let started = Instant::now();
    let (mut parts, body) = request.into_parts();
    let line = Line {
        id: request_id(&parts).unwrap_or_else(|| Uuid::now_v7().to_string()),
        method: parts.method.clone(),
        path: parts.extensions.get::<MatchedPath>().cloned(),
        seller: PathId::from_request_parts(&mut parts, &()).await.ok().map(|PathId(seller)| seller),
        impersonation: impersonation(&parts).ok().flatten(),
    };
    // Whatever the request logs further has its id, so that a search by a run or an account finds the request.
    let trace = work::trace().map(tracing::field::display);
    let span = tracing::info_span!("request", request.id = line.id, trace.id = trace);
    let outcome = caught(next.run(Request::from_parts(parts, body)).instrument(span)).await;
    let mut response = outcome.unwrap_or_else(|Panicked| ApiError::Panicked.into_response());
    let failure = response.extensions_mut().remove::<Failure>();
    if let Some(Failure(error)) = &failure {
        let allow = response.headers_mut().remove(ALLOW);
        response = error.to_response(&line.id);
        response.headers_mut().extend(allow.map(|methods| (ALLOW, methods)));
    }
    line.write(&response, failure.as_ref(), started);
    metric::of_function(metric::ROUND_TRIPS, work::round_trips().into());
    complete(&mut response, &line.id);
    response
}

/// Adds the headers of every response.
pub fn complete(response: &mut Response, request_id: &str) {
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, id);
    }
    // Only responses that are the same for everybody set their own value.
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    protect(response.headers_mut());
}

/// Writes the line of a request for which the router returned no response.
pub fn log_failure(error: &ApiError, response: &Response, request_id: &str) {
    tracing::error!(
        request.id = request_id,
        http.route = "none",
        http.status = response.status().as_u16(),
        error = robnu_observe::chain(error),
        "request"
    );
}

struct Line {
    id: String,
    method: Method,
    path: Option<MatchedPath>,
    /// The seller in the path, whether or not the caller may see it.
    seller: Option<SellerId>,
    /// The session in the header, likewise: it shows what staff have read.
    impersonation: Option<ImpersonationId>,
}

impl Line {
    fn write(&self, response: &Response, failure: Option<&Failure>, started: Instant) {
        let status = response.status();
        let error = failure.map(|Failure(error)| robnu_observe::chain(error.as_ref()));
        macro_rules! write_at {
            ($level:expr) => {
                tracing::event!(
                    $level,
                    request.id = self.id,
                    http.method = self.method.as_str(),
                    http.route = self.path.as_ref().map_or("none", MatchedPath::as_str),
                    http.status = status.as_u16(),
                    trace.id = work::trace().map(tracing::field::display),
                    round_trips = work::round_trips(),
                    latency_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
                    seller.id = self.seller.map(tracing::field::display),
                    impersonation.session_id = self.impersonation.map(tracing::field::display),
                    error,
                    "request"
                )
            };
        }
        if status.is_server_error() {
            write_at!(tracing::Level::ERROR);
        } else {
            write_at!(tracing::Level::INFO);
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::{Body, to_bytes};
    use axum::middleware::from_fn;
    use axum::routing::get;
    use lambda_runtime::tower::ServiceExt;

    use super::*;

    async fn panics() {
        panic!("hunter2");
    }

    #[tokio::test]
    async fn a_panic_is_a_constant_500_with_a_request_id() {
        let router: Router = Router::new().route("/", get(panics)).layer(from_fn(log_request));
        let response = router.oneshot(Request::new(Body::empty())).await.unwrap();
        assert_eq!(response.status(), 500);
        assert!(!response.headers()[REQUEST_ID].is_empty());
        assert_eq!(response.headers()["x-content-type-options"], "nosniff");
        let body = to_bytes(response.into_body(), 1024).await.unwrap();
        let body = String::from_utf8_lossy(&body);
        assert!(body.contains(r#""code":"internal""#) && !body.contains("hunter2"), "{body}");
    }
}
