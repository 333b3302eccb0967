//! One invocation: lane requests from the queue, or a round of all lanes.

use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;
use robnu_dispatch::{ItemFailure, LaneRequest, Record};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::again::again;
use crate::by_itself::{AT_ONCE, by_itself};
use crate::context::Context;
use crate::error::LaneError;
use crate::reconcile::{Report, reconcile};
use crate::removal::{Removal, StackEvent, handle_stack};
use crate::settle::{Care, Outcome, settle};
use crate::store::AccountKey;

/// Work that is not finished this long before the deadline is reported as failed.
const RESERVE: Duration = Duration::from_secs(3);

/// The name of the sweep.
const RECONCILE: &str = "lane-reconcile";
/// Rounds that may follow on one of the schedule. They end before the schedule's next but one, so at most two processes do rounds.
const ROUNDS: u32 = 14;

/// When a request returns that only has to wait.
const SOON_SECONDS: i32 = 30;

/// The events that invoke this function.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum Event {
    /// Messages of the queue of lane requests.
    Requests {
        /// The messages.
        #[serde(rename = "Records")]
        records: Vec<Record>,
    },
    /// A request of CloudFormation, for the custom resource that stands for all lanes.
    Stack(StackEvent),
    /// A schedule.
    Sweep {
        /// Name of the sweep.
        sweep: String,
        /// How many rounds came right before it because time ran short.
        #[serde(default)]
        round: u32,
    },
}

/// What the function returns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// For messages: those that stay in the queue.
    #[serde(rename_all = "camelCase")]
    Requests {
        /// The messages that failed.
        batch_item_failures: Vec<ItemFailure>,
    },
    /// For CloudFormation, which has had its response at its own URL.
    Stack(Removal),
    /// For a schedule: the report.
    Reconciled(Report),
}

/// Handles one event before the deadline.
pub async fn handle(event: Event, context: &Context, deadline: Instant) -> Result<Answer, LaneError> {
    match event {
        Event::Requests { records } => Ok(requests(records, context, deadline).await),
        Event::Stack(event) => handle_stack(event, context, deadline).await.map(Answer::Stack),
        Event::Sweep { sweep, round } if sweep == RECONCILE => {
            let report = reconcile(context, deadline).await?;
            if report.time_short && report.has_moved() && round < ROUNDS {
                go_on(context, round + 1).await;
            }
            Ok(Answer::Reconciled(report))
        }
        Event::Sweep { sweep, .. } => Err(LaneError::UnknownSweep { name: sweep }),
    }
}

/// Begins another round at once, so that a thousand lanes do not wait for the schedule. If that fails, they do.
async fn go_on(context: &Context, round: u32) {
    let event = serde_json::json!({"sweep": RECONCILE, "round": round});
    if let Err(error) = again(context, &event).await {
        tracing::warn!(error = robnu_observe::chain(&error), "the next round waits for its schedule");
    }
}

async fn requests(records: Vec<Record>, context: &Context, deadline: Instant) -> Answer {
    let stop_at = deadline.checked_sub(RESERVE).unwrap_or(deadline);
    let answers = stream::iter(records)
        .map(|record| async move {
            let body = record.body.as_deref().unwrap_or_default();
            let answer = by_itself(stop_at, Box::pin(request(body, context, stop_at))).await;
            (record, answer)
        })
        .buffer_unordered(AT_ONCE);
    let failures = answers.filter_map(async |(record, answer)| {
        let error = answer.err()?;
        if error.is_passing() {
            come_back_soon(&record, &error, context).await;
        } else {
            let error = robnu_observe::chain(&error);
            tracing::error!(message.id = record.message_id, error, "a lane request failed");
        }
        Some(ItemFailure { item_identifier: record.message_id })
    });
    Answer::Requests { batch_item_failures: failures.collect().await }
}

/// Lets a message return in half a minute instead of after the queue's own time, which suits failures. A seller who pauses and resumes
/// within the minute that Lambda takes for a change waits no longer than that.
async fn come_back_soon(record: &Record, error: &LaneError, context: &Context) {
    let request = context
        .sqs
        .change_message_visibility()
        .queue_url(&context.config.requests_queue_url)
        .set_receipt_handle(record.receipt_handle.clone())
        .visibility_timeout(SOON_SECONDS);
    let hidden = request.send().await.err().map(|error| robnu_observe::chain(&error.into_service_error()));
    tracing::warn!(
        message.id = record.message_id,
        error = robnu_observe::chain(error),
        visibility_error = hidden,
        "a lane request comes back soon"
    );
}

async fn request(body: &str, context: &Context, stop_at: Instant) -> Result<Outcome, LaneError> {
    let LaneRequest { seller_id, account_id } = LaneRequest::parse(body)?;
    let key = AccountKey { seller: seller_id, account: account_id };
    let outcome = settle(context, key, Care::Asked, stop_at).await?;
    tracing::info!(seller.id = %seller_id, account.id = %account_id, ?outcome, "lane request done");
    Ok(outcome)
}
