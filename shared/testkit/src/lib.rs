//! The test kit: a migrated PostgreSQL database per test, two tenants in every fixture, and a proxy that counts what
//! crosses the wire.
//!
//! Tests run as the function's own login role. The superuser only arranges data, and looks past row level security at the
//! result of a statement.

mod aws;
#[path = "../../../functions/api/src/both_ways.rs"]
pub mod both_ways;
mod database;
mod environment;
mod fixture;
mod golden;
mod hostile;
mod lambda;
pub mod lists;
#[path = "../../../functions/api/src/variants.rs"]
pub mod variants;
mod wire;

pub use aws::{local_aws, local_objects_role, mails_of};
pub use database::TestDatabase;
pub use environment::{function_environment, refusal_to_start};
pub use fixture::{Seller, TwoSellers};
pub use golden::assert_golden;
pub use hostile::{MARKER, for_each_hostile};
pub use lambda::{Answer, LambdaProcess};
pub use wire::WireProxy;
