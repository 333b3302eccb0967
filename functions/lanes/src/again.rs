//! Goes on in another invocation of this function, when one has too little time.

use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::InvocationType;
use serde::Serialize;

use crate::context::Context;
use crate::error::LaneError;

/// Invokes this function with the event, without waiting for it. Lambda repeats an invocation that fails or is killed twice.
pub(crate) async fn again(context: &Context, event: &impl Serialize) -> Result<(), LaneError> {
    let Some(function) = &context.config.own_function else { return Err(LaneError::Alone) };
    let payload = serde_json::to_vec(event).map_err(LaneError::again)?;
    let request = context
        .lambda
        .invoke()
        .function_name(function)
        .invocation_type(InvocationType::Event)
        .payload(Blob::new(payload));
    request.send().await.map_err(|error| LaneError::again(error.into_service_error()))?;
    Ok(())
}
