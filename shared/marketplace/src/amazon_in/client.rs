//! Amazon's calls: an access token from Login with Amazon, a page of `searchOrders`, the calls for reports and transactions, and those that
//! tell whose account a token opens.

mod finances;
mod reports;

use std::sync::Arc;

use reqwest::{StatusCode, Url};
use serde::Deserialize;
use uuid::Uuid;

use crate::details::Credentials;
use crate::error::AdapterError;
use crate::http::{HttpClient, MAX_FAILURE_BYTES, Reply, join, secret_header};
use crate::pace::{Calls, Operation, Rate};
use crate::platform_app::PlatformApp;
use crate::raw::RawPage;
use crate::records::{parse_answer, parse_page};
use crate::shared_token::AccessToken;
use crate::token_cache::{IssuedToken, TokenCache, TokenOwner};
use crate::token_endpoint::{self, ClientOwner};

use super::kept;
use super::page::AmazonPage;
use super::paging::Position;
use super::{DETAILS, PLATFORM_APP};

pub use reports::Report;

/// Amazon.in's marketplace id.
const MARKETPLACE_ID: &str = "A21TJRUUN4KGV";

/// The largest page.
const PAGE_SIZE: &str = "100";

/// Only data that we store is asked for. What names a customer (`BUYER`, `RECIPIENT`) is stored encrypted.
const INCLUDED_DATA: &str = "PROCEEDS,FULFILLMENT,PACKAGES,PAYMENT,CANCELLATION,BUYER,RECIPIENT";

/// The calls that Amazon counts, at the rates of its usage plans for every application.
const SEARCH_ORDERS: Operation = operation("searchOrders", 0.0056, 20);
const GET_ORDER: Operation = operation("getOrder", 0.5, 30);
const GET_PARTICIPATIONS: Operation = operation("getMarketplaceParticipations", 0.016, 15);

const fn operation(name: &'static str, per_second: f64, burst: u32) -> Operation {
    Operation { name, rate: Some(Rate { per_second, burst }) }
}

/// How errors name the response with orders, and the calls.
const PAGE: &str = "page of orders";
const READ_ORDERS: &str = "read orders (searchOrders and getOrder)";
/// How errors name the calls that read returns.
pub const READ_RETURNS: &str = "read returns (reports)";
/// How errors name the calls that read payouts.
pub const READ_PAYOUTS: &str = "read payouts (settlement reports and listTransactions)";
const READ_PARTICIPATIONS: &str = "read where it sells (getMarketplaceParticipations)";

const ORDERS_PATH: &[&str] = &["orders", "2026-01-01", "orders"];
const PARTICIPATIONS_PATH: &[&str] = &["sellers", "v1", "marketplaceParticipations"];
const TOKEN_PATH: &[&str] = &["auth", "o2", "token"];

/// What all connections share.
pub struct Service {
    pub http: HttpClient,
    pub base_url: Url,
    pub auth_url: Url,
    /// The platform's application, which accounts that were connected by consent use.
    pub app: Option<PlatformApp>,
    pub tokens: TokenCache,
}

/// One account's calls.
pub struct AmazonClient {
    service: Arc<Service>,
    http: HttpClient,
    owner: TokenOwner,
    credentials: Credentials,
}

#[derive(Deserialize)]
struct Participations {
    payload: Vec<Participation>,
}

#[derive(Deserialize)]
struct Participation {
    marketplace: MarketplaceName,
    participation: ParticipationState,
}

#[derive(Deserialize)]
struct MarketplaceName {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ParticipationState {
    is_participating: bool,
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
    /// [`AdapterError::Configuration`] naming the field that the credentials lack, or the application that the deployment
    /// lacks.
    pub fn new(
        service: Arc<Service>,
        account: Uuid,
        credentials: Credentials,
        calls: Calls,
    ) -> Result<Self, AdapterError> {
        DETAILS.require_complete(&credentials)?;
        if credentials.get("client_id").is_none() && service.app.is_none() {
            return Err(AdapterError::Configuration { what: PLATFORM_APP });
        }
        let owner = TokenOwner::new(account, &credentials, DETAILS.fields, &calls);
        let http = service.http.within(calls);
        Ok(Self { service, http, owner, credentials })
    }

