//! The shared state of one simulator and everything that can be done to it from outside.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::ajio::{Ajio, AjioOrderSummary, AjioStatus};
use crate::amazon::Amazon;
use crate::clock::Clock;
use crate::config::{AjioAccount, AmazonAccount, FlipkartAccount, MeeshoAccount, OAuthApp, SimulatorConfig};
use crate::faults::{Fault, Faults};
use crate::flipkart::Flipkart;
use crate::ledger::{Ledger, LedgerReport};
use crate::meesho::Meesho;
use crate::quota::Quota;

/// Which stand-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Marketplace {
    /// AJIO dropship, under `/ajio`.
    Ajio,
    /// Amazon's Selling Partner API and its token service, under `/amazon`.
    Amazon,
    /// Flipkart's OAuth service, under `/flipkart`.
    Flipkart,
    /// A bridge to Meesho's partner programme, under `/meesho`. Its protocol is ours.
    Meesho,
}

/// Why a simulator could not start.
#[derive(Debug, Error)]
pub enum SimulatorError {
    /// The address is taken or not ours.
    #[error("cannot listen on {address}; choose another address or port")]
    Listen {
        /// The address asked for.
        address: std::net::SocketAddr,
        /// What the operating system says.
        #[source]
        source: std::io::Error,
    },
    /// The server's thread or its runtime could not be made, or the server ended with an error.
    #[error("cannot run the server")]
    Run(#[source] std::io::Error),
}

/// Why an order could not be changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChangeError {
    /// No such account, or none that has asked for a token yet.
    #[error("the account is unknown; register it or let it ask for a token first")]
    UnknownAccount,
    /// No such order.
    #[error("the order is not in this account's book")]
    UnknownOrder,
    /// AJIO's customers can cancel only what the seller has not acknowledged.
    #[error("the order is not on pendency; a customer cannot cancel it any more")]
    NotPending,
}

/// One simulator: all marketplaces, the faults that are set, and the ledger. Cloning shares it.
#[derive(Clone)]
pub struct State {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) clock: Clock,
    pub(crate) ajio: Mutex<Ajio>,
    pub(crate) amazon: Mutex<Amazon>,
    pub(crate) flipkart: Mutex<Flipkart>,
    pub(crate) meesho: Mutex<Meesho>,
    pub(crate) faults: Mutex<Faults>,
    pub(crate) ledger: Arc<Mutex<Ledger>>,
}

