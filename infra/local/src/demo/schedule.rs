//! The EventBridge schedule of due syncs, fired by hand: what it would start within a minute starts now, in the same way.

use anyhow::{Context, anyhow};
use reqwest::Method;
use serde_json::Value;

use crate::aws::Aws;

/// As template.yaml names it in the local stage.
const SCHEDULE: &str = "/schedules/robnu-local-scheduling-sweep";

/// Invokes the deployed schedule's own target with the schedule's own input, as EventBridge does, and waits for its answer.
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
            Err(anyhow!("the schedule's target failed: {message}; see `cargo xtask logs sweep`"))
        }
        None => Ok(()),
    }
}
