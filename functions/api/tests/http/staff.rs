//! Staff: sellers' states, impersonation sessions, and their audit events.

use serde_json::{Value, json};

use crate::support::{Answer, Api, Call};

async fn staff(api: &Api, method: &str, path: &str, body: Option<Value>) -> Answer {
    let call = Call::new(method, path).by_staff();
    api.send(match body {
        Some(body) => call.text(&body.to_string()),
        None => call,
    })
    .await
}

fn seller_path(api: &Api, rest: &str) -> String {
    format!("/v1/sellers/{}{rest}", api.sellers.ours.id)
}

fn admin_path(api: &Api, rest: &str) -> String {
    format!("/v1/admin/sellers/{}{rest}", api.sellers.ours.id)
}

async fn open(api: &Api, role: &str) -> Value {
    let body = json!({"seller_id": api.sellers.ours.id, "reason": "a call about orders", "role": role, "minutes": 60});
    staff(api, "POST", "/v1/admin/impersonations", Some(body)).await.expect(201)
}

/// A call of staff within a session.
fn within(session: &Value, call: Call) -> Call {
    call.by_staff().header("impersonation-session", session["impersonation_id"].as_str().unwrap())
}

#[tokio::test]
async fn me_shows_whether_the_caller_is_staff() {
    let api = Api::new().await;
    let me = staff(&api, "GET", "/v1/me", None).await.expect(200);
    assert_eq!((&me["is_staff"], &me["person_id"], &me["sellers"]), (&json!(true), &Value::Null, &json!([])));
    assert_eq!(api.get("OWNER", "/v1/me").await.expect(200)["is_staff"], false);
    api.arrange("update robnu.staff set removed_at = now()").await;
    assert_eq!(staff(&api, "GET", "/v1/me", None).await.expect(200)["is_staff"], false);
}

#[tokio::test]
async fn a_staff_route_does_not_exist_for_strangers_whatever_they_send() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let unknown = api.send(Call::get("/v1/admin/nothing").by(ours, "OWNER")).await;
    let mut expected = unknown.expect_problem(404, "route_not_found");
    expected["request_id"].take();
    let suspend = admin_path(&api, "/suspend");
    let calls = [
        Call::get("/v1/admin/sellers"),
        Call::get("/v1/admin/sellers?limit=0"),
        Call::get("/v1/admin/sellers?cursor=x"),
        Call::post(&suspend, &json!({"reason": "unpaid"})),
        Call::post(&suspend, &json!({})),
        Call::new("POST", &suspend).text("{"),
        Call::post(&suspend, &json!({"reason": "unpaid"})).content_type("text/plain"),
        Call::post("/v1/admin/sellers/no-id/suspend", &json!({"reason": "unpaid"})),
        Call::post("/v1/admin/impersonations", &json!({"minutes": "many"})),
        Call::new("DELETE", "/v1/admin/impersonations/no-id"),
    ];
    let before = api.contents().await;
    for call in calls {
        let mut problem =
            api.send(call.clone().by(ours, "OWNER")).await.expect_problem(404, "route_not_found");
        problem["request_id"].take();
        assert_eq!(problem, expected);
        // Staff see what is wrong with the request; most of these are wrong.
        assert_ne!(api.send(call.by_staff()).await.body["code"], "route_not_found");
    }
    api.arrange("update robnu.staff set removed_at = now()").await;
    let former = staff(&api, "GET", "/v1/admin/sellers", None).await;
    former.expect_problem(404, "route_not_found");
    assert_eq!(before.len(), api.contents().await.len());
}

