//! The sweep: finds due work across sellers and publishes it, claims for it or lets go of it. Across sellers it sees ids,
//! states and times; what is then read or written of a seller happens in that seller's scope.

pub mod claims;
mod context;
mod error;
mod handler;
pub mod retention;
pub mod scheduling;

pub use context::Context;
pub use error::SweepError;
pub use handler::{Report, Request, handle};