impl State {
    /// A simulator that nobody can reach yet.
    #[must_use]
    pub fn new(config: &SimulatorConfig) -> Self {
        let inner = Inner {
            clock: Clock::default(),
            ajio: Mutex::new(Ajio::new(&config.ajio)),
            amazon: Mutex::new(Amazon::new(&config.amazon)),
            flipkart: Mutex::new(Flipkart::new(&config.flipkart)),
            meesho: Mutex::new(Meesho::new(&config.meesho)),
            faults: Mutex::default(),
            ledger: Arc::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Sets a fault, behind those already set.
    pub fn add_fault(&self, fault: Fault) {
        lock(&self.inner.faults).add(fault);
    }

    /// Lets everything work again.
    pub fn clear_faults(&self) {
        lock(&self.inner.faults).clear();
    }

    /// The faults that are still set.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        lock(&self.inner.faults).list()
    }

    /// What was asked and served so far.
    #[must_use]
    pub fn ledger(&self) -> LedgerReport {
        lock(&self.inner.ledger).report()
    }

    /// Starts the ledger anew.
    pub fn reset_ledger(&self) {
        lock(&self.inner.ledger).reset();
    }

    /// Ends the access tokens of one account, or of all accounts of a marketplace, at once.
    pub fn expire_tokens(&self, marketplace: Marketplace, account: Option<&str>) {
        let now = self.inner.clock.now();
        match marketplace {
            Marketplace::Ajio => lock(&self.inner.ajio).expire_tokens(account, now),
            Marketplace::Amazon => lock(&self.inner.amazon).expire_tokens(account, now),
            Marketplace::Flipkart => lock(&self.inner.flipkart).expire_tokens(account, now),
            Marketplace::Meesho => {} // each of its calls is signed by itself
        }
    }

    /// Ends the consent codes of a marketplace that nobody has exchanged yet.
    pub fn expire_codes(&self, marketplace: Marketplace) {
        let now = self.inner.clock.now();
        match marketplace {
            Marketplace::Amazon => lock(&self.inner.amazon).expire_codes(now),
            Marketplace::Flipkart => lock(&self.inner.flipkart).expire_codes(now),
            Marketplace::Ajio | Marketplace::Meesho => {}
        }
    }

    /// Registers an application for Seller Central's consent page, or replaces it.
    pub fn register_amazon_app(&self, app: OAuthApp) {
        lock(&self.inner.amazon).register_app(app);
    }

    /// Registers an application for Flipkart's consent page, or replaces it.
    pub fn register_flipkart_app(&self, app: OAuthApp) {
        lock(&self.inner.flipkart).register_app(app);
    }

    /// Registers a Flipkart seller, or replaces it.
    pub fn register_flipkart(&self, account: FlipkartAccount) {
        lock(&self.inner.flipkart).register(account);
    }

    /// Registers a Meesho supplier, or replaces it.
    pub fn register_meesho(&self, account: MeeshoAccount) {
        lock(&self.inner.meesho).register(account);
    }

    /// Moves the simulated clock forward: tokens and page tokens age, quotas fill.
    pub fn advance_clock(&self, by: Duration) {
        self.inner.clock.advance(by);
    }

    /// The simulated instant.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        self.inner.clock.now()
    }

    /// Registers an AJIO user name, or replaces it together with its book.
    pub fn register_ajio(&self, account: AjioAccount) {
        lock(&self.inner.ajio).register(account);
    }

    /// The orders of an AJIO user name with their present status.
    pub fn ajio_orders(&self, username: &str) -> Result<Vec<AjioOrderSummary>, ChangeError> {
        lock(&self.inner.ajio).summaries(username)
    }

    /// Lets the customer cancel an order on pendency: it vanishes there and appears among the orders as CANCELLED.
    pub fn cancel_ajio_order(&self, username: &str, order_id: &str) -> Result<(), ChangeError> {
        lock(&self.inner.ajio).cancel_by_customer(username, order_id)
    }

    /// Moves an AJIO order to another status, in any direction.
    pub fn set_ajio_status(
        &self,
        username: &str,
        order_id: &str,
        status: AjioStatus,
    ) -> Result<(), ChangeError> {
        lock(&self.inner.ajio).set_status(username, order_id, status)
    }

    /// Registers a selling partner, or replaces it together with its book.
    pub fn register_amazon(&self, account: AmazonAccount) {
        lock(&self.inner.amazon).register(account);
    }

    /// Gives every line of an Amazon order a new status text, updated at the given instant or now.
    pub fn set_amazon_status(
        &self,
        account: &str,
        order_id: &str,
        status: &str,
        updated_at: Option<DateTime<Utc>>,
    ) -> Result<(), ChangeError> {
        let at = updated_at.unwrap_or_else(|| self.inner.clock.now());
        lock(&self.inner.amazon).set_status(account, order_id, status, at)
    }

    /// Changes the usage plan of searchOrders and fills every account's bucket.
    pub fn set_search_orders_quota(&self, quota: Quota) {
        lock(&self.inner.amazon).set_search_orders_quota(quota);
    }

    /// Changes AJIO's throttle and fills every account's bucket.
    pub fn set_ajio_quota(&self, quota: Option<Quota>) {
        lock(&self.inner.ajio).set_quota(quota);
    }
}

/// Locks without caring for poison: a panic in one request must not end the others.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
