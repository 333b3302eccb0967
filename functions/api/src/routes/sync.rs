//! `POST /v1/sellers/{sellerId}/accounts/{accountId}/sync`: asks for a run.
//!
//! The run's row is written first and the lane rung after it. What is not rung, because the lane is not made yet or its
//! queue does not answer, a sweep rings.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use robnu_dispatch::{Job, Requested, RunKind, mark_sent, request_run};
use robnu_tenancy::{AccountId, Error, RunId, SellerScope};
use serde::{Deserialize, Serialize};

use crate::app::{App, SharedApp};
use crate::identity::{Member, PathId};
use crate::json::JsonBody;
use crate::problem::{ApiError, Missing};

const ACCOUNT_STATUS: &str = include_str!("../sql/account_status.sql");

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Body {
    kind: RunKind,
    #[serde(default)]
    full: bool,
}

/// The run that was made, or the live one that was met.
#[derive(Serialize)]
pub struct SyncAnswer {
    run_id: RunId,
    account_id: AccountId,
    kind: &'static str,
    state: String,
}

/// Answers 202 with a new run, or 200 with the live one of the same account and kind.
pub async fn request(
    State(app): State<SharedApp>,
    member: Member,
    PathId(account): PathId<AccountId>,
    JsonBody(body): JsonBody<Body>,
) -> Result<(StatusCode, Json<SyncAnswer>), ApiError> {
    let scope = &member.scope;
    let Some(requested) = request_run(&app.database, scope, account, body.kind, body.full).await? else {
        return Err(why_not(&app, scope, account).await?);
    };
    let Requested { job, state, is_new, is_unrung, queue_url } = requested;
    let status = if is_new { StatusCode::ACCEPTED } else { StatusCode::OK };
    let answer = SyncAnswer { run_id: job.run_id, account_id: account, kind: job.kind.as_str(), state };
    // Ringing twice for the same step is harmless: the queue takes it once.
    if let (true, Some(queue_url)) = (is_unrung, queue_url) {
        ring(&app, scope, &queue_url, job).await;
    }
    Ok((status, Json(answer)))
}

/// Why the account takes no run.
async fn why_not(app: &App, scope: &SellerScope, account: AccountId) -> Result<ApiError, ApiError> {
    let rows = app.database.read(scope, ACCOUNT_STATUS, &[&account]).await?;
    let Some(row) = rows.first() else { return Ok(ApiError::NotFound(Missing::Account)) };
    if !row.try_get::<_, bool>("may_sync").map_err(Error::from)? {
        return Ok(ApiError::Forbidden);
    }
    match row.try_get::<_, &str>("status").map_err(Error::from)? {
        // It has become active since, or its live runs end as fast as we look: worth another try.
        "ACTIVE" => Ok(ApiError::Database(Error::Busy)),
        _ => Ok(ApiError::AccountNotActive),
    }
}

/// Rings the lane and notes that it was rung.
async fn ring(app: &App, scope: &SellerScope, queue_url: &str, job: Job) {
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
    if let Err(error) = app.bell.ring(queue_url, job.clone()).await {
        return warn(&error, "the run was not rung; the sweep will ring it");
    }
    if let Err(error) = mark_sent(&app.database, scope, &[job]).await {
        warn(&error, "the ring was not noted; the sweep may ring again");
    }
}
