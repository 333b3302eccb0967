//! The entries of payouts with their lines, and those that are announced and not paid yet.

use axum::Json;
use axum::extract::State;
use robnu_tenancy::{AccountId, Params, PayoutId};
use serde::Serialize;
use utoipa::ToSchema;

use super::EXISTS;
use super::rows::PayoutEntry;
use crate::context::SharedContext;
use crate::cursor::{List, Position};
use crate::identity::{Member, PathId};
use crate::known_text::PayoutLineType;
use crate::problem::{ApiError, Missing};
use crate::query::{LabelParam, Page, QueryParams};
use crate::route_permissions::PayoutsRead;
use crate::routes::paging::{Direction, Start, page};

const ENTRIES: &str = include_str!("../../sql/payouts/entries.sql");
const ANNOUNCED: &str = include_str!("../../sql/payouts/announced.sql");

/// A page of entries.
#[derive(Serialize, ToSchema)]
pub struct PayoutEntries {
    entries: Vec<PayoutEntry>,
    next_cursor: Option<String>,
}

fn position(last: &PayoutEntry) -> Position {
    Position { micros: 0, id: last.entry_id }
}

/// The entries of a payout with their lines, in the order in which they came
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/payouts/{payoutId}/entries", operation_id = "list_payout_entries", tag = "payouts",
    params(
        ("line_type" = inline(Option<PayoutLineType>), Query, description = "Entries with a line of this type only."),
        ("external_order_id" = inline(Option<LabelParam>), Query, description = "Entries of this order only."),
        ("unbalanced" = Option<bool>, Query, description = "true: only entries whose lines are not the stated amount."),
        Page
    ),
    responses((status = 200, body = PayoutEntries))
)]
pub async fn list(
    State(context): State<SharedContext>,
    member: Member<PayoutsRead>,
    PathId(payout): PathId<PayoutId>,
    mut query: QueryParams,
) -> Result<Json<PayoutEntries>, ApiError> {
    let kind = query.read("line_type", "is not a line's type", PayoutLineType::parse);
    let kind = kind.map(PayoutLineType::as_str);
    let order = query.label("external_order_id");
    let unbalanced = query.flag("unbalanced").then_some(true);
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::new("payout_entries", member.scope.seller_id(), &(payout, kind, &order, unbalanced));
    let after = Start::new(&list, cursor.as_deref(), Direction::Up)?.id();
    let params: Params<'_> = &[&payout, &after, &(limit + 1), &kind, &order, &unbalanced];
    let session = context.database.session(&member.scope).await?;
    let answers = session.commit_with(&[(EXISTS, &[&payout]), (ENTRIES, params)]).await?;
    if answers[0].is_empty() {
        return Err(ApiError::NotFound(Missing::Payout));
    }
    let (entries, next_cursor) = page(&list, &answers[1], limit, position)?;
    Ok(Json(PayoutEntries { entries, next_cursor }))
}

/// What is announced and not paid yet
///
/// Open documents of AJIO, deferred transactions of Amazon, upcoming payments of Meesho. Once such an entry is paid, it is in its payout instead.
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/announced-entries", operation_id = "list_announced_entries", tag = "payouts",
    params(
        ("account_id" = Option<Uuid>, Query, description = "Entries of this account only."),
        ("external_order_id" = inline(Option<LabelParam>), Query, description = "Entries of this order only."),
        Page
    ),
    responses((status = 200, body = PayoutEntries))
)]
pub async fn announced(
    State(context): State<SharedContext>,
    member: Member<PayoutsRead>,
    mut query: QueryParams,
) -> Result<Json<PayoutEntries>, ApiError> {
    let account: Option<AccountId> = query.id("account_id");
    let order = query.label("external_order_id");
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::new("announced_entries", member.scope.seller_id(), &(account, &order));
    let after = Start::new(&list, cursor.as_deref(), Direction::Up)?.id();
    let params: Params<'_> = &[&after, &(limit + 1), &account, &order];
    let rows = context.database.read(&member.scope, ANNOUNCED, params).await?;
    let (entries, next_cursor) = page(&list, &rows, limit, position)?;
    Ok(Json(PayoutEntries { entries, next_cursor }))
}
