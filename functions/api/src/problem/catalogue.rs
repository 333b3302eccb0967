//! The problem catalogue: the status, code and texts of every problem.

use axum::http::StatusCode;
use robnu_storage::StorageError;
use robnu_storage::objects::ObjectFault;

use super::{ApiError, Missing};
use crate::problem::refusals::NOT_SUPPORTED;

/// Status, code, title and detail.
pub(super) type Entry = (StatusCode, &'static str, &'static str, &'static str);

impl ApiError {
    /// The catalogue's entry for this error.
    pub(super) fn entry(&self) -> Entry {
        match self {
            Self::Unauthenticated => (
                StatusCode::UNAUTHORIZED,
                "unauthenticated",
                "Not signed in",
                "Send a valid token in the Authorization header.",
            ),
            Self::IdTokenRequired => (
                StatusCode::BAD_REQUEST,
                "id_token_required",
                "ID token required",
                "Signing up needs the ID token, because it states your email address. This token states none.",
            ),
            Self::EmailNotVerified => (
                StatusCode::FORBIDDEN,
                "email_not_verified",
                "Email not verified",
                "Verify your email address, sign in again and repeat the request.",
            ),
            Self::NotFound(missing) => missing.entry(),
            Self::Refused(refusal) | Self::OverBound { refusal, .. } => {
                (refusal.status, refusal.code, refusal.title, refusal.detail)
            }
            Self::KindNotOffered { .. } => {
                (NOT_SUPPORTED.status, NOT_SUPPORTED.code, NOT_SUPPORTED.title, NOT_SUPPORTED.detail)
            }
            Self::RouteNotFound => {
                (StatusCode::NOT_FOUND, "route_not_found", "No such route", "The API has no such path.")
            }
            Self::MethodNotAllowed => (
                StatusCode::METHOD_NOT_ALLOWED,
                "method_not_allowed",
                "Method not allowed",
                "This path does not support the request's method.",
            ),
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                "forbidden",
                "Not allowed",
                "Your role does not allow this. Ask an owner or admin of the seller.",
            ),
            Self::AccountExists => (
                StatusCode::CONFLICT,
                "account_exists",
                "Already connected",
                "This marketplace account is already connected to the seller.",
            ),
            Self::AccountNotActive => (
                StatusCode::CONFLICT,
                "account_not_active",
                "Account not active",
                "The account is paused, disconnected or needs new credentials.",
            ),
            Self::Database(error) if error.is_transient() => UNAVAILABLE,
            Self::Storage(
                StorageError::Kms { .. } | StorageError::Object { fault: ObjectFault::Unavailable, .. },
            ) => UNAVAILABLE,
            Self::NoDataKey
            | Self::NoRandomness
            | Self::Database(_)
            | Self::Storage(_)
            | Self::AnswerUnreadable
            | Self::Panicked => INTERNAL,
            refused => refused.entry_of_state(),
        }
    }

    /// The entry for a well-formed request that the seller's present state forbids.
    fn entry_of_state(&self) -> Entry {
        match self {
            Self::SellerSuspended => (
                StatusCode::FORBIDDEN,
                "seller_suspended",
                "Seller suspended",
                "The seller is suspended: its data can be read but not changed. Ask the platform's support.",
            ),
            Self::RateLimited { .. } => (
                StatusCode::TOO_MANY_REQUESTS,
                "rate_limited",
                "Too many requests",
                "The rate limit of the seller or the person is exceeded. Wait as long as Retry-After says.",
            ),
            Self::TooManyRefusedChecks { .. } => (
                StatusCode::TOO_MANY_REQUESTS,
                "too_many_refused_checks",
                "Too many refused credentials",
                "Too many credentials were refused lately for this user name, for this account, for you, or in total. The marketplace was 
                 not asked and nothing was stored. Wait as long as Retry-After says, and make sure that the credentials are right.",
            ),
            Self::MarketplaceUnavailable { .. } => (
                StatusCode::SERVICE_UNAVAILABLE,
                "marketplace_unavailable",
                "Marketplace unavailable",
                "The marketplace does not respond at the moment. Nothing was stored. Try again; a consent must be given anew.",
            ),
            Self::AmbiguousReturn(_) => (
                StatusCode::CONFLICT,
                "return_ambiguous",
                "Several returns",
                "The code matches several returns; errors lists their ids. Send the code again with the return_id of one of them.",
            ),
            Self::LastOwner => (
                StatusCode::CONFLICT,
                "last_owner",
                "Last owner",
                "A seller keeps at least one owner. Make another member an owner first.",
            ),
            Self::TooManySellers => (
                StatusCode::CONFLICT,
                "too_many_sellers",
                "Too many sellers",
                "You have signed up as many sellers as one person is allowed.",
            ),
            Self::TooManyChanges => (
                StatusCode::CONFLICT,
                "too_many_changes_today",
                "Too many changes today",
                "You have changed this 100 times within a day, or 20,000 things today. Go on tomorrow. If a program makes the changes, let it send only what differs.",
            ),
            Self::ImpersonationOver => (
                StatusCode::FORBIDDEN,
                "impersonation_over",
                "Impersonation over",
                "The impersonation session has ended, or it is not your session for this seller. Open another one.",
            ),
            Self::VersionMismatch => (
                StatusCode::PRECONDITION_FAILED,
                "version_mismatch",
                "Changed meanwhile",
                "There is a newer version than the one that If-Match names. Read that version and repeat the change.",
            ),
            Self::KeyReused => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "Key used before",
                "This Idempotency-Key was used for another request within the last day. Send a new key.",
            ),
            refused => refused.entry_of_request(),
        }
    }

    /// The entry for a malformed request.
    fn entry_of_request(&self) -> Entry {
        match self {
            Self::MalformedRequest => (
                StatusCode::BAD_REQUEST,
                "malformed_request",
                "Malformed request",
                "The request cannot be read as an HTTP request.",
            ),
            Self::MalformedJson { .. } => (
                StatusCode::BAD_REQUEST,
                "malformed_json",
                "Malformed JSON",
                "The body is not a JSON document.",
            ),
            Self::UnsupportedMediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "Unsupported media type",
                "Send the body as application/json.",
            ),
            Self::BodyTooLarge => (
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                "Body too large",
                "The body is longer than 1 MiB.",
            ),
            Self::BodyUnreadable => (
                StatusCode::BAD_REQUEST,
                "body_unreadable",
                "Body unreadable",
                "The body could not be read to its end.",
            ),
            Self::InvalidBody(_) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "invalid_body",
                "Invalid fields",
                "Some fields of the body are missing, unknown or wrong; see errors.",
            ),
            Self::InvalidQuery(_) => (
                StatusCode::BAD_REQUEST,
                "invalid_query",
                "Invalid query",
                "Some query parameters are unknown or wrong; see errors.",
            ),
            Self::InvalidHeader { .. } => (
                StatusCode::BAD_REQUEST,
                "invalid_header",
                "Invalid header",
                "A header of the request is malformed; see errors.",
            ),
            Self::InvalidCursor => (
                StatusCode::BAD_REQUEST,
                "invalid_cursor",
                "Invalid cursor",
                "Use next_cursor as this list returned it, with the same filters.",
            ),
            _ => INTERNAL,
        }
    }
}

