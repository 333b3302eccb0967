//! Query strings: every parameter must be known, given once and well-formed. Otherwise the refusal names the parameter.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use robnu_tenancy::parse_id;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, Required};
use utoipa::{IntoParams, PartialSchema, ToSchema};
use uuid::Uuid;

use crate::exportable::Filters;
use crate::fields::{label, label_schema};
use crate::problem::{ApiError, FieldProblem};
use crate::signature::{Describe, Notes};

const DEFAULT_LIMIT: i64 = 50;
const MAX_LIMIT: i64 = 200;
/// The longest number or code, in characters.
const MAX_LABEL: usize = 100;
const CURSOR: &str = "cursor";
/// The parameters that choose a page of a list.
const PLACE: [&str; 2] = ["limit", CURSOR];

/// The parameters of a request, taken one by one.
pub struct QueryParams {
    unread: Vec<(String, String)>,
    problems: Vec<FieldProblem>,
    /// The length of a page where the caller does not decide it.
    page: Option<i64>,
}

impl<S: Sync> FromRequestParts<S> for QueryParams {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ApiError> {
        let Query(unread) = Query::try_from_uri(&parts.uri).map_err(|_| {
            ApiError::InvalidQuery(vec![FieldProblem::new("query", "is not a well-formed query string")])
        })?;
        Ok(Self { unread, problems: Vec::new(), page: None })
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
        let cursor = ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(crate::cursor::CURSOR_LEN))
            .max_length(Some(crate::cursor::CURSOR_LEN))
            .pattern(Some("^[A-Za-z0-9_-]*$"));
        let parameter = |name: &str, text: &str, schema: ObjectBuilder| {
            let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Query);
            parameter.required(Required::False).description(Some(text)).schema(Some(schema)).build()
        };
        vec![
            parameter(
                "limit",
                "The most rows to return. A page can hold fewer rows, or none, and still have a next_cursor, because filters look at a limited number of rows at a time. The list ends when next_cursor is null.",
                limit,
            ),
            parameter(
                "cursor",
                "The next_cursor of a page with the same filters: the list continues after that page.",
                cursor,
            ),
        ]
    }
}

/// The values that [`QueryParams::label`] accepts, for descriptions.
pub struct LabelParam;

/// The values that [`QueryParams::marketplace`] accepts, for descriptions.
pub struct MarketplaceParam;

/// The schema of the values that [`QueryParams::label`] accepts.
pub fn query_label_schema() -> Object {
    label_schema::<MAX_LABEL>()
}

impl PartialSchema for LabelParam {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::from(query_label_schema());
        text.description(Some("A number or code as a marketplace or the seller writes it.")).into()
    }
}

impl ToSchema for LabelParam {}

impl PartialSchema for MarketplaceParam {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[A-Z][A-Z_]{1,31}$"));
        text.description(Some("A marketplace's code, such as AJIO.")).into()
    }
}

impl ToSchema for MarketplaceParam {}

impl QueryParams {
    /// The filters of an export, with the place of a page in it.
    pub(crate) fn of_export(filters: &Filters, cursor: Option<&str>, page: i64) -> Self {
        let mut query = Self { unread: Vec::new(), problems: Vec::new(), page: Some(page) };
        for (name, value) in filters {
            if PLACE.contains(&name.as_str()) {
                query.refuse(name, "is not a filter: an export has every row");
            } else {
                query.unread.push((name.clone(), value.clone()));
            }
        }
        query.unread.extend(cursor.map(|cursor| (CURSOR.to_owned(), cursor.to_owned())));
        query
    }

    /// A parameter as it was sent.
    pub fn text(&mut self, name: &'static str) -> Option<String> {
        let position = self.unread.iter().position(|(given, _)| given == name)?;
        let (_, value) = self.unread.remove(position);
        if self.unread.iter().any(|(given, _)| given == name) {
            self.unread.retain(|(given, _)| given != name);
            self.refuse(name, "is given twice");
        }
        Some(value)
    }

    /// A parameter as `read` understands it; `expected` describes the right form.
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

    /// An id, in its one spelling.
    pub fn id<T: From<Uuid>>(&mut self, name: &'static str) -> Option<T> {
        self.read(name, "must be an id", |text| parse_id(text).ok())
    }

    /// An instant.
    pub fn instant(&mut self, name: &'static str) -> Option<DateTime<Utc>> {
        self.read(name, "must be an instant such as 2026-01-31T18:30:00Z", |text| {
            DateTime::parse_from_rfc3339(text).ok().map(|instant| instant.to_utc())
        })
    }

    /// A number or code as a marketplace or the seller writes it, without blanks around it.
    pub fn label(&mut self, name: &'static str) -> Option<String> {
        self.read(
            name,
            "must be 1 to 100 characters, not all of them blank and none a control character",
            |text| label(name, text, MAX_LABEL).ok(),
        )
    }

    /// A marketplace's code.
    pub fn marketplace(&mut self) -> Option<String> {
        self.read("marketplace", "must be a marketplace's code, such as AJIO", |text| {
            let plain = |letter: u8| letter.is_ascii_uppercase() || letter == b'_';
            let well_formed =
                (2..=32).contains(&text.len()) && text.bytes().all(plain) && !text.starts_with('_');
            well_formed.then(|| text.to_owned())
        })
    }

    /// `true` or `false`.
    pub fn flag(&mut self, name: &'static str) -> bool {
        self.read(name, "must be true or false", |text| text.parse().ok()).unwrap_or_default()
    }

    /// The length of a page.
    pub fn limit(&mut self) -> i64 {
        if let Some(page) = self.page {
            return page;
        }
        let limit = self.read("limit", "must be a number from 1 to 200", |text| {
            text.parse().ok().filter(|limit| (1..=MAX_LIMIT).contains(limit))
        });
        limit.unwrap_or(DEFAULT_LIMIT)
    }

    /// Refuses unknown parameters and malformed ones.
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
