//! The removal of all lanes with their stack. CloudFormation knows neither their queues nor their mappings, so a custom resource
//! stands for them. Its deletion comes before that of the functions, and after that of everything that opens lanes.
//!
//! It works in slices, each an invocation of its own, until nothing is left. What is there is read from AWS each time, so a slice that
//! was killed is repeated by Lambda, twice, without harm; and so may be the whole deletion.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use futures_util::StreamExt;
use futures_util::stream;
use robnu_startup::custom_resource::Request;
use serde::{Deserialize, Serialize};
use tokio::time::{Instant, sleep};

use crate::again::again;
use crate::by_itself::AT_ONCE;
use crate::context::Context;
use crate::error::LaneError;
use crate::found::{self, Found};
use crate::queues::Owner;
use crate::store;

/// The time that is kept for the response or for the next slice's invocation.
const RESERVE: Duration = Duration::from_secs(12);
/// How long after its beginning a removal gives up; CloudFormation waits an hour at most.
const LONGEST: Duration = Duration::from_mins(50);
/// The pause between two looks at what is left: AWS shows what was deleted for a while.
const PAUSE: Duration = Duration::from_secs(2);
/// Rows that one statement forgets.
const ROWS: i64 = 500;

/// CloudFormation's request, and where the last slice stopped.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct StackEvent {
    #[serde(flatten)]
    request: Request,
    #[serde(rename = "ResourceProperties", default)]
    properties: Properties,
    #[serde(default)]
    progress: Option<Progress>,
}

#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "PascalCase", default)]
struct Properties {
    /// How long nothing must have been found, in seconds: an invocation that opens lanes may still be at work, and lists lag.
    quiet_seconds: Option<String>,
}

/// How far a removal has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Progress {
    began_at: SystemTime,
    /// Since when nothing has been found.
    clear_since: Option<SystemTime>,
}

/// What came of a request of CloudFormation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Removal {
    /// There is nothing to do for a stack that is made or changed.
    NotAsked,
    /// Nothing is left.
    Done,
    /// Another invocation goes on.
    GoesOn,
    /// Time is over and something is left.
    GivenUp,
}

/// Does what CloudFormation asks: removes every lane when the stack is deleted.
pub(crate) async fn handle_stack(
    mut event: StackEvent,
    context: &Context,
    deadline: Instant,
) -> Result<Removal, LaneError> {
    if !event.request.is_delete() {
        return respond(&event, Ok(()), Removal::NotAsked).await;
    }
    let now = SystemTime::now();
    let mut progress = event.progress.unwrap_or(Progress { began_at: now, clear_since: None });
    let quiet = event.properties.quiet_seconds.as_deref().and_then(|text| text.parse().ok()).unwrap_or(60);
    let stop_at = deadline.checked_sub(RESERVE).unwrap_or(deadline);
    let left = remove_all(context, &mut progress, Duration::from_secs(quiet), stop_at).await;
    let Err(left) = left else { return respond(&event, Ok(()), Removal::Done).await };
    if progress.began_at.elapsed().is_ok_and(|took| took >= LONGEST) {
        return respond(&event, Err(left), Removal::GivenUp).await;
    }
    event.progress = Some(progress);
    again(context, &event).await?;
    Ok(Removal::GoesOn)
}

async fn respond(
    event: &StackEvent,
    outcome: Result<(), String>,
    removal: Removal,
) -> Result<Removal, LaneError> {
    if let Err(left) = &outcome {
        tracing::error!(left, "lanes are left that could not be removed");
    }
    let told = event.request.answer("robnu-lanes", outcome).await;
    told.map_err(|error| LaneError::NotAnswered { why: error.error_message })?;
    Ok(removal)
}

