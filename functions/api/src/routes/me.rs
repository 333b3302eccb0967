//! `GET /v1/me`: the caller and the sellers they are a member of.

use axum::Json;
use axum::extract::State;
use robnu_tenancy::{Error, PersonId, Row, SellerId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app::SharedApp;
use crate::identity::Person;
use crate::known_text::Role;
use crate::problem::ApiError;

const ME: &str = include_str!("../sql/me.sql");

/// The caller. `person_id` is null until they sign a seller up.
#[derive(Serialize, ToSchema)]
pub struct Me {
    #[schema(value_type = Option<Uuid>)]
    person_id: Option<PersonId>,
    email: Option<String>,
    sellers: Vec<Membership>,
}

/// A seller of the caller.
#[derive(Serialize, ToSchema)]
struct Membership {
    #[schema(value_type = Uuid)]
    seller_id: SellerId,
    name: String,
    /// Null for a member who may only scan returns.
    role: Option<Role>,
    scan_returns: bool,
}

/// The caller and the sellers that they are a member of
#[utoipa::path(get, path = "/v1/me", operation_id = "get_me", tag = "people", responses((status = 200, body = Me)))]
pub async fn show(State(app): State<SharedApp>, person: Person) -> Result<Json<Me>, ApiError> {
    let rows = app.database.read(&person.scope, ME, &[]).await?;
    let Some(first) = rows.first() else {
        return Ok(Json(Me { person_id: None, email: person.claimed_email, sellers: Vec::new() }));
    };
    let memberships = rows.iter().filter_map(|row| membership(row).transpose());
    Ok(Json(Me {
        person_id: first.try_get("person_id").map_err(Error::from)?,
        email: first.try_get::<_, Option<_>>("email").map_err(Error::from)?.or(person.claimed_email),
        sellers: memberships.collect::<Result<_, _>>()?,
    }))
}

/// `None` for the row of a person without memberships.
fn membership(row: &Row) -> Result<Option<Membership>, Error> {
    let Some(seller_id) = row.try_get("seller_id")? else { return Ok(None) };
    Ok(Some(Membership {
        seller_id,
        name: row.try_get("name")?,
        role: Role::read_optional(row, "role")?,
        scan_returns: row.try_get("scan_returns")?,
    }))
}
