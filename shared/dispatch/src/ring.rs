//! Ringing many lanes at once, for whoever finds runs that wait for their bell.

use std::fmt::Write as _;
use std::pin::pin;

use futures_util::StreamExt;
use futures_util::stream;
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::{Error, Row};
use tokio::time::{Instant, sleep_until};

use crate::bell::{Bell, BellError};
use crate::envelope::Job;

/// Rings under way at once: enough to hide a queue's answer time, few enough for one small function.
const RINGS_AT_ONCE: usize = 16;

/// A step of a run that waits for its bell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ring {
    /// What to send.
    pub job: Job,
    /// To which lane.
    pub queue_url: String,
}

impl Ring {
    /// Reads `id`, `step`, `generation`, `seller_id`, `account_id`, `marketplace_code`, `kind` and `lane_queue_url`.
    /// `None` when the account has no lane yet; the run is rung when the lane is made.
    pub fn from_row(row: &Row) -> Result<Option<Self>, Error> {
        let Some(queue_url) = row.try_get("lane_queue_url")? else { return Ok(None) };
        let marketplace: &str = row.try_get("marketplace_code")?;
        let job = Job {
            run_id: row.try_get("id")?,
            step: row.try_get("step")?,
            generation: row.try_get("generation")?,
            seller_id: row.try_get("seller_id")?,
            account_id: row.try_get("account_id")?,
            marketplace: marketplace.parse().map_err(|_| Error::RowShape)?,
            kind: RunKind::from_stored(row.try_get("kind")?).ok_or(Error::RowShape)?,
        };
        Ok(Some(Self { job, queue_url }))
    }
}

/// What became of many rings.
#[derive(Debug, Default)]
pub struct Rung {
    /// Rings that a queue took; the caller marks them as sent.
    pub sent: Vec<Job>,
    /// Rings that a queue refused.
    pub failed: usize,
    /// Rings that time did not allow. Some of them may have arrived all the same.
    pub out_of_time: usize,
    /// Why the first refused one was refused.
    pub first_error: Option<BellError>,
}

impl Rung {
    /// One line about what did not go out, for a log; `None` when everything did.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        if self.failed == 0 && self.out_of_time == 0 {
            return None;
        }
        let mut text = format!("{} rings failed and {} found no time", self.failed, self.out_of_time);
        let mut cause = self.first_error.as_ref().map(|error| error as &dyn std::error::Error);
        while let Some(error) = cause {
            // Writing to a String cannot fail.
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
        Some(text)
    }
}

impl Bell {
    /// Rings them all, some at a time, until the deadline. A failure is counted and stops nothing.
    pub async fn ring_all(&self, rings: Vec<Ring>, deadline: Instant) -> Rung {
        let asked = rings.len();
        let mut outcome = Rung::default();
        let answers = stream::iter(rings)
            .map(|Ring { job, queue_url }| async move { (self.ring(&queue_url, job.clone()).await, job) })
            .buffer_unordered(RINGS_AT_ONCE)
            .take_until(sleep_until(deadline));
        let mut answers = pin!(answers);
        while let Some((answer, job)) = answers.next().await {
            match answer {
                Ok(()) => outcome.sent.push(job),
                Err(error) => {
                    outcome.failed += 1;
                    outcome.first_error.get_or_insert(error);
                }
            }
        }
        outcome.out_of_time = asked - outcome.sent.len() - outcome.failed;
        outcome
    }
}
