//! `POST /v1/invitations/accept`: joins the seller that invited the caller.

use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use robnu_tenancy::{Error, Params, Row, SellerId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::{Object, ObjectBuilder, Type};

use crate::context::SharedContext;
use crate::idempotency::{KeyedJson, Reply};
use crate::identity::{Person, VerifiedEmail};
use crate::known_text::Role;
use crate::one_time_token::OneTimeToken;
use crate::problem::{ApiError, Missing};
use crate::signature::{Describe, Notes};

const ACCEPT_INVITATION: &str = include_str!("../../sql/invitations/accept.sql");

/// The token from the mail. It is a secret, so it is never printed.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AcceptInvitation {
    /// The text after `#token=` in the mail's link.
    #[schema(schema_with = token_schema)]
    token: String,
}

/// The seller that the caller has joined, and the caller's rights.
#[derive(Serialize, ToSchema)]
pub struct Joined {
    #[schema(value_type = Uuid)]
    seller_id: SellerId,
    name: String,
    /// Null for a member who may only scan returns.
    role: Option<Role>,
    scan_returns: bool,
}

/// A person with a verified email address, who may have no invitation.
pub struct Invited {
    person: Person,
    email: String,
}

impl<S: Send + Sync> FromRequestParts<S> for Invited {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let person = Person::from_request_parts(parts, state).await?;
        let VerifiedEmail(email) = VerifiedEmail::from_request_parts(parts, state).await?;
        Ok(Self { person, email })
    }
}

impl Describe for Invited {
    fn describe(notes: &mut Notes) {
        Person::describe(notes);
        VerifiedEmail::describe(notes);
        notes.refuse(&[404]);
    }
}

fn token_schema() -> Object {
    ObjectBuilder::new().schema_type(Type::String).build()
}

/// Accepts an invitation
///
/// Needs the ID token: its verified email must be the invited address. A token that is unknown, used, revoked, expired or
/// for another address gets the same response in every case. Anyone who is already a member keeps their role.
#[utoipa::path(
    post, path = "/v1/invitations/accept", operation_id = "accept_invitation", tag = "team",
    responses((status = 200, description = "The seller", body = Joined))
)]
pub async fn accept(
    State(context): State<SharedContext>,
    invited: Invited,
    KeyedJson(body, idempotency): KeyedJson<AcceptInvitation>,
) -> Result<Reply<Joined>, ApiError> {
    let missing = || ApiError::NotFound(Missing::Invitation);
    let hash = OneTimeToken::parse(&body.token).ok_or_else(missing)?.hash();
    let accept: [(&str, Params<'_>); 1] = [(ACCEPT_INVITATION, &[&hash, &invited.email])];
    let read = |answers: &[Vec<Row>]| {
        let row = answers[0].first().ok_or_else(missing)?;
        Ok((StatusCode::OK, Joined::try_from(row)?))
    };
    idempotency.run(&context.database, &invited.person.scope, &accept, read).await
}

impl TryFrom<&Row> for Joined {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            seller_id: row.try_get("seller")?,
            name: row.try_get("seller_name")?,
            role: Role::read_optional(row, "member_role")?,
            scan_returns: row.try_get("scans")?,
        })
    }
}
