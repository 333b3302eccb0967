//! The adapter function: takes a job from an account's lane, reads the marketplace page by page, and stores each page
//! with the run's progress in one transaction. One binary, deployed once per marketplace.

mod arrivals;
pub mod context;
mod counted;
pub mod credentials;
pub mod dead_letters;
pub mod error;
pub mod handler;
pub mod job;
pub mod pace;
mod retry;
pub mod slice;
pub mod store;
pub mod summary;
pub mod tokens;
