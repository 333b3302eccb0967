//! The event source mappings between lanes and adapters. Each call may be repeated.
//!
//! Lambda takes seconds to update a mapping and refuses changes meanwhile, and it may not yet see a queue that was just
//! made. The code waits here and calls again, because the lane request would otherwise come back only minutes later.

use std::time::Duration;

use aws_sdk_lambda::Client;
use aws_sdk_lambda::error::ProvideErrorMetadata;
use aws_sdk_lambda::operation::delete_event_source_mapping::DeleteEventSourceMappingError;
use aws_sdk_lambda::types::{EventSourceMappingConfiguration, FunctionResponseType};

use crate::error::LaneError;

/// The waits between tries of a call that Lambda is not ready for.
const WAITS: [Duration; 5] = [
    Duration::from_millis(250),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
];

/// A mapping of a lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapping {
    pub id: String,
    pub function_arn: String,
    pub state: String,
}

impl Mapping {
    /// Whether it feeds this function, or will soon.
    pub fn feeds(&self, function_arn: &str) -> bool {
        self.function_arn == function_arn
            && matches!(self.state.as_str(), "Enabled" | "Enabling" | "Creating" | "Updating")
    }

    fn is_leaving(&self) -> bool {
        self.state == "Deleting"
    }
}

/// Makes the lane's mapping, or finds the existing one, and enables it. Returns its id.
pub async fn open(lambda: &Client, queue_arn: &str, function_arn: &str) -> Result<String, LaneError> {
    let found = list(lambda, queue_arn).await?;
    if let Some(id) = adopt(lambda, &found, function_arn).await? {
        return Ok(id);
    }
    if let Some(id) = create(lambda, queue_arn, function_arn).await? {
        return Ok(id);
    }
    // Somebody else made it after we looked.
    let found = list(lambda, queue_arn).await?;
    adopt(lambda, &found, function_arn).await?.ok_or(LaneError::MappingLeaving)
}

/// Uses an existing mapping, enabled and pointed at the right function.
async fn adopt(lambda: &Client, found: &[Mapping], function_arn: &str) -> Result<Option<String>, LaneError> {
    let Some(mapping) = found.iter().find(|mapping| !mapping.is_leaving()) else {
        return if found.is_empty() { Ok(None) } else { Err(LaneError::MappingLeaving) };
    };
    if !mapping.feeds(function_arn) {
        let request =
            lambda.update_event_source_mapping().uuid(&mapping.id).function_name(function_arn).enabled(true);
        let answer = settled(async || request.clone().send().await).await;
        answer.map_err(|error| LaneError::mapping("enabled", error.into_service_error()))?;
    }
    Ok(Some(mapping.id.clone()))
}

/// Makes a mapping: one message at a time, failures reported per message. `None` when one exists.
async fn create(lambda: &Client, queue_arn: &str, function_arn: &str) -> Result<Option<String>, LaneError> {
    let request = lambda
        .create_event_source_mapping()
        .event_source_arn(queue_arn)
        .function_name(function_arn)
        .batch_size(1)
        .function_response_types(FunctionResponseType::ReportBatchItemFailures)
        .enabled(true);
    match settled(async || request.clone().send().await).await {
        Ok(made) => made.uuid.map(Some).ok_or(LaneError::Answer { what: "the mapping's id" }),
        Err(error) => match error.into_service_error() {
            conflict if conflict.is_resource_conflict_exception() => Ok(None),
            other => Err(LaneError::mapping("created", other)),
        },
    }
}

/// Disables every mapping of the lane.
pub async fn pause(lambda: &Client, queue_arn: &str) -> Result<(), LaneError> {
    for mapping in list(lambda, queue_arn).await? {
        if mapping.is_leaving() || matches!(mapping.state.as_str(), "Disabled" | "Disabling") {
            continue;
        }
        let request = lambda.update_event_source_mapping().uuid(&mapping.id).enabled(false);
        let answer = settled(async || request.clone().send().await).await;
        answer.map_err(|error| LaneError::mapping("disabled", error.into_service_error()))?;
    }
    Ok(())
}

/// Deletes every mapping of the lane, or finds it deleted.
pub async fn delete(lambda: &Client, queue_arn: &str) -> Result<(), LaneError> {
    for mapping in list(lambda, queue_arn).await? {
        if mapping.is_leaving() {
            continue;
        }
        let request = lambda.delete_event_source_mapping().uuid(&mapping.id);
        match settled(async || request.clone().send().await).await {
            Ok(_) => {}
            Err(error) => match error.into_service_error() {
                DeleteEventSourceMappingError::ResourceNotFoundException(_) => {}
                other => return Err(LaneError::mapping("deleted", other)),
            },
        }
    }
    Ok(())
}

/// The lane's mappings. There is at most one, unless somebody made another by hand.
pub async fn list(lambda: &Client, queue_arn: &str) -> Result<Vec<Mapping>, LaneError> {
    let answer = lambda.list_event_source_mappings().event_source_arn(queue_arn).send().await;
    let listed = answer.map_err(|error| LaneError::mapping("listed", error.into_service_error()))?;
    Ok(listed.event_source_mappings.unwrap_or_default().into_iter().filter_map(read).collect())
}

fn read(mapping: EventSourceMappingConfiguration) -> Option<Mapping> {
    let id = mapping.uuid?;
    Some(Mapping {
        id,
        function_arn: mapping.function_arn.unwrap_or_default(),
        state: mapping.state.unwrap_or_default(),
    })
}

/// Calls again while Lambda is not ready.
async fn settled<T, E: ProvideErrorMetadata>(call: impl AsyncFn() -> Result<T, E>) -> Result<T, E> {
    for wait in WAITS {
        match call().await {
            Err(error) if is_settling(&error) => tokio::time::sleep(wait).await,
            answer => return answer,
        }
    }
    call().await
}

/// "In use" means that the mapping's last change is still being made. "Invalid parameter" means, among other things, that
/// the queue was made a moment ago.
fn is_settling(error: &impl ProvideErrorMetadata) -> bool {
    matches!(error.code(), Some("ResourceInUseException" | "InvalidParameterValueException"))
}
