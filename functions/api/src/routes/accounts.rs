//! `/v1/sellers/{sellerId}/accounts`: the seller's marketplace accounts.

pub(super) mod connect;
mod lane;
pub(super) mod rotate;
mod sealed;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use robnu_tenancy::{AccountId, Error, Row};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::SharedApp;
use crate::identity::Member;
use crate::known_text::{AccountStatus, LaneState};
use crate::problem::ApiError;
use crate::rights::Read;

const ACCOUNTS: &str = include_str!("../sql/accounts.sql");

/// An account, without anything secret.
#[derive(Serialize, ToSchema)]
pub struct Account {
    #[schema(value_type = Uuid)]
    account_id: AccountId,
    marketplace: String,
    external_account_id: String,
    display_name: String,
    status: AccountStatus,
    lane_state: LaneState,
    created_at: DateTime<Utc>,
}

/// A seller's accounts.
#[derive(Serialize, ToSchema)]
pub struct Accounts {
    accounts: Vec<Account>,
}

/// The seller's accounts, oldest first
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/accounts", operation_id = "list_accounts", tag = "accounts",
    responses((status = 200, body = Accounts))
)]
pub async fn list(State(app): State<SharedApp>, member: Member<Read>) -> Result<Json<Accounts>, ApiError> {
    let rows = app.database.read(&member.scope, ACCOUNTS, &[]).await?;
    let accounts = rows.iter().map(Account::try_from).collect::<Result<_, Error>>()?;
    Ok(Json(Accounts { accounts }))
}

impl TryFrom<&Row> for Account {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            account_id: row.try_get("id")?,
            marketplace: row.try_get("marketplace_code")?,
            external_account_id: row.try_get("external_account_id")?,
            display_name: row.try_get("display_name")?,
            status: AccountStatus::read(row, "status")?,
            lane_state: LaneState::read(row, "lane_state")?,
            created_at: row.try_get("created_at")?,
        })
    }
}
