//! Query parameters: the document and the handlers have exactly the same ones.

use serde_json::{Value, json};

use crate::cases::cases;
use crate::document::Operation;
use crate::support::Api;

/// The message that refuses a parameter that a list does not have.
const UNKNOWN: &str = "is not a parameter of this list";

/// A value that the schema of a parameter allows. Other refusals of such a value do not matter in this file.
fn sample(schema: &Value) -> String {
    if let Some(value) = schema.pointer("/enum/0").or(schema.get("default")).or(schema.get("minimum")) {
        return value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    }
    match (schema["type"].as_str(), schema["format"].as_str()) {
        (Some("boolean"), _) => "true".to_owned(),
        (_, Some("uuid")) => "0198a1b2-0000-7000-8000-000000000000".to_owned(),
        (_, Some("date-time")) => "2026-01-31T18:30:00Z".to_owned(),
        (_, Some("date")) => "2026-01-31".to_owned(),
        _ => "AJIO".to_owned(),
    }
}

fn parameters(operation: &Operation) -> Vec<&Value> {
    let all = operation.whole["parameters"].as_array().into_iter().flatten();
    all.filter(|parameter| parameter["in"] == "query").collect()
}

fn refused_as_unknown(body: &Value) -> bool {
    let errors = body["errors"].as_array().into_iter().flatten();
    errors.into_iter().any(|error| error["problem"] == UNKNOWN)
}

#[tokio::test]
async fn every_parameter_of_the_document_is_accepted_and_no_other() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let lists = cases().into_iter().filter(|(operation, _)| !parameters(operation).is_empty());
    for (operation, case) in lists {
        case.prepare(&api, ours).await;
        for parameter in parameters(&operation) {
            let name = parameter["name"].as_str().unwrap();
            let query = format!("{name}={}", sample(&parameter["schema"]));
            let answer = api.send(case.success(&api, &operation, ours).await.query(&query)).await;
            assert!(!refused_as_unknown(&answer.body), "{} does not accept {name}", operation.id);
            let twice = format!("{query}&{query}");
            let answer = api.send(case.success(&api, &operation, ours).await.query(&twice)).await;
            let refused = (answer.status.as_u16(), &answer.body["code"]);
            assert_eq!(refused, (400, &json!("invalid_query")), "{} accepts {name} twice", operation.id);
        }
        let call = case.success(&api, &operation, ours).await.query("hunter2=1");
        let answer = api.send(call).await;
        assert_eq!(answer.status, 400, "{}", operation.id);
        assert!(refused_as_unknown(&answer.body), "{}: {}", operation.id, answer.text);
    }
}
