//! Tenancy: scopes, the scoped session and the pool behind it. They are the only way to SQL.
//!
//! A [`Database`] runs statements inside a scope and in no other way: a [`SellerScope`] (a member, or a job whose account
//! belongs to the seller), a [`PersonScope`], a [`StaffScope`] or a [`SystemScope`]. The database checks each scope as it is entered, and
//! row level security refuses what the code forgot. See this crate's README for the protocol.

mod config;
mod connection;
mod database;
mod error;
mod ids;
mod permission;
mod pipeline;
mod scope;
mod session;

pub use config::{DatabaseConfig, Limits, MAX_IDLE, Password, Tls};
pub use database::{Database, client_tls};
pub use error::Error;
pub use ids::{
    AccountId, ClaimId, DeadLetterId, ExportId, ID_PATTERN, ImpersonationId, ImportId, InvitationId,
    ListingId, MemberId, NotAnId, ObjectId, OrderId, PayoutId, PersonId, QuarantinedRecordId, ReturnId,
    RunId, ScanId, SellerId, ShipmentId, parse_id,
};
pub use permission::{Access, Permission};
pub use scope::{PersonScope, Scope, SellerScope, StaffScope, Subject, SystemScope};
pub use session::Session;

pub use tokio_postgres::Row;
pub use tokio_postgres::types::ToSql;

/// Parameters of a statement, in the order of their numbers.
pub type Params<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A statement and its parameters.
pub(crate) type Request<'a> = (&'static str, Params<'a>);
