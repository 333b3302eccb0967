//! The command `marketplace limit`: how many runs of a marketplace may be under way at once.

use serde_json::{Value, json};

use crate::change::make;
use crate::cli::LimitOptions;
use crate::stack::Stack;

/// Changes the limit, after it has said what that means.
pub(crate) async fn limit(stack: &Stack, options: &LimitOptions, as_json: bool) -> anyhow::Result<()> {
    let question = |would: &Value| {
        let LimitOptions { marketplace, runs_at_once, .. } = options;
        format!(
            "Let at most {runs_at_once} runs of {marketplace} be under way at once in {}? {}.",
            stack.name,
            now(would)
        )
    };
    let request = |dry_run| request(options, dry_run);
    make(stack, &options.change, as_json, request, question, |report| said(options, report)).await
}

fn request(options: &LimitOptions, dry_run: bool) -> Value {
    let LimitOptions { marketplace, runs_at_once, change } = options;
    json!({"limit": {"marketplace": marketplace, "runs_at_once": runs_at_once, "reason": change.reason, "operator": change.operator,
        "dry_run": dry_run}})
}

fn said(options: &LimitOptions, report: &Value) -> String {
    let LimitOptions { marketplace, runs_at_once, change } = options;
    match (report["changed"] == true, change.dry_run) {
        (true, false) => format!("{marketplace}: at most {runs_at_once} runs at once; {}", now(report)),
        (true, true) => {
            format!("{marketplace}: it would be at most {runs_at_once} runs at once; {}", now(report))
        }
        (false, _) => format!("{marketplace}: the limit is {runs_at_once} runs at once already"),
    }
}

/// How it was before.
fn now(report: &Value) -> String {
    format!("the limit was {}, and {} are under way", report["before"], report["under_way"])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::HoldOptions;

    #[test]
    fn it_is_said_how_it_was_and_how_it_is() {
        let change = HoldOptions {
            reason: "a fault".to_owned(),
            operator: "asha".to_owned(),
            dry_run: false,
            yes: true,
        };
        let mut options = LimitOptions { marketplace: "AJIO".to_owned(), runs_at_once: 5, change };
        let request = request(&options, true);
        assert_eq!(
            request["limit"],
            json!({"marketplace": "AJIO", "runs_at_once": 5, "reason": "a fault", "operator": "asha", "dry_run": true})
        );
        let report = json!({"changed": true, "before": 100, "under_way": 7});
        let was = "the limit was 100, and 7 are under way";
        assert_eq!(said(&options, &report), format!("AJIO: at most 5 runs at once; {was}"));
        options.change.dry_run = true;
        assert_eq!(said(&options, &report), format!("AJIO: it would be at most 5 runs at once; {was}"));
        let report = json!({"changed": false, "before": 5, "under_way": 7});
        assert_eq!(said(&options, &report), "AJIO: the limit is 5 runs at once already");
    }
}
