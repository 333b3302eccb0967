//! The simulated Amazon: Seller Central's consent page, the token service (LWA) and the operations on orders, reports and transactions of
//! the Selling Partner API.
//!
//! The refresh token decides whose orders are served. Responses follow the published model of the orders API, version
//! 2026-01-01, of the reports API, version 2021-06-30, and of the finances API, version 2024-06-19. A field that the order book cannot fill is absent rather than
//! invented, except for the customer.

mod accounts;
mod customer;
mod errors;
mod finances;
mod lwa;
mod money;
mod order_report;
mod query;
mod render;
mod reports;
mod returned;
mod search;
mod settlements;
mod status;

use std::collections::HashMap;

use axum::http::{Method, StatusCode};
use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use crate::call::{Call, Reply};
use crate::config::{AmazonAccount, AmazonConfig, OAuthApp};
use crate::consent::{ConsentService, Wording};
use crate::error::ChangeError;
use crate::marketplace::Simulated;
use crate::oauth_token::{self, Refused};
use crate::page_fault::PageFault;
use crate::quota::{Buckets, Quota};
use crate::tokens::TokenStore;

pub use customer::AmazonCustomer;
pub use settlements::AmazonSettlement;

use accounts::Accounts;
use errors::{failure, refusal, unauthorised};
use reports::{Operation, Reports};
use search::Pages;

const CONSENT_PATH: &str = "/apps/authorize/consent";
const TOKEN_PATH: &str = "/auth/o2/token";
const ORDERS_PATH: &str = "/orders/2026-01-01/orders";
const PARTICIPATIONS_PATH: &str = "/sellers/v1/marketplaceParticipations";
const ACCESS_TOKEN_HEADER: &str = "x-amz-access-token";

const WORDING: Wording = Wording {
    title: "Amazon Seller Central",
    application: "application_id",
    code: "spapi_oauth_code",
    account: Some("selling_partner_id"),
};

/// A new account that the consent page offers beside the known ones.
const NEW_SELLING_PARTNER: &str = "A1NEWSELLER";

pub(crate) struct Amazon {
    accounts: Accounts,
    consents: ConsentService,
    tokens: TokenStore,
    buckets: Buckets,
    search_orders: Quota,
    get_order: Quota,
    list_transactions: Quota,
    pages: HashMap<String, Pages>,
    transaction_pages: HashMap<String, finances::Pages>,
    reports: Reports,
    /// From when what the book does not date is dated.
    started_at: DateTime<Utc>,
}

impl Amazon {
    pub(crate) fn new(config: &AmazonConfig) -> Self {
        let started_at = Utc::now();
        Self {
            accounts: Accounts::new(config),
            consents: ConsentService::new(WORDING, config.apps.clone()),
            tokens: TokenStore::new(config.token_seconds),
            buckets: Buckets::default(),
            search_orders: config.search_orders,
            get_order: config.get_order,
            list_transactions: config.list_transactions,
            pages: HashMap::new(),
            transaction_pages: HashMap::new(),
            reports: Reports::new(config, started_at),
            started_at,
        }
    }

    pub(crate) fn register_app(&mut self, app: OAuthApp) {
        self.consents.register(app);
    }

    pub(crate) fn register(&mut self, account: AmazonAccount) {
        self.accounts.register(account);
    }

    pub(crate) fn set_status(
        &mut self,
        account: &str,
        order_id: &str,
        status: &str,
        at: DateTime<Utc>,
    ) -> Result<(), ChangeError> {
        let book = self.accounts.book_mut(account).ok_or(ChangeError::UnknownAccount)?;
        if book.set_status(order_id, status, at) { Ok(()) } else { Err(ChangeError::UnknownOrder) }
    }

    pub(crate) fn order_report(&self, account: &str) -> Result<String, ChangeError> {
        self.accounts.book(account).map(order_report::order_report).ok_or(ChangeError::UnknownAccount)
    }

    pub(crate) fn settlements(
        &self,
        account: &str,
        now: DateTime<Utc>,
    ) -> Result<Vec<AmazonSettlement>, ChangeError> {
        let book = self.accounts.book(account).ok_or(ChangeError::UnknownAccount)?;
        Ok(settlements::told(account, book, self.started_at, now))
    }

