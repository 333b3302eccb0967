//! `/v1/sellers/{sellerId}/dispatch`: open orders by dispatch deadline, across marketplaces.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, NaiveDate, Utc};
use robnu_tenancy::{AccountId, Error, Params, Row};
use serde::Serialize;
use utoipa::ToSchema;

use super::orders::rows::Order;
use super::paging::{Direction, Start, at, page};
use crate::context::SharedContext;
use crate::cursor::List;
use crate::identity::Member;
use crate::problem::ApiError;
use crate::query::{MarketplaceParam, Page, QueryParams};
use crate::route_permissions::Read;

const DISPATCH: &str = include_str!("../sql/dispatch/list.sql");
const UNDATED: &str = include_str!("../sql/dispatch/undated.sql");
const SUMMARY: &str = include_str!("../sql/dispatch/summary.sql");

/// A page of open orders.
#[derive(Serialize, ToSchema)]
pub struct Dispatch {
    orders: Vec<OrderToDispatch>,
    /// Counts over all pages: one row per day and marketplace.
    summary: Vec<DispatchDay>,
    /// Whether more orders are open than the summary counts. It counts the 5,000 most urgent orders, and 5,000 without a
    /// deadline.
    summary_is_partial: bool,
    next_cursor: Option<String>,
}

/// An open order that the seller must send.
#[derive(Serialize, ToSchema)]
pub struct OrderToDispatch {
    #[serde(flatten)]
    order: Order,
    /// Whether the deadline has passed.
    overdue: bool,
}

/// The number of orders to dispatch for a marketplace on a day.
#[derive(Serialize, ToSchema)]
pub struct DispatchDay {
    marketplace: String,
    /// The day in India; null for orders without a deadline from the marketplace.
    day: Option<NaiveDate>,
    orders: i64,
    overdue: i64,
}

/// Open orders by dispatch deadline, and their number per marketplace and Indian day
///
/// Orders that the marketplace itself ships are left out. Orders that may not be packed yet are included and say so, with
/// `on_hold` or a `dispatch_after` in the future.
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/dispatch", operation_id = "list_dispatch", tag = "orders",
    params(
        ("account_id" = Option<Uuid>, Query, description = "Orders of this account only."),
        ("marketplace" = inline(Option<MarketplaceParam>), Query, description = "Orders of this marketplace only."),
        ("until" = Option<DateTime<Utc>>, Query, description = "Orders whose deadline is at or before this instant; without it, all."),
        ("undated" = Option<bool>, Query, description = "true for the orders without a deadline instead of those with one, the first read first."),
        Page
    ),
    responses((status = 200, body = Dispatch))
)]
pub async fn list(
    State(context): State<SharedContext>,
    member: Member<Read>,
    mut query: QueryParams,
) -> Result<Json<Dispatch>, ApiError> {
    let account: Option<AccountId> = query.id("account_id");
    let marketplace = query.marketplace();
    let until = query.instant("until");
    let undated = query.flag("undated");
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::new("dispatch", member.scope.seller_id(), &(account, &marketplace, until, undated));
    let after = Start::new(&list, cursor.as_deref(), Direction::Up)?.times(None, None)?;
    let until = until.unwrap_or(DateTime::<Utc>::MAX_UTC);
    let nearest: Params<'_> = &[&after.above, &after.above_id, &(limit + 1), &until, &account, &marketplace];
    let summary: Params<'_> = &[&until, &account, &marketplace];
    let orders = if undated { UNDATED } else { DISPATCH };
    let session = context.database.session(&member.scope).await?;
    let answers = session.commit_with(&[(orders, nearest), (SUMMARY, summary)]).await?;
    let (orders, next_cursor) = page(&list, &answers[0], limit, |last: &OrderToDispatch| {
        let instant = last.order.dispatch_by.unwrap_or(DateTime::UNIX_EPOCH);
        at(instant, *last.order.order_id.as_uuid())
    })?;
    let summary = answers[1].iter().map(DispatchDay::try_from).collect::<Result<_, _>>()?;
    let is_partial =
        answers[1].first().map(|row| row.try_get("is_partial")).transpose().map_err(Error::from)?;
    Ok(Json(Dispatch { orders, summary, summary_is_partial: is_partial.unwrap_or_default(), next_cursor }))
}

impl TryFrom<&Row> for OrderToDispatch {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self { order: Order::try_from(row)?, overdue: row.try_get("overdue")? })
    }
}

impl TryFrom<&Row> for DispatchDay {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            marketplace: row.try_get("marketplace_code")?,
            day: row.try_get("day")?,
            orders: row.try_get("orders")?,
            overdue: row.try_get("overdue")?,
        })
    }
}
