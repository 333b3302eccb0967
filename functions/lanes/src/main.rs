//! The Lambda function that keeps lanes: wiring only.

use std::time::SystemTime;

use lambda_runtime::{Diagnostic, Error};
use lanes::{Context, handle};
use tokio::time::Instant;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    robnu_observe::init();
    // The response to CloudFormation is sent over TLS.
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "a TLS provider is installed already")?;
    let context = Context::from_environment().await.inspect_err(|error| {
        tracing::error!(error = robnu_observe::chain(error), "lanes cannot start");
    })?;
    robnu_startup::serve(async |event, invocation: lambda_runtime::Context| {
        let left = invocation.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        handle(event, &context, Instant::now() + left).await.map_err(|error| {
            tracing::error!(error = robnu_observe::chain(&error), "lanes failed");
            Diagnostic::from(error)
        })
    })
    .await
}
