//! The contract kit: connections to the simulators, or to a stand-in that answers from a script or a recorded page.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]
#![allow(dead_code, reason = "each test binary uses its own part of the kit")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use robnu_marketplace::code::{MARKETPLACE_CODES, MarketplaceCode};
use robnu_marketplace::contract::{Connection, Page, PageRequest};
use robnu_marketplace::deadline::Deadline;
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::platform_app::{PlatformApp, PlatformApps};
use robnu_marketplace::record::{OrderRecord, PayoutPart, QuarantinedRecord, Records, ReturnRecord};
use robnu_marketplace::registry::{MarketplaceConfig, Registry};
use simulators::OAuthApp;
use tokio::net::TcpListener;
use uuid::Uuid;
use zeroize::Zeroizing;

/// Secrets of every account in these tests. No error may ever show one.
pub const PASSWORD: &str = "ajio-password-hush";
pub const CLIENT_SECRET: &str = "amazon-client-secret-hush";
pub const REFRESH_TOKEN: &str = "Atzr|amazon-refresh-hush";
pub const APP_SECRET: &str = "flipkart-app-secret-hush";
pub const API_SECRET: &str = "meesho-api-secret-hush";
/// The beginning of every token that the scripted stand-in issues.
pub const TOKEN: &str = "access-token-hush";

/// The number of pages after which a test considers a run endless.
const ENDLESS: usize = 2_000;

/// A call that the stand-in received.
#[derive(Debug, Clone)]
pub struct Call {
    pub host: String,
    pub path: String,
    pub query: String,
    pub token: String,
    pub body: String,
}

impl Call {
    pub fn is_token_call(&self) -> bool {
        const PATHS: [&str; 4] =
            ["/authToken", "/auth/o2/token", "/oauth-service/oauth/token", "/v1/supplier"];
        PATHS.contains(&self.path.as_str())
    }

    /// Returns a query parameter as it was sent, still encoded.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
    }
}

/// A response of the stand-in.
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

pub fn ok(body: impl Into<Vec<u8>>) -> Answer {
    Answer { status: 200, headers: Vec::new(), body: body.into() }
}

pub fn status(status: u16, body: impl Into<Vec<u8>>) -> Answer {
    Answer { status, headers: Vec::new(), body: body.into() }
}

type Script = dyn Fn(&Call, usize) -> Answer + Send + Sync;

/// A stand-in that issues tokens by itself and answers everything else from a script. The script gets the call and the number
/// of calls before it, without token calls.
pub struct Scripted {
    base_url: String,
    calls: Arc<Mutex<Vec<Call>>>,
}

impl Scripted {
    pub async fn start(script: impl Fn(&Call, usize) -> Answer + Send + Sync + 'static) -> Self {
        Self::start_with_tokens(|_, number| ok(issued_token(number)), script).await
    }

    /// Like [`Scripted::start`], with a script for token calls too.
    pub async fn start_with_tokens(
        tokens: impl Fn(&Call, usize) -> Answer + Send + Sync + 'static,
        script: impl Fn(&Call, usize) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let calls: Arc<Mutex<Vec<Call>>> = Arc::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let scripts: Arc<(Box<Script>, Box<Script>)> = Arc::new((Box::new(tokens), Box::new(script)));
        let seen = Arc::clone(&calls);
        let router = Router::new().fallback(move |request: Request| {
            let (scripts, seen) = (Arc::clone(&scripts), Arc::clone(&seen));
            async move {
                let call = read(request).await;
                let before = {
                    let mut seen = seen.lock().unwrap();
                    let kind = call.is_token_call();
                    let before = seen.iter().filter(|other| other.is_token_call() == kind).count();
                    seen.push(call.clone());
                    before
                };
                let script = if call.is_token_call() { &scripts.0 } else { &scripts.1 };
                respond(script(&call, before))
            }
        });
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base_url, calls }
    }

    pub fn connect(&self, code: MarketplaceCode) -> Box<dyn Connection> {
        connect_to(&self.base_url, code)
    }

    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    pub fn token_calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().iter().filter(|call| call.is_token_call()).cloned().collect()
    }

    pub fn page_calls(&self) -> Vec<Call> {
        self.calls.lock().unwrap().iter().filter(|call| !call.is_token_call()).cloned().collect()
    }
}

