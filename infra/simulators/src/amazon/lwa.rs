//! The token service's own forms: parameters in, tokens and errors out.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};

use crate::call::{Call, Reply, form};

/// The parameters of a token request, form- or JSON-encoded.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// A parameter's value; an empty one counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }
}

/// Reads a token request; anything but a form or a JSON object of texts is refused.
pub(super) fn parameters(call: &Call) -> Result<Parameters, Refused> {
    let is_json = call.header(CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with("application/json"));
    if !is_json {
        return form(&call.body).map(Parameters).ok_or_else(Refused::unreadable);
    }
    let object: Map<String, Value> = serde_json::from_slice(&call.body).map_err(|_| Refused::unreadable())?;
    let texts = object.into_iter().filter_map(|(key, value)| Some((key, value.as_str()?.to_owned())));
    Ok(Parameters(texts.collect()))
}

/// A refused token request.
pub(super) struct Refused {
    status: StatusCode,
    error: &'static str,
    description: String,
}

impl Refused {
    pub(super) fn invalid_request(parameter: &str) -> Self {
        let description = format!("The request is missing a required parameter : {parameter}");
        Self { status: StatusCode::BAD_REQUEST, error: "invalid_request", description }
    }

    pub(super) fn unsupported_grant_type() -> Self {
        let description =
            "The authorization grant type is not supported by the authorization server".to_owned();
        Self { status: StatusCode::BAD_REQUEST, error: "unsupported_grant_type", description }
    }

    pub(super) fn invalid_grant() -> Self {
        let description = "The request has an invalid grant parameter : refresh_token".to_owned();
        Self { status: StatusCode::BAD_REQUEST, error: "invalid_grant", description }
    }

    pub(super) fn invalid_client() -> Self {
        let description = "Client authentication failed".to_owned();
        Self { status: StatusCode::UNAUTHORIZED, error: "invalid_client", description }
    }

    fn unreadable() -> Self {
        let description = "The request body cannot be read as a form or a JSON object".to_owned();
        Self { status: StatusCode::BAD_REQUEST, error: "invalid_request", description }
    }

    pub(super) fn reply(&self) -> Reply {
        Reply::json(self.status, &json!({ "error": self.error, "error_description": self.description }))
    }
}

/// A granted token request. The refresh token comes back unchanged.
pub(super) fn granted(access_token: &str, refresh_token: &str, lifetime_seconds: i64) -> Reply {
    let body = json!({
        "access_token": access_token,
        "token_type": "bearer",
        "expires_in": lifetime_seconds,
        "refresh_token": refresh_token,
    });
    Reply::json(StatusCode::OK, &body)
}

/// An HTTP error of the token service.
pub(super) fn failure(status: StatusCode) -> Reply {
    let error = match status {
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE => "temporarily_unavailable",
        StatusCode::UNAUTHORIZED => "invalid_client",
        StatusCode::FORBIDDEN => "access_denied",
        status if status.is_client_error() => "invalid_request",
        _ => "server_error",
    };
    Refused { status, error, description: "The request cannot be served now".to_owned() }.reply()
}
