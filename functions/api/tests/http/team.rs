//! The team: its members and their rights.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_postgres::Client;

use crate::support::{Answer, Api, Call};

fn seller_path(api: &Api, rest: &str) -> String {
    format!("/v1/sellers/{}{rest}", api.sellers.ours.id)
}

/// Our seller's member with `role`, as the list shows them.
async fn member(api: &Api, role: &str) -> Value {
    let list = api.get("OWNER", &seller_path(api, "/members")).await.expect(200);
    let email = format!("{role}@example.invalid");
    list["members"].as_array().unwrap().iter().find(|member| member["email"] == email).unwrap().clone()
}

async fn path_of(api: &Api, role: &str) -> String {
    seller_path(api, &format!("/members/{}", member(api, role).await["member_id"].as_str().unwrap()))
}

/// Changes the member with `role`, as the member with the role `by`.
async fn change(api: &Api, by: &str, role: &str, body: &Value) -> Answer {
    let path = path_of(api, role).await;
    api.send(Call::new("PATCH", &path).text(&body.to_string()).by(&api.sellers.ours, by)).await
}

async fn remove(api: &Api, by: &str, role: &str) -> Answer {
    let path = path_of(api, role).await;
    api.send(Call::new("DELETE", &path).by(&api.sellers.ours, by)).await
}

#[tokio::test]
async fn the_list_shows_the_whole_team_in_pages_and_nobody_else() {
    let api = Api::new().await;
    let path = seller_path(&api, "/members?limit=4");
    let first = api.get("VIEWER", &path).await.expect(200);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = api.get("VIEWER", &format!("{path}&cursor={cursor}")).await.expect(200);
    assert_eq!(second["next_cursor"], Value::Null);
    let members: Vec<&Value> =
        [&first, &second].iter().flat_map(|page| page["members"].as_array().unwrap()).collect();
    let mut roles: Vec<&str> = members.iter().map(|member| member["role"].as_str().unwrap_or("-")).collect();
    roles.sort_unstable();
    assert_eq!(roles, ["-", "ADMIN", "FINANCE", "OPERATOR", "OWNER", "VIEWER"]);
    let you: Vec<_> = members.iter().filter(|member| member["is_you"] == true).collect();
    assert_eq!((you.len(), &you[0]["role"]), (1, &json!("VIEWER")));
    let scanner = members.iter().find(|member| member["role"].is_null()).unwrap();
    assert_eq!(scanner["scan_returns"], true);
}

#[tokio::test]
async fn a_cursor_of_another_sellers_team_is_refused() {
    let api = Api::new().await;
    let theirs = format!("/v1/sellers/{}/members?limit=1", api.sellers.theirs.id);
    let page = api.send(Call::get(&theirs).by(&api.sellers.theirs, "OWNER")).await.expect(200);
    let path =
        seller_path(&api, &format!("/members?limit=1&cursor={}", page["next_cursor"].as_str().unwrap()));
    api.get("OWNER", &path).await.expect_problem(400, "invalid_cursor");
}

#[tokio::test]
async fn a_change_of_role_counts_from_the_next_request_on() {
    let api = Api::new().await;
    let accounts = seller_path(&api, "/audit");
    api.get("OPERATOR", &accounts).await.expect_problem(403, "forbidden");
    let changed = change(&api, "OWNER", "OPERATOR", &json!({"role": "ADMIN"})).await.expect(200);
    assert_eq!((&changed["role"], &changed["version"]), (&json!("ADMIN"), &json!(2)));
    api.get("OPERATOR", &accounts).await.expect(200);
    change(&api, "OWNER", "OPERATOR", &json!({"role": null, "scan_returns": true})).await.expect(200);
    api.get("OPERATOR", &seller_path(&api, "/orders")).await.expect_problem(403, "forbidden");
    let shown = api.get("OPERATOR", &seller_path(&api, "")).await.expect(200);
    assert_eq!((&shown["role"], &shown["scan_returns"]), (&Value::Null, &json!(true)));
}

