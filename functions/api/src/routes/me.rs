//! `GET /v1/me`: the caller and the sellers they are a member of.

use axum::Json;
use axum::extract::State;
use robnu_tenancy::{Error, PersonId, Row, SellerId};
use serde::Serialize;

use crate::app::SharedApp;
use crate::identity::Person;
use crate::problem::ApiError;

const ME: &str = include_str!("../sql/me.sql");

/// The caller. `person_id` is null until they sign a seller up.
#[derive(Serialize)]
pub struct Me {
    person_id: Option<PersonId>,
    email: Option<String>,
    sellers: Vec<Membership>,
}

#[derive(Serialize)]
struct Membership {
    seller_id: SellerId,
    name: String,
    role: String,
}

/// Answers one flight's worth of rows.
pub async fn show(State(app): State<SharedApp>, person: Person) -> Result<Json<Me>, ApiError> {
    let rows = app.database.read(&person.scope, ME, &[]).await?;
    let Some(first) = rows.first() else {
        return Ok(Json(Me { person_id: None, email: person.claimed_email, sellers: Vec::new() }));
    };
    let memberships = rows.iter().filter_map(|row| membership(row).transpose());
    Ok(Json(Me {
        person_id: first.try_get("person_id").map_err(Error::from)?,
        email: first.try_get("email").map_err(Error::from)?,
        sellers: memberships.collect::<Result<_, _>>()?,
    }))
}

/// `None` for the row of a person without memberships.
fn membership(row: &Row) -> Result<Option<Membership>, Error> {
    let Some(seller_id) = row.try_get("seller_id")? else { return Ok(None) };
    Ok(Some(Membership { seller_id, name: row.try_get("name")?, role: row.try_get("role")? }))
}
