//! Pausing, resuming and disconnecting an account, and renaming it.
//!
//! The row holds the wanted status and the lanes function follows it. A lane request makes that quick; the reconciliation
//! repairs a lost one. Disconnecting deletes the secrets; new credentials connect the account again, with all its data.

use axum::extract::State;
use axum::http::StatusCode;
use robnu_tenancy::{AccountId, Params, Row};
use serde::Deserialize;
use utoipa::ToSchema;

use super::lane::ask_if_it_differs;
use super::{ACCOUNT, Account, MAX_DISPLAY_NAME};
use crate::context::{Context, SharedContext};
use crate::fields::{label, label_schema};
use crate::idempotency::{Idempotency, KeyedPost, Reply};
use crate::identity::{Member, PathId};
use crate::json::JsonBody;
use crate::known_text::AccountStatus;
use crate::problem::{ApiError, Missing};
use crate::route_permissions::AccountsManage;
use crate::versions::{IfMatch, Tagged};

const SET_STATUS: &str = include_str!("../../sql/accounts/set_account_status.sql");
const FORGET: &str = include_str!("../../sql/accounts/forget_credentials.sql");
const RENAME: &str = include_str!("../../sql/accounts/rename.sql");

/// A change of an account.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateAccount {
    #[schema(schema_with = label_schema::<MAX_DISPLAY_NAME>)]
    display_name: String,
}

/// Renames an account
#[utoipa::path(
    patch, path = "/v1/sellers/{sellerId}/accounts/{accountId}", operation_id = "update_account", tag = "accounts",
    responses((status = 200, body = Account))
)]
pub async fn update(
    State(context): State<SharedContext>,
    member: Member<AccountsManage>,
    PathId(account): PathId<AccountId>,
    if_match: IfMatch,
    JsonBody(body): JsonBody<UpdateAccount>,
) -> Result<Tagged<Account>, ApiError> {
    let name = label("display_name", &body.display_name, MAX_DISPLAY_NAME)
        .map_err(|problem| ApiError::InvalidBody(vec![problem]))?;
    let session = context.database.session(&member.scope).await?;
    let statements: [(&str, Params<'_>); 2] =
        [(RENAME, &[&account, &name, &if_match.0]), (ACCOUNT, &[&account])];
    let answers = session.commit_with(&statements).await?;
    let row = answers[1].first().ok_or(ApiError::NotFound(Missing::Account))?;
    // The account exists, so the version differed.
    if answers[0].is_empty() {
        return Err(ApiError::VersionMismatch);
    }
    Ok(Tagged(Account::try_from(row)?))
}

/// Pauses an account: nothing is read until it is resumed
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/accounts/{accountId}/pause", operation_id = "pause_account", tag = "accounts",
    responses((status = 200, body = Account))
)]
pub async fn pause(
    State(context): State<SharedContext>,
    member: Member<AccountsManage>,
    PathId(account): PathId<AccountId>,
    KeyedPost(idempotency): KeyedPost,
) -> Result<Reply<Account>, ApiError> {
    let from = [AccountStatus::ACTIVE, AccountStatus::NEEDS_RECONNECT];
    set_status(&context, &member, account, &idempotency, &from, &[AccountStatus::PAUSED]).await
}

/// Resumes a paused account; its schedules are due at once
///
/// If the marketplace refused the account's credentials before it was paused and they were not replaced since, the account
/// still needs new ones.
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/accounts/{accountId}/resume", operation_id = "resume_account", tag = "accounts",
    responses((status = 200, body = Account))
)]
pub async fn resume(
    State(context): State<SharedContext>,
    member: Member<AccountsManage>,
    PathId(account): PathId<AccountId>,
    KeyedPost(idempotency): KeyedPost,
) -> Result<Reply<Account>, ApiError> {
    let to = [AccountStatus::ACTIVE, AccountStatus::NEEDS_RECONNECT];
    set_status(&context, &member, account, &idempotency, &[AccountStatus::PAUSED], &to).await
}

/// Disconnects an account and deletes its secrets; its data stays, and new credentials connect it again
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/accounts/{accountId}/disconnect", operation_id = "disconnect_account",
    tag = "accounts", responses((status = 200, body = Account))
)]
pub async fn disconnect(
    State(context): State<SharedContext>,
    member: Member<AccountsManage>,
    PathId(account): PathId<AccountId>,
    KeyedPost(idempotency): KeyedPost,
) -> Result<Reply<Account>, ApiError> {
    let from = [AccountStatus::ACTIVE, AccountStatus::NEEDS_RECONNECT, AccountStatus::PAUSED];
    set_status(&context, &member, account, &idempotency, &from, &[AccountStatus::DISCONNECTED]).await
}

/// Moves the account from one of several statuses to the first of `to`, or to the status that this means for the account. An
/// account that already has the status keeps it.
async fn set_status(
    context: &Context,
    member: &Member<AccountsManage>,
    account: AccountId,
    idempotency: &Idempotency,
    from: &[AccountStatus],
    to: &[AccountStatus],
) -> Result<Reply<Account>, ApiError> {
    let from: Vec<&str> = from.iter().map(|status| status.as_str()).collect();
    let status = to.first().map(|status| status.as_str());
    let effect: [(&str, Params<'_>); 3] = [
        (SET_STATUS, &[&account, &status, &from]),
        // Does nothing to an account that is not disconnected.
        (FORGET, &[&account]),
        (ACCOUNT, &[&account]),
    ];
    let read = |answers: &[Vec<Row>]| {
        let row = answers[2].first().ok_or(ApiError::NotFound(Missing::Account))?;
        if !to.contains(&AccountStatus::read(row, "status")?) {
            return Err(ApiError::AccountNotActive);
        }
        Ok((StatusCode::OK, Account::try_from(row)?))
    };
    let reply = idempotency.run(&context.database, &member.scope, &effect, read).await?;
    if let Some(account) = reply.done() {
        ask_if_it_differs(context, &member.scope, account).await;
    }
    Ok(reply)
}
