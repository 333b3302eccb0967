//! A panic ends the work that it happened in, not the function.
//!
//! Every panic, caught or not, is one line in the log and one count of the metric `Panics`, on which each function has an
//! alarm. The line says where the panic happened and leaves out its message, because the message of an `unwrap` may hold what
//! somebody sent.

use std::panic::{AssertUnwindSafe, PanicHookInfo};

use futures_util::FutureExt;

use crate::metric;

/// The metric that counts panics.
pub const PANICS: &str = "Panics";

/// The work ended in a panic, which is already in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the work ended in a panic")]
pub struct Panicked;

/// Does the work and turns a panic into an error. Whatever the work was changing must not be used after a panic: a transaction
/// that was not committed is rolled back, and a connection that was dropped with it does not return to the pool.
pub async fn caught<F: Future>(work: F) -> Result<F::Output, Panicked> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|_| Panicked)
}

/// Replaces the standard hook, which writes the panic's message to standard error.
pub(crate) fn report() {
    std::panic::set_hook(Box::new(note));
}

fn note(panic: &PanicHookInfo<'_>) {
    let place = panic.location();
    tracing::error!(
        panic.file = place.map(std::panic::Location::file),
        panic.line = place.map(std::panic::Location::line),
        "panicked"
    );
    metric::count(PANICS);
}
