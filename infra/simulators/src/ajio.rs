//! The simulated AJIO: token, pendency, orders, acknowledgement, returns and inventory of the dropship API.
//!
//! Every user name has its own generated book. An order is on pendency until it is acknowledged or cancelled, and among the
//! orders after that. Amounts are JSON numbers with exactly the digits of a decimal.
#![allow(clippy::struct_field_names, reason = "fields carry the marketplace's own names")]

mod acknowledge;
mod book;
mod errors;
mod generate;
mod inventory;
mod pages;
mod panel;
mod status;
mod wire;

use std::collections::HashMap;

use axum::http::{Method, StatusCode};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;

use crate::call::{Call, Reply};
use crate::config::{AjioAccount, AjioConfig};
use crate::error::ChangeError;
use crate::marketplace::Simulated;
use crate::page_fault::PageFault;
use crate::quota::{Buckets, Quota};
use crate::tokens::TokenStore;

pub use book::AjioOrderSummary;
use book::Book;
use errors::{error, failure, rejection, throttled};
use pages::LastPages;
pub use status::{AjioReturnStatus, AjioStatus};

struct Account {
    password: Option<String>,
    book: Book,
    last_pages: LastPages,
}

pub(crate) struct Ajio {
    orders: usize,
    quota: Option<Quota>,
    buckets: Buckets,
    tokens: TokenStore,
    accounts: HashMap<String, Account>,
}

impl Ajio {
    pub(crate) fn new(config: &AjioConfig) -> Self {
        let mut ajio = Self {
            orders: config.orders,
            quota: config.quota,
            buckets: Buckets::default(),
            tokens: TokenStore::new(config.token_seconds),
            accounts: HashMap::new(),
        };
        config.accounts.iter().cloned().for_each(|account| ajio.register(account));
        ajio
    }

    pub(crate) fn register(&mut self, account: AjioAccount) {
        let book = generate::book(&account.username, account.orders.unwrap_or(self.orders));
        let AjioAccount { username, password, .. } = account;
        self.accounts.insert(username, Account { password, book, last_pages: LastPages::default() });
    }

    pub(crate) fn set_quota(&mut self, quota: Option<Quota>) {
        self.quota = quota;
        self.buckets.refill();
    }

    pub(crate) fn summaries(&self, username: &str) -> Result<Vec<AjioOrderSummary>, ChangeError> {
        let account = self.accounts.get(username).ok_or(ChangeError::UnknownAccount)?;
        Ok(account.book.summaries())
    }

    pub(crate) fn cancel_by_customer(&mut self, username: &str, order_id: &str) -> Result<(), ChangeError> {
        self.book_mut(username)?.cancel_by_customer(order_id)
    }

    pub(crate) fn set_status(
        &mut self,
        username: &str,
        order_id: &str,
        to: AjioStatus,
    ) -> Result<(), ChangeError> {
        self.book_mut(username)?.set_status(order_id, to)
    }

    pub(crate) fn return_statuses(
        &self,
        username: &str,
    ) -> Result<Vec<(String, AjioReturnStatus)>, ChangeError> {
        let account = self.accounts.get(username).ok_or(ChangeError::UnknownAccount)?;
        Ok(account.book.return_statuses())
    }

    pub(crate) fn set_return_status(
        &mut self,
        username: &str,
        return_order_id: &str,
        to: AjioReturnStatus,
    ) -> Result<(), ChangeError> {
        self.book_mut(username)?.set_return_status(return_order_id, to)
    }

    pub(crate) fn order_report(&self, username: &str) -> Result<String, ChangeError> {
        let account = self.accounts.get(username).ok_or(ChangeError::UnknownAccount)?;
        Ok(account.book.order_report(username))
    }

    pub(crate) fn rtv_report(&self, username: &str) -> Result<String, ChangeError> {
        let account = self.accounts.get(username).ok_or(ChangeError::UnknownAccount)?;
        Ok(account.book.rtv_report())
    }

    fn book_mut(&mut self, username: &str) -> Result<&mut Book, ChangeError> {
        let account = self.accounts.get_mut(username).ok_or(ChangeError::UnknownAccount)?;
        Ok(&mut account.book)
    }

    fn issue_token(&mut self, call: &Call, now: DateTime<Utc>) -> Reply {
        let Ok(Credentials { username, password }) = serde_json::from_slice(&call.body) else {
            return error(StatusCode::BAD_REQUEST, "send a JSON object with username and password");
        };
        if !self.accounts.contains_key(&username) && username.starts_with("DV") && !password.is_empty() {
            self.register(AjioAccount { username: username.clone(), password: None, orders: None });
        }
        let is_right = self.accounts.get(&username).is_some_and(|account| match &account.password {
            Some(wanted) => *wanted == password,
            None => !password.is_empty(),
        });
        if !is_right {
            return error(StatusCode::UNAUTHORIZED, "username or password is wrong");
        }
        let token = self.tokens.issue("sim.", &username, now);
        let body = json!({
            "success": true,
            "statusCode": 0,
            "result": { "accessToken": token, "refreshToken": "unused" },
        });
        Reply { issued_token: true, ..Reply::json(StatusCode::OK, &body) }
    }
}

#[derive(Deserialize)]
struct Credentials {
    username: String,
    password: String,
}

impl Simulated for Ajio {
    fn expire_tokens(&mut self, account: Option<&str>, now: DateTime<Utc>) {
        self.tokens.expire(account, now);
    }

    fn account_of(&self, call: &Call) -> Option<String> {
        if call.path == "/authToken" {
            return serde_json::from_slice::<Credentials>(&call.body)
                .ok()
                .map(|credentials| credentials.username);
        }
        call.header("apikey").and_then(|token| self.tokens.owner(token)).map(str::to_owned)
    }

    fn answer(&mut self, call: &Call, now: DateTime<Utc>, page_fault: &PageFault) -> Reply {
        if (&call.method, call.path.as_str()) == (&Method::POST, "/authToken") {
            return self.issue_token(call, now);
        }
        let Some(username) = call.header("apikey").and_then(|token| self.tokens.valid(token, now)) else {
            return rejection();
        };
        let username = username.to_owned();
        if let Some(quota) = self.quota
            && !self.buckets.take(&username, "all", quota, now)
        {
            return throttled(quota);
        }
        let Some(Account { book, last_pages, .. }) = self.accounts.get_mut(&username) else {
            return rejection();
        };
        match (&call.method, call.path.as_str()) {
            (&Method::GET, "/orders/pendency") => pages::pendency(book, last_pages, call, page_fault),
            (&Method::GET, "/orders") => pages::orders(book, last_pages, call, page_fault),
            (&Method::POST, "/orders") => acknowledge::acknowledge(book, &call.body),
            (&Method::GET, "/returns") => pages::returns(book, last_pages, call, page_fault),
            (&Method::POST, "/updateInventory") => inventory::update(&mut book.inventory, &call.body),
            _ => error(StatusCode::NOT_FOUND, "this simulator does not serve the path"),
        }
    }

    fn rejection(&self, _path: &str) -> Reply {
        rejection()
    }

    fn failure(&self, _path: &str, status: StatusCode) -> Reply {
        failure(status)
    }
}
