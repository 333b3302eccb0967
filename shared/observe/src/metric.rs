//! Metrics that a function counts by itself. Each is one line of standard output in the embedded metric format, from which
//! CloudWatch Logs makes a metric. There is no call, so nothing can fail.

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// The metric that counts cold starts of each function.
pub const COLD_STARTS: &str = "ColdStarts";
/// The metric that counts how often each function has KMS unwrap a data key.
pub const KEY_UNWRAPS: &str = "KeyUnwraps";
/// The metric of the pipelines that a request sends to the database.
pub const ROUND_TRIPS: &str = "RoundTrips";
/// The metric of how long the oldest run of a marketplace has waited that should go on, in seconds.
pub const OLDEST_WAITING: &str = "OldestWaiting";

/// What a metric's values are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// How many.
    Count,
    /// How long.
    Seconds,
}

/// Adds one to the metric `name` of this function, in the stage's namespace `Robnu/${Stage}` with the dimension `FunctionName`.
pub fn count(name: &str) {
    of_function(name, 1);
}

/// States a value of the metric `name` of this function, in the stage's namespace `Robnu/${Stage}` with the dimension `FunctionName`.
#[expect(clippy::disallowed_methods, reason = "Lambda sets this name, and a metric must never fail")]
pub fn of_function(name: &str, value: i64) {
    let function = std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_else(|_| "unknown".to_owned());
    gauge(name, ("FunctionName", &function), value);
}

/// States how many there are now of what the metric `name` counts, in the stage's namespace, for one value of a dimension such as
/// `("Source", "AJIO")`.
pub fn gauge(name: &str, dimension: (&str, &str), value: i64) {
    state(name, Unit::Count, dimension, value);
}

/// States a value of the metric `name` in a unit, as [`gauge`] does.
#[expect(clippy::disallowed_methods, reason = "the template sets this name, and a metric must never fail")]
pub fn state(name: &str, unit: Unit, dimension: (&str, &str), value: i64) {
    let stage = std::env::var("STAGE").unwrap_or_else(|_| "unknown".to_owned());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = u64::try_from(now.as_millis()).unwrap_or_default();
    let line = format!("{}\n", line((name, unit), &stage, dimension, value, now));
    // One write, so that no other line comes in between. When the output is closed, nobody counts.
    drop(std::io::stdout().lock().write_all(line.as_bytes()));
}

fn line(
    (name, unit): (&str, Unit),
    stage: &str,
    (dimension, of): (&str, &str),
    value: i64,
    now: u64,
) -> Value {
    json!({
        "_aws": {
            "Timestamp": now,
            "CloudWatchMetrics": [{
                "Namespace": format!("Robnu/{stage}"),
                "Dimensions": [[dimension]],
                "Metrics": [{"Name": name, "Unit": format!("{unit:?}")}],
            }],
        },
        dimension: of,
        name: value,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_names_a_value_for_each_metric_and_dimension_that_it_declares() {
        let line = line(
            ("Panics", Unit::Count),
            "staging",
            ("FunctionName", "robnu-staging-api"),
            1,
            1_767_225_600_000,
        );
        let metrics = &line["_aws"]["CloudWatchMetrics"][0];
        assert_eq!(metrics["Namespace"], "Robnu/staging");
        assert_eq!(line[metrics["Dimensions"][0][0].as_str().unwrap()], "robnu-staging-api");
        assert_eq!(line[metrics["Metrics"][0]["Name"].as_str().unwrap()], 1);
        assert_eq!(line["_aws"]["Timestamp"], 1_767_225_600_000_u64);
    }

    #[test]
    fn the_line_states_the_unit_as_cloudwatch_spells_it() {
        for (unit, spelled) in [(Unit::Count, "Count"), (Unit::Seconds, "Seconds")] {
            let line = line((OLDEST_WAITING, unit), "staging", ("Marketplace", "AJIO"), 90, 1);
            let expected = json!([{"Name": "OldestWaiting", "Unit": spelled}]);
            assert_eq!(line["_aws"]["CloudWatchMetrics"][0]["Metrics"], expected);
            assert_eq!((&line["Marketplace"], &line["OldestWaiting"]), (&json!("AJIO"), &json!(90)));
        }
    }
}