/// Removes what there is until nothing has been found for `quiet`. An error says what is left.
async fn remove_all(
    context: &Context,
    progress: &mut Progress,
    quiet: Duration,
    stop_at: Instant,
) -> Result<(), String> {
    let mut left = "lanes were not looked for yet".to_owned();
    while Instant::now() < stop_at {
        match remove_found(context, stop_at).await {
            Ok((lanes, _)) if lanes.is_empty() => {
                let since = *progress.clear_since.get_or_insert_with(SystemTime::now);
                if since.elapsed().is_ok_and(|clear| clear >= quiet) {
                    // Not before: a round that is still at work would open again what a row asks for.
                    forget_rows(context).await;
                    return Ok(());
                }
                "nothing, for too short a time".clone_into(&mut left);
            }
            Ok((lanes, first_error)) => {
                progress.clear_since = None;
                left = describe(&lanes, first_error);
            }
            Err(error) => {
                progress.clear_since = None;
                left = robnu_observe::chain(&error);
            }
        }
        sleep(PAUSE.min(stop_at.saturating_duration_since(Instant::now()))).await;
    }
    Err(left)
}

/// Removes lanes with each page of mappings that is read, so that every slice gets on however many there are. Returns the lanes that were
/// there, and why the first one failed.
async fn remove_found(
    context: &Context,
    stop_at: Instant,
) -> Result<(Vec<String>, Option<LaneError>), LaneError> {
    let queues = found::queues(context).await?;
    let mut unmapped = queues.clone();
    let (mut left, mut first_error) = (Vec::new(), None);
    let mut marker = None;
    loop {
        let (lanes, next) = found::with_mappings(context, &queues, marker).await?;
        unmapped.retain(|name, _| !lanes.contains_key(name));
        let (removed, error) = remove_some(context, lanes, stop_at).await;
        left.extend(removed);
        first_error = first_error.or(error);
        marker = next;
        if marker.is_none() {
            break;
        }
        if Instant::now() >= stop_at {
            return Err(LaneError::OutOfTime);
        }
    }
    let (removed, error) = remove_some(context, unmapped, stop_at).await;
    left.extend(removed);
    Ok((left, first_error.or(error)))
}

/// Removes lanes and returns those that were there; a queue of somebody else does not count. Says why the first one failed.
async fn remove_some(
    context: &Context,
    lanes: BTreeMap<String, Found>,
    stop_at: Instant,
) -> (Vec<String>, Option<LaneError>) {
    let mut answers = stream::iter(lanes)
        .map(|(name, lane)| async move {
            if Instant::now() >= stop_at {
                return (name, Err(LaneError::OutOfTime));
            }
            let removed = found::remove(context, &name, &lane).await;
            (name, removed)
        })
        .buffer_unordered(AT_ONCE);
    let (mut left, mut first_error) = (Vec::new(), None);
    while let Some((name, answer)) = answers.next().await {
        match answer {
            Ok(Owner::Another) => {
                tracing::warn!(queue = name, "the queue bears a lane's name and another owner's tag");
            }
            // The next look confirms that it is gone.
            Ok(Owner::Ours | Owner::Nobody) => left.push(name),
            Err(error) => {
                first_error.get_or_insert(error);
                left.push(name);
            }
        }
    }
    (left, first_error)
}

/// Has the rows ask for lanes anew. A database that is gone or does not respond keeps no queue alive: rows that still name theirs are
/// repaired by the rounds of another stack.
async fn forget_rows(context: &Context) {
    loop {
        match store::forget_lanes(&context.database, ROWS).await {
            Ok(0) => return,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(
                    error = robnu_observe::chain(&error),
                    "the rows of removed lanes could not be changed"
                );
                return;
            }
        }
    }
}

fn describe(left: &[String], first_error: Option<LaneError>) -> String {
    let why = first_error.map(|error| format!(" ({})", robnu_observe::chain(&error))).unwrap_or_default();
    let first = left.first().map(String::as_str).unwrap_or_default();
    format!(
        "{} queues or mappings of lanes are left, such as {first}{why}. Repeat: aws cloudformation delete-stack",
        left.len()
    )
}
