//! Sends refused messages to the marketplace's dead-letter queue at once, with the reason. Otherwise such a poison message
//! would block its lane until SQS gave up on it.

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::MessageAttributeValue;

use crate::error::Refusal;

/// The dead-letter queue did not accept the message. It stays in its lane, and SQS moves it in the end.
#[derive(Debug, thiserror::Error)]
#[error("the dead-letter queue did not accept the message")]
pub struct DeadLetterError(#[source] Box<dyn std::error::Error + Send + Sync>);

/// A marketplace's dead-letter queue.
#[derive(Debug)]
pub struct DeadLetters {
    sqs: Client,
    queue_url: String,
}

impl DeadLetters {
    /// Sends to this queue.
    #[must_use]
    pub fn new(sqs: Client, queue_url: String) -> Self {
        Self { sqs, queue_url }
    }

    /// Sends a refused message, whole, with its lane and the reason.
    pub async fn take(
        &self,
        message_id: &str,
        lane_arn: &str,
        body: &str,
        refusal: Refusal,
    ) -> Result<(), DeadLetterError> {
        let text = |value: &str| {
            let attribute = MessageAttributeValue::builder().data_type("String").string_value(value).build();
            attribute.map_err(|error| DeadLetterError(Box::new(error)))
        };
        self.sqs
            .send_message()
            .queue_url(&self.queue_url)
            .message_group_id(lane_arn.rsplit(':').next().unwrap_or("unknown"))
            .message_deduplication_id(message_id)
            .message_body(body)
            .message_attributes("refusal", text(refusal.code())?)
            .message_attributes("lane", text(lane_arn)?)
            .send()
            .await
            .map_err(|error| DeadLetterError(Box::new(error.into_service_error())))?;
        Ok(())
    }
}
