//! `/v1/sellers/{sellerId}/quarantine`: marketplaces' records that could not be read, with the reason.

pub mod retry;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use robnu_tenancy::{AccountId, Error, QuarantinedRecordId, Row, RunId};
use serde::Serialize;
use utoipa::ToSchema;

use super::paging::{Direction, Start, next_cursor};
use crate::context::SharedContext;
use crate::cursor::{List, Position};
use crate::identity::{Member, PathId};
use crate::lists::Lists;
use crate::problem::{ApiError, Missing};
use crate::query::{Page, QueryParams};
use crate::route_permissions::Read;
use crate::variants;

const RECORD: &str = include_str!("../sql/quarantine/show.sql");
const RECORDS: &str = include_str!("../sql/quarantine/list.sql");
const ACCOUNT_RECORDS: &str = variants::RECORDS_OF_ACCOUNT.text;

/// A record that was set aside. Its content stays encrypted.
#[derive(Serialize, ToSchema)]
pub struct QuarantinedRecord {
    #[schema(value_type = Uuid)]
    record_id: QuarantinedRecordId,
    #[schema(value_type = Uuid)]
    account_id: AccountId,
    marketplace: String,
    /// The run that read the record last.
    #[schema(value_type = Uuid)]
    run_id: RunId,
    /// The marketplace's id of the record, such as an order number, if that could be read.
    external_id: Option<String>,
    /// The field at fault, and what is wrong with it.
    reason: String,
    /// How often the record was read.
    seen: i32,
    first_seen_at: DateTime<Utc>,
    last_seen_at: DateTime<Utc>,
    /// Since when the record waits to be read again; null when nobody asked for that, or after it was tried.
    retry_requested_at: Option<DateTime<Utc>>,
}

/// A page of records that were set aside.
#[derive(Serialize, ToSchema)]
pub struct QuarantinedRecords {
    records: Vec<QuarantinedRecord>,
    next_cursor: Option<String>,
}

/// Records that could not be read and were set aside, newest first
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/quarantine", operation_id = "list_quarantine", tag = "runs",
    params(("account_id" = Option<Uuid>, Query, description = "Records of this account only."), Page),
    responses((status = 200, body = QuarantinedRecords))
)]
pub async fn list(
    lists: Lists,
    member: Member<Read>,
    mut query: QueryParams,
) -> Result<Json<QuarantinedRecords>, ApiError> {
    let account: Option<AccountId> = query.id("account_id");
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::new("quarantine", member.scope.seller_id(), &account);
    let before = Start::new(&list, cursor.as_deref(), Direction::Down)?.id();
    // One row more than the limit shows whether there is a next page.
    let fetch = limit + 1;
    let rows = match &account {
        Some(account) => lists.read(&member.scope, ACCOUNT_RECORDS, &[&before, &fetch, account]).await?,
        None => lists.read(&member.scope, RECORDS, &[&before, &fetch]).await?,
    };
    let mut records = rows.iter().map(QuarantinedRecord::try_from).collect::<Result<Vec<_>, _>>()?;
    let position = |last: &QuarantinedRecord| Position { micros: 0, id: *last.record_id.as_uuid() };
    let next_cursor = next_cursor(&list, &mut records, limit, position);
    Ok(Json(QuarantinedRecords { records, next_cursor }))
}

/// A record that was set aside
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/quarantine/{recordId}", operation_id = "get_quarantined_record", tag = "runs",
    responses((status = 200, body = QuarantinedRecord))
)]
pub async fn show(
    State(context): State<SharedContext>,
    member: Member<Read>,
    PathId(record): PathId<QuarantinedRecordId>,
) -> Result<Json<QuarantinedRecord>, ApiError> {
    let rows = context.database.read(&member.scope, RECORD, &[&record]).await?;
    let row = rows.first().ok_or(ApiError::NotFound(Missing::QuarantinedRecord))?;
    Ok(Json(QuarantinedRecord::try_from(row)?))
}

impl TryFrom<&Row> for QuarantinedRecord {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            record_id: row.try_get("id")?,
            account_id: row.try_get("account_id")?,
            marketplace: row.try_get("marketplace_code")?,
            run_id: row.try_get("run_id")?,
            external_id: row.try_get("external_id")?,
            reason: row.try_get("reason")?,
            seen: row.try_get("seen")?,
            first_seen_at: row.try_get("created_at")?,
            last_seen_at: row.try_get("last_seen_at")?,
            retry_requested_at: row.try_get("retry_requested_at")?,
        })
    }
}
