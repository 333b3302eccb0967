//! Publishing: sends a run's message to its account's lane.

use aws_sdk_sqs::Client;

use crate::job_message::{Job, JobMessage};

/// The message could not be sent. The run's row stays unsent, so a sweep publishes it again.
#[derive(Debug, thiserror::Error)]
#[error("the lane's queue did not take the message")]
pub struct PublishError(#[source] pub(crate) Box<dyn std::error::Error + Send + Sync>);

/// Publishes runs to lanes.
#[derive(Debug, Clone)]
pub struct Publisher {
    sqs: Client,
}

impl Publisher {
    /// Publishes through this client.
    #[must_use]
    pub fn new(sqs: Client) -> Self {
        Self { sqs }
    }

    /// Sends the message of one step of one run. Sending it twice within five minutes delivers it once.
    pub async fn publish(&self, queue_url: &str, job: Job) -> Result<(), PublishError> {
        let deduplication_id = job.deduplication_id();
        let group_id = job.account_id.to_string();
        self.sqs
            .send_message()
            .queue_url(queue_url)
            .message_group_id(group_id)
            .message_deduplication_id(deduplication_id)
            .message_body(JobMessage::new(job).to_body())
            .send()
            .await
            .map_err(|error| PublishError(Box::new(error.into_service_error())))?;
        Ok(())
    }
}
