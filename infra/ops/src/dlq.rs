//! The commands about dead letters. The function does a bounded part of a request at a time; these commands repeat it until it is done.

use std::time::Duration;

use anyhow::anyhow;
use chrono::Utc;
use local::table;
use local::terminal::print;
use serde_json::{Value, json};

use crate::age::ago;
use crate::cli::{Choice, DiscardOptions, DlqCommand, ListOptions, RedriveOptions};
use crate::pages::{List, text};
use crate::stack::Stack;
use crate::terminal::confirm;

/// How long to wait when letters remain that cannot be redriven at once, because earlier ones are not sent yet.
const PAUSE: Duration = Duration::from_secs(5);
/// How often in a row that may be so: longer than the minute in which a collection sends unsent messages.
const PAUSES: usize = 24;

/// Does one command.
pub(crate) async fn run(stack: &Stack, command: &DlqCommand, as_json: bool) -> anyhow::Result<()> {
    match command {
        DlqCommand::List(options) => list(stack, options, as_json).await,
        DlqCommand::Show(options) => {
            let shown = stack.ask(&json!({"show": {"id": options.id}})).await?;
            if as_json { print(&shown.to_string()) } else { print(&fields(&shown)) }
        }
        DlqCommand::Redrive(options) => redrive(stack, options, as_json).await,
        DlqCommand::Discard(options) => discard(stack, options, as_json).await,
    }
}

async fn list(stack: &Stack, options: &ListOptions, as_json: bool) -> anyhow::Result<()> {
    let request = json!({"filter": options.filters.to_json(), "state": options.status});
    let list = List { request: "list", things: "dead_letters", limit: options.limit };
    let found = list.read(&request, async |request| stack.ask(request).await).await?;
    if as_json {
        return print(&found.to_json());
    }
    let columns = ["id", "state", "source", "form", "kind", "reason", "age", "seller", "account", "run"];
    let rows: Vec<Vec<String>> = found.things.iter().map(row).collect();
    print(&table::render(&columns, &rows, &[6]))?;
    print(&format!("\n{}", found.count("dead letters")))
}

fn row(letter: &Value) -> Vec<String> {
    let text = |name: &str| text(letter, name);
    let state = match letter["outcome"].as_str() {
        Some(outcome) if letter["published_at"].is_null() => {
            format!("{} ({outcome}, to be sent)", text("state"))
        }
        Some(outcome) => format!("{} ({outcome})", text("state")),
        None => text("state"),
    };
    vec![
        text("id"),
        state,
        text("source"),
        text("form"),
        text("kind"),
        text("reason"),
        ago(&text("sent_at"), Utc::now()),
        text("seller_id"),
        text("account_id"),
        text("run_id"),
    ]
}

/// One field a line, those that are known.
fn fields(shown: &Value) -> String {
    let known = shown.as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    known.map(|(name, value)| format!("  {name:<14} {}", text(value))).collect::<Vec<_>>().join("\n")
}

/// The fields that requests have in common which change something.
fn request(choice: &Choice) -> Value {
    let mut request = json!({"filter": choice.filters.to_json(), "operator": choice.operator});
    if !choice.ids.is_empty() {
        request["ids"] = choice.ids.clone().into();
    }
    request
}

async fn redrive(stack: &Stack, options: &RedriveOptions, as_json: bool) -> anyhow::Result<()> {
    let mut request = request(&options.choice);
    request["rate"] = options.rate.into();
    request["reason"] = options.reason.clone().into();
    let mut dry = request.clone();
    dry["dry_run"] = true.into();
    let prospects = stack.ask(&json!({ "redrive": dry })).await?;
    let letters = prospects["prospects"].as_object().cloned().unwrap_or_default();
    if options.choice.dry_run || letters.is_empty() {
        let rows: Vec<Vec<String>> =
            letters.iter().map(|(name, count)| vec![name.clone(), count.to_string()]).collect();
        let table = table::render(&["a redrive would", "dead letters"], &rows, &[1]);
        return print(if as_json { prospects.to_string() } else { table }.as_str());
    }
    if !options.choice.yes {
        let count: i64 = letters.values().filter_map(Value::as_i64).sum();
        confirm(&format!("Redrive {count} dead letters of {} ({})?", stack.name, said(&letters)))?;
    }
    until_done(&request, async |request| {
        let report = stack.ask(&json!({ "redrive": request })).await?;
        print(&if as_json { report.to_string() } else { progress(&report) })?;
        Ok(report)
    })
    .await
}

