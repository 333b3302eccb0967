//! `model`: a small model of dispatch (ledger, leases, lanes, outbox, sweep, dead letters, holds), searched for a way to lose, double or
//! delay an order for ever. Every order of events within a scenario's bounds is tried.

mod action;
mod command;
mod defect;
mod fact;
mod hunt;
pub mod ledger;
mod marketplace;
mod options;
mod possible;
mod program;
mod promise;
mod recovery;
mod scenario;
mod search;
mod story;
mod transition;
pub mod turns;
mod world;

pub use command::run;
pub use defect::{Defect, Rules};
pub use hunt::{Hunted, hunt};
pub use marketplace::Position;
pub use options::ModelOptions;
pub use scenario::{SCENARIOS, Scenario};
pub use search::{Explored, Finding, explore};
pub use story::tell;
pub use transition::Model;
pub use world::Budget;
