//! `/v1/sellers/{sellerId}/returns`: returns, and one return with its lines, its claim and its events.

mod rows;
pub mod scan;
pub mod scans;

use axum::Json;
use axum::extract::State;
use robnu_tenancy::{AccountId, ClaimId, Error, Params, ReturnId};
use serde::Serialize;
use utoipa::ToSchema;

use super::paging::{Direction, Start, at, page, total};
use crate::both_ways::{RETURNS, RETURNS_OF_ACCOUNTS, RETURNS_OF_RECEIPT, RETURNS_OF_STATUS};
use crate::context::SharedContext;
use crate::cursor::List;
use crate::identity::{Member, PathId};
use crate::known_text::{ClaimStatus, ReceiptStatus, ReturnSort, ReturnStatus, ReturnType};
use crate::lists::Lists;
use crate::problem::{ApiError, Missing};
use crate::query::{MarketplaceParam, Page, QueryParams};
use crate::route_permissions::Read;

use rows::{Return, ReturnDocument, ReturnEvent, ReturnLine};

const FILE_BY: &str = include_str!("../sql/returns/file_by.sql");
const RETURN: &str = include_str!("../sql/returns/show.sql");
const ITEMS: &str = include_str!("../sql/returns/items.sql");
const EVENTS: &str = include_str!("../sql/returns/events.sql");
const CLAIM: &str = include_str!("../sql/returns/claim.sql");

/// A page of returns.
#[derive(Serialize, ToSchema)]
pub struct Returns {
    returns: Vec<Return>,
    next_cursor: Option<String>,
}

/// One return with all its parts.
#[derive(Serialize, ToSchema)]
pub struct WholeReturn {
    #[serde(flatten)]
    head: Return,
    /// The document that settles the return, once the marketplace states one.
    document: Option<ReturnDocument>,
    /// The fields of the return that could not be read, and what was wrong with them.
    notes: Vec<String>,
    lines: Vec<ReturnLine>,
    /// The newest 200 events, in the order in which they happened.
    events: Vec<ReturnEvent>,
    /// The number of all events.
    events_total: i64,
    claim: Option<ClaimOfReturn>,
}

/// The claim for a return.
#[derive(Serialize, ToSchema)]
pub struct ClaimOfReturn {
    #[schema(value_type = Uuid)]
    claim_id: ClaimId,
    status: ClaimStatus,
}

/// The seller's returns
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/returns", operation_id = "list_returns", tag = "returns",
    params(
        ("account_id" = Option<Uuid>, Query, description = "Returns of this account only."),
        ("marketplace" = inline(Option<MarketplaceParam>), Query, description = "Returns of this marketplace only."),
        ("status" = inline(Option<ReturnStatus>), Query, description = "Returns with this status only."),
        ("internal_status" = inline(Option<ReceiptStatus>), Query, description = "Returns with this internal status only."),
        ("return_type" = inline(Option<ReturnType>), Query, description = "Returns of this type only."),
        ("initiated_from" = Option<DateTime<Utc>>, Query, description = "Returns started at or after this instant."),
        ("initiated_to" = Option<DateTime<Utc>>, Query, description = "Returns started before this instant."),
        ("file_by_before" = Option<DateTime<Utc>>, Query, description = "Returns for which a claim must be filed before this instant."),
        ("sort" = inline(Option<ReturnSort>), Query, description = "newest (the default) and oldest sort by the start of the return. file_by lists only what can still be claimed for until a known date, the most urgent first: returns that are neither cancelled nor received in good condition, without a claim that was filed or cancelled."),
        Page
    ),
    responses((status = 200, body = Returns))
)]
pub async fn list(
    lists: Lists,
    member: Member<Read>,
    mut query: QueryParams,
) -> Result<Json<Returns>, ApiError> {
    let account: Option<AccountId> = query.id("account_id");
    let marketplace = query.marketplace();
    let status =
        query.read("status", "is not a return status", ReturnStatus::parse).map(ReturnStatus::as_str);
    let internal = query.read("internal_status", "is not an internal status", ReceiptStatus::parse);
    let internal = internal.map(ReceiptStatus::as_str);
    let kind = query.read("return_type", "is not a return type", ReturnType::parse).map(ReturnType::as_str);
    let (from, to) = (query.instant("initiated_from"), query.instant("initiated_to"));
    let file_before = query.instant("file_by_before");
    let sort =
        query.read("sort", "is not an order of this list", ReturnSort::parse).unwrap_or(ReturnSort::newest);
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let filters = (account, &marketplace, status, internal, kind, from, to, file_before, sort);
    let list = List::new("returns", member.scope.seller_id(), &filters);
    let by_account = account.is_some() || marketplace.is_some();
    let direction = if sort == ReturnSort::newest { Direction::Down } else { Direction::Up };
    let by_deadline = sort == ReturnSort::file_by;
    let sql = match sort {
        ReturnSort::file_by => FILE_BY,
        _ if internal.is_some() => direction.of(&RETURNS_OF_RECEIPT),
        _ if status.is_some() => direction.of(&RETURNS_OF_STATUS),
        _ if by_account => direction.of(&RETURNS_OF_ACCOUNTS),
        _ => direction.of(&RETURNS),
    };
    let start = Start::new(&list, cursor.as_deref(), direction)?;
    // The sort key also bounds the pages; the other times are filters.
    let window = if by_deadline { start.times(None, file_before)? } else { start.times(from, to)? };
    let [below, below_id, above, above_id] = window.params();
    let fetch = limit + 1;
    let time = if by_deadline { &from } else { &file_before };
    let params: Params<'_> = &[
        below,
        below_id,
        above,
        above_id,
        &fetch,
        &account,
        &marketplace,
        &status,
        &internal,
        &kind,
        time,
        &to,
    ];
    let params = if by_deadline { params } else { &params[..11] };
    let rows = lists.read(&member.scope, sql, params).await?;
    let (returns, next_cursor) = page(&list, &rows, limit, |last: &Return| {
        // A list by deadline holds only returns that have one.
        let instant = last.file_by.filter(|_| by_deadline).unwrap_or(last.initiated_at);
        at(instant, *last.return_id.as_uuid())
    })?;
    Ok(Json(Returns { returns, next_cursor }))
}

/// A return with its lines, its claim and its events
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/returns/{returnId}", operation_id = "get_return", tag = "returns",
    responses((status = 200, body = WholeReturn))
)]
pub async fn show(
    State(context): State<SharedContext>,
    member: Member<Read>,
    PathId(id): PathId<ReturnId>,
) -> Result<Json<WholeReturn>, ApiError> {
    let session = context.database.session(&member.scope).await?;
    let statements: [(&str, Params<'_>); 4] =
        [(RETURN, &[&id]), (ITEMS, &[&id]), (EVENTS, &[&id]), (CLAIM, &[&id])];
    let answers = session.commit_with(&statements).await?;
    let row = answers[0].first().ok_or(ApiError::NotFound(Missing::Return))?;
    let claim = answers[3].first().map(|row| -> Result<_, Error> {
        Ok(ClaimOfReturn { claim_id: row.try_get("id")?, status: ClaimStatus::read(row, "status")? })
    });
    Ok(Json(WholeReturn {
        head: Return::try_from(row)?,
        document: ReturnDocument::read(row)?,
        notes: row.try_get("notes").map_err(Error::from)?,
        lines: answers[1].iter().map(ReturnLine::try_from).collect::<Result<_, _>>()?,
        events: answers[2].iter().map(ReturnEvent::try_from).collect::<Result<_, _>>()?,
        events_total: total(&answers[2])?,
        claim: claim.transpose()?,
    }))
}
