//! The command `stuck`: what does not go on by itself, and what helps.

use anyhow::anyhow;
use chrono::{DateTime, Utc};
use local::failure::{Exit, Failure};
use local::table;
use local::terminal::print;
use serde_json::{Value, json};

use crate::age::ago;
use crate::cli::StuckOptions;
use crate::group::{Group, group};
use crate::help::helps;
use crate::pages::text;
use crate::stack::Stack;

const CAUSES: [&str; 8] =
    ["since", "what", "why", "marketplace", "things", "accounts", "account", "what helps"];
const COLUMNS: [&str; 9] =
    ["since", "what", "kind", "why", "marketplace", "seller", "account", "id", "what helps"];
/// Lists what is stuck. Fails with [`Exit::CheckFailed`] unless nothing is.
pub(crate) async fn run(stack: &Stack, options: &StuckOptions, as_json: bool) -> anyhow::Result<()> {
    let request = json!({"filter": options.whose.to_json(), "limit": options.limit});
    let answer = stack.ask(&json!({ "stuck": request })).await?;
    let things =
        answer["stuck"].as_array().ok_or_else(|| anyhow!("the function's response is no list"))?.as_slice();
    if as_json {
        print(&answer.to_string())?;
    } else if things.is_empty() {
        print("Nothing is stuck.")?;
    } else {
        let now = Utc::now();
        if options.each {
            let rows: Vec<Vec<String>> = things.iter().map(|thing| row(thing, &stack.name, now)).collect();
            print(&table::render(&COLUMNS, &rows, &[0]))?;
        } else {
            let causes = group(things, &stack.name);
            let rows: Vec<Vec<String>> = causes.iter().map(|cause| of_cause(cause, now)).collect();
            print(&table::render(&CAUSES, &rows, &[0, 4, 5]))?;
        }
    }
    verdict(things.len(), &answer)
}

/// Whether the command succeeds: only when nothing is stuck.
fn verdict(shown: usize, answer: &Value) -> anyhow::Result<()> {
    if shown == 0 {
        return Ok(());
    }
    let left_out = answer["left_out"].as_u64().unwrap_or_default();
    let at_least = if answer["at_least"] == true { "at least " } else { "" };
    let what = match left_out {
        0 if at_least.is_empty() && shown == 1 => "1 thing is stuck".to_owned(),
        0 if at_least.is_empty() => format!("{shown} things are stuck"),
        _ => format!("{shown} things are shown that are stuck, and {at_least}{left_out} more are left out"),
    };
    let next = "do what helps, the oldest first; with --limit, --marketplace, --seller and --account the list becomes longer or narrower";
    Err(Failure::new(Exit::CheckFailed, what, next).into())
}

/// Things that are stuck for the same reason, as one row.
fn of_cause(cause: &Group, now: DateTime<Utc>) -> Vec<String> {
    let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
    vec![
        ago(&cause.since, now),
        cause.what.clone(),
        cause.why.clone(),
        or_none(&cause.marketplace),
        cause.count.to_string(),
        cause.accounts.to_string(),
        or_none(&cause.account_id),
        cause.help.to_string(),
    ]
}

fn row(thing: &Value, stack: &str, now: DateTime<Utc>) -> Vec<String> {
    let what = match thing["count"].as_i64() {
        Some(count) if count > 1 => format!("{} ({count})", text(thing, "what")),
        _ => text(thing, "what"),
    };
    vec![
        ago(&text(thing, "since"), now),
        what,
        text(thing, "kind"),
        text(thing, "why"),
        text(thing, "marketplace"),
        text(thing, "seller_id"),
        text(thing, "account_id"),
        text(thing, "id"),
        helps(thing, stack).to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use local::failure::exit_code;

    use super::*;
    use crate::stack::LOCAL;

    #[test]
    fn a_thing_is_a_row_with_its_age_and_count() {
        let now = "2026-03-01T12:00:00Z".parse().expect("an instant");
        let thing = json!({"what": "DEAD_LETTER", "count": 5, "kind": "UNREADABLE", "why": "garbage", "marketplace": "AJIO",
            "seller_id": null, "account_id": null, "id": "l", "since": "2026-03-01T09:00:00Z"});
        let row = row(&thing, LOCAL, now);
        assert_eq!(row[..8].join(" | "), "3h | DEAD_LETTER (5) | UNREADABLE | garbage | AJIO | - | - | l");
    }

    #[test]
    fn things_of_one_cause_are_one_row_with_the_command_for_all() {
        let now = "2026-03-01T12:00:00Z".parse().expect("an instant");
        let failing = |account: &str| {
            json!({"what": "RUN_FAILING", "kind": "ORDERS", "why": "marketplace_unavailable", "marketplace": "AJIO",
            "seller_id": "s", "account_id": account, "id": account, "since": "2026-03-01T11:00:00Z"})
        };
        let causes = group(&[failing("a"), failing("b")], LOCAL);
        assert_eq!(causes.len(), 1);
        assert_eq!(
            of_cause(&causes[0], now).join(" | "),
            "60m | RUN_FAILING | marketplace_unavailable | AJIO | 2 | 2 | - | \
             cargo xtask ops marketplace resume AJIO --reason TEXT; when it answers again; until then they try by themselves"
        );
        let causes = group(&[failing("a")], LOCAL);
        assert_eq!(
            of_cause(&causes[0], now)[7],
            "cargo xtask ops account resume a --reason TEXT; when its marketplace answers again; until then it tries by itself"
        );
    }

    #[test]
    fn the_command_fails_when_something_is_stuck_and_says_how_much_it_left_out() {
        assert!(verdict(0, &json!({"left_out": 0, "at_least": false})).is_ok());
        for (shown, answer, said) in [
            (1, json!({"left_out": 0, "at_least": false}), "1 thing is stuck"),
            (2, json!({"left_out": 0, "at_least": false}), "2 things are stuck"),
            (100, json!({"left_out": 3}), "100 things are shown that are stuck, and 3 more are left out"),
            (
                100,
                json!({"left_out": 900, "at_least": true}),
                "100 things are shown that are stuck, and at least 900 more are left out",
            ),
        ] {
            let error = verdict(shown, &answer).expect_err("something is stuck");
            assert!(error.to_string().starts_with(&format!("{said}\n")), "{error}");
            assert_eq!(
                format!("{:?}", exit_code(&error)),
                format!("{:?}", std::process::ExitCode::from(7)),
                "{answer}"
            );
        }
    }
}
