//! The migrate function: a CloudFormation custom resource that brings the schema and the login roles up to date.

use lambda_runtime::Error;
use migrate::custom_resource::{Request, answer};
use migrate::handler::{Context, MigrateError, migrate};
use robnu_observe::caught;

#[tokio::main]
async fn main() -> Result<(), Error> {
    robnu_observe::init();
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "a TLS provider is installed already")?;
    robnu_startup::serve(async |request: Request, _| {
        // The data outlives the stack: nothing is dropped.
        let outcome = if request.is_delete() { Ok(()) } else { bring_up_to_date().await };
        answer(&request, outcome).await
    })
    .await
}

/// Reads the configuration within the invocation: CloudFormation would wait in vain for a function that cannot start.
/// A panic is a failure to be told like any other.
async fn bring_up_to_date() -> Result<(), MigrateError> {
    let work = Box::pin(async {
        let context = Context::from_environment().await?;
        migrate(&context).await.map(drop)
    });
    caught(work).await.unwrap_or(Err(MigrateError::Panicked))
}
