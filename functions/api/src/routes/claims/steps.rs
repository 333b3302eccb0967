//! The steps of a claim: acknowledged by the marketplace, won, lost, cancelled, reopened.
//!
//! The database decides which steps exist and who may take them. A reopened claim is filed again.

use axum::extract::State;
use axum::http::StatusCode;
use robnu_tenancy::{ClaimId, Params, Row, SellerScope};
use rust_decimal::Decimal;
use serde::Deserialize;
use utoipa::ToSchema;

use super::rows::Claim;
use super::{CLAIM, MAX_REFERENCE, optional_label};
use crate::context::{Context, SharedContext};
use crate::fields::{label, label_schema};
use crate::idempotency::{Idempotency, KeyedJson, Reply};
use crate::identity::{Member, PathId};
use crate::json::present;
use crate::known_text::ClaimStatus;
use crate::problem::refusals::CLAIM_STEP;
use crate::problem::{ApiError, Missing};
use crate::route_permissions::{ClaimsFile, ClaimsResolve};
use crate::routes::money::{AmountText, amount};
use crate::versions::IfMatch;

const STEP: &str = include_str!("../../sql/claims/step.sql");

/// The longest reason of a step, in characters.
const MAX_REASON: usize = 500;

/// The marketplace has taken up the claim.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcknowledgeClaim {
    /// The number of the marketplace's ticket.
    #[serde(default, deserialize_with = "present")]
    #[schema(schema_with = label_schema::<MAX_REFERENCE>, required = false)]
    marketplace_reference: Option<String>,
}

/// The claim was won.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WinClaim {
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = AmountText, required = false)]
    recovered_amount: Option<AmountText>,
}

/// Why a claim was lost, cancelled or reopened.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WhyClaim {
    #[schema(schema_with = label_schema::<MAX_REASON>)]
    reason: String,
}

/// A step to be taken.
struct Step {
    to: ClaimStatus,
    why: Option<String>,
    reference: Option<String>,
    recovered: Option<Decimal>,
}

/// Notes that the marketplace has taken up a claim
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/claims/{claimId}/acknowledge", operation_id = "acknowledge_claim", tag = "claims",
    responses((status = 200, description = "The claim as it is now", body = Claim))
)]
pub async fn acknowledge(
    State(context): State<SharedContext>,
    member: Member<ClaimsFile>,
    PathId(id): PathId<ClaimId>,
    if_match: IfMatch,
    KeyedJson(body, idempotency): KeyedJson<AcknowledgeClaim>,
) -> Result<Reply<Claim>, ApiError> {
    let reference =
        optional_label("marketplace_reference", body.marketplace_reference.as_deref(), MAX_REFERENCE)?;
    let step = Step { reference, ..Step::to(ClaimStatus::ACKNOWLEDGED) };
    take(&context, &member.scope, id, if_match, &idempotency, step).await
}

/// Closes a claim as won
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/claims/{claimId}/resolve-won", operation_id = "win_claim", tag = "claims",
    responses((status = 200, description = "The claim as it is now", body = Claim))
)]
pub async fn win(
    State(context): State<SharedContext>,
    member: Member<ClaimsResolve>,
    PathId(id): PathId<ClaimId>,
    if_match: IfMatch,
    KeyedJson(body, idempotency): KeyedJson<WinClaim>,
) -> Result<Reply<Claim>, ApiError> {
    let recovered = amount("recovered_amount", body.recovered_amount.as_ref())?;
    let step = Step { recovered, ..Step::to(ClaimStatus::RESOLVED_WON) };
    take(&context, &member.scope, id, if_match, &idempotency, step).await
}

/// Closes a claim as lost
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/claims/{claimId}/resolve-lost", operation_id = "lose_claim", tag = "claims",
    responses((status = 200, description = "The claim as it is now", body = Claim))
)]
pub async fn lose(
    State(context): State<SharedContext>,
    member: Member<ClaimsResolve>,
    PathId(id): PathId<ClaimId>,
    if_match: IfMatch,
    KeyedJson(body, idempotency): KeyedJson<WhyClaim>,
) -> Result<Reply<Claim>, ApiError> {
    let step = Step::because(ClaimStatus::RESOLVED_LOST, &body)?;
    take(&context, &member.scope, id, if_match, &idempotency, step).await
}

/// Cancels a claim
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/claims/{claimId}/cancel", operation_id = "cancel_claim", tag = "claims",
    responses((status = 200, description = "The claim as it is now", body = Claim))
)]
pub async fn cancel(
    State(context): State<SharedContext>,
    member: Member<ClaimsFile>,
    PathId(id): PathId<ClaimId>,
    if_match: IfMatch,
    KeyedJson(body, idempotency): KeyedJson<WhyClaim>,
) -> Result<Reply<Claim>, ApiError> {
    let step = Step::because(ClaimStatus::CANCELLED, &body)?;
    take(&context, &member.scope, id, if_match, &idempotency, step).await
}

/// Reopens a claim that is closed or cancelled or has new evidence: it is filed again
#[utoipa::path(
    post, path = "/v1/sellers/{sellerId}/claims/{claimId}/reopen", operation_id = "reopen_claim", tag = "claims",
    responses((status = 200, description = "The claim as it is now", body = Claim))
)]
pub async fn reopen(
    State(context): State<SharedContext>,
    member: Member<ClaimsResolve>,
    PathId(id): PathId<ClaimId>,
    if_match: IfMatch,
    KeyedJson(body, idempotency): KeyedJson<WhyClaim>,
) -> Result<Reply<Claim>, ApiError> {
    let step = Step::because(ClaimStatus::FILED, &body)?;
    take(&context, &member.scope, id, if_match, &idempotency, step).await
}

impl Step {
    fn to(to: ClaimStatus) -> Self {
        Self { to, why: None, reference: None, recovered: None }
    }

    fn because(to: ClaimStatus, body: &WhyClaim) -> Result<Self, ApiError> {
        let why = label("reason", &body.reason, MAX_REASON)
            .map_err(|problem| ApiError::InvalidBody(vec![problem]))?;
        Ok(Self { why: Some(why), ..Self::to(to) })
    }
}

async fn take(
    context: &Context,
    scope: &SellerScope,
    id: ClaimId,
    if_match: IfMatch,
    idempotency: &Idempotency,
    step: Step,
) -> Result<Reply<Claim>, ApiError> {
    let to = step.to.as_str();
    let params: Params<'_> = &[&id, &to, &step.why, &step.reference, &step.recovered, &if_match.0];
    let effect: [(&str, Params<'_>); 2] = [(STEP, params), (CLAIM, &[&id])];
    let read = |answers: &[Vec<Row>]| {
        let claim = Claim::try_from(answers[1].first().ok_or(ApiError::NotFound(Missing::Claim))?)?;
        if answers[0].is_empty() {
            // Either the version differed, or the claim already has this status.
            let outdated = if_match.0.is_some_and(|version| version != claim.version);
            return Err(if outdated { ApiError::VersionMismatch } else { ApiError::Refused(&CLAIM_STEP) });
        }
        Ok((StatusCode::OK, claim))
    };
    idempotency.run(&context.database, scope, &effect, read).await
}