    /// Asks for a new token.
    pub async fn check(&self) -> Result<(), AdapterError> {
        self.service.tokens.renewed(&self.owner, || self.fetch_token()).await.map(drop)
    }

    /// Reads the page at a position.
    pub async fn search_orders(&self, position: &Position) -> Result<AmazonPage, AdapterError> {
        let body = self
            .service
            .tokens
            .authorized(&self.owner, || self.fetch_token(), |token| self.get_orders(position, token))
            .await?;
        let (page, bad_bytes): (AmazonPage, _) = parse_page(&body, PAGE)?;
        if !page.orders.is_stated && page.pagination.is_none() && page.last_updated_before.is_none() {
            return Err(AdapterError::Malformed { what: format!("{PAGE}: orders is missing") });
        }
        if page.next_token().is_some_and(|token| bad_bytes.are_in(token)) {
            return Err(AdapterError::Garbled { what: format!("{PAGE} holds a token that is not UTF-8") });
        }
        Ok(AmazonPage { bad_bytes, raw: Some(RawPage::new(&body, &kept::ORDERS)), ..page })
    }

    /// Whether the account sells at Amazon.in. An application that may not ask gets no answer, and the account is believed.
    pub async fn sells_in_india(&self) -> Result<bool, AdapterError> {
        let body = match self
            .get(&GET_PARTICIPATIONS, join(&self.service.base_url, PARTICIPATIONS_PATH), READ_PARTICIPATIONS)
            .await
        {
            Err(
                AdapterError::Unauthorized
                | AdapterError::NotPermitted { .. }
                | AdapterError::Rejected { status: 403, .. },
            ) => return Ok(true),
            answer => answer?,
        };
        let answer: Participations = parse_answer(&body, "participations")?;
        let here = |entry: &Participation| {
            entry.marketplace.id == MARKETPLACE_ID && entry.participation.is_participating
        };
        Ok(answer.payload.iter().any(here))
    }

    /// Whether the account has an order. An order of another account is as unknown to it as one that never existed.
    pub async fn has_order(&self, order_id: &str) -> Result<bool, AdapterError> {
        let path: Vec<&str> = ORDERS_PATH.iter().copied().chain([order_id]).collect();
        match self.get(&GET_ORDER, join(&self.service.base_url, &path), READ_ORDERS).await {
            Ok(_) => Ok(true),
            Err(
                AdapterError::Unauthorized
                | AdapterError::NotPermitted { .. }
                | AdapterError::Rejected { status: 403 | 404, .. },
            ) => Ok(false),
            Err(error) => Err(error),
        }
    }

    async fn get(
        &self,
        operation: &Operation,
        url: Url,
        what: &'static str,
    ) -> Result<Vec<u8>, AdapterError> {
        let call = async |token: AccessToken| {
            let header = secret_header(token.expose())?;
            let request = self.http.get(url.clone()).header("x-amz-access-token", header);
            accept(self.http.send_paced(operation, request).await?, what)
        };
        self.service.tokens.authorized(&self.owner, || self.fetch_token(), call).await
    }

    async fn get_orders(&self, position: &Position, token: AccessToken) -> Result<Vec<u8>, AdapterError> {
        let (http, base_url) = (&self.http, &self.service.base_url);
        let window = position.window();
        let mut query = vec![
            ("marketplaceIds", MARKETPLACE_ID),
            ("maxResultsPerPage", PAGE_SIZE),
            ("includedData", INCLUDED_DATA),
        ];
        query.extend(window.iter().map(|(name, instant)| (*name, instant.as_str())));
        // A page token is only valid beside the parameters that it was issued for.
        query.extend(position.token().map(|page_token| ("paginationToken", page_token)));
        let request = http
            .get(join(base_url, ORDERS_PATH))
            .query(&query)
            .header("x-amz-access-token", secret_header(token.expose())?);
        accept(http.send_paced(&SEARCH_ORDERS, request).await?, READ_ORDERS)
    }

