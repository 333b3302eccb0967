//! Amazon's calls: an access token from Login with Amazon, and a page of `searchOrders`.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{StatusCode, Url};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::details::Credentials;
use crate::error::AdapterError;
use crate::fields::{Instant, Quantity};
use crate::http::{HttpClient, Reply, join, secret_header};
use crate::records::parse_answer;
use crate::token_cache::{AccessToken, IssuedToken, TokenCache, TokenKey};

use super::DETAILS;
use super::paging::Position;

/// Amazon.in's marketplace id.
const MARKETPLACE_ID: &str = "A21TJRUUN4KGV";

/// The largest page.
const PAGE_SIZE: &str = "100";

/// Only what is stored is asked for; of the recipient no more than city and postal code is read.
const INCLUDED_DATA: &str = "PROCEEDS,FULFILLMENT,PACKAGES,PAYMENT,CANCELLATION,RECIPIENT";

const ORDERS_PATH: &[&str] = &["orders", "2026-01-01", "orders"];
const TOKEN_PATH: &[&str] = &["auth", "o2", "token"];

/// What all connections share.
pub struct Service {
    pub http: HttpClient,
    pub base_url: Url,
    pub auth_url: Url,
    pub tokens: TokenCache,
}

/// One account's calls.
pub struct AmazonClient {
    service: Arc<Service>,
    key: TokenKey,
    credentials: Credentials,
}

/// A page of raw orders.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AmazonPage {
    pub orders: Vec<Box<RawValue>>,
    #[serde(default)]
    pub pagination: Option<Pagination>,
    pub last_updated_before: Option<Instant>,
}

/// The way to the next page.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Pagination {
    pub next_token: Option<String>,
}

impl AmazonPage {
    /// The next page's token, if there is a next page.
    pub fn next_token(&self) -> Option<&str> {
        self.pagination.as_ref()?.next_token.as_deref().filter(|token| !token.is_empty())
    }
}

#[derive(Deserialize)]
struct TokenAnswer {
    access_token: Option<String>,
    expires_in: Option<Quantity>,
}

#[derive(Deserialize)]
struct TokenRefusal {
    error: String,
}

#[derive(Deserialize)]
struct ErrorList {
    errors: Vec<ErrorEntry>,
}

#[derive(Deserialize)]
struct ErrorEntry {
    code: String,
}

impl AmazonClient {
    /// # Errors
    /// [`AdapterError::Configuration`] naming the field that the credentials lack.
    pub fn new(service: Arc<Service>, account: Uuid, credentials: Credentials) -> Result<Self, AdapterError> {
        DETAILS.require_all(&credentials)?;
        let key = TokenKey::new(account, &credentials, DETAILS.fields);
        Ok(Self { service, key, credentials })
    }

    /// Asks for a new token.
    pub async fn check(&self) -> Result<(), AdapterError> {
        self.service.tokens.renewed(&self.key, || self.fetch_token()).await.map(drop)
    }

    /// Reads the page at a position.
    pub async fn search_orders(&self, position: &Position) -> Result<AmazonPage, AdapterError> {
        let body = self
            .service
            .tokens
            .authorized(&self.key, || self.fetch_token(), |token| self.get_orders(position, token))
            .await?;
        parse_answer(&body, "page of orders")
    }

    async fn get_orders(&self, position: &Position, token: AccessToken) -> Result<Vec<u8>, AdapterError> {
        let Service { http, base_url, .. } = self.service.as_ref();
        let since = position.window_start();
        let mut query = vec![
            ("marketplaceIds", MARKETPLACE_ID),
            ("lastUpdatedAfter", since.as_str()),
            ("maxResultsPerPage", PAGE_SIZE),
            ("includedData", INCLUDED_DATA),
        ];
        // A token is only valid beside the parameters that it was issued for.
        query.extend(position.token().map(|page_token| ("paginationToken", page_token)));
        let request = http
            .get(join(base_url, ORDERS_PATH))
            .query(&query)
            .header("x-amz-access-token", secret_header(token.expose())?);
        accept_page(http.send(request).await?)
    }

    async fn fetch_token(&self) -> Result<IssuedToken, AdapterError> {
        let Service { http, auth_url, .. } = self.service.as_ref();
        let field = |name| self.credentials.get(name).unwrap_or_default();
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", field("refresh_token")),
            ("client_id", field("client_id")),
            ("client_secret", field("client_secret")),
        ];
        let reply = http.send(http.post(token_endpoint(auth_url)).form(&form)).await?;
        read_token(&accept_token(reply)?)
    }
}

fn token_endpoint(auth_url: &Url) -> Url {
    if auth_url.path().trim_end_matches('/').ends_with("/auth/o2/token") {
        auth_url.clone()
    } else {
        join(auth_url, TOKEN_PATH)
    }
}

fn error_code(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<ErrorList>(body).ok()?.errors.into_iter().next().map(|entry| entry.code)
}

/// 403 with the code `Unauthorized` means an expired, revoked or wrong token alike.
fn accept_page(reply: Reply) -> Result<Vec<u8>, AdapterError> {
    let refused = match reply.status {
        StatusCode::UNAUTHORIZED => true,
        StatusCode::FORBIDDEN => error_code(&reply.body)
            .is_some_and(|code| matches!(code.as_str(), "Unauthorized" | "ExpiredToken")),
        _ => false,
    };
    if refused { Err(AdapterError::Unauthorized) } else { reply.accept(error_code) }
}

fn accept_token(reply: Reply) -> Result<Vec<u8>, AdapterError> {
    let code = |body: &[u8]| serde_json::from_slice::<TokenRefusal>(body).ok().map(|refusal| refusal.error);
    if reply.status.is_client_error() && reply.status != StatusCode::TOO_MANY_REQUESTS {
        match code(&reply.body).as_deref() {
            Some("invalid_grant" | "invalid_client" | "unauthorized_client" | "access_denied") => {
                return Err(AdapterError::Unauthorized);
            }
            Some(trouble @ ("server_error" | "temporarily_unavailable")) => {
                let what = format!("token service says {trouble}");
                return Err(AdapterError::Unavailable { what, retry_after: reply.retry_after });
            }
            _ if reply.status == StatusCode::UNAUTHORIZED => return Err(AdapterError::Unauthorized),
            _ => {}
        }
    }
    reply.accept(code)
}

fn read_token(body: &[u8]) -> Result<IssuedToken, AdapterError> {
    let missing = |field: &str| AdapterError::Malformed { what: format!("token answer: {field} is missing") };
    let answer: TokenAnswer = parse_answer(body, "token answer")?;
    let token =
        answer.access_token.filter(|token| !token.is_empty()).ok_or_else(|| missing("access_token"))?;
    let seconds = answer.expires_in.ok_or_else(|| missing("expires_in"))?.0;
    let lifetime = Duration::from_secs(u64::from(seconds.unsigned_abs()));
    Ok(IssuedToken { token: AccessToken::new(token), lifetime })
}
