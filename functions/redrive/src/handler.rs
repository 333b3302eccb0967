//! One invocation: a schedule has dead letters collected, or an operator asks for something. A request that is wrong is answered with
//! the field's name; it is no failure of this function.

use serde::Serialize;
use serde_json::Value;
use tokio::time::Instant;

use crate::collect::{Collected, collect};
use crate::context::Context;
use crate::discard::{Discarded, discard};
use crate::error::RedriveError;
use crate::find::{Found, Shown, list, show};
use crate::hold::{Held, hold};
use crate::lanes::{FoundLanes, lanes};
use crate::limit::{Limited, limit};
use crate::marketplaces::{FoundMarketplaces, marketplaces};
use crate::redrive::{Prospects, Redriven, prospects, redrive};
use crate::relocate::{Moved, relocate};
use crate::request::{InputError, Marketplaces, Request};
use crate::runs::{FoundRuns, runs};
use crate::story::{RunStory, story};
use crate::stuck::{StuckThings, stuck};

/// What the function returns.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// For the schedule.
    Collected(Collected),
    /// For `list`.
    Found(Found),
    /// For `show`.
    Shown(Box<Shown>),
    /// For `redrive`.
    Redriven(Redriven),
    /// For a dry run of `redrive`.
    Prospects(Prospects),
    /// For `discard`.
    Discarded(Discarded),
    /// For `stuck`.
    Stuck(StuckThings),
    /// For `runs`.
    Runs(FoundRuns),
    /// For `lanes`.
    Lanes(FoundLanes),
    /// For `story`.
    Story(Box<RunStory>),
    /// For `marketplaces`.
    Marketplaces(FoundMarketplaces),
    /// For `hold` and `resume`.
    Held(Held),
    /// For `limit`.
    Limited(Limited),
    /// For `move`.
    Moved(Moved),
    /// For a request that is wrong.
    Refused {
        /// What is wrong.
        refused: InputError,
    },
}

/// Handles one event before the deadline.
pub async fn handle(event: Value, context: &Context, deadline: Instant) -> Result<Answer, RedriveError> {
    let Value::Object(event) = event else { return Err(RedriveError::UnknownEvent) };
    let mut event = event.into_iter();
    let (Some((name, value)), None) = (event.next(), event.next()) else {
        return Err(RedriveError::UnknownEvent);
    };
    match name.as_str() {
        "collect" if value == "dead_letters" => collect(context, deadline).await.map(Answer::Collected),
        "list" | "show" | "redrive" | "discard" | "stuck" | "runs" | "lanes" | "story" | "marketplaces"
        | "hold" | "resume" | "limit" | "move" => match Request::parse(&name, value) {
            Ok(request) => Box::pin(answer(request, context, deadline)).await,
            Err(refused) => Ok(Answer::Refused { refused }),
        },
        _ => Err(RedriveError::UnknownEvent),
    }
}

async fn answer(request: Request, context: &Context, deadline: Instant) -> Result<Answer, RedriveError> {
    match request {
        Request::List(request) => list(context, &request).await.map(Answer::Found),
        Request::Show(request) => Ok(match show(context, &request).await? {
            Some(shown) => Answer::Shown(Box::new(shown)),
            None => Answer::Refused { refused: InputError::new("id", "is the id of no dead letter") },
        }),
        Request::Redrive(request) if request.dry_run => {
            prospects(context, request.choice()).await.map(Answer::Prospects)
        }
        Request::Redrive(request) => redrive(context, &request, deadline).await.map(Answer::Redriven),
        Request::Discard(request) => discard(context, &request).await.map(Answer::Discarded),
        Request::Stuck(request) => stuck(context, &request).await.map(Answer::Stuck),
        Request::Runs(request) => runs(context, &request).await.map(Answer::Runs),
        Request::Lanes(request) => lanes(context, &request).await.map(Answer::Lanes),
        Request::Story(request) => Ok(match story(context, &request).await? {
            Some(story) => Answer::Story(Box::new(story)),
            None => Answer::Refused { refused: InputError::new("run_id", "is the id of no run") },
        }),
        Request::Marketplaces(Marketplaces {}) => marketplaces(context).await.map(Answer::Marketplaces),
        Request::Hold(request) => hold(context, &request, true, deadline).await.map(held),
        Request::Resume(request) => hold(context, &request, false, deadline).await.map(held),
        Request::Limit(request) => limit(context, &request).await.map(Answer::Limited),
        Request::Move(request) => relocate(context, &request)
            .await
            .map(|outcome| outcome.map_or_else(|refused| Answer::Refused { refused }, Answer::Moved)),
    }
}

fn held(outcome: Result<Held, InputError>) -> Answer {
    outcome.map_or_else(|refused| Answer::Refused { refused }, Answer::Held)
}
