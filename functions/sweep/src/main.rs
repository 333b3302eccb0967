//! The sweep's Lambda: wiring only.

use std::time::{Duration, SystemTime};

use aws_sdk_sqs::config::timeout::TimeoutConfig;
use lambda_runtime::{Diagnostic, Error};
use robnu_dispatch::Publisher;
use sweep::{Context, handle};
use tokio::time::Instant;

/// A send that takes longer is given up and left for the next sweep.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    robnu_observe::init();
    let context = start().await.inspect_err(|error| {
        tracing::error!(error = robnu_observe::chain(error), "the sweep cannot start");
    })?;
    robnu_startup::serve(async |event, invocation: lambda_runtime::Context| {
        let left = invocation.deadline().duration_since(SystemTime::now()).unwrap_or_default();
        handle(&event, &context, Instant::now() + left).await.map_err(|error| {
            tracing::error!(error = robnu_observe::chain(&error), "the sweep failed");
            Diagnostic::from(error)
        })
    })
    .await
}

async fn start() -> Result<Context, robnu_startup::StartupError> {
    let aws = robnu_startup::aws_config().await;
    let timeouts = TimeoutConfig::builder().operation_timeout(SEND_TIMEOUT).build();
    let sqs = aws_sdk_sqs::config::Builder::from(&aws).timeout_config(timeouts).build();
    let publisher = Publisher::new(aws_sdk_sqs::Client::from_conf(sqs));
    Ok(Context { database: robnu_startup::database(&aws).await?, publisher })
}
