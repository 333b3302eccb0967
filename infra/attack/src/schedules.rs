//! The stack's own schedules. They fire at any moment of an attack, so none of them may change a seller of the test bed.

use anyhow::Context;
use reqwest::Method;
use serde_json::Value;

use local::aws::Aws;

/// Does at once what each schedule of the stack does when it is due.
pub async fn fire_all(aws: &Aws, stack: &str) -> anyhow::Result<()> {
    let listed = aws.rest("scheduler", Method::GET, &format!("/schedules?NamePrefix={stack}-"), None).await?;
    let schedules = listed["Schedules"].as_array().context("read the list of schedules")?;
    anyhow::ensure!(!schedules.is_empty(), "the stack {stack} has no schedules");
    for schedule in schedules {
        let name = schedule["Name"].as_str().context("read a schedule's name")?;
        let schedule = aws.rest("scheduler", Method::GET, &format!("/schedules/{name}"), None).await?;
        fire(aws, &schedule["Target"]).await.with_context(|| format!("fire the schedule {name}"))?;
    }
    Ok(())
}

async fn fire(aws: &Aws, target: &Value) -> anyhow::Result<()> {
    let arn = target["Arn"].as_str().context("read the target's ARN")?;
    let (_, function) = arn.split_once(":function:").context("find the function's name")?;
    let (name, alias) = function.split_once(':').unwrap_or((function, "$LATEST"));
    let input: Value = serde_json::from_str(target["Input"].as_str().context("read the target's input")?)?;
    let path = format!("/2015-03-31/functions/{name}/invocations?Qualifier={alias}");
    let answer = aws.rest("lambda", Method::POST, &path, Some(&input)).await?;
    anyhow::ensure!(answer.get("errorMessage").is_none(), "the function failed: {}", answer["errorMessage"]);
    Ok(())
}
