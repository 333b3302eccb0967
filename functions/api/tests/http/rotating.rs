//! Replacing an account's credentials.

use robnu_tenancy::AccountId;
use serde_json::{Value, json};

use crate::support::{Api, Call, ROLES};

const AJIO: &str = "ajio_account_details";
const AMAZON: &str = "amazon_account_details";

fn credentials(api: &Api, account: impl std::fmt::Display) -> String {
    format!("/v1/sellers/{}/accounts/{account}/credentials", api.sellers.ours.id)
}

fn ajio(password: &str) -> Value {
    json!({"details": {"username": "DV0001", "password": password}})
}

fn amazon() -> Value {
    json!({"details": {"client_id": "client-2", "client_secret": "amzn-secret-2", "refresh_token": "Atzr-token-2"}})
}

async fn set_status(api: &Api, status: &str) {
    api.arrange(&format!("update robnu.marketplace_accounts set status = '{status}'")).await;
}

async fn events(api: &Api, account: AccountId) -> i64 {
    let sql = "select count(*) from robnu.credential_events where event = 'ROTATED'";
    api.count(&format!("{sql} and account_id = '{account}'")).await
}

#[tokio::test]
async fn an_account_that_needs_new_credentials_is_active_scheduled_and_published_with_them() {
    let api = Api::new().await;
    let (id, other) = (api.sellers.ours.ajio, api.sellers.ours.amazon);
    let path = credentials(&api, id);
    api.put("OWNER", &path, &ajio("old horse")).await.expect(200);
    let old = api.sealed(*id.as_uuid(), AJIO, "password").await;
    set_status(&api, "NEEDS_RECONNECT").await;
    api.arrange("update robnu.schedules set next_due_at = now() + interval '1 day'").await;
    api.cloud.messages(&api.cloud.lane_requests).await;

    let answer = api.put("ADMIN", &path, &ajio("new horse")).await;
    assert!(!answer.text.contains("horse"), "{}", answer.text);
    let account = answer.expect(200);
    assert_eq!((&account["account_id"], &account["status"]), (&json!(id), &json!("ACTIVE")));
    let list = format!("/v1/sellers/{}/accounts", api.sellers.ours.id);
    let listed = api.get("VIEWER", &list).await.expect(200);
    assert!(listed["accounts"].as_array().unwrap().contains(&account));

    assert_ne!(api.sealed(*id.as_uuid(), AJIO, "password").await, old);
    assert_eq!(api.open(&account, AJIO, "password").await, "new horse");
    assert_eq!(events(&api, id).await, 2);
    let generation = "select credentials_generation::bigint from robnu.marketplace_accounts";
    assert_eq!(
        api.count(&format!("{generation} where id = '{id}'")).await,
        3,
        "runs recognise old credentials by it"
    );
    let due = "select count(*) from robnu.schedules where next_due_at <= now()";
    assert_eq!(api.count(&format!("{due} and account_id = '{id}'")).await, 1);
    assert_eq!(api.count(due).await, 1, "no other account's schedule");
    let request = json!({"version": "1", "seller_id": api.sellers.ours.id, "account_id": id});
    assert_eq!(api.cloud.messages(&api.cloud.lane_requests).await, [request]);
    let waiting = "select count(*) from robnu.marketplace_accounts where status = 'NEEDS_RECONNECT'";
    assert_eq!(api.count(&format!("{waiting} and id = '{other}'")).await, 1, "the other account still waits");
    assert_eq!(api.count(waiting).await, 7, "and so do another seller's");
}

#[tokio::test]
async fn every_field_of_a_marketplace_is_replaced_and_nothing_is_stored_in_clear() {
    let api = Api::new().await;
    let path = credentials(&api, api.sellers.ours.amazon);
    let account = api.put("OWNER", &path, &amazon()).await.expect(200);
    assert_eq!(api.open(&account, AMAZON, "client_secret").await, "amzn-secret-2");
    assert_eq!(api.open(&account, AMAZON, "refresh_token").await, "Atzr-token-2");
    let client = format!("select count(*) from robnu.{AMAZON} where client_id = 'client-2'");
    assert_eq!(api.count(&client).await, 1);
    let fresh = format!("select count(*) from robnu.{AMAZON} where updated_at > now() - interval '1 minute'");
    assert!(api.count(&fresh).await > 0);
    for table in api.contents().await.values() {
        for secret in ["amzn-secret-2", "Atzr-token-2"] {
            let digits: Vec<String> = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
            assert!(!table.contains(secret) && !table.contains(&digits.concat()));
        }
    }
}

#[tokio::test]
async fn only_owners_and_admins_replace_credentials() {
    let api = Api::new().await;
    set_status(&api, "NEEDS_RECONNECT").await;
    for role in ROLES {
        let before = api.contents().await;
        let answer = api.put(role, &credentials(&api, api.sellers.ours.ajio), &ajio("new horse")).await;
        if ["OWNER", "ADMIN"].contains(&role) {
            answer.expect(200);
        } else {
            answer.expect_problem(403, "forbidden");
            assert_eq!(api.contents().await, before, "{role}");
        }
    }
}

