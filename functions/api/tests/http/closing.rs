//! Closing a seller: asking for it, taking it back, who may, and whom it mails.

use serde_json::{Value, json};

use crate::support::{APP_URL, Answer, Api, Call};

fn path(api: &Api) -> String {
    format!("/v1/sellers/{}/closing", api.sellers.ours.id)
}

async fn ask(api: &Api, by: &str, body: &Value) -> Answer {
    api.put(by, &path(api), body).await
}

async fn take_back(api: &Api, by: &str) -> Answer {
    api.send(Call::new("DELETE", &path(api)).by(&api.sellers.ours, by)).await
}

async fn seller(api: &Api) -> Value {
    api.get("VIEWER", &format!("/v1/sellers/{}", api.sellers.ours.id)).await.expect(200)
}

/// The changes of the seller in its trail, newest first.
async fn trail(api: &Api) -> Vec<Value> {
    let path = format!("/v1/sellers/{}/audit?action=seller.changed", api.sellers.ours.id);
    api.get("OWNER", &path).await.expect(200)["events"].as_array().unwrap().clone()
}

#[tokio::test]
async fn an_owner_asks_and_every_owner_is_mailed_once() {
    let api = Api::new().await;
    api.arrange("update robnu.members set role = 'OWNER' where role = 'FINANCE'").await;
    let before = seller(&api).await;
    assert_eq!(before["closing"], Value::Null);

    let body = json!({"name": "a seller", "reason": "moving on"});
    let asked = ask(&api, "OWNER", &body).await.expect(200);

    let closing = &asked["closing"];
    assert_eq!(closing["reason"], "moving on");
    let days = "select count(*) from robnu.sellers where closes_at = closing_asked_at + interval '30 days'";
    assert_eq!(api.count(days).await, 1);
    assert_eq!(seller(&api).await["closing"], *closing);
    assert!(asked["version"].as_i64() > before["version"].as_i64(), "the tag is another one");
    let mails = api.cloud.mails().await;
    let mut to: Vec<&str> = mails.iter().map(|mail| mail["To"][0].as_str().unwrap()).collect();
    to.sort_unstable();
    assert_eq!(to, ["FINANCE@example.invalid", "OWNER@example.invalid"]);
    let text = mails[0]["BodyText"].as_str().unwrap();
    for part in ["OWNER at example. invalid asked Robnu to close \"a seller\"", "can take this back", APP_URL]
    {
        assert!(text.contains(part), "{text}");
    }
    // Asking again changes nothing and mails nobody, with another reason too.
    let rows = api.contents().await;
    let again = ask(&api, "OWNER", &json!({"name": "a seller", "reason": "another"})).await.expect(200);
    assert_eq!((&again["closing"], api.contents().await == rows), (closing, true));
    assert_eq!(api.cloud.mails().await.len(), 2);
    let event = &trail(&api).await[0];
    assert_eq!(
        (&event["actor"]["kind"], &event["actor"]["email"]),
        (&json!("MEMBER"), &json!("OWNER@example.invalid"))
    );
    assert!(event["shown"]["closes_at"].is_string(), "{event}");
}

#[tokio::test]
async fn everything_works_until_then_and_the_asking_can_be_taken_back() {
    let api = Api::new().await;
    ask(&api, "OWNER", &json!({"name": "a seller"})).await.expect(200);
    let theirs = format!("/v1/sellers/{}", api.sellers.ours.id);
    let rename = Call::new("PATCH", &theirs).text(&json!({"name": "renamed"}).to_string());
    api.send(rename.by(&api.sellers.ours, "ADMIN")).await.expect(200);

    assert_eq!(take_back(&api, "OWNER").await.status, 204);

    assert_eq!(seller(&api).await["closing"], Value::Null);
    let event = &trail(&api).await[0];
    assert_eq!(event["shown"]["closes_at"], Value::Null, "{event}");
    let rows = api.contents().await;
    assert_eq!(take_back(&api, "OWNER").await.status, 204, "there is nothing to take back");
    assert_eq!(api.contents().await, rows);
}

#[tokio::test]
async fn a_name_that_is_not_exactly_the_sellers_closes_nothing() {
    let api = Api::new().await;
    let rows = api.contents().await;
    for name in ["A seller", "a sell", "another seller", "a seller 2"] {
        let problem = ask(&api, "OWNER", &json!({"name": name})).await.expect_problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["field"], "name", "{name}");
    }
    assert_eq!(api.contents().await, rows);
    assert!(api.cloud.mails().await.is_empty());
}

