//! Describes an operation by the types of its handler's arguments.
//!
//! An extractor that can refuse a request states the status here; an extractor that reads a header, an id or a body
//! describes it. So the document cannot ask for less than the handler needs, and a new extractor without a description does
//! not compile.

use std::collections::BTreeSet;

use axum::extract::State;
use utoipa::ToSchema;
use utoipa::openapi::path::{Parameter, ParameterBuilder, ParameterIn};
use utoipa::openapi::request_body::{RequestBody, RequestBodyBuilder};
use utoipa::openapi::schema::Schema;
use utoipa::openapi::{Content, Ref, RefOr, Required};

/// Named schemas, as utoipa collects them.
pub type Schemas = Vec<(String, RefOr<Schema>)>;

/// The descriptions that a handler's arguments give.
#[derive(Default)]
pub struct Notes {
    /// Headers and path ids.
    pub parameters: Vec<Parameter>,
    /// The body.
    pub body: Option<RequestBody>,
    /// Schemas that the body names.
    pub schemas: Schemas,
    /// Statuses with which the arguments may refuse.
    pub refusals: BTreeSet<u16>,
    /// Whether a token must come with the request.
    pub needs_token: bool,
    /// The permission and the access that a member needs.
    pub right: Option<(&'static str, &'static str)>,
}

impl Notes {
    /// Adds statuses.
    pub fn refuse(&mut self, statuses: &[u16]) {
        self.refusals.extend(statuses);
    }

    /// Adds an optional header.
    pub fn header(&mut self, name: &str, description: &str, schema: impl Into<RefOr<Schema>>) {
        self.parameter(ParameterIn::Header, name, description, schema, Required::False);
    }

    /// Adds an id of the path.
    pub fn path_id(&mut self, name: &str, schema: impl Into<RefOr<Schema>>) {
        self.parameter(ParameterIn::Path, name, "", schema, Required::True);
    }

    fn parameter(
        &mut self,
        place: ParameterIn,
        name: &str,
        description: &str,
        schema: impl Into<RefOr<Schema>>,
        required: Required,
    ) {
        let description = (!description.is_empty()).then_some(description);
        let parameter = ParameterBuilder::new()
            .name(name)
            .parameter_in(place)
            .required(required)
            .description(description)
            .schema(Some(schema));
        self.parameters.push(parameter.build());
    }

    /// Takes a JSON body of this type.
    pub fn json_body<T: ToSchema>(&mut self) {
        let content = Content::new(Some(Ref::from_schema_name(T::name())));
        let body = RequestBodyBuilder::new().content("application/json", content);
        self.body = Some(body.required(Some(Required::True)).build());
        self.schemas.push((T::name().into_owned(), T::schema()));
        T::schemas(&mut self.schemas);
        self.refuse(&[400, 413, 415, 422]);
    }
}

/// An extractor's part of the description.
pub trait Describe {
    /// Adds it.
    fn describe(notes: &mut Notes);
}

impl<S> Describe for State<S> {
    fn describe(_: &mut Notes) {}
}

/// The arguments of a handler, all of which describe themselves. `axum` puts a marker type first that says how the last
/// argument is extracted.
pub trait Signature {
    /// Adds the descriptions of all arguments.
    fn describe(notes: &mut Notes);
}

macro_rules! signatures {
    ($($argument:ident),+) => {
        impl<M, $($argument: Describe),+> Signature for (M, $($argument,)+) {
            fn describe(notes: &mut Notes) {
                $($argument::describe(notes);)+
            }
        }
    };
}

signatures!(A);
signatures!(A, B);
signatures!(A, B, C);
signatures!(A, B, C, D);
signatures!(A, B, C, D, E);
signatures!(A, B, C, D, E, F);
signatures!(A, B, C, D, E, F, G);
