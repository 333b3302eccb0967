//! Lanes: gives each account whose credentials have worked its own FIFO queue and event source mapping, pauses and retires
//! them with the account, and repairs drift. An account that operators have moved to a shared lane uses its marketplace's parallel queue
//! instead, and has neither.
//!
//! The wanted state follows from the account's row (`lane_wanted` in the migrations); the row also stores what exists. All
//! calls to AWS are made while the row's lease is held, may be repeated, and are stored in the row before the lease is
//! released.

mod again;
mod by_itself;
mod config;
mod context;
mod error;
mod found;
mod handler;
mod lane;
mod mappings;
mod orphans;
mod pace;
mod queues;
mod reconcile;
mod removal;
mod settle;
mod shared;
mod store;

pub use config::{LaneConfig, Target, Targets};
pub use context::Context;
pub use error::LaneError;
pub use handler::{Answer, Event, handle};
pub use pace::Pace;
pub use reconcile::Report;
pub use removal::{Removal, StackEvent};
