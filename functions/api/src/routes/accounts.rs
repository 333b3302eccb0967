//! `/v1/sellers/{sellerId}/accounts`: the seller's marketplace accounts.

pub(super) mod authorize;
mod check;
pub(super) mod complete;
pub(super) mod connect;
pub(super) mod events;
mod lane;
pub(super) mod rotate;
mod sealed;
pub(super) mod status;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use robnu_tenancy::{AccountId, Error, Row};
use serde::Serialize;
use utoipa::ToSchema;

use super::paging::{Direction, Start, next_cursor};
use crate::context::SharedContext;
use crate::cursor::{List, Position};
use crate::identity::{Member, PathId};
use crate::kinds::KindName;
use crate::known_text::{AccountIdSource, AccountStatus, LaneState, Validation};
use crate::lists::Lists;
use crate::problem::{ApiError, Missing};
use crate::query::{Page, QueryParams};
use crate::route_permissions::Read;
use crate::variants;
use crate::versions::{Tagged, Versioned};

const ACCOUNTS: &str = include_str!("../sql/accounts/list.sql");
/// Returns a row if the seller has account `$1`: for lists below an account.
pub(super) const ACCOUNT_EXISTS: &str = include_str!("../sql/accounts/exists.sql");
/// One account, as [`Account`] reads it: `$1` account.
pub(super) const ACCOUNT: &str = variants::ACCOUNT.text;

const MAX_DISPLAY_NAME: usize = 200;

/// An account, without anything secret.
#[derive(Serialize, ToSchema)]
pub struct Account {
    #[schema(value_type = Uuid)]
    account_id: AccountId,
    marketplace: String,
    external_account_id: String,
    /// Who confirmed this id: the marketplace itself, the browser that came back from the consent page, or the seller.
    external_account_id_source: AccountIdSource,
    display_name: String,
    status: AccountStatus,
    /// Whether the marketplace refused the account's present credentials, even while the account is paused.
    needs_reconnect: bool,
    lane_state: LaneState,
    /// When the marketplace first accepted credentials of the account; nothing is read before that.
    verified_at: Option<DateTime<Utc>>,
    /// The marketplace's last response to the credentials.
    last_validation: Option<Validation>,
    last_validated_at: Option<DateTime<Utc>>,
    /// Whether any kind was not read for three times its schedule's interval.
    is_stale: bool,
    /// The number of its records that could not be read and are set aside, counted up to 100.
    quarantined: i32,
    /// How current each kind is that its marketplace supports.
    kinds: Vec<Freshness>,
    version: i32,
    created_at: DateTime<Utc>,
}

/// How current the data of an account is.
#[derive(Serialize, ToSchema)]
struct Freshness {
    kind: KindName,
    /// The time up to which everything is known to be read, if the marketplace guarantees it.
    complete_until: Option<DateTime<Utc>>,
    /// When the kind was last read to the end.
    synced_at: Option<DateTime<Utc>>,
    /// Whether the kind was not read for three times its schedule's interval.
    is_stale: bool,
    /// The permission that the account or its application lacks at the marketplace, until a run reads the kind to the end
    /// again.
    missing_permission: Option<String>,
}

/// A page of accounts.
#[derive(Serialize, ToSchema)]
pub struct Accounts {
    accounts: Vec<Account>,
    next_cursor: Option<String>,
}

/// The seller's accounts, oldest first
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/accounts", operation_id = "list_accounts", tag = "accounts",
    params(Page), responses((status = 200, body = Accounts))
)]
pub async fn list(
    lists: Lists,
    member: Member<Read>,
    mut query: QueryParams,
) -> Result<Json<Accounts>, ApiError> {
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::new("accounts", member.scope.seller_id(), &());
    let after = Start::new(&list, cursor.as_deref(), Direction::Up)?.id();
    let rows = lists.read(&member.scope, ACCOUNTS, &[&after, &(limit + 1)]).await?;
    let mut accounts = rows.iter().map(Account::try_from).collect::<Result<Vec<_>, _>>()?;
    let position = |last: &Account| Position { micros: 0, id: *last.account_id.as_uuid() };
    let next_cursor = next_cursor(&list, &mut accounts, limit, position);
    Ok(Json(Accounts { accounts, next_cursor }))
}

/// An account
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/accounts/{accountId}", operation_id = "get_account", tag = "accounts",
    responses((status = 200, body = Account))
)]
pub async fn show(
    State(context): State<SharedContext>,
    member: Member<Read>,
    PathId(account): PathId<AccountId>,
) -> Result<Tagged<Account>, ApiError> {
    let rows = context.database.read(&member.scope, ACCOUNT, &[&account]).await?;
    let row = rows.first().ok_or(ApiError::NotFound(Missing::Account))?;
    Ok(Tagged(Account::try_from(row)?))
}

impl Versioned for Account {
    fn version(&self) -> i32 {
        self.version
    }
}

impl TryFrom<&Row> for Account {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        let kinds = Freshness::list(row)?;
        Ok(Self {
            account_id: row.try_get("id")?,
            marketplace: row.try_get("marketplace_code")?,
            external_account_id: row.try_get("external_account_id")?,
            external_account_id_source: AccountIdSource::read(row, "external_account_id_source")?,
            display_name: row.try_get("display_name")?,
            status: AccountStatus::read(row, "status")?,
            needs_reconnect: row.try_get("needs_reconnect")?,
            lane_state: LaneState::read(row, "lane_state")?,
            verified_at: row.try_get("verified_at")?,
            last_validation: Validation::read_optional(row, "last_validation")?,
            last_validated_at: row.try_get("last_validated_at")?,
            quarantined: row.try_get("quarantined")?,
            is_stale: kinds.iter().any(|kind| kind.is_stale),
            kinds,
            version: row.try_get("version")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

impl Freshness {
    /// Reads the arrays of the columns `kinds`, `complete_until`, `synced_at`, `is_stale` and `missing_permission`.
    fn list(row: &Row) -> Result<Vec<Self>, Error> {
        let kinds: Vec<&str> = row.try_get::<_, Option<_>>("kinds")?.unwrap_or_default();
        let times = |column| {
            Ok::<Vec<Option<DateTime<Utc>>>, Error>(row.try_get::<_, Option<_>>(column)?.unwrap_or_default())
        };
        let (complete_until, synced_at) = (times("complete_until")?, times("synced_at")?);
        let is_stale: Vec<bool> = row.try_get::<_, Option<_>>("is_stale")?.unwrap_or_default();
        let missing: Vec<Option<String>> =
            row.try_get::<_, Option<_>>("missing_permission")?.unwrap_or_default();
        let of = |(at, kind): (usize, &str)| {
            let (complete_until, synced_at) = (complete_until[at], synced_at[at]);
            let missing_permission = missing[at].clone();
            let kind = KindName::parse(kind)?;
            Ok(Self { kind, complete_until, synced_at, is_stale: is_stale[at], missing_permission })
        };
        kinds.into_iter().enumerate().map(of).collect()
    }
}
