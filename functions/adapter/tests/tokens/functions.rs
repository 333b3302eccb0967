//! Functions that work for one account: each has a token cache of its own, as after a cold start, and shares the account's stored token.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use adapter::tokens::{AccountTokens, LEASE};
use async_trait::async_trait;
use robnu_marketplace::code::MarketplaceCode::Ajio;
use robnu_marketplace::contract::{Connection, Page, PageRequest};
use robnu_marketplace::deadline::Deadline;
use robnu_marketplace::details::Credentials;
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::pace::{Calls, Operation, Pace};
use robnu_marketplace::registry::{MarketplaceConfig, Registry};
use robnu_tenancy::{Database, SellerScope};
use robnu_testkit::Seller;
use simulators::Marketplace;
use zeroize::Zeroizing;

use crate::support::Stand;

pub struct Functions<'a> {
    pub stand: &'a Stand,
    pub database: Database,
    pub lease: Duration,
    /// The function that called the marketplace last.
    pub caller: Arc<AtomicUsize>,
}

/// Holds no call back, and notes who called.
struct Witness {
    number: usize,
    caller: Arc<AtomicUsize>,
}

#[async_trait]
impl Pace for Witness {
    async fn take(&self, _operation: &Operation) -> Duration {
        self.caller.store(self.number, Ordering::SeqCst);
        Duration::ZERO
    }

    async fn refused(&self, _operation: &Operation, _pause: Duration) {}
}

/// A function that is connected to one AJIO account.
pub struct Function(Box<dyn Connection>);

impl Function {
    pub async fn page(&self) -> Result<Page, AdapterError> {
        self.0.page(RunKind::Orders, &PageRequest::default()).await
    }

    pub async fn check(&self) -> Result<(), AdapterError> {
        self.0.check_credentials().await
    }

    /// Reads a page as a run does that is put off while another function signs in.
    pub async fn page_at_last(&self) -> Result<Page, AdapterError> {
        loop {
            match self.page().await {
                Err(AdapterError::TokenPending { .. }) => {}
                answer => return answer,
            }
        }
    }
}

impl<'a> Functions<'a> {
    pub async fn new(stand: &'a Stand) -> Self {
        let database = stand.test.login("robnu_adapter").await;
        Self { stand, database, lease: LEASE, caller: Arc::default() }
    }

    /// What a function of a seller's AJIO account shares with the others.
    pub fn tokens(&self, seller: &Seller) -> AccountTokens {
        AccountTokens {
            database: self.database.clone(),
            scope: SellerScope::for_job(seller.id, seller.ajio),
            account: seller.ajio,
            generation: 1,
            cipher: self.stand.own_cipher(seller.id),
            lease: self.lease,
            found: Mutex::default(),
        }
    }

    /// Starts a function for our account.
    pub fn start(&self, number: usize) -> Function {
        self.start_for(&self.stand.sellers.ours, "DV1", number)
    }

    pub fn start_for(&self, seller: &Seller, username: &str, number: usize) -> Function {
        let url = Some(self.stand.simulator.ajio_base_url().to_owned());
        let registry =
            Registry::new(&MarketplaceConfig { ajio_base_url: url, ..Default::default() }).unwrap();
        let mut credentials = Credentials::default();
        credentials.set("username", Zeroizing::new(username.to_owned()));
        credentials.set("password", Zeroizing::new("correct horse".to_owned()));
        let calls = Calls {
            deadline: Deadline::NONE,
            pace: Arc::new(Witness { number, caller: Arc::clone(&self.caller) }),
            tokens: Arc::new(self.tokens(seller)),
        };
        Function(registry.adapter(Ajio).connect(*seller.ajio.as_uuid(), credentials, calls).unwrap())
    }

    pub async fn read(&self, scope: &SellerScope, sql: &'static str) -> Vec<robnu_tenancy::Row> {
        self.database.read(scope, sql, &[]).await.unwrap()
    }

    /// Tokens that AJIO has issued.
    pub fn issued(&self) -> u64 {
        self.stand.simulator.ledger().tokens_issued(Marketplace::Ajio)
    }

    /// Requests for a token that have ended, whatever came of them.
    pub fn logins(&self) -> u64 {
        self.stand.simulator.ledger().requests(Marketplace::Ajio, "/authToken")
    }
}
