//! `/v1/sellers/{sellerId}/payouts`: marketplaces' payouts, their entries with lines, and what later runs changed in them.

pub(crate) mod changes;
pub(crate) mod entries;
pub(crate) mod money;
mod rows;

use axum::Json;
use axum::extract::State;
use robnu_tenancy::{AccountId, Params, PayoutId, ToSql};
use serde::Serialize;
use utoipa::ToSchema;

use super::money::{SignedAmountParam, minor_units};
use super::paging::{Direction, Start, at, page};
use crate::both_ways::{PAYOUTS, PAYOUTS_BY_AMOUNT, PAYOUTS_OF_ACCOUNTS};
use crate::context::SharedContext;
use crate::cursor::{List, Position};
use crate::identity::{Member, PathId};
use crate::known_text::{PayoutSort, PayoutStatus};
use crate::lists::Lists;
use crate::problem::{ApiError, Missing};
use crate::query::{MarketplaceParam, Page, QueryParams};
use crate::route_permissions::PayoutsRead;

use rows::{Payout, PayoutTotal};

const PAYOUT: &str = include_str!("../sql/payouts/show.sql");
const TOTALS: &str = include_str!("../sql/payouts/totals.sql");
pub(super) const EXISTS: &str = include_str!("../sql/payouts/exists.sql");

/// A page of payouts.
#[derive(Serialize, ToSchema)]
pub struct Payouts {
    payouts: Vec<Payout>,
    next_cursor: Option<String>,
}

/// One payout with the totals of its lines.
#[derive(Serialize, ToSchema)]
pub struct WholePayout {
    #[serde(flatten)]
    head: Payout,
    totals: Vec<PayoutTotal>,
}

/// The seller's payouts
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/payouts", operation_id = "list_payouts", tag = "payouts",
    params(
        ("account_id" = Option<Uuid>, Query, description = "Payouts of this account only."),
        ("marketplace" = inline(Option<MarketplaceParam>), Query, description = "Payouts of this marketplace only."),
        ("status" = inline(Option<PayoutStatus>), Query, description = "Payouts with this status only."),
        ("settled_from" = Option<DateTime<Utc>>, Query, description = "Payouts settled at or after this instant."),
        ("settled_to" = Option<DateTime<Utc>>, Query, description = "Payouts settled before this instant."),
        ("net_min" = inline(Option<SignedAmountParam>), Query, description = "Payouts of at least this net amount."),
        ("net_max" = inline(Option<SignedAmountParam>), Query, description = "Payouts of at most this net amount."),
        ("sort" = inline(Option<PayoutSort>), Query, description = "newest (the default) and oldest sort by the time of settlement, largest and smallest by the net amount."),
        Page
    ),
    responses((status = 200, body = Payouts))
)]
pub async fn list(
    lists: Lists,
    member: Member<PayoutsRead>,
    mut query: QueryParams,
) -> Result<Json<Payouts>, ApiError> {
    let account: Option<AccountId> = query.id("account_id");
    let marketplace = query.marketplace();
    let status =
        query.read("status", "is not a payout status", PayoutStatus::parse).map(PayoutStatus::as_str);
    let (from, to) = (query.instant("settled_from"), query.instant("settled_to"));
    let expected = "must be a decimal number with at most two places";
    let (least, most) =
        (query.read("net_min", expected, minor_units), query.read("net_max", expected, minor_units));
    let sort =
        query.read("sort", "is not an order of this list", PayoutSort::parse).unwrap_or(PayoutSort::newest);
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let filters = (account, &marketplace, status, from, to, least, most, sort);
    let list = List::new("payouts", member.scope.seller_id(), &filters);
    let by_account = account.is_some() || marketplace.is_some();
    let (by_amount, direction) = match sort {
        PayoutSort::largest => (true, Direction::Down),
        PayoutSort::smallest => (true, Direction::Up),
        PayoutSort::oldest => (false, Direction::Up),
        _ => (false, Direction::Down),
    };
    let sql = if by_amount {
        direction.of(&PAYOUTS_BY_AMOUNT)
    } else if by_account {
        direction.of(&PAYOUTS_OF_ACCOUNTS)
    } else {
        direction.of(&PAYOUTS)
    };
    let start = Start::new(&list, cursor.as_deref(), direction)?;
    // The sort key also bounds the pages; the other parameter is a filter.
    let (times, amounts) = (start.times(from, to)?, start.numbers(least, most));
    let [below, below_id, above, above_id] = if by_amount { amounts.params() } else { times.params() };
    let [first, second]: [&(dyn ToSql + Sync); 2] = if by_amount { [&from, &to] } else { [&least, &most] };
    let fetch = limit + 1;
    let params: Params<'_> =
        &[below, below_id, above, above_id, &fetch, &account, &marketplace, &status, first, second];
    let rows = lists.read(&member.scope, sql, params).await?;
    let (payouts, next_cursor) = page(&list, &rows, limit, |last: &Payout| {
        let id = *last.payout_id.as_uuid();
        if by_amount { Position { micros: last.net_minor, id } } else { at(last.settled_at, id) }
    })?;
    Ok(Json(Payouts { payouts, next_cursor }))
}

/// A payout with the totals of its lines
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/payouts/{payoutId}", operation_id = "get_payout", tag = "payouts",
    responses((status = 200, body = WholePayout))
)]
pub async fn show(
    State(context): State<SharedContext>,
    member: Member<PayoutsRead>,
    PathId(id): PathId<PayoutId>,
) -> Result<Json<WholePayout>, ApiError> {
    let session = context.database.session(&member.scope).await?;
    let answers = session.commit_with(&[(PAYOUT, &[&id]), (TOTALS, &[&id])]).await?;
    let row = answers[0].first().ok_or(ApiError::NotFound(Missing::Payout))?;
    let totals = answers[1].iter().map(PayoutTotal::try_from).collect::<Result<_, _>>()?;
    Ok(Json(WholePayout { head: Payout::try_from(row)?, totals }))
}
