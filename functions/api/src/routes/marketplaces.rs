//! `GET /v1/marketplaces`: the marketplaces, the details that connecting needs, and the clocks of claims.

use axum::Json;
use axum::extract::State;
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::details::FieldSpec;
use robnu_marketplace::registry::Registry;
use robnu_tenancy::{Error, Row};
use serde::Serialize;
use utoipa::ToSchema;

use crate::context::SharedContext;
use crate::identity::Person;
use crate::kinds::Offer;
use crate::known_text::{ClaimReason, MarketplaceStatus, TermsSource};
use crate::problem::ApiError;

const MARKETPLACES: &str = include_str!("../sql/marketplaces/list.sql");

/// The registry.
#[derive(Serialize, ToSchema)]
pub struct Marketplaces {
    marketplaces: Vec<Marketplace>,
}

/// A marketplace.
#[derive(Serialize, ToSchema)]
struct Marketplace {
    code: String,
    display_name: String,
    status: MarketplaceStatus,
    /// Whether an account can be connected now.
    connectable: bool,
    /// The support for each kind of run.
    kinds: Vec<Offer>,
    /// The fields that connecting needs; empty where there is no adapter yet.
    details: Vec<Detail>,
    /// The clocks of claims for each reason; a seller can set others of its own.
    claim_terms: Vec<PublishedTerms>,
}

/// A marketplace's claim terms for one reason.
#[derive(Serialize, ToSchema)]
struct PublishedTerms {
    reason: ClaimReason,
    /// Days from a return's start after which it counts as lost; null for reasons other than `NOT_RECEIVED`.
    missing_after_days: Option<i32>,
    /// `PLATFORM` where the marketplace publishes no number and this platform's own applies.
    missing_after_set_by: Option<TermsSource>,
    /// Days from a return's completion within which a claim can be filed; null when that is unknown.
    file_by_days: Option<i32>,
    file_by_set_by: TermsSource,
}

/// A field that connecting needs.
#[derive(Serialize, ToSchema)]
struct Detail {
    name: &'static str,
    secret: bool,
}

/// The marketplaces, and the details that connecting an account needs
#[utoipa::path(
    get, path = "/v1/marketplaces", operation_id = "list_marketplaces", tag = "marketplaces",
    responses((status = 200, body = Marketplaces))
)]
pub async fn list(
    State(context): State<SharedContext>,
    person: Person,
) -> Result<Json<Marketplaces>, ApiError> {
    let rows = context.database.read(&person.scope, MARKETPLACES, &[]).await?;
    let marketplaces =
        rows.iter().map(|row| marketplace(row, &context.registry)).collect::<Result<_, Error>>()?;
    Ok(Json(Marketplaces { marketplaces }))
}

fn marketplace(row: &Row, registry: &Registry) -> Result<Marketplace, Error> {
    let code: String = row.try_get("code")?;
    let status = MarketplaceStatus::read(row, "status")?;
    let adapter = code.parse::<MarketplaceCode>().ok().map(|code| registry.adapter(code));
    let detail = |field: &FieldSpec| Detail { name: field.name, secret: field.secret };
    Ok(Marketplace {
        connectable: adapter.is_some() && status.as_str() == "ACTIVE",
        details: adapter.map(|known| known.details().fields.iter().map(detail).collect()).unwrap_or_default(),
        kinds: Offer::list(row)?,
        claim_terms: PublishedTerms::list(row)?,
        display_name: row.try_get("display_name")?,
        code,
        status,
    })
}

impl PublishedTerms {
    /// The terms for each reason, from the arrays of a row.
    fn list(row: &Row) -> Result<Vec<Self>, Error> {
        let reasons: Vec<&str> = row.try_get("claim_reasons")?;
        let missing_after: Vec<Option<i32>> = row.try_get("missing_after_days")?;
        let missing_after_set_by: Vec<Option<&str>> = row.try_get("missing_after_set_by")?;
        let file_by: Vec<Option<i32>> = row.try_get("file_by_days")?;
        let file_by_set_by: Vec<&str> = row.try_get("file_by_set_by")?;
        let source = |text| TermsSource::parse(text).ok_or(Error::RowShape);
        let terms = |at: usize| {
            Ok(Self {
                reason: ClaimReason::parse(reasons[at]).ok_or(Error::RowShape)?,
                missing_after_days: missing_after[at],
                missing_after_set_by: missing_after_set_by[at].map(source).transpose()?,
                file_by_days: file_by[at],
                file_by_set_by: source(file_by_set_by[at])?,
            })
        };
        (0..reasons.len()).map(terms).collect()
    }
}
