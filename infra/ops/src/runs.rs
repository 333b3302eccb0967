//! The command `runs`.

use chrono::{DateTime, Utc};
use local::table;
use local::terminal::print;
use serde_json::Value;

use crate::age::ago;
use crate::cli::RunsOptions;
use crate::pages::{List, text};
use crate::stack::Stack;

/// The table's columns; the numbers are the 5th to the 11th.
const COLUMNS: [&str; 15] = [
    "id",
    "marketplace",
    "kind",
    "state",
    "step",
    "attempts",
    "pages",
    "set aside",
    "queued",
    "started",
    "finished",
    "rows",
    "error",
    "seller",
    "account",
];

/// Lists runs, newest first.
pub(crate) async fn run(stack: &Stack, options: &RunsOptions, as_json: bool) -> anyhow::Result<()> {
    let list = List { request: "runs", things: "runs", limit: options.limit };
    let found = list.read(&options.to_json(), async |request| stack.ask(request).await).await?;
    if as_json {
        return print(&found.to_json());
    }
    let now = Utc::now();
    let rows: Vec<Vec<String>> = found.things.iter().map(|run| row(run, now)).collect();
    print(&table::render(&COLUMNS, &rows, &[4, 5, 6, 7, 8, 9, 10]))?;
    print(&format!("\n{}{}", found.count("runs"), week(options)))
}

/// What the function assumes when neither a time nor a seller nor an account is given.
fn week(options: &RunsOptions) -> &'static str {
    let whose = &options.whose;
    let narrowed = options.ages.newer_than.is_some() || whose.seller.is_some() || whose.account.is_some();
    if narrowed { "" } else { " of the last 7 days" }
}

fn row(run: &Value, now: DateTime<Utc>) -> Vec<String> {
    let age = |field: &str| run[field].as_str().map_or_else(|| "-".to_owned(), |instant| ago(instant, now));
    let rows: Vec<String> = ["added", "changed", "removed"]
        .into_iter()
        .zip(["+", "~", "-"])
        .filter(|(field, _)| run[*field].as_i64().unwrap_or_default() > 0)
        .map(|(field, sign)| format!("{sign}{}", run[field]))
        .collect();
    vec![
        text(run, "id"),
        text(run, "marketplace"),
        text(run, "kind"),
        text(run, "state"),
        text(run, "step"),
        text(run, "attempts"),
        text(run, "pages"),
        text(run, "quarantined"),
        age("queued_at"),
        age("started_at"),
        age("finished_at"),
        if rows.is_empty() { "-".to_owned() } else { rows.join(" ") },
        text(run, "error_code"),
        text(run, "seller_id"),
        text(run, "account_id"),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::cli::Whose;

    #[test]
    fn a_run_is_a_row_of_numbers_ages_and_codes() {
        let now = "2026-03-01T12:00:00Z".parse().expect("an instant");
        let run = json!({"id": "r", "marketplace": "AJIO", "kind": "ORDERS", "state": "FAILED", "step": 1, "attempts": 3, "pages": 2,
            "quarantined": 4, "added": 5, "changed": 0, "unchanged": 9, "removed": 1, "queued_at": "2026-03-01T11:00:00Z",
            "started_at": null, "finished_at": "2026-03-01T11:59:00Z", "error_code": "http_500", "seller_id": "s", "account_id": "a"});
        let row = row(&run, now).join(" | ");
        assert_eq!(
            row,
            "r | AJIO | ORDERS | FAILED | 1 | 3 | 2 | 4 | 60m | - | 60s | +5 -1 | http_500 | s | a"
        );
    }

    #[test]
    fn the_week_is_said_when_nothing_else_narrows_the_list() {
        assert_eq!(week(&RunsOptions::default()), " of the last 7 days");
        let whose = Whose { account: Some("a".to_owned()), ..Whose::default() };
        assert_eq!(week(&RunsOptions { whose, ..RunsOptions::default() }), "");
    }
}
