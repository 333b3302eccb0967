//! The command `story`: what happened to one run, in order, and what comes next.

use chrono::{DateTime, Utc};
use local::table;
use local::terminal::print;
use serde::Serialize;
use serde_json::{Value, json};

use crate::age::ago;
use crate::pages::text;
use crate::stack::Stack;
use crate::words::reason;

/// Something that happened to a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Chapter {
    /// When; none of what is so now.
    pub at: Option<String>,
    /// What.
    pub title: String,
    /// More of it.
    pub detail: Option<String>,
}

/// Prints the story of a run.
pub(crate) async fn run(stack: &Stack, id: &str, as_json: bool) -> anyhow::Result<()> {
    let (story, lane) = read(stack, id).await?;
    if as_json {
        return print(&story.to_string());
    }
    let now = Utc::now();
    let run = &story["run"];
    let trace = run["trace_id"].as_str().unwrap_or(id).replace('-', "");
    let of = format!("{} of {} {}", text(run, "kind"), text(run, "marketplace"), text(run, "id"));
    print(&format!("{of}, in the logs by trace {trace}\n"))?;
    let rows: Vec<Vec<String>> =
        chapters(&story, &lane, now).iter().map(|chapter| chapter.row(now)).collect();
    print(&table::render(&["ago", "what", ""], &rows, &[0]))?;
    let streams = story["streams"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !streams.is_empty() {
        let fields = ["stream", "added", "changed", "unchanged", "removed"];
        let rows: Vec<Vec<String>> =
            streams.iter().map(|counts| fields.map(|field| text(counts, field)).to_vec()).collect();
        print(&format!("\n{}", table::render(&fields, &rows, &[1, 2, 3, 4])))?;
    }
    Ok(())
}

/// Reads the story of a run and its account's lane.
pub(crate) async fn read(stack: &Stack, id: &str) -> anyhow::Result<(Value, Value)> {
    let story = stack.ask(&json!({"story": {"run_id": id}})).await?;
    let filter = json!({"account_id": story["run"]["account_id"]});
    let mut lanes = stack.ask(&json!({"lanes": {"filter": filter}})).await?;
    Ok((story, lanes["lanes"][0].take()))
}

/// What happened to a run, in order, and last how it is now.
pub(crate) fn chapters(story: &Value, lane: &Value, now: DateTime<Utc>) -> Vec<Chapter> {
    let run = &story["run"];
    let at = |field: &str| run[field].as_str().map(str::to_owned);
    let mut told =
        vec![Chapter { at: at("made_at"), title: beginning(run), detail: Some(reads(run).to_owned()) }];
    if run["sent_at"].is_string() {
        let title = format!("The message of step {} was sent", text(run, "step"));
        let detail = run["generation"].as_i64().filter(|times| *times > 0);
        let detail = detail.map(|times| format!("published again {}", count(times, "time")));
        told.push(Chapter { at: at("sent_at"), title, detail });
    }
    if run["started_at"].is_string() {
        let title = "An adapter took it for the first time".to_owned();
        told.push(Chapter { at: at("started_at"), title, detail: None });
    }
    for letter in story["dead_letters"].as_array().into_iter().flatten() {
        let when = |field: &str| letter[field].as_str().map(str::to_owned);
        let why = text(letter, "reason");
        let detail = reason(&why).map(str::to_owned);
        told.push(Chapter { at: when("sent_at"), title: format!("A message of it died: {why}"), detail });
        if letter["closed_at"].is_string() {
            let did = if letter["state"] == "DISCARDED" { "discarded" } else { "redrove" };
            let title = format!("{} {did} the dead letter", text(letter, "closed_by"));
            told.push(Chapter { at: when("closed_at"), title, detail: when("close_reason") });
        }
    }
    told.sort_by_key(|chapter| chapter.at.as_deref().and_then(|at| DateTime::parse_from_rfc3339(at).ok()));
    told.push(present(run, lane, now));
    told
}

impl Chapter {
    fn row(&self, now: DateTime<Utc>) -> Vec<String> {
        let at = self.at.as_deref().map_or_else(|| "now".to_owned(), |at| ago(at, now));
        vec![at, self.title.clone(), self.detail.clone().unwrap_or_default()]
    }
}

fn beginning(run: &Value) -> String {
    match text(run, "trigger").as_str() {
        "SCHEDULE" => "A schedule made it".to_owned(),
        "FILE" => "A file that was uploaded began it".to_owned(),
        "API" => "Somebody asked for it through the API".to_owned(),
        other => format!("It was made by {other}"),
    }
}

fn reads(run: &Value) -> &'static str {
    if run["full_read"] == true {
        "it reads everything that the marketplace still shows"
    } else {
        "it reads what has changed"
    }
}

