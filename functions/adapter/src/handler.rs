//! The queue's side: one message at a time, each answered for itself.
//!
//! | what became of the job | what becomes of the message |
//! |---|---|
//! | done, waiting, failed for good, or passed long ago | acknowledged: the run's row knows |
//! | refused | sent to the dead-letter queue with the reason, then acknowledged |
//! | lease held elsewhere, database not answering | left in the lane; it returns after its visibility timeout |

use std::time::SystemTime;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use robnu_dispatch::{Envelope, Job, lane_account};
use robnu_observe::chain;
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
    let mut response = SqsBatchResponse::default();
    for message in event.records {
        let message_id = message.message_id.clone().filter(|id| !id.is_empty()).ok_or(MissingMessageId)?;
        let done =
            response.batch_item_failures.is_empty() && answer(context, &message_id, message, deadline).await;
        if !done {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = message_id;
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
    let job = Envelope::parse(body).map_err(Refusal::Envelope)?.into_job();
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