const UNAVAILABLE: Entry = (
    StatusCode::SERVICE_UNAVAILABLE,
    "unavailable",
    "Try again",
    "The service is busy at the moment. Repeat the request.",
);

const INTERNAL: Entry = (
    StatusCode::INTERNAL_SERVER_ERROR,
    "internal",
    "Internal error",
    "Something went wrong on our side. Quote the request id when you ask for help.",
);

impl Missing {
    /// The catalogue's entry for this error.
    fn entry(self) -> Entry {
        let (code, title, detail) = match self {
            Self::Seller => {
                ("seller_not_found", "No such seller", "You are not a member of any seller with this id.")
            }
            Self::Account => {
                ("account_not_found", "No such account", "The seller has no account with this id.")
            }
            Self::Import => ("import_not_found", "No such import", "The seller has no import with this id."),
            Self::Run => ("run_not_found", "No such run", "The seller has no run with this id."),
            Self::QuarantinedRecord => (
                "quarantined_record_not_found",
                "No such record",
                "No record with this id is set aside. A record that is not read again within 30 days is deleted.",
            ),
            Self::Order => ("order_not_found", "No such order", "The seller has no order with this id."),
            Self::Member => ("member_not_found", "No such member", "The seller has no member with this id."),
            Self::Invitation => (
                "invitation_not_found",
                "No such invitation",
                "There is no such invitation, or it is no longer valid or is for another address. Ask for a new one.",
            ),
            Self::Impersonation => (
                "impersonation_not_found",
                "No such session",
                "There is no impersonation session with this id.",
            ),
            Self::Customer => (
                "customer_not_found",
                "No customer known",
                "The marketplace has not said who placed this order.",
            ),
            Self::Shipment => {
                ("shipment_not_found", "No such shipment", "The seller has no shipment with this id.")
            }
            Self::Return => {
                ("return_not_found", "No such return", "The seller has no return with this id or code.")
            }
            Self::Scan => (
                "scan_not_found",
                "No such scan",
                "The seller has no waiting scan with this id. It was discarded, or its return has come.",
            ),
            Self::Claim => ("claim_not_found", "No such claim", "The seller has no claim with this id."),
            Self::Document => (
                "document_not_found",
                "No such document",
                "The seller has no document with this id, or its upload is not complete.",
            ),
            Self::ClaimTerms => (
                "claim_terms_not_found",
                "No such claim terms",
                "There is no such marketplace, or no such reason of claims. list_claim_terms shows them all.",
            ),
            Self::Payout => ("payout_not_found", "No such payout", "The seller has no payout with this id."),
            Self::Listing => {
                ("listing_not_found", "No such listing", "The seller has no listing with this id.")
            }
            Self::Export => (
                "export_not_found",
                "No such export",
                "The seller has no export with this id, or you may not read its list.",
            ),
            Self::Authorization => (
                "authorization_not_found",
                "No such authorization",
                "The state is unknown, used or expired, or was given to somebody else. Begin the consent again.",
            ),
            Self::Schedule => {
                ("schedule_not_found", "No such schedule", "The account has no schedule of this kind.")
            }
        };
        (StatusCode::NOT_FOUND, code, title, detail)
    }
}
