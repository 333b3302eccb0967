//! An invitation on the deployed stack: from the API through the mail to the membership.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

mod stack;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use stack::Stack;

/// The latest mail to an address.
async fn mail_to(stack: &Stack, address: &str) -> Value {
    let url = format!("{}/_ministack/ses/messages", stack.fact("aws_endpoint"));
    let all: Value = stack.http.get(url).send().await.unwrap().json().await.unwrap();
    let mut mails = all["messages"].as_object().unwrap().values().flat_map(|mails| mails.as_array().unwrap());
    mails.rfind(|mail| mail["To"] == json!([address])).expect("a mail has come").clone()
}

#[tokio::test]
async fn an_invitation_goes_by_mail_and_its_token_opens_the_seller() {
    let stack = Stack::get();
    let (owner, guest) = (stack.new_owner("inviting").await, stack.new_owner("invited").await);
    let (_, me) = stack.call(Some(&guest.token), Method::GET, "/v1/me", None).await;
    let address = me["email"].as_str().unwrap();

    let path = format!("/v1/sellers/{}/invitations", owner.seller);
    let body = json!({"email": address, "role": "VIEWER"});
    let (status, invited) = stack.call(Some(&owner.token), Method::POST, &path, Some(&body)).await;
    assert_eq!((status, &invited["sent"]), (StatusCode::CREATED, &json!(true)), "{invited}");

    let orders = format!("/v1/sellers/{}/orders", owner.seller);
    let (before, _) = stack.call(Some(&guest.token), Method::GET, &orders, None).await;
    assert_eq!(before, StatusCode::NOT_FOUND);
    let mail = mail_to(&stack, address).await;
    let text = mail["BodyText"].as_str().unwrap();
    assert!(text.contains("\"inviting\""), "{text}");
    let token = text.split_once("/invitations/accept#token=").unwrap().1.split_whitespace().next().unwrap();
    let accept = json!({"token": token});
    let path = "/v1/invitations/accept";
    let (status, refused) = stack.call(Some(&owner.token), Method::POST, path, Some(&accept)).await;
    assert_eq!((status, &refused["code"]), (StatusCode::NOT_FOUND, &json!("invitation_not_found")));
    let (status, joined) = stack.call(Some(&guest.token), Method::POST, path, Some(&accept)).await;
    assert_eq!((status, &joined["role"]), (StatusCode::OK, &json!("VIEWER")), "{joined}");
    let (after, _) = stack.call(Some(&guest.token), Method::GET, &orders, None).await;
    assert_eq!(after, StatusCode::OK);
}
