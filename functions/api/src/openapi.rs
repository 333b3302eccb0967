//! The `OpenAPI` document, made from the routes themselves.
//!
//! A handler's attribute gives name, summary, query parameters and successes; its arguments give the rest (see
//! [`crate::signature`]); what is the same for every operation is added here, in one place.

mod answers;
mod page;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use robnu_tenancy::ID_PATTERN;
use serde_json::Value;
use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::schema::{Components, Schema};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme};
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder, Paths, RefOr, Server};
use utoipa::{PartialSchema, ToSchema};

use crate::idempotency::KEY;
use crate::problem::Problem;
use crate::routes::{Route, routes};
use crate::signature::Notes;

/// Schemas by name.
type Named = BTreeMap<String, RefOr<Schema>>;

const SECURITY: &str = "token";
const DESCRIPTION: &str = "Sellers connect their marketplace accounts and work with what the platform reads from them. \
    Every error response is a problem document (RFC 9457) with a stable code.";
/// Both documents change only with a deployment.
const CACHE: &str = "public, max-age=300";

// Both are made at the first request for them.
static JSON: LazyLock<String> = LazyLock::new(|| json().to_string());
static PAGE: LazyLock<String> = LazyLock::new(|| page::page(&json()));
// Only the page's own style is allowed.
static PAGE_POLICY: LazyLock<String> = LazyLock::new(|| {
    let style = STANDARD.encode(digest(&SHA256, page::STYLE.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});

/// The document as JSON, keys in alphabetical order.
///
/// # Panics
/// Never: the document is JSON.
#[must_use]
pub fn json() -> Value {
    let mut document = serde_json::to_value(document()).expect("the document is JSON");
    spell_ids(&mut document);
    document
}

/// Adds the pattern of the one accepted spelling to every id, because the format `uuid` alone leaves it open.
fn spell_ids(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            if fields.get("format").is_some_and(|format| format == "uuid") {
                fields.insert("pattern".to_owned(), ID_PATTERN.into());
            }
            fields.values_mut().for_each(spell_ids);
        }
        Value::Array(items) => items.iter_mut().for_each(spell_ids),
        _ => {}
    }
}

/// `GET /v1/openapi.json`. Needs no token.
pub async fn serve_json() -> Response {
    ([(CONTENT_TYPE, "application/json"), (CACHE_CONTROL, CACHE)], JSON.as_str()).into_response()
}

/// `GET /v1/docs`: the document as a page to read. Needs no token, no script and no other host.
pub async fn serve_page() -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, CACHE),
        (CONTENT_SECURITY_POLICY, PAGE_POLICY.as_str()),
    ];
    (headers, PAGE.as_str()).into_response()
}

/// The document.
fn document() -> OpenApi {
    let routes = routes();
    let schemas = schemas(&routes);
    let mut paths = Paths::new();
    for Route { paths: described, notes, .. } in routes {
        for (path, mut item) in described.paths {
            complete(&mut item, &notes, &schemas);
            match paths.paths.get_mut(&path) {
                Some(known) => known.merge_operations(item),
                None => _ = paths.paths.insert(path, item),
            }
        }
    }
    let mut components = Components::new();
    components.schemas = schemas;
    components.responses = answers::refusals();
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("An ID or access token of the user pool. Signing up needs the ID token."));
    components.add_security_scheme(SECURITY, SecurityScheme::Http(token.build()));
    let info = InfoBuilder::new().title("Robnu").version("1").description(Some(DESCRIPTION)).build();
    OpenApiBuilder::new()
        .info(info)
        .servers(Some([Server::new("/")]))
        .paths(paths)
        .components(Some(components))
        .build()
}

/// Adds what the handler's arguments say and what every operation has.
fn complete(item: &mut PathItem, notes: &Notes, schemas: &Named) {
    let reads = item.get.is_some();
    let operation = operation_of(item);
    let mut seen = BTreeSet::new();
    let of_arguments = notes.parameters.iter().filter(|parameter| seen.insert(&parameter.name));
    let parameters = operation.parameters.get_or_insert_default();
    parameters.splice(0..0, of_arguments.cloned().map(RefOr::T));
    operation.request_body = notes.body.clone().map(RefOr::T);
    let mut refusals = notes.refusals.clone();
    refusals.extend([500, 503]);
    if notes.needs_token {
        refusals.insert(401);
        operation.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], &str>(SECURITY, [])]);
    }
    // Reading a customer or downloading an export writes an audit event, and these events are counted.
    let leaves_event =
        notes.right.is_some_and(|(permission, access)| permission == "pii.read" || access == "write");
    if !reads || leaves_event {
        refusals.insert(409);
    }
    if let Some((permission, access)) = notes.right {
        let named = if permission.is_empty() { "membership" } else { permission };
        let extensions = operation.extensions.get_or_insert_default();
        extensions.merge(Extensions::from_iter([("x-permission", named), ("x-access", access)]));
    }
    let takes_key = seen.iter().any(|name| *name == KEY.as_str());
    answers::complete(&mut operation.responses, &refusals, schemas, takes_key);
}

/// The one operation of a handler's path.
fn operation_of(item: &mut PathItem) -> &mut Operation {
    [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch]
        .into_iter()
        .find_map(Option::as_mut)
        .expect("the attribute of a handler names one method")
}

/// All schemas. Responses always hold all their fields, so every field of a response is required.
fn schemas(routes: &[Route]) -> Named {
    let mut named = Named::new();
    let asked =
        |name: &String| routes.iter().any(|route| route.notes.schemas.iter().any(|(asked, _)| asked == name));
    for (name, schema) in routes.iter().flat_map(|route| &route.schemas) {
        let mut schema = schema.clone();
        if !asked(name) {
            require_all(&mut schema);
        }
        insert(&mut named, name, schema);
    }
    for (name, schema) in routes.iter().flat_map(|route| &route.notes.schemas) {
        insert(&mut named, name, schema.clone());
    }
    let mut of_problems = vec![(Problem::name().into_owned(), Problem::schema())];
    Problem::schemas(&mut of_problems);
    of_problems.push((answers::GATEWAY_PROBLEM.to_owned(), answers::gateway_problem().into()));
    named.extend(of_problems);
    named
}

fn insert(named: &mut Named, name: &str, schema: RefOr<Schema>) {
    if let Some(known) = named.get(name) {
        assert!(*known == schema, "two different schemas are called {name}: rename one");
    }
    named.insert(name.to_owned(), schema);
}

fn require_all(schema: &mut RefOr<Schema>) {
    match schema {
        RefOr::T(Schema::Object(object)) => {
            object.required = object.properties.keys().cloned().collect();
            object.properties.values_mut().for_each(require_all);
        }
        RefOr::T(Schema::AllOf(all)) => all.items.iter_mut().for_each(require_all),
        RefOr::T(Schema::OneOf(one)) => one.items.iter_mut().for_each(require_all),
        _ => {}
    }
}
