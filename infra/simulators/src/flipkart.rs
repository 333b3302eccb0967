//! The simulated Flipkart: its OAuth service with the consent page, and the shipments and returns of the seller API.
//!
//! A token request names the application in a Basic header. A self-access application gets a token for itself. An
//! application that sellers consent to gets a token and a refresh token for each seller.

mod book;
mod filter;
mod pages;
mod render;
mod return_pages;
mod returns;

use std::collections::HashMap;

use axum::http::header::AUTHORIZATION;
use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use uuid::Uuid;

use crate::call::{Call, Reply};
use crate::config::{FlipkartAccount, FlipkartConfig, OAuthApp};
use crate::consent::{ConsentService, Wording};
use crate::error::ChangeError;
use crate::marketplace::Simulated;
use crate::oauth_token::{self, Refused};
use crate::order_book::OrderBook;
use crate::page_fault::PageFault;
use crate::tokens::TokenStore;

use book::Book;
pub use book::FlipkartChange;
use filter::{CancelledBy, PageOf};
use return_pages::ReturnsAsked;

const CONSENT_PATH: &str = "/oauth-service/oauth/authorize";
const TOKEN_PATH: &str = "/oauth-service/oauth/token";
const FILTER_PATH: &str = "/sellers/v3/shipments/filter";
const SHIPMENTS_PATH: &str = "/sellers/v3/shipments";
const RETURNS_PATH: &str = "/sellers/v2/returns";
const SCOPE: &str = "Seller_Api";

const WORDING: Wording =
    Wording { title: "Flipkart Seller Hub", application: "client_id", code: "code", account: None };

/// A new account that the consent page offers beside the known ones.
const NEW_SELLER: &str = "new-flipkart-seller";

struct RefreshToken {
    account: String,
    client_id: String,
    expires_at: DateTime<Utc>,
}

pub(crate) struct Flipkart {
    accept_unregistered: bool,
    refresh_token_seconds: u32,
    accounts: HashMap<String, FlipkartAccount>,
    consents: ConsentService,
    tokens: TokenStore,
    refresh_tokens: HashMap<String, RefreshToken>,
    default_book: OrderBook,
    /// The shipments of every account that has asked for them.
    books: HashMap<String, Book>,
    /// The status with which lists of what customers and Flipkart cancelled are refused, if they are.
    refused_cancellations: Option<StatusCode>,
}

impl Flipkart {
    pub(crate) fn new(config: &FlipkartConfig) -> Self {
        let by_app = config.accounts.iter().cloned().map(|account| (account.app_id.clone(), account));
        Self {
            accept_unregistered: config.accept_unregistered,
            refresh_token_seconds: config.refresh_token_seconds,
            accounts: by_app.collect(),
            consents: ConsentService::new(WORDING, config.apps.clone()),
            tokens: TokenStore::new(config.token_seconds),
            refresh_tokens: HashMap::new(),
            default_book: config.default_book.clone(),
            books: HashMap::new(),
            refused_cancellations: None,
        }
    }

    pub(crate) fn register(&mut self, account: FlipkartAccount) {
        self.accounts.retain(|_, known| known.account != account.account);
        self.books.remove(&account.account);
        self.accounts.insert(account.app_id.clone(), account);
    }

    pub(crate) fn register_app(&mut self, app: OAuthApp) {
        self.consents.register(app);
    }

    pub(crate) fn refuse_cancellations(&mut self, status: Option<StatusCode>) {
        self.refused_cancellations = status;
    }

    pub(crate) fn change(
        &mut self,
        account: &str,
        (order_id, shipment_id): (&str, Option<&str>),
        change: &FlipkartChange,
        at: DateTime<Utc>,
    ) -> Result<(), ChangeError> {
        self.known_book(account, at)?.change(order_id, shipment_id, change, at)
    }

