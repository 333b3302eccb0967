//! Refusals that are the same for every route.

use api::router::MAX_BODY;
use robnu_testkit::TestDatabase;

use crate::support::{Api, Call};

#[tokio::test]
async fn unknown_paths_and_methods_are_problems_too() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    for path in
        ["/", "/v1", "/v1/me/", "/v1/sellers/a/b/c", "/v2/me", "/v1/sellers/%FF", "/v1/sellers/%FF/orders"]
    {
        api.get("OWNER", path).await.expect_problem(404, "route_not_found");
    }
    let delete = api.send(Call::new("DELETE", "/v1/me").by(ours, "OWNER")).await;
    assert!(delete.headers["allow"].to_str().unwrap().contains("GET"));
    delete.expect_problem(405, "method_not_allowed");
    // A preflight that reaches the function, because API Gateway has no allowed origin.
    let preflight = api.send(Call::new("OPTIONS", "/v1/me").by(ours, "OWNER")).await;
    preflight.expect_problem(405, "method_not_allowed");
}

#[tokio::test]
async fn every_response_carries_the_request_id_and_is_not_cached() {
    let api = Api::new().await;
    for answer in [api.get("OWNER", "/v1/me").await, api.get("OWNER", "/v1/nowhere").await] {
        assert_eq!(answer.headers["x-request-id"], "gateway-request-1");
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
}

#[tokio::test]
async fn garbage_bodies_are_refused_by_place_or_field() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let accounts = format!("/v1/sellers/{}/accounts", ours.id);
    let before = api.contents().await;
    let post = |body: &str| Call::new("POST", &accounts).by(ours, "OWNER").text(body);
    for body in ["", "hunter2", "{\"details\": {\"password\": \"hunter2\"", "\u{0}", "{} {}"] {
        let answer = api.send(post(body)).await;
        assert!(!answer.text.contains("hunter2"), "{}", answer.text);
        assert!([400, 422].contains(&answer.status.as_u16()), "{body}: {}", answer.text);
    }
    for (body, field) in [
        (r#"["hunter2"]"#, "body"),
        (r#"{"marketplace": {"hunter2": 1}}"#, "marketplace"),
        (r#"{"details": "hunter2"}"#, "details"),
        (r#"{"details": {"password": ["hunter2"]}}"#, "details.password"),
        (r#"{"details": {"password": 1}, "x": "hunter2"}"#, "details.password"),
        (r#"{"password": "hunter2"}"#, "password"),
    ] {
        let answer = api.send(post(body)).await;
        assert!(!answer.text.contains("hunter2"), "{}", answer.text);
        let problem = answer.expect_problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["field"], field, "{body}");
    }
    assert_eq!(api.contents().await, before);
}

#[tokio::test]
async fn bodies_are_json_of_at_most_a_mebibyte() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let accounts = format!("/v1/sellers/{}/accounts", ours.id);
    let post = || Call::new("POST", &accounts).by(ours, "OWNER");
    api.send(post().text(&" ".repeat(MAX_BODY + 1))).await.expect_problem(413, "body_too_large");
    api.send(post().text(&" ".repeat(MAX_BODY))).await.expect_problem(400, "malformed_json");
    for content_type in ["text/plain", "", "application/x-www-form-urlencoded"] {
        let answer = api.send(post().text("{}").content_type(content_type)).await;
        answer.expect_problem(415, "unsupported_media_type");
    }
    let answer = api.send(post().text("{").content_type("Application/JSON; charset=utf-8")).await;
    answer.expect_problem(400, "malformed_json");
}

#[tokio::test]
async fn a_database_that_is_down_is_a_constant_503() {
    let test = TestDatabase::new().await;
    let mut config = test.config("robnu_api");
    // A port that was free a moment ago, so nobody listens on it.
    let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
    config.port = listener.local_addr().unwrap().port();
    drop(listener);
    let api = Api::over(test, &config).await;
    let answer = api.get("OWNER", "/v1/me").await;
    assert_eq!(answer.headers["retry-after"], "1");
    let problem = answer.expect_problem(503, "unavailable");
    assert_eq!(problem["detail"], "The service is busy at the moment. Repeat the request.");
}

#[tokio::test]
async fn a_failing_statement_is_a_constant_500() {
    let api = Api::new().await;
    api.arrange("alter table robnu.orders rename column ship_city to hunter2").await;
    let answer = api.get("OWNER", &format!("/v1/sellers/{}/orders", api.sellers.ours.id)).await;
    assert!(!answer.text.contains("ship_city") && !answer.text.contains("orders"), "{}", answer.text);
    answer.expect_problem(500, "internal");
}
