//! Files of payments become parts of payouts whose lines add up to the paisa.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

#[path = "payments/ajio.rs"]
mod ajio;
#[path = "payments/amazon.rs"]
mod amazon;
#[path = "payments/flipkart.rs"]
mod flipkart;
#[path = "payments/kit.rs"]
mod kit;
#[path = "payments/meesho.rs"]
mod meesho;
