//! Asking for exports, who sees them, and downloading them.

use serde_json::{Value, json};

use crate::support::{Answer, Api, Call};

fn exports(api: &Api) -> String {
    format!("/v1/sellers/{}/exports", api.sellers.ours.id)
}

async fn ask(api: &Api, role: &str, body: &Value) -> Answer {
    api.post(role, &exports(api), body).await
}

fn path(api: &Api, export: &Value) -> String {
    format!("{}/{}", exports(api), export["export_id"].as_str().unwrap())
}

/// Without the fixture's own export.
async fn api() -> Api {
    let api = Api::new().await;
    api.arrange("delete from robnu.exports").await;
    api
}

/// Ends an export with a file.
async fn finish(api: &Api, export: &Value) {
    let id = export["export_id"].as_str().unwrap();
    api.arrange(&format!(
        "insert into robnu.storage_objects (seller_id, id, kind, time_folder, bucket, content_type, size, checksum, kms_key, state)
           select seller_id, id, 'EXPORT', '2026-01-01', 'bucket', 'text/csv', 1, sha256('x'), 'key', 'STORED'
           from robnu.exports where id = '{id}';
         update robnu.exports set state = 'SUCCEEDED', object_id = id, finished_at = now(), expires_at = now() + interval '30 days'
           where id = '{id}'"
    ))
    .await;
}

#[tokio::test]
async fn an_export_is_stored_announced_and_shown() {
    let api = api().await;
    let body = json!({"list": "orders", "filters": {"status": "PENDING", "sort": "oldest"}});
    let made = ask(&api, "FINANCE", &body).await.expect(202);
    assert_eq!(
        (&made["list"], &made["filters"], &made["state"]),
        (&body["list"], &body["filters"], &json!("QUEUED"))
    );
    assert_eq!((&made["rows"], &made["error"], &made["expires_at"]), (&json!(0), &json!(null), &json!(null)));
    assert_eq!(api.get("ADMIN", &path(&api, &made)).await.expect(200), made);
    let sent = api.cloud.messages(&api.cloud.exports).await;
    let seller = api.sellers.ours.id;
    assert_eq!(sent, [json!({"version": "1", "seller_id": seller, "export_id": made["export_id"]})]);
}

#[tokio::test]
async fn a_wrong_filter_is_refused_in_the_words_of_the_list_and_nothing_is_stored() {
    let api = api().await;
    for (list, name, value) in [
        ("orders", "status", "LOST"),
        ("returns", "initiated_from", "yesterday"),
        ("payouts", "net_min", "much"),
        ("audit", "status", "PENDING"),
        ("inventory", "available_max", "5.5"),
    ] {
        let of_list =
            api.get("OWNER", &format!("/v1/sellers/{}/{list}?{name}={value}", api.sellers.ours.id)).await;
        let of_list = of_list.expect_problem(400, "invalid_query");
        let mut filters = serde_json::Map::new();
        filters.insert(name.to_owned(), json!(value));
        let refused = ask(&api, "OWNER", &json!({"list": list, "filters": filters})).await;
        assert_eq!(refused.expect_problem(400, "invalid_query")["errors"], of_list["errors"], "{list}");
    }
    for (body, code) in [
        (json!({"list": "people"}), "invalid_body"),
        (json!({"list": "orders", "filters": {"sku": 1}}), "invalid_body"),
    ] {
        ask(&api, "OWNER", &body).await.expect_problem(422, code);
    }
    assert_eq!(api.count("select count(*) from robnu.exports").await, 0);
}

#[tokio::test]
async fn an_export_needs_the_right_of_its_list_and_is_hidden_from_whoever_lacks_it() {
    let api = api().await;
    for (role, list, status) in [
        ("VIEWER", "orders", 403),
        ("OPERATOR", "orders", 403),
        ("FINANCE", "audit", 403),
        ("FINANCE", "payouts", 202),
        ("ADMIN", "audit", 202),
    ] {
        ask(&api, role, &json!({"list": list})).await.expect(status);
    }
    let all = api.get("ADMIN", &exports(&api)).await.expect(200);
    let lists: Vec<&Value> =
        all["exports"].as_array().unwrap().iter().map(|export| &export["list"]).collect();
    assert_eq!(lists, ["audit", "payouts"]);
    let audit = all["exports"][0].clone();
    finish(&api, &audit).await;
    let seen = api.get("FINANCE", &exports(&api)).await.expect(200);
    assert_eq!(seen["exports"].as_array().unwrap().len(), 1);
    for (method, tail) in [("GET", ""), ("GET", "/download"), ("POST", "/cancel")] {
        let call =
            Call::new(method, &format!("{}{tail}", path(&api, &audit))).by(&api.sellers.ours, "FINANCE");
        api.send(call).await.expect_problem(404, "export_not_found");
    }
}

