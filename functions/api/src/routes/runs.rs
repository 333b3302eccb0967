//! `/v1/sellers/{sellerId}/runs`: runs, with their times and outcomes.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::{AccountId, Error, Params, Row, RunId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::paging::{Direction, Start, next_cursor};
use crate::context::SharedContext;
use crate::cursor::{List, Position};
use crate::idempotency::{KeyedPost, Reply};
use crate::identity::{Member, PathId};
use crate::kinds::KindName;
use crate::known_text::{RunOutcome, RunState, RunTrigger};
use crate::lists::Lists;
use crate::problem::refusals::RUN_NOT_CANCELLABLE;
use crate::problem::{ApiError, Missing};
use crate::query::{Page, QueryParams};
use crate::route_permissions::{Read, SyncRun};
use crate::variants;

const RUN: &str = variants::RUN.text;
const CANCEL_RUN: &str = include_str!("../sql/runs/cancel.sql");
const RUNS: &str = include_str!("../sql/runs/list.sql");
const ACCOUNT_RUNS: &str = variants::RUNS_OF_ACCOUNT.text;

/// A run.
#[derive(Serialize, ToSchema)]
pub struct Run {
    #[schema(value_type = Uuid)]
    run_id: RunId,
    #[schema(value_type = Uuid)]
    account_id: AccountId,
    kind: KindName,
    trigger: RunTrigger,
    /// The start of the span whose orders the run reads; null when it reads changes.
    window_from: Option<DateTime<Utc>>,
    /// The end of that span.
    window_until: Option<DateTime<Utc>>,
    state: RunState,
    step: i32,
    attempt: i32,
    /// The outcome of a run that succeeded.
    outcome: Option<RunOutcome>,
    /// Pages stored so far.
    pages: i32,
    /// Records that could not be read and were set aside.
    quarantined: i32,
    /// What the run has done so far to each stream of rows that it writes.
    counts: Vec<StreamCounts>,
    error: Option<RunError>,
    /// When a waiting run continues; `error` says why it waits.
    next_attempt_at: Option<DateTime<Utc>>,
    queued_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
}

/// The counts of a run for a stream of rows, such as `ORDERS` and `ORDER_LINES`.
#[derive(Serialize, Deserialize, ToSchema)]
pub(super) struct StreamCounts {
    stream: String,
    /// Rows not seen before.
    added: i32,
    /// Rows that differed from what was stored.
    changed: i32,
    /// Rows equal to what was stored.
    unchanged: i32,
    /// Rows that the marketplace no longer has.
    removed: i32,
}

/// Why a run failed or waits.
#[derive(Serialize, Deserialize, ToSchema)]
pub(super) struct RunError {
    code: String,
    message: Option<String>,
}

/// A page of runs.
#[derive(Serialize, ToSchema)]
pub struct Runs {
    runs: Vec<Run>,
    next_cursor: Option<String>,
}

/// The seller's runs, newest first
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/runs", operation_id = "list_runs", tag = "runs",
    params(("account_id" = Option<Uuid>, Query, description = "Runs of this account only."), Page),
    responses((status = 200, body = Runs))
)]
pub async fn list(
    lists: Lists,
    member: Member<Read>,
    mut query: QueryParams,
) -> Result<Json<Runs>, ApiError> {
    let account: Option<AccountId> = query.id("account_id");
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::new("runs", member.scope.seller_id(), &account);
    let before = Start::new(&list, cursor.as_deref(), Direction::Down)?.id();
    // One row more than the limit shows whether there is a next page.
    let fetch = limit + 1;
    let rows = match &account {
        Some(account) => lists.read(&member.scope, ACCOUNT_RUNS, &[&before, &fetch, account]).await?,
        None => lists.read(&member.scope, RUNS, &[&before, &fetch]).await?,
    };
    let mut runs = rows.iter().map(Run::try_from).collect::<Result<Vec<_>, _>>()?;
    let position = |last: &Run| Position { micros: 0, id: *last.run_id.as_uuid() };
    let next_cursor = next_cursor(&list, &mut runs, limit, position);
    Ok(Json(Runs { runs, next_cursor }))
}