/// How the run is now, and what comes next.
fn present(run: &Value, lane: &Value, now: DateTime<Utc>) -> Chapter {
    let chapter = |title: String, detail: String| Chapter {
        at: None,
        title,
        detail: Some(detail).filter(|detail| !detail.is_empty()),
    };
    let ended = |title: &str, detail: String| Chapter {
        at: run["finished_at"].as_str().map(str::to_owned),
        ..chapter(title.to_owned(), detail)
    };
    let error = run["error_code"].as_str();
    let tries = run["fruitless_attempts"].as_i64().filter(|tries| *tries > 0);
    let tries = tries.map(|tries| format!("{} without a page", count(tries, "attempt")));
    let why = [error.map(|error| format!("its last error: {error}")), tries].into_iter().flatten();
    let why = why.collect::<Vec<_>>().join(", ");
    match text(run, "state").as_str() {
        "SUCCEEDED" => ended("It succeeded", done(run)),
        "FAILED" => ended(&format!("It failed: {}", error.unwrap_or("-")), done(run)),
        "CANCELLED" => ended("It was cancelled", done(run)),
        "DEAD_LETTERED" => chapter(
            "It rests, because its message is dead".to_owned(),
            "nobody works on it until the dead letter is redriven or discarded".to_owned(),
        ),
        "RUNNING" => chapter(
            "An adapter is at work on it".to_owned(),
            [done(run), why].join(", ").trim_matches([',', ' ']).to_owned(),
        ),
        _ if rests(lane).is_some() => {
            chapter("It rests".to_owned(), rests(lane).unwrap_or_default().to_owned())
        }
        "WAITING" => {
            let until = run["next_attempt_at"].as_str().and_then(|at| DateTime::parse_from_rfc3339(at).ok());
            let seconds = until.map_or(0, |until| (until.to_utc() - now).num_seconds().max(0));
            chapter(format!("It waits, and tries again in {}", span(seconds)), why)
        }
        _ if run["sent_at"].is_string() => chapter("It waits in its queue to be taken".to_owned(), why),
        _ => chapter("It waits for the scheduling sweep to publish it".to_owned(), why),
    }
}

/// Why no run of the account goes on, if that is so.
fn rests(lane: &Value) -> Option<&'static str> {
    if lane["is_held"] == true {
        return Some("operators have paused its account or marketplace");
    }
    match lane["status"].as_str() {
        Some("PAUSED") => Some("its seller has paused the account"),
        Some("NEEDS_RECONNECT") => Some("the marketplace refuses the account's credentials"),
        Some("DISCONNECTED") => Some("the account is disconnected"),
        _ => None,
    }
}

/// What a run has done so far.
fn done(run: &Value) -> String {
    let pages = count(run["pages"].as_i64().unwrap_or_default(), "page");
    let rows = ["added", "changed", "unchanged", "removed"].into_iter().filter_map(|field| {
        run[field].as_i64().filter(|rows| *rows > 0).map(|rows| format!("{rows} {field}"))
    });
    let aside = run["quarantined"].as_i64().filter(|records| *records > 0);
    let aside = aside.map(|records| format!("{} set aside", count(records, "record")));
    [pages].into_iter().chain(rows).chain(aside).collect::<Vec<_>>().join(", ")
}

fn count(number: i64, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

fn span(seconds: i64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3_600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noon() -> DateTime<Utc> {
        "2026-03-01T12:00:00Z".parse().expect("an instant")
    }

    fn run(state: &str) -> Value {
        json!({"trigger": "SCHEDULE", "full_read": false, "state": state, "step": 1, "generation": 2, "pages": 3, "added": 4, "quarantined": 1,
            "made_at": "2026-03-01T10:00:00Z", "sent_at": "2026-03-01T10:20:00Z", "started_at": "2026-03-01T10:01:00Z",
            "next_attempt_at": "2026-03-01T12:05:00Z", "finished_at": null, "error_code": null, "fruitless_attempts": 0})
    }

    fn titles(story: &Value, lane: &Value) -> Vec<String> {
        chapters(story, lane, noon()).into_iter().map(|chapter| chapter.title).collect()
    }

    #[test]
    fn a_story_is_told_in_the_order_in_which_it_happened_and_ends_with_now() {
        let letter = json!({"reason": "TOO_MANY_RECEIVES", "sent_at": "2026-03-01T10:10:00Z", "closed_at": "2026-03-01T10:19:00Z",
            "closed_by": "asha", "close_reason": "mended", "state": "REDRIVEN"});
        let story = json!({"run": run("QUEUED"), "dead_letters": [letter]});
        let expected = [
            "A schedule made it",
            "An adapter took it for the first time",
            "A message of it died: TOO_MANY_RECEIVES",
            "asha redrove the dead letter",
            "The message of step 1 was sent",
            "It waits in its queue to be taken",
        ];
        assert_eq!(titles(&story, &Value::Null), expected);
    }

    #[track_caller]
    fn assert_now(run: &Value, lane: &Value, title: &str, detail: &str) {
        let now = present(run, lane, noon());
        assert_eq!((now.title.as_str(), now.detail.as_deref().unwrap_or_default()), (title, detail));
    }

    #[test]
    fn it_is_said_how_the_run_is_now_and_why_it_waits() {
        let active = json!({"status": "ACTIVE"});
        let mut waiting = run("WAITING");
        waiting["error_code"] = "http_503".into();
        waiting["fruitless_attempts"] = 5.into();
        let why = "its last error: http_503, 5 attempts without a page";
        assert_now(&waiting, &active, "It waits, and tries again in 5 min", why);
        for (lane, why) in [
            (json!({"is_held": true}), "operators have paused its account or marketplace"),
            (json!({"status": "PAUSED"}), "its seller has paused the account"),
            (json!({"status": "NEEDS_RECONNECT"}), "the marketplace refuses the account's credentials"),
        ] {
            assert_now(&waiting, &lane, "It rests", why);
        }
        assert_now(
            &run("RUNNING"),
            &active,
            "An adapter is at work on it",
            "3 pages, 4 added, 1 record set aside",
        );
        assert_now(&run("SUCCEEDED"), &active, "It succeeded", "3 pages, 4 added, 1 record set aside");
        let mut failed = run("FAILED");
        failed["error_code"] = "not_permitted".into();
        assert_now(&failed, &active, "It failed: not_permitted", "3 pages, 4 added, 1 record set aside");
        let mut unsent = run("QUEUED");
        unsent["sent_at"] = Value::Null;
        assert_now(&unsent, &active, "It waits for the scheduling sweep to publish it", "");
        let dead = "nobody works on it until the dead letter is redriven or discarded";
        assert_now(&run("DEAD_LETTERED"), &active, "It rests, because its message is dead", dead);
    }
}
