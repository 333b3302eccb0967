//! `POST …/accounts/{accountId}/sync` and `POST …/accounts/{accountId}/test`: ask for a run.
//!
//! The run's row is written first and then published to the lane. If publishing fails, because the lane is not made yet or
//! its queue does not respond, a sweep publishes the run.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use robnu_dispatch::{Job, RequestRun, Requested, mark_sent};
use robnu_marketplace::contract::PlacedWindow;
use robnu_marketplace::kind::RunKind;
use robnu_tenancy::{AccountId, Error, Params, Row, RunId, SellerScope, ToSql};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::context::{Context, SharedContext};
use crate::idempotency::{Idempotency, KeyedJson, KeyedPost, Reply};
use crate::identity::{Member, PathId};
use crate::json::present;
use crate::kinds::{KindName, RequestableKind, not_offered};
use crate::known_text::RunState;
use crate::problem::refusals::NO_LANE;
use crate::problem::{ApiError, FieldProblem, Missing};
use crate::route_permissions::{AccountsManage, SyncRun};

const WHY_NOT: &str = include_str!("../sql/runs/account.sql");

/// No marketplace shows orders older than this.
const LONGEST_BACK: TimeDelta = TimeDelta::days(2 * 366);

/// The requested run.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RequestSync {
    kind: RequestableKind,
    /// Whether to read everything, not only changes. A full run also sets `complete_until` anew, the time up to which
    /// everything is known to be read.
    #[serde(default)]
    full: bool,
    /// Reads orders placed from this instant on instead of changes; at most two years back.
    #[serde(default, deserialize_with = "present")]
    #[schema(required = false, value_type = DateTime<Utc>)]
    from: Option<DateTime<Utc>>,
    /// The end of the span that begins at `from`; the present when it is left out.
    #[serde(default, deserialize_with = "present")]
    #[schema(required = false, value_type = DateTime<Utc>)]
    until: Option<DateTime<Utc>>,
}

/// The new run, or the live run of the same account and kind.
#[derive(Serialize, ToSchema)]
pub struct SyncAnswer {
    #[schema(value_type = Uuid)]
    run_id: RunId,
    #[schema(value_type = Uuid)]
    account_id: AccountId,
    kind: KindName,
    state: RunState,
    /// When a waiting run continues.
    next_attempt_at: Option<DateTime<Utc>>,
    /// The reason for which it waits.
    waits_for: Option<String>,
}

/// Asks for a run of an account
///
/// With `from`, the run reads the orders placed at that instant or later, as far as the marketplace still shows them, and
/// leaves `complete_until` of the account as it is. While a run of the same account and kind is live, that run is returned
/// instead of a new one.
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/accounts/{accountId}/sync", operation_id = "request_sync", tag = "runs",
    responses(
        (status = 202, description = "A new run", body = SyncAnswer),
        (status = 200, description = "The live run of the same account and kind", body = SyncAnswer)
    )
)]
pub async fn request(
    State(context): State<SharedContext>,
    member: Member<SyncRun>,
    PathId(account): PathId<AccountId>,
    KeyedJson(body, idempotency): KeyedJson<RequestSync>,
) -> Result<Reply<SyncAnswer>, ApiError> {
    let kind = body.kind.0;
    let invalid = |problem| ApiError::InvalidBody(vec![problem]);
    let window = window(body.from, body.until, Utc::now()).map_err(invalid)?;
    if window.is_some() && !kind.has_windows() {
        return Err(invalid(FieldProblem::new("from", "is not supported by this kind of run")));
    }
    let wanted = Wanted { kind, full: body.full, window };
    ask(&context, &member.scope, account, wanted, &[], &idempotency, |run, _| Ok(run)).await
}

/// Asks the marketplace whether it accepts the account's credentials
///
/// The run shows the marketplace's response. Like every check of credentials, a refused one counts, and after too many
/// refused checks the run ends without asking. An account cannot be tested when the marketplace never accepted its
/// credentials or has refused them for a week: 409 `account_not_verified`; replace the credentials. An account that needs to
/// be reconnected is active again when the marketplace accepts them.
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/accounts/{accountId}/test", operation_id = "test_account", tag = "accounts",
    responses(
        (status = 202, description = "A new run", body = SyncAnswer),
        (status = 200, description = "The check that is already under way", body = SyncAnswer)
    )
)]
pub async fn test(
    State(context): State<SharedContext>,
    member: Member<AccountsManage>,
    PathId(account): PathId<AccountId>,
    KeyedPost(idempotency): KeyedPost,
) -> Result<Reply<SyncAnswer>, ApiError> {
    let wanted = Wanted { kind: RunKind::CredentialCheck, full: false, window: None };
    ask(&context, &member.scope, account, wanted, &[], &idempotency, |run, _| Ok(run)).await
}

