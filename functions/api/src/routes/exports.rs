//! `/v1/sellers/{sellerId}/exports`: lists as CSV files, and everything as an archive.

pub mod create;
pub mod download;

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use robnu_tenancy::{Error, ExportId, Params, Row};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::paging::{Direction, Start, next_cursor};
use crate::context::SharedContext;
use crate::cursor::{List, Position};
use crate::idempotency::{KeyedPost, Reply};
use crate::identity::{Member, PathId};
use crate::known_text::{ExportErrorCode, ExportListName, ExportState};
use crate::problem::refusals::EXPORT_FINISHED;
use crate::problem::{ApiError, Missing};
use crate::query::{Page, QueryParams};
use crate::route_permissions::{ExportsCreate, ToRead};
use crate::variants;

const EXPORTS: &str = include_str!("../sql/exports/list.sql");
const EXPORT: &str = variants::EXPORT.text;
const CANCEL: &str = include_str!("../sql/exports/cancel.sql");

/// An export of a list, or of everything.
#[derive(Serialize, ToSchema)]
pub struct Export {
    #[schema(value_type = Uuid)]
    export_id: ExportId,
    list: ExportListName,
    /// The list's query parameters.
    filters: BTreeMap<String, String>,
    state: ExportState,
    /// The person who asked for it, and in whose name it is read.
    requested_by: Uuid,
    /// Rows that are stored so far. Large exports are stored in parts of some thousands of rows.
    rows: i64,
    /// Bytes that are stored so far.
    bytes: i64,
    /// Why it failed. The member left the seller, their role no longer allows it, or the seller was suspended; the filters are
    /// not valid any more after a change of the platform; it failed again and again; or the file was to become larger than 5 GiB.
    error: Option<ExportErrorCode>,
    requested_at: DateTime<Utc>,
    started_at: Option<DateTime<Utc>>,
    finished_at: Option<DateTime<Utc>>,
    /// Until when the file can be downloaded: 30 days after it was ready, or until the seller closes.
    expires_at: Option<DateTime<Utc>>,
}

/// A page of exports.
#[derive(Serialize, ToSchema)]
pub struct Exports {
    exports: Vec<Export>,
    next_cursor: Option<String>,
}

/// The seller's exports, newest first
///
/// It shows exports of the lists that the caller may read.
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/exports", operation_id = "list_exports", tag = "exports",
    params(Page),
    responses((status = 200, body = Exports))
)]
pub async fn list(
    State(context): State<SharedContext>,
    member: Member<ToRead<ExportsCreate>>,
    mut query: QueryParams,
) -> Result<Json<Exports>, ApiError> {
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::new("exports", member.scope.seller_id(), &());
    let before = Start::new(&list, cursor.as_deref(), Direction::Down)?.id();
    // One row more than the limit shows whether there is a next page.
    let rows = context.database.read(&member.scope, EXPORTS, &[&before, &(limit + 1)]).await?;
    let mut exports = rows.iter().map(Export::try_from).collect::<Result<Vec<_>, _>>()?;
    let position = |last: &Export| Position { micros: 0, id: *last.export_id.as_uuid() };
    let next_cursor = next_cursor(&list, &mut exports, limit, position);
    Ok(Json(Exports { exports, next_cursor }))
}

/// An export, with its progress
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/exports/{exportId}", operation_id = "get_export", tag = "exports",
    responses((status = 200, body = Export))
)]
pub async fn show(
    State(context): State<SharedContext>,
    member: Member<ToRead<ExportsCreate>>,
    PathId(export): PathId<ExportId>,
) -> Result<Json<Export>, ApiError> {
    let rows = context.database.read(&member.scope, EXPORT, &[&export]).await?;
    Ok(Json(Export::of(&rows)?))
}

/// Cancels an export that is not finished
///
/// What is stored of its file is deleted.
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/exports/{exportId}/cancel", operation_id = "cancel_export", tag = "exports",
    responses((status = 200, body = Export))
)]
pub async fn cancel(
    State(context): State<SharedContext>,
    member: Member<ExportsCreate>,
    PathId(export): PathId<ExportId>,
    KeyedPost(idempotency): KeyedPost,
) -> Result<Reply<Export>, ApiError> {
    let effect: [(&str, Params<'_>); 2] = [(CANCEL, &[&export]), (EXPORT, &[&export])];
    let read = |answers: &[Vec<Row>]| {
        let export = Export::of(&answers[1])?;
        match export.state {
            ExportState::CANCELLED => Ok((StatusCode::OK, export)),
            _ => Err(ApiError::Refused(&EXPORT_FINISHED)),
        }
    };
    idempotency.run(&context.database, &member.scope, &effect, read).await
}

impl Export {
    /// The export in the one row, if there is one.
    fn of(rows: &[Row]) -> Result<Self, ApiError> {
        Ok(Self::try_from(rows.first().ok_or(ApiError::NotFound(Missing::Export))?)?)
    }
}

impl TryFrom<&Row> for Export {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        let filters: &str = row.try_get("filters")?;
        Ok(Self {
            export_id: row.try_get("id")?,
            list: ExportListName::read(row, "list")?,
            filters: serde_json::from_str(filters).map_err(|_| Error::RowShape)?,
            state: ExportState::read(row, "state")?,
            requested_by: row.try_get("requested_by")?,
            rows: row.try_get("row_count")?,
            bytes: row.try_get("byte_count")?,
            error: ExportErrorCode::read_optional(row, "error_code")?,
            requested_at: row.try_get("queued_at")?,
            started_at: row.try_get("started_at")?,
            finished_at: row.try_get("finished_at")?,
            expires_at: row.try_get("expires_at")?,
        })
    }
}
