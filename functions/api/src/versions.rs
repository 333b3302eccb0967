//! `ETag` and `If-Match`: a client that changes a resource may name the version that it has read. The change is refused when
//! a newer version exists.
//!
//! The statement that changes the row compares the version (`where … and ($n::integer is null or version = $n)`), so that no
//! other change can come in between.

use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::header::{ETAG, IF_MATCH};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::problem::ApiError;
use crate::signature::{Describe, Notes};

/// The digits of a 31-bit number.
const PATTERN: &str = r#"^(\*|"[1-9][0-9]{0,8}")?$"#;

/// The version that the client has read; `None` accepts any version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IfMatch(pub Option<i32>);

impl IfMatch {
    fn read(headers: &HeaderMap) -> Option<Self> {
        let mut values = headers.get_all(IF_MATCH).iter();
        let Some(value) = values.next() else { return Some(Self(None)) };
        let text = value.to_str().ok().filter(|_| values.next().is_none())?;
        // An empty value counts as an absent header.
        if matches!(text, "*" | "") {
            return Some(Self(None));
        }
        let digits = text.strip_prefix('"')?.strip_suffix('"')?;
        let plain = (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        let version = digits.parse().ok().filter(|_| plain && !digits.starts_with('0'))?;
        Some(Self(Some(version)))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        Self::read(&parts.headers).ok_or(ApiError::InvalidHeader {
            name: "if-match",
            problem: "must be * or one ETag as it was returned",
        })
    }
}

impl Describe for IfMatch {
    fn describe(notes: &mut Notes) {
        let schema = ObjectBuilder::new().schema_type(Type::String).pattern(Some(PATTERN));
        notes.header(
            "if-match",
            "The ETag of the version to change. The request is refused with 412 when there is a newer version.",
            schema,
        );
        notes.refuse(&[400, 412]);
    }
}

/// A resource that counts its versions.
pub trait Versioned {
    /// The version.
    fn version(&self) -> i32;
}

/// A response with its `ETag`.
pub struct Tagged<T>(pub T);

impl<T: Serialize + Versioned> IntoResponse for Tagged<T> {
    fn into_response(self) -> Response {
        ([(ETAG, tag(self.0.version()))], Json(self.0)).into_response()
    }
}

/// The tag of the resource in a body, if it has a version.
pub fn tag_of(body: &str) -> Option<[(HeaderName, HeaderValue); 1]> {
    #[derive(Deserialize)]
    struct Thing {
        version: i32,
    }
    let thing: Thing = serde_json::from_str(body).ok()?;
    Some([(ETAG, tag(thing.version))])
}

fn tag(version: i32) -> HeaderValue {
    HeaderValue::from_str(&format!("\"{version}\"")).expect("digits and quotes are a header's value")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(values: &[&str]) -> Option<IfMatch> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(IF_MATCH, value.parse().unwrap());
        }
        IfMatch::read(&headers)
    }

    #[test]
    fn a_tag_a_star_or_an_empty_value_is_read_and_all_else_is_refused() {
        assert_eq!(read(&[]), Some(IfMatch(None)));
        assert_eq!(read(&["*"]), Some(IfMatch(None)));
        assert_eq!(read(&[""]), Some(IfMatch(None)));
        assert_eq!(read(&["\"12\""]), Some(IfMatch(Some(12))));
        for wrong in ["12", "\"\"", "\"0\"", "\"+1\"", "\"01\"", "W/\"1\"", "\"1\", \"2\"", "\"1234567890\""]
        {
            assert_eq!(read(&[wrong]), None, "{wrong}");
        }
        assert_eq!(read(&["\"1\"", "\"1\""]), None);
    }
}
