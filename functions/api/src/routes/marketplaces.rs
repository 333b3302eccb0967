//! `GET /v1/marketplaces`: what can be connected, and with which details.

use axum::Json;
use axum::extract::State;
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::details::FieldSpec;
use robnu_marketplace::registry::Registry;
use robnu_tenancy::{Error, Row};
use serde::Serialize;

use crate::app::SharedApp;
use crate::identity::Person;
use crate::problem::ApiError;

const MARKETPLACES: &str = include_str!("../sql/marketplaces.sql");

/// The registry.
#[derive(Serialize)]
pub struct Marketplaces {
    marketplaces: Vec<Marketplace>,
}

#[derive(Serialize)]
struct Marketplace {
    code: String,
    display_name: String,
    status: String,
    /// Whether an account can be connected now.
    connectable: bool,
    /// What connecting asks for; empty where there is no adapter yet.
    details: Vec<Detail>,
}

#[derive(Serialize)]
struct Detail {
    name: &'static str,
    secret: bool,
}

/// Answers the registry, the same for everybody.
pub async fn list(State(app): State<SharedApp>, person: Person) -> Result<Json<Marketplaces>, ApiError> {
    let rows = app.database.read(&person.scope, MARKETPLACES, &[]).await?;
    let marketplaces =
        rows.iter().map(|row| marketplace(row, &app.registry)).collect::<Result<_, Error>>()?;
    Ok(Json(Marketplaces { marketplaces }))
}

fn marketplace(row: &Row, registry: &Registry) -> Result<Marketplace, Error> {
    let (code, status): (String, String) = (row.try_get("code")?, row.try_get("status")?);
    let adapter = code.parse::<MarketplaceCode>().ok().map(|code| registry.adapter(code));
    let detail = |field: &FieldSpec| Detail { name: field.name, secret: field.secret };
    Ok(Marketplace {
        connectable: adapter.is_some() && status == "ACTIVE",
        details: adapter.map(|known| known.details().fields.iter().map(detail).collect()).unwrap_or_default(),
        display_name: row.try_get("display_name")?,
        code,
        status,
    })
}
