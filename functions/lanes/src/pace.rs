//! The pace of calls to Lambda's control plane.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// Calls a second of one process. AWS allows 15 to a whole AWS account, and its deploys need some too. At most four processes call
/// at once: two with lane requests (`LaneRequestsMapping`), and two with rounds when one chain of them has not ended before the next.
pub(crate) const CALLS_A_SECOND: u32 = 3;

/// Spaces calls evenly. It grants no burst after a pause: other processes may be calling meanwhile.
#[derive(Debug, Clone)]
pub struct Pace {
    next: Arc<Mutex<Instant>>,
    between: Duration,
}

impl Pace {
    /// A pace of so many calls a second.
    ///
    /// # Panics
    /// Panics for no calls at all.
    #[must_use]
    pub fn new(calls_a_second: u32) -> Self {
        Self { next: Arc::new(Mutex::new(Instant::now())), between: Duration::from_secs(1) / calls_a_second }
    }

    /// Waits for the turn of one call.
    pub async fn turn(&self) {
        sleep_until(self.reserve(Instant::now())).await;
    }

    /// Takes the next turn, and says when it is.
    fn reserve(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let at = (*next).max(now);
        *next = at + self.between;
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_at_once_take_turns_and_a_pause_saves_none_up() {
        let pace = Pace::new(4);
        for since in [Duration::from_secs(1), Duration::from_mins(1)] {
            let now = Instant::now() + since;
            let turns: Vec<u128> = (0..9).map(|_| (pace.reserve(now) - now).as_millis()).collect();
            assert_eq!(turns, [0, 250, 500, 750, 1000, 1250, 1500, 1750, 2000], "after {since:?}");
        }
    }
}
