//! The protocol of a CloudFormation custom resource: its request, and the response that it expects at a presigned URL.

use std::time::Duration;

use lambda_runtime::Diagnostic;
use robnu_observe::chain;
use serde::{Deserialize, Serialize};

use crate::error::MigrateError;

/// How long CloudFormation may take to accept the response, how often it is sent, and the pause between. All fits into the time that
/// the handler leaves.
const PATIENCE: Duration = Duration::from_secs(10);
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_secs(2);

/// What CloudFormation sends to a custom resource; only the parts used here.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
#[allow(clippy::struct_field_names, reason = "the names are CloudFormation's")]
pub struct Request {
    request_type: RequestType,
    #[serde(rename = "ResponseURL")]
    response_url: String,
    stack_id: String,
    request_id: String,
    logical_resource_id: String,
    physical_resource_id: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
enum RequestType {
    Create,
    Update,
    Delete,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Answer<'a> {
    status: &'a str,
    reason: String,
    physical_resource_id: &'a str,
    stack_id: &'a str,
    request_id: &'a str,
    logical_resource_id: &'a str,
}

impl Request {
    /// Whether the resource is being removed.
    #[must_use]
    pub fn is_delete(&self) -> bool {
        self.request_type == RequestType::Delete
    }
}

/// Sends CloudFormation the result. A failure must be sent too, because the deployment hangs until its timeout without a
/// response.
///
/// # Errors
/// When the response cannot be delivered.
///
/// # Panics
/// Never: texts always serialize.
pub async fn answer(request: &Request, outcome: Result<(), MigrateError>) -> Result<(), Diagnostic> {
    let (status, reason) = match &outcome {
        Ok(()) => ("SUCCESS", String::new()),
        Err(error) => {
            let reason = chain(error);
            tracing::error!(error = reason, "the schema was not brought up to date");
            ("FAILED", reason)
        }
    };
    let answer = Answer {
        status,
        // CloudFormation cuts a response at 4 KiB.
        reason: reason.chars().take(1000).collect(),
        physical_resource_id: request.physical_resource_id.as_deref().unwrap_or("robnu-schema"),
        stack_id: &request.stack_id,
        request_id: &request.request_id,
        logical_resource_id: &request.logical_resource_id,
    };
    let body = serde_json::to_vec(&answer).expect("texts always serialize");
    // The URL is signed without a content type, so none may be sent.
    let put = async || {
        let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
        http.put(&request.response_url).body(body.clone()).send().await?.error_for_status()
    };
    let mut attempt = 1;
    let delivered = loop {
        match put().await {
            Err(_) if attempt < ATTEMPTS => {
                attempt += 1;
                tokio::time::sleep(PAUSE).await;
            }
            outcome => break outcome,
        }
    };
    delivered.map_err(|error| Diagnostic {
        error_type: "AnswerNotTaken".to_owned(),
        // The URL is a secret.
        error_message: chain(&error.without_url()),
    })?;
    Ok(())
}
