//! Isolates the work on one lane: neither its panic nor its slowness affects the other lanes.

use robnu_observe::{Panicked, caught};
use tokio::time::{Instant, timeout_at};

use crate::error::LaneError;
use crate::settle::Outcome;

/// Lanes worked on at once.
pub(crate) const AT_ONCE: usize = 4;

/// Runs one lane's work until `stop_at`, and turns its panic into an error.
pub(crate) async fn by_itself(
    stop_at: Instant,
    work: impl Future<Output = Result<Outcome, LaneError>>,
) -> Result<Outcome, LaneError> {
    let worked = timeout_at(stop_at, caught(work)).await;
    worked.map_err(|_| LaneError::OutOfTime)?.map_err(|Panicked| LaneError::Panicked)?
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::StreamExt;
    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn a_panic_is_one_lanes_failure_and_the_others_go_on() {
        let soon = Instant::now() + Duration::from_secs(5);
        let settle = |number: u32| async move {
            tokio::task::yield_now().await;
            assert_ne!(number, 2, "hunter2");
            Ok(Outcome::Unchanged)
        };
        let all = [1, 2, 3].map(|number| by_itself(soon, settle(number)));
        let answers: Vec<_> = stream::iter(all).buffered(AT_ONCE).collect().await;
        assert!(
            matches!(answers[..], [Ok(Outcome::Unchanged), Err(LaneError::Panicked), Ok(Outcome::Unchanged)]),
            "{answers:?}"
        );
    }
}
