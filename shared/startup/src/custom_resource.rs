//! The protocol of a CloudFormation custom resource: its request, and the response that it expects at a presigned URL.

use std::time::Duration;

use lambda_runtime::Diagnostic;
use robnu_observe::chain;
use serde::{Deserialize, Serialize};

/// How long CloudFormation may take to accept the response, how often it is sent, and the pause between. A handler leaves
/// [`RESERVE`] for all of it.
const PATIENCE: Duration = Duration::from_secs(10);
const ATTEMPTS: u32 = 4;
const PAUSE: Duration = Duration::from_secs(2);
/// The time that a response may take. A function that Lambda ends sends none, and the deploy hangs until its time-out.
pub const RESERVE: Duration = Duration::from_mins(1);

/// What CloudFormation sends to a custom resource; only the parts used here.
#[derive(Clone, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase")]
#[allow(clippy::struct_field_names, reason = "the names are CloudFormation's")]
pub struct Request {
    #[serde(rename = "RequestType")]
    kind: RequestType,
    #[serde(rename = "ResponseURL")]
    response_url: String,
    stack_id: String,
    request_id: String,
    logical_resource_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    physical_resource_id: Option<String>,
}

/// The URL is a secret, so only the names are shown.
impl std::fmt::Debug for Request {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names = (&self.logical_resource_id, &self.request_id);
        f.debug_struct("Request").field("kind", &self.kind).field("names", &names).finish_non_exhaustive()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
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
        self.kind == RequestType::Delete
    }

    /// Sends CloudFormation the result; a failure is its reason. A failure must be sent too, because the deployment hangs until its
    /// timeout without a response. `id` names the resource if it has no name yet.
    ///
    /// # Errors
    /// When the response cannot be delivered.
    ///
    /// # Panics
    /// Never: texts always serialize.
    pub async fn answer(&self, id: &str, outcome: Result<(), String>) -> Result<(), Diagnostic> {
        let (status, reason) = match outcome {
            Ok(()) => ("SUCCESS", String::new()),
            Err(reason) => ("FAILED", reason),
        };
        let answer = Answer {
            status,
            // CloudFormation cuts a response at 4 KiB.
            reason: reason.chars().take(1000).collect(),
            physical_resource_id: self.physical_resource_id.as_deref().unwrap_or(id),
            stack_id: &self.stack_id,
            request_id: &self.request_id,
            logical_resource_id: &self.logical_resource_id,
        };
        let body = serde_json::to_vec(&answer).expect("texts always serialize");
        // The URL is signed without a content type, so none may be sent.
        let put = async || {
            let http = reqwest::Client::builder().timeout(PATIENCE).build()?;
            http.put(&self.response_url).body(body.clone()).send().await?.error_for_status()
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
            error_message: chain(&error.without_url()),
        })?;
        Ok(())
    }
}
