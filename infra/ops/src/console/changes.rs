//! What the page changes: the same requests as those of the commands, each of which can be tried first (`dry_run`).

use std::convert::Infallible;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::extract::rejection::JsonRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Desk;
use super::problem::Problem;
use crate::cli::{Choice, Filters, HoldOptions};
use crate::dlq;
use crate::hold::Change;
use crate::parts::Parts;
use crate::words;

/// Dead letters of one part: so few that the page shows progress every few seconds.
const PART: usize = 100;
/// The reason of a dry run, which the function wants to see and does not record.
const DRY: &str = "a dry run";

type Asked<T> = Result<Json<T>, JsonRejection>;

/// Which dead letters to change, and how.
#[derive(Debug, Default, Deserialize)]
pub(super) struct OfLetters {
    #[serde(flatten)]
    filters: Filters,
    /// Only these.
    ids: Option<Vec<String>>,
    /// How many of them the operator has seen in the dry run. Whatever died since then is left alone.
    at_most: Option<usize>,
    /// Messages per second.
    rate: Option<f64>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    dry_run: bool,
}

/// The fields of a change of dead letters. One that is not known might be meant to narrow the change.
const FIELDS: [&str; 12] = [
    "marketplace",
    "seller",
    "account",
    "kind",
    "died_of",
    "older_than",
    "newer_than",
    "ids",
    "at_most",
    "rate",
    "reason",
    "dry_run",
];

/// Which account or marketplace to hold or to resume.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfHold {
    account: Option<String>,
    marketplace: Option<String>,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    dry_run: bool,
}

/// Redrives dead letters, or says what a redrive would do with how many.
pub(super) async fn redrive(State(desk): State<Arc<Desk>>, body: Asked<Value>) -> Result<Response, Problem> {
    let asked = OfLetters::read(body)?;
    let (dry_run, at_most) = (asked.dry_run, asked.at_most);
    let mut request = asked.request(&desk)?;
    if !dry_run {
        return Ok(progress(desk, Parts::redrive(&request).at_most(at_most), dlq::progress));
    }
    request["dry_run"] = true.into();
    let answer = desk.stack.ask(&json!({ "redrive": request })).await?;
    let prospects = answer["prospects"].as_object().cloned().unwrap_or_default();
    let count: i64 = prospects.values().filter_map(Value::as_i64).sum();
    let would: Vec<Value> = prospects
        .iter()
        .map(|(name, count)| json!({"count": count, "meaning": words::prospect(name), "prospect": name}))
        .collect();
    Ok(Json(json!({"count": count, "would": would})).into_response())
}

/// Discards dead letters, or says how many it would discard.
pub(super) async fn discard(State(desk): State<Arc<Desk>>, body: Asked<Value>) -> Result<Response, Problem> {
    let asked = OfLetters::read(body)?;
    let (dry_run, at_most) = (asked.dry_run, asked.at_most);
    let mut request = asked.request(&desk)?;
    if !dry_run {
        return Ok(progress(desk, Parts::discard(&request).at_most(at_most), dlq::discarded));
    }
    request["dry_run"] = true.into();
    let count = desk.stack.ask(&json!({ "discard": request })).await?["remaining"].take();
    let would = json!([{"count": count, "meaning": "given up for good; their runs end as FAILED", "prospect": "DISCARD"}]);
    Ok(Json(json!({"count": count, "would": would})).into_response())
}

/// Holds the runs of an account or a marketplace.
pub(super) async fn hold(State(desk): State<Arc<Desk>>, body: Asked<OfHold>) -> Result<Json<Value>, Problem> {
    asked(body)?.make("hold", &desk).await
}

/// Lets them go on.
pub(super) async fn resume(
    State(desk): State<Arc<Desk>>,
    body: Asked<OfHold>,
) -> Result<Json<Value>, Problem> {
    asked(body)?.make("resume", &desk).await
}

impl OfLetters {
    fn read(body: Asked<Value>) -> Result<Self, Problem> {
        let body = asked(body)?;
        let unknown =
            body.as_object().into_iter().flatten().find(|(name, _)| !FIELDS.contains(&name.as_str()));
        if let Some((name, _)) = unknown {
            return Err(wrong(format!("{name}: is no field of a change of dead letters")));
        }
        let letters: Self =
            serde_path_to_error::deserialize(body).map_err(|error| wrong(error.to_string()))?;
        match &letters.ids {
            Some(ids) if ids.is_empty() => Err(wrong("ids: has none")),
            _ => Ok(letters),
        }
    }

    fn request(self, desk: &Desk) -> Result<Value, Problem> {
        let reason = reason(self.reason, self.dry_run)?;
        let operator = desk.operator.clone().unwrap_or_default();
        let choice = Choice {
            ids: self.ids.unwrap_or_default(),
            filters: self.filters,
            operator,
            ..Choice::default()
        };
        let mut request = dlq::request(&choice);
        request["reason"] = reason.into();
        request["limit"] = PART.into();
        if let Some(rate) = self.rate {
            request["rate"] = rate.into();
        }
        Ok(request)
    }
}

impl OfHold {
    async fn make(self, name: &'static str, desk: &Desk) -> Result<Json<Value>, Problem> {
        let (field, target) = match (&self.account, &self.marketplace) {
            (Some(account), None) => ("account_id", account),
            (None, Some(marketplace)) => ("marketplace", marketplace),
            _ => return Err(wrong("account, marketplace: exactly one of them is needed")),
        };
        let options = HoldOptions {
            reason: reason(self.reason.clone(), self.dry_run)?,
            dry_run: self.dry_run,
            yes: true,
            operator: desk.operator.clone().unwrap_or_default(),
        };
        let change = Change { name, field, target, options: &options };
        let report = desk.stack.ask(&change.request(self.dry_run)).await?;
        Ok(Json(json!({"said": change.said(&report), "report": report})))
    }
}

/// Makes a change part by part, and tells the page after each of them, one JSON object a line. When the page stops listening, no
/// further part is made.
fn progress(desk: Arc<Desk>, parts: Parts, said: fn(&Value) -> String) -> Response {
    let lines = stream::unfold((desk, parts), move |(desk, mut parts)| async move {
        let line = match parts.next().await {
            Some(request) => match desk.stack.ask(&request).await {
                Ok(report) => {
                    parts.note(&report);
                    json!({"said": said(&report), "report": report})
                }
                Err(error) => Problem::from(error).to_json(),
            },
            None => Problem::from(parts.gave_up()?).to_json(),
        };
        Some((Ok::<_, Infallible>(format!("{line}\n")), (desk, parts)))
    });
    ([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(lines)).into_response()
}

/// No change is made without a reason.
fn reason(reason: String, dry_run: bool) -> Result<String, Problem> {
    match reason.trim() {
        "" if dry_run => Ok(DRY.to_owned()),
        "" => Err(wrong("reason: is missing")),
        _ => Ok(reason),
    }
}

fn asked<T>(body: Asked<T>) -> Result<T, Problem> {
    body.map(|Json(value)| value).map_err(|error| wrong(error.body_text()))
}

fn wrong(what: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, what, "correct that and try again")
}
