//! `/v1/sellers/{sellerId}/claim-terms`: the two clocks of claims, as they count for the seller's next returns.

use std::str::FromStr;

use axum::Json;
use axum::extract::State;
use robnu_tenancy::{Error, Params, Row};
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::Schema;
use utoipa::{PartialSchema, ToSchema};

use crate::context::SharedContext;
use crate::identity::{Member, NamedInPath, PathId};
use crate::json::JsonBody;
use crate::known_text::{ClaimReason, TermsSource};
use crate::problem::{ApiError, FieldProblem, Missing};
use crate::query::MarketplaceParam;
use crate::route_permissions::{Read, SellerUpdate};
use crate::versions::{IfMatch, Tagged, Versioned};
use crate::whole::Whole;

const TERMS: &str = include_str!("../sql/claim_terms/list.sql");
const SET: &str = include_str!("../sql/claim_terms/set.sql");

/// The longest clock, in days.
const MAX_DAYS: i32 = 365;

/// The claim terms of a marketplace for one reason.
#[derive(Serialize, ToSchema)]
pub struct ClaimTerms {
    marketplace: String,
    reason: ClaimReason,
    /// Days from a return's start after which it counts as lost; null for reasons other than `NOT_RECEIVED`.
    missing_after_days: Option<i32>,
    missing_after_set_by: Option<TermsSource>,
    /// Days from a return's completion within which a claim can be filed; null when that is unknown.
    file_by_days: Option<i32>,
    file_by_set_by: TermsSource,
    /// Zero until the seller sets terms of its own.
    version: i32,
}

/// The claim terms of every marketplace and reason.
#[derive(Serialize, ToSchema)]
pub struct AllClaimTerms {
    claim_terms: Vec<ClaimTerms>,
}

/// The seller's own terms; null, or left out, means the marketplace's.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetClaimTerms {
    /// Only for the reason `NOT_RECEIVED`.
    #[serde(default)]
    #[schema(value_type = Option<i32>, required = false, minimum = 1, maximum = 365)]
    missing_after_days: Option<Whole>,
    #[serde(default)]
    #[schema(value_type = Option<i32>, required = false, minimum = 1, maximum = 365)]
    file_by_days: Option<Whole>,
}

/// A marketplace's code in a path. Which ones there are is known only to the registry.
#[derive(Debug)]
pub struct NamedMarketplace(String);

/// The claim terms, by marketplace and reason
///
/// A change counts for returns that are stored later: a return keeps the terms that it began with.
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}/claim-terms", operation_id = "list_claim_terms", tag = "claims",
    responses((status = 200, body = AllClaimTerms))
)]
pub async fn list(
    State(context): State<SharedContext>,
    member: Member<Read>,
) -> Result<Json<AllClaimTerms>, ApiError> {
    let rows = context.database.read(&member.scope, TERMS, &[]).await?;
    let claim_terms = rows.iter().map(ClaimTerms::try_from).collect::<Result<_, Error>>()?;
    Ok(Json(AllClaimTerms { claim_terms }))
}

/// Sets the seller's own claim terms for a marketplace and reason
#[utoipa::path(
    put, path = "/v1/sellers/{sellerId}/claim-terms/{marketplace}/{reason}", operation_id = "set_claim_terms", tag = "claims",
    responses((status = 200, description = "The terms as they count now", body = ClaimTerms))
)]
pub async fn set(
    State(context): State<SharedContext>,
    member: Member<SellerUpdate>,
    PathId(NamedMarketplace(marketplace)): PathId<NamedMarketplace>,
    PathId(reason): PathId<ClaimReason>,
    if_match: IfMatch,
    JsonBody(body): JsonBody<SetClaimTerms>,
) -> Result<Tagged<ClaimTerms>, ApiError> {
    check(&body, reason).map_err(|problem| ApiError::InvalidBody(vec![problem]))?;
    let (missing_after, file_by) =
        (body.missing_after_days.map(|days| days.0), body.file_by_days.map(|days| days.0));
    let set: Params<'_> = &[&marketplace, &reason.as_str(), &missing_after, &file_by, &if_match.0];
    let session = context.database.session(&member.scope).await?;
    let answers = session.commit_with(&[(SET, set), (TERMS, &[])]).await?;
    let terms = answers[1].iter().map(ClaimTerms::try_from).collect::<Result<Vec<_>, Error>>()?;
    let terms = terms.into_iter().find(|terms| terms.marketplace == marketplace && terms.reason == reason);
    let terms = terms.ok_or(ApiError::NotFound(Missing::ClaimTerms))?;
    // The marketplace exists, so the version differed.
    if answers[0].is_empty() { Err(ApiError::VersionMismatch) } else { Ok(Tagged(terms)) }
}

/// Refuses days out of range, and a clock that the reason does not have.
fn check(body: &SetClaimTerms, reason: ClaimReason) -> Result<(), FieldProblem> {
    if body.missing_after_days.is_some() && reason != ClaimReason::NOT_RECEIVED {
        return Err(FieldProblem::new("missing_after_days", "is only for the reason NOT_RECEIVED"));
    }
    for (field, days) in
        [("missing_after_days", body.missing_after_days), ("file_by_days", body.file_by_days)]
    {
        if days.is_some_and(|days| !(1..=MAX_DAYS).contains(&days.0)) {
            return Err(FieldProblem::new(field, format!("must be from 1 to {MAX_DAYS}")));
        }
    }
    Ok(())
}

impl Versioned for ClaimTerms {
    fn version(&self) -> i32 {
        self.version
    }
}

impl FromStr for NamedMarketplace {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let is_code = text.len() <= 32 && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        if is_code { Ok(Self(text.to_owned())) } else { Err(()) }
    }
}

impl NamedInPath for NamedMarketplace {
    const PARAMETER: &'static str = "marketplace";
    const MISSING: Missing = Missing::ClaimTerms;

    fn schema() -> RefOr<Schema> {
        MarketplaceParam::schema()
    }
}

impl FromStr for ClaimReason {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::parse(text).ok_or(())
    }
}

impl NamedInPath for ClaimReason {
    const PARAMETER: &'static str = "reason";
    const MISSING: Missing = Missing::ClaimTerms;

    fn schema() -> RefOr<Schema> {
        <Self as PartialSchema>::schema()
    }
}

impl TryFrom<&Row> for ClaimTerms {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            marketplace: row.try_get("marketplace_code")?,
            reason: ClaimReason::read(row, "reason")?,
            missing_after_days: row.try_get("missing_after_days")?,
            missing_after_set_by: TermsSource::read_optional(row, "missing_after_set_by")?,
            file_by_days: row.try_get("file_by_days")?,
            file_by_set_by: TermsSource::read(row, "file_by_set_by")?,
            version: row.try_get("version")?,
        })
    }
}
