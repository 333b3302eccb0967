//! The adapter function: wiring only.

use adapter::context::Context;
use adapter::handler::handle;
use lambda_runtime::{Diagnostic, Error};

#[tokio::main]
async fn main() -> Result<(), Error> {
    robnu_observe::init();
    rustls::crypto::ring::default_provider()
        .install_default()
        .map_err(|_| "a TLS provider is installed already")?;
    let context = Context::from_environment().await.inspect_err(|error| {
        tracing::error!(error = robnu_observe::chain(error), "cannot start");
    })?;
    robnu_startup::serve(async |event, invocation: lambda_runtime::Context| {
        handle(&context, event, invocation.deadline()).await.map_err(|error| Diagnostic {
            error_type: "MissingMessageId".to_owned(),
            error_message: error.to_string(),
        })
    })
    .await
}
