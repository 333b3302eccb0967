//! `/v1/sellers/{sellerId}/returns/scan`: a parcel has arrived and its code was scanned, in what condition it may be.
//!
//! The code may be any number on the parcel: the return's number or air waybill, or those of the outbound parcel. Scanning
//! twice is harmless: the first time stays, and the second scan is noted. A code that nothing is known of waits for its return.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use robnu_tenancy::{Error, Params, ReturnId, Row};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::rows::Return;
use super::scans::WaitingScan;
use crate::context::SharedContext;
use crate::fields::{label, label_schema};
use crate::idempotency::{KeyedJson, Reply};
use crate::identity::Member;
use crate::json::present;
use crate::known_text::{ParcelCondition, ReceiptStatus, ReturnStatus, ScanOutcome, ScanPrediction};
use crate::problem::refusals::RETURN_CANCELLED;
use crate::problem::{ApiError, FieldProblem, Missing};
use crate::query::{LabelParam, QueryParams};
use crate::route_permissions::{ReturnsScan, ToRead};
use crate::whole::Whole;

const PREVIEW: &str = include_str!("../../sql/returns/scan_preview.sql");
const SCAN: &str = include_str!("../../sql/returns/scan.sql");
const WAITING: &str = include_str!("../../sql/scans/of_code.sql");

/// Longest code, in characters.
const MAX_CODE: usize = 100;
/// Longest reason of a condition, in characters.
const MAX_REASON: usize = 200;
/// The most articles that a condition can be about.
const MAX_QUANTITY: i32 = 100_000;
/// What a client should show for a code that nothing is known of.
const NOTICE: &str = "No return with this code is known yet. The scan is kept, and the return is received when the marketplace announces \
     it. Check the code, and discard the scan if it was mistyped.";

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
    /// The condition of the parcel. Left out, an earlier one stays.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = ParcelCondition, required = false)]
    condition: Option<ParcelCondition>,
    /// Why, with a condition.
    #[serde(default, deserialize_with = "present")]
    #[schema(schema_with = label_schema::<MAX_REASON>, required = false)]
    reason: Option<String>,
    /// How many articles the condition is about.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = i32, required = false, minimum = 1, maximum = 100_000)]
    quantity: Option<Whole>,
}

/// The result of a scan: the return that was scanned, or the scan that waits for its return.
#[derive(Serialize, ToSchema)]
pub struct Scanned {
    outcome: ScanOutcome,
    #[serde(rename = "return")]
    found: Option<ScannedReturn>,
    waiting: Option<WaitingScan>,
    /// What the person at the scanner must know.
    notice: Option<&'static str>,
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
    let outcome = predict(&returns);
    Ok(Json(ScanPreview { outcome, returns }))
}

