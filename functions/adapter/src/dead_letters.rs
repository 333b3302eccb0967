//! Sends refused messages to the marketplace's dead-letter queues at once, with the reason. Otherwise such a poison message
//! would block its lane until SQS gave up on it. A FIFO queue and a Standard queue cannot share a dead-letter queue.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::MessageAttributeValue;

use robnu_dispatch::is_parallel_queue;

use crate::error::Refusal;

/// The dead-letter queue did not accept the message. It stays in its queue, and SQS moves it in the end.
#[derive(Debug, thiserror::Error)]
#[error("the dead-letter queue did not accept the message")]
pub struct DeadLetterError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// A marketplace's dead-letter queues.
#[derive(Debug)]
pub struct DeadLetters {
    sqs: Client,
    of_lanes: String,
    of_parallel: String,
}

impl DeadLetters {
    /// Sends messages of lanes to the first queue, which is a FIFO queue, and those of the parallel queue to the second.
    #[must_use]
    pub fn new(sqs: Client, of_lanes: String, of_parallel: String) -> Self {
        Self { sqs, of_lanes, of_parallel }
    }

    /// Sends a refused message, whole, with its queue and the reason.
    pub async fn take(
        &self,
        message_id: &str,
        queue_arn: &str,
        body: &str,
        refusal: Refusal,
    ) -> Result<(), DeadLetterError> {
        let text = |value: &str| {
            let attribute = MessageAttributeValue::builder().data_type("String").string_value(value).build();
            attribute.map_err(|error| DeadLetterError(Box::new(error)))
        };
        let send = self.sqs.send_message();
        let send = if is_parallel_queue(queue_arn) {
            send.queue_url(&self.of_parallel)
        } else {
            send.queue_url(&self.of_lanes)
                .message_group_id(queue_arn.rsplit(':').next().unwrap_or("unknown"))
                .message_deduplication_id(message_id)
        };
        send.message_body(body)
            .message_attributes("refusal", text(refusal.code())?)
            .message_attributes("queue", text(queue_arn)?)
            .send()
            .await
            .map_err(|error| DeadLetterError(Box::new(error.into_service_error())))?;
        Ok(())
    }
}
