//! Logging: one JSON object per line, with dotted field names (`seller.id`, `run.id`) and levels from `RUST_LOG`. Panics are
//! logged, counted and caught here too, so that no panic ends a function.
//!
//! A line says which request or job it belongs to (`trace.id`, `work.rs`). Log a failure once, where it is handled. No field may hold a secret, token, body, SQL parameter or customer's data.

pub mod metric;
mod panics;
pub mod work;

pub use panics::{PANICS, Panicked, caught};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// Starts logging, also of panics, to standard output, which Lambda sends to CloudWatch Logs, and counts a cold
/// start. Call it once, first in a function's `main`.
pub fn init() {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    // CloudWatch adds a time to each line, but only the line's own time survives an export.
    let json = tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(true)
        .with_span_list(false);
    tracing_subscriber::registry().with(filter).with(json).init();
    panics::report();
    metric::count(metric::COLD_STARTS);
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
