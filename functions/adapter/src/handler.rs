//! Handles a queue's messages and reports failures per message. Those of a lane are handled one after the other, those of the
//! marketplace's parallel queue at the same time.
//!
//! | what became of the job | what becomes of the message |
//! |---|---|
//! | done, waiting, kept back by another run of its account, failed for good, or passed long ago | acknowledged: the run's row knows |
//! | refused | sent to the dead-letter queue with the reason, then acknowledged |
//! | lease held elsewhere, database not responding | left in its queue; it returns after its visibility timeout |
//! | ended in a panic | left in its queue likewise; SQS moves it to the dead-letter queue when it has come back too often |

use std::time::SystemTime;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::future::join_all;
use robnu_dispatch::{Job, JobMessage, is_parallel_queue, lane_account};
use robnu_observe::work::{self, TraceId};
use robnu_observe::{Panicked, caught, chain};
use robnu_storage::objects::ArrivalNotice;
use tracing::Instrument;

use crate::arrivals::begin;
use crate::context::Context;
use crate::error::{JobError, Refusal};
use crate::job::run;

/// A message without an id cannot be reported as failed; SQS never sends one.
#[derive(Debug, thiserror::Error)]
#[error("a message has no id")]
pub struct MissingMessageId;

/// Handles the messages of an event. All of them come from one queue.
pub async fn handle(
    context: &Context,
    event: SqsEvent,
    deadline: SystemTime,
) -> Result<SqsBatchResponse, MissingMessageId> {
    let messages = identified(event.records)?;
    // A job's state is large, so it is kept on the heap and moved as a pointer.
    let work = async |id: String, message| Box::pin(answer(context, &id, message, deadline)).await;
    let source = messages.first().and_then(|(_, message)| message.event_source_arn.as_deref());
    let failed = if source.is_some_and(is_parallel_queue) {
        at_once(messages, work).await
    } else {
        in_order(messages, work).await
    };
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = failed.into_iter().map(failure).collect();
    Ok(response)
}

/// The messages with their ids.
fn identified(messages: Vec<SqsMessage>) -> Result<Vec<(String, SqsMessage)>, MissingMessageId> {
    let id = |message: &SqsMessage| message.message_id.clone().filter(|id| !id.is_empty());
    messages.into_iter().map(|message| Ok((id(&message).ok_or(MissingMessageId)?, message))).collect()
}

fn failure(id: String) -> BatchItemFailure {
    let mut failure = BatchItemFailure::default();
    failure.item_identifier = id;
    failure
}

/// Handles messages at the same time, and returns the ids of those that must come back.
async fn at_once(
    messages: Vec<(String, SqsMessage)>,
    work: impl AsyncFn(String, SqsMessage) -> bool,
) -> Vec<String> {
    let work = &work;
    let answers = messages
        .into_iter()
        .map(|(id, message)| async move { (is_done(&id, work(id.clone(), message)).await, id) });
    join_all(answers).await.into_iter().filter(|(done, _)| !done).map(|(_, id)| id).collect()
}

/// Handles messages one by one until one fails, and returns the ids of that message and all later ones: all messages of a lane
/// belong to one group, so no later message may overtake one that must come back.
async fn in_order(
    messages: Vec<(String, SqsMessage)>,
    work: impl AsyncFn(String, SqsMessage) -> bool,
) -> Vec<String> {
    let mut failed = Vec::new();
    for (id, message) in messages {
        if !failed.is_empty() || !is_done(&id, work(id.clone(), message)).await {
            failed.push(id);
        }
    }
    failed
}

/// Whether a message is finished. A panic counts as that message's failure.
async fn is_done(id: &str, work: impl Future<Output = bool>) -> bool {
    caught(work).await.unwrap_or_else(|Panicked| {
        tracing::error!(message.id = id, "the message ended in a panic and goes back to its queue");
        false
    })
}