    pub(crate) fn order_ids(
        &mut self,
        account: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<String>, ChangeError> {
        Ok(self.known_book(account, now)?.order_ids())
    }

    pub(crate) fn return_statuses(
        &mut self,
        account: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<(String, String)>, ChangeError> {
        Ok(returns::statuses(&self.known_book(account, now)?.returns))
    }

    pub(crate) fn set_return_status(
        &mut self,
        account: &str,
        of: (&str, Option<&str>),
        status: &str,
        at: DateTime<Utc>,
    ) -> Result<(), ChangeError> {
        returns::set_status(&mut self.known_book(account, at)?.returns, of, status, at)
    }

    fn known_book(&mut self, account: &str, now: DateTime<Utc>) -> Result<&mut Book, ChangeError> {
        if !self.accounts.values().any(|known| known.account == account) && !self.books.contains_key(account)
        {
            return Err(ChangeError::UnknownAccount);
        }
        Ok(self.book(account, now))
    }

    fn book(&mut self, account: &str, now: DateTime<Utc>) -> &mut Book {
        let own = self
            .accounts
            .values()
            .find(|known| known.account == account)
            .and_then(|known| known.orders.as_ref());
        let orders = own.unwrap_or(&self.default_book);
        self.books.entry(account.to_owned()).or_insert_with(|| Book::new(orders, now))
    }

    fn serve(&mut self, call: &Call, now: DateTime<Utc>, page_fault: &PageFault) -> Reply {
        let Some(account) = bearer(call).and_then(|token| self.tokens.valid(token, now)).map(str::to_owned)
        else {
            return failure(StatusCode::UNAUTHORIZED);
        };
        match (&call.method, call.path.trim_end_matches('/')) {
            (&Method::POST, FILTER_PATH) => {
                self.filter(&account, PageOf::first(&call.body), call, now, page_fault)
            }
            (&Method::GET, FILTER_PATH) => {
                let page = call.parameter("next_token").and_then(PageOf::of_token);
                self.filter(&account, page, call, now, page_fault)
            }
            (&Method::GET, SHIPMENTS_PATH) => {
                let reply = pages::of_ids(self.book(&account, now), call);
                reply.unwrap_or_else(|| failure(StatusCode::BAD_REQUEST))
            }
            (&Method::GET, RETURNS_PATH) => match ReturnsAsked::of(call) {
                Some(asked) => return_pages::page(&self.book(&account, now).returns, asked, call, page_fault),
                None => failure(StatusCode::BAD_REQUEST),
            },
            _ => failure(StatusCode::NOT_FOUND),
        }
    }

    fn filter(
        &mut self,
        account: &str,
        page: Option<PageOf>,
        call: &Call,
        now: DateTime<Utc>,
        page_fault: &PageFault,
    ) -> Reply {
        let Some(page) = page else { return failure(StatusCode::BAD_REQUEST) };
        let by_others = [CancelledBy::Buyer, CancelledBy::Marketplace];
        if let (Some(by), Some(status)) = (page.cancelled_by(), self.refused_cancellations)
            && by_others.contains(&by)
        {
            return failure(status);
        }
        pages::page(self.book(account, now), page, call, page_fault)
    }

    fn consent(&mut self, call: &Call, now: DateTime<Utc>, is_denied: bool) -> Reply {
        if call.parameter("response_type") != Some("code") || call.parameter("scope") != Some(SCOPE) {
            return failure(StatusCode::BAD_REQUEST);
        }
        let mut accounts: Vec<String> = self.accounts.values().map(|known| known.account.clone()).collect();
        accounts.sort_unstable();
        accounts.push(NEW_SELLER.to_owned());
        self.consents.answer(call, &accounts, is_denied, now)
    }

    fn issue_token(&mut self, call: &Call, now: DateTime<Utc>) -> Result<Reply, Refused> {
        let (client_id, client_secret) = basic(call).ok_or_else(Refused::invalid_client)?;
        let required = |name| call.parameter(name).ok_or_else(|| Refused::invalid_request(name));
        match required("grant_type")? {
            "client_credentials" => {
                if required("scope")? != SCOPE {
                    return Err(Refused::invalid_request("scope"));
                }
                let account = self.admit_app(&client_id, &client_secret)?;
                Ok(self.grant(&account, None, now))
            }
            "authorization_code" => {
                self.admit_client(&client_id, &client_secret)?;
                let (code, redirect_uri) = (required("code")?, required("redirect_uri")?);
                let account = self
                    .consents
                    .redeem(code, &client_id, redirect_uri, now)
                    .ok_or_else(|| Refused::invalid_grant("code"))?;
                let refresh_token = Uuid::now_v7().simple().to_string();
                let life = TimeDelta::seconds(i64::from(self.refresh_token_seconds));
                let issued = RefreshToken { account: account.clone(), client_id, expires_at: now + life };
                self.refresh_tokens.insert(refresh_token.clone(), issued);
                Ok(self.grant(&account, Some(&refresh_token), now))
            }
            "refresh_token" => {
                self.admit_client(&client_id, &client_secret)?;
                let token = required("refresh_token")?;
                let account = self
                    .refresh_tokens
                    .get(token)
                    .filter(|issued| issued.client_id == client_id && issued.expires_at > now)
                    .map(|issued| issued.account.clone())
                    .ok_or_else(|| Refused::invalid_grant("refresh_token"))?;
                Ok(self.grant(&account, Some(token), now))
            }
            _ => Err(Refused::unsupported_grant_type()),
        }
    }

    /// An application that sellers consent to has no account of its own.
    fn admit_app(&self, client_id: &str, client_secret: &str) -> Result<String, Refused> {
        if self.consents.knows(client_id) {
            return Err(Refused::unauthorized_client());
        }
        let is_right = match self.accounts.get(client_id) {
            Some(known) => known.app_secret == client_secret,
            None => self.accept_unregistered && !client_id.is_empty() && !client_secret.is_empty(),
        };
        if is_right { Ok(self.account_of_app(client_id)) } else { Err(Refused::invalid_client()) }
    }

    fn admit_client(&self, client_id: &str, client_secret: &str) -> Result<(), Refused> {
        if self.consents.authenticates(client_id, client_secret) {
            Ok(())
        } else {
            Err(Refused::invalid_client())
        }
    }

    fn account_of_app(&self, app_id: &str) -> String {
        self.accounts.get(app_id).map_or(app_id, |known| known.account.as_str()).to_owned()
    }

    fn grant(&mut self, account: &str, refresh_token: Option<&str>, now: DateTime<Utc>) -> Reply {
        let mut body = json!({
            "access_token": self.tokens.issue("", account, now),
            "token_type": "bearer",
            "expires_in": self.tokens.lifetime_seconds(),
            "scope": SCOPE,
        });
        if let Some(token) = refresh_token {
            body["refresh_token"] = json!(token);
        }
        Reply { issued_token: true, ..Reply::json(StatusCode::OK, &body) }
    }
}

impl Simulated for Flipkart {
    fn expire_tokens(&mut self, account: Option<&str>, now: DateTime<Utc>) {
        self.tokens.expire(account, now);
    }

    fn expire_codes(&mut self, now: DateTime<Utc>) {
        self.consents.expire_codes(now);
    }

    fn account_of(&self, call: &Call) -> Option<String> {
        match call.path.as_str() {
            CONSENT_PATH => call.parameter("account").map(str::to_owned),
            TOKEN_PATH => {
                let by_code = call.parameter("code").and_then(|code| self.consents.owner(code));
                let by_refresh_token = call
                    .parameter("refresh_token")
                    .and_then(|token| self.refresh_tokens.get(token))
                    .map(|token| token.account.as_str());
                let owner = by_code.or(by_refresh_token).map(str::to_owned);
                owner.or_else(|| Some(self.account_of_app(&basic(call)?.0)))
            }
            _ => bearer(call).and_then(|token| self.tokens.owner(token)).map(str::to_owned),
        }
    }

    fn answer(&mut self, call: &Call, now: DateTime<Utc>, page_fault: &PageFault) -> Reply {
        match (&call.method, call.path.as_str()) {
            (&Method::GET, CONSENT_PATH) => self.consent(call, now, *page_fault == PageFault::DenyConsent),
            (&Method::GET | &Method::POST, TOKEN_PATH) => {
                self.issue_token(call, now).unwrap_or_else(|refused| refused.reply())
            }
            _ => self.serve(call, now, page_fault),
        }
    }

    fn ledger_path(&self, path: &str) -> String {
        path.trim_end_matches('/').to_owned()
    }

    /// The token service answers `invalid_grant`, everything else 401.
    fn rejection(&self, path: &str) -> Reply {
        if path == TOKEN_PATH {
            Refused::invalid_grant("refresh_token").reply()
        } else {
            failure(StatusCode::UNAUTHORIZED)
        }
    }

    fn client_rejection(&self, _path: &str) -> Reply {
        Refused::invalid_client().reply()
    }

    fn failure(&self, _path: &str, status: StatusCode) -> Reply {
        failure(status)
    }
}

/// An HTTP error. Flipkart documents no error bodies, so they have OAuth's form.
fn failure(status: StatusCode) -> Reply {
    oauth_token::failure(status)
}

fn bearer(call: &Call) -> Option<&str> {
    call.header(AUTHORIZATION.as_str())?.strip_prefix("Bearer ")
}

fn basic(call: &Call) -> Option<(String, String)> {
    let encoded = call.header(AUTHORIZATION.as_str())?.strip_prefix("Basic ")?;
    let text = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = text.split_once(':')?;
    Some((id.to_owned(), secret.to_owned()))
}
