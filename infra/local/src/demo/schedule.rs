//! Fires the EventBridge schedule of due syncs by hand, so that the demo need not wait a minute for it.

use anyhow::{Context, anyhow};
use reqwest::Method;
use serde_json::Value;

use crate::aws::Aws;

/// The schedule's name in the local stage of template.yaml.
const SCHEDULE: &str = "/schedules/robnu-local-scheduling-sweep";

/// Invokes the deployed schedule's target with the schedule's input, as EventBridge does, and waits for the response.
pub async fn fire(aws: &Aws) -> anyhow::Result<()> {
    let schedule = aws.rest("scheduler", Method::GET, SCHEDULE, None).await?;
    let text = |name: &str| {
        let text = schedule["Target"][name].as_str();
        text.with_context(|| format!("the schedule's target has no {name}: {schedule}"))
    };
    let input: Value = serde_json::from_str(text("Input")?).context("read the schedule's input")?;
    let path = format!("/2015-03-31/functions/{}/invocations", text("Arn")?);
    let answer = aws.rest("lambda", Method::POST, &path, Some(&input)).await?;
    match answer.get("errorMessage") {
        Some(message) => {
            Err(anyhow!("the schedule's target failed: {message}; read `cargo xtask logs sweep`"))
        }
        None => Ok(()),
    }
}
