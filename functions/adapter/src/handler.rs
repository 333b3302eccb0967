//! Handles the queue: works on one message at a time and reports failures per message.
//!
//! | what became of the job | what becomes of the message |
//! |---|---|
//! | done, waiting, failed for good, or passed long ago | acknowledged: the run's row knows |
//! | refused | sent to the dead-letter queue with the reason, then acknowledged |
//! | lease held elsewhere, database not responding | left in the lane; it returns after its visibility timeout |
//! | ended in a panic | left in the lane likewise; SQS moves it to the dead-letter queue when it has come back too often |

use std::time::SystemTime;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use robnu_dispatch::{Job, JobMessage, lane_account};
use robnu_observe::{Panicked, caught, chain};
use tracing::Instrument;

use crate::context::Context;
use crate::error::{JobError, Refusal};
use crate::job::run;

/// A message without an id cannot be reported as failed; SQS never sends one.
#[derive(Debug, thiserror::Error)]
#[error("a message has no id")]
pub struct MissingMessageId;

/// Handles the messages of a lane. All messages of a lane belong to one group, so no later message may overtake one that
/// must come back.
pub async fn handle(
    context: &Context,
    event: SqsEvent,
    deadline: SystemTime,
) -> Result<SqsBatchResponse, MissingMessageId> {
    in_order(event.records, async |id, message| {
        // A job's state is large, so it is kept on the heap and moved as a pointer.
        Box::pin(answer(context, &id, message, deadline)).await
    })
    .await
}

/// Handles the messages one by one until one fails, and returns that message and all later ones. A panic counts as that
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

/// Returns whether the message is finished.
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

/// Reads the message and makes all checks that do not need the database.
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
    async fn a_panic_fails_its_own_message_and_no_later_one_overtakes() {
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
    async fn a_message_without_an_id_cannot_be_reported_and_fails_the_invocation() {
        for unnamed in [SqsMessage::default(), message("")] {
            assert!(in_order(vec![unnamed], async |_, _| true).await.is_err());
        }
    }
}
