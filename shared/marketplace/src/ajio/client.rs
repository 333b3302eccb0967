//! AJIO's calls: the token, and a page of orders or returns with the token in the header `apiKey`.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Url;
use serde::Deserialize;
use serde_json::Value;
use uuid::Uuid;

use crate::bytes::BadBytes;
use crate::details::Credentials;
use crate::error::AdapterError;
use crate::fields::count;
use crate::http::{HttpClient, Reply, join, secret_header, whole_number};
use crate::pace::{Calls, Operation};
use crate::raw::RawPage;
use crate::records::{RawRecords, parse_answer, parse_page};
use crate::shared_token::AccessToken;
use crate::token_cache::{IssuedToken, TokenCache, TokenOwner};

use super::DETAILS;
use super::kept::KEPT;
use super::phase::Phase;

/// AJIO's largest page.
pub const PAGE_SIZE: u32 = 50;

/// How long AJIO's tokens live. When one is renewed is `RENEW_BEFORE` in `ajio.rs`.
const TOKEN_LIFETIME: Duration = Duration::from_mins(30);

/// AJIO throttles each user name over all calls, and publishes no numbers.
const ANY_CALL: Operation = Operation { name: "ajioCall", rate: None };

/// What all connections share.
pub struct Service {
    pub http: HttpClient,
    pub base_url: Url,
    pub tokens: TokenCache,
}

/// One account's calls.
pub struct AjioClient {
    service: Arc<Service>,
    http: HttpClient,
    owner: TokenOwner,
    credentials: Credentials,
}

/// A page of raw orders, or of raw returns, which AJIO calls orders too.
#[derive(Debug, Deserialize)]
pub struct AjioPage {
    #[serde(default)]
    pub orders: RawRecords,
    /// When it is absent, the page's length tells whether more pages follow.
    pub page: Option<PageInfo>,
    #[serde(skip)]
    pub bad_bytes: BadBytes,
    /// What is kept of the response.
    #[serde(skip)]
    pub raw: Option<RawPage>,
}

/// A page's place in its list.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PageInfo {
    #[serde(default, deserialize_with = "count")]
    pub number: Option<u64>,
    #[serde(default, deserialize_with = "count")]
    pub total_elements: Option<u64>,
    #[serde(default, deserialize_with = "count")]
    pub total_pages: Option<u64>,
}

#[derive(Deserialize)]
struct TokenAnswer {
    result: Option<TokenResult>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TokenResult {
    access_token: Option<String>,
}

/// How AJIO states a failure, also inside a 200.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    success: Option<Value>,
    status_code: Option<Value>,
}

impl Failure {
    fn read(body: &[u8]) -> Option<Self> {
        serde_json::from_slice(body).ok()
    }

    fn code(&self) -> Option<String> {
        self.status_code.as_ref().and_then(whole_number).map(|code| code.to_string())
    }

    fn is_stated(&self) -> bool {
        let success = self.success.as_ref();
        success.is_some_and(|success| *success == Value::Bool(false) || success.as_str() == Some("false"))
    }
}

impl AjioClient {
    /// # Errors
    /// [`AdapterError::Configuration`] naming the field that the credentials lack.
    pub fn new(
        service: Arc<Service>,
        account: Uuid,
        credentials: Credentials,
        calls: Calls,
    ) -> Result<Self, AdapterError> {
        DETAILS.require_complete(&credentials)?;
        let owner = TokenOwner::new(account, &credentials, DETAILS.fields, &calls);
        let http = service.http.within(calls);
        Ok(Self { service, http, owner, credentials })
    }

    /// Asks for a new token.
    pub async fn check(&self) -> Result<(), AdapterError> {
        self.service.tokens.renewed(&self.owner, || self.fetch_token()).await.map(drop)
    }

