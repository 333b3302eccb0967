//! One invocation: lane requests from the queue, or a round of all lanes.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use robnu_dispatch::Publisher;
use robnu_observe::{Panicked, caught};
use robnu_tenancy::{AccountId, Database, SellerId};
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, timeout_at};

use crate::config::LaneConfig;
use crate::error::LaneError;
use crate::reconcile::{Report, reconcile};
use crate::settle::{Care, Outcome, settle};
use crate::store::AccountKey;

/// Lanes worked on at once.
pub(crate) const AT_ONCE: usize = 4;
/// What is not done this long before the deadline is reported as not done.
const RESERVE: Duration = Duration::from_secs(3);

/// What invokes this function.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Event {
    /// Messages of the queue of lane requests.
    Requests {
        /// The messages.
        #[serde(rename = "Records")]
        records: Vec<Record>,
    },
    /// A schedule.
    Sweep {
        /// Name of the sweep.
        sweep: String,
    },
}

/// A message. One without an id fails the whole invocation, because its failure could not be reported.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record {
    /// Its id.
    pub message_id: String,
    /// Its body, read by itself, so that a bad one fails alone.
    #[serde(default)]
    pub body: Option<String>,
}

/// What the function answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To messages: which of them stay in the queue.
    #[serde(rename_all = "camelCase")]
    Requests {
        /// The messages that failed.
        batch_item_failures: Vec<ItemFailure>,
    },
    /// To a schedule.
    Reconciled(Report),
}

/// A message that failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemFailure {
    /// Its id.
    pub item_identifier: String,
}

/// What lives as long as the process.
#[derive(Debug, Clone)]
pub struct Context {
    /// The database, as the login role of lanes.
    pub database: Database,
    /// Queues.
    pub sqs: aws_sdk_sqs::Client,
    /// Mappings.
    pub lambda: aws_sdk_lambda::Client,
    /// Publishes to lanes that were just made.
    pub publisher: Publisher,
    /// What lanes look like.
    pub config: LaneConfig,
}

/// The body of a lane request: like every message it only announces work. What is to be done follows from the account's row.
#[derive(Deserialize)]
struct LaneRequest {
    seller_id: SellerId,
    account_id: AccountId,
}

/// Answers one event before the deadline.
pub async fn handle(event: Event, context: &Context, deadline: Instant) -> Result<Answer, LaneError> {
    match event {
        Event::Requests { records } => Ok(requests(records, context, deadline).await),
        Event::Sweep { sweep } if sweep == "lane-reconcile" => {
            reconcile(context, deadline).await.map(Answer::Reconciled)
        }
        Event::Sweep { sweep } => Err(LaneError::UnknownSweep { name: sweep }),
    }
}

async fn requests(records: Vec<Record>, context: &Context, deadline: Instant) -> Answer {
    let stop_at = deadline.checked_sub(RESERVE).unwrap_or(deadline);
    let answers = stream::iter(records)
        .map(|record| async move {
            let body = record.body.as_deref().unwrap_or_default();
            (record.message_id, by_itself(stop_at, Box::pin(request(body, context, stop_at))).await)
        })
        .buffer_unordered(AT_ONCE);
    let failures = answers.filter_map(async |(message_id, answer)| {
        let error = answer.err()?;
        tracing::error!(
            message.id = message_id,
            error = robnu_observe::chain(&error),
            "a lane request failed"
        );
        Some(ItemFailure { item_identifier: message_id })
    });
    Answer::Requests { batch_item_failures: failures.collect().await }
}

/// One lane's work: neither its panic nor its time is another's.
pub(crate) async fn by_itself(
    stop_at: Instant,
    work: impl Future<Output = Result<Outcome, LaneError>>,
) -> Result<Outcome, LaneError> {
    let worked = timeout_at(stop_at, caught(work)).await;
    worked.map_err(|_| LaneError::OutOfTime)?.map_err(|Panicked| LaneError::Panicked)?
}

async fn request(body: &str, context: &Context, stop_at: Instant) -> Result<Outcome, LaneError> {
    let LaneRequest { seller_id, account_id } = serde_json::from_str(body).map_err(|_| LaneError::Garbage)?;
    let key = AccountKey { seller: seller_id, account: account_id };
    let outcome = settle(context, key, Care::Asked, stop_at).await?;
    tracing::info!(seller.id = %seller_id, account.id = %account_id, ?outcome, "lane request done");
    Ok(outcome)
}

#[cfg(test)]
mod tests {
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
