//! The HTTP API: sellers, their marketplace accounts, sync requests, runs and orders.
//!
//! A handler states what it needs in its signature: [`identity::Member`] is the only way to a seller's rows, and the
//! database checks the membership and its rights. Whatever goes wrong becomes an HTTP answer in [`problem`].

pub mod app;
mod cursor;
mod fields;
pub mod identity;
mod json;
pub mod problem;
mod query;
mod request_log;
pub mod routes;
