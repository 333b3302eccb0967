//! OAuth token responses (RFC 6749, section 5), which Amazon's and Flipkart's token services share.

use axum::http::StatusCode;
use serde_json::json;

use crate::call::Reply;

/// A refused token request.
pub(crate) struct Refused {
    status: StatusCode,
    error: &'static str,
    description: String,
}

impl Refused {
    pub(crate) fn invalid_request(parameter: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid_request",
            &format!("The request is missing a required parameter : {parameter}"),
        )
    }

    pub(crate) fn unsupported_grant_type() -> Self {
        let description = "The authorization grant type is not supported by the authorization server";
        Self::new(StatusCode::BAD_REQUEST, "unsupported_grant_type", description)
    }

    pub(crate) fn invalid_grant(parameter: &str) -> Self {
        let description = format!("The request has an invalid grant parameter : {parameter}");
        Self::new(StatusCode::BAD_REQUEST, "invalid_grant", &description)
    }

    pub(crate) fn invalid_client() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", "Client authentication failed")
    }

    pub(crate) fn unauthorized_client() -> Self {
        let description = "The client may not use this authorization grant type";
        Self::new(StatusCode::BAD_REQUEST, "unauthorized_client", description)
    }

    pub(crate) fn unreadable() -> Self {
        let description = "The request body cannot be read as a form or a JSON object";
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", description)
    }

    fn new(status: StatusCode, error: &'static str, description: &str) -> Self {
        Self { status, error, description: description.to_owned() }
    }

    pub(crate) fn reply(&self) -> Reply {
        Reply::json(self.status, &json!({ "error": self.error, "error_description": self.description }))
    }
}

/// An HTTP error of a token service.
pub(crate) fn failure(status: StatusCode) -> Reply {
    let error = match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
        StatusCode::UNAUTHORIZED => "invalid_client",
        StatusCode::FORBIDDEN => "access_denied",
        status if status.is_client_error() => "invalid_request",
        _ => "server_error",
    };
    Refused::new(status, error, "The request cannot be served now").reply()
}
