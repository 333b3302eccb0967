//! Files of payments become parts of payouts whose lines add up to the paisa.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

#[path = "payments/kit.rs"]
mod kit;
#[path = "payments/meesho.rs"]
mod meesho;
