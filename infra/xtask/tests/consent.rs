//! Connects an account by consent on the deployed stack: from the API to the marketplace's page, back with a code, and on to
//! a run that reads orders with it.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod stack;

use std::collections::BTreeMap;

use reqwest::redirect::Policy;
use reqwest::{Method, StatusCode, Url};
use serde_json::json;
use stack::{Stack, unique};

#[tokio::test]
async fn a_seller_consents_on_amazons_page_and_the_orders_arrive() {
    let stack = Stack::get();
    let (ours, theirs) = (stack.new_owner("consenting").await, stack.new_owner("watching").await);
    let accounts = format!("/v1/sellers/{}/accounts", ours.seller);
    let wanted = json!({"marketplace": "AMAZON_IN", "display_name": "Amazon"});
    let path = format!("{accounts}/authorizations");
    let (status, begun) = stack.call(Some(&ours.token), Method::POST, &path, Some(&wanted)).await;
    assert_eq!(status, StatusCode::CREATED, "{begun}");

    let partner = unique("A");
    let parameters =
        json!({"parameters": consent(begun["authorization_url"].as_str().unwrap(), &partner).await});
    let path = format!("{path}/complete");
    // A person who knows only the parameters cannot complete the consent in another seller.
    let elsewhere = path.replace(&ours.seller, &theirs.seller);
    let (status, problem) =
        stack.call(Some(&theirs.token), Method::POST, &elsewhere, Some(&parameters)).await;
    assert_eq!((status, problem["code"].as_str()), (StatusCode::NOT_FOUND, Some("authorization_not_found")));
    let (status, account) = stack.call(Some(&ours.token), Method::POST, &path, Some(&parameters)).await;
    assert_eq!(status, StatusCode::CREATED, "{account}");
    assert_eq!(account["external_account_id"], partner);
    let (status, problem) = stack.call(Some(&ours.token), Method::POST, &path, Some(&parameters)).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{problem}");

    let account = account["account_id"].as_str().unwrap();
    stack.lane(&ours, account).await;
    let (status, check) =
        stack.call(Some(&ours.token), Method::POST, &format!("{accounts}/{account}/test"), None).await;
    assert!(status.is_success(), "{check}");
    let check = stack.end_of(&ours, check["run_id"].as_str().unwrap(), 120).await;
    assert_eq!(
        (&check["kind"], &check["state"]),
        (&json!("CREDENTIAL_CHECK"), &json!("SUCCEEDED")),
        "{check}"
    );
    let (_, shown) = stack.call(Some(&ours.token), Method::GET, &format!("{accounts}/{account}"), None).await;
    assert_eq!((&shown["status"], &shown["last_validation"]), (&json!("ACTIVE"), &json!("OK")), "{shown}");

    let run = stack.ask_for_sync(&ours, account).await;
    assert_eq!(stack.end_of(&ours, &run, 120).await["state"], "SUCCEEDED");
    let orders = format!("/v1/sellers/{}/orders?account_id={account}&limit=1", ours.seller);
    let (_, orders) = stack.call(Some(&ours.token), Method::GET, &orders, None).await;
    assert_eq!(orders["orders"].as_array().map(Vec::len), Some(1), "{orders}");
}

/// Approves on the page as the seller does. Returns the parameters that the browser is sent back with.
async fn consent(page: &str, account: &str) -> BTreeMap<String, String> {
    let mut url = Url::parse(page).unwrap();
    url.query_pairs_mut().extend_pairs([("decision", "approve"), ("account", account)]);
    let browser = reqwest::Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
    let answer = browser.get(url).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::FOUND);
    let back = Url::parse(answer.headers()["location"].to_str().unwrap()).unwrap();
    back.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}