/// Returns whether the message is finished.
async fn answer(context: &Context, message_id: &str, message: SqsMessage, deadline: SystemTime) -> bool {
    let queue = message.event_source_arn.unwrap_or_default();
    let body = message.body.unwrap_or_default();
    let outcome = match accept(context, &queue, &body) {
        // Notices are rare, so a body is looked at as one only when it is no job's message.
        Err(refusal) => match ArrivalNotice::parse(&body) {
            Some(notice) => begin(context, &queue, &notice).await,
            None => Err(JobError::Refused(refusal)),
        },
        Ok((job, trace)) => {
            let span = tracing::info_span!(
                "job",
                run.id = %job.run_id,
                run.step = job.step,
                seller.id = %job.seller_id,
                account.id = %job.account_id,
                marketplace = job.marketplace.as_str(),
                trace.id = %trace,
            );
            Box::pin(work::within(trace, run(context, &job, deadline).instrument(span))).await
        }
    };
    match outcome {
        Ok(()) => true,
        Err(JobError::Refused(refusal)) => refuse(context, message_id, &queue, &body, refusal).await,
        Err(error) => {
            tracing::warn!(
                message.id = message_id,
                error = chain(&error),
                "the message goes back to its queue"
            );
            false
        }
    }
}

/// Reads the message and makes all checks that do not need the database.
fn accept(context: &Context, queue: &str, body: &str) -> Result<(Job, TraceId), Refusal> {
    let message = JobMessage::parse(body).map_err(Refusal::JobMessage)?;
    let trace = message.trace();
    let job = message.into_job();
    if job.marketplace != context.marketplace {
        return Err(Refusal::OtherMarketplace);
    }
    // An account's lane may be the parallel queue. Whether it is or was, and whose turn it is there, only the rows know.
    if is_parallel_queue(queue) {
        return Ok((job, trace));
    }
    if job.kind.is_parallel() {
        return Err(Refusal::OtherQueue);
    }
    if lane_account(queue) != Some(job.account_id) {
        return Err(Refusal::OtherLane);
    }
    Ok((job, trace))
}

async fn refuse(context: &Context, message_id: &str, queue: &str, body: &str, refusal: Refusal) -> bool {
    tracing::error!(message.id = message_id, queue, refusal = refusal.code(), reason = %refusal, "message refused");
    match context.dead_letters.take(message_id, queue, body, refusal).await {
        Ok(()) => true,
        Err(error) => {
            tracing::error!(
                message.id = message_id,
                error = chain(&error),
                "the refused message stays in its queue"
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

    fn three() -> Vec<(String, SqsMessage)> {
        identified(["a", "b", "c"].map(message).into()).unwrap()
    }

    /// Handles three messages, of which the second ends in a panic. Returns those that were begun and those that failed.
    macro_rules! second_panics {
        ($handle:ident) => {{
            let begun = Mutex::new(Vec::new());
            let work = async |id: String, _| {
                begun.lock().unwrap().push(id.clone());
                tokio::task::yield_now().await;
                assert_ne!(id, "b", "hunter2");
                true
            };
            let failed = $handle(three(), work).await;
            (begun.into_inner().unwrap(), failed)
        }};
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_panic_fails_its_own_message_and_no_later_one_of_a_lane_overtakes() {
        let (begun, failed) = second_panics!(in_order);
        assert_eq!(
            (begun, failed),
            (vec!["a".to_owned(), "b".to_owned()], vec!["b".to_owned(), "c".to_owned()])
        );
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_panic_fails_its_own_message_and_no_other_of_a_parallel_queue() {
        let (begun, failed) = second_panics!(at_once);
        assert_eq!((begun.len(), failed), (3, vec!["b".to_owned()]));
    }

    #[tokio::test(flavor = "current_thread")]
    async fn messages_of_a_parallel_queue_are_handled_at_the_same_time() {
        let meeting = tokio::sync::Barrier::new(3);
        let failed = at_once(three(), async |_, _| {
            meeting.wait().await;
            true
        });
        let failed = tokio::time::timeout(std::time::Duration::from_secs(10), failed).await;
        assert_eq!(failed, Ok(Vec::new()), "each waits until all have begun");
    }

    #[test]
    fn a_message_without_an_id_cannot_be_reported_and_fails_the_invocation() {
        for unnamed in [SqsMessage::default(), message("")] {
            assert!(identified(vec![message("a"), unnamed]).is_err());
        }
    }
}
