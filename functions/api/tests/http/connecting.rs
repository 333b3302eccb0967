//! Connecting accounts.

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{Api, Call, ROLES, ajio};

fn accounts(api: &Api) -> String {
    format!("/v1/sellers/{}/accounts", api.sellers.ours.id)
}

fn amazon(external_id: &str) -> Value {
    json!({
        "marketplace": "AMAZON_IN",
        "external_account_id": external_id,
        "display_name": "Amazon",
        "details": {"client_id": "client-1", "client_secret": "amzn-secret-1", "refresh_token": "Atzr-token-1"},
    })
}

#[tokio::test]
async fn a_connected_account_is_listed_scheduled_and_published() {
    let api = Api::new().await;
    let mut body = ajio("DV42");
    body["external_account_id"] = json!(" DV42 ");
    let account = api.post("OWNER", &accounts(&api), &body).await.expect(201);
    let fields = ["marketplace", "external_account_id", "display_name", "status", "lane_state"];
    let values = fields.map(|field| account[field].as_str().unwrap());
    assert_eq!(values, ["AJIO", "DV42", "AJIO Bengaluru", "ACTIVE", "REQUESTED"]);

    let listed = api.get("VIEWER", &accounts(&api)).await.expect(200);
    assert_eq!(listed["accounts"].as_array().unwrap().last().unwrap(), &account);

    let id = account["account_id"].as_str().unwrap();
    let due = "select count(*) from robnu.schedules
        where kind = 'ORDERS' and every_minutes = 60 and enabled and next_due_at <= now()";
    assert_eq!(api.count(&format!("{due} and account_id = '{id}'")).await, 1);
    // Connecting has just checked the credentials, so the first check by schedule is later.
    let later = "select count(*) from robnu.schedules where kind = 'CREDENTIAL_CHECK' and every_minutes = 240 and enabled
        and next_due_at between now() + interval '239 minutes' and now() + interval '241 minutes'";
    assert_eq!(api.count(&format!("{later} and account_id = '{id}'")).await, 1);
    let events = format!(
        "select count(*) from robnu.credential_events where event = 'CONNECTED' and account_id = '{id}'"
    );
    assert_eq!(api.count(&events).await, 1);
    let request = json!({"version": "1", "seller_id": api.sellers.ours.id, "account_id": id});
    assert_eq!(api.cloud.messages(&api.cloud.lane_requests).await, [request]);
}

#[tokio::test]
async fn secrets_are_stored_sealed_and_open_only_with_the_sellers_key() {
    let api = Api::new().await;
    let first = api.post("ADMIN", &accounts(&api), &ajio("DV42")).await.expect(201);
    let second = api.post("ADMIN", &accounts(&api), &amazon("A1B2")).await.expect(201);
    for table in api.contents().await.values() {
        for secret in ["correct horse", "amzn-secret-1", "Atzr-token-1"] {
            // Rows as text show bytes as hexadecimal digits.
            let digits: Vec<String> = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            assert!(!table.contains(secret) && !table.contains(&digits.concat()));
        }
    }
    assert_eq!(api.open(&first, "ajio_account_details", "password").await, "correct horse");
    assert_eq!(api.open(&second, "amazon_account_details", "client_secret").await, "amzn-secret-1");
    assert_eq!(api.open(&second, "amazon_account_details", "refresh_token").await, "Atzr-token-1");
}

#[tokio::test]
async fn only_owners_and_admins_connect() {
    let api = Api::new().await;
    for role in ROLES {
        let before = api.contents().await;
        let answer = api.post(role, &accounts(&api), &ajio(&format!("DV-{role}"))).await;
        if ["OWNER", "ADMIN"].contains(&role) {
            answer.expect(201);
        } else {
            answer.expect_problem(403, "forbidden");
            assert_eq!(api.contents().await, before, "{role}");
        }
    }
}

#[tokio::test]
async fn an_account_is_connected_once_per_seller_and_any_number_of_times_across_sellers() {
    let api = Api::new().await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    api.post("OWNER", &accounts(&api), &ajio("DV42")).await.expect(201);
    let before = api.contents().await;
    api.post("OWNER", &accounts(&api), &ajio("DV42")).await.expect_problem(409, "account_exists");
    assert_eq!(api.contents().await, before);
    let path = format!("/v1/sellers/{}/accounts", theirs.id);
    api.send(Call::post(&path, &ajio("DV42")).by(theirs, "OWNER")).await.expect(201);
    // The same id at another marketplace is a different account.
    api.post("OWNER", &accounts(&api), &amazon("DV42")).await.expect(201);
    let mine = format!("select count(*) from robnu.marketplace_accounts where seller_id = '{}'", ours.id);
    assert_eq!(api.count(&mine).await, 6);
}

