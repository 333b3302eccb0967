//! What can go wrong with a simulator, apart from an order book that cannot be read.

use thiserror::Error;

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