#[tokio::test]
async fn a_seller_has_three_live_exports_and_fifty_a_day() {
    let api = api().await;
    let body = json!({"list": "orders"});
    for _ in 0..3 {
        ask(&api, "OWNER", &body).await.expect(202);
    }
    ask(&api, "FINANCE", &body).await.expect_problem(409, "too_many_live_exports");
    let made = api.get("OWNER", &exports(&api)).await.expect(200)["exports"][0].clone();
    let cancel = format!("{}/cancel", path(&api, &made));
    assert_eq!(api.post("OWNER", &cancel, &json!({})).await.expect(200)["state"], "CANCELLED");
    api.post("OWNER", &cancel, &json!({})).await.expect(200);
    ask(&api, "FINANCE", &body).await.expect(202);
    let many = "set session_replication_role = replica; update robnu.exports set state = 'CANCELLED', finished_at = now();
        insert into robnu.exports (seller_id, list, filters, requested_by, state, finished_at)
        select e.seller_id, 'orders', '{}', e.requested_by, 'CANCELLED', now() from
          (select * from robnu.exports limit 1) e, generate_series(1, 46)";
    api.arrange(many).await;
    ask(&api, "OWNER", &body).await.expect_problem(409, "too_many_exports_today");
}

#[tokio::test]
async fn a_file_can_be_downloaded_once_it_is_ready_until_it_expires_and_each_time_is_recorded() {
    let api = api().await;
    let made = ask(&api, "OWNER", &json!({"list": "orders"})).await.expect(202);
    let download = format!("{}/download", path(&api, &made));
    api.get("OWNER", &download).await.expect_problem(409, "export_not_ready");
    finish(&api, &made).await;
    let file = api.get("FINANCE", &download).await.expect(200);
    let url = file["url"].as_str().unwrap();
    let key = format!("exports/{}/", api.sellers.ours.id);
    assert!(url.contains(&key) && url.contains("X-Amz-Signature"), "{url}");
    let opened =
        "select count(*) from robnu.audit_events where action = 'export.opened' and actor_kind = 'MEMBER'";
    assert_eq!(api.count(opened).await, 1);
    api.post("OWNER", &format!("{}/cancel", path(&api, &made)), &json!({}))
        .await
        .expect_problem(409, "export_finished");
    api.arrange("set session_replication_role = replica; update robnu.exports set expires_at = now()").await;
    api.get("OWNER", &download).await.expect_problem(409, "export_expired");
    assert_eq!(api.count(opened).await, 1);
}

#[tokio::test]
async fn staff_make_no_exports_in_a_sellers_name() {
    let api = api().await;
    api.arrange("update robnu.impersonation_sessions set role = 'ADMIN'").await;
    let sql = format!(
        "select id::text from robnu.impersonation_sessions where seller_id = '{}'",
        api.sellers.ours.id
    );
    let session: String = api.test.superuser().await.query_one(&sql, &[]).await.unwrap().get(0);
    let call = Call::post(&exports(&api), &json!({"list": "orders"}))
        .by_staff()
        .header("impersonation-session", &session);
    api.send(call).await.expect(403);
    assert_eq!(api.count("select count(*) from robnu.exports").await, 0);
}

#[tokio::test]
async fn everything_is_for_owners_and_has_no_filters() {
    let api = api().await;
    let body = json!({"list": "everything"});
    for role in ["ADMIN", "FINANCE"] {
        ask(&api, role, &body).await.expect(403);
    }
    let filtered = json!({"list": "everything", "filters": {"status": "PENDING"}});
    let refused = ask(&api, "OWNER", &filtered).await;
    assert_eq!(refused.expect_problem(422, "invalid_body")["errors"][0]["field"], "filters");
    assert_eq!(api.count("select count(*) from robnu.exports").await, 0);
    let made = ask(&api, "OWNER", &body).await.expect(202);
    for path in [path(&api, &made), format!("{}/download", path(&api, &made))] {
        api.get("ADMIN", &path).await.expect_problem(404, "export_not_found");
    }
    finish(&api, &made).await;
    let file = api.get("OWNER", &format!("{}/download", path(&api, &made))).await.expect(200);
    let url = file["url"].as_str().unwrap();
    assert!(url.contains("everything-") && url.contains(".zip"), "{url}");
}
