//! Compares every response that any test gets with the document: its status, its content type, its headers and its body.

use std::sync::LazyLock;

use axum::http::HeaderMap;
use serde_json::Value;

use crate::support::Answer;

/// Headers with which browsers protect their users.
const PROTECTING: [&str; 3] =
    ["strict-transport-security", "x-content-type-options", "content-security-policy"];

const UNKNOWN: &str = " is not described";

static DOCUMENT: LazyLock<Value> = LazyLock::new(api::openapi::json);

/// Checks the response to a call of a path that the document has; other paths are not described.
///
/// # Panics
/// When the document does not describe this response.
pub fn assert_described(method: &str, path: &str, answer: &Answer) {
    assert_protected(answer);
    let Some(operation) = operation(method, path) else { return };
    let id = &operation["operationId"];
    let described = resolve(&operation["responses"][answer.status.as_str()]);
    assert!(described.is_object(), "{id} does not document {}: {}", answer.status, answer.text);
    let content = described["content"].as_object();
    let kind = content_type(&answer.headers);
    match content.and_then(|content| content.get(kind)) {
        None => {
            assert!(content.is_none() && answer.text.is_empty(), "{id} does not document a body of {kind:?}");
        }
        Some(content) => {
            let problems = mismatches(&content["schema"], &answer.body, "body");
            assert!(problems.is_empty(), "{id} {}: {problems:?} in {}", answer.status, answer.text);
        }
    }
    for name in ["etag", "retry-after", "x-request-id"] {
        let documented = described["headers"][name].is_object();
        assert_eq!(answer.headers.contains_key(name), documented, "{id} {}: header {name}", answer.status);
    }
    // Every other header must be described. A described header may be absent, such as the one that only a replay has.
    let unnamed = answer.headers.keys().map(axum::http::HeaderName::as_str).filter(|name| {
        !["content-type", "content-length", "allow", "cache-control"].contains(name)
            && !PROTECTING.contains(name)
            && !described["headers"][*name].is_object()
    });
    assert_eq!(unnamed.collect::<Vec<_>>(), [""; 0], "{id} {} does not name them", answer.status);
}

/// The target of a reference; anything else unchanged.
fn resolve(value: &'static Value) -> &'static Value {
    match value["$ref"].as_str() {
        Some(path) => DOCUMENT.pointer(&path[1..]).unwrap_or_else(|| panic!("{path} leads nowhere")),
        None => value,
    }
}

/// Checks the headers that every response has and that therefore no operation describes.
fn assert_protected(answer: &Answer) {
    let [tls_only, no_sniffing, policy] = PROTECTING.map(|name| {
        answer
            .headers
            .get(name)
            .unwrap_or_else(|| panic!("{} has no {name}", answer.status))
            .to_str()
            .unwrap()
    });
    assert_eq!(tls_only, "max-age=63072000; includeSubDomains");
    assert_eq!(no_sniffing, "nosniff");
    assert!(
        policy.starts_with("default-src 'none'; ") && policy.ends_with("frame-ancestors 'none'"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get("content-type").map(|value| value.to_str().expect("text")).unwrap_or_default()
}

/// The parts of a request's body that the document does not allow.
pub fn request_mismatches(method: &str, path: &str, body: &Value) -> Vec<String> {
    let Some(operation) = operation(method, path) else { return Vec::new() };
    let schema = operation.pointer("/requestBody/content/application~1json/schema");
    schema.map(|schema| mismatches(schema, body, "body")).unwrap_or_default()
}

/// The operation of a path; a literal segment takes precedence over a name.
fn operation(method: &str, path: &str) -> Option<&'static Value> {
    let path = path.split('?').next().unwrap_or_default();
    let mut found: Vec<(usize, &Value)> = DOCUMENT["paths"]
        .as_object()?
        .iter()
        .filter(|(template, _)| matches(template, path))
        .map(|(template, item)| (template.matches('{').count(), item))
        .collect();
    found.sort_by_key(|(names, _)| *names);
    found.first()?.1.get(method.to_lowercase())
}

fn matches(template: &str, path: &str) -> bool {
    let (wanted, given): (Vec<&str>, Vec<&str>) = (template.split('/').collect(), path.split('/').collect());
    let fits =
        |(wanted, given): (&&str, &&str)| wanted == given || (wanted.starts_with('{') && !given.is_empty());
    wanted.len() == given.len() && wanted.iter().zip(&given).all(fits)
}

/// The parts of `value` that the schema does not allow. Supports the keywords that our own schemas use, and panics at others.
fn mismatches(schema: &'static Value, value: &Value, place: &str) -> Vec<String> {
    let schema = resolve(schema);
    if let Some(parts) = schema["allOf"].as_array() {
        let mut problems: Vec<String> =
            parts.iter().flat_map(|part| mismatches(part, value, place)).collect();
        // Each part names some of the fields.
        problems.retain(|problem| !problem.ends_with(UNKNOWN));
        return problems;
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(parts) = schema[choice].as_array() {
            let fitting = parts.iter().filter(|part| mismatches(part, value, place).is_empty()).count();
            let fits = fitting == 1 || (choice == "anyOf" && fitting > 1);
            return if fits { Vec::new() } else { vec![format!("{place} fits {fitting} of {choice}")] };
        }
    }
    let mut problems = Vec::new();
    if !has_type(&schema["type"], value) {
        problems.push(format!("{place} is not {}", schema["type"]));
    }
    if schema["enum"].as_array().is_some_and(|values| !values.contains(value)) {
        problems.push(format!("{place} is not one of {}", schema["enum"]));
    }
    if let Some(text) = value.as_str() {
        let length = text.chars().count() as u64;
        if length < schema["minLength"].as_u64().unwrap_or(0) {
            problems.push(format!("{place} is too short"));
        }
        if length > schema["maxLength"].as_u64().unwrap_or(u64::MAX) {
            problems.push(format!("{place} is too long"));
        }
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        problems.extend(values.iter().flat_map(|value| mismatches(items, value, &format!("{place}[]"))));
    }
    if let Some(fields) = value.as_object() {
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        problems.extend(
            required
                .filter(|name| !fields.contains_key(*name))
                .map(|name| format!("{place}.{name} is missing")),
        );
        for (name, field) in fields {
            match schema["properties"].get(name) {
                Some(property) => problems.extend(mismatches(property, field, &format!("{place}.{name}"))),
                None if schema["additionalProperties"].is_object() => {
                    let place = format!("{place}.{name}");
                    problems.extend(mismatches(&schema["additionalProperties"], field, &place));
                }
                // A response holds no field that the document does not name, although the schema alone would allow it.
                None if schema["properties"].is_object() => problems.push(format!("{place}.{name}{UNKNOWN}")),
                None => {}
            }
        }
    }
    if let (Some(format), Some(text)) = (schema["format"].as_str(), value.as_str()) {
        let right = match format {
            "uuid" => text.parse::<uuid::Uuid>().is_ok() && text.len() == 36,
            "date-time" => chrono::DateTime::parse_from_rfc3339(text).is_ok(),
            "date" => text.parse::<chrono::NaiveDate>().is_ok(),
            other => panic!("teach this test the format {other}"),
        };
        if !right {
            problems.push(format!("{place} is not {format}"));
        }
    }
    problems
}

fn has_type(wanted: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no JSON Schema type is called {other}"),
    };
    match wanted {
        Value::String(name) => is(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).any(is),
        _ => true,
    }
}
