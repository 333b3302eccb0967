//! How a marketplace is doing, judged by its live runs.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use serde_json::Value;

use crate::pages::text;

/// How long a run may wait that could go on; the scheduling sweep has published it a second time by then.
const WAIT: TimeDelta = TimeDelta::minutes(45);
/// From how many failing runs on a marketplace is suspected.
const MANY: i64 = 3;

/// From how many live runs on a seller is suspected.
const FLOOD: i64 = 20;

/// A judgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Health {
    /// How it is.
    pub level: Level,
    /// Why.
    pub text: String,
}

/// How well something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    /// Nothing to do.
    Well,
    /// Look at it.
    Look,
    /// Something is broken.
    Ill,
    /// Operators have stopped it.
    Held,
}

/// Judges a marketplace of the function's list.
pub(crate) fn judge(marketplace: &Value, now: DateTime<Utc>) -> Health {
    let count = |field: &str| marketplace[field].as_i64().unwrap_or_default();
    let health = |level, text: String| Health { level, text };
    let live = count("queued") + count("running") + count("waiting");
    let failing = count("runs_with_error");
    let oldest = marketplace["oldest_waiting"]["since"].as_str();
    let oldest = oldest.and_then(|since| DateTime::parse_from_rfc3339(since).ok());
    if marketplace["held_at"].is_string() {
        return health(Level::Held, "Operators have paused it. Its runs wait.".to_owned());
    }
    if failing >= MANY && failing * 2 >= live {
        let error = text(marketplace, "commonest_error");
        return health(
            Level::Ill,
            format!("{failing} of {live} live runs fail, mostly with {error}: it may be down."),
        );
    }
    if count("failed") >= MANY && count("failed") > count("succeeded") {
        let error = text(marketplace, "failed_of");
        return health(
            Level::Ill,
            format!("{} runs of the last hour failed, mostly with {error}.", count("failed")),
        );
    }
    match count("dead_letters") {
        0 => {}
        1 => return health(Level::Look, "1 dead letter is open.".to_owned()),
        letters => return health(Level::Look, format!("{letters} dead letters are open.")),
    }
    if oldest.is_some_and(|since| now - since.to_utc() > WAIT) {
        return health(Level::Look, "A run has waited for more than three quarters of an hour.".to_owned());
    }
    health(Level::Well, if live == 0 { "Nothing to do." } else { "Runs go on." }.to_owned())
}

/// Whether a seller floods: it has most of all live runs, and many.
pub(crate) fn floods(of_seller: i64, live: i64) -> bool {
    of_seller >= FLOOD && of_seller * 2 > live
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn level(marketplace: &Value) -> Level {
        judge(marketplace, "2026-03-01T12:00:00Z".parse().expect("an instant")).level
    }

    #[test]
    fn a_marketplace_is_judged_by_what_most_of_its_runs_do() {
        for (marketplace, expected) in [
            (json!({"queued": 0}), Level::Well),
            (json!({"running": 9, "runs_with_error": 2}), Level::Well),
            (
                json!({"waiting": 9, "running": 1, "runs_with_error": 9, "commonest_error": "http_503"}),
                Level::Ill,
            ),
            (json!({"waiting": 3, "running": 30, "runs_with_error": 3}), Level::Well),
            (json!({"failed": 9, "succeeded": 1}), Level::Ill),
            (json!({"failed": 9, "succeeded": 100}), Level::Well),
            (json!({"dead_letters": 1}), Level::Look),
            (json!({"queued": 1, "oldest_waiting": {"since": "2026-03-01T11:00:00Z"}}), Level::Look),
            (json!({"queued": 1, "oldest_waiting": {"since": "2026-03-01T11:30:00Z"}}), Level::Well),
            (json!({"held_at": "2026-03-01T11:30:00Z", "waiting": 9, "runs_with_error": 9}), Level::Held),
        ] {
            assert_eq!(level(&marketplace), expected, "{marketplace}");
        }
    }

    #[test]
    fn a_seller_floods_who_has_many_runs_and_most_of_all() {
        assert!(floods(41, 60));
        assert!(!floods(19, 20) && !floods(41, 100));
    }
}
