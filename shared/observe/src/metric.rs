//! Metrics that a function counts by itself. Each is one line of standard output in the embedded metric format, from which
//! CloudWatch Logs makes a metric. There is no call, so nothing can fail.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// Adds one to the metric `name` of this function, in the stage's namespace `Robnu/${Stage}` with the dimension `FunctionName`.
#[expect(
    clippy::disallowed_methods,
    reason = "Lambda and the template set these two names, and a metric must never fail"
)]
pub fn count(name: &str) {
    let variable = |name| std::env::var(name).unwrap_or_else(|_| "unknown".to_owned());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(now.as_millis()).unwrap_or_default();
    let line = format!("{}\n", line(name, &variable("STAGE"), &variable("AWS_LAMBDA_FUNCTION_NAME"), now));
    // One write, so that no other line comes in between. When the output is closed, nobody counts.
    drop(std::io::stdout().lock().write_all(line.as_bytes()));
}

fn line(name: &str, stage: &str, function: &str, now: u64) -> Value {
    json!({
        "_aws": {
            "Timestamp": now,
            "CloudWatchMetrics": [{
                "Namespace": format!("Robnu/{stage}"),
                "Dimensions": [["FunctionName"]],
                "Metrics": [{"Name": name, "Unit": "Count"}],
            }],
        },
        "FunctionName": function,
        name: 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_a_value_for_each_metric_and_dimension_that_it_declares() {
        let line = line("Panics", "staging", "robnu-staging-api", 1_767_225_600_000);
        let metrics = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(metrics["Namespace"], "Robnu/staging");
        assert_eq!(line[metrics["Dimensions"][0][0].as_str().unwrap()], "robnu-staging-api");
        assert_eq!(line[metrics["Metrics"][0]["Name"].as_str().unwrap()], 1);
        assert_eq!(line["_aws"]["Timestamp"], 1_767_225_600_000_u64);
    }
}
