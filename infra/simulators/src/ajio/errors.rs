//! Error responses of AJIO's API.

use axum::http::StatusCode;
use serde_json::json;

use crate::call::Reply;
use crate::quota::Quota;

/// The response to a token or a password that is not accepted.
pub(super) fn rejection() -> Reply {
    error(StatusCode::UNAUTHORIZED, "token is invalid or expired")
}

/// An HTTP error with AJIO's body.
pub(super) fn failure(status: StatusCode) -> Reply {
    error(status, status.canonical_reason().unwrap_or("error"))
}

/// The response to a call over the quota.
pub(super) fn throttled(quota: Quota) -> Reply {
    // Whole seconds until one request is free again; an hour stands for never.
    let seconds = if quota.rate > 0.0 { (1.0 / quota.rate).ceil().clamp(1.0, 3_600.0) } else { 3_600.0 };
    failure(StatusCode::TOO_MANY_REQUESTS).with_header("retry-after", seconds.to_string())
}

/// An error with a message of our choice.
pub(super) fn error(status: StatusCode, message: &str) -> Reply {
    Reply::json(status, &json!({ "success": false, "statusCode": status.as_u16(), "message": message }))
}
