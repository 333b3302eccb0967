//! `/v1/sellers/{sellerId}/orders`: orders, and one order with its lines and shipments.

mod rows;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use robnu_tenancy::{AccountId, OrderId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::SharedApp;
use crate::cursor::{List, Position};
use crate::identity::{Member, PathId};
use crate::known_text::OrderStatusName;
use crate::problem::{ApiError, Missing};
use crate::query::{Page, QueryParams};
use crate::rights::Read;

use rows::{Line, Order, Shipment};

const ORDERS: &str = include_str!("../sql/orders.sql");
const ORDER: &str = include_str!("../sql/order.sql");
const ORDER_LINES: &str = include_str!("../sql/order_lines.sql");
const ORDER_SHIPMENTS: &str = include_str!("../sql/order_shipments.sql");

/// A page of orders.
#[derive(Serialize, ToSchema)]
pub struct Orders {
    orders: Vec<Order>,
    next_cursor: Option<String>,
}

/// One order, whole.
#[derive(Serialize, ToSchema)]
pub struct WholeOrder {
    #[serde(flatten)]
    order: Order,
    lines: Vec<Line>,
    shipments: Vec<Shipment>,
}

/// The seller's orders, the latest placed first
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/orders", operation_id = "list_orders", tag = "orders",
    params(
        ("account_id" = Option<Uuid>, Query, description = "Orders of this account only."),
        ("status" = Option<OrderStatusName>, Query, description = "Orders that stand so only."),
        Page
    ),
    responses((status = 200, body = Orders))
)]
pub async fn list(
    State(app): State<SharedApp>,
    member: Member<Read>,
    mut query: QueryParams,
) -> Result<Json<Orders>, ApiError> {
    let account: Option<AccountId> = query.id("account_id");
    let status = query.read("status", "is not an order status", OrderStatusName::parse);
    let status = status.map(OrderStatusName::as_str);
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::new("orders", member.scope.seller_id(), &(account, status));
    let start = cursor.map(|cursor| list.position(&cursor)).transpose()?;
    let (placed_before, id_before) = match start {
        None => (DateTime::<Utc>::MAX_UTC, Uuid::max()),
        Some(at) => (DateTime::from_timestamp_micros(at.micros).ok_or(ApiError::InvalidCursor)?, at.id),
    };
    // One more than asked for tells whether there is a next page.
    let params: robnu_tenancy::Params<'_> = &[&placed_before, &id_before, &(limit + 1), &account, &status];
    let rows = app.database.read(&member.scope, ORDERS, params).await?;
    let mut orders = rows.iter().map(Order::try_from).collect::<Result<Vec<_>, _>>()?;
    let next_cursor = super::cut(&mut orders, limit).map(|last| {
        list.cursor(Position { micros: last.placed_at.timestamp_micros(), id: *last.order_id.as_uuid() })
    });
    Ok(Json(Orders { orders, next_cursor }))
}

/// An order with its lines and shipments
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/orders/{orderId}", operation_id = "get_order", tag = "orders",
    responses((status = 200, body = WholeOrder))
)]
pub async fn show(
    State(app): State<SharedApp>,
    member: Member<Read>,
    PathId(id): PathId<OrderId>,
) -> Result<Json<WholeOrder>, ApiError> {
    let session = app.database.session(&member.scope).await?;
    let statements: [(&str, robnu_tenancy::Params<'_>); 3] =
        [(ORDER, &[&id]), (ORDER_LINES, &[&id]), (ORDER_SHIPMENTS, &[&id])];
    let answers = session.commit_with(&statements).await?;
    let order = answers[0].first().ok_or(ApiError::NotFound(Missing::Order))?;
    Ok(Json(WholeOrder {
        order: Order::try_from(order)?,
        lines: answers[1].iter().map(Line::try_from).collect::<Result<_, _>>()?,
        shipments: answers[2].iter().map(Shipment::try_from).collect::<Result<_, _>>()?,
    }))
}
