//! What the page reads.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use chrono::Utc;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Desk;
use super::problem::Problem;
use crate::cli::{Filters, RunsOptions, Whose};
use crate::group::group;
use crate::pages::text;
use crate::{fresh, health, help, story, words};

/// Things that are stuck, or accounts, in one response: the most that the function returns.
const MOST: usize = 500;
/// Runs or dead letters of a page.
const PAGE: usize = 50;

type Asked<T> = Result<Query<T>, QueryRejection>;
type Answer = Result<Json<Value>, Problem>;

/// Where in a list to go on.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Place {
    /// The last id of the page before.
    after: Option<String>,
    /// The state of dead letters.
    status: Option<String>,
}

/// Which stack it is, and what the page may do.
pub(super) async fn about(State(desk): State<Arc<Desk>>) -> Json<Value> {
    Json(
        json!({"stack": desk.stack.name, "operator": desk.operator, "allow_changes": desk.operator.is_some()}),
    )
}

/// What is stuck, in groups.
pub(super) async fn stuck(State(desk): State<Arc<Desk>>, whose: Asked<Whose>) -> Answer {
    let request = json!({"filter": asked(whose)?.to_json(), "limit": MOST});
    let answer = desk.stack.ask(&json!({ "stuck": request })).await?;
    let things = answer["stuck"].as_array().map(Vec::as_slice).unwrap_or_default();
    let groups = group(things, &desk.stack.name);
    Ok(Json(json!({"groups": groups, "left_out": answer["left_out"], "at_least": answer["at_least"]})))
}

/// How every marketplace is doing.
pub(super) async fn marketplaces(State(desk): State<Arc<Desk>>) -> Answer {
    let mut answer = desk.stack.ask(&json!({"marketplaces": {}})).await?;
    let mut live = 0;
    for marketplace in answer["marketplaces"].as_array_mut().into_iter().flatten() {
        live += ["queued", "running", "waiting"].map(|field| number(marketplace, field)).iter().sum::<i64>();
        marketplace["health"] = json!(health::judge(marketplace, Utc::now()));
        marketplace["log"] =
            words::log(&desk.stack.name, &words::adapter(&text(marketplace, "marketplace"))).into();
    }
    for busy in answer["busiest"].as_array_mut().into_iter().flatten() {
        busy["floods"] = health::floods(number(busy, "live_runs_of_seller"), live).into();
    }
    answer["live_runs"] = live.into();
    Ok(Json(answer))
}

/// Accounts with their lanes, and how fresh what they have is.
pub(super) async fn accounts(
    State(desk): State<Arc<Desk>>,
    whose: Asked<Whose>,
    place: Asked<Place>,
) -> Answer {
    let request = json!({"filter": asked(whose)?.to_json(), "limit": MOST, "after": asked(place)?.after});
    let mut answer = desk.stack.ask(&json!({ "lanes": request })).await?;
    fresh::mark(answer["lanes"].as_array_mut().map(Vec::as_mut_slice).unwrap_or_default(), Utc::now());
    Ok(Json(answer))
}

/// A page of runs.
pub(super) async fn runs(
    State(desk): State<Arc<Desk>>,
    options: Asked<RunsOptions>,
    place: Asked<Place>,
) -> Answer {
    let mut request = asked(options)?.to_json();
    request["limit"] = PAGE.into();
    request["after"] = asked(place)?.after.into();
    Ok(Json(desk.stack.ask(&json!({ "runs": request })).await?))
}

/// The story of a run.
pub(super) async fn story(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Answer {
    let (mut story, mut account) = story::read(&desk.stack, &id).await?;
    story["chapters"] = json!(story::chapters(&story, &account, Utc::now()));
    story["log"] = words::log(&desk.stack.name, &words::adapter(&text(&story["run"], "marketplace"))).into();
    fresh::mark(std::slice::from_mut(&mut account), Utc::now());
    story["account"] = account;
    Ok(Json(story))
}

/// A page of dead letters.
pub(super) async fn letters(
    State(desk): State<Arc<Desk>>,
    filters: Asked<Filters>,
    place: Asked<Place>,
) -> Answer {
    let place = asked(place)?;
    let request = json!({"filter": asked(filters)?.to_json(), "limit": PAGE, "after": place.after, "state": place.status});
    let mut answer = desk.stack.ask(&json!({ "list": request })).await?;
    for letter in answer["dead_letters"].as_array_mut().into_iter().flatten() {
        letter["meaning"] = words::reason(&text(letter, "reason")).into();
    }
    Ok(Json(answer))
}

/// One dead letter.
pub(super) async fn letter(State(desk): State<Arc<Desk>>, Path(id): Path<String>) -> Answer {
    let mut letter = desk.stack.ask(&json!({"show": {"id": id}})).await?;
    letter["meaning"] = words::reason(&text(&letter, "reason")).into();
    letter["command"] = help::with_letter(&letter, &desk.stack.name).command.into();
    letter["prospect_meaning"] = letter["prospect"].as_str().map(words::prospect).into();
    Ok(Json(letter))
}

fn number(thing: &Value, field: &str) -> i64 {
    thing[field].as_i64().unwrap_or_default()
}

fn asked<T>(query: Asked<T>) -> Result<T, Problem> {
    let wrong = |error: QueryRejection| {
        Problem::new(StatusCode::BAD_REQUEST, error.body_text(), "correct the filter")
    };
    query.map(|Query(value)| value).map_err(wrong)
}
