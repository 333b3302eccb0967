//! Flipkart's calls: tokens, by GET with everything but the client in the query, as Flipkart documents; a page of a list; all shipments
//! of some orders; and whole returns.

use std::sync::Arc;

use reqwest::header::AUTHORIZATION;
use reqwest::{RequestBuilder, Url};
use serde::Deserialize;
use uuid::Uuid;

use crate::details::Credentials;
use crate::error::AdapterError;
use crate::http::{HttpClient, Reply, join, secret_header};
use crate::pace::{Calls, Operation};
use crate::platform_app::PlatformApp;
use crate::raw::RawPage;
use crate::records::parse_page;
use crate::shared_token::AccessToken;
use crate::token_cache::{IssuedToken, TokenCache, TokenOwner};
use crate::token_endpoint::{self, ClientOwner, Grant};

use super::filter::{FilterRequest, Pass, Times};
use super::kept::KEPT;
use super::page::{ListCall, ListPage, RETURNS, SHIPMENTS};
use super::paging::Position;
use super::returns::Source;
use super::{DETAILS, PLATFORM_APP};

/// The OAuth scope of everything that a seller's application may do.
pub const SCOPE: &str = "Seller_Api";

const TOKEN_PATH: &[&str] = &["oauth-service", "oauth", "token"];
const SHIPMENTS_PATH: &[&str] = &["sellers", "v3", "shipments"];

/// How many orders Flipkart takes in one call.
const MAX_ORDERS: usize = 100;

/// How many returns Flipkart takes in one call.
const MAX_RETURNS: usize = 25;

/// So many returns with more pages than this are no returns.
const MAX_PAGES_OF_RETURNS: usize = 20;

/// How errors name the response with whole orders.
const WHOLE_ORDERS: &str = "shipments of orders";

/// Flipkart's own status for a call that took too long.
const TIMED_OUT: u16 = 499;

/// Flipkart publishes neither limits nor what they count.
const ANY_CALL: Operation = Operation { name: "flipkartCall", rate: None };

/// What all connections share.
pub struct Service {
    pub http: HttpClient,
    pub base_url: Url,
    /// The platform's application, which accounts that were connected by consent use.
    pub app: Option<PlatformApp>,
    pub tokens: TokenCache,
}

impl Service {
    /// Returns the platform's application.
    pub fn app(&self) -> Result<&PlatformApp, AdapterError> {
        self.app.as_ref().ok_or(AdapterError::Configuration { what: PLATFORM_APP })
    }

    /// Asks the token endpoint for a token of a client.
    pub async fn grant(
        &self,
        http: &HttpClient,
        (client_id, client_secret, owner): (&str, &str, ClientOwner),
        parameters: &[(&str, &str)],
    ) -> Result<Grant, AdapterError> {
        let request = http
            .get(join(&self.base_url, TOKEN_PATH))
            .query(parameters)
            .basic_auth(client_id, Some(client_secret));
        let reply = http.send(request).await?;
        token_endpoint::read(&token_endpoint::accept(reply, owner)?)
    }
}

/// One account's calls.
pub struct FlipkartClient {
    service: Arc<Service>,
    http: HttpClient,
    owner: TokenOwner,
    credentials: Credentials,
}

impl FlipkartClient {
    /// # Errors
    /// [`AdapterError::Configuration`] naming what the credentials or the deployment lack.
    pub fn new(
        service: Arc<Service>,
        account: Uuid,
        credentials: Credentials,
        calls: Calls,
    ) -> Result<Self, AdapterError> {
        DETAILS.require_complete(&credentials)?;
        if credentials.get("app_id").is_none() {
            service.app()?;
        }
        let owner = TokenOwner::new(account, &credentials, DETAILS.fields, &calls);
        let http = service.http.within(calls);
        Ok(Self { service, http, owner, credentials })
    }

    /// Asks for a new token.
    pub async fn check(&self) -> Result<(), AdapterError> {
        self.service.tokens.renewed(&self.owner, || self.fetch_token()).await.map(drop)
    }

    /// The location that the account stands for, if it stands for one.
    pub fn location_id(&self) -> Option<&str> {
        self.credentials.get("location_id")
    }

    /// Reads the page of shipments at a position, and the query of the page after it.
    pub async fn shipments(
        &self,
        position: &Position<Pass>,
    ) -> Result<(ListPage, Option<String>), AdapterError> {
        let url = join(&self.service.base_url, SHIPMENTS.path);
        let filter = FilterRequest::new(position.pass(), position.times(), self.location_id());
        self.page(&SHIPMENTS, position.query(), |http| http.post(url.clone()).json(&filter)).await
    }

    /// Reads the page of returns at a position, and the query of the page after it.
    pub async fn returns(
        &self,
        position: &Position<Source>,
    ) -> Result<(ListPage, Option<String>), AdapterError> {
        let mut query = self.returns_query(position.pass());
        if let Times::Changed(span) = position.times() {
            query.extend([("modifiedAfter", span.from), ("modifiedBefore", span.to)]);
        }
        let url = join(&self.service.base_url, RETURNS.path);
        self.page(&RETURNS, position.query(), |http| http.get(url.clone()).query(&query)).await
    }

