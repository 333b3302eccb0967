//! `/v1/admin/impersonations`: sessions in which a staff member acts for a seller, with a reason and an end.
//!
//! A request on a seller's route joins a session by the header `impersonation-session`. Every change that it makes is
//! written to the seller's audit trail with the session's id.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use robnu_tenancy::{Error, ImpersonationId, Params, Row, SellerId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::sellers::MAX_REASON;
use crate::context::SharedContext;
use crate::cursor::{List, Position};
use crate::fields::{label, label_schema};
use crate::idempotency::{KeyedJson, Reply};
use crate::identity::{PathId, Staff};
use crate::known_text::ImpersonationRole;
use crate::problem::refusals::IMPERSONATION_NOT_YOURS;
use crate::problem::{ApiError, FieldProblem, Missing};
use crate::query::{Page, QueryParams};
use crate::whole::Whole;

const OPEN_IMPERSONATION: &str = include_str!("../../sql/admin/open_impersonation.sql");
const IMPERSONATIONS: &str = include_str!("../../sql/admin/impersonations.sql");
const IMPERSONATION: &str = include_str!("../../sql/admin/impersonation.sql");
const END_IMPERSONATION: &str = include_str!("../../sql/admin/end_impersonation.sql");

/// Longest session, in minutes.
const MAX_MINUTES: i32 = 480;

/// The seller, the reason, the role and the length of a session.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OpenImpersonation {
    #[schema(value_type = Uuid)]
    seller_id: SellerId,
    /// The seller can read it.
    #[schema(schema_with = label_schema::<MAX_REASON>)]
    reason: String,
    role: ImpersonationRole,
    #[schema(value_type = i32, minimum = 1, maximum = 480)]
    minutes: Whole,
}

/// A session.
#[derive(Serialize, ToSchema)]
pub struct Impersonation {
    /// The id for the header `impersonation-session`.
    #[schema(value_type = Uuid)]
    impersonation_id: ImpersonationId,
    #[schema(value_type = Uuid)]
    seller_id: SellerId,
    seller_name: String,
    staff_id: Uuid,
    /// Whether the session is the caller's.
    is_yours: bool,
    reason: String,
    role: ImpersonationRole,
    started_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

/// A page of sessions.
#[derive(Serialize, ToSchema)]
pub struct Impersonations {
    impersonations: Vec<Impersonation>,
    next_cursor: Option<String>,
}

/// Opens an impersonation session
///
/// The session gives the rights of the role, but never customers' data.
#[utoipa::path(
    post, path = "/v1/admin/impersonations", operation_id = "open_impersonation", tag = "staff",
    responses((status = 201, description = "The session", body = Impersonation))
)]
pub async fn open(
    State(context): State<SharedContext>,
    staff: Staff,
    KeyedJson(body, idempotency): KeyedJson<OpenImpersonation>,
) -> Result<Reply<Impersonation>, ApiError> {
    let reason = check(&body).map_err(|problem| ApiError::InvalidBody(vec![problem]))?;
    let open: [(&str, Params<'_>); 1] =
        [(OPEN_IMPERSONATION, &[&body.seller_id, &reason, &body.role.as_str(), &body.minutes.0])];
    let read = |answers: &[Vec<Row>]| {
        let row = answers[0].first().ok_or(ApiError::NotFound(Missing::Seller))?;
        Ok((StatusCode::CREATED, Impersonation::try_from(row)?))
    };
    idempotency.run(&context.database, &staff.scope, &open, read).await
}

/// Live impersonation sessions of all staff, newest first
#[utoipa::path(
    get, path = "/v1/admin/impersonations", operation_id = "list_impersonations", tag = "staff",
    params(Page), responses((status = 200, body = Impersonations))
)]
pub async fn list(
    State(context): State<SharedContext>,
    staff: Staff,
    mut query: QueryParams,
) -> Result<Json<Impersonations>, ApiError> {
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::of_staff("impersonations", &());
    let before = cursor.map(|cursor| list.position(&cursor)).transpose()?.map_or(Uuid::max(), |at| at.id);
    // One row more than the limit shows whether there is a next page.
    let rows = context.database.read(&staff.scope, IMPERSONATIONS, &[&before, &(limit + 1)]).await?;
    let mut impersonations = rows.iter().map(Impersonation::try_from).collect::<Result<Vec<_>, _>>()?;
    let next_cursor = crate::routes::paging::cut(&mut impersonations, limit)
        .map(|last| list.cursor(Position { micros: 0, id: *last.impersonation_id.as_uuid() }));
    Ok(Json(Impersonations { impersonations, next_cursor }))
}

/// Ends the caller's own impersonation session
///
/// Ending a session that is over changes nothing.
#[utoipa::path(
    delete, path = "/v1/admin/impersonations/{impersonationId}", operation_id = "end_impersonation", tag = "staff",
    responses((status = 204, description = "The session is over"))
)]
pub async fn end(
    State(context): State<SharedContext>,
    staff: Staff,
    PathId(id): PathId<ImpersonationId>,
) -> Result<StatusCode, ApiError> {
    let session = context.database.session(&staff.scope).await?;
    let answers = session.commit_with(&[(END_IMPERSONATION, &[&id]), (IMPERSONATION, &[&id])]).await?;
    let row = answers[1].first().ok_or(ApiError::NotFound(Missing::Impersonation))?;
    if row.try_get("is_yours").map_err(Error::from)? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::Refused(&IMPERSONATION_NOT_YOURS))
    }
}

fn check(body: &OpenImpersonation) -> Result<String, FieldProblem> {
    if !(1..=MAX_MINUTES).contains(&body.minutes.0) {
        return Err(FieldProblem::new("minutes", format!("must be a number from 1 to {MAX_MINUTES}")));
    }
    label("reason", &body.reason, MAX_REASON)
}

impl TryFrom<&Row> for Impersonation {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            impersonation_id: row.try_get("id")?,
            seller_id: row.try_get("seller_id")?,
            seller_name: row.try_get("seller_name")?,
            staff_id: row.try_get("staff_id")?,
            is_yours: row.try_get("is_yours")?,
            reason: row.try_get("reason")?,
            role: ImpersonationRole::read(row, "role")?,
            started_at: row.try_get("started_at")?,
            expires_at: row.try_get("expires_at")?,
        })
    }
}
