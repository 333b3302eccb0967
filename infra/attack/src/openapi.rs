//! Reads the operations from the API's own document and makes values that fit its schemas.

use anyhow::Context;
use serde_json::{Map, Value, json};

use super::random::Random;

const METHODS: [&str; 6] = ["get", "post", "put", "patch", "delete", "head"];
/// How deeply schemas are followed. They refer to each other, and deeper values are null.
const DEPTH: usize = 8;

/// One operation.
#[derive(Debug)]
pub struct Operation {
    /// Such as `GET`.
    pub method: String,
    /// The path, with the names of parameters in braces.
    pub path: String,
    /// Parameters in path, query and headers.
    pub parameters: Vec<Parameter>,
    /// Schema of the JSON body, if there is one.
    pub body: Option<Value>,
    /// Whether it needs no token.
    pub is_public: bool,
}

/// A parameter.
#[derive(Debug)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// `path`, `query` or `header`.
    pub place: String,
    /// Its schema.
    pub schema: Value,
    /// Whether it must be given.
    pub required: bool,
}

/// The document.
#[derive(Debug)]
pub struct Document {
    /// Every operation.
    pub operations: Vec<Operation>,
    root: Value,
}

impl Operation {
    /// Its name in the report.
    pub fn name(&self) -> String {
        format!("{:6} {}", self.method, self.path)
    }
}

impl Document {
    /// Reads the document.
    pub fn parse(root: Value) -> anyhow::Result<Self> {
        let paths = root["paths"].as_object().context("the document has no paths")?;
        let mut operations = Vec::new();
        for (path, item) in paths {
            for method in METHODS {
                if let Some(operation) = item.get(method) {
                    operations.push(read(&root, path, method, item, operation));
                }
            }
        }
        Ok(Self { operations, root })
    }

    /// The words that a schema accepts; empty if it is not an enumeration.
    pub fn words(&self, schema: &Value) -> Vec<String> {
        let schema = resolved(&self.root, schema);
        let own =
            schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).map(ToOwned::to_owned);
        let choices =
            ["oneOf", "anyOf", "allOf"].iter().filter_map(|choice| schema[*choice].as_array()).flatten();
        own.chain(choices.flat_map(|choice| self.words(choice))).collect()
    }

    /// A value that the schema permits in most cases. `ids` provides an id wherever one belongs.
    pub fn value(
        &self,
        schema: &Value,
        name: &str,
        random: &mut Random,
        ids: &mut dyn FnMut(&str, &mut Random) -> String,
    ) -> Value {
        self.fill(schema, name, random, ids, DEPTH)
    }

    fn fill(
        &self,
        schema: &Value,
        name: &str,
        random: &mut Random,
        ids: &mut dyn FnMut(&str, &mut Random) -> String,
        depth: usize,
    ) -> Value {
        let schema = resolved(&self.root, schema);
        if depth == 0 {
            return Value::Null;
        }
        for choice in ["oneOf", "anyOf", "allOf"] {
            if let Some(schemas) = schema[choice].as_array().filter(|schemas| !schemas.is_empty()) {
                if choice == "allOf" {
                    let mut all = Map::new();
                    for part in schemas {
                        if let Value::Object(part) = self.fill(part, name, random, ids, depth - 1) {
                            all.extend(part);
                        }
                    }
                    return Value::Object(all);
                }
                return self.fill(random.pick(schemas), name, random, ids, depth - 1);
            }
        }
        if let Some(values) = schema["enum"].as_array().filter(|values| !values.is_empty()) {
            return random.pick(values).clone();
        }
        if !schema["const"].is_null() {
            return schema["const"].clone();
        }
        match kind(schema, random) {
            "object" => self.object(schema, random, ids, depth),
            "array" => {
                let count = 1 + random.below(2);
                (0..count).map(|_| self.fill(&schema["items"], name, random, ids, depth - 1)).collect()
            }
            "integer" => {
                let (least, most) =
                    (schema["minimum"].as_i64().unwrap_or(0), schema["maximum"].as_i64().unwrap_or(100));
                let span = usize::try_from(most.saturating_sub(least)).unwrap_or_default().saturating_add(1);
                json!(least + i64::try_from(random.below(span)).unwrap_or_default())
            }
            "number" => json!(random.below(1000)),
            "boolean" => json!(random.percent(50)),
            "null" => Value::Null,
            _ => json!(text(schema, name, random, ids)),
        }
    }

    fn object(
        &self,
        schema: &Value,
        random: &mut Random,
        ids: &mut dyn FnMut(&str, &mut Random) -> String,
        depth: usize,
    ) -> Value {
        let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
        let mut object = Map::new();
        for (name, property) in schema["properties"].as_object().into_iter().flatten() {
            if required.iter().any(|required| required == name.as_str()) || random.percent(60) {
                object.insert(name.clone(), self.fill(property, name, random, ids, depth - 1));
            }
        }
        if schema["additionalProperties"].is_object() {
            let name = *random.pick(&["username", "password", "client_id", "seller_id", "account_id"]);
            object.insert(
                name.to_owned(),
                self.fill(&schema["additionalProperties"], name, random, ids, depth - 1),
            );
        }
        Value::Object(object)
    }
}

