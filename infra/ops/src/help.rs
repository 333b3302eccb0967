//! What helps against each thing that is stuck: a command to type, or who can do something.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::pages::text;
use crate::stack::LOCAL;

/// The forms of dead letters that stand in the place of a kind of run and that `--kind` does not take.
pub(crate) const FORMS: [&str; 3] = ["FILE_NOTICE", "LANE_REQUEST", "EXPORT"];
/// The place of a kind of dead letters that nobody can read.
pub(crate) const UNREADABLE: &str = "UNREADABLE";

/// What helps.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Help {
    /// The command to type.
    pub command: Option<String>,
    /// What else helps, or what to know.
    pub note: Option<String>,
}

impl Help {
    fn note(note: impl Into<String>) -> Self {
        Self { command: None, note: Some(note.into()) }
    }

    pub(crate) fn and(self, note: &str) -> Self {
        Self { note: Some(note.to_owned()), ..self }
    }
}

impl fmt::Display for Help {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [&self.command, &self.note].into_iter().flatten().map(String::as_str);
        formatter.write_str(&parts.collect::<Vec<_>>().join("; "))
    }
}

/// The command `cargo xtask ops` with these arguments, for a stack.
pub(crate) fn command(stack: &str, rest: &str) -> Help {
    let stack = if stack == LOCAL { String::new() } else { format!(" --stack {stack}") };
    Help { command: Some(format!("cargo xtask ops {rest}{stack}")), note: None }
}

/// Whether runs with this error wait until their marketplace answers again. A resume lets them try at once.
pub(crate) fn waits_for_marketplace(why: &str) -> bool {
    ["marketplace_unavailable", "marketplace_garbled"].contains(&why)
}

/// The command that helps, or who can help where none does.
pub(crate) fn helps(thing: &Value, stack: &str) -> Help {
    let command = |rest: &str| command(stack, rest);
    let (account, id) = (text(thing, "account_id"), text(thing, "id"));
    match text(thing, "what").as_str() {
        "DEAD_LETTER" => command(&after_death(thing)),
        "ACCOUNT_HELD" => command(&format!("account resume {account} --reason TEXT")),
        "MARKETPLACE_HELD" => {
            command(&format!("marketplace resume {} --reason TEXT", text(thing, "marketplace")))
        }
        "ACCOUNT_PAUSED" => Help::note("the seller must resume it"),
        "ACCOUNT_NEEDS_RECONNECT" => Help::note("the seller must reconnect it"),
        "SELLER_SUSPENDED" => Help::note(format!("POST /v1/admin/sellers/{id}/resume")),
        "LANE_MISSING" => command(&format!("dlq redrive --marketplace LANE_REQUESTS --account {account}"))
            .and("else LaneReconcileEnabled and the log of lanes"),
        "RUN_FAILING" if waits_for_marketplace(&text(thing, "why")) => {
            command(&format!("account resume {account} --reason TEXT"))
                .and("when its marketplace answers again; until then it tries by itself")
        }
        "RUN_FAILING" => command(&format!("runs --account {account} --kind {}", text(thing, "kind")))
            .and("it tries again by itself"),
        "RUN_NOT_TAKEN" if thing["why"] == "limit_reached" => {
            let marketplace = text(thing, "marketplace");
            command(&format!("marketplace limit {marketplace} --runs-at-once N --reason TEXT"))
                .and("it goes on by itself as others end")
        }
        "RUN_NOT_TAKEN" if thing["why"] != "not_published" => {
            command(&format!("lanes --account {account}")).and("and the adapter's errors")
        }
        "EXPORT_FAILING" | "EXPORT_NOT_TAKEN" => Help::note("ExportSweepEnabled and the log of exporter"),
        _ => Help::note("SchedulingSweepEnabled and the log of sweep"),
    }
}

/// The command that does with one dead letter what can be done with it.
pub(crate) fn with_letter(letter: &Value, stack: &str) -> Help {
    let id = text(letter, "id");
    let rest = if letter["form"] == UNREADABLE {
        format!("dlq discard {id} --reason TEXT")
    } else {
        format!("dlq redrive {id}")
    };
    command(stack, &rest)
}

/// What to do with dead letters: redrive those of one account, kind and reason, or discard one that nobody can read.
fn after_death(letter: &Value) -> String {
    let kind = text(letter, "kind");
    if kind == UNREADABLE {
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
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn assert_helps(thing: &Value, expected: &str) {
        assert_eq!(helps(thing, LOCAL).to_string(), expected, "{thing}");
    }

    #[test]
    fn each_thing_has_what_helps() {
        let letter = json!({"what": "DEAD_LETTER", "kind": "ORDERS", "why": "TOO_MANY_RECEIVES", "marketplace": "AJIO", "account_id": "a",
            "seller_id": "s", "id": "l"});
        let redrive = "cargo xtask ops dlq redrive --account a --marketplace AJIO --kind ORDERS --died-of TOO_MANY_RECEIVES";
        assert_helps(&letter, redrive);
        let deployed = helps(&letter, "robnu-staging");
        assert_eq!(deployed.to_string(), format!("{redrive} --stack robnu-staging"));
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
        assert_helps(&unheard, "cargo xtask ops lanes --account a; and the adapter's errors");
        let waits = json!({"what": "RUN_NOT_TAKEN", "marketplace": "AJIO", "why": "limit_reached"});
        let limit = "cargo xtask ops marketplace limit AJIO --runs-at-once N --reason TEXT";
        assert_helps(&waits, &format!("{limit}; it goes on by itself as others end"));
        for what in ["RUN_NOT_TAKEN", "SCHEDULE_OVERDUE", "IMPORT_NOT_TAKEN"] {
            let thing = json!({"what": what, "why": "not_published"});
            assert_helps(&thing, "SchedulingSweepEnabled and the log of sweep");
        }
    }
}