    async fn fetch_token(&self) -> Result<IssuedToken, AdapterError> {
        let (http, auth_url) = (&self.http, &self.service.auth_url);
        let field = |name| self.credentials.get(name).unwrap_or_default();
        let (client_id, client_secret, owner) = self.client();
        let form = [
            ("grant_type", "refresh_token"),
            ("refresh_token", field("refresh_token")),
            ("client_id", client_id),
            ("client_secret", client_secret),
        ];
        let reply = http.send(http.post(token_url(auth_url)).form(&form)).await?;
        Ok(token_endpoint::read(&token_endpoint::accept(reply, owner)?)?.access)
    }

    /// The account's own OAuth client, or the platform's.
    fn client(&self) -> (&str, &str, ClientOwner) {
        let own = self.credentials.get("client_id").zip(self.credentials.get("client_secret"));
        match (own, &self.service.app) {
            (None, Some(app)) => (&app.client_id, app.client_secret(), ClientOwner::Platform(PLATFORM_APP)),
            (own, _) => {
                let (id, secret) = own.unwrap_or_default();
                (id, secret, ClientOwner::Account)
            }
        }
    }
}

/// Returns the token endpoint of Login with Amazon, from its base or as it was given.
pub fn token_url(auth_url: &Url) -> Url {
    if auth_url.path().trim_end_matches('/').ends_with("/auth/o2/token") {
        auth_url.clone()
    } else {
        join(auth_url, TOKEN_PATH)
    }
}

fn error_code(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<ErrorList>(body).ok()?.errors.into_iter().next().map(|entry| entry.code)
}

/// Turns an error into ours. 403 with the code `Unauthorized` means an expired, revoked or wrong token, or a role that the
/// application lacks; another code with 403 states the reason. For an error inside a 200 the code decides.
fn accept(reply: Reply, call: &'static str) -> Result<Vec<u8>, AdapterError> {
    let code =
        Some(&reply.body).filter(|body| body.len() <= MAX_FAILURE_BYTES).and_then(|body| error_code(body));
    match (reply.status, code.as_deref()) {
        (StatusCode::OK, Some("Unauthorized")) | (StatusCode::FORBIDDEN, Some("ExpiredToken")) => {
            Err(AdapterError::Unauthorized)
        }
        (StatusCode::OK, Some("QuotaExceeded")) => {
            Err(AdapterError::RateLimited { retry_after: reply.retry_after })
        }
        (StatusCode::OK, Some("InternalFailure" | "ServiceUnavailable")) => {
            let what = "a failure inside status 200".to_owned();
            Err(AdapterError::Unavailable { what, retry_after: reply.retry_after })
        }
        (StatusCode::FORBIDDEN, Some(code)) if code != "Unauthorized" && code != "AccessDenied" => {
            reply.accept(error_code)
        }
        _ => reply.accept_call(call, error_code),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn errors_inside_a_200_are_what_their_code_says() {
        let read = |code: &str, length: usize| {
            let mut body = format!(r#"{{"errors":[{{"code":"{code}"}}]}}"#).into_bytes();
            body.resize(body.len().max(length), b' ');
            let reply = Reply { status: StatusCode::OK, retry_after: Some(Duration::from_secs(7)), body };
            accept(reply, READ_ORDERS).map(|body| body.len())
        };
        let retry_after = Some(Duration::from_secs(7));
        let what = "a failure inside status 200".to_owned();
        let unavailable = AdapterError::Unavailable { what, retry_after };
        assert_eq!(read("Unauthorized", 0), Err(AdapterError::Unauthorized));
        assert_eq!(read("QuotaExceeded", 0), Err(AdapterError::RateLimited { retry_after }));
        assert_eq!(read("InternalFailure", 0), Err(unavailable.clone()));
        assert_eq!(read("ServiceUnavailable", 0), Err(unavailable));
        assert_eq!(read("NothingOfThat", 1_000), Ok(1_000));
        // Longer answers are orders, and are not looked through for errors.
        assert_eq!(read("Unauthorized", 65_536), Err(AdapterError::Unauthorized));
        assert_eq!(read("Unauthorized", 65_537), Ok(65_537));
    }
}
