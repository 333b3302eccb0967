//! The ledger: what was asked, what was answered, and how many orders went out. It holds no token and no body.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use serde::{Deserialize, Serialize};

use crate::lock::lock;
use crate::marketplace::Marketplace;

/// Calls of one account to one path that ended in the same way.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerLine {
    /// Which stand-in was asked.
    pub marketplace: Marketplace,
    /// AJIO user name or Amazon account name; `-` when the call did not say.
    pub account: String,
    /// HTTP method.
    pub method: String,
    /// Path after the marketplace's prefix, with `{orderId}` in place of an order id.
    pub path: String,
    /// HTTP status; 0 when the client went away before the answer.
    pub status: u16,
    /// How many calls.
    pub requests: u64,
    /// How many orders those answers held.
    pub orders_served: u64,
}

/// Calls that have not been answered yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    /// Which stand-in was asked.
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

/// Access tokens handed out; never their values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokensIssued {
    /// Which stand-in issued them.
    pub marketplace: Marketplace,
    /// To which account.
    pub account: String,
    /// How many.
    pub tokens: u64,
}

/// Everything since the start or the last reset.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerReport {
    /// Answered calls.
    pub lines: Vec<LedgerLine>,
    /// Calls being answered at this moment.
    pub in_flight: Vec<InFlight>,
    /// Access tokens handed out.
    pub tokens_issued: Vec<TokensIssued>,
}

impl LedgerReport {
    /// Calls to exactly this path (any method, account and status).
    #[must_use]
    pub fn requests(&self, marketplace: Marketplace, path: &str) -> u64 {
        self.lines_of(marketplace, path).map(|line| line.requests).sum()
    }

    /// Calls to exactly this path that ended with this status.
    #[must_use]
    pub fn requests_with_status(&self, marketplace: Marketplace, path: &str, status: u16) -> u64 {
        self.lines_of(marketplace, path).filter(|line| line.status == status).map(|line| line.requests).sum()
    }

    /// Orders that left this path.
    #[must_use]
    pub fn orders_served(&self, marketplace: Marketplace, path: &str) -> u64 {
        self.lines_of(marketplace, path).map(|line| line.orders_served).sum()
    }

    /// Access tokens handed out by a marketplace.
    #[must_use]
    pub fn tokens_issued(&self, marketplace: Marketplace) -> u64 {
        self.tokens_issued
            .iter()
            .filter(|issued| issued.marketplace == marketplace)
            .map(|issued| issued.tokens)
            .sum()
    }

    /// Calls to exactly this path that still wait for their answer.
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

/// Who called what.
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

    /// Forgets what is done; calls in flight stay, since they are not.
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

/// A call that is being answered. Dropped unanswered, it is booked with status 0: the client went away.
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
