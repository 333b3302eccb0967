//! `POST /v1/sellers`: sign-up. `GET /v1/sellers/{sellerId}`: the seller as its member sees it.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use robnu_tenancy::{Error, Row, SellerId};
use serde::{Deserialize, Serialize};

use crate::app::SharedApp;
use crate::fields::label;
use crate::identity::{Member, Person, VerifiedEmail};
use crate::json::JsonBody;
use crate::problem::{ApiError, Missing};

const SIGN_UP: &str = include_str!("../sql/sign_up.sql");
const SELLER: &str = include_str!("../sql/seller.sql");

/// Longest name of a seller, in characters.
const MAX_NAME: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignUp {
    name: String,
}

/// A seller just signed up.
#[derive(Serialize)]
pub struct SignedUp {
    seller_id: SellerId,
    name: String,
    role: &'static str,
}

/// A seller and the caller's role in it.
#[derive(Serialize)]
pub struct Seller {
    seller_id: SellerId,
    name: String,
    role: String,
    created_at: DateTime<Utc>,
}

/// Makes a seller with the caller as its first owner and with a data key of its own. Needs the ID token: the email of
/// the person's row is the one that the user pool has verified.
pub async fn sign_up(
    State(app): State<SharedApp>,
    person: Person,
    VerifiedEmail(email): VerifiedEmail,
    JsonBody(body): JsonBody<SignUp>,
) -> Result<(StatusCode, Json<SignedUp>), ApiError> {
    let name = label("name", &body.name, MAX_NAME).map_err(|problem| ApiError::InvalidBody(vec![problem]))?;
    let seller_id = SellerId::new();
    let key = app.keys.generate(seller_id).await?;
    let session = app.database.session(&person.scope).await?;
    session
        .commit_with(&[(
            SIGN_UP,
            &[&seller_id, &name, &email, &key.wrapped.id, &key.wrapped.ciphertext, &key.kms_key_id],
        )])
        .await?;
    Ok((StatusCode::CREATED, Json(SignedUp { seller_id, name, role: "OWNER" })))
}

/// Answers the seller.
pub async fn show(State(app): State<SharedApp>, member: Member) -> Result<Json<Seller>, ApiError> {
    let rows = app.database.read(&member.scope, SELLER, &[]).await?;
    let row = rows.first().ok_or(ApiError::NotFound(Missing::Seller))?;
    Ok(Json(Seller::try_from(row)?))
}

impl TryFrom<&Row> for Seller {
    type Error = Error;

    fn try_from(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            seller_id: row.try_get("seller_id")?,
            name: row.try_get("name")?,
            role: row.try_get("role")?,
            created_at: row.try_get("created_at")?,
        })
    }
}
