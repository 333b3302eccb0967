//! `POST /v1/sellers`: sign-up. `/v1/sellers/{sellerId}`: the seller as its members read, change and close it.

pub mod closing;

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use robnu_storage::WrappedKey;
use robnu_tenancy::{Error, Params, PersonScope, Row, SellerId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::context::{Context, SharedContext};
use crate::fields::{label, label_schema};
use crate::idempotency::{Before, KeyedJson, Reply};
use crate::identity::{Member, Person, Source, VerifiedEmail};
use crate::json::{JsonBody, present};
use crate::known_text::Role;
use crate::problem::{ApiError, Missing};
use crate::route_permissions::{Membership, SellerUpdate};
use crate::versions::{IfMatch, Tagged, Versioned};

const CHECK_SIGN_UP: &str = include_str!("../sql/sellers/check_sign_up.sql");
const SIGN_UP: &str = include_str!("../sql/sellers/sign_up.sql");
const REWRAP_KEY: &str = include_str!("../sql/sellers/rewrap_key.sql");
const UPDATE_SELLER: &str = include_str!("../sql/sellers/update.sql");
const SELLER: &str = include_str!("../sql/sellers/show.sql");

/// Longest name of a seller, in characters.
const MAX_NAME: usize = 200;

/// A seller that signs up.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignUp {
    #[schema(schema_with = label_schema::<MAX_NAME>)]
    name: String,
}

/// A change of a seller.
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
    /// The caller's role; null for a member who may only scan returns. Staff have the role of their impersonation session.
    role: Option<Role>,
    scan_returns: bool,
    suspended: Option<Suspension>,
    /// Null unless the seller is to be closed.
    closing: Option<Closing>,
    version: i32,
    created_at: DateTime<Utc>,
}

/// Since when and why a seller is suspended: it can be read but not changed.
#[derive(Serialize, ToSchema)]
struct Suspension {
    since: DateTime<Utc>,
    reason: String,
}

/// Signs a seller up, with the caller as its first owner
///
/// Needs the ID token, because the person's email address is the one that the user pool has verified. Anyone who owns a
/// suspended seller cannot sign up another one. Within 24 hours, one email address, however it is spelled, can sign up five
/// sellers, and one network address twenty.
#[utoipa::path(
    post, path = "/v1/sellers", operation_id = "sign_up", tag = "sellers",
    responses((status = 201, description = "The seller", body = SignedUp))
)]
pub async fn sign_up(
    State(context): State<SharedContext>,
    person: Person,
    VerifiedEmail(email): VerifiedEmail,
    Source(source): Source,
    KeyedJson(body, idempotency): KeyedJson<SignUp>,
) -> Result<Reply<SignedUp>, ApiError> {
    let name = label("name", &body.name, MAX_NAME).map_err(|problem| ApiError::InvalidBody(vec![problem]))?;
    // A data key costs a call, so nobody gets one before these checks.
    let check: [(&str, Params<'_>); 1] = [(CHECK_SIGN_UP, &[&idempotency.key_hash(), &email, &source])];
    if let Before::Answered(reply) = idempotency.before(&context.database, &person.scope, &check).await? {
        return Ok(reply);
    }
    let seller_id = SellerId::new();
    let key = context.keys.generate(seller_id).await?;
    let WrappedKey { id: key_id, ciphertext, kms_key_id } = &key.wrapped;
    let params: Params<'_> = &[&seller_id, &name, &email, key_id, ciphertext, kms_key_id, &source];
    let signed_up = SignedUp { seller_id, name: name.clone(), role: Role::OWNER };
    let made = |_: &[Vec<Row>]| Ok((StatusCode::CREATED, signed_up));
    let reply = idempotency.run(&context.database, &person.scope, &[(SIGN_UP, params)], made).await?;
    if reply.done().is_some() && context.keys.has_seller_keys() {
        give_kms_key(&context, &person.scope, seller_id, &key.wrapped).await;
    }
    Ok(reply)
}

/// Makes the KMS key of a seller who has just been signed up, and wraps the seller's data key with it. A KMS key costs money
/// every month, so it is made only when the seller exists. If this fails or the process dies, the platform's key stays in
/// use, and the key sweep repairs it.
async fn give_kms_key(context: &Context, scope: &PersonScope, seller: SellerId, key: &WrappedKey) {
    let given = async {
        let kms_key = context.keys.make_kms_key(seller).await?;
        let wrapped = context.keys.rewrap(seller, key, &kms_key).await?;
        let params: Params<'_> =
            &[&seller, &key.id, &key.ciphertext, &wrapped.ciphertext, &wrapped.kms_key_id];
        context.database.session(scope).await?.commit_with(&[(REWRAP_KEY, params)]).await?;
        Ok::<(), ApiError>(())
    };
    if let Err(error) = given.await {
        tracing::warn!(
            seller.id = %seller,
            error = robnu_observe::chain(&error),
            "the seller has no KMS key of its own yet; the key sweep makes it"
        );
    }
}

/// A seller, and the caller's role in it
#[utoipa::path(
    get, path = "/v1/sellers/{sellerId}", operation_id = "get_seller", tag = "sellers",
    responses((status = 200, body = Seller))
)]
pub async fn show(
    State(context): State<SharedContext>,
    member: Member<Membership>,
) -> Result<Tagged<Seller>, ApiError> {
    let rows = context.database.read(&member.scope, SELLER, &[]).await?;
    let row = rows.first().ok_or(ApiError::NotFound(Missing::Seller))?;
    Ok(Tagged(Seller::try_from(row)?))
}

