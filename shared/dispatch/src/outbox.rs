//! The outbox: runs that wait to be published, sent many at a time.

use std::fmt::Write as _;
use std::pin::pin;

use futures_util::StreamExt;
use futures_util::stream;
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::{Error, Row};
use tokio::time::{Instant, sleep_until};

use crate::job_message::Job;
use crate::publisher::{PublishError, Publisher};

/// Concurrent sends: enough to hide a queue's latency, and few enough for one small function.
const SENDS_AT_ONCE: usize = 16;

/// A step of a run that waits to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboxMessage {
    /// The message's job.
    pub job: Job,
    /// The lane's queue; `None` for a run that needs no lane.
    pub lane_url: Option<String>,
}

impl OutboxMessage {
    /// Reads `id`, `step`, `generation`, `seller_id`, `account_id`, `marketplace_code`, `kind` and `lane_queue_url`.
    /// Returns `None` when the run waits for a lane that is not made yet; it is published when the lane is made.
    pub fn from_row(row: &Row) -> Result<Option<Self>, Error> {
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
        let lane_url: Option<String> = row.try_get("lane_queue_url")?;
        let waits_for_lane = lane_url.is_none() && job.kind.needs_credentials();
        Ok((!waits_for_lane).then_some(Self { job, lane_url }))
    }
}

/// The outcome of publishing many messages.
#[derive(Debug, Default)]
pub struct PublishReport {
    /// Messages that a queue took; the caller marks them as sent.
    pub sent: Vec<Job>,
    /// Messages that a queue refused.
    pub failed: usize,
    /// Messages that ran out of time. Some of them may have arrived nevertheless.
    pub out_of_time: usize,
    /// The first refused one, and why it was refused.
    pub first_error: Option<(Job, PublishError)>,
}

impl PublishReport {
    /// Returns one line about what was not sent, for a log; `None` when everything was.
    #[must_use]
    pub fn complaint(&self) -> Option<String> {
        if self.failed == 0 && self.out_of_time == 0 {
            return None;
        }
        let mut text = format!("{} messages failed and {} found no time", self.failed, self.out_of_time);
        // Writing to a String cannot fail.
        if let Some((job, _)) = &self.first_error {
            let _ = write!(text, ", first that of run {} of account {}", job.run_id, job.account_id);
        }
        let mut cause = self.first_error.as_ref().map(|(_, error)| error as &dyn std::error::Error);
        while let Some(error) = cause {
            let _ = write!(text, ": {error}");
            cause = error.source();
        }
        Some(text)
    }
}

impl Publisher {
    /// Publishes all messages, some at a time, until the deadline. A failure is counted and does not stop the others.
    pub async fn publish_all(&self, messages: Vec<OutboxMessage>, deadline: Instant) -> PublishReport {
        let asked = messages.len();
        let mut outcome = PublishReport::default();
        let answers = stream::iter(messages)
            .map(|OutboxMessage { job, lane_url }| async move {
                (self.publish(lane_url.as_deref(), job.clone()).await, job)
            })
            .buffer_unordered(SENDS_AT_ONCE)
            .take_until(sleep_until(deadline));
        let mut answers = pin!(answers);
        while let Some((answer, job)) = answers.next().await {
            match answer {
                Ok(()) => outcome.sent.push(job),
                Err(error) => {
                    outcome.failed += 1;
                    outcome.first_error.get_or_insert((job, error));
                }
            }
        }
        outcome.out_of_time = asked - outcome.sent.len() - outcome.failed;
        outcome
    }
}

#[cfg(test)]
mod tests {
    use robnu_marketplace::code::MarketplaceCode;
    use robnu_tenancy::{AccountId, RunId, SellerId};

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("the queue is gone")]
    struct Gone;

    #[test]
    fn a_report_complains_of_what_failed_or_found_no_time_and_says_why() {
        let report = |failed, out_of_time, first_error| PublishReport {
            failed,
            out_of_time,
            first_error,
            ..PublishReport::default()
        };
        assert_eq!(report(0, 0, None).complaint(), None);
        let job = Job {
            run_id: RunId::new(),
            step: 0,
            generation: 0,
            seller_id: SellerId::new(),
            account_id: AccountId::new(),
            marketplace: MarketplaceCode::Ajio,
            kind: RunKind::Orders,
        };
        let whose = format!("run {} of account {}", job.run_id, job.account_id);
        let said = report(2, 0, Some((job, PublishError(Box::new(Gone))))).complaint().unwrap();
        let begins = format!("2 messages failed and 0 found no time, first that of {whose}: ");
        assert!(said.starts_with(&begins), "{said}");
        assert!(said.ends_with(": the queue is gone"), "{said}");
        let said = report(0, 3, None).complaint();
        assert_eq!(said.as_deref(), Some("0 messages failed and 3 found no time"));
    }
}