#[tokio::test]
async fn nobody_but_an_owner_asks_or_takes_back() {
    let api = Api::new().await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    api.arrange(&format!(
        "update robnu.impersonation_sessions set role = 'ADMIN' where seller_id = '{}'",
        ours.id
    ))
    .await;
    let sql = format!("select id::text from robnu.impersonation_sessions where seller_id = '{}'", ours.id);
    let session: String = api.test.superuser().await.query_one(&sql, &[]).await.unwrap().get(0);
    let rows = api.contents().await;
    let body = json!({"name": "a seller"}).to_string();
    for role in ["ADMIN", "OPERATOR", "FINANCE", "VIEWER", "SCANNER"] {
        ask(&api, role, &json!({"name": "a seller"})).await.expect_problem(403, "forbidden");
        take_back(&api, role).await.expect_problem(403, "forbidden");
    }
    for method in ["PUT", "DELETE"] {
        let call = || {
            if method == "PUT" {
                Call::new(method, &path(&api)).text(&body)
            } else {
                Call::new(method, &path(&api))
            }
        };
        let staff = api.send(call().by_staff().header("impersonation-session", &session)).await;
        staff.expect_problem(403, "forbidden");
        // Another seller's owner learns nothing of ours.
        api.send(call().by(theirs, "OWNER")).await.expect_problem(404, "seller_not_found");
    }
    assert_eq!(api.contents().await, rows);
}

#[tokio::test]
async fn the_database_itself_refuses_whoever_is_no_owner() {
    let api = Api::new().await;
    let login = api.test.raw("robnu_api").await;
    let ours = api.sellers.ours.id;
    for call in ["ask_closing('a seller', null, null)", "take_closing_back()"] {
        let enter = format!("begin; select robnu.enter_member('ADMIN@{ours}', '{ours}', '', true)");
        login.batch_execute(&enter).await.unwrap();
        let refused = login.batch_execute(&format!("select robnu.{call}")).await.unwrap_err();
        assert_eq!(refused.code().unwrap().code(), "42501", "{call}");
        login.batch_execute("rollback").await.unwrap();
    }
}

#[tokio::test]
async fn when_the_time_is_over_it_is_too_late_to_take_it_back() {
    let api = Api::new().await;
    ask(&api, "OWNER", &json!({"name": "a seller"})).await.expect(200);
    api.arrange(
        "update robnu.sellers set closes_at = now() - interval '1 second' where closes_at is not null",
    )
    .await;
    let rows = api.contents().await;
    take_back(&api, "OWNER").await.expect_problem(409, "closing_too_late");
    assert_eq!(api.contents().await, rows);
}

#[tokio::test]
async fn a_suspended_seller_is_not_closed_and_a_suspension_takes_the_asking_back() {
    let api = Api::new().await;
    ask(&api, "OWNER", &json!({"name": "a seller"})).await.expect(200);
    let admin = format!("/v1/admin/sellers/{}", api.sellers.ours.id);
    let suspend = Call::post(&format!("{admin}/suspend"), &json!({"reason": "a complaint"}));
    api.send(suspend.by_staff()).await.expect(200);
    assert_eq!(seller(&api).await["closing"], Value::Null);
    ask(&api, "OWNER", &json!({"name": "a seller"})).await.expect_problem(403, "seller_suspended");
    api.send(Call::new("POST", &format!("{admin}/resume")).by_staff()).await.expect(200);
    ask(&api, "OWNER", &json!({"name": "a seller"})).await.expect(200);
}

#[tokio::test]
async fn a_seller_asks_five_times_a_day_and_may_always_take_it_back() {
    let api = Api::new().await;
    for _ in 0..5 {
        ask(&api, "OWNER", &json!({"name": "a seller"})).await.expect(200);
        assert_eq!(take_back(&api, "OWNER").await.status, 204);
    }
    let rows = api.contents().await;
    ask(&api, "OWNER", &json!({"name": "a seller"})).await.expect_problem(409, "closing_asked_often");
    assert_eq!(api.contents().await, rows);
    assert_eq!(api.cloud.mails().await.len(), 5);
}