/// Repeats a redrive until nothing remains that it could do.
async fn until_done(
    request: &Value,
    mut redrive: impl AsyncFnMut(&Value) -> anyhow::Result<Value>,
) -> anyhow::Result<()> {
    let mut pauses = 0;
    loop {
        let report = redrive(request).await?;
        let count = |name: &str| report[name].as_i64().unwrap_or_default();
        if count("remaining") == 0 {
            return Ok(());
        }
        let done: i64 = ["published", "sent", "moved_on", "superseded"].map(count).iter().sum();
        pauses = if done > 0 { 0 } else { pauses + 1 };
        if pauses > PAUSES {
            let remaining = count("remaining");
            return Err(anyhow!(
                "{remaining} dead letters remain and nothing goes on: earlier ones of their accounts cannot be sent. The function's log says why"
            ));
        }
        if pauses > 0 {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// One line about what an invocation did.
fn progress(report: &Value) -> String {
    let mut done: Vec<String> = ["published", "sent", "moved_on", "superseded", "failed", "remaining"]
        .into_iter()
        .filter(|name| *name == "remaining" || report[*name].as_i64().unwrap_or_default() > 0)
        .map(|name| format!("{} {}", report[name], if name == "failed" { "to be sent later" } else { name }))
        .collect();
    done.extend(
        report["left"].as_object().into_iter().flatten().map(|(name, count)| format!("{count} {name}")),
    );
    done.join(", ")
}

fn said(counts: &serde_json::Map<String, Value>) -> String {
    counts.iter().map(|(name, count)| format!("{count} {name}")).collect::<Vec<_>>().join(", ")
}

async fn discard(stack: &Stack, options: &DiscardOptions, as_json: bool) -> anyhow::Result<()> {
    let mut request = request(&options.choice);
    request["reason"] = options.reason.clone().into();
    let mut dry = request.clone();
    dry["dry_run"] = true.into();
    let would = stack.ask(&json!({ "discard": dry })).await?;
    let count = would["remaining"].as_i64().unwrap_or_default();
    if options.choice.dry_run || count == 0 {
        let text = format!("{count} dead letters would be discarded");
        return print(&if as_json { would.to_string() } else { text });
    }
    if !options.choice.yes {
        confirm(&format!("Discard {count} dead letters of {}? Their runs end as FAILED.", stack.name))?;
    }
    loop {
        let report = stack.ask(&json!({ "discard": request })).await?;
        let text = format!(
            "{} discarded, {} runs ended, {} remaining",
            report["discarded"], report["runs_ended"], report["remaining"]
        );
        print(&if as_json { report.to_string() } else { text })?;
        if report["remaining"].as_i64().unwrap_or_default() == 0 || report["discarded"] == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use super::*;

    /// Repeats a redrive that reports these, and returns how often it was called.
    async fn repeat(reports: &[Value]) -> (usize, anyhow::Result<()>) {
        let mut reports: VecDeque<&Value> = reports.iter().collect();
        let mut calls = 0;
        let outcome = until_done(&json!({}), async |_| {
            calls += 1;
            let next = reports.pop_front().ok_or_else(|| anyhow!("called too often"))?;
            Ok(next.clone())
        })
        .await;
        (calls, outcome)
    }

    #[tokio::test(start_paused = true)]
    async fn a_redrive_is_repeated_until_nothing_remains() {
        let part = json!({"published": 500, "remaining": 100});
        let waits = json!({"published": 0, "remaining": 1});
        let (calls, outcome) = repeat(&[part.clone(), waits, part, json!({"remaining": 0})]).await;
        assert!(outcome.is_ok() && calls == 4, "{outcome:?} after {calls}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_redrive_that_makes_no_progress_ends() {
        let stuck = vec![json!({"published": 0, "failed": 1, "remaining": 3}); PAUSES + 1];
        let (calls, outcome) = repeat(&stuck).await;
        let said = outcome.expect_err("it ends").to_string();
        assert!(said.starts_with("3 dead letters remain") && calls == PAUSES + 1, "{said}");
    }

    #[test]
    fn what_was_done_is_said_in_one_line() {
        let report = json!({"published": 3, "sent": 0, "moved_on": 2, "superseded": 0, "failed": 1, "remaining": 0,
            "left": {"DISCARD_ONLY": 1}});
        assert_eq!(
            progress(&report),
            "3 published, 2 moved_on, 1 to be sent later, 0 remaining, 1 DISCARD_ONLY"
        );
    }

    #[test]
    fn a_choice_of_ids_is_sent_with_the_operator() {
        let choice = Choice { ids: vec!["a".to_owned()], operator: "asha".to_owned(), ..Choice::default() };
        assert_eq!(request(&choice), json!({"filter": {}, "operator": "asha", "ids": ["a"]}));
        let all = Choice { ids: Vec::new(), ..choice };
        assert_eq!(request(&all), json!({"filter": {}, "operator": "asha"}));
    }
}
