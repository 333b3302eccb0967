//! The command `account move`: gives an account the other kind of lane.

use serde_json::{Value, json};

use crate::change::make;
use crate::cli::{LaneKind, MoveOptions};
use crate::stack::Stack;

/// Moves the account, after it has said what that means.
pub(crate) async fn relocate(stack: &Stack, options: &MoveOptions, as_json: bool) -> anyhow::Result<()> {
    let question = |would: &Value| {
        let kind = word(options.to);
        format!("Move {} of {} to a {kind} lane? {}.", options.account, stack.name, live_runs(would))
    };
    let request = |dry_run| request(options, dry_run);
    make(stack, &options.change, as_json, request, question, |report| said(options, report)).await
}

fn request(options: &MoveOptions, dry_run: bool) -> Value {
    let MoveOptions { account, to, change } = options;
    json!({"move": {"account_id": account, "to": word(*to).to_uppercase(), "reason": change.reason, "operator": change.operator,
        "dry_run": dry_run}})
}

fn word(kind: LaneKind) -> &'static str {
    match kind {
        LaneKind::Dedicated => "dedicated",
        LaneKind::Shared => "shared",
    }
}

/// One line about what was done, would be done, or needs not be done.
fn said(options: &MoveOptions, report: &Value) -> String {
    let MoveOptions { account, to, change } = options;
    let kind = word(*to);
    match (report["changed"] == true, change.dry_run) {
        (true, true) => format!("{account} would move to a {kind} lane: {}", live_runs(report)),
        (true, false) if report["asked"] == true => {
            format!(
                "{account} moves to a {kind} lane: {}; `cargo xtask ops lanes --account {account}` shows when it is there",
                live_runs(report)
            )
        }
        (true, false) => {
            format!("{account} moves to a {kind} lane with the next reconcile: {}", live_runs(report))
        }
        (false, _) => format!("{account} has a {kind} lane already"),
    }
}

/// How much goes along.
fn live_runs(report: &Value) -> String {
    match report["live_runs"].as_i64().unwrap_or_default() {
        1 => "1 live run goes on there".to_owned(),
        many => format!("{many} live runs go on there"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::HoldOptions;

    #[test]
    fn it_is_said_what_moves_and_where_that_can_be_seen() {
        let change =
            HoldOptions { reason: "idle".to_owned(), operator: "asha".to_owned(), dry_run: false, yes: true };
        let mut options = MoveOptions { account: "a".to_owned(), to: LaneKind::Shared, change };
        let request = request(&options, true);
        assert_eq!(
            request["move"],
            json!({"account_id": "a", "to": "SHARED", "reason": "idle", "operator": "asha", "dry_run": true})
        );
        let report = json!({"changed": true, "live_runs": 2, "asked": true});
        let shows = "`cargo xtask ops lanes --account a` shows when it is there";
        assert_eq!(
            said(&options, &report),
            format!("a moves to a shared lane: 2 live runs go on there; {shows}")
        );
        let report = json!({"changed": true, "live_runs": 1, "asked": false});
        let with_reconcile = "a moves to a shared lane with the next reconcile: 1 live run goes on there";
        assert_eq!(said(&options, &report), with_reconcile);
        options.change.dry_run = true;
        assert_eq!(said(&options, &report), "a would move to a shared lane: 1 live run goes on there");
        assert_eq!(said(&options, &json!({"changed": false})), "a has a shared lane already");
    }
}
