//! `/v1/admin/sellers`: sellers' names and states; suspending and resuming them.
//!
//! Staff see none of a seller's data here; for that they open an impersonation session.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use robnu_tenancy::{Error, Params, Row, SellerId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::context::SharedContext;
use crate::cursor::{List, Position};
use crate::fields::{label, label_schema};
use crate::idempotency::{KeyedJson, KeyedPost, Reply};
use crate::identity::{PathId, Staff};
use crate::problem::{ApiError, Missing};
use crate::query::{Page, QueryParams, query_label_schema};
use crate::routes::paging::page;

const ADMIN_SELLERS: &str = include_str!("../../sql/admin/sellers.sql");
const SUSPEND_SELLER: &str = include_str!("../../sql/admin/suspend_seller.sql");
const RESUME_SELLER: &str = include_str!("../../sql/admin/resume_seller.sql");

/// Longest reason, in characters.
pub const MAX_REASON: usize = 500;

/// A seller as staff see it.
#[derive(Serialize, ToSchema)]
pub struct AdminSeller {
    #[schema(value_type = Uuid)]
    seller_id: SellerId,
    name: String,
    /// Since when the seller is suspended and can only be read; null when it is not.
    suspended_at: Option<DateTime<Utc>>,
    suspension_reason: Option<String>,
    created_at: DateTime<Utc>,
}

/// A page of sellers.
#[derive(Serialize, ToSchema)]
pub struct AdminSellers {
    sellers: Vec<AdminSeller>,
    next_cursor: Option<String>,
}

/// Why a seller is suspended. The seller sees it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SuspendSeller {
    #[schema(schema_with = label_schema::<MAX_REASON>)]
    reason: String,
}

/// The list's filters; for its description.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the parameters are read one by one")]
struct SellerFilters {
    /// Sellers whose name begins with this text, whatever the case.
    #[param(schema_with = query_label_schema, required = false)]
    name: Option<String>,
    /// true for suspended sellers only, false for all others only.
    suspended: Option<bool>,
}

/// All sellers, newest first
#[utoipa::path(
    get, path = "/v1/admin/sellers", operation_id = "list_all_sellers", tag = "staff",
    params(SellerFilters, Page),
    responses((status = 200, body = AdminSellers))
)]
pub async fn list(
    State(context): State<SharedContext>,
    staff: Staff,
    mut query: QueryParams,
) -> Result<Json<AdminSellers>, ApiError> {
    let name = query.label("name");
    let is_suspended = query.read("suspended", "must be true or false", |text| text.parse::<bool>().ok());
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::of_staff("sellers", &(&name, is_suspended));
    let before = cursor.map(|cursor| list.position(&cursor)).transpose()?.map_or(Uuid::max(), |at| at.id);
    // One row more than the limit shows whether there is a next page.
    let params: Params<'_> = &[&before, &(limit + 1), &name, &is_suspended];
    let rows = context.database.read(&staff.scope, ADMIN_SELLERS, params).await?;
    let (sellers, next_cursor) = page(&list, &rows, limit, |last: &AdminSeller| Position {
        micros: 0,
        id: *last.seller_id.as_uuid(),
    })?;
    Ok(Json(AdminSellers { sellers, next_cursor }))
}

/// Suspends a seller: its data can be read but not changed
///
/// Its runs stay as they are and continue when it is resumed. A seller that is already suspended gets the new reason and
/// keeps the time of its suspension.
#[utoipa::path(
    post, path = "/v1/admin/sellers/{sellerId}/suspend", operation_id = "suspend_seller", tag = "staff",
    responses((status = 200, description = "The seller as it is now", body = AdminSeller))
)]
pub async fn suspend(
    State(context): State<SharedContext>,
    staff: Staff,
    PathId(seller): PathId<SellerId>,
    KeyedJson(body, idempotency): KeyedJson<SuspendSeller>,
) -> Result<Reply<AdminSeller>, ApiError> {
    let reason = label("reason", &body.reason, MAX_REASON);
    let reason = reason.map_err(|problem| ApiError::InvalidBody(vec![problem]))?;
    let suspend: [(&str, Params<'_>); 1] = [(SUSPEND_SELLER, &[&seller, &reason])];
    idempotency.run(&context.database, &staff.scope, &suspend, changed).await
}

/// Ends a seller's suspension
#[utoipa::path(
    post, path = "/v1/admin/sellers/{sellerId}/resume", operation_id = "resume_seller", tag = "staff",
    responses((status = 200, description = "The seller as it is now", body = AdminSeller))
)]
pub async fn resume(
    State(context): State<SharedContext>,
    staff: Staff,
    PathId(seller): PathId<SellerId>,
    KeyedPost(idempotency): KeyedPost,
) -> Result<Reply<AdminSeller>, ApiError> {
    let resume: [(&str, Params<'_>); 1] = [(RESUME_SELLER, &[&seller])];
    idempotency.run(&context.database, &staff.scope, &resume, changed).await
}

fn changed(answers: &[Vec<Row>]) -> Result<(StatusCode, AdminSeller), ApiError> {
    let row = answers[0].first().ok_or(ApiError::NotFound(Missing::Seller))?;
    Ok((StatusCode::OK, AdminSeller::try_from(row)?))
}

impl TryFrom<&Row> for AdminSeller {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            seller_id: row.try_get("seller_id")?,
            name: row.try_get("name")?,
            suspended_at: row.try_get("suspended_at")?,
            suspension_reason: row.try_get("suspension_reason")?,
            created_at: row.try_get("created_at")?,
        })
    }
}
