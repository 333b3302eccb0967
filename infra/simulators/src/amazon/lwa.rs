//! The token service's request parameters and its successful response.

use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use serde_json::{Map, Value, json};

use crate::call::{Call, Reply, form};
use crate::oauth_token::Refused;

/// The parameters of a token request, which may be a form or JSON.
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// A parameter's value; an empty one counts as absent.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, value)| key == name && !value.is_empty()).map(|(_, value)| value.as_str())
    }
}

/// Reads a token request. Refuses anything that is not a form or a JSON object. Values that are not texts are ignored.
pub(super) fn parameters(call: &Call) -> Result<Parameters, Refused> {
    let is_json = call.header(CONTENT_TYPE.as_str()).is_some_and(|kind| kind.starts_with("application/json"));
    if !is_json {
        return form(&call.body).map(Parameters).ok_or_else(Refused::unreadable);
    }
    let object: Map<String, Value> = serde_json::from_slice(&call.body).map_err(|_| Refused::unreadable())?;
    let texts = object.into_iter().filter_map(|(key, value)| Some((key, value.as_str()?.to_owned())));
    Ok(Parameters(texts.collect()))
}

/// The response to a granted token request.
pub(super) fn granted(access_token: &str, refresh_token: &str, lifetime_seconds: i64) -> Reply {
    let body = json!({
        "access_token": access_token,
        "token_type": "bearer",
        "expires_in": lifetime_seconds,
        "refresh_token": refresh_token,
    });
    Reply::json(StatusCode::OK, &body)
}
