//! The migrate function: a CloudFormation custom resource that brings the schema and the login roles up to date.

use std::time::SystemTime;

use lambda_runtime::{Context, Error};
use migrate::custom_resource::{Request, answer};
use migrate::handler::handle;

#[tokio::main]
async fn main() -> Result<(), Error> {
    robnu_observe::init();
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "a TLS provider is installed already")?;
    robnu_startup::serve(async |request: Request, invocation: Context| {
        let left = invocation.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        answer(&request, handle(&request, left).await).await
    })
    .await
}
