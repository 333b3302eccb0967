//! The caller's identity, as API Gateway's JWT authorizer verified it. Claims are read only here.
//!
//! The extractors are proofs: a handler that takes a [`Member`] cannot be reached without a verified token and a
//! well-formed seller id, and can reach no other seller than the one in its path. Scope entry checks in the database whether
//! the person is a member and holds the right that the handler names.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use robnu_tenancy::{
    Access, AccountId, ClaimId, ExportId, ImpersonationId, ImportId, InvitationId, ListingId, MemberId,
    ObjectId, OrderId, PayoutId, PersonScope, QuarantinedRecordId, ReturnId, RunId, ScanId, SellerId,
    SellerScope, ShipmentId, StaffScope, Subject,
};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, Type};

use crate::gateway::Gateway;
use crate::problem::{ApiError, Missing};
use crate::route_permissions::Right;
use crate::signature::{Describe, Notes};

/// The header that names the impersonation session in which a staff member acts for the seller of the path.
const IMPERSONATION: &str = "impersonation-session";

/// The values of the claim `token_use` for ID tokens and access tokens.
const ID: &str = "id";
const ACCESS: &str = "access";

/// The caller, without a particular seller.
#[derive(Debug)]
pub struct Person {
    /// Opens sessions for the caller.
    pub scope: PersonScope,
    /// The email of the token, verified or not; access tokens have none. For display only.
    pub claimed_email: Option<String>,
}

/// The caller, acting for the seller named by `{sellerId}` in the path: as a member who holds the right `R`, or as a staff
/// member in an impersonation session whose role holds it. The only way to a [`SellerScope`].
#[derive(Debug)]
pub struct Member<R> {
    /// Opens sessions for that seller.
    pub scope: SellerScope,
    right: PhantomData<R>,
}

impl<R: Right> Member<R> {
    /// The actor of `scope` with the right `R`, for a list that is read inside the platform. The database checks the right when
    /// the scope is entered, as it does for a request.
    pub(crate) fn for_export(scope: &SellerScope) -> Self {
        Self { scope: scope.needing(R::PERMISSION, R::ACCESS), right: PhantomData }
    }
}

/// The caller, as a staff member who operates the deployment. For everybody else the route does not exist.
#[derive(Debug)]
pub struct Staff {
    /// Opens sessions over all sellers' names and states.
    pub scope: StaffScope,
}

/// The caller's email address, verified by the user pool. Only an ID token states it.
pub struct VerifiedEmail(pub String);

/// The source of the request, as API Gateway saw it: an IPv4 address, or the 64-bit network of an IPv6 address, because one
/// household owns all addresses of such a network. For counting only.
pub struct Source(pub String);

/// An id from the path. A malformed id counts as not found, like another seller's.
#[derive(Debug)]
pub struct PathId<T>(pub T);

/// An id, or a known text, that a path can hold.
pub trait NamedInPath: FromStr {
    /// Its name in the path.
    const PARAMETER: &'static str;
    /// The `Missing` that a malformed value becomes.
    const MISSING: Missing;

    /// Its schema in the document.
    #[must_use]
    fn schema() -> RefOr<Schema> {
        uuid().into()
    }
}

impl NamedInPath for SellerId {
    const PARAMETER: &'static str = "sellerId";
    const MISSING: Missing = Missing::Seller;
}

impl NamedInPath for AccountId {
    const PARAMETER: &'static str = "accountId";
    const MISSING: Missing = Missing::Account;
}

impl NamedInPath for RunId {
    const PARAMETER: &'static str = "runId";
    const MISSING: Missing = Missing::Run;
}

impl NamedInPath for QuarantinedRecordId {
    const PARAMETER: &'static str = "recordId";
    const MISSING: Missing = Missing::QuarantinedRecord;
}

impl NamedInPath for MemberId {
    const PARAMETER: &'static str = "memberId";
    const MISSING: Missing = Missing::Member;
}

