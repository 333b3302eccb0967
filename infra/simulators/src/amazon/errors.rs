//! Error responses of the Selling Partner API.

use axum::http::StatusCode;
use serde_json::json;

use crate::call::Reply;

/// An HTTP error with the code and message that Amazon gives it.
pub(super) fn failure(status: StatusCode) -> Reply {
    let (code, message) = match status {
        StatusCode::TOO_MANY_REQUESTS => {
            ("QuotaExceeded", "You exceeded your quota for the requested resource.")
        }
        StatusCode::SERVICE_UNAVAILABLE => {
            ("ServiceUnavailable", "Temporary overloading or maintenance of the server.")
        }
        StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => {
            ("Unauthorized", "Access to requested resource is denied.")
        }
        StatusCode::NOT_FOUND => ("ResourceNotFound", "The resource specified does not exist."),
        status if status.is_client_error() => ("InvalidInput", "Invalid Input"),
        _ => ("InternalFailure", "We encountered an internal error. Please try again."),
    };
    refusal(status, code, message)
}

/// The response to an access token that is missing, unknown or expired.
pub(super) fn unauthorised() -> Reply {
    failure(StatusCode::FORBIDDEN)
}

/// An error with a code and a message of our choice.
pub(super) fn refusal(status: StatusCode, code: &str, message: &str) -> Reply {
    Reply::json(status, &json!({ "errors": [{ "code": code, "message": message, "details": "" }] }))
}
