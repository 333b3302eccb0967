//! Pausing, resuming, disconnecting and renaming accounts; their schedules; cancelling runs.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::support::{Api, Call};

fn accounts(api: &Api) -> String {
    format!("/v1/sellers/{}/accounts/{}", api.sellers.ours.id, api.sellers.ours.ajio)
}

async fn queue_run(api: &Api) -> Uuid {
    let ours = &api.sellers.ours;
    let sql = format!(
        "insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger)
         values ('{}', '{}', 'AJIO', 'ORDERS', 'SCHEDULE') returning id",
        ours.id, ours.ajio
    );
    api.test.superuser().await.query_one(&sql, &[]).await.unwrap().get(0)
}

#[tokio::test]
async fn a_paused_account_ends_its_live_runs_and_resumes_with_its_schedules_due_at_once() {
    let api = Api::new().await;
    let (run, path) = (queue_run(&api).await, accounts(&api));
    let untouched = "select count(*) from robnu.marketplace_accounts where status = 'ACTIVE'";
    let before = api.count(untouched).await;
    let paused = api.post("ADMIN", &format!("{path}/pause"), &json!({})).await.expect(200);
    assert_eq!((&paused["status"], api.count(untouched).await), (&json!("PAUSED"), before - 1));
    let shown = api.get("VIEWER", &format!("/v1/sellers/{}/runs/{run}", api.sellers.ours.id)).await;
    let shown = shown.expect(200);
    assert_eq!((&shown["state"], &shown["error"]["code"]), (&json!("CANCELLED"), &json!("account_paused")));
    let sync = api.post("OWNER", &format!("{path}/sync"), &json!({"kind": "ORDERS"})).await;
    sync.expect_problem(409, "account_not_active");
    api.post("ADMIN", &format!("{path}/pause"), &json!({})).await.expect(200);

    api.arrange("update robnu.schedules set next_due_at = now() + interval '1 hour'").await;
    let resumed = api.post("ADMIN", &format!("{path}/resume"), &json!({})).await.expect(200);
    assert_eq!(resumed["status"], "ACTIVE");
    assert_eq!(api.count("select count(*) from robnu.schedules where next_due_at <= now()").await, 1);
    // A lane request is sent only for a lane that differs: one that is not paused yet, and not for one in the wanted state.
    assert_eq!(api.cloud.messages(&api.cloud.lane_requests).await.len(), 2);
}

#[tokio::test]
async fn a_disconnected_account_keeps_its_data_and_loses_every_secret() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let accounts = format!("/v1/sellers/{}/accounts", ours.id);
    let listed = api.get("OWNER", &accounts).await.expect(200);
    let ids: Vec<&str> = listed["accounts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|account| account["account_id"].as_str().unwrap())
        .collect();
    for id in &ids {
        let answer = api.post("OWNER", &format!("{accounts}/{id}/disconnect"), &json!({})).await.expect(200);
        assert_eq!(answer["status"], "DISCONNECTED");
        let resume = api.post("OWNER", &format!("{accounts}/{id}/resume"), &json!({})).await;
        resume.expect_problem(409, "account_not_active");
        api.post("OWNER", &format!("{accounts}/{id}/disconnect"), &json!({})).await.expect(200);
    }
    let noted = "select count(*) from robnu.credential_events where event = 'FORGOTTEN'";
    assert_eq!(api.count(noted).await, i64::try_from(ids.len()).unwrap(), "a deletion is noted once");
    // Holds for all present and future satellites: no encrypted column keeps a value.
    let columns = "select table_name::text, column_name::text from information_schema.columns
        where table_schema = 'robnu' and table_name like '%\\_account\\_details' and column_name like '%\\_enc'";
    let superuser = api.test.superuser().await;
    let columns = superuser.query(columns, &[]).await.unwrap();
    assert!(columns.len() >= 3);
    for row in columns {
        let (table, column): (String, String) = (row.get(0), row.get(1));
        let left =
            format!("select count(*) from robnu.{table} where seller_id = $1 and length({column}) > 0");
        assert_eq!(
            superuser.query_one(&left, &[&ours.id]).await.unwrap().get::<_, i64>(0),
            0,
            "{table}.{column}"
        );
    }
    let theirs = format!(
        "select count(*) from robnu.ajio_account_details where seller_id = '{}' and length(password_enc) > 0",
        api.sellers.theirs.id
    );
    assert_eq!(api.count(&theirs).await, 1, "another seller's secrets stay");
    let orders = api.get("OWNER", &format!("/v1/sellers/{}/orders", ours.id)).await.expect(200);
    assert_eq!(orders["orders"].as_array().unwrap().len(), 1);
    let events = api.get("VIEWER", &format!("{accounts}/{}/events", ours.ajio)).await.expect(200);
    assert_eq!(events["events"][0]["event"], "FORGOTTEN");
}

