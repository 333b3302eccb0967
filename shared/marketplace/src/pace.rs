//! The pace of an account's calls: rate limits as token buckets. All functions that work for an account share it, so that together
//! they keep the rate that the marketplace allows, and none calls while it has asked another one to slow down.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::deadline::Deadline;
use crate::error::AdapterError;
use crate::shared_token::{SharedTokens, Unshared};

/// How many calls a marketplace allows: a bucket of `burst` calls that refills at `per_second`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Calls per second.
    pub per_second: f64,
    /// Calls at once after a pause.
    pub burst: u32,
}

/// A kind of call that a marketplace counts for itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Operation {
    /// Its name at the marketplace, a word of letters.
    pub name: &'static str,
    /// The rate that the marketplace publishes; `None` where it publishes none. Then only its own refusals (429) set the pace.
    pub rate: Option<Rate>,
}

/// What the functions of an account share about its pace.
#[async_trait]
pub trait Pace: Send + Sync {
    /// Takes one call from the bucket of the operation. Returns zero when the call may begin, and otherwise how long to wait
    /// before asking again.
    async fn take(&self, operation: &Operation) -> Duration;

    /// Notes that the marketplace refused a call for so long.
    async fn refused(&self, operation: &Operation, pause: Duration);
}

/// No shared pace: for a single call while somebody waits.
#[derive(Debug, Clone, Copy)]
pub struct Unpaced;

#[async_trait]
impl Pace for Unpaced {
    async fn take(&self, _operation: &Operation) -> Duration {
        Duration::ZERO
    }

    async fn refused(&self, _operation: &Operation, _pause: Duration) {}
}

/// The bounds of a connection's calls.
#[derive(Clone)]
pub struct Calls {
    /// When the last one must be over.
    pub deadline: Deadline,
    /// Their pace.
    pub pace: Arc<dyn Pace>,
    /// The tokens that all functions of the account share.
    pub tokens: Arc<dyn SharedTokens>,
}

impl fmt::Debug for Calls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Calls").field("deadline", &self.deadline).finish_non_exhaustive()
    }
}

impl From<Deadline> for Calls {
    /// Calls until a deadline, without a shared pace and shared tokens.
    fn from(deadline: Deadline) -> Self {
        Self { deadline, pace: Arc::new(Unpaced), tokens: Arc::new(Unshared) }
    }
}

/// Rates that a deployment has been granted instead of the published ones, by the operation's name.
///
/// As text: `searchOrders:0.5:30,getReport:5:20`, each with its calls per second and its burst.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GrantedRates(HashMap<String, Rate>);

/// The text is no list of rates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is not {}", GrantedRates::EXPECTED)]
pub struct NoRates;

impl GrantedRates {
    /// How the text looks.
    pub const EXPECTED: &str =
        "a list such as searchOrders:0.5:30,getReport:5:20 (operation, calls per second, burst)";

    /// The rate of an operation.
    #[must_use]
    pub fn rate_of(&self, operation: &Operation) -> Option<Rate> {
        self.0.get(operation.name).copied().or(operation.rate)
    }
}

impl FromStr for GrantedRates {
    type Err = NoRates;

    fn from_str(text: &str) -> Result<Self, NoRates> {
        let rate = |entry: &str| {
            let mut parts = entry.trim().split(':');
            let (name, per_second, burst) =
                (parts.next()?, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
            let is_right = !name.is_empty() && per_second > 0.0 && f64::is_finite(per_second) && burst > 0;
            (is_right && parts.next().is_none()).then(|| (name.to_owned(), Rate { per_second, burst }))
        };
        let entries = text.split(',').filter(|_| !text.trim().is_empty());
        entries.map(rate).collect::<Option<_>>().map(Self).ok_or(NoRates)
    }
}

/// A longer wait is not made in place. The run is put off, and holds no function.
const LONGEST_IN_PLACE: Duration = Duration::from_millis(500);
/// The pause after a refusal that names none.
pub(crate) const USUAL_PAUSE: Duration = Duration::from_secs(30);

/// Waits until a call may begin, but only a moment.
///
/// # Errors
/// [`AdapterError::RateLimitReached`] with the time to wait when that is longer, and [`AdapterError::OutOfTime`] when too little time is left.
pub(crate) async fn take(calls: &Calls, operation: &Operation) -> Result<(), AdapterError> {
    let mut left = LONGEST_IN_PLACE;
    loop {
        let wait = calls.pace.take(operation).await;
        if wait.is_zero() {
            return Ok(());
        }
        if wait > left {
            return Err(AdapterError::RateLimitReached { retry_after: wait });
        }
        calls.deadline.time_for_a_call(wait).ok_or(AdapterError::OutOfTime)?;
        tokio::time::sleep(wait).await;
        left -= wait;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::SystemTime;

    use super::*;

    const OPERATION: Operation =
        Operation { name: "searchOrders", rate: Some(Rate { per_second: 0.5, burst: 3 }) };

    /// Answers with these waits, one after the other.
    struct Waits(Mutex<Vec<u64>>);

    #[async_trait]
    impl Pace for Waits {
        async fn take(&self, _operation: &Operation) -> Duration {
            Duration::from_millis(self.0.lock().unwrap().pop().unwrap_or_default())
        }

        async fn refused(&self, _operation: &Operation, _pause: Duration) {}
    }

    async fn taken(waits: &[u64], deadline: Deadline) -> Result<(), AdapterError> {
        let waits = waits.iter().rev().copied().collect();
        take(&Calls { pace: Arc::new(Waits(Mutex::new(waits))), ..deadline.into() }, &OPERATION).await
    }

    #[tokio::test(start_paused = true)]
    async fn moments_are_waited_in_place_and_longer_waits_are_put_off() {
        let limited =
            |millis| Err(AdapterError::RateLimitReached { retry_after: Duration::from_millis(millis) });
        assert_eq!(taken(&[], Deadline::NONE).await, Ok(()));
        let began = tokio::time::Instant::now();
        assert_eq!(taken(&[300, 200, 0], Deadline::NONE).await, Ok(()));
        assert_eq!(began.elapsed(), Duration::from_millis(500));
        assert_eq!(taken(&[300, 201], Deadline::NONE).await, limited(201));
        assert_eq!(taken(&[501], Deadline::NONE).await, limited(501));
        assert_eq!(taken(&[100], Deadline::at(SystemTime::UNIX_EPOCH)).await, Err(AdapterError::OutOfTime));
    }

    #[test]
    fn a_granted_rate_replaces_the_published_one() {
        let granted: GrantedRates = "getOrder:1:30, searchOrders:2:40".parse().unwrap();
        assert_eq!(granted.rate_of(&OPERATION), Some(Rate { per_second: 2.0, burst: 40 }));
        assert_eq!(GrantedRates::default().rate_of(&OPERATION), OPERATION.rate);
        assert_eq!("".parse(), Ok(GrantedRates::default()));
        for wrong in [
            "searchOrders",
            "a:1",
            "a:0:5",
            "a:-1:5",
            "a:inf:5",
            "a:1:0",
            "a:1:5:6",
            ":1:5",
            "a:1:5,",
            "a:x:5",
        ] {
            assert_eq!(wrong.parse::<GrantedRates>(), Err(NoRates), "{wrong}");
        }
    }
}