    /// Reads a page of a list.
    pub async fn page(&self, phase: Phase, page: u32) -> Result<AjioPage, AdapterError> {
        let body = self
            .service
            .tokens
            .authorized(&self.owner, || self.fetch_token(), |token| self.get_page(phase, page, token))
            .await?;
        let (page, bad_bytes): (AjioPage, _) = parse_page(&body, phase.page())?;
        if !page.orders.is_stated && page.page.is_none() {
            return Err(AdapterError::Malformed { what: format!("{}: orders is missing", phase.page()) });
        }
        Ok(AjioPage { bad_bytes, raw: Some(RawPage::new(&body, &KEPT)), ..page })
    }

    async fn get_page(&self, phase: Phase, page: u32, token: AccessToken) -> Result<Vec<u8>, AdapterError> {
        let (http, base_url) = (&self.http, &self.service.base_url);
        let request = http
            .get(join(base_url, phase.path()))
            .query(&[("pageNumber", page), ("pageSize", PAGE_SIZE)])
            .header("apiKey", secret_header(token.expose())?);
        accept(http.send_paced(&ANY_CALL, request).await?, phase.call())
    }

    async fn fetch_token(&self) -> Result<IssuedToken, AdapterError> {
        let (http, base_url) = (&self.http, &self.service.base_url);
        let field = |name| self.credentials.get(name).unwrap_or_default();
        let login = serde_json::json!({ "username": field("username"), "password": field("password") });
        let request = http.post(join(base_url, &["authToken"])).json(&login);
        let reply = http.send_paced(&ANY_CALL, request).await?;
        read_token(&accept(reply, "ask for a token")?)
    }
}

/// AJIO reports failures inside a 200 too: most by the status that they would have had, others by a number of their own.
fn accept(reply: Reply, call: &'static str) -> Result<Vec<u8>, AdapterError> {
    let body = reply.accept_call(call, |body| Failure::read(body)?.code())?;
    match Failure::read(&body).filter(Failure::is_stated) {
        Some(failure) => Err(AdapterError::Rejected { status: 200, code: failure.code() }),
        None => Ok(body),
    }
}

fn read_token(body: &[u8]) -> Result<IssuedToken, AdapterError> {
    let answer: TokenAnswer = parse_answer(body, "token response")?;
    let token =
        answer.result.and_then(|result| result.access_token).filter(|token| !token.is_empty()).ok_or_else(
            || AdapterError::Malformed { what: "token response: accessToken is missing".to_owned() },
        )?;
    Ok(IssuedToken { token: AccessToken::new(token), lifetime: TOKEN_LIFETIME })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Result<Vec<u8>, AdapterError> {
        let reply =
            Reply { status: reqwest::StatusCode::OK, retry_after: None, body: body.as_bytes().to_vec() };
        accept(reply, Phase::Orders.call())
    }

    #[test]
    fn a_failure_with_a_number_of_its_own_inside_a_200_is_rejected_with_that_number() {
        let rejected =
            |code: Option<&str>| Err(AdapterError::Rejected { status: 200, code: code.map(str::to_owned) });
        assert_eq!(read(r#"{"success":false,"statusCode":1042}"#), rejected(Some("1042")));
        assert_eq!(read(r#"{"success":"false","statusCode":"1042"}"#), rejected(Some("1042")));
        assert_eq!(read(r#"{"success":false}"#), rejected(None));
    }

    #[test]
    fn what_states_no_failure_is_taken() {
        for body in [r#"{"success":true,"statusCode":0}"#, r#"{"success":"true"}"#, r#"{"orders":[]}"#, "[]"]
        {
            assert_eq!(read(body), Ok(body.as_bytes().to_vec()), "{body}");
        }
    }

    #[test]
    fn the_status_that_another_answer_states_is_the_code_of_its_refusal() {
        let body = br#"{"success":false,"statusCode":400}"#.to_vec();
        let reply = Reply { status: reqwest::StatusCode::BAD_REQUEST, retry_after: None, body };
        let rejected = AdapterError::Rejected { status: 400, code: Some("400".to_owned()) };
        assert_eq!(accept(reply, Phase::Orders.call()), Err(rejected));
    }
}
