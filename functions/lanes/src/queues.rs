//! The lanes' queues in SQS. Each call may be repeated.

use std::collections::HashMap;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::operation::create_queue::CreateQueueError;
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use crate::config::{LaneConfig, Target};
use crate::error::LaneError;
use crate::store::AccountKey;

/// Four days, the default. The run's row is authoritative, so a message that expires after that is published again.
const RETENTION_SECONDS: u32 = 4 * 24 * 60 * 60;

/// The tag that says which stage made a queue.
const STAGE_TAG: &str = "robnu:stage";

/// How a queue compares with its wanted configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It matches.
    Sound,
    /// It exists with attributes of an older configuration.
    Differs,
    /// It does not exist.
    Gone,
}

/// Makes the queue, or finds the existing one. `None` when SQS refuses the name because a queue of that name was deleted
/// within the last minute.
pub async fn make(
    sqs: &Client,
    config: &LaneConfig,
    target: &Target,
    name: &str,
    key: AccountKey,
) -> Result<Option<String>, LaneError> {
    let tags = HashMap::from([
        (STAGE_TAG.to_owned(), config.stage.clone()),
        ("robnu:seller".to_owned(), key.seller.to_string()),
        ("robnu:account".to_owned(), key.account.to_string()),
    ]);
    let mut attributes = adjustable(config, target);
    attributes.insert(QueueAttributeName::FifoQueue, "true".to_owned());
    attributes.insert(QueueAttributeName::ContentBasedDeduplication, "false".to_owned());
    attributes.insert(QueueAttributeName::SqsManagedSseEnabled, "true".to_owned());
    let request = sqs.create_queue().queue_name(name).set_attributes(Some(attributes)).set_tags(Some(tags));
    match request.send().await {
        Ok(made) => made.queue_url.map(Some).ok_or(LaneError::Answer { what: "the queue's URL" }),
        Err(error) => match error.into_service_error() {
            CreateQueueError::QueueDeletedRecently(_) => Ok(None),
            CreateQueueError::QueueNameExists(_) => adopt(sqs, config, target, name).await.map(Some),
            other => Err(LaneError::queue("created", other)),
        },
    }
}

/// Takes over a queue that was made with an older configuration.
async fn adopt(sqs: &Client, config: &LaneConfig, target: &Target, name: &str) -> Result<String, LaneError> {
    let url = find(sqs, name).await?.ok_or(LaneError::Answer { what: "the queue whose name is taken" })?;
    adjust(sqs, config, target, &url).await?;
    Ok(url)
}

/// The URL of a queue; `None` when there is none by that name.
pub async fn find(sqs: &Client, name: &str) -> Result<Option<String>, LaneError> {
    match sqs.get_queue_url().queue_name(name).send().await {
        Ok(found) => Ok(found.queue_url),
        Err(error) => match error.into_service_error() {
            missing if missing.is_queue_does_not_exist() => Ok(None),
            other => Err(LaneError::queue("found", other)),
        },
    }
}

/// Looks at a queue.
pub async fn inspect(
    sqs: &Client,
    config: &LaneConfig,
    target: &Target,
    url: &str,
) -> Result<Condition, LaneError> {
    let wanted = adjustable(config, target);
    let names = Some(wanted.keys().cloned().collect());
    let found = match sqs.get_queue_attributes().queue_url(url).set_attribute_names(names).send().await {
        Ok(answer) => answer.attributes.unwrap_or_default(),
        Err(error) => match error.into_service_error() {
            missing if missing.is_queue_does_not_exist() => return Ok(Condition::Gone),
            other => return Err(LaneError::queue("inspected", other)),
        },
    };
    let sound =
        wanted.iter().all(|(name, value)| found.get(name).is_some_and(|found| same(name, found, value)));
    Ok(if sound { Condition::Sound } else { Condition::Differs })
}

/// Sets the attributes that may change.
pub async fn adjust(sqs: &Client, config: &LaneConfig, target: &Target, url: &str) -> Result<(), LaneError> {
    let wanted = adjustable(config, target);
    match sqs.set_queue_attributes().queue_url(url).set_attributes(Some(wanted)).send().await {
        Ok(_) => Ok(()),
        Err(error) => Err(LaneError::queue("adjusted", error.into_service_error())),
    }
}

/// Whose queue it is, by its tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// This stage made it.
    Ours,
    /// The tag names another stage, or there is none.
    Another,
    /// It does not exist.
    Nobody,
}

/// Looks at a queue's tag.
pub async fn owner(sqs: &Client, config: &LaneConfig, url: &str) -> Result<Owner, LaneError> {
    match sqs.list_queue_tags().queue_url(url).send().await {
        Ok(answer) => {
            let tags = answer.tags.unwrap_or_default();
            Ok(if tags.get(STAGE_TAG) == Some(&config.stage) { Owner::Ours } else { Owner::Another })
        }
        Err(error) => match error.into_service_error() {
            missing if missing.is_queue_does_not_exist() => Ok(Owner::Nobody),
            other => Err(LaneError::queue("looked at", other)),
        },
    }
}

/// Deletes a queue, or finds it deleted.
pub async fn delete(sqs: &Client, url: &str) -> Result<(), LaneError> {
    match sqs.delete_queue().queue_url(url).send().await {
        Ok(_) => Ok(()),
        Err(error) => match error.into_service_error() {
            missing if missing.is_queue_does_not_exist() => Ok(()),
            other => Err(LaneError::queue("deleted", other)),
        },
    }
}

/// The attributes that a deployment may change on existing queues.
fn adjustable(config: &LaneConfig, target: &Target) -> HashMap<QueueAttributeName, String> {
    let redrive =
        json!({"deadLetterTargetArn": target.dead_letter_queue_arn, "maxReceiveCount": config.max_receives});
    HashMap::from([
        (QueueAttributeName::VisibilityTimeout, config.visibility_seconds.to_string()),
        (QueueAttributeName::MessageRetentionPeriod, RETENTION_SECONDS.to_string()),
        (QueueAttributeName::RedrivePolicy, redrive.to_string()),
    ])
}

/// Whether two values of an attribute mean the same; SQS may write a policy's JSON in its own way.
fn same(name: &QueueAttributeName, found: &str, wanted: &str) -> bool {
    if *name != QueueAttributeName::RedrivePolicy {
        return found == wanted;
    }
    let [found, wanted] = [found, wanted].map(|text| serde_json::from_str::<Value>(text).unwrap_or_default());
    let receives = |policy: &Value| policy["maxReceiveCount"].to_string().trim_matches('"').to_owned();
    found["deadLetterTargetArn"] == wanted["deadLetterTargetArn"] && receives(&found) == receives(&wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redrive_policy_is_compared_by_meaning() {
        let name = QueueAttributeName::RedrivePolicy;
        let wanted = r#"{"deadLetterTargetArn":"arn:a","maxReceiveCount":5}"#;
        assert!(same(&name, r#"{"maxReceiveCount": "5", "deadLetterTargetArn": "arn:a"}"#, wanted));
        assert!(!same(&name, r#"{"maxReceiveCount":4,"deadLetterTargetArn":"arn:a"}"#, wanted));
        assert!(!same(&name, r#"{"maxReceiveCount":5,"deadLetterTargetArn":"arn:b"}"#, wanted));
        assert!(!same(&name, "", wanted));
    }
}