    pub(crate) fn set_search_orders_quota(&mut self, quota: Quota) {
        self.search_orders = quota;
        self.buckets.refill();
    }

    pub(crate) fn set_report_looks(&mut self, looks: u32) {
        self.reports.set_looks(looks);
    }

    fn consent(&mut self, call: &Call, now: DateTime<Utc>, is_denied: bool) -> Reply {
        let mut accounts = self.accounts.names();
        if !accounts.iter().any(|name| name == NEW_SELLING_PARTNER) {
            accounts.push(NEW_SELLING_PARTNER.to_owned());
        }
        self.consents.answer(call, &accounts, is_denied, now)
    }

    fn issue_token(&mut self, call: &Call, now: DateTime<Utc>) -> Reply {
        let admitted = lwa::parameters(call)
            .and_then(|parameters| self.accounts.admit(&parameters, &mut self.consents, now));
        let account = match admitted {
            Ok(account) => account,
            Err(refused) => return refused.reply(),
        };
        let token = self.tokens.issue("Atza|", &account.name, now);
        Reply {
            issued_token: true,
            ..lwa::granted(&token, &account.refresh_token, self.tokens.lifetime_seconds())
        }
    }

    fn search(&mut self, call: &Call, now: DateTime<Utc>, page_fault: &PageFault) -> Reply {
        let account = match self.authorised(call, now) {
            Ok(account) => account,
            Err(refused) => return refused,
        };
        if !self.buckets.take(&account, "searchOrders", self.search_orders, now) {
            return failure(StatusCode::TOO_MANY_REQUESTS);
        }
        let Some(book) = self.accounts.book(&account) else { return unauthorised() };
        let pages = self.pages.entry(account).or_default();
        search::page(book, pages, call, now, page_fault)
            .with_header("x-amzn-ratelimit-limit", self.search_orders.rate.to_string())
    }

    /// Every selling partner sells at Amazon.in, except those whose name begins with `ABROAD`.
    fn participations(&mut self, call: &Call, now: DateTime<Utc>) -> Reply {
        let account = match self.authorised(call, now) {
            Ok(account) => account,
            Err(refused) => return refused,
        };
        let id = if account.starts_with("ABROAD") { "A1F83G8C2ARO7P" } else { "A21TJRUUN4KGV" };
        let entry = json!({
            "marketplace": {
                "id": id, "name": "Amazon", "countryCode": "IN", "defaultCurrencyCode": "INR",
                "defaultLanguageCode": "en_IN", "domainName": "www.amazon.in",
            },
            "storeName": account,
            "participation": { "isParticipating": true, "hasSuspendedListings": false },
        });
        Reply::json(StatusCode::OK, &json!({ "payload": [entry] }))
    }

    fn order(&mut self, call: &Call, order_id: &str, now: DateTime<Utc>, page_fault: &PageFault) -> Reply {
        let account = match self.authorised(call, now) {
            Ok(account) => account,
            Err(refused) => return refused,
        };
        if !self.buckets.take(&account, "getOrder", self.get_order, now) {
            return failure(StatusCode::TOO_MANY_REQUESTS);
        }
        let Some(book) = self.accounts.book(&account) else { return unauthorised() };
        let reply = search::single(book, call, order_id, page_fault);
        reply.with_header("x-amzn-ratelimit-limit", self.get_order.rate.to_string())
    }

    fn transactions(&mut self, call: &Call, now: DateTime<Utc>, page_fault: &PageFault) -> Reply {
        let account = match self.authorised(call, now) {
            Ok(account) => account,
            Err(refused) => return refused,
        };
        if !self.buckets.take(&account, "listTransactions", self.list_transactions, now) {
            return failure(StatusCode::TOO_MANY_REQUESTS);
        }
        let Some(book) = self.accounts.book(&account) else { return unauthorised() };
        let pages = self.transaction_pages.entry(account.clone()).or_default();
        finances::page((&account, book), pages, call, (self.started_at, now), page_fault)
            .with_header("x-amzn-ratelimit-limit", self.list_transactions.rate.to_string())
    }

