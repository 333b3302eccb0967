//! `/v1/sellers/{sellerId}/returns/scans`: scans of codes that nothing is known of yet. Each waits for its return.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use robnu_tenancy::{Error, Params, Row, ScanId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::context::SharedContext;
use crate::cursor::{List, Position};
use crate::identity::{Member, PathId};
use crate::known_text::ParcelCondition;
use crate::problem::{ApiError, Missing};
use crate::query::{Page, QueryParams};
use crate::route_permissions::{Read, ReturnsScan};
use crate::routes::paging::{Direction, Start, next_cursor};

const SCANS: &str = include_str!("../../sql/scans/list.sql");
const DISCARD: &str = include_str!("../../sql/scans/discard.sql");

/// A scan that waits for its return.
#[derive(Serialize, ToSchema)]
pub struct WaitingScan {
    #[schema(value_type = Uuid)]
    scan_id: ScanId,
    code: String,
    /// The condition that a scan of this code stated last.
    condition: Option<ParcelCondition>,
    condition_reason: Option<String>,
    /// How many articles that is about.
    condition_quantity: Option<i32>,
    /// When the code was first scanned: the time at which the return will have been received.
    scanned_at: DateTime<Utc>,
    /// The person who first scanned it.
    scanned_by: Option<Uuid>,
}

/// A page of waiting scans.
#[derive(Serialize, ToSchema)]
pub struct WaitingScans {
    scans: Vec<WaitingScan>,
    next_cursor: Option<String>,
}

/// Scans that wait for their returns, newest first
///
/// A scan leaves this list when a marketplace announces the return that its code means, or when it is discarded.
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/returns/scans", operation_id = "list_waiting_scans", tag = "returns",
    params(Page), responses((status = 200, body = WaitingScans))
)]
pub async fn list(
    State(context): State<SharedContext>,
    member: Member<Read>,
    mut query: QueryParams,
) -> Result<Json<WaitingScans>, ApiError> {
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::new("scans", member.scope.seller_id(), &());
    let before = Start::new(&list, cursor.as_deref(), Direction::Down)?.id();
    let rows = context.database.read(&member.scope, SCANS, &[&before, &(limit + 1)]).await?;
    let mut scans = rows.iter().map(WaitingScan::try_from).collect::<Result<Vec<_>, _>>()?;
    let position = |last: &WaitingScan| Position { micros: 0, id: *last.scan_id.as_uuid() };
    let next_cursor = next_cursor(&list, &mut scans, limit, position);
    Ok(Json(WaitingScans { scans, next_cursor }))
}

/// Discards a scan that waits for its return
///
/// For a code that was mistyped. The parcel can be scanned again.
#[utoipa::path(
    delete, path = "/v1/sellers/{sellerId}/returns/scans/{scanId}", operation_id = "discard_waiting_scan", tag = "returns",
    responses((status = 204, description = "The scan is discarded"))
)]
pub async fn discard(
    State(context): State<SharedContext>,
    member: Member<ReturnsScan>,
    PathId(scan): PathId<ScanId>,
) -> Result<StatusCode, ApiError> {
    let session = context.database.session(&member.scope).await?;
    let statements: [(&str, Params<'_>); 1] = [(DISCARD, &[&scan])];
    let answers = session.commit_with(&statements).await?;
    if answers[0].is_empty() { Err(ApiError::NotFound(Missing::Scan)) } else { Ok(StatusCode::NO_CONTENT) }
}

impl TryFrom<&Row> for WaitingScan {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            scan_id: row.try_get("id")?,
            code: row.try_get("code")?,
            condition: ParcelCondition::read_optional(row, "condition")?,
            condition_reason: row.try_get("condition_reason")?,
            condition_quantity: row.try_get("condition_quantity")?,
            scanned_at: row.try_get("scanned_at")?,
            scanned_by: row.try_get("scanned_by")?,
        })
    }
}
