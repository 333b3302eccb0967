//! The commands `account` and `marketplace`: operators hold runs, and let them go on. What else these commands do has its own files.

use serde_json::{Value, json};

use crate::change::make;
use crate::cli::{AccountCommand, HoldOptions, MarketplaceCommand};
use crate::limit::limit;
use crate::relocate::relocate;
use crate::stack::Stack;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Change<'a> {
    /// The request's name: `hold` or `resume`.
    pub name: &'static str,
    /// The request's field: `account_id` or `marketplace`.
    pub field: &'static str,
    /// The account or the marketplace.
    pub target: &'a str,
    /// How.
    pub options: &'a HoldOptions,
}

/// Holds an account's runs, lets them go on, or moves the account to the other kind of lane.
pub(crate) async fn account(stack: &Stack, command: &AccountCommand, as_json: bool) -> anyhow::Result<()> {
    let (name, options) = match command {
        AccountCommand::Pause(options) => ("hold", options),
        AccountCommand::Resume(options) => ("resume", options),
        AccountCommand::Move(options) => return relocate(stack, options, as_json).await,
    };
    let change = Change { name, field: "account_id", target: &options.account, options: &options.hold };
    change.make(stack, as_json).await
}

/// Holds a marketplace's runs, lets them go on, or limits how many may be under way at once.
pub(crate) async fn marketplace(
    stack: &Stack,
    command: &MarketplaceCommand,
    as_json: bool,
) -> anyhow::Result<()> {
    let (name, options) = match command {
        MarketplaceCommand::Pause(options) => ("hold", options),
        MarketplaceCommand::Resume(options) => ("resume", options),
        MarketplaceCommand::Limit(options) => return limit(stack, options, as_json).await,
    };
    let change = Change { name, field: "marketplace", target: &options.marketplace, options: &options.hold };
    change.make(stack, as_json).await
}

impl Change<'_> {
    async fn make(&self, stack: &Stack, as_json: bool) -> anyhow::Result<()> {
        let question = |would: &Value| {
            let verb = if self.name == "hold" { "Pause" } else { "Resume" };
            format!("{verb} {} of {}? {}.", self.target, stack.name, concerns(would))
        };
        let request = |dry_run| self.request(dry_run);
        make(stack, self.options, as_json, request, question, |report| self.said(report)).await
    }

    pub(crate) fn request(&self, dry_run: bool) -> Value {
        let HoldOptions { reason, operator, .. } = self.options;
        let request =
            json!({self.field: self.target, "reason": reason, "operator": operator, "dry_run": dry_run});
        json!({ self.name: request })
    }

    /// One line about what was done, would be done, or needs not be done.
    pub(crate) fn said(&self, report: &Value) -> String {
        let (target, concerns) = (self.target, concerns(report));
        let is = if self.name == "hold" { "paused" } else { "resumed" };
        let resting = match report["accounts"].as_i64().zip(report["active_accounts"].as_i64()) {
            Some((accounts, active)) if active < accounts => {
                format!(
                    "; {} of them rest by their own status, which this does not change",
                    accounts - active
                )
            }
            _ => String::new(),
        };
        let resting = self.tries(report) + &resting + &self.still_paused(report);
        match (report["changed"] == true, self.options.dry_run) {
            (true, _) if self.name == "resume" && report["was_held"] == false => {
                format!("{target} itself is not paused by the platform{resting}")
            }
            (true, true) => format!("{target} would be {is}: {concerns}{resting}"),
            (true, false) => format!("{target} is {is}: {concerns}{resting}"),
            (false, _) if self.name == "hold" => format!("{target} is paused already"),
            (false, _) => {
                format!(
                    "{target} itself is not paused by the platform, so there is nothing to resume{resting}"
                )
            }
        }
    }

    /// How many runs a resume lets try at once.
    fn tries(&self, report: &Value) -> String {
        let verb = if self.options.dry_run { "would try" } else { "try" };
        match (self.name, report["waiting_runs"].as_i64().unwrap_or_default()) {
            ("hold", _) | (_, 0) => String::new(),
            (_, 1) => {
                let verb = if self.options.dry_run { "would try" } else { "tries" };
                format!("; 1 run that waits until the marketplace answers {verb} at once")
            }
            (_, many) => format!("; {many} runs that wait until the marketplace answers {verb} at once"),
        }
    }

    /// What stays paused after a resume, because the other pause stands.
    fn still_paused(&self, report: &Value) -> String {
        match (self.name, self.field, report["also_held"].as_i64().unwrap_or_default()) {
            ("hold", ..) | (.., 0) => String::new(),
            (_, "account_id", _) => {
                "; its marketplace is paused, and nothing goes on until that is resumed".to_owned()
            }
            (.., 1) => "; 1 of its accounts stays paused itself".to_owned(),
            (.., many) => format!("; {many} of its accounts stay paused themselves"),
        }
    }
}

