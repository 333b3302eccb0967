//! Marketplaces: the adapter contract, the registry, and one module per marketplace.

mod ajio;
mod amazon_in;
mod bytes;
pub mod code;
pub mod contract;
pub mod deadline;
pub mod decimal;
pub mod details;
pub mod error;
mod fields;
pub mod files;
mod flipkart;
mod http;
pub mod kind;
mod lenient;
mod meesho;
pub mod oauth;
pub mod pace;
pub mod platform_app;
pub mod raw;
pub mod record;
mod records;
pub mod registry;
pub mod shared_token;
mod token_cache;
mod token_endpoint;
mod trail;
