//! `GET /v1/me`: the caller and the sellers they are a member of.

use axum::Json;
use axum::extract::State;
use robnu_tenancy::{Error, PersonId, Row, SellerId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::context::SharedContext;
use crate::identity::Person;
use crate::known_text::Role;
use crate::problem::ApiError;

const ME: &str = include_str!("../sql/me/show.sql");

/// The caller. `person_id` is null until they sign up a seller.
#[derive(Serialize, ToSchema)]
pub struct Me {
    #[schema(value_type = Option<Uuid>)]
    person_id: Option<PersonId>,
    email: Option<String>,
    /// Whether the caller operates the deployment and may use the operations tagged `staff`.
    is_staff: bool,
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
    /// Whether the seller is suspended: it can be read but not changed.
    is_suspended: bool,
}

/// The caller and the sellers that they are a member of
#[utoipa::path(get, path = "/v1/me", operation_id = "get_me", tag = "people", responses((status = 200, body = Me)))]
pub async fn show(State(context): State<SharedContext>, person: Person) -> Result<Json<Me>, ApiError> {
    let rows = context.database.read(&person.scope, ME, &[]).await?;
    let first = rows.first().ok_or(Error::RowCount { found: 0 })?;
    let memberships = rows.iter().filter_map(|row| membership(row).transpose());
    Ok(Json(Me {
        person_id: first.try_get("person_id").map_err(Error::from)?,
        email: first.try_get::<_, Option<_>>("email").map_err(Error::from)?.or(person.claimed_email),
        is_staff: first.try_get("is_staff").map_err(Error::from)?,
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
        is_suspended: row.try_get("is_suspended")?,
    }))
}