fn read(root: &Value, path: &str, method: &str, item: &Value, operation: &Value) -> Operation {
    let lists = [&item["parameters"], &operation["parameters"]];
    let parameters = lists.into_iter().filter_map(Value::as_array).flatten().map(|parameter| {
        let parameter = resolved(root, parameter);
        let text = |name: &str| parameter[name].as_str().unwrap_or_default().to_owned();
        let required = parameter["required"] == true;
        Parameter { name: text("name"), place: text("in"), schema: parameter["schema"].clone(), required }
    });
    let content = resolved(root, &operation["requestBody"])["content"].as_object();
    let json = content.and_then(|content| content.iter().find(|(kind, _)| kind.contains("json")));
    let security = operation.get("security").or(root.get("security"));
    Operation {
        method: method.to_uppercase(),
        path: path.to_owned(),
        parameters: parameters.collect(),
        body: json.map(|(_, content)| content["schema"].clone()),
        is_public: security.and_then(Value::as_array).is_none_or(Vec::is_empty),
    }
}

/// The schema that a `$ref` points to.
fn resolved<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let mut found = schema;
    for _ in 0..DEPTH {
        let Some(reference) = found["$ref"].as_str() else { return found };
        found = root.pointer(reference.trim_start_matches('#')).unwrap_or(&Value::Null);
    }
    found
}

/// The type of a schema; a random one if it names several.
fn kind<'a>(schema: &'a Value, random: &mut Random) -> &'a str {
    match &schema["type"] {
        Value::String(kind) => kind,
        Value::Array(kinds) if !kinds.is_empty() => random.pick(kinds).as_str().unwrap_or("string"),
        _ if schema["properties"].is_object() => "object",
        _ => "string",
    }
}

fn text(
    schema: &Value,
    name: &str,
    random: &mut Random,
    ids: &mut dyn FnMut(&str, &mut Random) -> String,
) -> String {
    match schema["format"].as_str() {
        Some("uuid") => ids(name, random),
        Some("date-time") => format!("2026-01-{:02}T00:00:00Z", 1 + random.below(28)),
        Some("date") => format!("2026-01-{:02}", 1 + random.below(28)),
        Some("email") => format!("somebody{}@test.invalid", random.below(1000)),
        Some("uri" | "url") => "http://127.0.0.1/callback".to_owned(),
        _ if random.percent(25) => random.payload().to_owned(),
        _ => format!("{name} {}", random.below(1000)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document() -> Document {
        let root = json!({
            "security": [{"bearer": []}],
            "paths": {
                "/v1/sellers/{sellerId}/claims": {
                    "parameters": [{"$ref": "#/components/parameters/Seller"}],
                    "post": {
                        "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 3}}],
                        "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Claim"}}}}
                    }
                },
                "/v1/openapi.json": {"get": {"security": []}}
            },
            "components": {
                "parameters": {"Seller": {"name": "sellerId", "in": "path", "schema": {"type": "string", "format": "uuid"}}},
                "schemas": {"Claim": {"type": "object", "required": ["return_id", "state", "lines"], "properties": {
                    "return_id": {"type": "string", "format": "uuid"},
                    "state": {"enum": ["FILED"]},
                    "lines": {"type": "array", "items": {"oneOf": [{"$ref": "#/components/schemas/Claim"}, {"type": "null"}]}}
                }}}
            }
        });
        Document::parse(root).unwrap()
    }

    #[test]
    fn operations_are_read_with_their_parameters_bodies_and_security() {
        let document = document();
        let names: Vec<String> = document.operations.iter().map(Operation::name).collect();
        assert_eq!(names, ["GET    /v1/openapi.json", "POST   /v1/sellers/{sellerId}/claims"]);
        let [public, claims] = &document.operations[..] else { panic!("two operations") };
        assert!(public.is_public && !claims.is_public);
        let places: Vec<(&str, &str)> =
            claims.parameters.iter().map(|p| (p.name.as_str(), p.place.as_str())).collect();
        assert_eq!(places, [("sellerId", "path"), ("limit", "query")]);
    }

    #[test]
    fn bodies_follow_their_schema_and_are_finite() {
        let document = document();
        let schema = document.operations[1].body.clone().unwrap();
        for attempt in 0..50 {
            let mut random = Random::new(1, attempt);
            let body = document.value(&schema, "", &mut random, &mut |name, _| format!("id of {name}"));
            assert_eq!(body["return_id"], "id of return_id");
            assert_eq!(body["state"], "FILED");
            assert!(body["lines"].is_array(), "{body}");
        }
    }
}
