//! Signing up where each seller has a KMS key of its own.

use robnu_storage::WrappedKey;
use robnu_tenancy::{SellerId, ToSql};
use serde_json::json;

use crate::support::{Api, Call};

const NEWCOMER: &str = "5f2c1d9e-newcomer";

fn sign_up() -> Call {
    Call::post("/v1/sellers", &json!({"name": "Ravi Textiles"}))
        .by_subject(NEWCOMER)
        .claim("email", "newcomer@example.invalid")
        .claim("email_verified", "true")
}

/// The calls of an operation that sellers' keys need; the test's own platform key is left out.
fn calls(api: &Api, operation: &str) -> usize {
    let calls = api.cloud.kms_wire.requests(operation);
    calls.iter().filter(|call| operation != "CreateKey" || !call["Tags"].is_null()).count()
}

async fn stored(api: &Api, seller: SellerId) -> WrappedKey {
    let sql = "select id as key_id, wrapped_key, kms_key_id from robnu.seller_keys where seller_id = $1";
    let row = api.test.superuser().await.query_one(sql, &[&seller]).await.unwrap();
    WrappedKey::from_row(&row).unwrap().expect("it has a key")
}

fn seller_of(answer: &serde_json::Value) -> SellerId {
    answer["seller_id"].as_str().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_new_seller_has_a_kms_key_with_its_name_and_tags_that_wraps_its_data_key() {
    let api = Api::with_seller_keys().await;
    let seller = seller_of(&api.send(sign_up()).await.expect(201));
    let name = format!("alias/robnu/seller-{seller}");
    let key = api.cloud.kms.describe_key().key_id(&name).send().await.expect("the key has the name");
    let key = key.key_metadata.unwrap();
    let data_key = stored(&api, seller).await;
    assert_eq!(Some(&data_key.kms_key_id), key.arn.as_ref(), "the key that wraps the data key");
    let tags = api.cloud.kms.list_resource_tags().key_id(&key.key_id).send().await.unwrap();
    let tags: Vec<(&str, &str)> = tags.tags().iter().map(|tag| (tag.tag_key(), tag.tag_value())).collect();
    let id = seller.to_string();
    assert_eq!(tags, [("robnu:seller", id.as_str()), ("robnu:stage", api.cloud.stage.as_str())]);
    assert_eq!((calls(&api, "CreateKey"), calls(&api, "EnableKeyRotation")), (1, 1));
    api.cloud.keys().cipher(seller, &data_key).await.expect("the data key can be unwrapped");
}

#[tokio::test]
async fn where_sellers_have_no_keys_of_their_own_the_platforms_key_wraps_and_none_is_made() {
    let api = Api::new().await;
    let seller = seller_of(&api.send(sign_up()).await.expect(201));
    assert!(stored(&api, seller).await.kms_key_id.ends_with(&api.cloud.key));
    assert_eq!((calls(&api, "CreateKey"), calls(&api, "CreateAlias")), (0, 0));
}

#[tokio::test]
async fn a_refused_and_a_repeated_sign_up_make_no_kms_key() {
    let api = Api::with_seller_keys().await;
    let first = sign_up().header("idempotency-key", "the-first");
    let answer = api.send(first.clone()).await.expect(201);
    assert_eq!(api.send(first).await.expect(201), answer);
    api.arrange("update robnu.orgs set sign_ups_per_address_a_day = 1").await;
    assert_eq!(api.send(sign_up()).await.status, 429);
    assert_eq!(calls(&api, "CreateKey"), 1);
}

#[tokio::test]
async fn a_sign_up_that_dies_or_fails_while_it_makes_the_key_leaves_a_seller_with_a_good_data_key() {
    for operation in ["CreateKey", "EnableKeyRotation", "CreateAlias", "Decrypt", "Encrypt"] {
        let api = Api::with_seller_keys().await;
        let call = sign_up().header("idempotency-key", "the-first");
        let reached = api.cloud.kms_wire.hold(operation);
        tokio::select! {
            answer = api.send(call.clone()) => panic!("{operation}: {}", answer.status),
            () = reached.notified() => {}
        }
        // The client sends it again and gets the response of the sign-up that has happened.
        let seller = seller_of(&api.send(call).await.expect(201));
        assert_eq!(api.count("select count(*) from robnu.sellers where name = 'Ravi Textiles'").await, 1);
        let data_key = stored(&api, seller).await;
        api.cloud.keys().cipher(seller, &data_key).await.expect("the data key can be unwrapped");
        assert!(calls(&api, "CreateKey") <= 1, "{operation}");

        api.cloud.kms_wire.refuse(operation);
        let seller = seller_of(&api.send(sign_up()).await.expect(201));
        let data_key = stored(&api, seller).await;
        assert!(
            data_key.kms_key_id.ends_with(&api.cloud.key),
            "{operation}: the platform's key stays in use"
        );
        api.cloud.keys().cipher(seller, &data_key).await.expect("the data key can be unwrapped");
    }
}

#[tokio::test]
async fn only_the_person_who_signed_up_replaces_the_wrapping_and_only_while_sign_up_holds_the_lease() {
    let api = Api::new().await;
    let seller = seller_of(&api.send(sign_up()).await.expect(201));
    let before = stored(&api, seller).await;
    let replace = async |subject: &str, seen: &[u8]| {
        let login = api.test.raw("robnu_api").await;
        login.batch_execute(&format!("begin; select robnu.enter_person('{subject}')")).await.unwrap();
        let sql = "select robnu.rewrap_new_key($1, $2, $3, '\\x01', 'another')";
        login.execute(sql, &[&seller, &before.id, &seen]).await.unwrap();
        login.batch_execute("commit").await.unwrap();
        stored(&api, seller).await.kms_key_id == "another"
    };
    let lease = |until: &str| {
        format!("update robnu.seller_keys set lease_expires_at = now() {until} where seller_id = '{seller}'")
    };
    assert!(!replace("somebody else", &before.ciphertext).await, "somebody else");
    assert!(!replace(NEWCOMER, b"another wrapping").await, "a wrapping that is gone");
    api.arrange(&lease("- interval '1 second'")).await;
    assert!(!replace(NEWCOMER, &before.ciphertext).await, "after the lease");
    api.arrange(&lease("+ interval '1 minute'")).await;
    assert!(replace(NEWCOMER, &before.ciphertext).await, "the person who signed up");
}

#[tokio::test]
async fn a_customer_that_an_older_data_key_sealed_can_still_be_read() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let newer = api.cloud.keys().generate(ours.id).await.unwrap().wrapped;
    let insert =
        "insert into robnu.seller_keys (seller_id, id, wrapped_key, kms_key_id) values ($1, $2, $3, $4)";
    let key: [&(dyn ToSql + Sync); 4] = [&ours.id, &newer.id, &newer.ciphertext, &newer.kms_key_id];
    assert_eq!(api.test.superuser().await.execute(insert, &key).await.unwrap(), 1);
    let path = format!("/v1/sellers/{}/orders/{}/customer", ours.id, ours.order);
    let customer = api.get("OWNER", &path).await.expect(200);
    assert_eq!(customer["name"], "Asha Rao");
}
