//! The stack that a command works on, and the call of its redrive function.

use std::time::Duration;

use anyhow::{Context, anyhow};
use aws_sdk_lambda::Client;
use aws_sdk_lambda::config::retry::RetryConfig;
use aws_sdk_lambda::config::timeout::TimeoutConfig;
use aws_sdk_lambda::config::{Credentials, Region, StalledStreamProtectionConfig};
use aws_sdk_lambda::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_lambda::operation::invoke::InvokeError;
use aws_sdk_lambda::primitives::Blob;
use local::aws::REGION;
use local::failure::{Exit, Failure};
use local::paths::Paths;
use local::settings::Settings;
use serde_json::Value;

/// The name of the stack that `cargo xtask up` deploys on this machine.
pub(crate) const LOCAL: &str = "robnu-local";
/// A call takes longer than the function may only when something is wrong on the way.
const CALL_TIMEOUT: Duration = Duration::from_secs(90);

/// A stack.
#[derive(Debug)]
pub struct Stack {
    /// Its name.
    pub name: String,
    lambda: Client,
}

impl Stack {
    /// Finds a stack by its name.
    pub async fn find(paths: &Paths, name: &str) -> anyhow::Result<Self> {
        let endpoint = if name == LOCAL { Some(local_endpoint(paths)?) } else { None };
        Ok(Self::at(name, endpoint.as_deref()).await)
    }

    /// A stack of the local AWS at this endpoint, or a deployed one.
    pub async fn at(name: &str, endpoint: Option<&str>) -> Self {
        let environment = robnu_startup::aws_config().await;
        let mut config = aws_sdk_lambda::config::Builder::from(&environment)
            .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(CALL_TIMEOUT).build())
            // A redrive that is cut off is repeated by the operator, who then sees what it did.
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        if let Some(endpoint) = endpoint {
            config = config
                .endpoint_url(endpoint)
                .region(Region::new(REGION))
                .credentials_provider(Credentials::new("test", "test", None, None, "the local AWS"));
        }
        Self { name: name.to_owned(), lambda: Client::from_conf(config.build()) }
    }

    /// Sends the redrive function a request and returns its response.
    pub async fn ask(&self, request: &Value) -> anyhow::Result<Value> {
        let function = format!("{}-redrive", self.name);
        let call = self.lambda.invoke().function_name(&function).payload(Blob::new(request.to_string()));
        let answer = call.send().await.map_err(|error| explained(&function, error))?;
        let payload = answer.payload().map(Blob::as_ref).unwrap_or_default();
        let response: Value =
            serde_json::from_slice(payload).context("the function's response is no JSON")?;
        if answer.function_error().is_some() {
            let why = response["errorMessage"].as_str().unwrap_or("it did not say why");
            return Err(anyhow!("the function {function} failed: {why}. Its log says more"));
        }
        if let Some(refused) = response["refused"].as_object() {
            let text = |name: &str| refused.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let what = format!("{}: {}", text("field"), text("message"));
            return Err(Failure::new(Exit::Usage, what, "see --help").into());
        }
        Ok(response)
    }
}

/// What an error of Lambda means and what to do next, as far as that is known.
fn explained(function: &str, error: SdkError<InvokeError>) -> anyhow::Error {
    let code = error.as_service_error().and_then(ProvideErrorMetadata::code).unwrap_or_default();
    let (exit, what, next) = match code {
        "ResourceNotFoundException" => (
            Exit::NotRunning,
            format!("there is no function {function}"),
            "check --stack, the region and the account; the local stack is started by `cargo xtask up`",
        ),
        "AccessDeniedException" | "AccessDenied" => (
            Exit::Usage,
            format!("your credentials may not invoke {function}"),
            "use a profile whose role has lambda:InvokeFunction on it",
        ),
        "ExpiredTokenException"
        | "ExpiredToken"
        | "UnrecognizedClientException"
        | "InvalidSignatureException" => (
            Exit::Usage,
            format!("AWS does not accept your credentials ({code})"),
            "sign in again, as for the AWS CLI, and start this command anew",
        ),
        "TooManyRequestsException" => (
            Exit::NotRunning,
            format!("Lambda throttles {function}"),
            "wait a moment; if it stays so, look at the concurrency of the account's functions",
        ),
        _ if matches!(error, SdkError::DispatchFailure(_) | SdkError::TimeoutError(_)) => (
            Exit::NotRunning,
            format!("{function} could not be reached: {}", cause(&error)),
            "the local stack is started by `cargo xtask up`; of a deployed one check network, region and credentials",
        ),
        _ => {
            return anyhow!(error.into_source().unwrap_or_else(|error| Box::new(error)))
                .context(format!("the function {function} could not be invoked"));
        }
    };
    Failure::new(exit, what, next).into()
}

/// The innermost cause of an error.
fn cause(error: &dyn std::error::Error) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

fn local_endpoint(paths: &Paths) -> anyhow::Result<String> {
    let settings = Settings::load(paths)?.ok_or_else(|| {
        Failure::new(
            Exit::NotRunning,
            "the local stack is not running",
            "start it with `cargo xtask up`, or name a deployed stack with --stack",
        )
    })?;
    Ok(settings.aws_endpoint())
}
