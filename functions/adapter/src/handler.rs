//! The queue's side: one message at a time, each answered for itself.
//!
//! | what became of the job | what becomes of the message |
//! |---|---|
//! | done, waiting, failed for good, or passed long ago | acknowledged: the run's row knows |
//! | refused | sent to the dead-letter queue with the reason, then acknowledged |
//! | lease held elsewhere, database not answering | left in the lane; it returns after its visibility timeout |
//! | ended in a panic | left in the lane likewise; SQS moves it to the dead-letter queue when it has come back too often |

use std::time::SystemTime;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use robnu_dispatch::{Job, JobMessage, lane_account};
use robnu_observe::{Panicked, caught, chain};
use tracing::Instrument;

use crate::context::Context;
use crate::error::{JobError, Refusal};
use crate::job::run;

/// A message without an id cannot be answered for; SQS never sends one.
#[derive(Debug, thiserror::Error)]
#[error("a message has no id")]
pub struct MissingMessageId;

/// Handles what a lane delivers. In a lane every message belongs to one group, so after one that must come back none
/// behind it may overtake.
pub async fn handle(
    context: &Context,
    event: SqsEvent,
    deadline: SystemTime,
) -> Result<SqsBatchResponse, MissingMessageId> {
    in_order(event.records, async |id, message| {
        // A job's state is large; on the heap it is moved as a pointer.
        Box::pin(answer(context, &id, message, deadline)).await
    })
    .await
}

/// Does the messages one by one until one is not done with, and names that one and all behind it. A panic is that
/// message's failure.
async fn in_order(
    messages: Vec<SqsMessage>,
    work: impl AsyncFn(String, SqsMessage) -> bool,
) -> Result<SqsBatchResponse, MissingMessageId> {
    let mut response = SqsBatchResponse::default();
    for message in messages {
        let id = message.message_id.clone().filter(|id| !id.is_empty()).ok_or(MissingMessageId)?;
        let done = response.batch_item_failures.is_empty()
            && caught(work(id.clone(), message)).await.unwrap_or_else(|Panicked| {
                tracing::error!(message.id = id, "the message ended in a panic and goes back to its lane");
                false
            });
        if !done {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = id;
            response.batch_item_failures.push(failure);
        }
    }
    Ok(response)
}

/// Answers whether the message is done with.
async fn answer(context: &Context, message_id: &str, message: SqsMessage, deadline: SystemTime) -> bool {
    let lane = message.event_source_arn.unwrap_or_default();
    let body = message.body.unwrap_or_default();
    let outcome = match accept(context, &lane, &body) {
        Err(refusal) => Err(JobError::Refused(refusal)),
        Ok(job) => {
            let span = tracing::info_span!(
                "job",
                run.id = %job.run_id,
                run.step = job.step,
                seller.id = %job.seller_id,
                account.id = %job.account_id,
                marketplace = job.marketplace.as_str(),
            );
            run(context, &job, deadline).instrument(span).await
        }
    };
    match outcome {
        Ok(()) => true,
        Err(JobError::Refused(refusal)) => refuse(context, message_id, &lane, &body, refusal).await,
        Err(error) => {
            tracing::warn!(
                message.id = message_id,
                error = chain(&error),
                "the message goes back to its lane"
            );
            false
        }
    }
}

/// Reads the message and checks what can be checked without the database.
fn accept(context: &Context, lane: &str, body: &str) -> Result<Job, Refusal> {
    let job = JobMessage::parse(body).map_err(Refusal::JobMessage)?.into_job();
    if job.marketplace != context.marketplace {
        return Err(Refusal::OtherMarketplace);
    }
    if lane_account(lane) != Some(job.account_id) {
        return Err(Refusal::OtherLane);
    }
    Ok(job)
}

async fn refuse(context: &Context, message_id: &str, lane: &str, body: &str, refusal: Refusal) -> bool {
    tracing::error!(message.id = message_id, lane, refusal = refusal.code(), reason = %refusal, "message refused");
    match context.dead_letters.take(message_id, lane, body, refusal).await {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(
                message.id = message_id,
                error = chain(&error),
                "the refused message stays in its lane"
            );
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    fn message(id: &str) -> SqsMessage {
        let mut message = SqsMessage::default();
        message.message_id = Some(id.to_owned());
        message
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_panic_is_its_own_messages_failure_and_none_behind_it_overtakes() {
        let begun = Mutex::new(Vec::new());
        let work = async |id: String, _| {
            begun.lock().unwrap().push(id.clone());
            tokio::task::yield_now().await;
            assert_ne!(id, "b", "hunter2");
            true
        };
        let answer = in_order(["a", "b", "c"].map(message).into(), work).await.unwrap();
        let failed: Vec<&str> =
            answer.batch_item_failures.iter().map(|failure| failure.item_identifier.as_str()).collect();
        assert_eq!(failed, ["b", "c"]);
        assert_eq!(*begun.lock().unwrap(), ["a", "b"]);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_message_that_cannot_be_named_fails_the_invocation() {
        for unnamed in [SqsMessage::default(), message("")] {
            assert!(in_order(vec![unnamed], async |_, _| true).await.is_err());
        }
    }
}
