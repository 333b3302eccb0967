//! The redrive function: wiring only.

use std::time::SystemTime;

use lambda_runtime::{Diagnostic, Error};
use redrive::{Context, handle};
use tokio::time::Instant;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    robnu_observe::init();
    let context = Context::from_environment().await.inspect_err(|error| {
        tracing::error!(error = robnu_observe::chain(error), "the redrive function cannot start");
    })?;
    robnu_startup::serve(async |event, invocation: lambda_runtime::Context| {
        let left = invocation.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        handle(event, &context, Instant::now() + left).await.map_err(|error| {
            tracing::error!(error = robnu_observe::chain(&error), "the redrive function failed");
            Diagnostic::from(error)
        })
    })
    .await
}
