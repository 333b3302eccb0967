//! The event source mappings between lanes and adapters. Each call may be repeated.
//!
//! Lambda takes seconds to update a mapping and refuses changes meanwhile, and it may not yet see a queue that was just
//! made. The code waits here and calls again, because the lane request would otherwise come back only minutes later.

use std::time::Duration;

use aws_sdk_lambda::error::ProvideErrorMetadata;
use aws_sdk_lambda::operation::delete_event_source_mapping::DeleteEventSourceMappingError;
use aws_sdk_lambda::types::{EventSourceMappingConfiguration, FunctionResponseType};

use crate::context::Context;
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

    /// Whether it is being deleted.
    pub fn is_leaving(&self) -> bool {
        self.state == "Deleting"
    }
}

/// Makes the lane's mapping, or finds the existing one, and enables it. Returns its id.
///
/// It is not looked for first when it cannot exist, because calls are scarce. Lambda refuses a second mapping of a queue.
pub async fn open(
    context: &Context,
    queue_arn: &str,
    function_arn: &str,
    may_exist: bool,
) -> Result<String, LaneError> {
    let found = if may_exist { list(context, queue_arn).await? } else { Vec::new() };
    if let Some(id) = adopt(context, &found, function_arn).await? {
        return Ok(id);
    }
    if let Some(id) = create(context, queue_arn, function_arn).await? {
        return Ok(id);
    }
    // An earlier call made it and did not store it, or somebody else made it after we looked.
    let found = list(context, queue_arn).await?;
    adopt(context, &found, function_arn).await?.ok_or(LaneError::MappingLeaving)
}

/// Uses an existing mapping, enabled and pointed at the right function.
async fn adopt(
    context: &Context,
    found: &[Mapping],
    function_arn: &str,
) -> Result<Option<String>, LaneError> {
    let Some(mapping) = found.iter().find(|mapping| !mapping.is_leaving()) else {
        return if found.is_empty() { Ok(None) } else { Err(LaneError::MappingLeaving) };
    };
    if !mapping.feeds(function_arn) {
        let request = context
            .lambda
            .update_event_source_mapping()
            .uuid(&mapping.id)
            .function_name(function_arn)
            .enabled(true);
        let answer = settled(context, async || request.clone().send().await).await;
        answer.map_err(|error| LaneError::mapping("enabled", error.into_service_error()))?;
    }
    Ok(Some(mapping.id.clone()))
}

/// Makes a mapping: one message at a time, failures reported per message. `None` when one exists.
async fn create(context: &Context, queue_arn: &str, function_arn: &str) -> Result<Option<String>, LaneError> {
    let request = context
        .lambda
        .create_event_source_mapping()
        .event_source_arn(queue_arn)
        .function_name(function_arn)
        .batch_size(1)
        .function_response_types(FunctionResponseType::ReportBatchItemFailures)
        .enabled(true);
    match settled(context, async || request.clone().send().await).await {
        Ok(made) => made.uuid.map(Some).ok_or(LaneError::Answer { what: "the mapping's id" }),
        Err(error) => match error.into_service_error() {
            conflict if conflict.is_resource_conflict_exception() => Ok(None),
            other => Err(LaneError::mapping("created", other)),
        },
    }
}

/// Disables every mapping of the lane.
pub async fn pause(context: &Context, queue_arn: &str) -> Result<(), LaneError> {
    for mapping in list(context, queue_arn).await? {
        if mapping.is_leaving() || matches!(mapping.state.as_str(), "Disabled" | "Disabling") {
            continue;
        }
        let request = context.lambda.update_event_source_mapping().uuid(&mapping.id).enabled(false);
        let answer = settled(context, async || request.clone().send().await).await;
        answer.map_err(|error| LaneError::mapping("disabled", error.into_service_error()))?;
    }
    Ok(())
}

/// Deletes every mapping of the lane, or finds it deleted.
pub async fn delete(context: &Context, queue_arn: &str) -> Result<(), LaneError> {
    for mapping in list(context, queue_arn).await? {
        if mapping.is_leaving() {
            continue;
        }
        delete_one(context, &mapping.id).await?;
    }
    Ok(())
}

/// Deletes a mapping, or finds it deleted.
pub async fn delete_one(context: &Context, id: &str) -> Result<(), LaneError> {
    let request = context.lambda.delete_event_source_mapping().uuid(id);
    match settled(context, async || request.clone().send().await).await {
        Ok(_) => Ok(()),
        Err(error) => match error.into_service_error() {
            DeleteEventSourceMappingError::ResourceNotFoundException(_) => Ok(()),
            other => Err(LaneError::mapping("deleted", other)),
        },
    }
}

/// The lane's mappings. There is at most one, unless somebody made another by hand.
pub async fn list(context: &Context, queue_arn: &str) -> Result<Vec<Mapping>, LaneError> {
    context.pace.turn().await;
    let answer = context.lambda.list_event_source_mappings().event_source_arn(queue_arn).send().await;
    let listed = answer.map_err(|error| LaneError::mapping("listed", error.into_service_error()))?;
    Ok(listed.event_source_mappings.unwrap_or_default().into_iter().filter_map(read).collect())
}

/// Mappings of the whole AWS account, by the ARNs of their sources.
#[derive(Debug)]
pub struct Page {
    pub mappings: Vec<(String, Mapping)>,
    /// Where the next page begins.
    pub next: Option<String>,
}

/// Reads a page of the AWS account's mappings.
pub async fn page(context: &Context, marker: Option<String>) -> Result<Page, LaneError> {
    context.pace.turn().await;
    let answer = context.lambda.list_event_source_mappings().set_marker(marker).send().await;
    let listed = answer.map_err(|error| LaneError::mapping("listed", error.into_service_error()))?;
    let found = listed.event_source_mappings.unwrap_or_default().into_iter();
    let mappings = found.filter_map(|mut mapping| Some((mapping.event_source_arn.take()?, read(mapping)?)));
    Ok(Page { mappings: mappings.collect(), next: listed.next_marker.filter(|marker| !marker.is_empty()) })
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
async fn settled<T, E: ProvideErrorMetadata>(
    context: &Context,
    call: impl AsyncFn() -> Result<T, E>,
) -> Result<T, E> {
    for wait in WAITS {
        context.pace.turn().await;
        match call().await {
            Err(error) if is_settling(&error) => tokio::time::sleep(wait).await,
            answer => return answer,
        }
    }
    context.pace.turn().await;
    call().await
}

/// "In use" means that the mapping's last change is still being made. "Invalid parameter" means, among other things, that
/// the queue was made a moment ago.
fn is_settling(error: &impl ProvideErrorMetadata) -> bool {
    matches!(error.code(), Some("ResourceInUseException" | "InvalidParameterValueException"))
}
