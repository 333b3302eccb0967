//! Publishing: sends a run's message to its account's lane, or to the Standard queue of its marketplace, which is also the lane of an
//! account in a shared lane.

use aws_sdk_sqs::Client;

use crate::job_message::{Job, JobMessage};
use crate::parallel::{ParallelQueues, is_parallel_queue};

/// The message could not be sent. The run's row stays unsent, so a sweep publishes it again.
#[derive(Debug, thiserror::Error)]
#[error("the queue did not take the message")]
pub struct PublishError(#[source] pub(crate) Box<dyn std::error::Error + Send + Sync>);

/// The deployment names no Standard queue for the marketplace.
#[derive(Debug, thiserror::Error)]
#[error("PARALLEL_QUEUES names no queue for {0}")]
struct NoQueue(&'static str);

/// The account has no lane.
#[derive(Debug, thiserror::Error)]
#[error("the account has no lane")]
struct NoLane;

/// Publishes runs.
#[derive(Debug, Clone)]
pub struct Publisher {
    sqs: Client,
    parallel: ParallelQueues,
}

impl Publisher {
    /// Publishes through this client; runs that may overtake each other go to these queues.
    #[must_use]
    pub fn new(sqs: Client, parallel: ParallelQueues) -> Self {
        Self { sqs, parallel }
    }

    /// Sends the message of one step of one run; `lane_url` is the queue of the account's lane, if it has one. To a FIFO lane, sending it
    /// twice within five minutes delivers it once. A Standard queue may deliver it twice in any case, and the run's lease makes one of them work.
    pub async fn publish(&self, lane_url: Option<&str>, job: Job) -> Result<(), PublishError> {
        let send = self.sqs.send_message().message_group_id(job.account_id.to_string());
        let send = if job.kind.is_parallel() {
            let code = job.marketplace;
            let url =
                self.parallel.url(code).ok_or_else(|| PublishError(Box::new(NoQueue(code.as_str()))))?;
            send.queue_url(url)
        } else {
            let url = lane_url.ok_or_else(|| PublishError(Box::new(NoLane)))?;
            let send = send.queue_url(url);
            // A Standard queue knows no deduplication and refuses its id.
            if is_parallel_queue(url) { send } else { send.message_deduplication_id(job.deduplication_id()) }
        };
        send.message_body(JobMessage::new(job).to_body())
            .send()
            .await
            .map_err(|error| PublishError(Box::new(error.into_service_error())))?;
        Ok(())
    }
}
