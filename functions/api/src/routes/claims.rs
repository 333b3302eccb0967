//! `/v1/sellers/{sellerId}/claims`: the seller's claims for returns, and the status of each claim.

mod rows;
pub mod steps;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use robnu_tenancy::{AccountId, ClaimId, Params, ReturnId, Row};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::documents::rows::Document;
use super::money::{AmountText, amount};
use super::paging::{Direction, Start, at, page, total};
use crate::both_ways::{CLAIMS, CLAIMS_OF_ACCOUNTS, CLAIMS_OF_STATUS};
use crate::context::SharedContext;
use crate::cursor::List;
use crate::fields::{label, label_schema};
use crate::idempotency::{KeyedJson, Reply};
use crate::identity::{Member, PathId};
use crate::json::present;
use crate::known_text::{ClaimReason, ClaimStatus, TimeSort};
use crate::lists::Lists;
use crate::problem::refusals::CLAIM_EXISTS;
use crate::problem::{ApiError, Missing};
use crate::query::{MarketplaceParam, Page, QueryParams};
use crate::route_permissions::{ClaimsFile, Read};
use crate::variants;
use crate::versions::{Tagged, Versioned};

use rows::{Claim, ClaimEvent};

const CLAIM: &str = include_str!("../sql/claims/show.sql");
const EVENTS: &str = include_str!("../sql/claims/events.sql");
const FILE: &str = include_str!("../sql/claims/file.sql");
const CLAIM_OF_RETURN: &str = include_str!("../sql/claims/of_return.sql");
const RETURN_EXISTS: &str = include_str!("../sql/returns/exists.sql");

const EVIDENCE: &str = variants::DOCUMENTS_OF_CLAIM.text;

/// How many documents a claim is shown with.
const MAX_DOCUMENTS: i64 = 100;
/// Longest note on a claim, in characters.
const MAX_NOTE: usize = 1000;
/// Longest number of a marketplace's ticket, in characters.
const MAX_REFERENCE: usize = 100;

/// A page of claims.
#[derive(Serialize, ToSchema)]
pub struct Claims {
    claims: Vec<Claim>,
    next_cursor: Option<String>,
}

/// One claim with its steps and its evidence.
#[derive(Serialize, ToSchema)]
pub struct WholeClaim {
    #[serde(flatten)]
    head: Claim,
    /// The claim's newest 200 steps, in the order in which they happened.
    events: Vec<ClaimEvent>,
    /// The number of all steps.
    events_total: i64,
    /// The claim's newest 100 documents, newest first. `list_documents` shows them all.
    documents: Vec<Document>,
}

impl Versioned for WholeClaim {
    fn version(&self) -> i32 {
        self.head.version
    }
}

/// A claim to be filed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FileClaim {
    reason: ClaimReason,
    #[serde(default, deserialize_with = "present")]
    #[schema(schema_with = label_schema::<MAX_NOTE>, required = false)]
    note: Option<String>,
    /// The number of the marketplace's ticket, if there is one already.
    #[serde(default, deserialize_with = "present")]
    #[schema(schema_with = label_schema::<MAX_REFERENCE>, required = false)]
    marketplace_reference: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = AmountText, required = false)]
    claimed_amount: Option<AmountText>,
}