/// How much a hold concerns.
fn concerns(report: &Value) -> String {
    let count = |name: &str, one: &str| match report[name].as_i64().unwrap_or_default() {
        1 => format!("1 {one}"),
        many => format!("{many} {one}s"),
    };
    format!("{}, {}", count("accounts", "account"), count("live_runs", "live run"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change<'a>(name: &'static str, options: &'a HoldOptions) -> Change<'a> {
        Change { name, field: "account_id", target: "a", options }
    }

    fn options(dry_run: bool) -> HoldOptions {
        HoldOptions { reason: "a fault".to_owned(), operator: "asha".to_owned(), dry_run, yes: true }
    }

    #[test]
    fn the_operator_and_the_reason_are_sent() {
        let request = json!({"account_id": "a", "reason": "a fault", "operator": "asha", "dry_run": true});
        assert_eq!(change("hold", &options(false)).request(true), json!({ "hold": request }));
        let request = json!({"account_id": "a", "reason": "a fault", "operator": "asha", "dry_run": false});
        assert_eq!(change("resume", &options(false)).request(false), json!({ "resume": request }));
    }

    #[test]
    fn it_is_said_what_was_done_and_what_the_seller_itself_has_paused() {
        let report =
            json!({"changed": true, "held": true, "accounts": 3, "active_accounts": 3, "live_runs": 1});
        assert_eq!(change("hold", &options(false)).said(&report), "a is paused: 3 accounts, 1 live run");
        assert_eq!(change("hold", &options(true)).said(&report), "a would be paused: 3 accounts, 1 live run");
        let report =
            json!({"changed": true, "held": false, "accounts": 1, "active_accounts": 0, "live_runs": 0});
        assert_eq!(
            change("resume", &options(false)).said(&report),
            "a is resumed: 1 account, 0 live runs; 1 of them rest by their own status, which this does not change"
        );
        let unchanged = json!({"changed": false, "accounts": 1, "active_accounts": 1});
        assert_eq!(change("hold", &options(false)).said(&unchanged), "a is paused already");
        assert_eq!(
            change("resume", &options(false)).said(&unchanged),
            "a itself is not paused by the platform, so there is nothing to resume"
        );
    }

    #[test]
    fn a_resume_says_how_many_runs_try_at_once_also_without_a_pause() {
        let report =
            json!({"changed": true, "was_held": true, "accounts": 2, "live_runs": 3, "waiting_runs": 2});
        let resume = options(false);
        assert_eq!(
            change("resume", &resume).said(&report),
            "a is resumed: 2 accounts, 3 live runs; 2 runs that wait until the marketplace answers try at once"
        );
        let report =
            json!({"changed": true, "was_held": false, "accounts": 1, "live_runs": 1, "waiting_runs": 1});
        assert_eq!(
            change("resume", &options(true)).said(&report),
            "a itself is not paused by the platform; 1 run that waits until the marketplace answers would try at once"
        );
    }

    #[test]
    fn a_resume_says_what_stays_paused() {
        let report =
            json!({"changed": true, "accounts": 3, "active_accounts": 3, "live_runs": 0, "also_held": 1});
        let resumed = "a is resumed: 3 accounts, 0 live runs";
        let options = options(false);
        let of_account = change("resume", &options);
        let said = of_account.said(&report);
        assert_eq!(
            said,
            format!("{resumed}; its marketplace is paused, and nothing goes on until that is resumed")
        );
        let of_marketplace = Change { field: "marketplace", ..of_account };
        assert_eq!(of_marketplace.said(&report), format!("{resumed}; 1 of its accounts stays paused itself"));
    }
}
