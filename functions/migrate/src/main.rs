//! The migrate function: a CloudFormation custom resource that brings the schema and the login roles up to date.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use migrate::custom_resource::{Request, answer};
use migrate::handler::{Context, MigrateError, migrate};

#[tokio::main]
async fn main() -> Result<(), Error> {
    robnu_observe::init();
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "a TLS provider is installed already")?;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Request>| {
        // The data outlives the stack: nothing is dropped.
        let outcome = if event.payload.is_delete() { Ok(()) } else { bring_up_to_date().await };
        answer(&event.payload, outcome).await
    }))
    .await
}

/// Reads the configuration within the invocation: CloudFormation would wait in vain for a function that cannot start.
async fn bring_up_to_date() -> Result<(), MigrateError> {
    let context = Context::from_environment().await?;
    migrate(&context).await?;
    Ok(())
}