/// The seller's claims
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/claims", operation_id = "list_claims", tag = "claims",
    params(
        ("account_id" = Option<Uuid>, Query, description = "Claims for returns of this account only."),
        ("marketplace" = inline(Option<MarketplaceParam>), Query, description = "Claims on this marketplace only."),
        ("status" = inline(Option<ClaimStatus>), Query, description = "Claims with this status only."),
        ("reason" = inline(Option<ClaimReason>), Query, description = "Claims for this reason only."),
        ("created_from" = Option<DateTime<Utc>>, Query, description = "Claims created at or after this instant."),
        ("created_to" = Option<DateTime<Utc>>, Query, description = "Claims created before this instant."),
        ("sort" = inline(Option<TimeSort>), Query, description = "By the time of creation; newest is the default."),
        Page
    ),
    responses((status = 200, body = Claims))
)]
pub async fn list(
    lists: Lists,
    member: Member<Read>,
    mut query: QueryParams,
) -> Result<Json<Claims>, ApiError> {
    let account: Option<AccountId> = query.id("account_id");
    let marketplace = query.marketplace();
    let status = query.read("status", "is not a claim status", ClaimStatus::parse).map(ClaimStatus::as_str);
    let reason = query.read("reason", "is not a claim's reason", ClaimReason::parse).map(ClaimReason::as_str);
    let (from, to) = (query.instant("created_from"), query.instant("created_to"));
    let sort =
        query.read("sort", "is not an order of this list", TimeSort::parse).unwrap_or(TimeSort::newest);
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let filters = (account, &marketplace, status, reason, from, to, sort);
    let list = List::new("claims", member.scope.seller_id(), &filters);
    let by_account = account.is_some() || marketplace.is_some();
    let direction = Direction::by_time(sort);
    let sql = if status.is_some() {
        direction.of(&CLAIMS_OF_STATUS)
    } else if by_account {
        direction.of(&CLAIMS_OF_ACCOUNTS)
    } else {
        direction.of(&CLAIMS)
    };
    let window = Start::new(&list, cursor.as_deref(), direction)?.times(from, to)?;
    let [below, below_id, above, above_id] = window.params();
    let fetch = limit + 1;
    let params: Params<'_> =
        &[below, below_id, above, above_id, &fetch, &account, &marketplace, &status, &reason];
    let rows = lists.read(&member.scope, sql, params).await?;
    let (claims, next_cursor) =
        page(&list, &rows, limit, |last: &Claim| at(last.created_at, *last.claim_id.as_uuid()))?;
    Ok(Json(Claims { claims, next_cursor }))
}

/// A claim with its steps and its evidence
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/claims/{claimId}", operation_id = "get_claim", tag = "claims",
    responses((status = 200, body = WholeClaim))
)]
pub async fn show(
    State(context): State<SharedContext>,
    member: Member<Read>,
    PathId(id): PathId<ClaimId>,
) -> Result<Tagged<WholeClaim>, ApiError> {
    let session = context.database.session(&member.scope).await?;
    let newest: Params<'_> = &[&Uuid::max(), &MAX_DOCUMENTS, &id];
    let statements: [(&str, Params<'_>); 3] = [(CLAIM, &[&id]), (EVENTS, &[&id]), (EVIDENCE, newest)];
    let answers = session.commit_with(&statements).await?;
    let row = answers[0].first().ok_or(ApiError::NotFound(Missing::Claim))?;
    let events = answers[1].iter().map(ClaimEvent::try_from).collect::<Result<_, _>>()?;
    let documents = answers[2].iter().map(Document::try_from).collect::<Result<_, _>>()?;
    let events_total = total(&answers[1])?;
    Ok(Tagged(WholeClaim { head: Claim::try_from(row)?, events, events_total, documents }))
}

/// Files a claim for a return
///
/// A claim for a return that was not received can be filed when it counts as lost (`missing_at`), or earlier once the
/// marketplace says that it was delivered. A claim for a fault can be filed when the return was scanned as received. Both end at
/// `file_by` for their reason; while that is unknown, they have no end here.
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/returns/{returnId}/claim", operation_id = "file_claim", tag = "claims",
    responses((status = 201, description = "The claim", body = Claim))
)]
pub async fn file(
    State(context): State<SharedContext>,
    member: Member<ClaimsFile>,
    PathId(claimed): PathId<ReturnId>,
    KeyedJson(body, idempotency): KeyedJson<FileClaim>,
) -> Result<Reply<Claim>, ApiError> {
    let note = optional_label("note", body.note.as_deref(), MAX_NOTE)?;
    let reference =
        optional_label("marketplace_reference", body.marketplace_reference.as_deref(), MAX_REFERENCE)?;
    let claimed_amount = amount("claimed_amount", body.claimed_amount.as_ref())?;
    let reason = body.reason.as_str();
    let effect: [(&str, Params<'_>); 3] = [
        (FILE, &[&claimed, &reason, &note, &reference, &claimed_amount]),
        (RETURN_EXISTS, &[&claimed]),
        (CLAIM_OF_RETURN, &[&claimed]),
    ];
    let read = |answers: &[Vec<Row>]| {
        if answers[1].is_empty() {
            return Err(ApiError::NotFound(Missing::Return));
        }
        let row = answers[2].first().filter(|_| !answers[0].is_empty());
        Ok((StatusCode::CREATED, Claim::try_from(row.ok_or(ApiError::Refused(&CLAIM_EXISTS))?)?))
    };
    idempotency.run(&context.database, &member.scope, &effect, read).await
}

fn optional_label(field: &str, text: Option<&str>, max: usize) -> Result<Option<String>, ApiError> {
    let text = text.map(|text| label(field, text, max)).transpose();
    text.map_err(|problem| ApiError::InvalidBody(vec![problem]))
}
