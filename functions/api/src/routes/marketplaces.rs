//! `GET /v1/marketplaces`: the marketplaces, and the details that connecting needs.

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
use crate::known_text::MarketplaceStatus;
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
        display_name: row.try_get("display_name")?,
        code,
        status,
    })
}
