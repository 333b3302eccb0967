//! Query strings: every parameter is known, given once and well-formed, or the request is refused by its name.

use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use utoipa::IntoParams;
use utoipa::openapi::Required;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, Type};

use crate::problem::{ApiError, FieldProblem};
use crate::signature::{Describe, Notes};

const DEFAULT_LIMIT: i64 = 50;
const MAX_LIMIT: i64 = 200;

/// The parameters of a request, taken one by one.
pub struct QueryParams {
    unread: Vec<(String, String)>,
    problems: Vec<FieldProblem>,
}

impl<S: Sync> FromRequestParts<S> for QueryParams {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Query(unread) = Query::try_from_uri(&parts.uri).map_err(|_| {
            ApiError::InvalidQuery(vec![FieldProblem::new("query", "is not a well-formed query string")])
        })?;
        Ok(Self { unread, problems: Vec::new() })
    }
}

impl Describe for QueryParams {
    fn describe(notes: &mut Notes) {
        notes.refuse(&[400]);
    }
}

/// The parameters of every list that comes in pages, for its description.
pub struct Page;

impl IntoParams for Page {
    fn into_params(_: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let limit = ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(MAX_LIMIT))
            .default(Some(DEFAULT_LIMIT.into()));
        let cursor = ObjectBuilder::new().schema_type(Type::String);
        let parameter = |name: &str, text: &str, schema: ObjectBuilder| {
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query);
            parameter.required(Required::False).description(Some(text)).schema(Some(schema)).build()
        };
        vec![
            parameter("limit", "How many at most.", limit),
            parameter("cursor", "Goes on where a page with the same filters ended: its next_cursor.", cursor),
        ]
    }
}

impl QueryParams {
    /// A parameter as it is.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        let position = self.unread.iter().position(|(given, _)| given == name)?;
        let (_, value) = self.unread.remove(position);
        if self.unread.iter().any(|(given, _)| given == name) {
            self.unread.retain(|(given, _)| given != name);
            self.refuse(name, "is given twice");
        }
        Some(value)
    }

    /// A parameter as `read` understands it; `expected` says what that is.
    pub fn read<T>(
        &mut self,
        name: &'static str,
        expected: &'static str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.text(name)?;
        let value = read(&text);
        if value.is_none() {
            self.refuse(name, expected);
        }
        value
    }

    /// An id.
    pub fn id<T: FromStr>(&mut self, name: &'static str) -> Option<T> {
        self.read(name, "must be an id", |text| text.parse().ok())
    }

    /// The length of a page.
    pub fn limit(&mut self) -> i64 {
        let limit = self.read("limit", "must be a number from 1 to 200", |text| {
            text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit))
        });
        limit.unwrap_or(DEFAULT_LIMIT)
    }

    /// Refuses what is left over and what was malformed.
    pub fn finish(mut self) -> Result<(), ApiError> {
        for (name, _) in std::mem::take(&mut self.unread) {
            let shown: String = name.chars().take(100).collect();
            self.refuse(&shown, "is not a parameter of this list");
        }
        if self.problems.is_empty() { Ok(()) } else { Err(ApiError::InvalidQuery(self.problems)) }
    }

    fn refuse(&mut self, name: &str, problem: &str) {
        self.problems.push(FieldProblem::new(name, problem));
    }
}
