//! How a command changes something: what it would do is asked first, then the operator confirms, then it is done.

use local::terminal::print;
use serde_json::Value;

use crate::cli::HoldOptions;
use crate::stack::Stack;
use crate::terminal::confirm;

/// Makes a change, unless it is a dry run, changes nothing, or is not confirmed. Says what came of it. `request` makes the request of a
/// dry run or of the change, `question` says what to confirm by the answer to the dry run, and `said` is one line about an answer.
pub(crate) async fn make(
    stack: &Stack,
    options: &HoldOptions,
    as_json: bool,
    request: impl Fn(bool) -> Value,
    question: impl Fn(&Value) -> String,
    said: impl Fn(&Value) -> String,
) -> anyhow::Result<()> {
    let say = |report: &Value| print(&if as_json { report.to_string() } else { said(report) });
    let would = stack.ask(&request(true)).await?;
    if options.dry_run || would["changed"] != true {
        return say(&would);
    }
    if !options.yes {
        confirm(&question(&would))?;
    }
    say(&stack.ask(&request(false)).await?)
}
