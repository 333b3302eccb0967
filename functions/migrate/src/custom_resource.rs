//! The response to CloudFormation.

use lambda_runtime::Diagnostic;
use robnu_observe::chain;
pub use robnu_startup::custom_resource::Request;

use crate::error::MigrateError;

/// Sends CloudFormation the result, and logs a failure.
///
/// # Errors
/// When the response cannot be delivered.
pub async fn answer(request: &Request, outcome: Result<(), MigrateError>) -> Result<(), Diagnostic> {
    let outcome = outcome.map_err(|error| {
        let reason = chain(&error);
        tracing::error!(error = reason, "the schema was not brought up to date");
        reason
    });
    request.answer("robnu-schema", outcome).await
}