impl NamedInPath for InvitationId {
    const PARAMETER: &'static str = "invitationId";
    const MISSING: Missing = Missing::Invitation;
}

impl NamedInPath for ImpersonationId {
    const PARAMETER: &'static str = "impersonationId";
    const MISSING: Missing = Missing::Impersonation;
}

impl NamedInPath for OrderId {
    const PARAMETER: &'static str = "orderId";
    const MISSING: Missing = Missing::Order;
}

impl NamedInPath for ShipmentId {
    const PARAMETER: &'static str = "shipmentId";
    const MISSING: Missing = Missing::Shipment;
}

impl NamedInPath for ReturnId {
    const PARAMETER: &'static str = "returnId";
    const MISSING: Missing = Missing::Return;
}

impl NamedInPath for ScanId {
    const PARAMETER: &'static str = "scanId";
    const MISSING: Missing = Missing::Scan;
}

impl NamedInPath for ClaimId {
    const PARAMETER: &'static str = "claimId";
    const MISSING: Missing = Missing::Claim;
}

impl NamedInPath for ObjectId {
    const PARAMETER: &'static str = "documentId";
    const MISSING: Missing = Missing::Document;
}

impl NamedInPath for ImportId {
    const PARAMETER: &'static str = "importId";
    const MISSING: Missing = Missing::Import;
}

impl NamedInPath for PayoutId {
    const PARAMETER: &'static str = "payoutId";
    const MISSING: Missing = Missing::Payout;
}

impl NamedInPath for ExportId {
    const PARAMETER: &'static str = "exportId";
    const MISSING: Missing = Missing::Export;
}

impl NamedInPath for ListingId {
    const PARAMETER: &'static str = "listingId";
    const MISSING: Missing = Missing::Listing;
}

impl<S: Send + Sync> FromRequestParts<S> for Person {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let claimed_email = claims(parts)?.get("email").cloned();
        Ok(Self { scope: PersonScope::new(subject(parts)?), claimed_email })
    }
}

impl<S: Send + Sync, R: Right> FromRequestParts<S> for Member<R> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let subject = subject(parts)?;
        let PathId(seller) = PathId::<SellerId>::from_request_parts(parts, state).await?;
        let scope = match impersonation(parts)? {
            None => SellerScope::for_member(subject, seller, R::PERMISSION, R::ACCESS),
            Some(session) => {
                SellerScope::for_impersonation(subject, session, seller, R::PERMISSION, R::ACCESS)
            }
        };
        Ok(Self { scope, right: PhantomData })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Staff {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Ok(Self { scope: StaffScope::new(subject(parts)?) })
    }
}

impl<S: Send + Sync> FromRequestParts<S> for VerifiedEmail {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let claims = claims(parts)?;
        if token_use(claims) != Some(ID) {
            return Err(ApiError::IdTokenRequired);
        }
        let email = claims.get("email").filter(|email| (3..=320).contains(&email.chars().count()));
        let email = email.ok_or(ApiError::IdTokenRequired)?;
        // API Gateway hands every claim over as text.
        match claims.get("email_verified").map(String::as_str) {
            Some("true") => Ok(Self(email.clone())),
            _ => Err(ApiError::EmailNotVerified),
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Source {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let gateway = parts.extensions.get::<Gateway>().ok_or(ApiError::Unauthenticated)?;
        Ok(Self(source(gateway.source_ip)))
    }
}

/// All callers without an address count as one.
fn source(address: Option<IpAddr>) -> String {
    match address.map(|address| address.to_canonical()) {
        Some(IpAddr::V4(address)) => address.to_string(),
        Some(IpAddr::V6(address)) => {
            let network = Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64));
            format!("{network}/64")
        }
        None => "unknown".to_owned(),
    }
}

