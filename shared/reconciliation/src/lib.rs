//! Was the seller paid what it should have been? Pure functions: no database, no network, no clock.
//!
//! [`reconcile_order`] takes what is known of one order (the order, its returns, its claims, the entries of payouts that name it) and the
//! [`Rules`] (rate cards, statutory rates, terms), and gives every line of these entries a [`Verdict`], and a [`Finding`] for what is
//! wrong. [`reconcile_account_entry`] and [`reconcile_payout`] do the same for what belongs to no order. Only one order's facts are in
//! memory at a time. The same input in any order gives the same result; a finding keeps its [`FindingKey`] when its amounts change.

pub mod account;
pub mod card;
pub mod changes;
mod component;
pub mod expected;
pub mod facts;
pub mod finding;
mod judge;
pub mod line_type;
pub mod money;
pub mod order;
pub mod rules;
pub mod statutory;
pub mod taxable;
mod unit;
pub mod verdict;

pub use account::{AccountResult, reconcile_account_entry, reconcile_payout};
pub use card::{CardError, RateCard, RateRow};
pub use changes::{Changes, changes};
pub use expected::{Breakdown, NoCard, expected_amounts};
pub use finding::{Detail, Finding, FindingKey, FindingKind};
pub use line_type::LineType;
pub use order::{OrderResult, reconcile_order};
pub use rules::{Rules, SettlementStart, Terms};
pub use statutory::{StatutoryRate, Tax, implied_rates};
pub use taxable::deductions;
pub use verdict::{LineVerdict, Sums, Verdict};