    fn report(
        &mut self,
        operation: &Operation<'_>,
        call: &Call,
        now: DateTime<Utc>,
        page_fault: &PageFault,
    ) -> Reply {
        let account = match self.authorised(call, now) {
            Ok(account) => account,
            Err(refused) => return refused,
        };
        let quota = self.reports.quota(operation);
        if !self.buckets.take(&account, operation.name(), quota, now) {
            return failure(StatusCode::TOO_MANY_REQUESTS);
        }
        let Some(book) = self.accounts.book(&account) else { return unauthorised() };
        let reply = self.reports.answer(operation, call, &account, book, now, page_fault);
        reply.with_header("x-amzn-ratelimit-limit", quota.rate.to_string())
    }

    fn authorised(&self, call: &Call, now: DateTime<Utc>) -> Result<String, Reply> {
        let token = call.header(ACCESS_TOKEN_HEADER).ok_or_else(unauthorised)?;
        self.tokens.valid(token, now).map(str::to_owned).ok_or_else(unauthorised)
    }
}

impl Simulated for Amazon {
    fn account_of(&self, call: &Call) -> Option<String> {
        if call.path == TOKEN_PATH {
            let parameters = lwa::parameters(call).ok()?;
            let by_code = parameters.get("code").and_then(|code| self.consents.owner(code));
            return by_code.map(str::to_owned).or_else(|| self.accounts.named_by(&parameters));
        }
        if call.path == CONSENT_PATH {
            return call.parameter("account").map(str::to_owned);
        }
        if let Some(key) = reports::download_key(&call.path) {
            return self.reports.owner(key).map(str::to_owned);
        }
        call.header(ACCESS_TOKEN_HEADER).and_then(|token| self.tokens.owner(token)).map(str::to_owned)
    }

    fn answer(&mut self, call: &Call, now: DateTime<Utc>, page_fault: &PageFault) -> Reply {
        if let Some(operation) = Operation::of(call) {
            return self.report(&operation, call, now, page_fault);
        }
        if let Some(key) = reports::download_key(&call.path) {
            return self.reports.download(call, key, now, page_fault);
        }
        let order_id = call.path.strip_prefix(ORDERS_PATH).and_then(|rest| rest.strip_prefix('/'));
        match (&call.method, call.path.as_str(), order_id) {
            (&Method::POST, TOKEN_PATH, _) => self.issue_token(call, now),
            (&Method::GET, CONSENT_PATH, _) => self.consent(call, now, *page_fault == PageFault::DenyConsent),
            (&Method::GET, ORDERS_PATH, _) => self.search(call, now, page_fault),
            (&Method::GET, finances::TRANSACTIONS_PATH, _) => self.transactions(call, now, page_fault),
            (&Method::GET, PARTICIPATIONS_PATH, _) => self.participations(call, now),
            (&Method::GET, _, Some(order_id)) => self.order(call, order_id, now, page_fault),
            _ => refusal(StatusCode::NOT_FOUND, "ResourceNotFound", "this simulator does not serve the path"),
        }
    }

    fn expire_tokens(&mut self, account: Option<&str>, now: DateTime<Utc>) {
        self.tokens.expire(account, now);
    }

    fn expire_codes(&mut self, now: DateTime<Utc>) {
        self.consents.expire_codes(now);
    }

    /// Calls that differ only in an id share one line.
    fn ledger_path(&self, path: &str) -> String {
        if let Some(path) = reports::ledger_path(path) {
            return path;
        }
        let is_order = path.strip_prefix(ORDERS_PATH).is_some_and(|rest| rest.starts_with('/'));
        if is_order { format!("{ORDERS_PATH}/{{orderId}}") } else { path.to_owned() }
    }

    /// The token service answers `invalid_grant`, everything else `Unauthorized`.
    fn rejection(&self, path: &str) -> Reply {
        if path == TOKEN_PATH { Refused::invalid_grant("refresh_token").reply() } else { unauthorised() }
    }

    /// The token service answers `invalid_client`, everything else `Unauthorized`.
    fn client_rejection(&self, path: &str) -> Reply {
        if path == TOKEN_PATH { Refused::invalid_client().reply() } else { unauthorised() }
    }

    fn failure(&self, path: &str, status: StatusCode) -> Reply {
        if path == TOKEN_PATH { oauth_token::failure(status) } else { failure(status) }
    }

    fn common_header(&self) -> Option<(&'static str, String)> {
        Some(("x-amzn-requestid", Uuid::now_v7().to_string()))
    }
}
