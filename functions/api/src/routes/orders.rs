//! `/v1/sellers/{sellerId}/orders`: orders, and one order with its lines and shipments.

pub mod customer;
pub mod rows;

use axum::Json;
use axum::extract::State;
use robnu_tenancy::{AccountId, Error, OrderId, Params};
use serde::Serialize;
use utoipa::ToSchema;

use super::paging::{Direction, Start, at, page};
use crate::both_ways::{ORDERS, ORDERS_OF_ACCOUNTS, ORDERS_OF_STATUS};
use crate::context::SharedContext;
use crate::cursor::List;
use crate::identity::{Member, PathId};
use crate::known_text::{OrderSort, OrderStatusName};
use crate::lists::Lists;
use crate::problem::{ApiError, Missing};
use crate::query::{LabelParam, MarketplaceParam, Page, QueryParams};
use crate::route_permissions::Read;

use rows::{Line, Order, Shipment};

const NEWEST_OF_SKU: &str = include_str!("../sql/orders/of_sku.sql");
const DISPATCH_BY: &str = include_str!("../sql/orders/dispatch.sql");
const ORDER: &str = include_str!("../sql/orders/show.sql");
const ORDER_LINES: &str = include_str!("../sql/orders/lines.sql");
const ORDER_SHIPMENTS: &str = include_str!("../sql/orders/shipments.sql");

/// A page of orders.
#[derive(Serialize, ToSchema)]
pub struct Orders {
    orders: Vec<Order>,
    next_cursor: Option<String>,
}

/// One order with all its parts.
#[derive(Serialize, ToSchema)]
pub struct WholeOrder {
    #[serde(flatten)]
    order: Order,
    /// The fields of the order that could not be read, and what was wrong with them.
    notes: Vec<String>,
    lines: Vec<Line>,
    shipments: Vec<Shipment>,
}

/// The seller's orders
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/orders", operation_id = "list_orders", tag = "orders",
    params(
        ("account_id" = Option<Uuid>, Query, description = "Orders of this account only."),
        ("marketplace" = inline(Option<MarketplaceParam>), Query, description = "Orders of this marketplace only."),
        ("status" = Option<OrderStatusName>, Query, description = "Orders with this status only."),
        ("placed_from" = Option<DateTime<Utc>>, Query, description = "Orders placed at or after this instant."),
        ("placed_to" = Option<DateTime<Utc>>, Query, description = "Orders placed before this instant."),
        ("dispatch_before" = Option<DateTime<Utc>>, Query, description = "Orders that must be dispatched before this instant."),
        ("sku" = inline(Option<LabelParam>), Query, description = "Orders with a line of this article only."),
        ("sort" = inline(Option<OrderSort>), Query, description = "newest (the default) and oldest sort by the time of the order; dispatch_by sorts by the dispatch deadline and leaves out orders without one."),
        Page
    ),
    responses((status = 200, body = Orders))
)]
pub async fn list(
    lists: Lists,
    member: Member<Read>,
    mut query: QueryParams,
) -> Result<Json<Orders>, ApiError> {
    let account: Option<AccountId> = query.id("account_id");
    let marketplace = query.marketplace();
    let status = query.read("status", "is not an order status", OrderStatusName::parse);
    let status = status.map(OrderStatusName::as_str);
    let (from, to) = (query.instant("placed_from"), query.instant("placed_to"));
    let due_before = query.instant("dispatch_before");
    let sku = query.label("sku");
    let sort =
        query.read("sort", "is not an order of this list", OrderSort::parse).unwrap_or(OrderSort::newest);
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let filters = (account, &marketplace, status, from, to, due_before, &sku, sort);
    let list = List::new("orders", member.scope.seller_id(), &filters);
    let by_account = account.is_some() || marketplace.is_some();
    let direction = if sort == OrderSort::newest { Direction::Down } else { Direction::Up };
    let sql = match sort {
        OrderSort::dispatch_by => DISPATCH_BY,
        OrderSort::newest if sku.is_some() => NEWEST_OF_SKU,
        _ if status.is_some() => direction.of(&ORDERS_OF_STATUS),
        _ if by_account => direction.of(&ORDERS_OF_ACCOUNTS),
        _ => direction.of(&ORDERS),
    };
    let start = Start::new(&list, cursor.as_deref(), direction)?;
    // The sort key also bounds the pages; the other times are filters.
    let by_dispatch = sort == OrderSort::dispatch_by;
    let window = if by_dispatch { start.times(None, due_before)? } else { start.times(from, to)? };
    let [below, below_id, above, above_id] = window.params();
    // One row more than the limit shows whether there is a next page.
    let fetch = limit + 1;
    let time = if by_dispatch { &from } else { &due_before };
    let params: Params<'_> =
        &[below, below_id, above, above_id, &fetch, &account, &marketplace, &status, &sku, time, &to];
    let params = if by_dispatch { params } else { &params[..10] };
    let rows = lists.read(&member.scope, sql, params).await?;
    let (orders, next_cursor) = page(&list, &rows, limit, |last: &Order| {
        let urgent = last.dispatch_by.filter(|_| sort == OrderSort::dispatch_by);
        at(urgent.unwrap_or(last.placed_at), *last.order_id.as_uuid())
    })?;
    Ok(Json(Orders { orders, next_cursor }))
}

/// An order with its lines and shipments
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/orders/{orderId}", operation_id = "get_order", tag = "orders",
    responses((status = 200, body = WholeOrder))
)]
pub async fn show(
    State(context): State<SharedContext>,
    member: Member<Read>,
    PathId(id): PathId<OrderId>,
) -> Result<Json<WholeOrder>, ApiError> {
    let session = context.database.session(&member.scope).await?;
    let statements: [(&str, robnu_tenancy::Params<'_>); 3] =
        [(ORDER, &[&id]), (ORDER_LINES, &[&id]), (ORDER_SHIPMENTS, &[&id])];
    let answers = session.commit_with(&statements).await?;
    let order = answers[0].first().ok_or(ApiError::NotFound(Missing::Order))?;
    Ok(Json(WholeOrder {
        notes: order.try_get("notes").map_err(Error::from)?,
        order: Order::try_from(order)?,
        lines: answers[1].iter().map(Line::try_from).collect::<Result<_, _>>()?,
        shipments: answers[2].iter().map(Shipment::try_from).collect::<Result<_, _>>()?,
    }))
}
