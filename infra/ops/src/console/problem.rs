//! What the page is told when something is wrong: what it is, and what to do next.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use local::failure::Failure;
use serde_json::{Value, json};

/// Something wrong.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    what: String,
    next: String,
}

impl Problem {
    /// Takes `what` is wrong and what to do `next`, both in lower case.
    pub(super) fn new(status: StatusCode, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { status, what: what.into(), next: next.into() }
    }

    /// As the page reads it.
    pub(super) fn to_json(&self) -> Value {
        json!({"error": {"what": self.what, "next": self.next}})
    }
}

impl From<anyhow::Error> for Problem {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast_ref::<Failure>() {
            Some(failure) => Self::new(StatusCode::BAD_GATEWAY, failure.what(), failure.next()),
            None => Self::new(
                StatusCode::BAD_GATEWAY,
                format!("{error:#}"),
                "try again; the log of the redrive function says more",
            ),
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        (self.status, Json(self.to_json())).into_response()
    }
}
