//! `/v1/sellers/{sellerId}/listings`: articles as marketplaces list them.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use robnu_tenancy::{AccountId, Error, ListingId, Params, Row};
use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::ToSchema;

use super::money::Amount;
use super::paging::{Direction, Start, at, page};
use crate::both_ways::{LISTINGS, LISTINGS_OF_ACCOUNTS, LISTINGS_OF_SKU};
use crate::context::SharedContext;
use crate::cursor::List;
use crate::identity::{Member, PathId};
use crate::known_text::{ListingStatus, TimeSort};
use crate::lists::Lists;
use crate::problem::{ApiError, Missing};
use crate::query::{LabelParam, MarketplaceParam, Page, QueryParams};
use crate::route_permissions::Read;

const LISTING: &str = include_str!("../sql/listings/show.sql");

/// A page of listings.
#[derive(Serialize, ToSchema)]
pub struct Listings {
    listings: Vec<Listing>,
    next_cursor: Option<String>,
}

/// An article as a marketplace lists it.
#[derive(Serialize, ToSchema)]
pub struct Listing {
    #[schema(value_type = Uuid)]
    listing_id: ListingId,
    #[schema(value_type = Uuid)]
    account_id: AccountId,
    marketplace: String,
    external_listing_id: String,
    /// The marketplace's id of the product: an FSN, an ASIN, an EAN.
    external_product_id: Option<String>,
    sku: String,
    title: Option<String>,
    size: Option<String>,
    status: ListingStatus,
    marketplace_status: String,
    hsn: Option<String>,
    currency: String,
    /// The maximum retail price (MRP), the highest price allowed in India.
    mrp: Option<Amount>,
    selling_price: Option<Amount>,
    updated_at: DateTime<Utc>,
}

/// The seller's listings
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/listings", operation_id = "list_listings", tag = "listings",
    params(
        ("account_id" = Option<Uuid>, Query, description = "Listings of this account only."),
        ("marketplace" = inline(Option<MarketplaceParam>), Query, description = "Listings on this marketplace only."),
        ("status" = inline(Option<ListingStatus>), Query, description = "Listings with this status only."),
        ("sku" = inline(Option<LabelParam>), Query, description = "Listings of this article only."),
        ("sort" = inline(Option<TimeSort>), Query, description = "By the time of the last change; newest is the default."),
        Page
    ),
    responses((status = 200, body = Listings))
)]
pub async fn list(
    lists: Lists,
    member: Member<Read>,
    mut query: QueryParams,
) -> Result<Json<Listings>, ApiError> {
    let account: Option<AccountId> = query.id("account_id");
    let marketplace = query.marketplace();
    let status =
        query.read("status", "is not a listing status", ListingStatus::parse).map(ListingStatus::as_str);
    let sku = query.label("sku");
    let sort =
        query.read("sort", "is not an order of this list", TimeSort::parse).unwrap_or(TimeSort::newest);
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let filters = (account, &marketplace, status, &sku, sort);
    let list = List::new("listings", member.scope.seller_id(), &filters);
    let by_account = account.is_some() || marketplace.is_some();
    let direction = Direction::by_time(sort);
    let sql = if sku.is_some() {
        direction.of(&LISTINGS_OF_SKU)
    } else if by_account {
        direction.of(&LISTINGS_OF_ACCOUNTS)
    } else {
        direction.of(&LISTINGS)
    };
    let window = Start::new(&list, cursor.as_deref(), direction)?.times(None, None)?;
    let [below, below_id, above, above_id] = window.params();
    let fetch = limit + 1;
    let params: Params<'_> =
        &[below, below_id, above, above_id, &fetch, &account, &marketplace, &status, &sku];
    let rows = lists.read(&member.scope, sql, params).await?;
    let (listings, next_cursor) =
        page(&list, &rows, limit, |last: &Listing| at(last.updated_at, *last.listing_id.as_uuid()))?;
    Ok(Json(Listings { listings, next_cursor }))
}

/// A listing
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/listings/{listingId}", operation_id = "get_listing", tag = "listings",
    responses((status = 200, body = Listing))
)]
pub async fn show(
    State(context): State<SharedContext>,
    member: Member<Read>,
    PathId(id): PathId<ListingId>,
) -> Result<Json<Listing>, ApiError> {
    let rows = context.database.read(&member.scope, LISTING, &[&id]).await?;
    let row = rows.first().ok_or(ApiError::NotFound(Missing::Listing))?;
    Ok(Json(Listing::try_from(row)?))
}

impl TryFrom<&Row> for Listing {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            listing_id: row.try_get("id")?,
            account_id: row.try_get("account_id")?,
            marketplace: row.try_get("marketplace_code")?,
            external_listing_id: row.try_get("external_listing_id")?,
            external_product_id: row.try_get("external_product_id")?,
            sku: row.try_get("sku")?,
            title: row.try_get("title")?,
            size: row.try_get("size")?,
            status: ListingStatus::read(row, "status")?,
            marketplace_status: row.try_get("marketplace_status")?,
            hsn: row.try_get("hsn")?,
            currency: row.try_get("currency")?,
            mrp: row.try_get::<_, Option<Decimal>>("mrp")?.map(Amount::from),
            selling_price: row.try_get::<_, Option<Decimal>>("selling_price")?.map(Amount::from),
            updated_at: row.try_get("updated_at")?,
        })
    }
}
