//! The document: its committed copy, its page, and the operations from which the other tests are generated.

use std::collections::BTreeSet;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{SHA256, digest};
use robnu_testkit::assert_golden;
use serde_json::Value;

use crate::cases::cases;
use crate::support::{Api, Call, request_mismatches};

/// An operation of the document.
#[derive(Debug, Clone)]
pub struct Operation {
    pub id: String,
    pub method: String,
    pub path: String,
    /// Names in the path.
    pub path_ids: Vec<String>,
    pub permission: Option<String>,
    pub whole: Value,
}

impl Operation {
    /// Whether it belongs to one seller.
    pub fn is_of_seller(&self) -> bool {
        self.path_ids.iter().any(|name| name == "sellerId") && !self.is_staff()
    }

    /// Whether only staff may use it.
    pub fn is_staff(&self) -> bool {
        self.permission.as_deref() == Some("staff")
    }

    /// A parameter, by its place and name.
    pub fn parameter(&self, place: &str, name: &str) -> Option<&Value> {
        let mut parameters = self.whole["parameters"].as_array().into_iter().flatten();
        parameters.find(|parameter| parameter["in"] == place && parameter["name"] == name)
    }

    /// Whether its path names a resource inside the seller.
    pub fn has_inner_id(&self) -> bool {
        // A marketplace and a reason are the same for every seller.
        self.path_ids.iter().any(|name| !["sellerId", "marketplace", "reason"].contains(&name.as_str()))
    }
}

/// The document as it is served.
pub fn document() -> Value {
    api::openapi::json()
}

/// Every operation of the document.
pub fn operations() -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, item) in document()["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let names = path.split('{').skip(1).map(|rest| rest.split('}').next().unwrap().to_owned());
            operations.push(Operation {
                id: operation["operationId"].as_str().unwrap().to_owned(),
                method: method.to_uppercase(),
                path: path.clone(),
                path_ids: names.collect(),
                permission: operation["x-permission"].as_str().map(str::to_owned),
                whole: operation.clone(),
            });
        }
    }
    operations
}

#[test]
fn the_committed_copy_is_the_document() {
    let copy = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let text = serde_json::to_string_pretty(&document()).expect("a JSON value serializes");
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    assert_golden(&copy, &lines);
}

