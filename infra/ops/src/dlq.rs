//! The commands about dead letters.

use chrono::Utc;
use local::table;
use local::terminal::print;
use serde_json::{Value, json};

use crate::age::ago;
use crate::cli::{Choice, DiscardOptions, DlqCommand, ListOptions, RedriveOptions};
use crate::pages::{List, text};
use crate::parts::Parts;
use crate::stack::Stack;
use crate::terminal::confirm;

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
pub(crate) fn request(choice: &Choice) -> Value {
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
    change(stack, Parts::redrive(&request), progress, as_json).await
}

/// Makes a change part by part, and prints each report.
async fn change(
    stack: &Stack,
    mut parts: Parts,
    said: fn(&Value) -> String,
    as_json: bool,
) -> anyhow::Result<()> {
    while let Some(request) = parts.next().await {
        let report = stack.ask(&request).await?;
        parts.note(&report);
        print(&if as_json { report.to_string() } else { said(&report) })?;
    }
    parts.gave_up().map_or(Ok(()), Err)
}

/// One line about what an invocation did.
pub(crate) fn progress(report: &Value) -> String {
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

pub(crate) fn said(counts: &serde_json::Map<String, Value>) -> String {
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
    change(stack, Parts::discard(&request), discarded, as_json).await
}

/// One line about what an invocation gave up.
pub(crate) fn discarded(report: &Value) -> String {
    format!(
        "{} discarded, {} runs ended, {} remaining",
        report["discarded"], report["runs_ended"], report["remaining"]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

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
