//! `PUT /v1/sellers/{sellerId}/accounts/{accountId}/credentials`: replaces an account's details, all of them at once.
//!
//! The way back for an account whose credentials the marketplace refused, or which was disconnected. Details, status, event and schedule are one
//! transaction; the doorbell to the lanes function follows it, and a lost one is found by the reconciliation.

use std::collections::BTreeMap;

use axum::extract::State;
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::details::DetailsSpec;
use robnu_storage::WrappedKey;
use robnu_tenancy::{AccountId, Error, Params, SellerScope, ToSql};
use serde::Deserialize;
use utoipa::ToSchema;

use super::connect::require_connectable;
use super::lane::ask_for_lane;
use super::sealed::{Column, seal};
use super::{ACCOUNT, Account};
use crate::app::{App, SharedApp};
use crate::details_schema::any_details;
use crate::identity::{Member, PathId};
use crate::json::JsonBody;
use crate::problem::{ApiError, FieldProblem, Missing};
use crate::rights::AccountsManage;
use crate::versions::{IfMatch, Tagged};

const ROTATE_TERMS: &str = include_str!("../../sql/rotate_terms.sql");
const HOLD_ACCOUNT_VERSION: &str = include_str!("../../sql/hold_account_version.sql");
pub(super) const RECONNECT_ACCOUNT: &str = include_str!("../../sql/reconnect_account.sql");

/// An account's new details, all of them.
// Holds secrets, so it is never printed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplaceCredentials {
    #[schema(schema_with = any_details)]
    details: BTreeMap<String, String>,
}

/// What the database says before anything is written.
struct Terms {
    marketplace: MarketplaceCode,
    key: WrappedKey,
}

/// Replaces an account's credentials; it is active again if it needed them or was disconnected
#[utoipa::path(
    put, path = "/v1/sellers/{sellerId}/accounts/{accountId}/credentials", operation_id = "replace_credentials",
    tag = "accounts", responses((status = 200, description = "The account", body = Account))
)]
pub async fn rotate(
    State(app): State<SharedApp>,
    member: Member<AccountsManage>,
    PathId(account): PathId<AccountId>,
    if_match: IfMatch,
    JsonBody(body): JsonBody<ReplaceCredentials>,
) -> Result<Tagged<Account>, ApiError> {
    let scope = &member.scope;
    let terms = terms(&app, scope, account).await?;
    let spec = app.registry.adapter(terms.marketplace).details();
    let credentials = spec
        .parse(&body.details)
        .map_err(|errors| ApiError::InvalidBody(errors.into_iter().map(FieldProblem::from).collect()))?;
    let cipher = app.keys.cipher(scope.seller_id(), &terms.key).await?;
    let columns = seal(spec, &credentials, account, &cipher)?;
    let answer = replace(&app, scope, spec, account, if_match, &columns).await?;
    ask_for_lane(&app, scope, account).await;
    Ok(Tagged(answer))
}

/// Reads what replacing needs to know; the door refuses who may not before KMS is asked for anything.
async fn terms(app: &App, scope: &SellerScope, account: AccountId) -> Result<Terms, ApiError> {
    let rows = app.database.read(scope, ROTATE_TERMS, &[&account]).await?;
    let row = rows.first().ok_or(ApiError::NotFound(Missing::Account))?;
    let get = Error::from;
    require_connectable(row)?;
    let code: &str = row.try_get("marketplace_code").map_err(get)?;
    let id = row.try_get::<_, Option<_>>("key_id").map_err(get)?.ok_or(ApiError::NoDataKey)?;
    Ok(Terms {
        marketplace: code.parse().map_err(|_| Error::RowShape)?,
        key: WrappedKey { id, ciphertext: row.try_get("wrapped_key").map_err(get)? },
    })
}

/// Writes details, status, event and schedule in one transaction and one flight.
async fn replace(
    app: &App,
    scope: &SellerScope,
    spec: &DetailsSpec,
    account: AccountId,
    if_match: IfMatch,
    columns: &[Column],
) -> Result<Account, ApiError> {
    let mut details: Vec<&(dyn ToSql + Sync)> = vec![&account];
    details.extend(columns.iter().map(Column::as_param));
    let of_account: Params<'_> = &[&account];
    let expected: Params<'_> = &[&account, &if_match.0];
    let change = [(spec.update, details.as_slice()), (RECONNECT_ACCOUNT, of_account), (ACCOUNT, of_account)];
    let hold = if_match.0.map(|_| (HOLD_ACCOUNT_VERSION, expected));
    let statements: Vec<(&str, Params<'_>)> = hold.into_iter().chain(change).collect();
    let session = app.database.session(scope).await?;
    let answers = session.commit_with(&statements).await.map_err(outdated_or)?;
    let account = answers.last().and_then(|rows| rows.first()).ok_or(Error::RowCount { found: 0 })?;
    Ok(Account::try_from(account)?)
}

fn outdated_or(error: Error) -> ApiError {
    match error {
        Error::Violates { constraint } if constraint == "marketplace_accounts_version" => {
            ApiError::VersionMismatch
        }
        other => other.into(),
    }
}