#[test]
fn operation_ids_are_unique_and_every_operation_is_described() {
    let mut ids = BTreeSet::new();
    for operation in operations() {
        assert!(ids.insert(operation.id.clone()), "{}", operation.id);
        let snake = operation.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        assert!(snake, "{}", operation.id);
        let whole = &operation.whole;
        assert!(whole["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{}", operation.id);
        assert_eq!(whole["tags"].as_array().map(Vec::len), Some(1), "{}", operation.id);
        let documented: BTreeSet<&str> = whole["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| parameter["name"].as_str().unwrap())
            .collect();
        for (status, answer) in whole["responses"].as_object().unwrap() {
            let described = answer["$ref"].is_string() || answer["description"].is_string();
            assert!(described, "{} {status} has no description", operation.id);
        }
        assert_eq!(documented, operation.path_ids.iter().map(String::as_str).collect(), "{}", operation.id);
        assert!(
            operation.method != "POST" || operation.parameter("header", "idempotency-key").is_some(),
            "{} takes no idempotency key",
            operation.id
        );
    }
}

#[test]
fn every_operation_of_a_seller_names_its_permission_and_all_need_a_token() {
    for operation in operations() {
        assert_eq!(
            operation.permission.is_some(),
            operation.path_ids.iter().any(|name| name == "sellerId") || operation.is_staff()
        );
        assert_eq!(operation.whole["security"][0]["token"], serde_json::json!([]), "{}", operation.id);
    }
}

#[test]
fn every_reference_leads_somewhere_and_bodies_refuse_unknown_fields() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let text = document.to_string();
    for reference in text.split("#/components/schemas/").skip(1) {
        let name = reference.split('"').next().unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
    for operation in operations() {
        let Some(schema) = operation.whole.pointer("/requestBody/content/application~1json/schema") else {
            continue;
        };
        let name = schema["$ref"].as_str().unwrap().rsplit('/').next().unwrap();
        let body = &schemas[name];
        assert!(body["additionalProperties"] == false || body["oneOf"].is_array(), "{name}");
    }
}

#[tokio::test]
async fn the_document_and_its_page_need_no_token_and_no_other_host() {
    let api = Api::new().await;
    let document = api.send(Call::get("/v1/openapi.json")).await;
    assert_eq!(document.headers["content-type"], "application/json");
    assert_eq!(document.headers["cache-control"], "public, max-age=300");
    assert_eq!(document.body["openapi"], "3.1.0");
    let page = api.send(Call::get("/v1/docs")).await;
    assert_eq!(page.status, 200);
    // Only the page's one style is allowed, by its digest; the page can load or run nothing else.
    let (_, style) = page.text.split_once("<style>").unwrap();
    let (style, after) = style.split_once("</style>").unwrap();
    assert!(!after.contains("<style") && !page.text.contains(" style="));
    let digest = STANDARD.encode(digest(&SHA256, style.as_bytes()));
    assert_eq!(
        page.headers["content-security-policy"],
        format!(
            "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    );
    assert!(
        !page.text.contains("http://") && !page.text.contains("https://") && !page.text.contains("<script")
    );
    for operation in operations() {
        assert!(page.text.contains(&format!("id=\"{}\"", operation.id)), "{}", operation.id);
    }
}

#[test]
fn routes_without_a_token_have_a_small_rate_limit_of_their_own() {
    const TEMPLATE: &str = include_str!("../../../../template.yaml");
    let routes = TEMPLATE.split("      RouteKey: ").skip(1).filter_map(|rest| rest.split_once('\n'));
    // API Gateway itself responds to preflights.
    let open: Vec<&str> = routes
        .filter(|(key, rest)| {
            rest.trim_start().starts_with("AuthorizationType: NONE") && !key.starts_with("OPTIONS ")
        })
        .map(|(key, _)| key)
        .collect();
    assert_eq!(open, ["GET /v1/openapi.json", "GET /v1/docs"]);
    let (_, settings) = TEMPLATE.split_once("      RouteSettings:\n").unwrap();
    for key in open {
        let (_, of_route) =
            settings.split_once(&format!("        {key}:\n")).unwrap_or_else(|| panic!("{key}"));
        for (name, most) in [("ThrottlingBurstLimit", 20), ("ThrottlingRateLimit", 1)] {
            let (_, number) = of_route.split_once(&format!("{name}: ")).unwrap();
            let number: u32 = number.lines().next().unwrap().parse().unwrap();
            assert!((1..=most).contains(&number), "{key} {name}");
        }
    }
}

#[tokio::test]
async fn every_operation_succeeds_as_the_document_says() {
    let api = Api::new().await;
    for (operation, case) in cases() {
        case.prepare(&api, &api.sellers.ours).await;
        let call = case.success(&api, &operation, &api.sellers.ours).await;
        if let Some(body) = &call.body {
            let body = serde_json::from_str(body).expect("a case's body is JSON");
            let problems = request_mismatches(&call.method, &call.path, &body);
            assert!(problems.is_empty(), "the document does not allow {}'s body: {problems:?}", operation.id);
        }
        let answer = api.send(call).await;
        assert_eq!(answer.status, case.status, "{}: {}", operation.id, answer.text);
        let described = &operation.whole["responses"][case.status.to_string()];
        assert!(described.is_object(), "{} does not document {}", operation.id, case.status);
        assert_eq!(
            answer.headers.contains_key("etag"),
            described["headers"]["etag"].is_object(),
            "{}",
            operation.id
        );
    }
}
