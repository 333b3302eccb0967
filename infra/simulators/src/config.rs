//! What a simulator starts with.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::order_book::{OrderBook, OrderBookError};
use crate::quota::Quota;

/// Everything a simulator starts with. There is no `Debug`, since credentials are part of it.
#[derive(Clone)]
pub struct SimulatorConfig {
    /// Where to listen; port 0 lets the system choose.
    pub bind: SocketAddr,
    /// The AJIO stand-in.
    pub ajio: AjioConfig,
    /// The Amazon stand-in.
    pub amazon: AmazonConfig,
}

impl SimulatorConfig {
    /// Loopback, a port of the system's choice, generated AJIO orders and this Amazon order book.
    #[must_use]
    pub fn new(default_book: OrderBook) -> Self {
        Self {
            bind: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            ajio: AjioConfig::default(),
            amazon: AmazonConfig::new(default_book),
        }
    }

    /// As [`SimulatorConfig::new`], with the order book that ships with the simulators.
    pub fn sample() -> Result<Self, OrderBookError> {
        OrderBook::sample().map(Self::new)
    }
}

/// The AJIO stand-in.
#[derive(Clone)]
pub struct AjioConfig {
    /// Orders in the book of each user name.
    pub orders: usize,
    /// Life of an access token.
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
    /// The only password accepted; any non-empty one when absent.
    pub password: Option<String>,
    /// Orders in its book; the common number when absent.
    pub orders: Option<usize>,
}

/// The Amazon stand-in.
#[derive(Clone)]
pub struct AmazonConfig {
    /// The orders of every selling partner that is not registered.
    pub default_book: OrderBook,
    /// Whether credentials that are not registered get tokens (for the default book).
    pub accept_unregistered: bool,
    /// Life of an access token.
    pub token_seconds: u32,
    /// Usage plan of searchOrders, for each account.
    pub search_orders: Quota,
    /// Usage plan of getOrder, for each account.
    pub get_order: Quota,
    /// Registered selling partners.
    pub accounts: Vec<AmazonAccount>,
}

impl AmazonConfig {
    /// Amazon's published usage plans and token life.
    #[must_use]
    pub fn new(default_book: OrderBook) -> Self {
        Self {
            default_book,
            accept_unregistered: true,
            token_seconds: 3_600,
            search_orders: Quota { rate: 0.0056, burst: 20 },
            get_order: Quota { rate: 0.5, burst: 30 },
            accounts: Vec::new(),
        }
    }
}

/// A registered selling partner, recognised by its refresh token.
#[derive(Clone)]
pub struct AmazonAccount {
    /// Its name in faults, ledger and control calls.
    pub account: String,
    /// The refresh token that stands for it.
    pub refresh_token: String,
    /// The only client id accepted with that token; any when absent.
    pub client_id: Option<String>,
    /// The only client secret accepted with that token; any non-empty one when absent.
    pub client_secret: Option<String>,
    /// Its orders.
    pub orders: OrderBook,
}
