//! Failures that users must expect. Each says what happened and what to do next, and has an exit code that never changes.

use std::fmt;
use std::process::ExitCode;

/// The exit codes. `cargo xtask --help` explains them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// A tool is missing; clap uses the same for wrong flags.
    Usage = 2,
    /// A port is taken.
    PortTaken = 3,
    /// The order file cannot be read.
    BadOrders = 4,
    /// A part of the stack is not running.
    NotRunning = 5,
    /// A build or a deploy failed.
    BuildFailed = 6,
    /// A check failed, or something is stuck.
    CheckFailed = 7,
    /// A signal ended the command.
    Interrupted = 130,
}

/// A failure and what to do about it.
#[derive(Debug)]
pub struct Failure {
    exit: Exit,
    what: String,
    next: String,
}

impl Failure {
    /// Takes `what` happened and what to do `next`, both in lower case.
    pub fn new(exit: Exit, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { exit, what: what.into(), next: next.into() }
    }

    /// What happened.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }

    /// What to do next.
    #[must_use]
    pub fn next(&self) -> &str {
        &self.next
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}\n  next: {}", self.what, self.next)
    }
}

impl std::error::Error for Failure {}

/// The exit code for an error.
#[must_use]
pub fn exit_code(error: &anyhow::Error) -> ExitCode {
    match error.chain().find_map(|cause| cause.downcast_ref::<Failure>()) {
        Some(failure) => ExitCode::from(failure.exit as u8),
        None => ExitCode::FAILURE,
    }
}
