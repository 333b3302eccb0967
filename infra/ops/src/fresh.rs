//! How fresh what an account has is: when each kind was last read to its end, and whether that is too long ago.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::age::ago;
use crate::pages::text;

/// After how many intervals of its schedule a kind is late, and how long a run may take beside.
const INTERVALS: i32 = 3;
const RUN_TAKES: TimeDelta = TimeDelta::minutes(15);

/// Adds to each account of a list whether what it last read is late.
pub(crate) fn mark(lanes: &mut [Value], now: DateTime<Utc>) {
    for lane in lanes {
        let rests = lane["status"] != "ACTIVE" || lane["is_held"] == true;
        for read in lane["reads"].as_array_mut().into_iter().flatten() {
            read["late"] = (!rests && is_late(read, now)).into();
        }
    }
}

/// Whether a scheduled kind should have been read again by now.
fn is_late(read: &Value, now: DateTime<Utc>) -> bool {
    let Some(every) = read["every_minutes"].as_i64().and_then(|every| i32::try_from(every).ok()) else {
        return false;
    };
    let read_at = read["read_at"].as_str().and_then(|at| DateTime::parse_from_rfc3339(at).ok());
    read_at.is_none_or(|at| now - at.to_utc() > TimeDelta::minutes(i64::from(every)) * INTERVALS + RUN_TAKES)
}

/// Each kind with the age of its last read, in one line.
pub(crate) fn said(lane: &Value, now: DateTime<Utc>) -> String {
    let reads = lane["reads"].as_array().into_iter().flatten().map(|read| {
        let age = read["read_at"].as_str().map_or_else(|| "never".to_owned(), |at| ago(at, now));
        format!("{} {age}", text(read, "kind"))
    });
    let reads = reads.collect::<Vec<_>>().join(", ");
    if reads.is_empty() { "-".to_owned() } else { reads }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn noon() -> DateTime<Utc> {
        "2026-03-01T12:00:00Z".parse().expect("an instant")
    }

    fn late(read: &Value, lane: Value) -> bool {
        let mut lanes = [lane];
        lanes[0]["reads"] = json!([read]);
        mark(&mut lanes, noon());
        lanes[0]["reads"][0]["late"] == true
    }

    #[test]
    fn a_kind_is_late_after_three_intervals_and_the_time_of_a_run() {
        let active = json!({"status": "ACTIVE", "is_held": false});
        for (every, read_at, is_late) in [
            (json!(30), json!("2026-03-01T10:20:00Z"), false),
            (json!(30), json!("2026-03-01T10:10:00Z"), true),
            (json!(30), Value::Null, true),
            (Value::Null, json!("2026-01-01T00:00:00Z"), false),
        ] {
            let read = json!({"kind": "ORDERS", "every_minutes": every, "read_at": read_at});
            assert_eq!(late(&read, active.clone()), is_late, "{read}");
        }
    }

    #[test]
    fn what_rests_is_not_late() {
        let read = json!({"kind": "ORDERS", "every_minutes": 30, "read_at": null});
        for lane in [json!({"status": "PAUSED"}), json!({"status": "ACTIVE", "is_held": true})] {
            assert!(!late(&read, lane));
        }
    }

    #[test]
    fn the_reads_of_an_account_are_said_in_one_line() {
        let lane = json!({"reads": [{"kind": "ORDERS", "read_at": "2026-03-01T11:00:00Z"}, {"kind": "RETURNS", "read_at": null}]});
        assert_eq!(said(&lane, noon()), "ORDERS 60m, RETURNS never");
        assert_eq!(said(&json!({"reads": []}), noon()), "-");
    }
}
