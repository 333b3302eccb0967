//! `/v1/sellers/{sellerId}/inventory`: available stock as marketplaces report it.

use axum::Json;
use chrono::{DateTime, Utc};
use robnu_tenancy::{AccountId, Error, ListingId, Params, Row};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::paging::{Direction, Start, at, page};
use crate::cursor::{List, Position};
use crate::identity::Member;
use crate::known_text::InventorySort;
use crate::lists::Lists;
use crate::problem::ApiError;
use crate::query::{LabelParam, MarketplaceParam, Page, QueryParams};
use crate::route_permissions::Read;

const NEWEST: &str = include_str!("../sql/inventory/newest.sql");
const NEWEST_OF_SKU: &str = include_str!("../sql/inventory/newest_of_sku.sql");
const LOWEST: &str = include_str!("../sql/inventory/lowest.sql");
const LOWEST_OF_SKU: &str = include_str!("../sql/inventory/lowest_of_sku.sql");

/// The bounds of the filter.
const AVAILABLE: std::ops::RangeInclusive<i32> = -1_000_000_000..=1_000_000_000;

/// A page of stock.
#[derive(Serialize, ToSchema)]
pub struct Inventory {
    inventory: Vec<Stock>,
    next_cursor: Option<String>,
}

/// The stock of an article in one location.
#[derive(Serialize, ToSchema)]
pub struct Stock {
    stock_id: Uuid,
    #[schema(value_type = Uuid)]
    account_id: AccountId,
    marketplace: String,
    /// Null until the listing is known here.
    #[schema(value_type = Option<Uuid>)]
    listing_id: Option<ListingId>,
    sku: String,
    /// The marketplace's id of the location; empty where it has only one.
    location: String,
    /// Units that can still be sold.
    available: i32,
    /// Units reserved for open orders.
    reserved: i32,
    reported_at: DateTime<Utc>,
}

/// The seller's stock
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/inventory", operation_id = "list_inventory", tag = "listings",
    params(
        ("account_id" = Option<Uuid>, Query, description = "Stock of this account only."),
        ("marketplace" = inline(Option<MarketplaceParam>), Query, description = "Stock on this marketplace only."),
        ("sku" = inline(Option<LabelParam>), Query, description = "Stock of this article only."),
        ("available_max" = Option<i32>, Query, minimum = -1_000_000_000, maximum = 1_000_000_000, description = "Stock with at most this many units available."),
        ("sort" = inline(Option<InventorySort>), Query, description = "newest (the default) sorts by the time of the report, lowest by the units available."),
        Page
    ),
    responses((status = 200, body = Inventory))
)]
pub async fn list(
    lists: Lists,
    member: Member<Read>,
    mut query: QueryParams,
) -> Result<Json<Inventory>, ApiError> {
    let account: Option<AccountId> = query.id("account_id");
    let marketplace = query.marketplace();
    let sku = query.label("sku");
    let most: Option<i32> = query.read("available_max", "must be a whole number up to a billion", |text| {
        text.parse().ok().filter(|most| AVAILABLE.contains(most))
    });
    let sort = query.read("sort", "is not an order of this list", InventorySort::parse);
    let by_stock = sort == Some(InventorySort::lowest);
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list =
        List::new("inventory", member.scope.seller_id(), &(account, &marketplace, &sku, most, by_stock));
    let (sql, direction) = match (by_stock, sku.is_some()) {
        (true, true) => (LOWEST_OF_SKU, Direction::Up),
        (true, false) => (LOWEST, Direction::Up),
        (false, true) => (NEWEST_OF_SKU, Direction::Down),
        (false, false) => (NEWEST, Direction::Down),
    };
    let start = Start::new(&list, cursor.as_deref(), direction)?;
    let (times, numbers, fetch) = (start.times(None, None)?, start.numbers(None, None), limit + 1);
    let number = i32::try_from(numbers.above).unwrap_or(i32::MIN);
    let [place, id]: [&(dyn robnu_tenancy::ToSql + Sync); 2] =
        if by_stock { [&number, &numbers.above_id] } else { [&times.below, &times.below_id] };
    let params: Params<'_> = &[place, id, &fetch, &account, &marketplace, &sku, &most];
    let rows = lists.read(&member.scope, sql, params).await?;
    let (inventory, next_cursor) = page(&list, &rows, limit, |last: &Stock| {
        let id = last.stock_id;
        if by_stock { Position { micros: i64::from(last.available), id } } else { at(last.reported_at, id) }
    })?;
    Ok(Json(Inventory { inventory, next_cursor }))
}

impl TryFrom<&Row> for Stock {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            stock_id: row.try_get("id")?,
            account_id: row.try_get("account_id")?,
            marketplace: row.try_get("marketplace_code")?,
            listing_id: row.try_get("listing_id")?,
            sku: row.try_get("sku")?,
            location: row.try_get("location")?,
            available: row.try_get("available")?,
            reserved: row.try_get("reserved")?,
            reported_at: row.try_get("reported_at")?,
        })
    }
}
