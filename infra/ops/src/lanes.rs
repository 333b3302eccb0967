//! The command `lanes`.

use chrono::{DateTime, Utc};
use local::table;
use local::terminal::print;
use serde_json::Value;

use crate::age::ago;
use crate::cli::LanesOptions;
use crate::fresh;
use crate::pages::{List, text};
use crate::stack::Stack;

const COLUMNS: [&str; 13] = [
    "account",
    "marketplace",
    "status",
    "since",
    "held",
    "lane",
    "kind",
    "queue",
    "checked",
    "live runs",
    "oldest waiting",
    "last read",
    "seller",
];

/// Lists accounts with their lanes.
pub(crate) async fn run(stack: &Stack, options: &LanesOptions, as_json: bool) -> anyhow::Result<()> {
    let list = List { request: "lanes", things: "lanes", limit: options.limit };
    let request = serde_json::json!({"filter": options.whose.to_json()});
    let found = list.read(&request, async |request| stack.ask(request).await).await?;
    if as_json {
        return print(&found.to_json());
    }
    let now = Utc::now();
    let rows: Vec<Vec<String>> = found.things.iter().map(|lane| row(lane, now)).collect();
    print(&table::render(&COLUMNS, &rows, &[3, 8, 9, 10]))?;
    print(&format!("\n{}", found.count("accounts")))
}

fn row(lane: &Value, now: DateTime<Utc>) -> Vec<String> {
    let age = |field: &str| lane[field].as_str().map_or_else(|| "-".to_owned(), |instant| ago(instant, now));
    let yes = |field: &str| if lane[field] == true { "yes" } else { "no" }.to_owned();
    vec![
        text(lane, "account_id"),
        text(lane, "marketplace"),
        text(lane, "status"),
        age("status_since"),
        yes("is_held"),
        text(lane, "lane_state"),
        kind(lane),
        yes("has_queue"),
        age("lane_checked_at"),
        text(lane, "live_runs"),
        age("oldest_waiting"),
        fresh::said(lane, now),
        text(lane, "seller_id"),
    ]
}

/// The kind of lane, and whether it is still of the other kind.
fn kind(lane: &Value) -> String {
    let kind = text(lane, "lane_kind");
    if lane["is_moving"] == true { format!("{kind} soon") } else { kind }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_account_is_a_row_with_its_lane() {
        let now = "2026-03-01T12:00:00Z".parse().expect("an instant");
        let lane = json!({"account_id": "a", "marketplace": "AJIO", "status": "ACTIVE", "status_since": "2026-02-01T12:00:00Z",
            "is_held": true, "lane_state": "RETIRED", "lane_kind": "SHARED", "is_moving": false, "has_queue": false, "lane_checked_at": null, "live_runs": 2, "oldest_waiting": "2026-03-01T11:00:00Z",
            "reads": [{"kind": "ORDERS", "read_at": "2026-03-01T10:00:00Z"}], "seller_id": "s"});
        assert_eq!(
            row(&lane, now).join(" | "),
            "a | AJIO | ACTIVE | 28d | yes | RETIRED | SHARED | no | - | 2 | 60m | ORDERS 2h | s"
        );
    }
}