#[tokio::test]
async fn a_removed_members_access_ends_with_their_next_request() {
    let api = Api::new().await;
    let orders = seller_path(&api, "/orders");
    api.get("FINANCE", &orders).await.expect(200);
    assert_eq!(remove(&api, "OWNER", "FINANCE").await.status, 204);
    api.get("FINANCE", &orders).await.expect_problem(404, "seller_not_found");
    let sync = seller_path(&api, &format!("/accounts/{}/sync", api.sellers.ours.ajio));
    api.post("FINANCE", &sync, &json!({"kind": "ORDERS"})).await.expect_problem(404, "seller_not_found");
    let me = api.get("FINANCE", "/v1/me").await.expect(200);
    assert_eq!(me["sellers"], json!([]));
}

#[tokio::test]
async fn removing_a_member_deletes_their_stored_responses() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let sync = seller_path(&api, &format!("/accounts/{}/sync", ours.ajio));
    let again = Call::post(&sync, &json!({"kind": "ORDERS"})).by(ours, "OPERATOR").key("key-1");
    api.send(again.clone()).await.expect(202);
    assert_eq!(remove(&api, "OWNER", "OPERATOR").await.status, 204);
    api.send(again).await.expect_problem(404, "seller_not_found");
}

#[tokio::test]
async fn an_admin_cannot_change_or_make_owners_and_admins() {
    let api = Api::new().await;
    let before = api.contents().await;
    for role in ["OWNER", "ADMIN"] {
        change(&api, "ADMIN", role, &json!({"scan_returns": true})).await.expect_problem(403, "forbidden");
        change(&api, "ADMIN", role, &json!({"role": "VIEWER"})).await.expect_problem(403, "forbidden");
        remove(&api, "ADMIN", role).await.expect_problem(403, "forbidden");
        change(&api, "ADMIN", "VIEWER", &json!({"role": role})).await.expect_problem(403, "forbidden");
    }
    assert_eq!(api.contents().await, before);
    change(&api, "ADMIN", "VIEWER", &json!({"role": "FINANCE"})).await.expect(200);
    assert_eq!(remove(&api, "ADMIN", "VIEWER").await.status, 204);
    // An owner may do all of it.
    change(&api, "OWNER", "ADMIN", &json!({"role": "OWNER"})).await.expect(200);
}

#[tokio::test]
async fn roles_below_admin_cannot_manage_members() {
    let api = Api::new().await;
    for by in ["OPERATOR", "FINANCE", "VIEWER", "SCANNER"] {
        change(&api, by, "VIEWER", &json!({"role": "OWNER"})).await.expect_problem(403, "forbidden");
        remove(&api, by, "SCANNER").await.expect_problem(403, "forbidden");
    }
}

#[tokio::test]
async fn the_last_owner_is_neither_changed_nor_removed() {
    let api = Api::new().await;
    let before = api.contents().await;
    for role in [json!("ADMIN"), json!(null)] {
        let change = change(&api, "OWNER", "OWNER", &json!({"role": role, "scan_returns": true})).await;
        change.expect_problem(409, "last_owner");
    }
    remove(&api, "OWNER", "OWNER").await.expect_problem(409, "last_owner");
    assert_eq!(api.contents().await, before);
}

/// Blocks transactions that have changed a member, before the check of the remaining owners.
async fn blocker(api: &Api) -> Client {
    let blocker = api.test.superuser().await;
    blocker.batch_execute("begin; lock table robnu.audit_events in share mode").await.unwrap();
    blocker
}