#[tokio::test]
async fn an_asking_stands_when_its_mails_are_refused() {
    let api = Api::new().await;
    api.cloud.refuse_mails().await;
    let asked = ask(&api, "OWNER", &json!({"name": "a seller"})).await.expect(200);
    assert!(asked["closing"].is_object());
    assert!(api.cloud.mails().await.is_empty());
}

#[tokio::test]
async fn a_closed_seller_is_not_found_by_its_owner_and_not_seen_by_staff() {
    let api = Api::new().await;
    let ours = api.sellers.ours.id;
    api.arrange(&format!(
        "set role robnu_owner; set search_path = robnu;
         update sellers set closing_asked_at = now(), closes_at = now() where seller_id = '{ours}';
         select advance_closing('{ours}', null, 1000); reset role"
    ))
    .await;
    let call = Call::get(&format!("/v1/sellers/{ours}")).by(&api.sellers.ours, "OWNER");
    api.send(call).await.expect_problem(404, "seller_not_found");
    let me = api.send(Call::get("/v1/me").by(&api.sellers.ours, "OWNER")).await.expect(200);
    assert_eq!(me["sellers"], json!([]));
    let list = api.send(Call::get("/v1/admin/sellers").by_staff()).await.expect(200);
    assert_eq!(list["sellers"].as_array().unwrap().len(), 1, "{list}");
    let open = json!({"seller_id": ours, "reason": "a look", "role": "VIEWER", "minutes": 10});
    let open = api.send(Call::post("/v1/admin/impersonations", &open).by_staff()).await;
    open.expect_problem(404, "seller_not_found");
}

#[tokio::test]
async fn everything_is_exported_first_if_that_is_asked_for() {
    let api = Api::new().await;
    api.arrange("delete from robnu.exports").await;
    let exports = format!("/v1/sellers/{}/exports", api.sellers.ours.id);
    ask(&api, "OWNER", &json!({"name": "another", "export_first": true})).await.expect(422);
    assert_eq!(api.count("select count(*) from robnu.exports").await, 0);
    let body = json!({"name": "a seller", "export_first": true});
    let asked = ask(&api, "OWNER", &body).await.expect(200);
    ask(&api, "OWNER", &body).await.expect(200);
    let all = api.get("OWNER", &exports).await.expect(200)["exports"].as_array().unwrap().clone();
    assert_eq!(all.len(), 1, "{all:?}");
    assert_eq!((&all[0]["list"], &all[0]["state"]), (&json!("everything"), &json!("QUEUED")));
    let sent = api.cloud.messages(&api.cloud.exports).await;
    let id = &all[0]["export_id"];
    assert_eq!(sent, [json!({"version": "1", "seller_id": api.sellers.ours.id, "export_id": id})]);
    // The file goes with the seller, and so says the export.
    api.arrange(
        "insert into robnu.storage_objects (seller_id, id, kind, time_folder, bucket, content_type, size, checksum, kms_key, state)
           select seller_id, id, 'EXPORT', '2026-01-01', 'bucket', 'application/zip', 1, sha256('x'), 'key', 'STORED' from robnu.exports;
         update robnu.exports set state = 'SUCCEEDED', object_id = id, finished_at = now(), expires_at = now() + interval '30 days'",
    )
    .await;
    let ready = api.get("OWNER", &exports).await.expect(200)["exports"][0].clone();
    assert_eq!(ready["expires_at"], asked["closing"]["closes_at"]);
    assert_eq!(take_back(&api, "OWNER").await.status, 204);
    let kept = api.get("OWNER", &exports).await.expect(200)["exports"][0].clone();
    assert!(kept["expires_at"].as_str() > ready["expires_at"].as_str(), "{kept}");
}

#[tokio::test]
async fn nothing_is_asked_for_when_the_export_is_refused() {
    let api = Api::new().await;
    api.arrange("delete from robnu.exports").await;
    let exports = format!("/v1/sellers/{}/exports", api.sellers.ours.id);
    for _ in 0..3 {
        api.post("OWNER", &exports, &json!({"list": "orders"})).await.expect(202);
    }
    let body = json!({"name": "a seller", "export_first": true});
    ask(&api, "OWNER", &body).await.expect_problem(409, "too_many_live_exports");
    assert_eq!(seller(&api).await["closing"], Value::Null);
    assert!(api.cloud.mails().await.is_empty());
    ask(&api, "OWNER", &json!({"name": "a seller"})).await.expect(200);
}
