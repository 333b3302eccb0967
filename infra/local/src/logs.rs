//! `logs`: prints the functions' logs, oldest line first.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::aws::Aws;
use crate::cli::LogsOptions;
use crate::failure::{Exit, Failure};
use crate::paths::Paths;
use crate::settings::Settings;
use crate::terminal::print;

const PREFIX: &str = "/aws/lambda/robnu-local-";

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Line {
    at: u64,
    function: String,
    text: String,
}

/// Prints the lines. With `--follow`, goes on until it is interrupted.
pub async fn show(paths: &Paths, options: &LogsOptions) -> anyhow::Result<()> {
    let missing =
        || Failure::new(Exit::NotRunning, "the local AWS is not running", "start it with `cargo xtask up`");
    let settings = Settings::load(paths)?.ok_or_else(missing)?;
    let aws = Aws::new(settings.aws_endpoint())?;
    if !aws.is_healthy().await {
        return Err(missing().into());
    }
    let known = functions(&aws).await?;
    let wanted = match &options.function {
        Some(name) if known.contains(name) => vec![name.clone()],
        Some(name) => {
            let next = format!("choose one of {}", known.join(", "));
            return Err(Failure::new(Exit::Usage, format!("there is no function {name}"), next).into());
        }
        None => known,
    };
    let mut since = now().saturating_sub(u64::from(options.minutes) * 60_000);
    // The last instant is read again, because more lines may have the same timestamp.
    let mut printed = HashSet::new();
    loop {
        for line in read(&aws, &wanted, since).await? {
            since = since.max(line.at);
            let is_wanted = options.trace.as_deref().is_none_or(|id| mentions(&line.text, id));
            if printed.insert(line.clone()) && is_wanted {
                print(&format!("{} {:<18} {}", clock(line.at), line.function, line.text.trim_end()))?;
            }
        }
        if !options.follow {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn functions(aws: &Aws) -> anyhow::Result<Vec<String>> {
    let body = json!({"logGroupNamePrefix": PREFIX});
    let answer = aws.json("logs", "Logs_20140328.DescribeLogGroups", &body).await?;
    let groups = answer["logGroups"].as_array().map(Vec::as_slice).unwrap_or_default();
    Ok(groups
        .iter()
        .filter_map(|group| group["logGroupName"].as_str()?.strip_prefix(PREFIX))
        .map(ToOwned::to_owned)
        .collect())
}

async fn read(aws: &Aws, functions: &[String], since: u64) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    for function in functions {
        let mut token = Value::Null;
        loop {
            let mut body =
                json!({"logGroupName": format!("{PREFIX}{function}"), "startTime": since, "limit": 10_000});
            if token.is_string() {
                body["nextToken"] = token;
            }
            let answer = aws.json("logs", "Logs_20140328.FilterLogEvents", &body).await?;
            for event in answer["events"].as_array().map(Vec::as_slice).unwrap_or_default() {
                lines.push(Line {
                    at: event["timestamp"].as_u64().unwrap_or_default(),
                    function: function.clone(),
                    text: event["message"].as_str().unwrap_or_default().to_owned(),
                });
            }
            token = answer["nextToken"].clone();
            if !token.is_string() {
                break;
            }
        }
    }
    // The sort is stable: lines with the same timestamp stay in the order in which they were written.
    lines.sort_by_key(|line| line.at);
    Ok(lines)
}

/// Whether a line has an id. A run's id has hyphens, and the same as a trace has none.
fn mentions(line: &str, id: &str) -> bool {
    let plain = id.replace('-', "");
    !plain.is_empty() && (line.contains(id) || line.replace('-', "").contains(&plain))
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Time of day in UTC.
fn clock(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    format!(
        "{:02}:{:02}:{:02}.{:03}",
        seconds / 3_600 % 24,
        seconds / 60 % 60,
        seconds % 60,
        milliseconds % 1_000
    )
}

#[cfg(test)]
mod tests {
    use super::mentions;

    #[test]
    fn a_trace_is_found_with_and_without_hyphens() {
        let line = r#"{"span":{"run.id":"01a2082a-5d2c-7b11-8f0e-0c4e4d8e8a3f"}}"#;
        assert!(mentions(line, "01a2082a-5d2c-7b11-8f0e-0c4e4d8e8a3f"));
        assert!(mentions(line, "01a2082a5d2c7b118f0e0c4e4d8e8a3f"));
        assert!(mentions(
            r#""trace.id":"01a2082a5d2c7b118f0e0c4e4d8e8a3f""#,
            "01a2082a-5d2c-7b11-8f0e-0c4e4d8e8a3f"
        ));
        assert!(!mentions(line, "01a2082a5d2c7b118f0e0c4e4d8e8a30"));
        assert!(!mentions(line, "-"));
    }
}
