//! `/v1/sellers/{sellerId}/shipments`: the packages of all orders.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use robnu_tenancy::{AccountId, Error, OrderId, Params, Row, ShipmentId};
use serde::Serialize;
use utoipa::ToSchema;

use super::paging::{Direction, Start, page};
use crate::both_ways::{SHIPMENTS, SHIPMENTS_OF_ORDER, SHIPMENTS_OF_STATUS, SHIPMENTS_TRACKED};
use crate::context::SharedContext;
use crate::cursor::{List, Position};
use crate::identity::{Member, PathId};
use crate::known_text::TimeSort;
use crate::lists::Lists;
use crate::problem::{ApiError, Missing};
use crate::query::{LabelParam, MarketplaceParam, Page, QueryParams};
use crate::route_permissions::Read;

const SHIPMENT: &str = include_str!("../sql/shipments/show.sql");

/// A page of shipments.
#[derive(Serialize, ToSchema)]
pub struct Shipments {
    shipments: Vec<ShipmentOfOrder>,
    next_cursor: Option<String>,
}

/// A shipment, and the order that it belongs to.
#[derive(Serialize, ToSchema)]
pub struct ShipmentOfOrder {
    #[schema(value_type = Uuid)]
    shipment_id: ShipmentId,
    #[schema(value_type = Uuid)]
    order_id: OrderId,
    #[schema(value_type = Uuid)]
    account_id: AccountId,
    marketplace: String,
    external_order_id: String,
    external_shipment_id: String,
    /// The status as the marketplace's adapter reads it.
    status: String,
    marketplace_status: Option<String>,
    carrier: Option<String>,
    tracking_number: Option<String>,
    /// How it travels, in the marketplace's own word, such as SELF when the seller delivers it.
    shipment_type: Option<String>,
    /// The time from which it may be dispatched; null means at any time.
    dispatch_after: Option<DateTime<Utc>>,
    /// The time by which it must be dispatched.
    dispatch_by: Option<DateTime<Utc>>,
    /// Whether the marketplace holds it back: it may not be packed yet.
    on_hold: bool,
    /// How many parcels it consists of, if the marketplace says so.
    package_count: Option<i32>,
    updated_at: DateTime<Utc>,
}

/// The seller's shipments
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/shipments", operation_id = "list_shipments", tag = "shipments",
    params(
        ("account_id" = Option<Uuid>, Query, description = "Shipments of this account only."),
        ("marketplace" = inline(Option<MarketplaceParam>), Query, description = "Shipments of this marketplace only."),
        ("status" = inline(Option<LabelParam>), Query, description = "Shipments with this status only."),
        ("carrier" = inline(Option<LabelParam>), Query, description = "Shipments with this carrier only."),
        ("order_id" = Option<Uuid>, Query, description = "Shipments of this order only."),
        ("tracking_number" = inline(Option<LabelParam>), Query, description = "Shipments with this air waybill only."),
        ("sort" = inline(Option<TimeSort>), Query, description = "By the time of the first read; newest is the default."),
        Page
    ),
    responses((status = 200, body = Shipments))
)]
pub async fn list(
    lists: Lists,
    member: Member<Read>,
    mut query: QueryParams,
) -> Result<Json<Shipments>, ApiError> {
    let account: Option<AccountId> = query.id("account_id");
    let marketplace = query.marketplace();
    let (status, carrier) = (query.label("status"), query.label("carrier"));
    let order: Option<OrderId> = query.id("order_id");
    let tracking = query.label("tracking_number");
    let sort =
        query.read("sort", "is not an order of this list", TimeSort::parse).unwrap_or(TimeSort::newest);
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let filters = (account, &marketplace, &status, &carrier, order, &tracking, sort);
    let list = List::new("shipments", member.scope.seller_id(), &filters);
    let direction = Direction::by_time(sort);
    let sql = if tracking.is_some() {
        direction.of(&SHIPMENTS_TRACKED)
    } else if order.is_some() {
        direction.of(&SHIPMENTS_OF_ORDER)
    } else if status.is_some() {
        direction.of(&SHIPMENTS_OF_STATUS)
    } else {
        direction.of(&SHIPMENTS)
    };
    let (below, above) = Start::new(&list, cursor.as_deref(), direction)?.ids();
    let fetch = limit + 1;
    let params: Params<'_> =
        &[&below, &above, &fetch, &account, &marketplace, &status, &carrier, &order, &tracking];
    let rows = lists.read(&member.scope, sql, params).await?;
    let (shipments, next_cursor) = page(&list, &rows, limit, |last: &ShipmentOfOrder| Position {
        micros: 0,
        id: *last.shipment_id.as_uuid(),
    })?;
    Ok(Json(Shipments { shipments, next_cursor }))
}

/// A shipment
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/shipments/{shipmentId}", operation_id = "get_shipment", tag = "shipments",
    responses((status = 200, body = ShipmentOfOrder))
)]
pub async fn show(
    State(context): State<SharedContext>,
    member: Member<Read>,
    PathId(id): PathId<ShipmentId>,
) -> Result<Json<ShipmentOfOrder>, ApiError> {
    let rows = context.database.read(&member.scope, SHIPMENT, &[&id]).await?;
    let row = rows.first().ok_or(ApiError::NotFound(Missing::Shipment))?;
    Ok(Json(ShipmentOfOrder::try_from(row)?))
}

impl TryFrom<&Row> for ShipmentOfOrder {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            shipment_id: row.try_get("id")?,
            order_id: row.try_get("order_id")?,
            account_id: row.try_get("account_id")?,
            marketplace: row.try_get("marketplace_code")?,
            external_order_id: row.try_get("external_order_id")?,
            external_shipment_id: row.try_get("external_shipment_id")?,
            status: row.try_get("status")?,
            marketplace_status: row.try_get("marketplace_status")?,
            carrier: row.try_get("carrier")?,
            tracking_number: row.try_get("tracking_number")?,
            shipment_type: row.try_get("shipment_type")?,
            dispatch_after: row.try_get("dispatch_after")?,
            dispatch_by: row.try_get("dispatch_by")?,
            on_hold: row.try_get("on_hold")?,
            package_count: row.try_get("package_count")?,
            updated_at: row.try_get("updated_at")?,
        })
    }
}
