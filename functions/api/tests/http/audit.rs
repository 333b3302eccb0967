//! The audit trail as its readers see it.

use serde_json::{Value, json};

use crate::support::{Api, Call};

fn audit_path(api: &Api, query: &str) -> String {
    format!("/v1/sellers/{}/audit{query}", api.sellers.ours.id)
}

async fn events(api: &Api, query: &str) -> Vec<Value> {
    let page = api.get("ADMIN", &audit_path(api, query)).await.expect(200);
    page["events"].as_array().unwrap().clone()
}

async fn rename(api: &Api, by: &str, name: &str) {
    let path = format!("/v1/sellers/{}", api.sellers.ours.id);
    let body = json!({"name": name}).to_string();
    api.send(Call::new("PATCH", &path).text(&body).by(&api.sellers.ours, by)).await.expect(200);
}

#[tokio::test]
async fn a_change_is_shown_with_who_made_it_what_it_changed_and_how() {
    let api = Api::new().await;
    rename(&api, "OWNER", "first").await;
    let event = events(&api, "?action=seller.changed").await.remove(0);
    assert_eq!(event["actor"]["kind"], "MEMBER");
    assert_eq!(event["actor"]["email"], "OWNER@example.invalid");
    assert_eq!(event["object_id"], api.sellers.ours.id.to_string());
    assert_eq!((&event["changed"], &event["shown"]["name"]), (&json!(["name"]), &json!("first")));
    assert_eq!(event["impersonation_session_id"], Value::Null);
}

#[tokio::test]
async fn the_trail_is_read_newest_first_in_pages_that_lose_and_repeat_nothing() {
    let api = Api::new().await;
    for n in 0..5 {
        rename(&api, "OWNER", &format!("name {n}")).await;
    }
    let mut names = Vec::new();
    let mut cursor = String::new();
    loop {
        let path = audit_path(&api, &format!("?action=seller.changed&limit=2{cursor}"));
        let page = api.get("ADMIN", &path).await.expect(200);
        names.extend(page["events"].as_array().unwrap().iter().map(|event| event["shown"]["name"].clone()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(names, ["name 4", "name 3", "name 2", "name 1", "name 0"]);
    let other = audit_path(&api, &format!("?action=seller.created&limit=2{cursor}"));
    api.get("ADMIN", &other).await.expect_problem(400, "invalid_cursor");
}

#[tokio::test]
async fn the_trail_is_narrowed_by_actor_action_object_and_time() {
    let api = Api::new().await;
    rename(&api, "OWNER", "by the owner").await;
    rename(&api, "ADMIN", "by the admin").await;
    let admin = events(&api, "?action=seller.changed&limit=1").await.remove(0);
    let actor = admin["actor"]["id"].as_str().unwrap();
    let of_admin = events(&api, &format!("?actor_id={actor}")).await;
    assert_eq!((of_admin.len(), &of_admin[0]["shown"]["name"]), (1, &json!("by the admin")));
    let ours = api.sellers.ours.id;
    let of_seller = events(&api, &format!("?object_id={ours}&action=seller.c&limit=2")).await;
    assert_eq!(of_seller.len(), 2);
    assert!(of_seller.iter().all(|event| event["object_id"] == ours.to_string()));
    api.arrange("update robnu.audit_events set occurred_at = '2026-01-01T12:00:00Z' where shown ->> 'name' = 'by the owner'").await;
    let then = events(&api, "?action=seller.changed&from=2026-01-01T12:00:00Z&to=2026-01-01T12:00:01Z").await;
    assert_eq!((then.len(), &then[0]["shown"]["name"]), (1, &json!("by the owner")));
    assert!(events(&api, "?action=seller.changed&to=2026-01-01T12:00:00Z").await.is_empty());
    for query in ["?from=yesterday", "?actor_id=x", "?object_id=x", "?actor=x"] {
        api.get("ADMIN", &audit_path(&api, query)).await.expect_problem(400, "invalid_query");
    }
}

#[tokio::test]
async fn each_time_that_a_job_opened_credentials_is_shown() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let adapter = api.test.login("robnu_adapter").await;
    let session = adapter.session(&ours.job_scope()).await.unwrap();
    let open = "select robnu.open_credentials($1, 'orders')";
    session.commit_with(&[(open, &[&ours.ajio])]).await.unwrap();
    let event = events(&api, &format!("?object_id={}&action=credentials.", ours.ajio)).await.remove(0);
    assert_eq!(event["action"], "credentials.opened");
    assert_eq!((&event["actor"]["kind"], &event["actor"]["id"]), (&json!("JOB"), &json!(ours.ajio)));
    assert_eq!(event["shown"], json!({"purpose": "orders"}));
}

#[tokio::test]
async fn a_member_who_left_is_shown_with_their_email_of_that_time_and_not_followed_further() {
    let api = Api::new().await;
    rename(&api, "ADMIN", "renamed").await;
    api.arrange("delete from robnu.members where role = 'ADMIN'").await;
    // The person continues with another seller, under another address.
    let elsewhere = Call::post("/v1/sellers", &json!({"name": "elsewhere"})).by(&api.sellers.ours, "ADMIN");
    let elsewhere = elsewhere.claim("email", "private@example.invalid").claim("email_verified", "true");
    api.send(elsewhere).await.expect(201);
    for query in ["?action=seller.changed", &format!("?object_id={}", api.sellers.ours.id)] {
        let page = api.get("OWNER", &audit_path(&api, query)).await.expect(200);
        assert_eq!(page["events"][0]["actor"]["email"], "ADMIN@example.invalid", "{query}");
        assert!(!page.to_string().contains("private@"), "{query}");
    }
}

#[tokio::test]
async fn another_sellers_events_are_never_shown() {
    let api = Api::new().await;
    let theirs = &api.sellers.theirs;
    let path = format!("/v1/sellers/{}", theirs.id);
    api.send(Call::new("PATCH", &path).text(r#"{"name": "theirs"}"#).by(theirs, "OWNER")).await.expect(200);
    let all = events(&api, "?limit=200").await;
    assert!(!all.is_empty());
    let text = json!(all).to_string();
    assert!(!text.contains("theirs") && !text.contains(&theirs.id.to_string()), "{text}");
    let theirs_object = events(&api, &format!("?object_id={}", theirs.id)).await;
    assert!(theirs_object.is_empty());
}
