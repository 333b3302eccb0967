//! AJIO's calls: the token, and a page of orders with the token in the header `apiKey`.

use std::sync::Arc;
use std::time::Duration;

use reqwest::{StatusCode, Url};
use serde::Deserialize;
use serde_json::value::RawValue;
use uuid::Uuid;

use crate::details::Credentials;
use crate::error::AdapterError;
use crate::http::{HttpClient, Reply, join, secret_header};
use crate::records::parse_answer;
use crate::token_cache::{AccessToken, IssuedToken, TokenCache, TokenKey};

use super::DETAILS;
use super::paging::Phase;

/// AJIO's largest page.
pub const PAGE_SIZE: u32 = 50;

/// What AJIO grants a token.
const TOKEN_LIFETIME: Duration = Duration::from_mins(30);

/// What all connections share.
pub struct Service {
    pub http: HttpClient,
    pub base_url: Url,
    pub tokens: TokenCache,
}

/// One account's calls.
pub struct AjioClient {
    service: Arc<Service>,
    key: TokenKey,
    credentials: Credentials,
}

/// A page of raw orders.
#[derive(Debug, Deserialize)]
pub struct AjioPage {
    pub orders: Vec<Box<RawValue>>,
    /// Absent, the page's length tells whether more follow.
    pub page: Option<PageInfo>,
}

/// Where a page stands in its list.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageInfo {
    pub number: Option<u32>,
    pub total_elements: Option<u64>,
    pub total_pages: Option<u32>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenAnswer {
    success: Option<bool>,
    status_code: Option<u16>,
    result: Option<TokenResult>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenResult {
    access_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ErrorAnswer {
    status_code: Option<u16>,
}

impl AjioClient {
    /// # Errors
    /// [`AdapterError::Configuration`] naming the field that the credentials lack.
    pub fn new(service: Arc<Service>, account: Uuid, credentials: Credentials) -> Result<Self, AdapterError> {
        DETAILS.require_complete(&credentials)?;
        let key = TokenKey::new(account, &credentials, DETAILS.fields);
        Ok(Self { service, key, credentials })
    }

    /// Asks for a new token.
    pub async fn check(&self) -> Result<(), AdapterError> {
        self.service.tokens.renewed(&self.key, || self.fetch_token()).await.map(drop)
    }

    /// Reads a page of orders.
    pub async fn orders(&self, phase: Phase, page: u32) -> Result<AjioPage, AdapterError> {
        let body = self
            .service
            .tokens
            .authorized(&self.key, || self.fetch_token(), |token| self.get_orders(phase, page, token))
            .await?;
        parse_answer(&body, "page of orders")
    }

    async fn get_orders(&self, phase: Phase, page: u32, token: AccessToken) -> Result<Vec<u8>, AdapterError> {
        let Service { http, base_url, .. } = self.service.as_ref();
        let request = http
            .get(join(base_url, phase.path()))
            .query(&[("pageNumber", page), ("pageSize", PAGE_SIZE)])
            .header("apiKey", secret_header(token.expose())?);
        accept(http.send(request).await?)
    }

    async fn fetch_token(&self) -> Result<IssuedToken, AdapterError> {
        let Service { http, base_url, .. } = self.service.as_ref();
        let field = |name| self.credentials.get(name).unwrap_or_default();
        let login = serde_json::json!({ "username": field("username"), "password": field("password") });
        let reply = http.send(http.post(join(base_url, &["authToken"])).json(&login)).await?;
        read_token(&accept(reply)?)
    }
}

fn accept(reply: Reply) -> Result<Vec<u8>, AdapterError> {
    if reply.status == StatusCode::UNAUTHORIZED {
        return Err(AdapterError::Unauthorized);
    }
    reply.accept(|body| Some(serde_json::from_slice::<ErrorAnswer>(body).ok()?.status_code?.to_string()))
}

fn read_token(body: &[u8]) -> Result<IssuedToken, AdapterError> {
    let answer: TokenAnswer = parse_answer(body, "token answer")?;
    if answer.success == Some(false) {
        // AJIO is known to report failures inside a 200.
        return Err(match answer.status_code {
            Some(401) => AdapterError::Unauthorized,
            code => AdapterError::Rejected { status: 200, code: code.map(|code| code.to_string()) },
        });
    }
    let token =
        answer.result.and_then(|result| result.access_token).filter(|token| !token.is_empty()).ok_or_else(
            || AdapterError::Malformed { what: "token answer: accessToken is missing".to_owned() },
        )?;
    Ok(IssuedToken { token: AccessToken::new(token), lifetime: TOKEN_LIFETIME })
}
