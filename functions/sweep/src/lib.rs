//! The sweeps: they publish due runs, make claims for overdue returns and delete expired bookkeeping rows, across sellers.
//! Across sellers they see only ids, states and times. A seller's own rows are read and written in that seller's scope.

pub mod claims;
mod context;
mod error;
mod handler;
pub mod retention;
pub mod scheduling;

pub use context::Context;
pub use error::SweepError;
pub use handler::{Report, Request, handle};
