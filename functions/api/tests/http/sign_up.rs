//! Signing up: a person becomes the owner of a new seller.

use serde_json::json;

use crate::support::{Api, Call};

const NEWCOMER: &str = "5f2c1d9e-newcomer";

fn sign_up(body: &serde_json::Value) -> Call {
    Call::post("/v1/sellers", body)
        .by_subject(NEWCOMER)
        .claim("email", "newcomer@example.invalid")
        .claim("email_verified", "true")
}

#[tokio::test]
async fn a_newcomer_becomes_the_owner_of_a_seller_with_a_data_key_of_its_own() {
    let api = Api::new().await;
    let me = Call::get("/v1/me").by_subject(NEWCOMER);
    let before = api.send(me.clone()).await.expect(200);
    assert_eq!(before, json!({"person_id": null, "email": null, "is_staff": false, "sellers": []}));

    let seller = api.send(sign_up(&json!({"name": "  Ravi Textiles "}))).await.expect(201);
    assert_eq!((&seller["name"], &seller["role"]), (&json!("Ravi Textiles"), &json!("OWNER")));

    let after = api.send(me).await.expect(200);
    assert_eq!(after["email"], "newcomer@example.invalid");
    let mut membership = seller.clone();
    membership["scan_returns"] = json!(false);
    membership["is_suspended"] = json!(false);
    assert_eq!(after["sellers"], json!([membership]));
    let path = format!("/v1/sellers/{}", seller["seller_id"].as_str().unwrap());
    let shown = api.send(Call::get(&path).by_subject(NEWCOMER)).await.expect(200);
    assert_eq!((&shown["name"], &shown["role"]), (&seller["name"], &seller["role"]));
    let keys = api
        .count(&format!(
            "select count(*) from robnu.seller_keys where seller_id = '{}' and length(wrapped_key) > 32",
            seller["seller_id"].as_str().unwrap()
        ))
        .await;
    assert_eq!(keys, 1);
}

#[tokio::test]
async fn a_person_may_own_several_sellers_and_is_one_person() {
    let api = Api::new().await;
    for name in ["first", "second"] {
        api.send(sign_up(&json!({"name": name}))).await.expect(201);
    }
    let me = api.send(Call::get("/v1/me").by_subject(NEWCOMER)).await.expect(200);
    assert_eq!(me["sellers"].as_array().unwrap().len(), 2);
    let people = format!("select count(*) from robnu.people where subject = '{NEWCOMER}'");
    assert_eq!(api.count(&people).await, 1);
}

#[tokio::test]
async fn signing_up_needs_a_verified_email() {
    let api = Api::new().await;
    let body = json!({"name": "a"});
    let before = api.contents().await;
    let access_token = Call::post("/v1/sellers", &body).by_subject(NEWCOMER).claim("token_use", "access");
    api.send(access_token.clone()).await.expect_problem(400, "id_token_required");
    let unverified = access_token.claim("email", "a@example.invalid");
    api.send(unverified.clone()).await.expect_problem(403, "email_not_verified");
    let denied = unverified.claim("email_verified", "false");
    api.send(denied).await.expect_problem(403, "email_not_verified");
    assert_eq!(api.contents().await, before);
}

#[tokio::test]
async fn a_name_is_one_to_two_hundred_characters() {
    let api = Api::new().await;
    for name in ["", "   ", "a\u{7}b", &"x".repeat(201)] {
        let problem = api.send(sign_up(&json!({"name": name}))).await.expect_problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["field"], "name");
    }
    api.send(sign_up(&json!({"name": "é".repeat(200)}))).await.expect(201);
}
