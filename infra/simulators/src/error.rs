//! What can go wrong with a simulator, apart from an order book that cannot be read.

use thiserror::Error;

/// Why a simulator could not start.
#[derive(Debug, Error)]
pub enum SimulatorError {
    /// The address is taken or does not belong to this machine.
    #[error("cannot listen on {address}; choose another address or port")]
    Listen {
        /// The requested address.
        address: std::net::SocketAddr,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },
    /// The server's thread or runtime could not be made, or the server ended with an error.
    #[error("cannot run the server")]
    Run(#[source] std::io::Error),
}

/// Why an order could not be changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ChangeError {
    /// There is no such account, or it has not requested a token yet.
    #[error("the account is unknown; register it or let it request a token first")]
    UnknownAccount,
    /// There is no such order.
    #[error("the order is not in this account's book; give the id of one of its orders")]
    UnknownOrder,
    /// There is no such return.
    #[error("the return is not in this account's book; give the id of one of its returns")]
    UnknownReturn,
    /// An AJIO customer can cancel only an order that the seller has not acknowledged.
    #[error("the order is not on pendency, so a customer cannot cancel it; choose one on pendency")]
    NotPending,
}