#[tokio::test]
async fn a_run_is_cancelled_only_while_nobody_works_on_it() {
    let api = Api::new().await;
    let run = queue_run(&api).await;
    let path = format!("/v1/sellers/{}/runs/{run}/cancel", api.sellers.ours.id);
    for state in ["RUNNING", "SUCCEEDED", "FAILED", "DEAD_LETTERED"] {
        api.arrange(&format!("update robnu.sync_runs set state = '{state}' where id = '{run}'")).await;
        api.post("OWNER", &path, &json!({})).await.expect_problem(409, "run_not_cancellable");
    }
    for state in ["WAITING", "QUEUED"] {
        api.arrange(&format!("update robnu.sync_runs set state = '{state}' where id = '{run}'")).await;
        let cancelled = api.post("OPERATOR", &path, &json!({})).await.expect(200);
        assert_eq!(cancelled["state"], "CANCELLED");
        assert!(cancelled["finished_at"].is_string());
    }
}

#[tokio::test]
async fn a_schedule_is_changed_and_removed_only_at_the_version_that_was_read() {
    let api = Api::new().await;
    let path = format!("{}/schedules/ORDERS", accounts(&api));
    let put = async |body: &serde_json::Value, tag: Option<&str>| {
        let call = Call::new("PUT", &path).text(&body.to_string()).by(&api.sellers.ours, "OPERATOR");
        let call = match tag {
            Some(tag) => call.header("if-match", tag),
            None => call,
        };
        api.send(call).await
    };
    let hourly = json!({"every_minutes": 60, "enabled": true});
    api.send(Call::new("DELETE", &path).by(&api.sellers.ours, "OPERATOR")).await.expect(204);
    put(&hourly, Some("\"1\"")).await.expect_problem(412, "version_mismatch");
    assert_eq!(put(&hourly, None).await.expect(200)["version"], 1);
    let paused = put(&json!({"every_minutes": 15, "enabled": false}), Some("\"1\"")).await.expect(200);
    assert_eq!(
        (&paused["every_minutes"], &paused["enabled"], &paused["version"]),
        (&json!(15), &json!(false), &json!(2))
    );
    put(&hourly, Some("\"1\"")).await.expect_problem(412, "version_mismatch");
    for minutes in [0, -1, 10081] {
        let refused = put(&json!({"every_minutes": minutes, "enabled": true}), None).await;
        assert_eq!(refused.expect_problem(422, "invalid_body")["errors"][0]["field"], "every_minutes");
    }
    let unknown = format!("{}/schedules/GOSSIP", accounts(&api));
    let unknown = api.put("OWNER", &unknown, &hourly).await;
    unknown.expect_problem(404, "schedule_not_found");
    api.send(Call::new("DELETE", &path).by(&api.sellers.ours, "OPERATOR").header("if-match", "\"1\""))
        .await
        .expect_problem(412, "version_mismatch");
    let listed = api.get("VIEWER", &format!("{}/schedules", accounts(&api))).await.expect(200);
    assert_eq!(listed["schedules"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn checks_of_credentials_are_scheduled_hourly_at_most_and_can_be_switched_off() {
    let api = Api::new().await;
    let path = format!("{}/schedules/CREDENTIAL_CHECK", accounts(&api));
    let body = |minutes, enabled| json!({"every_minutes": minutes, "enabled": enabled});
    let refused = api.put("OPERATOR", &path, &body(59, true)).await;
    let problem = refused.expect_problem(422, "invalid_body");
    assert_eq!(
        problem["errors"][0],
        json!({"field": "every_minutes", "problem": "must be from 60 to 10080"}),
        "{problem}"
    );
    assert_eq!(api.put("OPERATOR", &path, &body(60, true)).await.expect(200)["kind"], "CREDENTIAL_CHECK");
    assert_eq!(api.put("OPERATOR", &path, &body(60, false)).await.expect(200)["enabled"], false);
    api.send(Call::new("DELETE", &path).by(&api.sellers.ours, "OPERATOR")).await.expect(204);
    // A loop of removing and creating would log in in a loop, if a new one were due at once.
    api.put("OPERATOR", &path, &body(60, true)).await.expect(200);
    let due = "select count(*) from robnu.schedules where kind = 'CREDENTIAL_CHECK' and next_due_at <= now() + interval '59 minutes'";
    assert_eq!(api.count(due).await, 0);
    let import = format!("{}/schedules/FILE_IMPORT", accounts(&api));
    api.put("OPERATOR", &import, &body(60, true)).await.expect_problem(404, "schedule_not_found");
}

#[tokio::test]
async fn a_kind_that_an_adapter_does_not_support_is_not_scheduled() {
    let api = Api::new().await;
    api.arrange("update robnu.marketplace_kinds set support = 'NOT_YET', every_minutes = null where marketplace_code = 'AJIO'").await;
    let path = format!("{}/schedules/ORDERS", accounts(&api));
    let refused = api.put("OWNER", &path, &json!({"every_minutes": 60, "enabled": true})).await;
    refused.expect_problem(409, "not_supported");
}

#[tokio::test]
async fn an_account_says_when_it_was_read_and_whether_that_is_too_long_ago() {
    let api = Api::new().await;
    let path = accounts(&api);
    assert_eq!(api.get("VIEWER", &path).await.expect(200)["is_stale"], false);
    api.arrange("update robnu.sync_runs set finished_at = now() - interval '4 hours'").await;
    let stale = api.get("VIEWER", &path).await.expect(200);
    assert_eq!((&stale["is_stale"], stale["kinds"][0]["synced_at"].is_string()), (&json!(true), true));
    api.arrange("update robnu.schedules set enabled = false").await;
    assert_eq!(api.get("VIEWER", &path).await.expect(200)["is_stale"], false);
}

/// Our AJIO account as the API shows it, after a change of its status as a run would make it.
async fn stopped_by_a_run(api: &Api) -> serde_json::Value {
    let stop = "update robnu.marketplace_accounts set status = 'NEEDS_RECONNECT' where id";
    api.arrange(&format!("{stop} = '{}'", api.sellers.ours.ajio)).await;
    api.get("VIEWER", &accounts(api)).await.expect(200)
}

fn standing(account: &serde_json::Value) -> (&str, bool) {
    (account["status"].as_str().unwrap(), account["needs_reconnect"].as_bool().unwrap())
}

#[tokio::test]
async fn an_account_that_was_paused_with_refused_credentials_still_needs_others_when_it_is_resumed() {
    let api = Api::new().await;
    let path = accounts(&api);
    assert_eq!(standing(&stopped_by_a_run(&api).await), ("NEEDS_RECONNECT", true));
    let paused = api.post("ADMIN", &format!("{path}/pause"), &json!({})).await.expect(200);
    assert_eq!(standing(&paused), ("PAUSED", true));
    api.post("ADMIN", &format!("{path}/pause"), &json!({})).await.expect(200);
    let listed = api.get("VIEWER", path.rsplit_once('/').unwrap().0).await.expect(200);
    let shown = listed["accounts"].as_array().unwrap();
    let shown = shown.iter().find(|account| account["account_id"] == paused["account_id"]).unwrap();
    assert_eq!(standing(shown), ("PAUSED", true));

    api.arrange("update robnu.schedules set next_due_at = now() + interval '1 hour'").await;
    for _ in 0..2 {
        let resumed = api.post("ADMIN", &format!("{path}/resume"), &json!({})).await.expect(200);
        assert_eq!(standing(&resumed), ("NEEDS_RECONNECT", true));
    }
    assert_eq!(api.count("select count(*) from robnu.schedules where next_due_at <= now()").await, 0);
    let sync = api.post("OWNER", &format!("{path}/sync"), &json!({"kind": "ORDERS"})).await;
    sync.expect_problem(409, "account_not_active");
}

#[tokio::test]
async fn credentials_that_were_replaced_during_the_pause_or_found_good_before_it_are_not_asked_for_again() {
    let api = Api::new().await;
    let path = accounts(&api);
    let credentials = json!({"details": {"username": "DV0001", "password": "new horse"}});
    stopped_by_a_run(&api).await;
    api.post("ADMIN", &format!("{path}/pause"), &json!({})).await.expect(200);
    let replaced = api.put("ADMIN", &format!("{path}/credentials"), &credentials).await.expect(200);
    assert_eq!(standing(&replaced), ("PAUSED", false));
    let resumed = api.post("ADMIN", &format!("{path}/resume"), &json!({})).await.expect(200);
    assert_eq!(standing(&resumed), ("ACTIVE", false));

    stopped_by_a_run(&api).await;
    api.post("ADMIN", &format!("{path}/pause"), &json!({})).await.expect(200);
    api.post("ADMIN", &format!("{path}/resume"), &json!({})).await.expect(200);
    let revive = "update robnu.marketplace_accounts set status = 'ACTIVE' where id";
    api.arrange(&format!("{revive} = '{}'", api.sellers.ours.ajio)).await;
    for (step, stands) in [("pause", ("PAUSED", false)), ("resume", ("ACTIVE", false))] {
        let account = api.post("ADMIN", &format!("{path}/{step}"), &json!({})).await.expect(200);
        assert_eq!(standing(&account), stands, "{step}");
    }
    let disconnected = api.post("ADMIN", &format!("{path}/disconnect"), &json!({})).await.expect(200);
    assert_eq!(standing(&disconnected), ("DISCONNECTED", false));
}

#[tokio::test]
async fn an_account_says_which_permission_it_lacks_until_it_was_read_again() {
    let api = Api::new().await;
    let path = format!("/v1/sellers/{}/accounts/{}", api.sellers.ours.id, api.sellers.ours.amazon);
    let missing =
        async || api.get("VIEWER", &path).await.expect(200)["kinds"][0]["missing_permission"].clone();
    assert_eq!(missing().await, Value::Null);
    let run = |columns: &str, values: &str| {
        format!(
            "insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger, finished_at, state{columns})
             select seller_id, id, marketplace_code, 'ORDERS', 'SCHEDULE', now(), {values} from robnu.marketplace_accounts"
        )
    };
    let refused = run(", error_code, error_message", "'FAILED', 'not_permitted', 'it may not read orders'");
    api.arrange(&refused).await;
    assert_eq!(missing().await, "it may not read orders");
    api.arrange(&run(", error_code, error_message", "'FAILED', 'marketplace_unavailable', 'it is down'"))
        .await;
    assert_eq!(missing().await, "it may not read orders", "this error does not concern permissions");
    api.arrange(&run("", "'SUCCEEDED'")).await;
    assert_eq!(missing().await, Value::Null);
}
