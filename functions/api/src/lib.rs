//! The HTTP API: sellers, their marketplace accounts, sync requests, runs and orders.
//!
//! A handler states its needs in its signature: [`identity::Member`] is the only way to a seller's rows, and the database
//! checks the membership and the right that it names. The same signature describes the operation in the [`openapi`]
//! document. Every error becomes an HTTP response in [`problem`].

pub mod both_ways;
pub mod context;
mod cursor;
mod details_schema;
mod email;
pub mod exportable;
mod fields;
pub mod gateway;
pub mod handler;
mod idempotency;
pub mod identity;
mod json;
mod kinds;
mod known_text;
pub mod lists;
pub mod mail;
mod one_time_token;
pub mod openapi;
pub mod problem;
mod query;
mod request_log;
mod response_headers;
pub mod route_permissions;
pub mod router;
pub mod routes;
pub mod signature;
mod staff_only;
mod upload;
pub mod variants;
mod versions;
mod whole;
