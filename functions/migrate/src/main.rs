//! The migrate function: a CloudFormation custom resource that brings the schema and the login roles up to date.

use lambda_runtime::Error;
use migrate::custom_resource::{Request, answer};
use migrate::handler::handle;

#[tokio::main]
async fn main() -> Result<(), Error> {
    robnu_observe::init();
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "a TLS provider is installed already")?;
    robnu_startup::serve(async |request: Request, _| answer(&request, handle(&request).await).await).await
}