#[tokio::test]
async fn wrong_fields_are_all_named_and_no_value_is_repeated() {
    let api = Api::new().await;
    let body = json!({
        "marketplace": "AJIO", "external_account_id": " ", "display_name": "a\u{1}hunter2",
        "details": {"username": "hunter2 hunter2", "pasword": "hunter2"},
    });
    let answer = api.post("OWNER", &accounts(&api), &body).await;
    assert!(!answer.text.contains("hunter2"), "{}", answer.text);
    let problem = answer.expect_problem(422, "invalid_body");
    let mut fields: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
    fields.sort_unstable();
    let expected =
        ["details.password", "details.pasword", "details.username", "display_name", "external_account_id"];
    assert_eq!(fields, expected);
}

#[tokio::test]
async fn only_active_marketplaces_with_an_adapter_can_be_connected() {
    let api = Api::new().await;
    api.arrange("update robnu.marketplaces set status = 'SUSPENDED' where code = 'AMAZON_IN'").await;
    let before = api.contents().await;
    for code in ["AMAZON_IN", "MYNTRA", "ajio", ""] {
        let mut body = amazon("A1");
        body["marketplace"] = code.into();
        let problem = api.post("OWNER", &accounts(&api), &body).await.expect_problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["field"], "marketplace", "{code}");
    }
    assert_eq!(api.contents().await, before);
    let listed = api.get("VIEWER", "/v1/marketplaces").await.expect(200);
    let connectable: Vec<&str> = listed["marketplaces"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["connectable"] == true)
        .map(|entry| entry["code"].as_str().unwrap())
        .collect();
    assert_eq!(connectable, ["AJIO", "FLIPKART", "MEESHO"]);
}

#[tokio::test]
async fn a_seller_connects_a_hundred_accounts_in_a_day_even_at_the_same_time() {
    let api = Api::with_pool(4).await;
    // The fixture has four.
    let many = format!(
        "insert into robnu.marketplace_accounts (seller_id, marketplace_code, external_account_id, display_name)
         select '{}', 'AJIO', 'MANY-' || n, 'many' from generate_series(1, 94) n",
        api.sellers.ours.id
    );
    api.arrange(&many).await;
    let bodies = [1, 2, 3, 4].map(|n| ajio(&format!("DV{n}")));
    let path = accounts(&api);
    let answers = join_all(bodies.iter().map(|body| api.post("OWNER", &path, body))).await;
    let (made, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 201);
    assert_eq!((made.len(), refused.len()), (2, 2));
    for answer in refused {
        answer.expect_problem(409, "too_many_accounts_today");
    }
    let before = api.contents().await;
    api.post("OWNER", &path, &ajio("DV5")).await.expect_problem(409, "too_many_accounts_today");
    assert_eq!(api.contents().await, before);
    assert_eq!(api.cloud.messages(&api.cloud.lane_requests).await.len(), 2, "no other lane request is sent");
    let theirs = format!("/v1/sellers/{}/accounts", api.sellers.theirs.id);
    api.send(Call::post(&theirs, &ajio("DV5")).by(&api.sellers.theirs, "OWNER")).await.expect(201);
    api.arrange("update robnu.marketplace_accounts set created_at = created_at - interval '1 day'").await;
    api.post("OWNER", &path, &ajio("DV5")).await.expect(201);
}

#[tokio::test]
async fn a_message_that_cannot_be_sent_does_not_undo_the_account() {
    let api = Api::new().await;
    api.cloud.sqs.delete_queue().queue_url(&api.cloud.lane_requests).send().await.unwrap();
    let account = api.post("OWNER", &accounts(&api), &ajio("DV42")).await.expect(201);
    assert_eq!(account["lane_state"], "REQUESTED");
}

#[tokio::test]
async fn a_seller_whose_data_key_is_gone_cannot_connect_accounts() {
    let api = Api::new().await;
    api.arrange("delete from robnu.seller_keys").await;
    let before = api.contents().await;
    let problem = api.post("OWNER", &accounts(&api), &ajio("DV42")).await.expect_problem(500, "internal");
    assert!(problem.get("errors").is_none());
    assert_eq!(api.contents().await, before);
}

#[tokio::test]
async fn another_sellers_data_key_does_not_unwrap() {
    let api = Api::new().await;
    let (ours, theirs) = (api.sellers.ours.id, api.sellers.theirs.id);
    api.arrange(&format!(
        "update robnu.seller_keys set wrapped_key =
           (select wrapped_key from robnu.seller_keys where seller_id = '{theirs}') where seller_id = '{ours}'"
    ))
    .await;
    let before = api.contents().await;
    api.post("OWNER", &accounts(&api), &ajio("DV42")).await.expect_problem(503, "unavailable");
    assert_eq!(api.contents().await, before);
}
