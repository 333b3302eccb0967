//! The command `marketplaces`: how each marketplace is doing, and who keeps it busy.

use chrono::{DateTime, Utc};
use local::table;
use local::terminal::print;
use serde_json::{Value, json};

use crate::age::ago;
use crate::pages::text;
use crate::stack::Stack;

const MARKETPLACES: [&str; 13] = [
    "marketplace",
    "held",
    "accounts",
    "to reconnect",
    "queued",
    "running",
    "waiting",
    "with an error",
    "commonest error",
    "oldest waiting",
    "done in an hour",
    "failed",
    "dead letters",
];
const BUSIEST: [&str; 7] =
    ["marketplace", "live runs", "of files", "of its seller", "oldest waiting", "account", "seller"];

/// Shows all marketplaces and the busiest accounts.
pub(crate) async fn run(stack: &Stack, as_json: bool) -> anyhow::Result<()> {
    let answer = stack.ask(&json!({"marketplaces": {}})).await?;
    if as_json {
        return print(&answer.to_string());
    }
    let now = Utc::now();
    let rows = rows(&answer["marketplaces"], |one| marketplace(one, now));
    print(&table::render(&MARKETPLACES, &rows, &[2, 3, 4, 5, 6, 7, 9, 10, 11, 12]))?;
    let rows = self::rows(&answer["busiest"], |one| busy(one, now));
    if rows.is_empty() {
        return print("\nNo account has a live run.");
    }
    print(&format!("\nThe busiest accounts\n{}", table::render(&BUSIEST, &rows, &[1, 2, 3, 4])))
}

fn rows(list: &Value, row: impl Fn(&Value) -> Vec<String>) -> Vec<Vec<String>> {
    list.as_array().into_iter().flatten().map(row).collect()
}

fn marketplace(one: &Value, now: DateTime<Utc>) -> Vec<String> {
    let number = |field: &str| text(one, field);
    vec![
        text(one, "marketplace"),
        age(&one["held_at"], now),
        number("active_accounts"),
        number("accounts_to_reconnect"),
        number("queued"),
        number("running"),
        number("waiting"),
        number("runs_with_error"),
        text(one, "commonest_error"),
        age(&one["oldest_waiting"]["since"], now),
        number("succeeded"),
        number("failed"),
        number("dead_letters"),
    ]
}

fn busy(one: &Value, now: DateTime<Utc>) -> Vec<String> {
    vec![
        text(one, "marketplace"),
        text(one, "live_runs"),
        text(one, "of_files"),
        text(one, "live_runs_of_seller"),
        age(&one["oldest_waiting"], now),
        text(one, "account_id"),
        text(one, "seller_id"),
    ]
}

fn age(instant: &Value, now: DateTime<Utc>) -> String {
    instant.as_str().map_or_else(|| "-".to_owned(), |instant| ago(instant, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> DateTime<Utc> {
        "2026-03-01T12:00:00Z".parse().expect("an instant")
    }

    #[test]
    fn a_marketplace_is_a_row_and_so_is_a_busy_account() {
        let one = json!({"marketplace": "AJIO", "held_at": null, "accounts": 9, "active_accounts": 8, "accounts_to_reconnect": 1,
            "queued": 2, "running": 3, "waiting": 4, "runs_with_error": 5, "commonest_error": "marketplace_unavailable",
            "oldest_waiting": {"since": "2026-03-01T11:00:00Z"}, "made": 7, "succeeded": 6, "failed": 1, "dead_letters": 0});
        let row = marketplace(&one, noon()).join(" | ");
        assert_eq!(row, "AJIO | - | 8 | 1 | 2 | 3 | 4 | 5 | marketplace_unavailable | 60m | 6 | 1 | 0");
        let one = json!({"marketplace": "MEESHO", "seller_id": "s", "account_id": "a", "live_runs": 3000, "of_files": 3000,
            "live_runs_of_seller": 3001, "oldest_waiting": "2026-03-01T11:30:00Z"});
        assert_eq!(busy(&one, noon()).join(" | "), "MEESHO | 3000 | 3000 | 3001 | 30m | a | s");
    }
}
