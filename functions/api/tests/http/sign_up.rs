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

/// KMS makes no more data keys for this test.
async fn stop_kms(api: &Api) {
    api.cloud.kms.disable_key().key_id(&api.cloud.key).send().await.expect("the key is this test's own");
}

#[tokio::test]
async fn a_person_with_fifty_sellers_is_refused_before_a_key_is_made() {
    let api = Api::new().await;
    let body = json!({"name": "one more"});
    let fiftieth = sign_up(&body).header("idempotency-key", "the-fiftieth");
    let answer = api.send(fiftieth.clone()).await.expect(201);
    stop_kms(&api).await;
    // KMS is asked for a key for anyone who may sign up, ...
    api.send(sign_up(&body)).await.expect_problem(503, "unavailable");
    api.arrange(&format!(
        "insert into robnu.sellers (org_id, name, signed_up_by) select o.id, 'another', p.id
         from robnu.orgs o, robnu.people p, generate_series(2, 50) where p.subject = '{NEWCOMER}'"
    ))
    .await;
    let before = api.contents().await;
    // ... but not for anyone who may not, nor for a repeated request.
    api.send(sign_up(&body)).await.expect_problem(409, "too_many_sellers");
    assert_eq!(api.send(fiftieth).await.expect(201), answer);
    assert_eq!(api.contents().await, before);
}

#[tokio::test]
async fn the_owner_of_a_suspended_seller_cannot_sign_up_another_one() {
    let api = Api::new().await;
    let body = json!({"name": "another name"});
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    api.arrange(&format!(
        "update robnu.sellers set suspended_at = now(), suspension_reason = 'fraud' where seller_id = '{}'",
        ours.id
    ))
    .await;
    let by = |seller, role| {
        let call = Call::post("/v1/sellers", &body).by(seller, role);
        call.claim("email", "person@example.invalid").claim("email_verified", "true")
    };
    let before = api.contents().await;
    api.send(by(ours, "OWNER")).await.expect_problem(403, "seller_suspended");
    assert_eq!(api.contents().await, before);
    // Members who only work there, and the other owner, may.
    api.send(by(ours, "ADMIN")).await.expect(201);
    api.send(by(theirs, "OWNER")).await.expect(201);
}

#[tokio::test]
async fn only_a_person_over_their_rate_limit_must_wait() {
    let api = Api::new().await;
    api.arrange("update robnu.orgs set person_requests_per_window = 1").await;
    let calls = [
        Call::get("/v1/me").by_subject(NEWCOMER),
        sign_up(&json!({"name": "a"})),
        Call::get("/v1/admin/sellers").by_subject(NEWCOMER),
        Call::get(&format!("/v1/sellers/{}", api.sellers.ours.id)).by_subject(NEWCOMER),
    ];
    for call in calls {
        // Of three requests in a row, two are in one window, whenever it begins.
        let mut limited = Vec::new();
        for _ in 0..3 {
            let answer = api.send(call.clone()).await;
            if answer.status == 429 {
                limited.push(answer);
            }
        }
        let answer = limited.pop().expect("one request too many");
        let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((1..=10).contains(&wait), "{wait}");
        answer.expect_problem(429, "rate_limited");
    }
    api.send(Call::get("/v1/me").by_subject("somebody else")).await.expect(200);
}
