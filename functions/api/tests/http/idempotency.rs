//! Requests that are sent again.

use serde_json::{Value, json};

use crate::cases::cases;
use crate::support::{Answer, Api, Call, ajio, request_mismatches};

fn connect(api: &Api, body: &Value, key: &str) -> Call {
    let ours = &api.sellers.ours;
    Call::post(&format!("/v1/sellers/{}/accounts", ours.id), body).by(ours, "OWNER").key(key)
}

fn replayed(answer: &Answer) -> bool {
    answer.headers.get("idempotent-replayed").is_some_and(|value| value == "true")
}

async fn accounts(api: &Api) -> i64 {
    api.count("select count(*) from robnu.marketplace_accounts where external_account_id = 'DV42'").await
}

#[tokio::test]
async fn every_post_with_a_key_happens_once_and_its_response_is_repeated() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    for (operation, case) in cases().into_iter().filter(|(operation, _)| operation.method == "POST") {
        case.prepare(&api, ours).await;
        let call = case.success(&api, &operation, ours).await.key(&operation.id);
        let first = api.send(call.clone()).await;
        assert_eq!(first.status, case.status, "{}: {}", operation.id, first.text);
        assert!(!replayed(&first), "{}", operation.id);
        let before = api.contents().await;
        let second = api.send(call).await;
        assert!(replayed(&second), "{}", operation.id);
        assert_eq!((first.status, &first.body), (second.status, &second.body), "{}", operation.id);
        assert_eq!(second.headers["content-type"], "application/json");
        assert_eq!(api.contents().await, before, "{}", operation.id);
        let described = &operation.whole["responses"][case.status.to_string()]["headers"];
        assert!(described["idempotent-replayed"].is_object(), "{}", operation.id);
    }
}

#[tokio::test]
async fn every_post_refuses_a_key_used_with_another_body_and_keeps_its_stored_response() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    for (operation, case) in cases().into_iter().filter(|(operation, _)| operation.method == "POST") {
        case.prepare(&api, ours).await;
        let call = case.success(&api, &operation, ours).await.key(&operation.id);
        let first = api.send(call.clone()).await;
        assert_eq!(first.status, case.status, "{}: {}", operation.id, first.text);
        let before = api.contents().await;
        let other = case.other_body(&api, ours).await;
        let id = &operation.id;
        let wanted = operation.whole["requestBody"].is_object();
        // An operation without a body ignores one, but its key belongs to the whole request.
        assert_eq!(
            other.is_some(),
            wanted,
            "{id} needs .other(…) in cases.rs if it takes a body, and else none"
        );
        let other = other.unwrap_or_else(|| r#"{"another": "body"}"#.to_owned());
        assert_ne!(call.body.as_ref(), Some(&other), "{id}");
        if wanted {
            let body = serde_json::from_str(&other).unwrap();
            assert_eq!(request_mismatches("POST", &call.path, &body), [""; 0], "{id}");
        }
        let refused = api.send(call.clone().text(&other)).await;
        refused.expect_problem(422, "idempotency_key_reused");
        assert_eq!(api.contents().await, before, "{id}");
        let again = api.send(call).await;
        assert!(replayed(&again) && again.text == first.text, "{id}: {}", again.text);
        assert_eq!(api.contents().await, before, "{id}");
    }
}

#[tokio::test]
async fn another_request_with_the_same_key_is_refused() {
    let api = Api::new().await;
    api.send(connect(&api, &ajio("DV42"), "key-1")).await.expect(201);
    let before = api.contents().await;
    let other = api.send(connect(&api, &ajio("DV43"), "key-1")).await;
    other.expect_problem(422, "idempotency_key_reused");
    assert_eq!(api.contents().await, before);
    api.send(connect(&api, &ajio("DV43"), "key-2")).await.expect(201);
}

#[tokio::test]
async fn a_refused_request_may_be_sent_again_with_its_key() {
    let api = Api::new().await;
    let wrong = json!({"marketplace": "AJIO", "external_account_id": "DV0001", "display_name": "again",
        "details": {"username": "DV0001", "password": "a"}});
    api.send(connect(&api, &wrong, "key-1")).await.expect_problem(409, "account_exists");
    api.send(connect(&api, &ajio("DV42"), "key-1")).await.expect(201);
}

#[tokio::test]
async fn the_same_key_of_another_person_or_seller_is_another_key() {
    let api = Api::new().await;
    let theirs = &api.sellers.theirs;
    api.send(connect(&api, &ajio("DV42"), "key-1")).await.expect(201);
    let path = format!("/v1/sellers/{}/accounts", theirs.id);
    let elsewhere = Call::post(&path, &ajio("DV42")).by(theirs, "OWNER").key("key-1");
    assert!(!replayed(&api.send(elsewhere).await));
    let ours = &api.sellers.ours;
    let path = format!("/v1/sellers/{}/accounts", ours.id);
    let colleague = Call::post(&path, &ajio("DV44")).by(ours, "ADMIN").key("key-1");
    api.send(colleague).await.expect(201);
}

#[tokio::test]
async fn concurrent_requests_with_one_key_happen_once_and_get_the_same_response() {
    let api = Api::with_pool(8).await;
    // As many as may be checked for one user name at once.
    let calls = (0..5).map(|_| api.send(connect(&api, &ajio("DV42"), "key-1")));
    let answers = futures_util::future::join_all(calls).await;
    let bodies: Vec<&Value> = answers.iter().map(|answer| &answer.body).collect();
    assert!(answers.iter().all(|answer| answer.status == 201), "{bodies:?}");
    assert!(bodies.iter().all(|body| *body == bodies[0]), "{bodies:?}");
    assert_eq!(answers.iter().filter(|answer| replayed(answer)).count(), 4);
    assert_eq!(accounts(&api).await, 1);
    assert_eq!(api.cloud.messages(&api.cloud.lane_requests).await.len(), 1, "one request");
}

#[tokio::test]
async fn a_key_is_forgotten_after_a_day() {
    let api = Api::new().await;
    api.send(connect(&api, &ajio("DV42"), "key-1")).await.expect(201);
    api.arrange("update robnu.idempotency_keys set created_at = now() - interval '25 hours'").await;
    api.send(connect(&api, &ajio("DV43"), "key-1")).await.expect(201);
}

#[tokio::test]
async fn neither_the_key_nor_the_body_is_stored() {
    let api = Api::new().await;
    api.send(connect(&api, &ajio("DV42"), "key-of-great-weight")).await.expect(201);
    let digits = |text: &str| text.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    for table in api.contents().await.values() {
        for secret in ["key-of-great-weight", "correct horse"] {
            assert!(!table.contains(secret) && !table.contains(&digits(secret)));
        }
    }
}

#[tokio::test]
async fn a_malformed_key_is_named() {
    let api = Api::new().await;
    let before = api.contents().await;
    for key in ["", "two words", &"k".repeat(256), "ключ"] {
        let problem = api.send(connect(&api, &ajio("DV42"), key)).await.expect_problem(400, "invalid_header");
        assert_eq!(problem["errors"][0]["field"], "idempotency-key", "{key}");
    }
    assert_eq!(api.contents().await, before);
    api.send(connect(&api, &ajio("DV42"), &"k".repeat(255))).await.expect(201);
}
