//! One invocation: every event gets an HTTP response, and no event ends the function.
//!
//! The request log turns a panic inside the router into a response. This file handles the rest: events that are not API
//! Gateway's, and panics around the router, such as in its layers.

use axum::Router;
use axum::response::Response;
use lambda_runtime::tower::ServiceExt;
use robnu_observe::work::{self, TraceId};
use robnu_observe::{Panicked, caught};

use crate::gateway::{Answer, Event};
use crate::problem::ApiError;
use crate::request_log::{complete, log_failure};

/// The API behind API Gateway.
#[derive(Debug, Clone)]
pub struct Handler {
    router: Router,
}

impl Handler {
    /// Hands requests to this router.
    #[must_use]
    pub fn new(router: Router) -> Self {
        Self { router }
    }

    /// Returns the response to an event, within its invocation.
    ///
    /// # Panics
    /// Never: the body of a refusal is one text, which can be read to its end.
    pub async fn handle(&self, event: &str, invocation: &str) -> Answer {
        let mut id = invocation.to_owned();
        let trace = TraceId::of_invocation(invocation);
        let routed = async { caught(self.route(event, &mut id)).await };
        let outcome = work::within(trace, routed).await;
        match outcome.unwrap_or_else(|Panicked| Err(ApiError::Panicked)) {
            Ok(answer) => answer,
            Err(error) => {
                Answer::new(refuse(&error, &id)).await.expect("a body of one text is read to its end")
            }
        }
    }

    async fn route(&self, event: &str, id: &mut String) -> Result<Answer, ApiError> {
        let event: Event = serde_json::from_str(event).map_err(|_| ApiError::MalformedRequest)?;
        if let Some(of_gateway) = event.request_id() {
            of_gateway.clone_into(id);
        }
        let request = event.into_request(id.clone());
        let Ok(response) = self.router.clone().oneshot(request).await;
        Answer::new(response).await.map_err(|_| ApiError::AnswerUnreadable)
    }
}

/// The response to an event that never reached the router, or did not come back from it.
fn refuse(error: &ApiError, id: &str) -> Response {
    let mut response = error.to_response(id);
    log_failure(error, &response, id);
    complete(&mut response, id);
    response
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use serde_json::{Value, json};

    use super::*;

    fn handler() -> Handler {
        async fn panics() -> &'static str {
            panic!("hunter2");
        }
        Handler::new(
            Router::new().route("/v1/panics", get(panics)).route("/v1/bytes", get(async || vec![0xFF])),
        )
    }

    async fn answer(event: &Value) -> Value {
        serde_json::to_value(handler().handle(&event.to_string(), "invocation-1").await).unwrap()
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_panic_outside_the_request_log_is_a_constant_500_with_the_gateways_id() {
        let context = json!({"http": {"method": "GET"}, "requestId": "gateway-1"});
        let answer = answer(&json!({"rawPath": "/v1/panics", "requestContext": context})).await;
        assert_eq!(
            (&answer["statusCode"], &answer["headers"]["x-request-id"]),
            (&500.into(), &"gateway-1".into())
        );
        let body = answer["body"].as_str().unwrap();
        assert!(body.contains(r#""code":"internal""#) && !body.contains("hunter2"), "{body}");
    }

    #[tokio::test(flavor = "current_thread")]
    async fn an_event_of_another_source_is_a_400_with_the_invocations_id() {
        let http = json!({"method": "GET"});
        for event in [
            json!({}),
            json!(null),
            json!("hunter2"),
            json!([]),
            json!({"rawPath": "/v1/me"}),
            json!({"httpMethod": "GET", "path": "/v1/me", "requestContext": {"elb": {}}}),
            json!({"requestContext": {"connectionId": "a", "eventType": "MESSAGE"}, "body": "hunter2"}),
            json!({"rawPath": 7, "requestContext": {"http": http}}),
            json!({"rawPath": "/v1/me", "requestContext": {"http": {"method": null}}}),
        ] {
            let answer = answer(&event).await;
            assert_eq!(
                (&answer["statusCode"], &answer["headers"]["x-request-id"]),
                (&400.into(), &"invocation-1".into())
            );
            assert!(answer["body"].as_str().unwrap().contains(r#""code":"malformed_request""#), "{answer}");
        }
    }

    #[tokio::test(flavor = "current_thread")]
    async fn bytes_that_are_not_text_arrive_unchanged() {
        let answer =
            answer(&json!({"rawPath": "/v1/bytes", "requestContext": {"http": {"method": "GET"}}})).await;
        assert_eq!((&answer["isBase64Encoded"], &answer["body"]), (&true.into(), &"/w==".into()));
    }
}
