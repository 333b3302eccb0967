//! The simulators' ledger: which calls came, their statuses, and how many orders were served. It contains no token and no body.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use crate::lock::lock;
use crate::marketplace::Marketplace;

/// Calls of one account with the same method, path and status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerLine {
    /// The marketplace.
    pub marketplace: Marketplace,
    /// The marketplace's name for the account; `-` if the call did not say.
    pub account: String,
    /// HTTP method.
    pub method: String,
    /// Path after the marketplace's prefix, with `{orderId}` in place of an order id, and likewise for other ids.
    pub path: String,
    /// HTTP status; 0 if the client disconnected before the response.
    pub status: u16,
    /// How many calls.
    pub requests: u64,
    /// How many orders the responses contained; at Flipkart, shipments.
    pub orders_served: u64,
}

/// Calls without a response yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    /// The marketplace.
    pub marketplace: Marketplace,
    /// The account, as in [`LedgerLine::account`].
    pub account: String,
    /// HTTP method.
    pub method: String,
    /// The path, as in [`LedgerLine::path`].
    pub path: String,
    /// How many calls.
    pub requests: u64,
}

/// How many access tokens were issued. Their values are never shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokensIssued {
    /// The marketplace that issued them.
    pub marketplace: Marketplace,
    /// The account.
    pub account: String,
    /// How many tokens.
    pub tokens: u64,
}

/// The whole ledger since the start or the last reset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerReport {
    /// Calls that have ended.
    pub lines: Vec<LedgerLine>,
    /// Calls in flight.
    pub in_flight: Vec<InFlight>,
    /// Issued access tokens.
    pub tokens_issued: Vec<TokensIssued>,
}

impl LedgerReport {
    /// Calls to exactly this path, with any method, account and status.
    #[must_use]
    pub fn requests(&self, marketplace: Marketplace, path: &str) -> u64 {
        self.lines_of(marketplace, path).map(|line| line.requests).sum()
    }

    /// Calls to exactly this path that ended with this status.
    #[must_use]
    pub fn requests_with_status(&self, marketplace: Marketplace, path: &str, status: u16) -> u64 {
        self.lines_of(marketplace, path).filter(|line| line.status == status).map(|line| line.requests).sum()
    }

    /// Orders that this path has served.
    #[must_use]
    pub fn orders_served(&self, marketplace: Marketplace, path: &str) -> u64 {
        self.lines_of(marketplace, path).map(|line| line.orders_served).sum()
    }

    /// Access tokens that a marketplace has issued.
    #[must_use]
    pub fn tokens_issued(&self, marketplace: Marketplace) -> u64 {
        self.tokens_issued
            .iter()
            .filter(|issued| issued.marketplace == marketplace)
            .map(|issued| issued.tokens)
            .sum()
    }

    /// Calls to exactly this path that are in flight.
    #[must_use]
    pub fn in_flight(&self, marketplace: Marketplace, path: &str) -> u64 {
        let waiting =
            self.in_flight.iter().filter(|line| line.marketplace == marketplace && line.path == path);
        waiting.map(|line| line.requests).sum()
    }

    fn lines_of(&self, marketplace: Marketplace, path: &str) -> impl Iterator<Item = &LedgerLine> {
        self.lines.iter().filter(move |line| line.marketplace == marketplace && line.path == path)
    }
}

/// The account, method and path of a call.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CallKey {
    pub(crate) marketplace: Marketplace,
    pub(crate) account: String,
    pub(crate) method: String,
    pub(crate) path: String,
}

#[derive(Debug, Default)]
struct Sums {
    requests: u64,
    orders: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    lines: BTreeMap<(CallKey, u16), Sums>,
    in_flight: BTreeMap<CallKey, u64>,
    tokens: BTreeMap<(Marketplace, String), u64>,
}

impl Ledger {
    pub(crate) fn report(&self) -> LedgerReport {
        let line = |((key, status), sums): (&(CallKey, u16), &Sums)| LedgerLine {
            marketplace: key.marketplace,
            account: key.account.clone(),
            method: key.method.clone(),
            path: key.path.clone(),
            status: *status,
            requests: sums.requests,
            orders_served: sums.orders,
        };
        let waiting = |(key, requests): (&CallKey, &u64)| InFlight {
            marketplace: key.marketplace,
            account: key.account.clone(),
            method: key.method.clone(),
            path: key.path.clone(),
            requests: *requests,
        };
        let issued = |((marketplace, account), tokens): (&(Marketplace, String), &u64)| TokensIssued {
            marketplace: *marketplace,
            account: account.clone(),
            tokens: *tokens,
        };
        LedgerReport {
            lines: self.lines.iter().map(line).collect(),
            in_flight: self.in_flight.iter().map(waiting).collect(),
            tokens_issued: self.tokens.iter().map(issued).collect(),
        }
    }

    /// Forgets all calls that have ended. Calls in flight stay.
    pub(crate) fn reset(&mut self) {
        self.lines.clear();
        self.tokens.clear();
    }

    fn end(&mut self, key: &CallKey, status: u16, orders: u64) {
        if let Some(waiting) = self.in_flight.get_mut(key) {
            *waiting -= 1;
            if *waiting == 0 {
                self.in_flight.remove(key);
            }
        }
        let sums = self.lines.entry((key.clone(), status)).or_default();
        sums.requests += 1;
        sums.orders += orders;
    }
}

/// A call in flight. If it is dropped without a response, the client has disconnected, and the ledger gets status 0.
pub(crate) struct OpenCall {
    ledger: Arc<Mutex<Ledger>>,
    key: CallKey,
    answered: bool,
}

impl OpenCall {
    pub(crate) fn begin(ledger: &Arc<Mutex<Ledger>>, key: CallKey) -> Self {
        *lock(ledger).in_flight.entry(key.clone()).or_default() += 1;
        Self { ledger: Arc::clone(ledger), key, answered: false }
    }

    pub(crate) fn answered(mut self, status: u16, orders: u64, issued_token: bool) {
        self.answered = true;
        let mut ledger = lock(&self.ledger);
        ledger.end(&self.key, status, orders);
        if issued_token {
            *ledger.tokens.entry((self.key.marketplace, self.key.account.clone())).or_default() += 1;
        }
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        if !self.answered {
            lock(&self.ledger).end(&self.key, 0, 0);
        }
    }
}
