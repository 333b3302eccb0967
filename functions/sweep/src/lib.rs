//! The sweeps: they publish due runs, make claims for overdue returns, delete expired bookkeeping rows, have data keys wrapped by the
//! right KMS keys, replace old data keys, move raw pages into objects, close sellers that asked for it and tell sellers of their usage,
//! across sellers.
//! Across sellers they see only ids, states and times. A seller's own rows are read and written in that seller's scope.

pub mod claims;
pub mod closing;
mod context;
mod error;
mod handler;
pub mod keys;
pub mod raw_pages;
pub mod reseal;
pub mod retention;
pub mod scheduling;
mod seller;
pub mod usage;

pub use context::{Context, Erasure};
pub use error::SweepError;
pub use handler::{Report, Request, handle};