/// A run
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/runs/{runId}", operation_id = "get_run", tag = "runs",
    responses((status = 200, body = Run))
)]
pub async fn show(
    State(context): State<SharedContext>,
    member: Member<Read>,
    PathId(run): PathId<RunId>,
) -> Result<Json<Run>, ApiError> {
    let rows = context.database.read(&member.scope, RUN, &[&run]).await?;
    let row = rows.first().ok_or(ApiError::NotFound(Missing::Run))?;
    Ok(Json(Run::try_from(row)?))
}

/// Cancels a run that is queued or waits
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/runs/{runId}/cancel", operation_id = "cancel_run", tag = "runs",
    responses((status = 200, body = Run))
)]
pub async fn cancel(
    State(context): State<SharedContext>,
    member: Member<SyncRun>,
    PathId(run): PathId<RunId>,
    KeyedPost(idempotency): KeyedPost,
) -> Result<Reply<Run>, ApiError> {
    let effect: [(&str, Params<'_>); 2] = [(CANCEL_RUN, &[&run]), (RUN, &[&run])];
    let read = |answers: &[Vec<Row>]| {
        let run = Run::try_from(answers[1].first().ok_or(ApiError::NotFound(Missing::Run))?)?;
        match run.state {
            RunState::CANCELLED => Ok((StatusCode::OK, run)),
            _ => Err(ApiError::Refused(&RUN_NOT_CANCELLABLE)),
        }
    };
    idempotency.run(&context.database, &member.scope, &effect, read).await
}

impl TryFrom<&Row> for Run {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        let state = RunState::read(row, "state")?;
        let kind = KindName::read(row, "kind")?;
        let quarantined = row.try_get("quarantined")?;
        let counts = StreamCounts::list(row)?;
        Ok(Self {
            run_id: row.try_get("id")?,
            account_id: row.try_get("account_id")?,
            kind,
            trigger: RunTrigger::read(row, "trigger")?,
            window_from: row.try_get("window_from")?,
            window_until: row.try_get("window_until")?,
            step: row.try_get("step")?,
            attempt: row.try_get("attempt")?,
            outcome: (state == RunState::SUCCEEDED).then(|| outcome(kind, quarantined, &counts)),
            state,
            pages: row.try_get("pages")?,
            quarantined,
            counts,
            error: RunError::read(row)?,
            next_attempt_at: row.try_get("next_attempt_at")?,
            queued_at: row.try_get("queued_at")?,
            started_at: row.try_get("started_at")?,
            finished_at: row.try_get("finished_at")?,
        })
    }
}

impl RunError {
    /// Reads the columns `error_code` and `error_message`.
    pub(super) fn read(row: &Row) -> Result<Option<Self>, Error> {
        let code: Option<String> = row.try_get("error_code")?;
        let message = row.try_get("error_message")?;
        Ok(code.map(|code| Self { code, message }))
    }
}

impl StreamCounts {
    /// Reads the arrays of the columns `streams`, `added`, `changed`, `unchanged` and `removed`.
    pub(super) fn list(row: &Row) -> Result<Vec<Self>, Error> {
        let streams: Vec<String> = row.try_get::<_, Option<_>>("streams")?.unwrap_or_default();
        let numbers =
            |column| Ok::<Vec<i32>, Error>(row.try_get::<_, Option<_>>(column)?.unwrap_or_default());
        let (added, changed) = (numbers("added")?, numbers("changed")?);
        let (unchanged, removed) = (numbers("unchanged")?, numbers("removed")?);
        Ok(streams
            .into_iter()
            .enumerate()
            .map(|(at, stream)| Self {
                stream,
                added: added[at],
                changed: changed[at],
                unchanged: unchanged[at],
                removed: removed[at],
            })
            .collect())
    }
}

/// The outcome is new when the run's own stream, which has the name of its kind, has new rows. Further lines of a known
/// order are a change. A file may be of any stream.
fn outcome(kind: KindName, quarantined: i32, counts: &[StreamCounts]) -> RunOutcome {
    let is_own = |stream: &str| match kind.0 {
        RunKind::FileImport => RunKind::from_stored(stream).is_some(),
        kind => stream == kind.as_str(),
    };
    let is_new = counts.iter().any(|of| is_own(&of.stream) && of.added > 0);
    let is_changed = counts.iter().any(|of| of.added + of.changed + of.removed > 0);
    match (is_new, is_changed, quarantined > 0) {
        (true, ..) => RunOutcome::new,
        (_, true, _) => RunOutcome::changed,
        (.., true) => RunOutcome::quarantined,
        _ => RunOutcome::unchanged,
    }
}
