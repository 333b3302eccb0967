//! The responses that operations have in common: problems, and the headers of every response.

use std::collections::{BTreeMap, BTreeSet};

use utoipa::ToSchema;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{Object, ObjectBuilder, Schema, Type};
use utoipa::openapi::{Content, Header, Ref, RefOr, Response, ResponseBuilder, Responses};

use crate::idempotency::REPLAYED;
use crate::problem::Problem;

/// The responses of API Gateway itself, sent before the request reaches the platform.
pub const GATEWAY_PROBLEM: &str = "GatewayProblem";
/// Statuses that API Gateway itself also sends.
const GATEWAY: [u16; 5] = [401, 413, 429, 500, 503];
/// The meaning of each refusal.
const REFUSALS: [(u16, &str); 12] = [
    (400, "The request is malformed: its path, query, headers or JSON."),
    (401, "The request carries no valid token."),
    (403, "The caller may not do this, or the seller is suspended."),
    (404, "The resource does not exist, or the caller cannot see it."),
    (409, "The present state does not allow the request."),
    (412, "There is a newer version than the one that If-Match names."),
    (413, "The body is longer than 1 MiB."),
    (415, "The body is not application/json."),
    (422, "Fields of the body are wrong, or the Idempotency-Key was used for another request."),
    (
        429,
        "The rate limit is exceeded, or too many credentials were refused; Retry-After says how long to wait.",
    ),
    (500, "Something went wrong on the platform's side."),
    (503, "The service is busy at the moment: repeat the request."),
];

/// Adds the refusals, and the headers of every response.
pub fn complete(
    responses: &mut Responses,
    refusals: &BTreeSet<u16>,
    schemas: &BTreeMap<String, RefOr<Schema>>,
    takes_key: bool,
) {
    for response in responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            complete_success(response, schemas);
            if takes_key {
                let text = "true when a request with this Idempotency-Key was done before: this is its response, and nothing was done now.";
                response.headers.insert(REPLAYED.as_str().to_owned(), header(text).into());
            }
        }
    }
    for status in refusals {
        let refused = || RefOr::Ref(Ref::new(format!("#/components/responses/{}", name(*status))));
        responses.responses.entry(status.to_string()).or_insert_with(refused);
    }
}

/// Every refusal that an operation can refer to, by name.
pub fn refusals() -> BTreeMap<String, RefOr<Response>> {
    REFUSALS.iter().map(|(status, _)| (name(*status), refusal(*status).into())).collect()
}

fn name(status: u16) -> String {
    format!("Refused{status}")
}

fn complete_success(response: &mut Response, schemas: &BTreeMap<String, RefOr<Schema>>) {
    // The specification wants a description, and utoipa leaves an empty one out.
    if response.description.is_empty() {
        "The requested resource.".clone_into(&mut response.description);
    }
    response.headers.insert("x-request-id".to_owned(), header("Quote it when you ask for help.").into());
    if has_version(response, schemas) {
        response.headers.insert("etag".to_owned(), header("The version, for If-Match.").into());
    }
}

/// Whether the body is a resource with a version. Handlers return such resources as
/// [`crate::versions::Tagged`] or, where a request may carry a key, as [`crate::idempotency::Reply`].
fn has_version(response: &Response, schemas: &BTreeMap<String, RefOr<Schema>>) -> bool {
    let Some(RefOr::T(content)) = response.content.get("application/json") else { return false };
    content.schema.as_ref().is_some_and(|schema| is_versioned(schema, schemas))
}

fn is_versioned(schema: &RefOr<Schema>, schemas: &BTreeMap<String, RefOr<Schema>>) -> bool {
    match schema {
        RefOr::Ref(reference) => {
            let name = reference.ref_location.rsplit('/').next().unwrap_or_default();
            schemas.get(name).is_some_and(|named| is_versioned(named, schemas))
        }
        RefOr::T(Schema::Object(object)) => object.properties.contains_key("version"),
        RefOr::T(Schema::AllOf(parts)) => parts.items.iter().any(|part| is_versioned(part, schemas)),
        RefOr::T(_) => false,
    }
}

fn refusal(status: u16) -> Response {
    let mut response = ResponseBuilder::new()
        .description(description(status))
        .content("application/problem+json", Content::new(Some(Ref::from_schema_name(Problem::name()))))
        .header("x-request-id", header("Quote it when you ask for help."));
    if GATEWAY.contains(&status) {
        let content = Content::new(Some(Ref::from_schema_name(GATEWAY_PROBLEM)));
        response = response.content("application/json", content);
    }
    if [429, 503].contains(&status) {
        response = response.header("retry-after", header("Seconds to wait."));
    }
    response.build()
}

/// The schema of API Gateway's own responses.
pub fn gateway_problem() -> Schema {
    let message = ObjectBuilder::new().schema_type(Type::String);
    let object = ObjectBuilder::new()
        .description(Some("A response of API Gateway itself."))
        .property("message", message)
        .required("message");
    Schema::Object(object.build())
}

fn header(description: &str) -> Header {
    let text: Object = ObjectBuilder::new().schema_type(Type::String).build();
    HeaderBuilder::new().schema(Some(text)).description(Some(description)).build()
}

fn description(status: u16) -> &'static str {
    let found = REFUSALS.iter().find(|(known, _)| *known == status);
    found.map(|(_, description)| *description).expect("every refusal has a line in the list")
}
