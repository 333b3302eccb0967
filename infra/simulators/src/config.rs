//! The configuration of a simulator.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::order_book::{OrderBook, OrderBookError};
use crate::quota::Quota;

/// The configuration of a simulator. It does not implement `Debug`, because it contains credentials.
#[derive(Clone)]
pub struct SimulatorConfig {
    /// Where to listen; port 0 lets the system choose.
    pub bind: SocketAddr,
    /// The simulated AJIO.
    pub ajio: AjioConfig,
    /// The simulated Amazon.
    pub amazon: AmazonConfig,
    /// The simulated Flipkart.
    pub flipkart: FlipkartConfig,
    /// The simulated bridge to Meesho.
    pub meesho: MeeshoConfig,
}

impl SimulatorConfig {
    /// A simulator on loopback and a free port, with generated AJIO orders and this order book for Amazon and Flipkart.
    #[must_use]
    pub fn new(default_book: OrderBook) -> Self {
        Self {
            bind: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            ajio: AjioConfig::default(),
            flipkart: FlipkartConfig::new(default_book.clone()),
            amazon: AmazonConfig::new(default_book),
            meesho: MeeshoConfig::default(),
        }
    }

    /// Like [`SimulatorConfig::new`], with the order book that belongs to the simulators.
    pub fn sample() -> Result<Self, OrderBookError> {
        OrderBook::sample().map(Self::new)
    }
}

/// The simulated AJIO.
#[derive(Clone)]
pub struct AjioConfig {
    /// Orders in the book of each user name.
    pub orders: usize,
    /// Lifetime of an access token.
    pub token_seconds: u32,
    /// Throttle for each user name; none when absent.
    pub quota: Option<Quota>,
    /// User names with a fixed password or a book of another size.
    pub accounts: Vec<AjioAccount>,
}

impl Default for AjioConfig {
    fn default() -> Self {
        Self { orders: 120, token_seconds: 1_800, quota: None, accounts: Vec::new() }
    }
}

/// A registered AJIO user name.
#[derive(Clone)]
pub struct AjioAccount {
    /// The user name.
    pub username: String,
    /// The only accepted password; any non-empty one when absent.
    pub password: Option<String>,
    /// Orders in its book; [`AjioConfig::orders`] when absent.
    pub orders: Option<usize>,
}

/// The simulated Amazon.
#[derive(Clone)]
pub struct AmazonConfig {
    /// The orders of every selling partner that is not registered.
    pub default_book: OrderBook,
    /// Whether unregistered credentials get tokens (for the default book).
    pub accept_unregistered: bool,
    /// Lifetime of an access token.
    pub token_seconds: u32,
    /// Usage plan of searchOrders, for each account.
    pub search_orders: Quota,
    /// Usage plan of getOrder, for each account.
    pub get_order: Quota,
    /// Usage plan of createReport, for each account.
    pub create_report: Quota,
    /// Usage plan of getReports, for each account.
    pub get_reports: Quota,
    /// Usage plan of listTransactions, for each account.
    pub list_transactions: Quota,
    /// Usage plan of getReport, for each account.
    pub get_report: Quota,
    /// Usage plan of getReportDocument, for each account.
    pub get_report_document: Quota,
    /// How often a client finds a report unfinished before it is ready.
    pub report_looks: u32,
    /// Registered selling partners.
    pub accounts: Vec<AmazonAccount>,
    /// Applications that sellers can consent to.
    pub apps: Vec<OAuthApp>,
}

impl AmazonConfig {
    /// Amazon's published usage plans and token lifetime.
    #[must_use]
    pub fn new(default_book: OrderBook) -> Self {
        Self {
            default_book,
            accept_unregistered: true,
            token_seconds: 3_600,
            search_orders: Quota { rate: 0.0056, burst: 20 },
            get_order: Quota { rate: 0.5, burst: 30 },
            create_report: Quota { rate: 0.0167, burst: 15 },
            get_reports: Quota { rate: 0.0222, burst: 10 },
            list_transactions: Quota { rate: 0.5, burst: 10 },
            get_report: Quota { rate: 2.0, burst: 15 },
            get_report_document: Quota { rate: 0.0167, burst: 15 },
            report_looks: 2,
            accounts: Vec::new(),
            apps: vec![OAuthApp::sample()],
        }
    }
}