/// Receives the return that a code matches
///
/// A second scan of the same return is noted and changes nothing but the condition, if it states another one; once a claim was
/// filed the condition stays. A return with a claim is received too, and its claim is reopened with the scan as evidence. A code
/// that nothing is known of is kept: 202 with the outcome `WAITING_FOR_RETURN`. When a marketplace announces the return that it
/// means, that return is received with the time, the person and the condition of the scan.
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/returns/scan", operation_id = "scan_return", tag = "returns",
    responses(
        (status = 200, description = "The return as it is now", body = Scanned),
        (status = 202, description = "No return is known by this code; the scan waits for it", body = Scanned)
    )
)]
pub async fn scan(
    State(context): State<SharedContext>,
    member: Member<ReturnsScan>,
    KeyedJson(body, idempotency): KeyedJson<ScanReturn>,
) -> Result<Reply<Scanned>, ApiError> {
    let (code, reason) = check(&body).map_err(|problem| ApiError::InvalidBody(vec![problem]))?;
    let condition = body.condition.map(ParcelCondition::as_str);
    let quantity = body.quantity.map(|quantity| quantity.0);
    let effect: [(&str, Params<'_>); 3] = [
        (SCAN, &[&code, &body.return_id, &condition, &reason, &quantity]),
        (PREVIEW, &[&code, &body.return_id]),
        (WAITING, &[&code]),
    ];
    let read = |answers: &[Vec<Row>]| {
        let returns = found(&answers[1])?;
        let Some(row) = answers[0].first() else { return Err(why_not(&returns)) };
        Ok(scanned(row, returns, answers[2].first())?)
    };
    idempotency.run(&context.database, &member.scope, &effect, read).await
}

/// The code and the reason, if all fields are within their bounds.
fn check(body: &ScanReturn) -> Result<(String, Option<String>), FieldProblem> {
    let code = label("code", &body.code, MAX_CODE)?;
    if body.condition.is_none() {
        for (field, given) in [("reason", body.reason.is_some()), ("quantity", body.quantity.is_some())] {
            if given {
                return Err(FieldProblem::new(field, "needs a condition"));
            }
        }
    }
    if body.quantity.is_some_and(|quantity| !(1..=MAX_QUANTITY).contains(&quantity.0)) {
        return Err(FieldProblem::new("quantity", format!("must be from 1 to {MAX_QUANTITY}")));
    }
    let reason = body.reason.as_deref().map(|reason| label("reason", reason, MAX_REASON)).transpose()?;
    Ok((code, reason))
}

/// The response to a scan that did something: its row, the returns that the code matches now, and the scan that waits.
fn scanned(
    row: &Row,
    returns: Vec<ScannedReturn>,
    waiting: Option<&Row>,
) -> Result<(StatusCode, Scanned), Error> {
    let (first, restated): (bool, bool) = (row.try_get("first_scan")?, row.try_get("restated")?);
    let waits: bool = row.try_get("waits")?;
    if let Some(waiting) = waiting.filter(|_| waits) {
        let waiting = Some(WaitingScan::try_from(waiting)?);
        let (outcome, notice) = (ScanOutcome::WAITING_FOR_RETURN, Some(NOTICE));
        return Ok((StatusCode::ACCEPTED, Scanned { outcome, found: None, waiting, notice }));
    }
    let id: uuid::Uuid = row.try_get("id")?;
    // A scan that waits no longer was joined at once: its return was stored at the same moment.
    let is_meant = |candidate: &ScannedReturn| {
        if waits {
            candidate.head.status != ReturnStatus::CANCELLED
        } else {
            *candidate.head.return_id.as_uuid() == id
        }
    };
    let found = returns.into_iter().find(is_meant).ok_or(Error::RowShape)?;
    let outcome = match (first, restated) {
        (true, _) => ScanOutcome::RECEIVED,
        (false, true) => ScanOutcome::CONDITION_CHANGED,
        (false, false) => ScanOutcome::SCANNED_AGAIN,
    };
    Ok((StatusCode::OK, Scanned { outcome, found: Some(found), waiting: None, notice: None }))
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
fn predict(returns: &[ScannedReturn]) -> ScanPrediction {
    let mut live = returns.iter().filter(|candidate| candidate.head.status != ReturnStatus::CANCELLED);
    match (live.next(), live.next()) {
        (None, _) if returns.is_empty() => ScanPrediction::WAITS_FOR_RETURN,
        (None, _) => ScanPrediction::CANCELLED,
        (Some(_), Some(_)) => ScanPrediction::AMBIGUOUS,
        (Some(one), None) if one.head.internal_status == ReceiptStatus::RECEIVED => {
            ScanPrediction::SCANNED_BEFORE
        }
        (Some(_), None) => ScanPrediction::RECEIVES,
    }
}

/// Why a scan did nothing. Only a code with a chosen return does not wait when nothing is known of it.
fn why_not(returns: &[ScannedReturn]) -> ApiError {
    match predict(returns) {
        ScanPrediction::WAITS_FOR_RETURN => ApiError::NotFound(Missing::Return),
        ScanPrediction::CANCELLED => ApiError::Refused(&RETURN_CANCELLED),
        ScanPrediction::AMBIGUOUS => ApiError::AmbiguousReturn(
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
        _ => ApiError::Database(Error::Busy),
    }
}
