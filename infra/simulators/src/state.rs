//! The shared state of one simulator and everything that tests and control calls can do to it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use chrono::{DateTime, Utc};

use crate::ajio::{AjioOrderSummary, AjioReturnStatus, AjioStatus};
use crate::amazon::AmazonSettlement;
use crate::clock::Clock;
use crate::config::{AjioAccount, AmazonAccount, FlipkartAccount, MeeshoAccount, OAuthApp, SimulatorConfig};
use crate::error::ChangeError;
use crate::faults::{Fault, Faults};
use crate::flipkart::FlipkartChange;
use crate::ledger::{Ledger, LedgerReport};
use crate::lock::lock;
use crate::marketplace::Marketplace;
use crate::quota::Quota;
use crate::simulated::Marketplaces;

/// One simulator: all marketplaces, the faults that are set, and the ledger. Cloning shares it.
#[derive(Clone)]
pub struct State {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) clock: Clock,
    pub(crate) marketplaces: Marketplaces,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
}

impl State {
    /// A simulator that does not listen yet.
    #[must_use]
    pub fn new(config: &SimulatorConfig) -> Self {
        let inner = Inner {
            clock: Clock::default(),
            marketplaces: Marketplaces::new(config),
            faults: Mutex::default(),
            ledger: Arc::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Sets a fault, after those that are set already.
    pub fn add_fault(&self, fault: Fault) {
        lock(&self.inner.faults).add(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        lock(&self.inner.faults).clear();
    }

    /// The faults that are still set.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        lock(&self.inner.faults).list()
    }

    /// The ledger of all calls so far.
    #[must_use]
    pub fn ledger(&self) -> LedgerReport {
        lock(&self.inner.ledger).report()
    }

    /// Clears the ledger.
    pub fn reset_ledger(&self) {
        lock(&self.inner.ledger).reset();
    }

    /// Expires the access tokens of one account, or of all accounts of a marketplace, at once.
    pub fn expire_tokens(&self, marketplace: Marketplace, account: Option<&str>) {
        let now = self.inner.clock.now();
        lock(self.inner.marketplaces.of(marketplace)).expire_tokens(account, now);
    }

    /// Expires the consent codes of a marketplace that nobody has exchanged yet.
    pub fn expire_codes(&self, marketplace: Marketplace) {
        let now = self.inner.clock.now();
        lock(self.inner.marketplaces.of(marketplace)).expire_codes(now);
    }

    /// Registers an application for Seller Central's consent page, or replaces it.
    pub fn register_amazon_app(&self, app: OAuthApp) {
        lock(&self.inner.marketplaces.amazon).register_app(app);
    }

    /// Registers an application for Flipkart's consent page, or replaces it.
    pub fn register_flipkart_app(&self, app: OAuthApp) {
        lock(&self.inner.marketplaces.flipkart).register_app(app);
    }

    /// Registers a Flipkart seller, or replaces it.
    pub fn register_flipkart(&self, account: FlipkartAccount) {
        lock(&self.inner.marketplaces.flipkart).register(account);
    }

    /// Changes an order of a Flipkart seller, or one shipment of it. The update time is the given one, otherwise now.
    pub fn change_flipkart_order(
        &self,
        account: &str,
        order_id: &str,
        shipment_id: Option<&str>,
        change: &FlipkartChange,
        updated_at: Option<DateTime<Utc>>,
    ) -> Result<(), ChangeError> {
        let at = updated_at.unwrap_or_else(|| self.inner.clock.now());
        lock(&self.inner.marketplaces.flipkart).change(account, (order_id, shipment_id), change, at)
    }

    /// Lets Flipkart refuse, with this status, the lists of what customers and Flipkart itself cancelled; `None` serves them again.
    pub fn refuse_flipkart_cancellations(&self, status: Option<u16>) {
        let status = status.and_then(|status| StatusCode::from_u16(status).ok());
        lock(&self.inner.marketplaces.flipkart).refuse_cancellations(status);
    }

    /// The ids of a Flipkart seller's orders.
    pub fn flipkart_orders(&self, account: &str) -> Result<Vec<String>, ChangeError> {
        lock(&self.inner.marketplaces.flipkart).order_ids(account, self.inner.clock.now())
    }

    /// The ids of a Flipkart seller's returns with their current statuses.
    pub fn flipkart_returns(&self, account: &str) -> Result<Vec<(String, String)>, ChangeError> {
        lock(&self.inner.marketplaces.flipkart).return_statuses(account, self.inner.clock.now())
    }

    /// Moves a Flipkart return, or one item of it, to another status. The update time is the given one, otherwise now.
    pub fn set_flipkart_return_status(
        &self,
        account: &str,
        return_id: &str,
        order_item_id: Option<&str>,
        status: &str,
        updated_at: Option<DateTime<Utc>>,
    ) -> Result<(), ChangeError> {
        let at = updated_at.unwrap_or_else(|| self.inner.clock.now());
        let of = (return_id, order_item_id);
        lock(&self.inner.marketplaces.flipkart).set_return_status(account, of, status, at)
    }

    /// Registers a Meesho supplier, or replaces it.
    pub fn register_meesho(&self, account: MeeshoAccount) {
        lock(&self.inner.marketplaces.meesho).register(account);
    }

    /// Moves the simulated clock forward: tokens and page tokens age, and quotas refill.
    pub fn advance_clock(&self, by: Duration) {
        self.inner.clock.advance(by);
    }

    /// The simulated time.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.inner.clock.now()
    }

    /// Registers an AJIO user name, or replaces it and its book.
    pub fn register_ajio(&self, account: AjioAccount) {
        lock(&self.inner.marketplaces.ajio).register(account);
    }

    /// The orders of an AJIO user name with their current status.
    pub fn ajio_orders(&self, username: &str) -> Result<Vec<AjioOrderSummary>, ChangeError> {
        lock(&self.inner.marketplaces.ajio).summaries(username)
    }

    /// Lets the customer cancel an order on pendency. It leaves pendency and appears among the orders as CANCELLED.
    pub fn cancel_ajio_order(&self, username: &str, order_id: &str) -> Result<(), ChangeError> {
        lock(&self.inner.marketplaces.ajio).cancel_by_customer(username, order_id)
    }

    /// Moves an AJIO order to another status, in any direction.
    pub fn set_ajio_status(
        &self,
        username: &str,
        order_id: &str,
        status: AjioStatus,
    ) -> Result<(), ChangeError> {
        lock(&self.inner.marketplaces.ajio).set_status(username, order_id, status)
    }

    /// The ids of an AJIO user name's returns with their current statuses.
    pub fn ajio_returns(&self, username: &str) -> Result<Vec<(String, AjioReturnStatus)>, ChangeError> {
        lock(&self.inner.marketplaces.ajio).return_statuses(username)
    }

    /// Moves an AJIO return to another status, in any direction.
    pub fn set_ajio_return_status(
        &self,
        username: &str,
        return_order_id: &str,
        status: AjioReturnStatus,
    ) -> Result<(), ChangeError> {
        lock(&self.inner.marketplaces.ajio).set_return_status(username, return_order_id, status)
    }

    /// AJIO's order report, as its panel hands it out.
    pub fn ajio_order_report(&self, username: &str) -> Result<String, ChangeError> {
        lock(&self.inner.marketplaces.ajio).order_report(username)
    }

    /// AJIO's report of returns (RTV), as its panel hands it out.
    pub fn ajio_rtv_report(&self, username: &str) -> Result<String, ChangeError> {
        lock(&self.inner.marketplaces.ajio).rtv_report(username)
    }

    /// Amazon's flat file of all orders, as Seller Central hands it out.
    pub fn amazon_order_report(&self, account: &str) -> Result<String, ChangeError> {
        lock(&self.inner.marketplaces.amazon).order_report(account)
    }

    /// An Amazon account's settlements that are reported by now, the oldest first: what its orders should have given.
    pub fn amazon_settlements(&self, account: &str) -> Result<Vec<AmazonSettlement>, ChangeError> {
        lock(&self.inner.marketplaces.amazon).settlements(account, self.inner.clock.now())
    }

    /// Registers a selling partner, or replaces it and its book.
    pub fn register_amazon(&self, account: AmazonAccount) {
        lock(&self.inner.marketplaces.amazon).register(account);
    }

    /// Gives every line of an Amazon order a new status text. The update time is the given one, otherwise now.
    pub fn set_amazon_status(
        &self,
        account: &str,
        order_id: &str,
        status: &str,
        updated_at: Option<DateTime<Utc>>,
    ) -> Result<(), ChangeError> {
        let at = updated_at.unwrap_or_else(|| self.inner.clock.now());
        lock(&self.inner.marketplaces.amazon).set_status(account, order_id, status, at)
    }

    /// Changes the usage plan of searchOrders and fills every account's bucket.
    pub fn set_search_orders_quota(&self, quota: Quota) {
        lock(&self.inner.marketplaces.amazon).set_search_orders_quota(quota);
    }

    /// Changes how often a client finds a report of Amazon's unfinished before it is ready, also for reports under way.
    pub fn set_amazon_report_looks(&self, looks: u32) {
        lock(&self.inner.marketplaces.amazon).set_report_looks(looks);
    }

    /// Changes AJIO's throttle and fills every account's bucket.
    pub fn set_ajio_quota(&self, quota: Option<Quota>) {
        lock(&self.inner.marketplaces.ajio).set_quota(quota);
    }
}
