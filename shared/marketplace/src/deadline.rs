//! The deadline of an account's calls, because the function that makes them ends then.

use std::time::{Duration, SystemTime};

/// The least time with which a call is begun.
const LEAST: Duration = Duration::from_secs(1);

/// The end of the time in which a marketplace may be asked. It goes by the wall clock, because a monotonic clock may stand still
/// while the function's sandbox is frozen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Option<SystemTime>);

impl Deadline {
    /// No deadline: each call has the time that the deployment gives it.
    pub const NONE: Self = Self(None);

    /// A deadline at this time.
    #[must_use]
    pub fn at(end: SystemTime) -> Self {
        Self(Some(end))
    }

    /// Returns how long a call may take, at most `longest`; `None` when it should not begin.
    #[must_use]
    pub fn time_for_a_call(self, longest: Duration) -> Option<Duration> {
        let Some(end) = self.0 else { return Some(longest) };
        let left = end.duration_since(SystemTime::now()).unwrap_or_default();
        (left >= LEAST).then_some(left.min(longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_gets_the_time_that_is_left_and_at_most_the_longest() {
        let longest = Duration::from_secs(30);
        assert_eq!(Deadline::NONE.time_for_a_call(longest), Some(longest));
        let in_seconds = |seconds| Deadline::at(SystemTime::now() + Duration::from_secs(seconds));
        assert_eq!(in_seconds(60).time_for_a_call(longest), Some(longest));
        let left = in_seconds(10).time_for_a_call(longest).unwrap();
        assert!(left <= Duration::from_secs(10) && left > Duration::from_secs(5), "{left:?}");
        assert_eq!(Deadline::at(SystemTime::now() + LEAST / 2).time_for_a_call(longest), None);
        assert_eq!(Deadline::at(SystemTime::UNIX_EPOCH).time_for_a_call(longest), None);
    }
}
