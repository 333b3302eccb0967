//! Logging: one JSON object per line, fields with dotted names (`seller.id`, `run.id`), levels from `RUST_LOG`. Panics
//! are logged and counted here too, and caught, so that none ends a function.
//!
//! Log a failure once, where it is handled. No secret, token, body, SQL parameter or customer's data in any field.

pub mod metric;
mod panics;

pub use panics::{PANICS, Panicked, caught};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging to standard output, which Lambda sends to CloudWatch Logs, of panics too. Call once, first thing in
/// `main`.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // CloudWatch adds the time of each line itself, but only the line's own survives an export.
    let json = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false);
    tracing_subscriber::registry().with(filter).with(json).init();
    panics::report();
}

/// An error with all its causes on one line, for a log field. Causes of our errors never hold data or secrets.
#[must_use]
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
