//! `PUT /v1/sellers/{sellerId}/accounts/{accountId}/credentials`: replaces an account's details, all of them at once.
//!
//! This reconnects an account whose credentials the marketplace refused, or which was disconnected. The marketplace is asked
//! before anything is stored: refused credentials leave the old ones as they are. Details, status, events and schedule are
//! stored in one transaction. The lane request to the lanes function follows it; the reconciliation repairs a lost one.

use std::collections::BTreeMap;

use axum::extract::State;
use robnu_marketplace::code::{MARKETPLACE_CODES, MarketplaceCode};
use robnu_marketplace::details::DetailsSpec;
use robnu_storage::WrappedKey;
use robnu_tenancy::{AccountId, Error, Params, SellerScope, ToSql};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::check::{self, END_CHECK, Outcome};
use super::connect::require_connectable;
use super::lane::ask_for_lane;
use super::sealed::{Column, seal};
use super::{ACCOUNT, Account};
use crate::context::{Context, SharedContext};
use crate::details_schema::any_details;
use crate::identity::{Member, PathId};
use crate::json::JsonBody;
use crate::problem::refusals::CREDENTIALS_OF_ANOTHER_ACCOUNT;
use crate::problem::{ApiError, FieldProblem, Missing};
use crate::route_permissions::AccountsManage;
use crate::versions::{IfMatch, Tagged};

const ROTATE_TERMS: &str = include_str!("../../sql/accounts/rotate_terms.sql");
const HOLD_ACCOUNT_VERSION: &str = include_str!("../../sql/accounts/hold_account_version.sql");
pub(super) const RECONNECT_ACCOUNT: &str = include_str!("../../sql/accounts/reconnect.sql");

/// An account's new details, all of them.
// It holds secrets, so it is never printed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReplaceCredentials {
    #[schema(schema_with = any_details)]
    details: BTreeMap<String, String>,
}

/// What the database returns before anything is written.
struct Terms {
    marketplace: MarketplaceCode,
    key: WrappedKey,
    /// The account's newest stored orders; the credentials must open the account that has them.
    newest_orders: Vec<String>,
    /// Why there was no check, or why it must wait.
    begun: Result<(), ApiError>,
}

/// Replaces an account's credentials with others that the marketplace accepts; it is active again if it needed them or was
/// disconnected
///
/// The marketplace is asked before anything is stored. Refused credentials leave the account as it is, and are counted over
/// all sellers: 429 says how long to wait.
#[utoipa::path(
    put, path = "/v1/sellers/{sellerId}/accounts/{accountId}/credentials", operation_id = "replace_credentials",
    tag = "accounts", responses((status = 200, description = "The account", body = Account))
)]
pub async fn rotate(
    State(context): State<SharedContext>,
    member: Member<AccountsManage>,
    PathId(account): PathId<AccountId>,
    if_match: IfMatch,
    JsonBody(body): JsonBody<ReplaceCredentials>,
) -> Result<Tagged<Account>, ApiError> {
    let (scope, check) = (&member.scope, Uuid::now_v7());
    let terms = terms(&context, scope, account, if_match, check, &body.details).await?;
    let adapter = context.registry.adapter(terms.marketplace);
    let spec = adapter.details();
    let credentials = spec
        .parse(&body.details)
        .map_err(|errors| ApiError::InvalidBody(errors.into_iter().map(FieldProblem::from).collect()))?;
    terms.begun?;
    let conversation = async {
        let connection =
            adapter.connect(*account.as_uuid(), credentials.clone(), check::conversation_ends().into())?;
        check::ask(connection.as_ref(), &terms.newest_orders, &CREDENTIALS_OF_ANOTHER_ACCOUNT).await
    };
    let outcome = check::hold(&context, scope, check, conversation).await?;
    let stored = async {
        let cipher = context.keys.cipher(scope.seller_id(), &terms.key).await?;
        let columns = seal(spec, &credentials, account, &cipher)?;
        replace(&context, scope, spec, account, if_match, &columns, (check, outcome)).await
    };
    let answer = check::unless_stored(&context, scope, check, stored.await, |_| true).await?;
    ask_for_lane(&context, scope, account).await;
    Ok(Tagged(answer))
}

/// Reads what replacing needs to know, and counts the check that comes next. Only the database knows which marketplace it
/// is, so it gets the user name's digest for each marketplace that these details would fit. Scope entry rejects anyone
/// without the right before any call to KMS or the marketplace.
async fn terms(
    context: &Context,
    scope: &SellerScope,
    account: AccountId,
    if_match: IfMatch,
    check: Uuid,
    details: &BTreeMap<String, String>,
) -> Result<Terms, ApiError> {
    let good_for = MARKETPLACE_CODES.iter().filter_map(|code| {
        let spec = context.registry.adapter(*code).details();
        let credentials = spec.parse(details).ok()?;
        Some((code.as_str(), check::login_digest(context, code.as_str(), spec, &credentials)))
    });
    let (codes, digests): (Vec<&str>, Vec<Option<Vec<u8>>>) = good_for.unzip();
    let params: Params<'_> = &[&account, &if_match.0, &check, &codes, &digests];
    let mut answers = context.database.session(scope).await?.commit_with(&[(ROTATE_TERMS, params)]).await?;
    let rows = answers.pop().unwrap_or_default();
    let row = rows.first().ok_or(ApiError::NotFound(Missing::Account))?;
    let get = Error::from;
    require_connectable(row)?;
    let code: &str = row.try_get("marketplace_code").map_err(get)?;
    let key = WrappedKey::from_row(row)?.ok_or(ApiError::NoDataKey)?;
    let is_outdated = if_match.0.is_some_and(|wanted| row.try_get::<_, i32>("version").ok() != Some(wanted));
    Ok(Terms {
        marketplace: code.parse().map_err(|_| Error::RowShape)?,
        key,
        newest_orders: row.try_get("newest_orders").map_err(get)?,
        // This comes after the problems of the details, as everywhere.
        begun: if is_outdated { Err(ApiError::VersionMismatch) } else { check::require_begun(row) },
    })
}

/// Writes details, status, events, schedule and the check's end in one transaction and one round trip.
async fn replace(
    context: &Context,
    scope: &SellerScope,
    spec: &DetailsSpec,
    account: AccountId,
    if_match: IfMatch,
    columns: &[Column],
    (check, outcome): (Uuid, Outcome),
) -> Result<Account, ApiError> {
    let mut details: Vec<&(dyn ToSql + Sync)> = vec![&account];
    details.extend(columns.iter().map(Column::as_param));
    let of_account: Params<'_> = &[&account];
    let expected: Params<'_> = &[&account, &if_match.0];
    let (outcome, ended) = (outcome.as_str(), END_CHECK);
    let end: Params<'_> = &[&check, &outcome];
    let change = [
        (spec.update, details.as_slice()),
        (RECONNECT_ACCOUNT, of_account),
        (ended, end),
        (ACCOUNT, of_account),
    ];
    let hold = if_match.0.map(|_| (HOLD_ACCOUNT_VERSION, expected));
    let statements: Vec<(&str, Params<'_>)> = hold.into_iter().chain(change).collect();
    let session = context.database.session(scope).await?;
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
