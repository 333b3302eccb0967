//! Wires the adapter function.

use adapter::context::Context;
use adapter::handler::handle;
use aws_lambda_events::event::sqs::SqsEvent;
use lambda_runtime::{Error, LambdaEvent, service_fn};

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
    lambda_runtime::run(service_fn(async |event: LambdaEvent<SqsEvent>| {
        handle(context, event.payload, event.context.deadline()).await.map_err(Error::from)
    }))
    .await
}
