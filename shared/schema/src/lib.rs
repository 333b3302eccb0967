//! The database's schema: the migrations, in order, and what applies them.
//!
//! Used by the migrate function on deploy and by the test kit, so that tests run on exactly what is deployed.

mod migrations;
mod runner;

pub use migrations::{MIGRATIONS, Migration};
pub use runner::{Applied, SchemaError, apply};
