//! Simulated marketplaces in one process, on one loopback port: AJIO dropship, Amazon's Selling Partner API, Flipkart's
//! seller API, and a bridge to Meesho's partner programme.
//!
//! Tests start a simulator in-process with [`Simulator::start`]; the binary of this package serves the same for a local cloud.
//! The rule of this crate: amounts are decimals from the file to the wire and never pass through a float.

mod ajio;
mod amazon;
mod call;
mod clock;
mod config;
mod consent;
mod control;
mod error;
mod faults;
mod flipkart;
mod handler;
mod ledger;
mod lock;
mod marketplace;
mod meesho;

mod oauth_token;
mod order_book;
mod page_fault;
mod quota;
mod server;
mod simulated;
mod state;
mod tokens;

pub use ajio::{AjioOrderSummary, AjioReturnStatus, AjioStatus};
pub use amazon::{AmazonCustomer, AmazonSettlement};
pub use config::{
    AjioAccount, AjioConfig, AmazonAccount, AmazonConfig, FlipkartAccount, FlipkartConfig, MeeshoAccount,
    MeeshoConfig, OAuthApp, SimulatorConfig,
};
pub use error::{ChangeError, SimulatorError};
pub use faults::{Fault, FaultKind};
pub use flipkart::FlipkartChange;
pub use ledger::{InFlight, LedgerLine, LedgerReport, TokensIssued};
pub use marketplace::Marketplace;
pub use meesho::panel::{MeeshoColumns, meesho_orders, meesho_returns};
pub use order_book::{CellProblem, Fulfilment, Line, Order, OrderBook, OrderBookError};
pub use page_fault::Malformation;
pub use quota::Quota;
pub use server::{Addresses, Simulator, router, serve};
pub use state::State;
