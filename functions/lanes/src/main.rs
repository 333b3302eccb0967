//! The Lambda that keeps lanes: wiring only.

use std::time::{Duration, SystemTime};

use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use lambda_runtime::{Diagnostic, Error};
use lanes::{Context, LaneConfig, handle};
use robnu_dispatch::Publisher;
use robnu_startup::StartupError;
use tokio::time::Instant;

/// A call to AWS that takes longer is tried again.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// Lambda's control plane throttles early, so calls are patient.
const CALL_ATTEMPTS: u32 = 6;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    robnu_observe::init();
    let context = start().await.inspect_err(|error| {
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

async fn start() -> Result<Context, StartupError> {
    let config = LaneConfig::from_env()?;
    let aws = robnu_startup::aws_config()
        .await
        .into_builder()
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(CALL_TIMEOUT).build())
        .retry_config(RetryConfig::standard().with_max_attempts(CALL_ATTEMPTS))
        .build();
    let sqs = aws_sdk_sqs::Client::new(&aws);
    Ok(Context {
        database: robnu_startup::database(&aws).await?,
        lambda: aws_sdk_lambda::Client::new(&aws),
        publisher: Publisher::new(sqs.clone()),
        sqs,
        config,
    })
}
