//! The document as a page: plain HTML that loads nothing from anywhere.

use std::fmt::Write as _;

use serde_json::{Map, Value};

/// The page's one style; its digest is in the page's policy.
pub const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a;background:#fff}\
h2{margin-top:3rem;border-bottom:1px solid #ccc}code,.path{font-family:ui-monospace,monospace;font-size:.9em}\
details{border:1px solid #ddd;border-radius:4px;margin:.4rem 0;padding:.4rem .8rem}summary{cursor:pointer}\
.method{display:inline-block;width:4.5em;font-weight:700}.note{color:#555}table{border-collapse:collapse;width:100%;margin:.5rem 0}\
td,th{text-align:left;vertical-align:top;border-bottom:1px solid #eee;padding:.2rem .6rem .2rem 0}\
@media(prefers-color-scheme:dark){body{color:#ddd;background:#161616}.note{color:#aaa}a{color:#8bf}details,td,th,h2{border-color:#444}}";

const METHODS: [&str; 5] = ["get", "post", "put", "patch", "delete"];

/// Writes the page of a document.
pub fn page(document: &Value) -> String {
    let mut page = Page { html: String::with_capacity(256 * 1024) };
    page.head(document);
    for tag in tags(document) {
        page.tag(document, &tag);
    }
    page.schemas(document);
    page.html.push_str("</main></body></html>\n");
    page.html
}

struct Page {
    html: String,
}

impl Page {
    fn head(&mut self, document: &Value) {
        let title = escape(text(document, "/info/title"));
        let description = escape(text(document, "/info/description"));
        let version = escape(text(document, "/info/version"));
        self.write(&format!(
            "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{title} API</title><style>{STYLE}</style></head>\
             <body><main><h1>{title} API, version {version}</h1><p>{description}</p>\
             <p><a href=\"openapi.json\">The document for programs (OpenAPI)</a></p><nav><ul>"
        ));
        for tag in tags(document) {
            let tag = escape(&tag);
            self.write(&format!("<li><a href=\"#tag-{tag}\">{tag}</a></li>"));
        }
        self.write("<li><a href=\"#schemas\">schemas</a></li></ul></nav>");
    }

    fn tag(&mut self, document: &Value, tag: &str) {
        let name = escape(tag);
        self.write(&format!("<section id=\"tag-{name}\"><h2>{name}</h2>"));
        for (path, method, operation) in operations(document).filter(|(_, _, found)| tag_of(found) == tag) {
            self.operation(document, path, method, operation);
        }
        self.write("</section>");
    }

    fn operation(&mut self, document: &Value, path: &str, method: &str, operation: &Value) {
        self.write(&format!(
            "<details id=\"{}\"><summary><span class=\"method\">{}</span><span class=\"path\">{}</span><br>{}</summary>",
            escape(text(operation, "/operationId")),
            method.to_uppercase(),
            escape(path),
            escape(text(operation, "/summary")),
        ));
        let description = text(operation, "/description");
        if !description.is_empty() {
            self.write(&format!("<p>{}</p>", escape(description)));
        }
        let permission = text(operation, "/x-permission");
        if !permission.is_empty() {
            self.write(&format!("<p class=\"note\">Needs: <code>{}</code></p>", escape(permission)));
        }
        self.parameters(operation);
        if let Some(schema) = operation.pointer("/requestBody/content/application~1json/schema") {
            self.write(&format!("<p>Body: {}</p>", type_of(schema)));
        }
        self.answers(document, operation);
        self.write("</details>");
    }

    fn parameters(&mut self, operation: &Value) {
        let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
        if parameters.is_empty() {
            return;
        }
        self.write("<table><tr><th>Parameter</th><th>In</th><th>Type</th><th></th></tr>");
        for parameter in parameters {
            self.row(&[
                format!("<code>{}</code>", escape(text(parameter, "/name"))),
                escape(text(parameter, "/in")),
                type_of(&parameter["schema"]),
                escape(text(parameter, "/description")),
            ]);
        }
        self.write("</table>");
    }

    fn answers(&mut self, document: &Value, operation: &Value) {
        self.write("<table><tr><th>Answer</th><th>Type</th><th></th></tr>");
        for (status, answer) in object(&operation["responses"]) {
            let shared = answer["$ref"].as_str().and_then(|path| document.pointer(&path[1..]));
            let answer = shared.unwrap_or(answer);
            let kinds = object(&answer["content"]).map(|(_, content)| type_of(&content["schema"]));
            self.row(&[
                format!("<code>{}</code>", escape(status)),
                kinds.collect::<Vec<_>>().join(" or "),
                escape(text(answer, "/description")),
            ]);
        }
        self.write("</table>");
    }

    fn schemas(&mut self, document: &Value) {
        self.write("<section id=\"schemas\"><h2>schemas</h2>");
        for (name, schema) in object(&document["components"]["schemas"]) {
            let name = escape(name);
            self.write(&format!("<h3 id=\"schema-{name}\">{name}</h3>"));
            let description = text(schema, "/description");
            if !description.is_empty() {
                self.write(&format!("<p>{}</p>", escape(description)));
            }
            let properties = object(&schema["properties"]).collect::<Vec<_>>();
            if properties.is_empty() {
                self.write(&format!("<p>{}</p>", type_of(schema)));
                continue;
            }
            let required = schema["required"].as_array().map(Vec::as_slice).unwrap_or_default();
            self.write("<table><tr><th>Field</th><th>Type</th><th></th></tr>");
            for (field, property) in properties {
                let optional = if required.iter().any(|name| name == field) { "" } else { " (optional)" };
                self.row(&[
                    format!("<code>{}</code>{optional}", escape(field)),
                    type_of(property),
                    escape(text(property, "/description")),
                ]);
            }
            self.write("</table>");
        }
        self.write("</section>");
    }

    fn row(&mut self, cells: &[String]) {
        self.write(&format!("<tr><td>{}</td></tr>", cells.join("</td><td>")));
    }

    fn write(&mut self, html: &str) {
        self.html.push_str(html);
    }
}

/// A schema in a few words, with links to named schemas.
fn type_of(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
        let name = escape(name);
        return format!("<a href=\"#schema-{name}\">{name}</a>");
    }
    for combination in ["oneOf", "anyOf", "allOf"] {
        if let Some(parts) = schema[combination].as_array() {
            let joint = if combination == "allOf" { " and " } else { " or " };
            return parts.iter().map(type_of).collect::<Vec<_>>().join(joint);
        }
    }
    let mut words = match &schema["type"] {
        Value::String(name) => escape(name),
        Value::Array(names) => {
            escape(&names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(" or "))
        }
        _ => "anything".to_owned(),
    };
    if schema["properties"].is_object() {
        let fields = object(&schema["properties"]);
        let fields: Vec<String> = fields
            .map(|(name, field)| format!("<code>{}</code>: {}", escape(name), type_of(field)))
            .collect();
        let title = text(schema, "/title");
        let _ = write!(words, " {}{{{}}}", escape(title), fields.join("; "));
    }
    if !schema["items"].is_null() {
        let _ = write!(words, " of {}", type_of(&schema["items"]));
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<String> = values
            .iter()
            .filter_map(Value::as_str)
            .map(|value| format!("<code>{}</code>", escape(value)))
            .collect();
        let _ = write!(words, ": {}", values.join(", "));
    }
    for limit in ["format", "minimum", "maximum", "minLength", "maxLength", "pattern", "default"] {
        match &schema[limit] {
            Value::Null => {}
            Value::String(value) => _ = write!(words, ", {limit} <code>{}</code>", escape(value)),
            value => _ = write!(words, ", {limit} {}", escape(&value.to_string())),
        }
    }
    words
}

fn operations(document: &Value) -> impl Iterator<Item = (&str, &'static str, &Value)> {
    object(&document["paths"]).flat_map(|(path, item)| {
        METHODS.into_iter().filter_map(move |method| Some((path.as_str(), method, item.get(method)?)))
    })
}

fn tags(document: &Value) -> Vec<String> {
    let mut tags: Vec<String> =
        operations(document).map(|(_, _, operation)| tag_of(operation).to_owned()).collect();
    tags.sort();
    tags.dedup();
    tags
}

fn tag_of(operation: &Value) -> &str {
    text(operation, "/tags/0")
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
