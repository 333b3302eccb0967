//! Marketplaces: the adapter contract, the registry, and one module per marketplace.

pub mod code;
pub mod contract;
pub mod details;
pub mod error;
pub mod record;
