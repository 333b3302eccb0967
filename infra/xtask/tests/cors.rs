//! CORS on the deployed stack: pages of the origins in `AllowedOrigins` may call the API, other pages may not.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod stack;

use std::collections::BTreeSet;

use reqwest::{Method, Response, StatusCode};
use stack::{Owner, Stack};

const SETTINGS: &str = include_str!("../../../samconfig.toml");

/// The allowed origins of the local stage, which is the first stage in the file.
fn origins() -> Vec<&'static str> {
    let (_, list) = SETTINGS.split_once("\n  \"AllowedOrigins='").unwrap();
    let origins: Vec<&str> = list.split('\'').next().unwrap().split(',').collect();
    assert!(origins.len() > 1, "the list is a list: {origins:?}");
    origins
}

/// Sends the preflight request of a browser that is about to change a versioned thing. It has no token.
async fn preflight(stack: &Stack, owner: &Owner, origin: &str) -> Response {
    let url = format!("{}/v1/sellers/{}", stack.fact("api_url"), owner.seller);
    let request = stack.http.request(Method::OPTIONS, url).header("origin", origin);
    let request = request.header("access-control-request-method", "PATCH");
    let wanted = "authorization,content-type,if-match";
    request.header("access-control-request-headers", wanted).send().await.unwrap()
}

/// Sends a read as a page of an origin.
async fn read(stack: &Stack, owner: &Owner, origin: &str) -> Response {
    let url = format!("{}/v1/sellers/{}", stack.fact("api_url"), owner.seller);
    stack.http.get(url).bearer_auth(&owner.token).header("origin", origin).send().await.unwrap()
}

/// The items of a header's list in lower case.
fn items(answer: &Response, header: &str) -> BTreeSet<String> {
    let lists = answer.headers().get_all(header).iter().map(|list| list.to_str().unwrap());
    lists.flat_map(|list| list.split(',')).map(|item| item.trim().to_lowercase()).collect()
}

fn set<const N: usize>(items: [&str; N]) -> BTreeSet<String> {
    items.map(ToOwned::to_owned).into()
}

#[tokio::test]
async fn a_preflight_of_an_allowed_origin_needs_no_token_and_allows_what_the_api_accepts() {
    let stack = Stack::get();
    let owner = stack.new_owner("browsing").await;
    for origin in origins() {
        let answer = preflight(&stack, &owner, origin).await;
        assert!(answer.status().is_success(), "{origin}: {}", answer.status());
        assert_eq!(items(&answer, "access-control-allow-origin"), set([origin]));
        assert_eq!(
            items(&answer, "access-control-allow-methods"),
            set(["get", "post", "put", "patch", "delete"])
        );
        assert_eq!(
            items(&answer, "access-control-allow-headers"),
            set(["authorization", "content-type", "idempotency-key", "if-match", "impersonation-session"])
        );
    }
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_can_read_responses_and_their_headers() {
    let stack = Stack::get();
    let owner = stack.new_owner("browsing").await;
    for origin in origins() {
        let answer = read(&stack, &owner, origin).await;
        assert_eq!(answer.status(), StatusCode::OK);
        assert_eq!(items(&answer, "access-control-allow-origin"), set([origin]));
        let exposed = items(&answer, "access-control-expose-headers");
        assert_eq!(exposed, set(["etag", "retry-after", "x-request-id", "idempotent-replayed"]));
        assert!(answer.headers().contains_key("etag") && answer.headers().contains_key("x-request-id"));
        // Tokens have their own header, so no page needs to send cookies.
        assert!(!answer.headers().contains_key("access-control-allow-credentials"));
    }
}

#[tokio::test]
async fn a_page_of_another_origin_is_allowed_nothing() {
    let stack = Stack::get();
    let owner = stack.new_owner("browsing").await;
    let allowed = origins()[0];
    let tls = allowed.replace("http:", "https:");
    for origin in
        ["https://evil.example", "null", &tls, &format!("{allowed}0"), &format!("{allowed}.evil.example")]
    {
        for answer in [preflight(&stack, &owner, origin).await, read(&stack, &owner, origin).await] {
            assert!(!answer.headers().contains_key("access-control-allow-origin"), "{origin}: {answer:?}");
        }
    }
}
