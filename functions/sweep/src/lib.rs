//! The sweep: finds due work across sellers and rings for it. It sees ids, states and times; what a run then reads or
//! writes happens in that seller's scope, elsewhere.

mod error;
mod handler;
pub mod scheduling;

pub use error::SweepError;
pub use handler::{Context, Report, Request, handle};