impl<S: Send + Sync, T: NamedInPath> FromRequestParts<S> for PathId<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ApiError> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        // Percent signs that do not decode to text: not one of our paths.
        let params = params.map_err(|_| ApiError::RouteNotFound)?;
        let id =
            params.iter().find(|(name, _)| *name == T::PARAMETER).and_then(|(_, text)| text.parse().ok());
        id.map(Self).ok_or(ApiError::NotFound(T::MISSING))
    }
}

impl Describe for Person {
    fn describe(notes: &mut Notes) {
        notes.needs_token = true;
        notes.refuse(&[429]);
    }
}

impl Describe for Staff {
    fn describe(notes: &mut Notes) {
        notes.needs_token = true;
        notes.right = Some(("staff", "staff"));
        notes.refuse(&[404, 429]);
    }
}

impl<R: Right> Describe for Member<R> {
    fn describe(notes: &mut Notes) {
        notes.needs_token = true;
        let access = match R::ACCESS {
            Access::Read => "read",
            Access::Write => "write",
        };
        notes.right = Some((R::PERMISSION.as_str(), access));
        PathId::<SellerId>::describe(notes);
        notes.header(
            IMPERSONATION,
            "For staff: the impersonation session in which to act for the seller.",
            uuid(),
        );
        notes.refuse(&[400, 403, 404, 429]);
    }
}

impl Describe for VerifiedEmail {
    fn describe(notes: &mut Notes) {
        notes.refuse(&[400, 403]);
    }
}

impl Describe for Source {
    fn describe(_: &mut Notes) {}
}

impl<T: NamedInPath> Describe for PathId<T> {
    fn describe(notes: &mut Notes) {
        notes.path_id(T::PARAMETER, T::schema());
        notes.refuse(&[404]);
    }
}

fn uuid() -> Object {
    let format = SchemaFormat::KnownFormat(KnownFormat::Uuid);
    ObjectBuilder::new().schema_type(Type::String).format(Some(format)).build()
}

/// The session that the header names, if there is one. It is not checked yet whether the session is the caller's.
pub fn impersonation(parts: &Parts) -> Result<Option<ImpersonationId>, ApiError> {
    let mut values = parts.headers.get_all(IMPERSONATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let session = value.to_str().ok().filter(|_| values.next().is_none()).and_then(|text| text.parse().ok());
    session.map(Some).ok_or(ApiError::InvalidHeader { name: IMPERSONATION, problem: "must be one id" })
}

/// The request's id, which API Gateway gave it.
pub fn request_id(parts: &Parts) -> Option<String> {
    parts.extensions.get::<Gateway>().map(|gateway| gateway.request_id.clone())
}

/// The claims of a token that is meant for an API: an ID token or an access token. Other tokens that the user pool signs,
/// such as some refresh tokens, have another `token_use`.
fn claims(parts: &Parts) -> Result<&HashMap<String, String>, ApiError> {
    let claims = parts.extensions.get::<Gateway>().and_then(|gateway| gateway.claims.as_ref());
    let claims = claims.ok_or(ApiError::Unauthenticated)?;
    match token_use(claims) {
        Some(ID | ACCESS) => Ok(claims),
        _ => Err(ApiError::Unauthenticated),
    }
}

fn token_use(claims: &HashMap<String, String>) -> Option<&str> {
    claims.get("token_use").map(String::as_str)
}

fn subject(parts: &Parts) -> Result<Subject, ApiError> {
    let sub = claims(parts)?.get("sub").ok_or(ApiError::Unauthenticated)?;
    Subject::from_verified_claim(sub).ok_or(ApiError::Unauthenticated)
}

#[cfg(test)]
mod tests {
    use super::source;

    #[test]
    fn an_address_counts_by_its_network() {
        let networks = [
            ("203.0.113.7", "203.0.113.7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
            ("2001:0DB8:0001:0002::9", "2001:db8:1:2::/64"),
        ];
        for (address, network) in networks {
            assert_eq!(source(address.parse().ok()), network);
        }
        assert_eq!(source(None), "unknown");
    }
}