#[tokio::test]
async fn sellers_are_listed_by_name_and_state_in_pages() {
    let api = Api::new().await;
    api.arrange("insert into robnu.sellers (org_id, name) select id, 'Ravi ' || n from robnu.orgs, generate_series(1, 3) n").await;
    let path = "/v1/admin/sellers?name=rAVI&limit=2";
    let first = staff(&api, "GET", path, None).await.expect(200);
    let names = |page: &Value| -> Vec<String> {
        let sellers = page["sellers"].as_array().unwrap().iter();
        sellers.map(|seller| seller["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&first), ["Ravi 3", "Ravi 2"]);
    let next = format!("{path}&cursor={}", first["next_cursor"].as_str().unwrap());
    assert_eq!(names(&staff(&api, "GET", &next, None).await.expect(200)), ["Ravi 1"]);
    let other = next.replace("rAVI", "a");
    staff(&api, "GET", &other, None).await.expect_problem(400, "invalid_cursor");
    // No character of a name acts as a pattern.
    assert!(names(&staff(&api, "GET", "/v1/admin/sellers?name=%25", None).await.expect(200)).is_empty());
    staff(&api, "POST", &admin_path(&api, "/suspend"), Some(json!({"reason": "unpaid"}))).await.expect(200);
    let suspended = staff(&api, "GET", "/v1/admin/sellers?suspended=true", None).await.expect(200);
    assert_eq!(suspended["sellers"].as_array().unwrap().len(), 1);
    assert_eq!(suspended["sellers"][0]["suspension_reason"], "unpaid");
    let rest = staff(&api, "GET", "/v1/admin/sellers?suspended=false", None).await.expect(200);
    assert_eq!(rest["sellers"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn a_suspended_seller_sees_why_reads_on_and_changes_nothing_until_it_is_resumed() {
    let api = Api::new().await;
    let suspend = admin_path(&api, "/suspend");
    let first = staff(&api, "POST", &suspend, Some(json!({"reason": "unpaid"}))).await.expect(200);
    let second = staff(&api, "POST", &suspend, Some(json!({"reason": "still unpaid"}))).await.expect(200);
    assert_eq!(first["suspended_at"], second["suspended_at"]);
    let shown = api.get("VIEWER", &seller_path(&api, "")).await.expect(200);
    assert_eq!(
        (&shown["suspended"]["reason"], &shown["suspended"]["since"]),
        (&json!("still unpaid"), &first["suspended_at"])
    );
    assert_eq!(api.get("OWNER", "/v1/me").await.expect(200)["sellers"][0]["is_suspended"], true);
    assert_eq!(
        api.get("OWNER", &seller_path(&api, "/orders")).await.expect(200)["orders"].as_array().unwrap().len(),
        1
    );
    let list = api.get("OWNER", &seller_path(&api, "/invitations")).await.expect(200);
    assert_eq!(list["invitations"].as_array().unwrap().len(), 1);
    let rename = Call::new("PATCH", &seller_path(&api, ""))
        .text(r#"{"name": "renamed"}"#)
        .by(&api.sellers.ours, "OWNER");
    api.send(rename.clone()).await.expect_problem(403, "seller_suspended");
    let sync = seller_path(&api, &format!("/accounts/{}/sync", api.sellers.ours.ajio));
    api.post("OWNER", &sync, &json!({"kind": "ORDERS"})).await.expect_problem(403, "seller_suspended");
    let resumed = staff(&api, "POST", &admin_path(&api, "/resume"), None).await.expect(200);
    assert_eq!((&resumed["suspended_at"], &resumed["suspension_reason"]), (&Value::Null, &Value::Null));
    api.send(rename).await.expect(200);
}

#[tokio::test]
async fn suspending_leaves_runs_as_they_are_and_its_trace_in_the_trail() {
    let api = Api::new().await;
    api.arrange("update robnu.sync_runs set state = 'QUEUED', finished_at = null where kind = 'ORDERS'")
        .await;
    let runs = api.contents().await.remove("sync_runs");
    staff(&api, "POST", &admin_path(&api, "/suspend"), Some(json!({"reason": "unpaid"}))).await.expect(200);
    assert_eq!(api.contents().await.remove("sync_runs"), runs);
    let trail = api.get("OWNER", &seller_path(&api, "/audit?action=seller.")).await.expect(200);
    let event = &trail["events"][0];
    assert_eq!((&event["actor"]["kind"], &event["actor"]["email"]), (&json!("STAFF"), &Value::Null));
    assert_eq!(event["changed"], json!(["suspended_at", "suspension_reason"]));
    assert_eq!(event["shown"]["suspension_reason"], "unpaid");
}

#[tokio::test]
async fn changes_by_staff_are_in_the_sellers_trail_with_the_session() {
    let api = Api::new().await;
    let session = open(&api, "ADMIN").await;
    assert_eq!((&session["is_yours"], &session["seller_name"]), (&json!(true), &json!("a seller")));
    let rename = Call::new("PATCH", &seller_path(&api, "")).text(r#"{"name": "renamed by staff"}"#);
    let shown = api.send(within(&session, rename)).await.expect(200);
    assert_eq!((&shown["name"], &shown["role"]), (&json!("renamed by staff"), &json!("ADMIN")));
    let account = seller_path(&api, &format!("/accounts/{}", api.sellers.ours.ajio));
    let rename = Call::new("PATCH", &account).text(r#"{"display_name": "renamed"}"#);
    api.send(within(&session, rename)).await.expect(200);
    // A session ends, but a member whom it had made would stay.
    let invite = json!({"email": "a@example.invalid", "role": "VIEWER"});
    let invite = Call::post(&seller_path(&api, "/invitations"), &invite);
    api.send(within(&session, invite)).await.expect_problem(403, "forbidden");
    let trail = api.get("OWNER", &seller_path(&api, "/audit")).await.expect(200);
    let events = trail["events"].as_array().unwrap();
    let of_staff: Vec<(&str, &Value)> = events
        .iter()
        .filter(|event| event["impersonation_session_id"] == session["impersonation_id"])
        .map(|event| (event["action"].as_str().unwrap(), &event["actor"]["kind"]))
        .collect();
    assert_eq!(of_staff, [("account.changed", &json!("STAFF")), ("seller.changed", &json!("STAFF"))]);
    let opened = events.iter().find(|event| event["action"] == "impersonation.created").unwrap();
    assert_eq!(
        (&opened["object_id"], &opened["shown"]["reason"]),
        (&session["impersonation_id"], &json!("a call about orders"))
    );
}

#[tokio::test]
async fn a_session_opens_its_own_seller_alone_and_no_more_than_its_role() {
    let api = Api::new().await;
    let session = open(&api, "VIEWER").await;
    api.send(within(&session, Call::get(&seller_path(&api, "/orders")))).await.expect(200);
    let rename = Call::new("PATCH", &seller_path(&api, "")).text(r#"{"name": "renamed"}"#);
    api.send(within(&session, rename)).await.expect_problem(403, "forbidden");
    let theirs = format!("/v1/sellers/{}/orders", api.sellers.theirs.id);
    api.send(within(&session, Call::get(&theirs))).await.expect_problem(403, "impersonation_over");
    // Somebody else's session is useless, for members and strangers alike.
    let borrowed =
        within(&session, Call::get(&seller_path(&api, "/orders"))).by(&api.sellers.theirs, "OWNER");
    api.send(borrowed).await.expect_problem(403, "impersonation_over");
    api.send(Call::get(&seller_path(&api, "/orders")).by_staff())
        .await
        .expect_problem(404, "seller_not_found");
}

#[tokio::test]
async fn a_session_ends_by_its_staff_member_or_by_time() {
    let api = Api::new().await;
    let session = open(&api, "ADMIN").await;
    let orders = within(&session, Call::get(&seller_path(&api, "/orders")));
    let path = format!("/v1/admin/impersonations/{}", session["impersonation_id"].as_str().unwrap());
    api.arrange("insert into robnu.staff (subject) values ('another')").await;
    let another = |call: Call| call.by_subject("another");
    let live = api.send(another(Call::get("/v1/admin/impersonations"))).await.expect(200);
    let seen: Vec<&Value> = live["impersonations"].as_array().unwrap().iter().collect();
    assert!(
        seen.iter()
            .any(|live| live["impersonation_id"] == session["impersonation_id"] && live["is_yours"] == false)
    );
    api.send(another(Call::new("DELETE", &path))).await.expect_problem(409, "impersonation_not_yours");
    api.send(orders.clone()).await.expect(200);
    for _ in 0..2 {
        assert_eq!(staff(&api, "DELETE", &path, None).await.status, 204);
        api.send(orders.clone()).await.expect_problem(403, "impersonation_over");
    }
    let live = staff(&api, "GET", "/v1/admin/impersonations", None).await.expect(200);
    assert!(!live.to_string().contains(session["impersonation_id"].as_str().unwrap()));

    let session = open(&api, "ADMIN").await;
    let orders = within(&session, Call::get(&seller_path(&api, "/orders")));
    api.send(orders.clone()).await.expect(200);
    api.arrange(
        "update robnu.impersonation_sessions set started_at = now() - interval '2 hours', expires_at = now() - interval '1 second'",
    )
    .await;
    api.send(orders).await.expect_problem(403, "impersonation_over");
}

#[tokio::test]
async fn a_session_needs_a_seller_a_reason_a_role_and_an_end() {
    let api = Api::new().await;
    let good =
        json!({"seller_id": api.sellers.ours.id, "reason": "a call", "role": "VIEWER", "minutes": 480});
    for (field, wrong) in [
        ("minutes", json!(0)),
        ("minutes", json!(481)),
        ("role", json!("OWNER")),
        ("reason", json!("  ")),
        ("seller_id", json!("x")),
    ] {
        let mut body = good.clone();
        body[field] = wrong;
        let problem = staff(&api, "POST", "/v1/admin/impersonations", Some(body))
            .await
            .expect_problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["field"], field);
    }
    let mut body = good.clone();
    body["seller_id"] = json!("00000000-0000-0000-0000-000000000000");
    staff(&api, "POST", "/v1/admin/impersonations", Some(body)).await.expect_problem(404, "seller_not_found");
    let session = staff(&api, "POST", "/v1/admin/impersonations", Some(good)).await.expect(201);
    let hours =
        "select extract(epoch from max(expires_at - started_at))::bigint from robnu.impersonation_sessions";
    assert_eq!((api.count(hours).await, &session["role"]), (8 * 3600, &json!("VIEWER")));
}

#[tokio::test]
async fn a_session_that_is_over_stays_over_even_for_its_own_staff_member() {
    let api = Api::new().await;
    let ours = api.sellers.ours.id;
    let session = open(&api, "ADMIN").await;
    let id = session["impersonation_id"].as_str().unwrap();
    let set = async |value: &str| -> u64 {
        let login = api.test.raw("robnu_api").await;
        login.batch_execute("begin; select robnu.enter_staff('STAFF')").await.unwrap();
        let sql = format!("update robnu.impersonation_sessions set ended_at = {value} where id = '{id}'");
        let changed = login.execute(&sql, &[]).await.unwrap();
        login.batch_execute("commit").await.unwrap();
        changed
    };
    let path = format!("/v1/admin/impersonations/{id}");
    assert_eq!(staff(&api, "DELETE", &path, None).await.status, 204);
    let before = api.contents().await;
    assert_eq!(set("null").await, 0, "it is not opened again");
    assert_eq!(set("now() + interval '1 hour'").await, 0, "and it is not extended");
    assert_eq!(staff(&api, "DELETE", &path, None).await.status, 204);
    assert_eq!(api.contents().await, before);
    let orders = within(&session, Call::get(&format!("/v1/sellers/{ours}/orders")));
    api.send(orders).await.expect_problem(403, "impersonation_over");
}

#[tokio::test]
async fn events_of_returns_and_claims_by_staff_carry_their_session() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let session = open(&api, "ADMIN").await;
    let id = &session["impersonation_id"];
    let scan = |by: &str| {
        let call = Call::post(&seller_path(&api, "/returns/scan"), &json!({"code": "RN1"}));
        if by == "STAFF" { within(&session, call) } else { call.by(ours, by) }
    };
    for by in ["OWNER", "STAFF"] {
        api.send(scan(by)).await.expect(200);
    }
    let claim = seller_path(&api, &format!("/claims/{}", ours.claim));
    let acknowledge = Call::post(&format!("{claim}/acknowledge"), &json!({}));
    api.send(within(&session, acknowledge)).await.expect(200);

    let actors = |thing: &Value| -> Vec<(Value, Value)> {
        let events = thing["events"].as_array().unwrap().iter();
        events
            .map(|event| (event["actor_kind"].clone(), event["impersonation_session_id"].clone()))
            .rev()
            .take(2)
            .collect()
    };
    let expected = [(json!("STAFF"), id.clone()), (json!("MEMBER"), Value::Null)];
    let back =
        api.get("VIEWER", &seller_path(&api, &format!("/returns/{}", ours.return_id))).await.expect(200);
    assert_eq!(actors(&back), expected, "{back}");
    // The owner's scan reopened the claim.
    assert_eq!(actors(&api.get("VIEWER", &claim).await.expect(200)), expected);
}
