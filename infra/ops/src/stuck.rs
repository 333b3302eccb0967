//! The command `stuck`: what does not go on by itself, and what helps.

use anyhow::anyhow;
use chrono::{DateTime, Utc};
use local::failure::{Exit, Failure};
use local::table;
use local::terminal::print;
use serde_json::{Value, json};

use crate::age::ago;
use crate::cli::StuckOptions;
use crate::pages::text;
use crate::stack::{LOCAL, Stack};

const COLUMNS: [&str; 9] =
    ["since", "what", "kind", "why", "marketplace", "seller", "account", "id", "what helps"];
/// The forms of dead letters that stand in the place of a kind of run and that `--kind` does not take.
const FORMS: [&str; 3] = ["FILE_NOTICE", "LANE_REQUEST", "EXPORT"];

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
        let rows: Vec<Vec<String>> = things.iter().map(|thing| row(thing, &stack.name, now)).collect();
        print(&table::render(&COLUMNS, &rows, &[0]))?;
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
        helps(thing, stack),
    ]
}

/// The command that helps, or who can help where none does.
fn helps(thing: &Value, stack: &str) -> String {
    let command = |rest: &str| {
        let stack = if stack == LOCAL { String::new() } else { format!(" --stack {stack}") };
        format!("cargo xtask ops {rest}{stack}")
    };
    let (account, id) = (text(thing, "account_id"), text(thing, "id"));
    match text(thing, "what").as_str() {
        "DEAD_LETTER" => command(&after_death(thing)),
        "ACCOUNT_HELD" => command(&format!("account resume {account} --reason TEXT")),
        "MARKETPLACE_HELD" => {
            command(&format!("marketplace resume {} --reason TEXT", text(thing, "marketplace")))
        }
        "ACCOUNT_PAUSED" => "the seller must resume it".to_owned(),
        "ACCOUNT_NEEDS_RECONNECT" => "the seller must reconnect it".to_owned(),
        "SELLER_SUSPENDED" => format!("POST /v1/admin/sellers/{id}/resume"),
        "LANE_MISSING" => {
            command(&format!("dlq redrive --marketplace LANE_REQUESTS --account {account}"))
                + ", else LaneReconcileEnabled and the log of lanes"
        }
        "RUN_FAILING" => {
            command(&format!("runs --account {account} --kind {}", text(thing, "kind")))
                + "; it tries again by itself"
        }
        "RUN_NOT_TAKEN" if thing["why"] == "limit_reached" => {
            let marketplace = text(thing, "marketplace");
            command(&format!("marketplace limit {marketplace} --runs-at-once N --reason TEXT"))
                + "; it goes on by itself as others end"
        }
        "RUN_NOT_TAKEN" if thing["why"] != "not_published" => {
            command(&format!("lanes --account {account}")) + ", and the adapter's errors"
        }
        "EXPORT_FAILING" | "EXPORT_NOT_TAKEN" => "ExportSweepEnabled and the log of exporter".to_owned(),
        _ => "SchedulingSweepEnabled and the log of sweep".to_owned(),
    }
}

/// What to do with dead letters: redrive those of one account, kind and reason, or discard one that nobody can read.
fn after_death(letter: &Value) -> String {
    let kind = text(letter, "kind");
    if kind == "UNREADABLE" {
        return format!("dlq discard {} --reason TEXT", text(letter, "id"));
    }
    let flags = [
        ("--account", letter["account_id"].as_str()),
        ("--seller", letter["seller_id"].as_str().filter(|_| letter["account_id"].is_null())),
        ("--marketplace", letter["marketplace"].as_str()),
        ("--kind", Some(kind.as_str()).filter(|kind| !FORMS.contains(kind))),
        ("--died-of", letter["why"].as_str()),
    ];
    let given = flags.into_iter().filter_map(|(flag, value)| Some(format!(" {flag} {}", value?)));
    format!("dlq redrive{}", given.collect::<String>())
}

