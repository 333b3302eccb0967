//! The migrate function: a CloudFormation custom resource that brings the schema and the login roles up to date.

use lambda_runtime::{Error, LambdaEvent, service_fn};
use migrate::custom_resource::{Request, answer};
use migrate::handler::{Context, migrate};

#[tokio::main]
async fn main() -> Result<(), Error> {
    robnu_observe::init();
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "a TLS provider is installed already")?;
    let context = Context::from_environment().await.inspect_err(|error| {
        tracing::error!(error = robnu_observe::chain(error), "cannot start");
    })?;
    let context = &context;
    lambda_runtime::run(service_fn(async |event: LambdaEvent<Request>| {
        // The data outlives the stack: nothing is dropped.
        let outcome = if event.payload.is_delete() { Ok(()) } else { migrate(context).await.map(|_| ()) };
        answer(&event.payload, outcome).await
    }))
    .await
}
