//! JSON bodies: parsed strictly. A refusal names the field and never repeats its value, which may be a password.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, Request};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::error::Category;
use utoipa::ToSchema;

use crate::problem::{ApiError, FieldProblem};
use crate::signature::{Describe, Notes};

/// The longest field name that is repeated to the client, in characters: unknown names are the client's own text.
const MAX_NAME: usize = 100;

/// A body of the given shape.
pub struct JsonBody<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        require_json(request.headers())?;
        parse(&read_body(request, state).await?).map(Self)
    }
}

/// Reads a field that may be left out and, when it is there, is not null: for `deserialize_with` beside `default`.
pub fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The body's bytes, if the body is not too long.
pub async fn read_body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, ApiError> {
    Bytes::from_request(request, state).await.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => ApiError::BodyTooLarge,
        _ => ApiError::BodyUnreadable,
    })
}

/// Refuses a body that does not say that it is JSON.
pub fn require_json(headers: &HeaderMap) -> Result<(), ApiError> {
    if is_json(headers) { Ok(()) } else { Err(ApiError::UnsupportedMediaType) }
}

impl<T: ToSchema> Describe for JsonBody<T> {
    fn describe(notes: &mut Notes) {
        notes.json_body::<T>();
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}

/// Reads a body as `T`.
pub fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    // serde would accept an array as a struct's fields in their order.
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return Err(ApiError::InvalidBody(vec![FieldProblem::new("body", "must be an object")]));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| refusal(&error.path().to_string(), error.inner()))?;
    deserializer.end().map_err(|error| refusal(".", &error))?;
    Ok(value)
}

fn refusal(path: &str, error: &serde_json::Error) -> ApiError {
    match error.classify() {
        Category::Data => ApiError::InvalidBody(vec![field_problem(path, &error.to_string())]),
        Category::Syntax | Category::Eof | Category::Io => {
            ApiError::MalformedJson { line: error.line(), column: error.column() }
        }
    }
}

/// Reads serde's message. Only our own words in it are safe to repeat: names of our fields, and the text after the last
/// "expected".
fn field_problem(path: &str, message: &str) -> FieldProblem {
    let (message, _) = message.rsplit_once(" at line ").unwrap_or((message, ""));
    let quoted = |prefix: &str| message.strip_prefix(prefix)?.strip_suffix('`');
    if let Some(name) = quoted("missing field `") {
        return FieldProblem::new(join(path, name), "is required");
    }
    if let Some(name) = quoted("duplicate field `") {
        return FieldProblem::new(join(path, name), "is given twice");
    }
    let field = if path == "." { "body".to_owned() } else { path.chars().take(MAX_NAME).collect() };
    if message.starts_with("unknown field `") {
        return FieldProblem::new(field, "is not a field of this request");
    }
    match message.rsplit_once(", expected ") {
        // serde's words for what JSON calls an object.
        Some((_, expected)) if expected == "a map" || expected.starts_with("struct ") => {
            FieldProblem::new(field, "must be an object")
        }
        Some((_, expected)) => FieldProblem::new(field, format!("must be {expected}")),
        None => FieldProblem::new(field, "has a wrong value"),
    }
}

fn join(path: &str, name: &str) -> String {
    let parent = path.strip_suffix(name).and_then(|parent| parent.strip_suffix('.')).unwrap_or(path);
    if matches!(parent, "." | "") || parent == name { name.to_owned() } else { format!("{parent}.{name}") }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only parsed")]
    struct Shape {
        name: String,
        #[serde(default)]
        inner: Option<Inner>,
        #[serde(default)]
        map: BTreeMap<String, String>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only parsed")]
    struct Inner {
        flag: bool,
    }

    fn refused(body: &str) -> (String, String) {
        match parse::<Shape>(body.as_bytes()) {
            Err(ApiError::InvalidBody(mut fields)) => {
                let FieldProblem { field, problem } = fields.remove(0);
                (field, problem)
            }
            other => panic!("{body}: {other:?}"),
        }
    }

    #[test]
    fn the_field_is_named_and_its_value_is_not_repeated() {
        let cases = [
            (r"{}", "name", "is required"),
            (r#"{"name":"a","hunter2":1}"#, "hunter2", "is not a field of this request"),
            (r#"{"name":"a","name":"b"}"#, "name", "is given twice"),
            (r#"{"name":12345}"#, "name", "must be a string"),
            (r#"{"name":"a","inner":{}}"#, "inner.flag", "is required"),
            (r#"{"name":"a","inner":{"flag":"s3cret, expected x"}}"#, "inner.flag", "must be a boolean"),
            (r#"{"name":"a","inner":{"flag":true,"b":2}}"#, "inner.b", "is not a field of this request"),
            (r#"{"name":"a","map":{"password":["s3cret"]}}"#, "map.password", "must be a string"),
            (r#""s3cret""#, "body", "must be an object"),
            (r#" ["s3cret", null, {}]"#, "body", "must be an object"),
            (r#"{"name":"a","map":"s3cret"}"#, "map", "must be an object"),
        ];
        for (body, field, problem) in cases {
            assert_eq!(refused(body), (field.to_owned(), problem.to_owned()), "{body}");
        }
    }

    #[test]
    fn invalid_json_is_refused_with_its_position() {
        for body in ["", "{", r#"{"name":"a"} x"#, "\u{0}"] {
            assert!(matches!(parse::<Shape>(body.as_bytes()), Err(ApiError::MalformedJson { .. })), "{body}");
        }
    }
}
