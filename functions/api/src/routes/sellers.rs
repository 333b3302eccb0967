//! `POST /v1/sellers`: sign-up. `/v1/sellers/{sellerId}`: the seller as its member sees and changes it.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use robnu_tenancy::{Error, Params, Row, SellerId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app::SharedApp;
use crate::fields::{label, label_schema};
use crate::idempotency::{KeyedJson, Reply};
use crate::identity::{Member, Person, VerifiedEmail};
use crate::json::{JsonBody, present};
use crate::known_text::Role;
use crate::problem::{ApiError, Missing};
use crate::rights::{Membership, SellerUpdate};
use crate::versions::{IfMatch, Tagged, Versioned};

const SIGN_UP: &str = include_str!("../sql/sign_up.sql");
const UPDATE_SELLER: &str = include_str!("../sql/update_seller.sql");
const SELLER: &str = include_str!("../sql/seller.sql");

/// Longest name of a seller, in characters.
const MAX_NAME: usize = 200;

/// A seller to be.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignUp {
    #[schema(schema_with = label_schema::<MAX_NAME>)]
    name: String,
}

/// What to change of a seller.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateSeller {
    #[serde(default, deserialize_with = "present")]
    #[schema(schema_with = label_schema::<MAX_NAME>, required = false)]
    name: Option<String>,
}

/// A seller just signed up.
#[derive(Serialize, ToSchema)]
pub struct SignedUp {
    #[schema(value_type = Uuid)]
    seller_id: SellerId,
    name: String,
    role: Role,
}

/// A seller and the caller's role in it.
#[derive(Serialize, ToSchema)]
pub struct Seller {
    #[schema(value_type = Uuid)]
    seller_id: SellerId,
    name: String,
    /// Null for a member who may only scan returns, and for staff.
    role: Option<Role>,
    scan_returns: bool,
    version: i32,
    created_at: DateTime<Utc>,
}

/// Signs a seller up, with the caller as its first owner
///
/// Needs the ID token: the email of the person is the one that the user pool has verified.
#[utoipa::path(
    post, path = "/v1/sellers", operation_id = "sign_up", tag = "sellers",
    responses((status = 201, description = "The seller", body = SignedUp))
)]
pub async fn sign_up(
    State(app): State<SharedApp>,
    person: Person,
    VerifiedEmail(email): VerifiedEmail,
    KeyedJson(body, idempotency): KeyedJson<SignUp>,
) -> Result<Reply<SignedUp>, ApiError> {
    let name = label("name", &body.name, MAX_NAME).map_err(|problem| ApiError::InvalidBody(vec![problem]))?;
    let seller_id = SellerId::new();
    let key = app.keys.generate(seller_id).await?;
    let params: Params<'_> =
        &[&seller_id, &name, &email, &key.wrapped.id, &key.wrapped.ciphertext, &key.kms_key_id];
    let signed_up = SignedUp { seller_id, name: name.clone(), role: Role::OWNER };
    let made = |_: &[Vec<Row>]| Ok((StatusCode::CREATED, signed_up));
    idempotency.run(&app.database, &person.scope, &[(SIGN_UP, params)], made).await
}

/// A seller, and what the caller is in it
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}", operation_id = "get_seller", tag = "sellers",
    responses((status = 200, body = Seller))
)]
pub async fn show(
    State(app): State<SharedApp>,
    member: Member<Membership>,
) -> Result<Tagged<Seller>, ApiError> {
    let rows = app.database.read(&member.scope, SELLER, &[]).await?;
    let row = rows.first().ok_or(ApiError::NotFound(Missing::Seller))?;
    Ok(Tagged(Seller::try_from(row)?))
}

/// Changes a seller
#[utoipa::path(
    patch, path = "/v1/sellers/{sellerId}", operation_id = "update_seller", tag = "sellers",
    responses((status = 200, description = "The seller as it is now", body = Seller))
)]
pub async fn update(
    State(app): State<SharedApp>,
    member: Member<SellerUpdate>,
    if_match: IfMatch,
    JsonBody(body): JsonBody<UpdateSeller>,
) -> Result<Tagged<Seller>, ApiError> {
    let name = body.name.map(|name| label("name", &name, MAX_NAME)).transpose();
    let name = name.map_err(|problem| ApiError::InvalidBody(vec![problem]))?;
    let session = app.database.session(&member.scope).await?;
    let statements: [(&str, Params<'_>); 2] = [(UPDATE_SELLER, &[&name, &if_match.0]), (SELLER, &[])];
    let answers = session.commit_with(&statements).await?;
    let row = answers[1].first().ok_or(ApiError::NotFound(Missing::Seller))?;
    // The seller is there, so the version was another.
    if answers[0].is_empty() {
        return Err(ApiError::VersionMismatch);
    }
    Ok(Tagged(Seller::try_from(row)?))
}

impl Versioned for Seller {
    fn version(&self) -> i32 {
        self.version
    }
}

impl TryFrom<&Row> for Seller {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            seller_id: row.try_get("seller_id")?,
            name: row.try_get("name")?,
            role: Role::read_optional(row, "role")?,
            scan_returns: row.try_get("scan_returns")?,
            version: row.try_get("version")?,
            created_at: row.try_get("created_at")?,
        })
    }
}