#[tokio::test]
async fn the_second_of_two_who_replace_credentials_is_refused_if_it_names_the_old_version() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let path = credentials(&api, ours.ajio);
    let shown = api.get("OWNER", path.strip_suffix("/credentials").unwrap()).await;
    let tag = shown.headers["etag"].to_str().unwrap().to_owned();
    let replace =
        |password: &str| Call::new("PUT", &path).text(&ajio(password).to_string()).by(ours, "OWNER");
    let first = api.send(replace("first horse").header("if-match", &tag)).await;
    let next = first.headers["etag"].to_str().unwrap().to_owned();
    assert_ne!(next, tag, "the account's version counts its credentials too");
    first.expect(200);
    let before = api.contents().await;
    api.send(replace("second horse").header("if-match", &tag)).await.expect_problem(412, "version_mismatch");
    assert_eq!(api.contents().await, before);
    let account = api.send(replace("third horse").header("if-match", &next)).await.expect(200);
    assert_eq!(api.open(&account, AJIO, "password").await, "third horse");
    api.send(replace("fourth horse").header("if-match", "*")).await.expect(200);
}

#[tokio::test]
async fn a_paused_account_accepts_credentials_and_stays_paused() {
    let api = Api::new().await;
    set_status(&api, "PAUSED").await;
    let path = credentials(&api, api.sellers.ours.ajio);
    let account = api.put("OWNER", &path, &ajio("new horse")).await.expect(200);
    assert_eq!(account["status"], "PAUSED");
    assert_eq!(api.open(&account, AJIO, "password").await, "new horse");
}

#[tokio::test]
async fn a_disconnected_account_is_connected_again_by_new_credentials() {
    let api = Api::new().await;
    set_status(&api, "DISCONNECTED").await;
    let path = credentials(&api, api.sellers.ours.ajio);
    let account = api.put("OWNER", &path, &ajio("new horse")).await.expect(200);
    assert_eq!(account["status"], "ACTIVE");
    assert_eq!(api.open(&account, AJIO, "password").await, "new horse");
}

#[tokio::test]
async fn another_sellers_account_is_not_found() {
    let api = Api::new().await;
    let before = api.contents().await;
    for account in [api.sellers.theirs.ajio.to_string(), AccountId::new().to_string(), "not-an-id".to_owned()]
    {
        let answer = api.put("OWNER", &credentials(&api, account), &ajio("new horse")).await;
        answer.expect_problem(404, "account_not_found");
    }
    assert_eq!(api.contents().await, before);
}

#[tokio::test]
async fn wrong_fields_are_all_named_by_the_accounts_marketplace_and_no_value_is_repeated() {
    let api = Api::new().await;
    let before = api.contents().await;
    let path = credentials(&api, api.sellers.ours.amazon);
    let body =
        json!({"details": {"client_id": "hunter2 hunter2", "password": "hunter2", "refresh_token": ""}});
    let answer = api.put("OWNER", &path, &body).await;
    assert!(!answer.text.contains("hunter2"), "{}", answer.text);
    let problem = answer.expect_problem(422, "invalid_body");
    let mut fields: Vec<&str> =
        problem["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
    fields.sort_unstable();
    let expected =
        ["details.client_id", "details.client_secret", "details.password", "details.refresh_token"];
    assert_eq!(fields, expected);
    for body in [json!({}), json!({"details": {}, "status": "hunter2"}), json!({"details": "hunter2"})] {
        let answer = api.put("OWNER", &path, &body).await;
        assert!(!answer.text.contains("hunter2"), "{}", answer.text);
        answer.expect_problem(422, "invalid_body");
    }
    assert_eq!(api.contents().await, before);
}

/// The functions that replace details run with their owner's rights, so they must make the checks of the policies themselves.
#[tokio::test]
async fn the_database_itself_refuses_other_sellers_other_marketplaces_other_roles_and_jobs() {
    let api = Api::new().await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    let before = api.contents().await;
    let ajio = |account: AccountId| {
        format!("select robnu.replace_ajio_account_details('{account}', 'DV9', '\\x00')")
    };
    let amazon = |account: AccountId| {
        format!("select robnu.replace_amazon_account_details('{account}', 'c', '\\x00', '\\x00')")
    };
    let member = |role: &str| format!("select robnu.enter_member('{role}@{0}', '{0}', '', true)", ours.id);
    let job = format!("select robnu.enter_job('{}', '{}')", ours.id, ours.ajio);
    let cases = [
        ("robnu_api", member("OWNER"), ajio(theirs.ajio), "RB002"),
        ("robnu_api", member("OWNER"), ajio(AccountId::new()), "RB002"),
        ("robnu_api", member("OWNER"), amazon(ours.ajio), "RB002"),
        ("robnu_api", member("OPERATOR"), ajio(ours.ajio), "42501"),
        ("robnu_api", member("VIEWER"), ajio(ours.ajio), "42501"),
        ("robnu_adapter", job, ajio(ours.ajio), "42501"),
        ("robnu_api", "select 1".to_owned(), ajio(ours.ajio), "42501"), // no scope
    ];
    for (login, entry, sql, state) in cases {
        let client = api.test.raw(login).await;
        client.batch_execute(&format!("begin; {entry}")).await.unwrap();
        let refused = client.batch_execute(&sql).await.expect_err("refused");
        assert_eq!(refused.code().map(tokio_postgres::error::SqlState::code), Some(state), "{entry}; {sql}");
    }
    assert_eq!(api.contents().await, before);
}