/// A registered selling partner, recognised by its refresh token.
#[derive(Clone)]
pub struct AmazonAccount {
    /// Its name in faults, ledger and control calls.
    pub account: String,
    /// The refresh token that identifies it.
    pub refresh_token: String,
    /// The only client id that is accepted with the token; any when absent.
    pub client_id: Option<String>,
    /// The only client secret that is accepted with the token; any non-empty one when absent.
    pub client_secret: Option<String>,
    /// Its orders.
    pub orders: OrderBook,
}

/// An application that sellers can consent to.
#[derive(Clone)]
pub struct OAuthApp {
    /// Its id on the consent page; at Flipkart this is the client id.
    pub application_id: String,
    /// OAuth client id.
    pub client_id: String,
    /// OAuth client secret.
    pub client_secret: String,
    /// The addresses to which the page may send sellers back; any address when empty.
    pub redirect_uris: Vec<String>,
}

impl OAuthApp {
    /// The application that the simulators know from the start. Its credentials work nowhere else.
    #[must_use]
    pub fn sample() -> Self {
        Self {
            application_id: "simulated-app".to_owned(),
            client_id: "simulated-app".to_owned(),
            client_secret: "simulated-app-secret".to_owned(),
            redirect_uris: Vec::new(),
        }
    }

    pub(crate) fn may_return_to(&self, uri: &str) -> bool {
        let is_web = uri.starts_with("http://") || uri.starts_with("https://");
        is_web && (self.redirect_uris.is_empty() || self.redirect_uris.iter().any(|known| known == uri))
    }
}

/// The simulated Flipkart.
#[derive(Clone)]
pub struct FlipkartConfig {
    /// The orders of every seller that has none of its own.
    pub default_book: OrderBook,
    /// Whether unregistered self-access keys get tokens.
    pub accept_unregistered: bool,
    /// Lifetime of an access token.
    pub token_seconds: u32,
    /// Lifetime of a refresh token.
    pub refresh_token_seconds: u32,
    /// Registered sellers.
    pub accounts: Vec<FlipkartAccount>,
    /// Applications that sellers can consent to.
    pub apps: Vec<OAuthApp>,
}

impl FlipkartConfig {
    /// Flipkart's published lifetimes of 60 and 180 days.
    #[must_use]
    pub fn new(default_book: OrderBook) -> Self {
        Self {
            default_book,
            accept_unregistered: true,
            token_seconds: 60 * 86_400 - 1,
            refresh_token_seconds: 180 * 86_400,
            accounts: Vec::new(),
            apps: vec![OAuthApp::sample()],
        }
    }
}

/// A registered Flipkart seller with a self-access application.
#[derive(Clone)]
pub struct FlipkartAccount {
    /// Its name in faults, ledger and control calls.
    pub account: String,
    /// Application id.
    pub app_id: String,
    /// The only application secret that is accepted with the id.
    pub app_secret: String,
    /// Its orders; [`FlipkartConfig::default_book`] when absent.
    pub orders: Option<OrderBook>,
}

/// The simulated bridge to Meesho.
#[derive(Clone, Default)]
pub struct MeeshoConfig {
    /// Registered suppliers. Calls of others are rejected.
    pub accounts: Vec<MeeshoAccount>,
}

/// A registered Meesho supplier.
#[derive(Clone)]
pub struct MeeshoAccount {
    /// Supplier id, which is also its name in faults and ledger.
    pub supplier_id: String,
    /// API key.
    pub api_key: String,
    /// API secret, which signs requests.
    pub api_secret: String,
}
