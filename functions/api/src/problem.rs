//! Everything that can go wrong, and what the client is shown: RFC 9457 problem documents with a stable code.
//!
//! This is the one place that maps errors to HTTP. Clients see only the texts of the problem catalogue (`catalogue`). The
//! error's own text goes to the request's log line. Bodies of 5xx responses are constant except for the request's id.

mod catalogue;
pub(crate) mod refusals;

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::response::{IntoResponse, Response};
use robnu_marketplace::details;
use robnu_storage::StorageError;
use robnu_tenancy::Error as DatabaseError;
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::refusals::refusal_of;

pub use crate::problem::refusals::Refusal;

/// Something that does not exist or is not the caller's: the two look alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// No such seller, or no membership of it.
    Seller,
    /// No such account of this seller.
    Account,
    /// No such run of this seller.
    Run,
    /// No such import of this seller.
    Import,
    /// No such record of this seller was set aside.
    QuarantinedRecord,
    /// No such order of this seller.
    Order,
    /// No such member of this seller.
    Member,
    /// No such invitation of this seller, or none that the caller can accept.
    Invitation,
    /// No such impersonation session.
    Impersonation,
    /// No customer is stored for this order.
    Customer,
    /// No such shipment of this seller.
    Shipment,
    /// No such return of this seller.
    Return,
    /// No such scan of this seller waits.
    Scan,
    /// No such claim of this seller.
    Claim,
    /// No such document of this seller, or none that is complete.
    Document,
    /// No such marketplace or reason of claims.
    ClaimTerms,
    /// No such payout of this seller.
    Payout,
    /// No such listing of this seller.
    Listing,
    /// No such export of this seller, or one of a list that the caller may not read.
    Export,
    /// No such schedule of this account.
    Schedule,
    /// No such pending authorization: it is unknown, used, expired, or somebody else's.
    Authorization,
}

/// The problem of one field; never holds its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldProblem {
    /// Path of the field, such as `details.password`.
    pub field: String,
    /// What is wrong.
    pub problem: String,
}

impl FieldProblem {
    /// Says what is wrong with a field.
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self { field: field.into(), problem: problem.into() }
    }
}