/// Lets them continue when two are waiting.
async fn when_both_have_left(api: &Api, blocker: Client) {
    let waiting =
        "select count(*) from pg_locks where relation = 'robnu.audit_events'::regclass and not granted";
    for _ in 0..200 {
        if api.count(waiting).await == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    blocker.batch_execute("commit").await.unwrap();
}

#[tokio::test]
async fn one_of_two_owners_who_leave_at_the_same_time_stays() {
    let api = Api::with_pool(4).await;
    change(&api, "OWNER", "ADMIN", &json!({"role": "OWNER"})).await.expect(200);
    for method in ["DELETE", "PATCH"] {
        let (owner, admin) = (path_of(&api, "OWNER").await, path_of(&api, "ADMIN").await);
        let leave = async |role: &str, path: &str| {
            let call = Call::new(method, path).by(&api.sellers.ours, role);
            let call = if method == "PATCH" { call.text(r#"{"role": "VIEWER"}"#) } else { call };
            api.send(call).await
        };
        let both = async { tokio::join!(leave("OWNER", &owner), leave("ADMIN", &admin)) };
        let ((first, second), ()) = tokio::join!(both, when_both_have_left(&api, blocker(&api).await));
        let left = [&first, &second].iter().filter(|answer| answer.status.is_success()).count();
        assert_eq!(left, 1, "{} {}", first.text, second.text);
        let stays = if first.status.is_success() { second } else { first };
        stays.expect_problem(409, "last_owner");
        let restore = format!(
            "insert into robnu.members (seller_id, person_id, role)
             select '{seller}', id, 'OWNER' from robnu.people where subject in ('OWNER@{seller}', 'ADMIN@{seller}')
             on conflict (seller_id, person_id) do update set role = 'OWNER'",
            seller = api.sellers.ours.id
        );
        api.arrange(&restore).await;
    }
}

#[tokio::test]
async fn a_member_cannot_be_without_any_right() {
    let api = Api::new().await;
    let problem =
        change(&api, "OWNER", "VIEWER", &json!({"role": null})).await.expect_problem(422, "invalid_body");
    assert_eq!(problem["errors"][0]["field"], "role");
    let problem = change(&api, "OWNER", "SCANNER", &json!({"scan_returns": false})).await;
    problem.expect_problem(422, "invalid_body");
    for body in [json!({"role": "KING"}), json!({"scan_returns": null}), json!({"person_id": "x"})] {
        change(&api, "OWNER", "VIEWER", &body).await.expect_problem(422, "invalid_body");
    }
}

#[tokio::test]
async fn a_change_of_a_member_whom_somebody_else_has_changed_is_refused() {
    let api = Api::new().await;
    let path = path_of(&api, "VIEWER").await;
    let shown = api.get("OWNER", &path).await;
    let tag = shown.headers["etag"].to_str().unwrap().to_owned();
    change(&api, "OWNER", "VIEWER", &json!({"role": "FINANCE"})).await.expect(200);
    let late = Call::new("PATCH", &path).text(r#"{"role": "OPERATOR"}"#).by(&api.sellers.ours, "OWNER");
    api.send(late.header("if-match", &tag)).await.expect_problem(412, "version_mismatch");
    let late = Call::new("DELETE", &path).by(&api.sellers.ours, "OWNER").header("if-match", &tag);
    api.send(late).await.expect_problem(412, "version_mismatch");
    assert_eq!(member(&api, "VIEWER").await["role"], "FINANCE");
}

#[tokio::test]
async fn a_sellers_name_is_changed_and_nothing_else_of_it() {
    let api = Api::new().await;
    let path = seller_path(&api, "");
    let change = async |body: Value| {
        api.send(Call::new("PATCH", &path).text(&body.to_string()).by(&api.sellers.ours, "ADMIN")).await
    };
    assert_eq!(change(json!({"name": "renamed"})).await.expect(200)["name"], "renamed");
    let shown = change(json!({})).await.expect(200);
    assert_eq!((&shown["name"], &shown["suspended"]), (&json!("renamed"), &Value::Null));
    for body in [json!({"name": null}), json!({"name": ""}), json!({"suspended": null})] {
        change(body).await.expect_problem(422, "invalid_body");
    }
}
