//! The database's schema: the migrations, in order, and what applies them.
//!
//! The migrate function uses it on deploy, and the test kit uses it too, so that tests run on exactly the deployed schema.

mod migrations;
mod runner;

pub use migrations::{MIGRATIONS, Migration};
pub use runner::{Applied, SchemaError, apply};
