//! A proxy between the functions and the local AWS. It fails calls of a service when it is told to, before they reach the service or
//! after: then the service has done what was asked, and the function does not know. Calls about event source mappings it answers itself.

use std::sync::{Arc, Mutex};

use anyhow::Context;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Query, Request, State};
use axum::http::{HeaderMap, Response, StatusCode};
use tokio::task::JoinSet;

use crate::forward::{BODY, client, forward};
use crate::mappings::Mappings;
use crate::plan::Fault;
use crate::strikes::{Strikes, lock};

/// Calls of a service that are to fail.
#[derive(Debug, Clone, Copy)]
struct Failing {
    service: Fault,
    calls: usize,
    /// Whether the service does what was asked.
    is_done: bool,
}

/// The proxy.
#[derive(Debug)]
pub struct Gateway {
    /// Its own URL.
    pub url: String,
    failing: Arc<Mutex<Vec<Failing>>>,
}

#[derive(Clone)]
struct Shared {
    endpoint: String,
    http: reqwest::Client,
    failing: Arc<Mutex<Vec<Failing>>>,
    mappings: Arc<Mappings>,
    strikes: Arc<Strikes>,
}

impl Gateway {
    /// Listens on a free port of loopback. It ends with `tasks`.
    pub async fn start(
        endpoint: &str,
        mappings: &Arc<Mappings>,
        strikes: &Arc<Strikes>,
        tasks: &mut JoinSet<()>,
    ) -> anyhow::Result<Self> {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.context("find a free port")?;
        let url = format!("http://{}", listener.local_addr()?);
        let failing = Arc::new(Mutex::default());
        let http = client()?;
        let shared = Shared {
            endpoint: endpoint.trim_end_matches('/').to_owned(),
            http,
            failing: Arc::clone(&failing),
            mappings: Arc::clone(mappings),
            strikes: Arc::clone(strikes),
        };
        let router = Router::new().fallback(relay).with_state(shared);
        tasks.spawn(async move { drop(axum::serve(listener, router).await) });
        Ok(Self { url, failing })
    }

    /// Fails the next calls of a service.
    pub fn fail(&self, service: Fault, calls: usize, is_done: bool) {
        lock(&self.failing).push(Failing { service, calls, is_done });
    }

    /// How many kinds of calls are still to fail.
    pub fn failing(&self) -> usize {
        lock(&self.failing).len()
    }

    /// Lets all calls succeed again.
    pub fn spare(&self) {
        lock(&self.failing).clear();
    }
}

impl Shared {
    /// Whether a call of the service is to fail, and then whether it is done all the same.
    fn take(&self, service: Option<Fault>) -> Option<bool> {
        let service = service?;
        let mut failing = lock(&self.failing);
        let at = failing.iter().position(|failing| failing.service == service)?;
        let is_done = failing[at].is_done;
        failing[at].calls -= 1;
        if failing[at].calls == 0 {
            failing.remove(at);
        }
        self.strikes.count(service);
        Some(is_done)
    }

    async fn forward(&self, request: Request) -> anyhow::Result<Response<Body>> {
        let (parts, body) = request.into_parts();
        let path = parts.uri.path();
        if Mappings::is_meant(path) {
            let query = Query::try_from_uri(&parts.uri).map(|Query(query)| query).unwrap_or_default();
            let body = serde_json::from_slice(&to_bytes(body, BODY).await?).unwrap_or_default();
            return Ok(self.mappings.answer(&parts.method, path, &query, &body));
        }
        forward(&self.http, &self.endpoint, parts, to_bytes(body, BODY).await?).await
    }
}

async fn relay(State(shared): State<Shared>, request: Request) -> Response<Body> {
    let fails = shared.take(service(request.headers()));
    if fails == Some(false) {
        return failure();
    }
    match shared.forward(request).await {
        Ok(response) if fails.is_none() => response,
        _ => failure(),
    }
}

/// The service that a call is for, as far as calls of it are ever failed.
fn service(headers: &HeaderMap) -> Option<Fault> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let target = text("x-amz-target");
    if target.starts_with("TrentService") {
        Some(Fault::Kms)
    } else if target.starts_with("AmazonSQS") {
        Some(Fault::Sqs)
    } else if text("authorization").contains("/lambda/aws4_request") {
        Some(Fault::Lambda)
    } else {
        text("authorization").contains("/s3/aws4_request").then_some(Fault::S3)
    }
}

fn failure() -> Response<Body> {
    let mut response = Response::new(Body::from("{}"));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
}