/// The work of a run.
pub(super) struct Wanted {
    /// The kind of run.
    pub kind: RunKind,
    /// Whether to read everything.
    pub full: bool,
    /// Only orders placed in this window.
    pub window: Option<PlacedWindow>,
}

/// The window of time in the request, if there is one.
fn window(
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
) -> Result<Option<PlacedWindow>, FieldProblem> {
    let Some(from) = from else {
        return match until {
            Some(_) => Err(FieldProblem::new("from", "is required with until")),
            None => Ok(None),
        };
    };
    let until = until.unwrap_or(now);
    if until > now {
        return Err(FieldProblem::new("until", "must not be in the future"));
    }
    if from >= until {
        return Err(FieldProblem::new("from", "must be before until"));
    }
    if from < now - LONGEST_BACK {
        return Err(FieldProblem::new("from", "must not be more than two years ago"));
    }
    Ok(Some(PlacedWindow { from, until }))
}

/// Makes the run or finds the live one, executes further statements in the same transaction, and publishes the run. `answer`
/// makes the response from the run and the rows of the further statements.
pub(super) async fn ask<T: Serialize>(
    context: &Context,
    scope: &SellerScope,
    account: AccountId,
    wanted: Wanted,
    further: &[(&'static str, Params<'_>)],
    idempotency: &Idempotency,
    answer: impl FnOnce(SyncAnswer, &[Vec<Row>]) -> Result<T, ApiError>,
) -> Result<Reply<T>, ApiError> {
    let kind = wanted.kind.as_str();
    let run = RequestRun::new(account, wanted.kind, wanted.full, wanted.window);
    let (run, why_not_params) = (run.params(), [&account as &(dyn ToSql + Sync), &kind]);
    let mut statements: Vec<(&'static str, Params<'_>)> =
        vec![(RequestRun::SQL, &run), (WHY_NOT, &why_not_params)];
    statements.extend_from_slice(further);
    let (mut to_publish, mut asked_for) = (None, None);
    let read = |answers: &[Vec<Row>]| {
        let Some(row) = answers[0].first() else { return Err(why_not(answers[1].first())?) };
        let requested = Requested::from_row(row, scope.seller_id(), account, wanted.kind)?;
        let (next_attempt_at, waits_for) = requested.waits.unzip();
        let status = if requested.is_new { StatusCode::ACCEPTED } else { StatusCode::OK };
        let job = requested.job;
        asked_for = Some(job.run_id);
        let made = SyncAnswer {
            run_id: job.run_id,
            account_id: account,
            kind: KindName(job.kind),
            state: RunState::parse(&requested.state).ok_or(Error::RowShape)?,
            next_attempt_at,
            waits_for,
        };
        // Without its lane, a run waits for the next one, unless it needs none.
        let is_due = requested.queue_url.is_some() || !job.kind.needs_credentials();
        to_publish = (is_due && requested.is_unpublished).then_some((requested.queue_url, job));
        Ok((status, answer(made, &answers[2..])?))
    };
    let reply = idempotency.run(&context.database, scope, &statements, read).await?;
    if let Some(run) = asked_for {
        // The request's id stands in the line's span: so a search by the run finds the request as well.
        tracing::info!(run.id = %run, seller.id = %scope.seller_id(), account.id = %account, "a run was asked for");
    }
    // Publishing the same step twice is harmless: the queue accepts it once.
    if let Some((queue_url, job)) = to_publish {
        publish(context, scope, queue_url.as_deref(), job).await;
    }
    Ok(reply)
}

/// Why the account got no run.
fn why_not(account: Option<&Row>) -> Result<ApiError, ApiError> {
    let Some(account) = account else { return Ok(ApiError::NotFound(Missing::Account)) };
    if let Some(refusal) = not_offered(account)? {
        return Ok(refusal);
    }
    if !account.try_get::<_, bool>("takes_runs").map_err(Error::from)? {
        return Ok(ApiError::AccountNotActive);
    }
    let has_lane: bool = account.try_get("has_lane").map_err(Error::from)?;
    // The account has just begun to accept runs, or its live run has just ended: worth another try.
    Ok(if has_lane { ApiError::Database(Error::Busy) } else { ApiError::Refused(&NO_LANE) })
}

/// Publishes the run and notes that it was published.
async fn publish(context: &Context, scope: &SellerScope, queue_url: Option<&str>, job: Job) {
    let (run, account) = (job.run_id, job.account_id);
    let warn = |error: &dyn std::error::Error, message: &str| {
        tracing::warn!(
            seller.id = %scope.seller_id(),
            account.id = %account,
            run.id = %run,
            error = robnu_observe::chain(error),
            "{message}"
        );
    };
    if let Err(error) = context.publisher.publish(queue_url, job.clone()).await {
        return warn(&error, "the run was not published; the sweep will publish it");
    }
    if let Err(error) = mark_sent(&context.database, scope, &[job]).await {
        warn(&error, "the publication was not noted; the sweep may publish again");
    }
}