impl From<details::FieldError> for FieldProblem {
    fn from(error: details::FieldError) -> Self {
        Self { field: error.field, problem: error.problem }
    }
}

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// The request carries no token that API Gateway has verified.
    #[error("the request carries no verified token")]
    Unauthenticated,
    /// The token states no email.
    #[error("the token states no email")]
    IdTokenRequired,
    /// The user pool has not verified the email.
    #[error("the token's email is not verified")]
    EmailNotVerified,
    /// Something that does not exist or is not the caller's.
    #[error("no such {0:?} for this caller")]
    NotFound(Missing),
    /// No such route.
    #[error("no such route")]
    RouteNotFound,
    /// The route does not support this method.
    #[error("the route does not support this method")]
    MethodNotAllowed,
    /// The member's role does not allow it.
    #[error("the member's role does not allow this")]
    Forbidden,
    /// The event is not a request of API Gateway.
    #[error("the event is not an HTTP request of API Gateway")]
    MalformedRequest,
    /// The body is not JSON.
    #[error("the body is not JSON at line {line}, column {column}")]
    MalformedJson {
        /// Line in the body.
        line: usize,
        /// Column in the line.
        column: usize,
    },
    /// The body's content type is not JSON.
    #[error("the content type is not JSON")]
    UnsupportedMediaType,
    /// The body is longer than the API accepts.
    #[error("the body is too long")]
    BodyTooLarge,
    /// The body could not be read to its end.
    #[error("the body could not be read")]
    BodyUnreadable,
    /// The body is JSON with wrong fields.
    #[error("the body has wrong fields")]
    InvalidBody(Vec<FieldProblem>),
    /// The query string has wrong parameters.
    #[error("the query has wrong parameters")]
    InvalidQuery(Vec<FieldProblem>),
    /// A header is malformed.
    #[error("the header {name} is malformed")]
    InvalidHeader {
        /// Which one.
        name: &'static str,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// The resource has changed since the client read it.
    #[error("the resource has a newer version")]
    VersionMismatch,
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for another request")]
    KeyReused,
    /// The seller is suspended, and the request would change something.
    #[error("the seller is suspended")]
    SellerSuspended,
    /// The seller's rate limit is exceeded.
    #[error("the seller sends too many requests")]
    RateLimited {
        /// Time until the next request may succeed.
        retry_after: Duration,
    },
    /// The seller would be without an owner.
    #[error("the seller would be without an owner")]
    LastOwner,
    /// The person has signed up as many sellers as one may.
    #[error("the person has signed up as many sellers as one may")]
    TooManySellers,
    /// The person has changed this as often today as one may.
    #[error("the person has changed this as often today as one may")]
    TooManyChanges,
    /// The impersonation session has ended, or it is not for this seller.
    #[error("the impersonation session is not live")]
    ImpersonationOver,
    /// This list did not return the cursor.
    #[error("the cursor is from another list")]
    InvalidCursor,
    /// The seller has already connected this account.
    #[error("the account is already connected")]
    AccountExists,
    /// The account is paused, disconnected or waits for new credentials.
    #[error("the account is not active")]
    AccountNotActive,
    /// A scanned code matches several returns.
    #[error("the code matches {} returns", .0.len())]
    AmbiguousReturn(Vec<FieldProblem>),
    /// The marketplace refused too many credentials lately.
    #[error("the marketplace refused too many credentials lately")]
    TooManyRefusedChecks {
        /// How long to wait.
        retry_after: Duration,
    },
    /// The marketplace did not respond.
    #[error("the marketplace did not respond")]
    MarketplaceUnavailable {
        /// How long the marketplace asks to wait.
        retry_after: Option<Duration>,
    },
    /// The marketplace's adapter does not support this kind of run.
    #[error("the marketplace's adapter does not support this kind of run")]
    KindNotOffered {
        /// What the client is shown: our text, or the registry's.
        because: String,
    },
    /// The present state forbids what the request asks for.
    #[error("refused: {}", .0.code)]
    Refused(&'static Refusal),
    /// The request exceeds a bound within its period.
    #[error("refused: {}", .refusal.code)]
    OverBound {
        /// What the client is shown.
        refusal: &'static Refusal,
        /// Time until the next request may succeed.
        retry_after: Duration,
    },
    /// The seller has no data key. This never happens in practice, because sign-up makes both together.
    #[error("the seller has no data key")]
    NoDataKey,
    /// The system returned no random bytes.
    #[error("the system returned no random bytes")]
    NoRandomness,
    /// The database failed.
    #[error("the database failed")]
    Database(#[source] DatabaseError),
    /// A key or the encryption failed.
    #[error("a key or the encryption failed")]
    Storage(#[from] StorageError),
    /// A response's body broke off.
    #[error("the response could not be read to its end")]
    AnswerUnreadable,
    /// A handler panicked.
    #[error("a handler panicked")]
    Panicked,
}

impl From<DatabaseError> for ApiError {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::NoMembership => Self::NotFound(Missing::Seller),
            DatabaseError::Forbidden => Self::Forbidden,
            DatabaseError::Suspended => Self::SellerSuspended,
            DatabaseError::RateLimited { retry_after } => Self::RateLimited { retry_after },
            DatabaseError::TooManySellers => Self::TooManySellers,
            DatabaseError::TooManyChanges => Self::TooManyChanges,
            DatabaseError::LastOwner => Self::LastOwner,
            DatabaseError::ImpersonationOver => Self::ImpersonationOver,
            // For anyone who is not staff, staff routes do not exist.
            DatabaseError::NotStaff => Self::RouteNotFound,
            DatabaseError::Violates { ref constraint } => match refusal_of(constraint) {
                Some(refusal) => Self::Refused(refusal),
                None => Self::Database(error),
            },
            DatabaseError::OverBound { ref bound, retry_after } => match refusal_of(bound) {
                Some(refusal) => Self::OverBound { refusal, retry_after },
                None => Self::Database(error),
            },
            other => Self::Database(other),
        }
    }
}

impl ApiError {
    fn fields(&self) -> Vec<FieldProblem> {
        match self {
            Self::InvalidBody(fields) | Self::InvalidQuery(fields) | Self::AmbiguousReturn(fields) => {
                fields.clone()
            }
            Self::InvalidHeader { name, problem } => vec![FieldProblem::new(*name, *problem)],
            _ => Vec::new(),
        }
    }

    /// Seconds until the same request may succeed.
    fn retry_after(&self, status: StatusCode) -> Option<u64> {
        match self {
            Self::RateLimited { retry_after }
            | Self::OverBound { retry_after, .. }
            | Self::TooManyRefusedChecks { retry_after }
            | Self::MarketplaceUnavailable { retry_after: Some(retry_after) } => {
                Some(retry_after.as_secs().max(1))
            }
            _ => (status == StatusCode::SERVICE_UNAVAILABLE).then_some(1),
        }
    }

    /// The response to the request `request_id`.
    pub(crate) fn to_response(&self, request_id: &str) -> Response {
        let (status, code, title, detail) = self.entry();
        let detail = match self {
            Self::MalformedJson { line, column } => {
                format!("The body is not a JSON document: see line {line}, column {column}.")
            }
            Self::KindNotOffered { because } => because.clone(),
            _ => detail.to_owned(),
        };
        let problem = Problem {
            kind: format!("urn:robnu:problem:{code}"),
            title: title.to_owned(),
            status: status.as_u16(),
            code: code.to_owned(),
            detail,
            request_id: request_id.to_owned(),
            errors: self.fields(),
        };
        let body = serde_json::to_string(&problem).expect("texts and numbers always serialize");
        let mut response = (status, [(CONTENT_TYPE, "application/problem+json")], body).into_response();
        if let Some(seconds) = self.retry_after(status) {
            response.headers_mut().insert(RETRY_AFTER, seconds.into());
        }
        response
    }
}

/// The body of an error response (RFC 9457).
#[derive(Serialize, ToSchema)]
pub(crate) struct Problem {
    /// `urn:robnu:problem:` and the code.
    #[serde(rename = "type")]
    kind: String,
    /// The code in words.
    title: String,
    /// The HTTP status.
    #[schema(minimum = 400, maximum = 599)]
    status: u16,
    /// Stable code by which programs tell problems apart.
    code: String,
    /// What to do about it.
    detail: String,
    /// Quote it when you ask for help.
    request_id: String,
    /// The fields, parameters or headers that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    errors: Vec<FieldProblem>,
}

/// An error on its way to the request log, which writes the body because it knows the request's id.
#[derive(Debug, Clone)]
pub struct Failure(pub Arc<ApiError>);

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, ..) = self.entry();
        let mut response = status.into_response();
        response.extensions_mut().insert(Failure(Arc::new(self)));
        response
    }
}
