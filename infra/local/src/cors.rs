//! Which origins' pages may call the API. The local AWS stores the template's `CorsConfiguration` in CloudFormation's spelling
//! and reads only the spelling of API Gateway's own interface. This module therefore writes the deployed values again in
//! that spelling, so that browsers and tests get the template's values.

use reqwest::Method;
use serde_json::{Map, Value, json};

use crate::aws::{Aws, Outputs, output};

/// Makes the local AWS apply the deployed CORS configuration, unless there is none or it is applied already.
pub async fn respell(aws: &Aws, outputs: &Outputs) -> anyhow::Result<()> {
    let path = format!("/v2/apis/{}", output(outputs, "ApiId")?);
    let api = aws.rest("apigateway", Method::GET, &path, None).await?;
    let Some(deployed) = api["corsConfiguration"].as_object() else { return Ok(()) };
    let respelled = in_camel_case(deployed);
    if respelled != *deployed {
        let body = json!({"corsConfiguration": respelled});
        aws.rest("apigateway", Method::PATCH, &path, Some(&body)).await?;
    }
    Ok(())
}

/// Turns `AllowOrigins` into `allowOrigins`. Values stay as they are.
fn in_camel_case(properties: &Map<String, Value>) -> Map<String, Value> {
    let respelled = properties.iter().map(|(name, value)| {
        let (first, rest) = name.split_at_checked(1).unwrap_or((name, ""));
        (first.to_lowercase() + rest, value.clone())
    });
    respelled.collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const TEMPLATE: &str = include_str!("../../../template.yaml");
    const DOCUMENT: &str = include_str!("../../../functions/api/openapi.json");

    /// The methods and headers that the API's document names.
    #[derive(Default)]
    struct Used {
        methods: BTreeSet<String>,
        request_headers: BTreeSet<String>,
        answer_headers: BTreeSet<String>,
    }

    impl Used {
        fn read() -> Self {
            let document: Value = serde_json::from_str(DOCUMENT).unwrap();
            let mut used = Self::default();
            for operations in document["paths"].as_object().unwrap().values() {
                for (method, operation) in operations.as_object().unwrap() {
                    used.methods.insert(method.to_uppercase());
                    used.add(&document, operation);
                }
            }
            used
        }

        fn add(&mut self, document: &Value, operation: &Value) {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let headers = parameters.map(|one| resolved(document, one)).filter(|one| one["in"] == "header");
            self.request_headers.extend(headers.map(|one| one["name"].as_str().unwrap().to_lowercase()));
            if operation["requestBody"].is_object() {
                self.request_headers.insert("content-type".to_owned());
            }
            if operation["security"].as_array().is_some_and(|ways| !ways.is_empty()) {
                self.request_headers.insert("authorization".to_owned());
            }
            for answer in operation["responses"].as_object().unwrap().values() {
                let headers = resolved(document, answer)["headers"].as_object().into_iter().flatten();
                self.answer_headers.extend(headers.map(|(name, _)| name.to_lowercase()));
            }
        }
    }

    /// The target of a reference, or the value itself.
    fn resolved<'a>(document: &'a Value, thing: &'a Value) -> &'a Value {
        match thing["$ref"].as_str() {
            Some(reference) => document.pointer(reference.trim_start_matches('#')).unwrap(),
            None => thing,
        }
    }

    /// A list in the template's CORS configuration.
    fn listed(name: &str) -> BTreeSet<String> {
        let (_, configuration) = TEMPLATE.split_once("\n      CorsConfiguration:").unwrap();
        let (_, list) = configuration.split_once(&format!(" {name}: [")).unwrap();
        list.split(']').next().unwrap().split(',').map(|item| item.trim().to_owned()).collect()
    }

    fn missing(name: &str, used: &BTreeSet<String>) -> Vec<String> {
        used.difference(&listed(name)).cloned().collect()
    }

    #[test]
    fn browsers_may_use_every_method_and_header_that_the_apis_document_names() {
        let used = Used::read();
        assert!(used.request_headers.contains("if-match") && used.answer_headers.contains("retry-after"));
        assert!(used.answer_headers.contains("idempotent-replayed"));
        let missing = ["AllowMethods", "AllowHeaders", "ExposeHeaders"]
            .into_iter()
            .zip([&used.methods, &used.request_headers, &used.answer_headers])
            .map(|(name, used)| (name, missing(name, used)))
            .filter(|(_, missing)| !missing.is_empty());
        assert_eq!(missing.collect::<Vec<_>>(), [], "are missing in template.yaml");
    }

    #[test]
    fn names_are_respelled_but_values_are_not() {
        let deployed = json!({"AllowOrigins": ["https://App.example"], "MaxAge": 600});
        let respelled = in_camel_case(deployed.as_object().unwrap());
        assert_eq!(
            Value::from(respelled.clone()),
            json!({"allowOrigins": ["https://App.example"], "maxAge": 600})
        );
        assert_eq!(in_camel_case(&respelled), respelled);
    }
}
