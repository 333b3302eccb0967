//! `/v1/sellers/{sellerId}/accounts`: the seller's marketplace accounts.

mod connect;
mod lane;
mod rotate;
mod sealed;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use robnu_tenancy::{AccountId, Error, Row};
use serde::Serialize;

use crate::app::SharedApp;
use crate::identity::Member;
use crate::problem::ApiError;

pub use connect::connect;
pub use rotate::rotate;

const ACCOUNTS: &str = include_str!("../sql/accounts.sql");

/// An account, without anything secret.
#[derive(Serialize)]
pub struct Account {
    account_id: AccountId,
    marketplace: String,
    external_account_id: String,
    display_name: String,
    status: String,
    lane_state: String,
    created_at: DateTime<Utc>,
}

/// A seller's accounts.
#[derive(Serialize)]
pub struct Accounts {
    accounts: Vec<Account>,
}

/// Answers all accounts of the seller, oldest first.
pub async fn list(State(app): State<SharedApp>, member: Member) -> Result<Json<Accounts>, ApiError> {
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
            status: row.try_get("status")?,
            lane_state: row.try_get("lane_state")?,
            created_at: row.try_get("created_at")?,
        })
    }
}