async fn read(request: Request) -> Call {
    let (parts, body) = request.into_parts();
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = || header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let token = header("apiKey")
        .or_else(|| header("x-amz-access-token"))
        .or_else(bearer)
        .unwrap_or_default()
        .to_owned();
    let body = to_bytes(body, 1_000_000).await.unwrap();
    Call {
        host: header("host").unwrap_or_default().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        token,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

fn respond(answer: Answer) -> Response {
    let mut response = (StatusCode::from_u16(answer.status).unwrap(), answer.body).into_response();
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}

/// A body that every marketplace's client accepts as a token response, or as proof of a key.
pub fn issued_token(number: usize) -> String {
    serde_json::json!({
        "supplier_id": "S1",
        "success": true, "statusCode": 0, "result": { "accessToken": format!("{TOKEN}-{number}") },
        "access_token": format!("{TOKEN}-{number}"), "token_type": "bearer", "expires_in": 3600,
    })
    .to_string()
}

pub fn config(base_url: &str) -> MarketplaceConfig {
    MarketplaceConfig {
        ajio_base_url: Some(base_url.to_owned()),
        amazon_in_base_url: Some(base_url.to_owned()),
        amazon_in_auth_url: Some(base_url.to_owned()),
        amazon_in_consent_url: Some(base_url.to_owned()),
        flipkart_base_url: Some(base_url.to_owned()),
        meesho_base_url: Some(base_url.to_owned()),
        apps: apps(),
        connect_timeout: Duration::from_secs(2),
        total_timeout: Duration::from_secs(10),
    }
}

/// The application that the simulators know from the start.
pub fn apps() -> PlatformApps {
    let app = OAuthApp::sample();
    let secret = Zeroizing::new(app.client_secret);
    let app = PlatformApp::new(Some(app.application_id), app.client_id, secret);
    PlatformApps::default().with(MarketplaceCode::AmazonIn, app.clone()).with(MarketplaceCode::Flipkart, app)
}

/// Marketplaces whose orders can be read.
pub fn codes_with_orders() -> Vec<MarketplaceCode> {
    streams().into_iter().filter(|(_, kind)| *kind == RunKind::Orders).map(|(code, _)| code).collect()
}

/// Everything that can be read page by page.
pub fn streams() -> Vec<(MarketplaceCode, RunKind)> {
    let registry = Registry::new(&MarketplaceConfig::default()).unwrap();
    let mut streams = Vec::new();
    for code in MARKETPLACE_CODES {
        let kinds = registry.adapter(*code).live_kinds().iter().filter(|kind| kind.is_requestable());
        streams.extend(kinds.map(|kind| (*code, *kind)));
    }
    streams
}

pub fn connect_to(base_url: &str, code: MarketplaceCode) -> Box<dyn Connection> {
    let registry = Registry::new(&config(base_url)).unwrap();
    connect(&registry, code, Uuid::from_u128(1), &details(code))
}

pub fn connect(
    registry: &Registry,
    code: MarketplaceCode,
    account: Uuid,
    details: &BTreeMap<String, String>,
) -> Box<dyn Connection> {
    connect_until(registry, code, account, details, Deadline::NONE)
}

pub fn connect_until(
    registry: &Registry,
    code: MarketplaceCode,
    account: Uuid,
    details: &BTreeMap<String, String>,
    deadline: Deadline,
) -> Box<dyn Connection> {
    let adapter = registry.adapter(code);
    adapter.connect(account, adapter.details().parse(details).unwrap(), deadline.into()).unwrap()
}

pub fn details(code: MarketplaceCode) -> BTreeMap<String, String> {
    let fields = match code {
        MarketplaceCode::Ajio => vec![("username", "DV1"), ("password", PASSWORD)],
        MarketplaceCode::AmazonIn => vec![
            ("client_id", "amzn1.application-oa2-client.demo"),
            ("client_secret", CLIENT_SECRET),
            ("refresh_token", REFRESH_TOKEN),
        ],
        MarketplaceCode::Flipkart => vec![("app_id", "flipkart-app"), ("app_secret", APP_SECRET)],
        MarketplaceCode::Meesho => {
            vec![("supplier_id", "S1"), ("api_key", "meesho-key-hush"), ("api_secret", API_SECRET)]
        }
    };
    fields.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// Returns the orders of a page.
pub fn orders_of(page: &Page) -> &[OrderRecord] {
    match &page.records {
        Records::Orders(orders) => orders,
        other => panic!("a page of orders holds {other:?}"),
    }
}

/// Returns the returns of a page.
pub fn returns_of(page: &Page) -> &[ReturnRecord] {
    match &page.records {
        Records::Returns(returns) => returns,
        other => panic!("a page of returns holds {other:?}"),
    }
}

/// The result of a whole run.
#[derive(Debug, Default)]
pub struct Run {
    pub orders: Vec<OrderRecord>,
    pub returns: Vec<ReturnRecord>,
    pub payouts: Vec<PayoutPart>,
    pub quarantined: Vec<QuarantinedRecord>,
    pub pages: Vec<Page>,
}

impl Run {
    /// Returns the orders by id. A later reading replaces an earlier one, as in the database.
    pub fn by_id(&self) -> BTreeMap<&str, &OrderRecord> {
        self.orders.iter().map(|order| (order.external_order_id.as_str(), order)).collect()
    }
}

/// Reads orders to the end, from position to position as the engine does.
pub async fn run(connection: &dyn Connection) -> Result<Run, AdapterError> {
    run_from(connection, PageRequest::default()).await
}

pub async fn run_from(connection: &dyn Connection, request: PageRequest) -> Result<Run, AdapterError> {
    run_of(connection, RunKind::Orders, request).await
}

/// Reads a kind to the end. Waits that the marketplace asks for between pages are left out.
pub async fn run_of(
    connection: &dyn Connection,
    kind: RunKind,
    mut request: PageRequest,
) -> Result<Run, AdapterError> {
    let mut run = Run::default();
    for _ in 0..ENDLESS {
        let mut page = connection.page(kind, &request).await?;
        match &page.records {
            Records::Orders(orders) => run.orders.extend_from_slice(orders),
            Records::Returns(returns) => run.returns.extend_from_slice(returns),
            Records::Payouts(parts) => run.payouts.extend_from_slice(parts),
        }
        run.quarantined.append(&mut page.quarantined);
        request.position = page.next.clone();
        run.pages.push(page);
        if request.position.is_none() {
            return Ok(run);
        }
    }
    panic!("the run did not end after {ENDLESS} pages");
}