#[cfg(test)]
mod tests {
    use local::failure::exit_code;

    use super::*;

    #[track_caller]
    fn assert_helps(thing: &Value, expected: &str) {
        assert_eq!(helps(thing, LOCAL), expected, "{thing}");
    }

    #[test]
    fn each_thing_has_what_helps() {
        let letter = json!({"what": "DEAD_LETTER", "kind": "ORDERS", "why": "TOO_MANY_RECEIVES", "marketplace": "AJIO", "account_id": "a",
            "seller_id": "s", "id": "l"});
        let redrive = "cargo xtask ops dlq redrive --account a --marketplace AJIO --kind ORDERS --died-of TOO_MANY_RECEIVES";
        assert_helps(&letter, redrive);
        assert_eq!(helps(&letter, "robnu-staging"), format!("{redrive} --stack robnu-staging"));
        let export = json!({"what": "DEAD_LETTER", "kind": "EXPORT", "why": "TOO_MANY_RECEIVES", "marketplace": "EXPORTS", "seller_id": "s"});
        assert_helps(
            &export,
            "cargo xtask ops dlq redrive --seller s --marketplace EXPORTS --died-of TOO_MANY_RECEIVES",
        );
        let garbage = json!({"what": "DEAD_LETTER", "kind": "UNREADABLE", "why": "garbage", "id": "l"});
        assert_helps(&garbage, "cargo xtask ops dlq discard l --reason TEXT");
        let held = json!({"what": "ACCOUNT_HELD", "account_id": "a"});
        assert_helps(&held, "cargo xtask ops account resume a --reason TEXT");
        let held = json!({"what": "MARKETPLACE_HELD", "marketplace": "AJIO", "id": null});
        assert_helps(&held, "cargo xtask ops marketplace resume AJIO --reason TEXT");
        assert_helps(&json!({"what": "ACCOUNT_NEEDS_RECONNECT"}), "the seller must reconnect it");
        assert_helps(
            &json!({"what": "ACCOUNT_PAUSED", "why": "paused_by_seller"}),
            "the seller must resume it",
        );
        assert_helps(&json!({"what": "SELLER_SUSPENDED", "id": "s"}), "POST /v1/admin/sellers/s/resume");
        let failing = json!({"what": "RUN_FAILING", "account_id": "a", "kind": "ORDERS"});
        assert_helps(&failing, "cargo xtask ops runs --account a --kind ORDERS; it tries again by itself");
        let unheard = json!({"what": "RUN_NOT_TAKEN", "account_id": "a", "why": "not_received"});
        assert_helps(&unheard, "cargo xtask ops lanes --account a, and the adapter's errors");
        let waits = json!({"what": "RUN_NOT_TAKEN", "marketplace": "AJIO", "why": "limit_reached"});
        assert_helps(
            &waits,
            "cargo xtask ops marketplace limit AJIO --runs-at-once N --reason TEXT; it goes on by itself as others end",
        );
        for what in ["RUN_NOT_TAKEN", "SCHEDULE_OVERDUE", "IMPORT_NOT_TAKEN"] {
            let thing = json!({"what": what, "why": "not_published"});
            assert_helps(&thing, "SchedulingSweepEnabled and the log of sweep");
        }
    }

    #[test]
    fn a_thing_is_a_row_with_its_age_and_count() {
        let now = "2026-03-01T12:00:00Z".parse().expect("an instant");
        let thing = json!({"what": "DEAD_LETTER", "count": 5, "kind": "UNREADABLE", "why": "garbage", "marketplace": "AJIO",
            "seller_id": null, "account_id": null, "id": "l", "since": "2026-03-01T09:00:00Z"});
        let row = row(&thing, LOCAL, now);
        assert_eq!(row[..8].join(" | "), "3h | DEAD_LETTER (5) | UNREADABLE | garbage | AJIO | - | - | l");
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
