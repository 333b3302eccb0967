//! `/v1/sellers/{sellerId}/orders`: orders, and one order with its lines and shipments.

mod rows;

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use robnu_marketplace::record::OrderStatus;
use robnu_tenancy::{AccountId, OrderId};
use serde::Serialize;
use uuid::Uuid;

use crate::app::SharedApp;
use crate::cursor::{List, Position};
use crate::identity::{Member, PathId};
use crate::problem::{ApiError, Missing};
use crate::query::QueryParams;

use rows::{Line, Order, Shipment};

const ORDERS: &str = include_str!("../sql/orders.sql");
const ORDER: &str = include_str!("../sql/order.sql");
const ORDER_LINES: &str = include_str!("../sql/order_lines.sql");
const ORDER_SHIPMENTS: &str = include_str!("../sql/order_shipments.sql");

/// What the status filter takes.
const STATUSES: [OrderStatus; 9] = [
    OrderStatus::Pending,
    OrderStatus::Confirmed,
    OrderStatus::Packed,
    OrderStatus::ReadyToDispatch,
    OrderStatus::PartiallyShipped,
    OrderStatus::Shipped,
    OrderStatus::Delivered,
    OrderStatus::Undelivered,
    OrderStatus::Cancelled,
];

/// A page of orders.
#[derive(Serialize)]
pub struct Orders {
    orders: Vec<Order>,
    next_cursor: Option<String>,
}

/// One order, whole.
#[derive(Serialize)]
pub struct WholeOrder {
    #[serde(flatten)]
    order: Order,
    lines: Vec<Line>,
    shipments: Vec<Shipment>,
}

/// Answers the latest orders first, by the time the customer placed them.
pub async fn list(
    State(app): State<SharedApp>,
    member: Member,
    mut query: QueryParams,
) -> Result<Json<Orders>, ApiError> {
    let account: Option<AccountId> = query.id("account_id");
    let status = query.read("status", "is not an order status", |text| {
        STATUSES.iter().map(|status| status.as_str()).find(|status| *status == text)
    });
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

/// Answers one order, its three statements in one flight.
pub async fn show(
    State(app): State<SharedApp>,
    member: Member,
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