    fn returns_query(&self, source: Source) -> Vec<(&'static str, String)> {
        let mut query = vec![("source", source.as_str().to_owned())];
        query.extend(self.location_id().map(|id| ("locationId", id.to_owned())));
        query
    }

    /// Reads the page of a list that a query leads to; without a query, the one that `first` asks for.
    async fn page(
        &self,
        list: &ListCall,
        query: Option<&str>,
        first: impl Fn(&HttpClient) -> RequestBuilder,
    ) -> Result<(ListPage, Option<String>), AdapterError> {
        let base_url = &self.service.base_url;
        let body = match query {
            Some(query) => self.call(list.call, |http| http.get(list.page_url(base_url, query))).await?,
            None => self.call(list.call, first).await?,
        };
        let (mut page, bad_bytes): (ListPage, _) = parse_page(&body, list.page)?;
        page.bad_bytes = bad_bytes;
        page.raw = Some(RawPage::new(&body, &KEPT));
        if !page.is_page() {
            return Err(AdapterError::Malformed { what: format!("{}: {} is missing", list.page, list.list) });
        }
        let query = page.next_query(list, base_url)?;
        Ok((page, query))
    }

    /// Reads whole returns: all items of each.
    pub async fn whole_returns(
        &self,
        source: Source,
        return_ids: &[String],
    ) -> Result<Vec<ListPage>, AdapterError> {
        let mut pages = Vec::new();
        for ids in return_ids.chunks(MAX_RETURNS) {
            let mut first = self.returns_query(source);
            first.push(("returnIds", ids.join(",")));
            let url = join(&self.service.base_url, RETURNS.path);
            let mut query: Option<String> = None;
            for number in 1.. {
                let ask = |http: &HttpClient| http.get(url.clone()).query(&first);
                let (page, next) = self.page(&RETURNS, query.as_deref(), ask).await?;
                pages.push(page);
                query = next;
                if query.is_none() {
                    break;
                }
                if number == MAX_PAGES_OF_RETURNS {
                    let what = format!("{MAX_RETURNS} returns have more than {MAX_PAGES_OF_RETURNS} pages");
                    return Err(AdapterError::Malformed { what });
                }
            }
        }
        Ok(pages)
    }

    /// Reads all shipments of some orders.
    pub async fn of_orders(&self, order_ids: &[String]) -> Result<Vec<ListPage>, AdapterError> {
        let mut pages = Vec::new();
        for ids in order_ids.chunks(MAX_ORDERS) {
            let url = join(&self.service.base_url, SHIPMENTS_PATH);
            let ids = ids.join(",");
            let body =
                self.call(SHIPMENTS.call, |http| http.get(url.clone()).query(&[("orderIds", &ids)])).await?;
            let (mut page, bad_bytes): (ListPage, _) = parse_page(&body, WHOLE_ORDERS)?;
            if !page.records.is_stated {
                return Err(AdapterError::Malformed {
                    what: format!("{WHOLE_ORDERS}: shipments is missing"),
                });
            }
            page.bad_bytes = bad_bytes;
            page.raw = Some(RawPage::new(&body, &KEPT));
            pages.push(page);
        }
        Ok(pages)
    }

    async fn call(
        &self,
        name: &'static str,
        request: impl Fn(&HttpClient) -> RequestBuilder,
    ) -> Result<Vec<u8>, AdapterError> {
        let call = async |token: AccessToken| {
            let bearer = secret_header(&format!("Bearer {}", token.expose()))?;
            let request = request(&self.http).header(AUTHORIZATION, bearer);
            accept(name, self.http.send_paced(&ANY_CALL, request).await?)
        };
        self.service.tokens.authorized(&self.owner, || self.fetch_token(), call).await
    }

    async fn fetch_token(&self) -> Result<IssuedToken, AdapterError> {
        let (own_id, own_secret) = (self.credentials.get("app_id"), self.credentials.get("app_secret"));
        let client = if let Some((id, secret)) = own_id.zip(own_secret) {
            (id, secret, ClientOwner::Account)
        } else {
            let app = self.service.app()?;
            (app.client_id.as_str(), app.client_secret(), ClientOwner::Platform(PLATFORM_APP))
        };
        let refresh_token = self.credentials.get("refresh_token");
        let parameters = refresh_token
            .map_or([("grant_type", "client_credentials"), ("scope", SCOPE)], |token| {
                [("grant_type", "refresh_token"), ("refresh_token", token)]
            });
        let grant = self.service.grant(&self.http, client, &parameters).await?;
        Ok(grant.access)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    #[serde(alias = "error")]
    error_code: String,
}

fn error_code(body: &[u8]) -> Option<String> {
    serde_json::from_slice::<Failure>(body).ok().map(|failure| failure.error_code)
}

fn accept(call: &'static str, reply: Reply) -> Result<Vec<u8>, AdapterError> {
    let reply = reply.with_stated_status();
    if reply.status.as_u16() == TIMED_OUT {
        let what = format!("status {TIMED_OUT}");
        return Err(AdapterError::Unavailable { what, retry_after: reply.retry_after });
    }
    reply.accept_call(call, error_code)
}