/// Changes a seller
#[utoipa::path(
    patch, path = "/v1/sellers/{sellerId}", operation_id = "update_seller", tag = "sellers",
    responses((status = 200, description = "The seller as it is now", body = Seller))
)]
pub async fn update(
    State(context): State<SharedContext>,
    member: Member<SellerUpdate>,
    if_match: IfMatch,
    JsonBody(body): JsonBody<UpdateSeller>,
) -> Result<Tagged<Seller>, ApiError> {
    let name = body.name.as_deref().map(|name| label("name", name, MAX_NAME)).transpose();
    let name = name.map_err(|problem| ApiError::InvalidBody(vec![problem]))?;
    let session = context.database.session(&member.scope).await?;
    let update: Params<'_> = &[&name, &if_match.0];
    let statements: [(&str, Params<'_>); 2] = [(UPDATE_SELLER, update), (SELLER, &[])];
    let answers = session.commit_with(&statements).await?;
    let row = answers[1].first().ok_or(ApiError::NotFound(Missing::Seller))?;
    // The seller exists, so the version differed.
    if answers[0].is_empty() {
        return Err(ApiError::VersionMismatch);
    }
    Ok(Tagged(Seller::try_from(row)?))
}

/// When and why an owner asked for the seller's closing, and until when that can be taken back.
#[derive(Serialize, ToSchema)]
struct Closing {
    asked_at: DateTime<Utc>,
    closes_at: DateTime<Utc>,
    reason: Option<String>,
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
            suspended: suspension(row)?,
            closing: closing(row)?,
            version: row.try_get("version")?,
            created_at: row.try_get("created_at")?,
        })
    }
}

fn suspension(row: &Row) -> Result<Option<Suspension>, Error> {
    let Some(since) = row.try_get("suspended_at")? else { return Ok(None) };
    Ok(Some(Suspension { since, reason: row.try_get("suspension_reason")? }))
}

fn closing(row: &Row) -> Result<Option<Closing>, Error> {
    let Some(asked_at) = row.try_get("closing_asked_at")? else { return Ok(None) };
    let (closes_at, reason) = (row.try_get("closes_at")?, row.try_get("closing_reason")?);
    Ok(Some(Closing { asked_at, closes_at, reason }))
}
