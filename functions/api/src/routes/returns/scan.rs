//! `/v1/sellers/{sellerId}/returns/scan`: a parcel has arrived and its code was scanned.
//!
//! The code may be any number on the parcel: the return's number or air waybill, or those of the outbound parcel. Scanning
//! twice is harmless: the first time stays, and the second scan is noted.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use robnu_tenancy::{Error, Params, ReturnId, Row};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::rows::Return;
use crate::context::SharedContext;
use crate::fields::{label, label_schema};
use crate::idempotency::{KeyedJson, Reply};
use crate::identity::Member;
use crate::json::present;
use crate::known_text::{ReceiptStatus, ReturnStatus, ScanOutcome, ScanPrediction};
use crate::problem::refusals::RETURN_CANCELLED;
use crate::problem::{ApiError, FieldProblem, Missing};
use crate::query::{LabelParam, QueryParams};
use crate::route_permissions::{ReturnsScan, ToRead};

const PREVIEW: &str = include_str!("../../sql/returns/scan_preview.sql");
const SCAN: &str = include_str!("../../sql/returns/scan.sql");

/// Longest code, in characters.
const MAX_CODE: usize = 100;

/// A code that was scanned.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ScanReturn {
    #[schema(schema_with = label_schema::<MAX_CODE>)]
    code: String,
    /// The return to receive, when the code matches several.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Uuid, required = false)]
    return_id: Option<ReturnId>,
}

/// The result of a scan.
#[derive(Serialize, ToSchema)]
pub struct Scanned {
    outcome: ScanOutcome,
    #[serde(rename = "return")]
    found: ScannedReturn,
}

/// The result that a scan would have.
#[derive(Serialize, ToSchema)]
pub struct ScanPreview {
    outcome: ScanPrediction,
    /// The returns that the code matches, at most 200, cancelled ones last.
    returns: Vec<ScannedReturn>,
}

/// A return and the expected content of the parcel.
#[derive(Serialize, ToSchema)]
pub struct ScannedReturn {
    #[serde(flatten)]
    head: Return,
    contents: Vec<ParcelLine>,
}

/// An article expected in a parcel.
#[derive(Serialize, ToSchema)]
pub struct ParcelLine {
    sku: Option<String>,
    title: Option<String>,
    size: Option<String>,
    quantity: i32,
}

/// Shows which return scanning a code would receive
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/returns/scan", operation_id = "preview_return_scan", tag = "returns",
    params(("code" = inline(LabelParam), Query, description = "A number on the parcel.")),
    responses((status = 200, body = ScanPreview))
)]
pub async fn preview(
    State(context): State<SharedContext>,
    member: Member<ToRead<ReturnsScan>>,
    mut query: QueryParams,
) -> Result<Json<ScanPreview>, ApiError> {
    let code = query.label("code");
    query.finish()?;
    let code = code.ok_or_else(|| ApiError::InvalidQuery(vec![FieldProblem::new("code", "is required")]))?;
    let rows = context.database.read(&member.scope, PREVIEW, &[&code, &None::<ReturnId>]).await?;
    let returns = found(&rows)?;
    let outcome = predict(&returns).ok_or(ApiError::NotFound(Missing::Return))?;
    Ok(Json(ScanPreview { outcome, returns }))
}

/// Receives the return that a code matches
///
/// A second scan of the same return is noted and changes nothing. A return with a claim is received too, and its claim is
/// reopened with the scan as evidence.
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/returns/scan", operation_id = "scan_return", tag = "returns",
    responses((status = 200, description = "The return as it is now", body = Scanned))
)]
pub async fn scan(
    State(context): State<SharedContext>,
    member: Member<ReturnsScan>,
    KeyedJson(body, idempotency): KeyedJson<ScanReturn>,
) -> Result<Reply<Scanned>, ApiError> {
    let code = label("code", &body.code, MAX_CODE).map_err(|problem| ApiError::InvalidBody(vec![problem]))?;
    let effect: [(&str, Params<'_>); 2] =
        [(SCAN, &[&code, &body.return_id]), (PREVIEW, &[&code, &body.return_id])];
    let read = |answers: &[Vec<Row>]| {
        let returns = found(&answers[1])?;
        let Some(row) = answers[0].first() else { return Err(why_not(&returns)) };
        let id: ReturnId = row.try_get("id").map_err(Error::from)?;
        let first: bool = row.try_get("first_scan").map_err(Error::from)?;
        let scanned = returns.into_iter().find(|candidate| candidate.head.return_id == id);
        let outcome = if first { ScanOutcome::RECEIVED } else { ScanOutcome::SCANNED_AGAIN };
        Ok((StatusCode::OK, Scanned { outcome, found: scanned.ok_or(Error::RowShape)? }))
    };
    idempotency.run(&context.database, &member.scope, &effect, read).await
}

/// The returns in a preview's rows, each with its lines.
fn found(rows: &[Row]) -> Result<Vec<ScannedReturn>, Error> {
    let mut returns: Vec<ScannedReturn> = Vec::new();
    for row in rows {
        let head = Return::try_from(row)?;
        if returns.last().is_none_or(|last| last.head.return_id != head.return_id) {
            returns.push(ScannedReturn { head, contents: Vec::new() });
        }
        let quantity: Option<i32> = row.try_get("quantity")?;
        if let (Some(quantity), Some(last)) = (quantity, returns.last_mut()) {
            let (sku, title, size) = (row.try_get("sku")?, row.try_get("title")?, row.try_get("size")?);
            last.contents.push(ParcelLine { sku, title, size, quantity });
        }
    }
    Ok(returns)
}

/// The result that a scan of these returns would have; cancelled ones count only when there are no others.
fn predict(returns: &[ScannedReturn]) -> Option<ScanPrediction> {
    let mut live = returns.iter().filter(|candidate| candidate.head.status != ReturnStatus::CANCELLED);
    match (live.next(), live.next()) {
        (None, _) => returns.first().map(|_| ScanPrediction::CANCELLED),
        (Some(_), Some(_)) => Some(ScanPrediction::AMBIGUOUS),
        (Some(one), None) if one.head.internal_status == ReceiptStatus::RECEIVED => {
            Some(ScanPrediction::SCANNED_BEFORE)
        }
        (Some(_), None) => Some(ScanPrediction::RECEIVES),
    }
}

/// Why a scan received nothing.
fn why_not(returns: &[ScannedReturn]) -> ApiError {
    match predict(returns) {
        None => ApiError::NotFound(Missing::Return),
        Some(ScanPrediction::CANCELLED) => ApiError::Refused(&RETURN_CANCELLED),
        Some(ScanPrediction::AMBIGUOUS) => ApiError::AmbiguousReturn(
            returns
                .iter()
                .filter(|candidate| candidate.head.status != ReturnStatus::CANCELLED)
                .map(|candidate| {
                    let head = &candidate.head;
                    let told = format!("{} is {}", head.return_id, head.internal_status.as_str());
                    FieldProblem::new("return_id", told)
                })
                .collect(),
        ),
        // The return has just changed: the next try sees its new state.
        Some(_) => ApiError::Database(Error::Busy),
    }
}
