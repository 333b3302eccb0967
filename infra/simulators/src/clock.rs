//! The simulators' clock: real time plus an offset, so that tests can expire tokens without waiting.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// Real time that can be moved forward. It never moves back.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    ahead_millis: AtomicI64,
}

impl Clock {
    /// The simulated time.
    pub(crate) fn now(&self) -> DateTime<Utc> {
        Utc::now() + TimeDelta::milliseconds(self.ahead_millis.load(Ordering::Relaxed))
    }

    /// Moves the clock forward, at most 100 years at once, so that dates stay representable.
    pub(crate) fn advance(&self, by: Duration) {
        const CENTURY_MILLIS: i64 = 100 * 365 * 86_400 * 1_000;
        let millis = i64::try_from(by.as_millis()).unwrap_or(CENTURY_MILLIS).min(CENTURY_MILLIS);
        self.ahead_millis.fetch_add(millis, Ordering::Relaxed);
    }
}
