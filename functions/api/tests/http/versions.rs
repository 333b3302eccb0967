//! `ETag` and `If-Match`.

use serde_json::json;

use crate::cases::cases;
use crate::support::{Api, Call};

#[tokio::test]
async fn a_change_of_an_outdated_version_is_refused_and_one_of_the_latest_succeeds() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let path = format!("/v1/sellers/{}", ours.id);
    let shown = api.get("OWNER", &path).await;
    let tag = shown.headers["etag"].to_str().unwrap().to_owned();
    assert_eq!(tag, format!("\"{}\"", shown.body["version"]));
    let rename =
        |name: &str| Call::new("PATCH", &path).text(&json!({"name": name}).to_string()).by(ours, "OWNER");
    let renamed = api.send(rename("first").header("if-match", &tag)).await;
    assert_ne!(renamed.headers["etag"].to_str().unwrap(), tag);
    assert_eq!(renamed.expect(200)["name"], "first");
    let before = api.contents().await;
    api.send(rename("second").header("if-match", &tag)).await.expect_problem(412, "version_mismatch");
    assert_eq!(api.contents().await, before);
    assert_eq!(api.send(rename("third").header("if-match", "*")).await.expect(200)["name"], "third");
    assert_eq!(api.send(rename("fourth")).await.expect(200)["name"], "fourth");
}

#[tokio::test]
async fn every_operation_that_takes_if_match_refuses_an_unknown_version() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let takes = |operation: &crate::document::Operation| operation.parameter("header", "if-match").is_some();
    for (operation, case) in cases().into_iter().filter(|(operation, _)| takes(operation)) {
        case.prepare(&api, ours).await;
        let call = case.success(&api, &operation, ours).await;
        let before = api.contents().await;
        let refused = api.send(call.clone().header("if-match", "\"999999\"")).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.body["code"]),
            (412, &json!("version_mismatch")),
            "{}",
            operation.id
        );
        assert_eq!(api.contents().await, before, "{}", operation.id);
        let malformed = api.send(call.header("if-match", "999999")).await;
        assert_eq!(
            (malformed.status.as_u16(), &malformed.body["code"]),
            (400, &json!("invalid_header")),
            "{}",
            operation.id
        );
    }
}

#[tokio::test]
async fn a_change_that_changes_nothing_makes_no_version_and_no_event() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    // New credentials are encrypted anew, so they always change something.
    let changes = |operation: &crate::document::Operation| {
        operation.method == "PATCH" || operation.method == "PUT" && operation.id != "replace_credentials"
    };
    let mut tried = Vec::new();
    for (operation, case) in cases().into_iter().filter(|(operation, _)| changes(operation)) {
        case.prepare(&api, ours).await;
        let call = case.success(&api, &operation, ours).await;
        let first = api.send(call.clone()).await;
        let events = api.count("select count(*) from robnu.audit_events").await;
        let again = api.send(call).await;
        assert_eq!(again.headers["etag"], first.headers["etag"], "{}", operation.id);
        assert_eq!(again.expect(200)["version"], first.expect(200)["version"], "{}", operation.id);
        assert_eq!(api.count("select count(*) from robnu.audit_events").await, events, "{}", operation.id);
        tried.push(operation.id);
    }
    tried.sort();
    assert_eq!(
        tried,
        [
            "ask_closing",
            "set_claim_terms",
            "set_schedule",
            "update_account",
            "update_member",
            "update_seller"
        ]
    );
}
