//! Asking for a run.

use robnu_tenancy::RunId;
use serde_json::{Value, json};

use crate::logs::Captured;
use crate::support::{Api, ROLES};

fn sync(api: &Api) -> String {
    format!("/v1/sellers/{}/accounts/{}/sync", api.sellers.ours.id, api.sellers.ours.ajio)
}

async fn open_lane(api: &Api) -> String {
    let lane = api.cloud.lane().await;
    let account = api.sellers.ours.ajio;
    api.arrange(&format!(
        "update robnu.marketplace_accounts set lane_queue_url = '{lane}' where id = '{account}'"
    ))
    .await;
    lane
}

#[tokio::test]
async fn a_new_run_is_written_published_and_shown() {
    let api = Api::new().await;
    let lane = open_lane(&api).await;
    let run = api.post("OPERATOR", &sync(&api), &json!({"kind": "ORDERS", "full": true})).await.expect(202);
    let id = run["run_id"].as_str().unwrap();
    assert_eq!(run["state"], "QUEUED");

    let messages = api.cloud.messages(&lane).await;
    assert_eq!(messages.len(), 1);
    let job = &messages[0]["job"];
    assert_eq!((&messages[0]["version"], &job["run_id"]), (&json!("1"), &json!(id)));
    assert_eq!(job["seller_id"], json!(api.sellers.ours.id));
    assert_eq!(job["account_id"], json!(api.sellers.ours.ajio));
    let published = format!(
        "select count(*) from robnu.sync_runs where id = '{id}' and sent_at is not null and full_read and trigger = 'API'"
    );
    assert_eq!(api.count(&published).await, 1);

    let shown =
        api.get("VIEWER", &format!("/v1/sellers/{}/runs/{id}", api.sellers.ours.id)).await.expect(200);
    assert_eq!(
        (&shown["state"], &shown["trigger"], &shown["outcome"]),
        (&json!("QUEUED"), &json!("API"), &json!(null))
    );
    assert_eq!((&shown["pages"], &shown["counts"]), (&json!(0), &json!([])));
}

#[tokio::test]
async fn the_request_that_asked_for_a_run_is_found_by_the_run_and_the_message_carries_its_trace() {
    let api = Api::new().await;
    let lane = open_lane(&api).await;
    let captured = Captured::default();
    let listening = captured.listen();
    let run = api.post("OPERATOR", &sync(&api), &json!({"kind": "ORDERS"})).await.expect(202);
    drop(listening);
    let log = captured.text();
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let logged = |message: &str| lines.iter().find(|line| line["message"] == message).unwrap();
    assert_eq!(logged("a run was asked for")["run.id"], run["run_id"]);
    assert_eq!(logged("a run was asked for")["span"]["request.id"], logged("request")["request.id"]);
    let messages = api.cloud.messages(&lane).await;
    let trace = logged("request")["trace.id"].as_str().unwrap();
    assert_eq!(logged("a run was asked for")["span"]["trace.id"], trace);
    assert!(messages[0]["trace_parent"].as_str().unwrap().contains(trace), "{}", messages[0]);
    let stored = format!(
        "select count(*) from robnu.sync_runs where id = '{}' and trace_id = '{trace}'",
        run["run_id"].as_str().unwrap()
    );
    assert_eq!(api.count(&stored).await, 1);
    assert!(logged("request")["round_trips"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn a_run_that_operators_hold_is_made_and_not_published() {
    let api = Api::new().await;
    let lane = open_lane(&api).await;
    api.arrange("update robnu.marketplaces set held_at = now(), hold_reason = 'a fault' where code = 'AJIO'")
        .await;
    let run = api.post("OPERATOR", &sync(&api), &json!({"kind": "ORDERS"})).await.expect(202);
    let again = api.post("OPERATOR", &sync(&api), &json!({"kind": "ORDERS"})).await.expect(200);
    assert_eq!((&run["state"], &run["run_id"]), (&json!("QUEUED"), &again["run_id"]));
    assert_eq!(api.cloud.messages(&lane).await.len(), 0);
}

#[tokio::test]
async fn a_run_beyond_the_limit_of_its_marketplace_is_made_and_not_published() {
    let api = Api::new().await;
    let lane = open_lane(&api).await;
    api.arrange(
        "update robnu.marketplaces set runs_at_once = 1 where code = 'AJIO';
         update robnu.marketplace_accounts set verified_at = now();
         insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger, state, lease_expires_at)
         select seller_id, id, marketplace_code, 'RETURNS', 'SCHEDULE', 'RUNNING', now() + interval '1 minute'
         from robnu.marketplace_accounts where marketplace_code = 'AJIO'",
    )
    .await;
    let run = api.post("OPERATOR", &sync(&api), &json!({"kind": "ORDERS"})).await.expect(202);
    let again = api.post("OPERATOR", &sync(&api), &json!({"kind": "ORDERS"})).await.expect(200);
    assert_eq!((&run["state"], &run["run_id"]), (&json!("QUEUED"), &again["run_id"]));
    assert_eq!(api.cloud.messages(&lane).await.len(), 0);
    // Somebody waits for a check.
    api.post("OWNER", &sync(&api).replace("/sync", "/test"), &json!({})).await.expect(202);
    assert_eq!(api.cloud.messages(&lane).await.len(), 1);
}

#[tokio::test]
async fn a_second_request_returns_the_live_run() {
    let api = Api::new().await;
    let lane = open_lane(&api).await;
    let first = api.post("OWNER", &sync(&api), &json!({"kind": "ORDERS"})).await.expect(202);
    let before = api.contents().await;
    let second = api.post("OPERATOR", &sync(&api), &json!({"kind": "ORDERS"})).await.expect(200);
    assert_eq!(first["run_id"], second["run_id"]);
    assert_eq!(api.contents().await, before);
    assert_eq!(api.cloud.messages(&lane).await.len(), 1, "the live run is not published again");
}

#[tokio::test]
async fn a_live_run_that_was_never_published_is_published_by_the_next_request() {
    let api = Api::new().await;
    let lane = open_lane(&api).await;
    let first = api.post("OWNER", &sync(&api), &json!({"kind": "ORDERS"})).await.expect(202);
    // The state that a schedule leaves when it fires just before the lane exists.
    api.arrange("update robnu.sync_runs set sent_at = null, generation = 1 where state = 'QUEUED'").await;
    let second = api.post("OWNER", &sync(&api), &json!({"kind": "ORDERS"})).await.expect(200);
    assert_eq!(first["run_id"], second["run_id"]);
    assert_eq!(api.cloud.messages(&lane).await.len(), 2, "the run is published again");
    let unsent = "select count(*) from robnu.sync_runs where state = 'QUEUED' and sent_at is null";
    assert_eq!(api.count(unsent).await, 0, "and marked as published");
}

#[tokio::test]
async fn a_run_whose_lane_is_not_there_waits_unsent() {
    let api = Api::new().await;
    let unsent = "select count(*) from robnu.sync_runs where state = 'QUEUED' and sent_at is null";
    // The fixture's queue does not exist.
    api.post("OWNER", &sync(&api), &json!({"kind": "ORDERS"})).await.expect(202);
    assert_eq!(api.count(unsent).await, 1);
    let amazon = format!("/v1/sellers/{}/accounts/{}/sync", api.sellers.ours.id, api.sellers.ours.amazon);
    api.arrange("update robnu.marketplace_accounts set lane_queue_url = null").await;
    api.post("OWNER", &amazon, &json!({"kind": "ORDERS"})).await.expect(202);
    assert_eq!(api.count(unsent).await, 2);
}

#[tokio::test]
async fn only_roles_that_may_run_syncs_do() {
    for role in ROLES {
        let api = Api::new().await;
        let before = api.contents().await;
        let answer = api.post(role, &sync(&api), &json!({"kind": "ORDERS"})).await;
        if ["OWNER", "ADMIN", "OPERATOR"].contains(&role) {
            answer.expect(202);
        } else {
            answer.expect_problem(403, "forbidden");
            assert_eq!(api.contents().await, before, "{role}");
        }
    }
}

#[tokio::test]
async fn an_inactive_account_gets_no_run() {
    let api = Api::new().await;
    for status in ["PAUSED", "NEEDS_RECONNECT", "DISCONNECTED"] {
        api.arrange(&format!("update robnu.marketplace_accounts set status = '{status}'")).await;
        let before = api.contents().await;
        let answer = api.post("OWNER", &sync(&api), &json!({"kind": "ORDERS"})).await;
        answer.expect_problem(409, "account_not_active");
        let viewer = api.post("VIEWER", &sync(&api), &json!({"kind": "ORDERS"})).await;
        viewer.expect_problem(403, "forbidden");
        assert_eq!(api.contents().await, before, "{status}");
    }
}

#[tokio::test]
async fn a_missing_account_is_not_found() {
    let api = Api::new().await;
    for account in ["0198a1b2-0000-7000-8000-000000000000", "not-an-id", "27"] {
        let path = format!("/v1/sellers/{}/accounts/{account}/sync", api.sellers.ours.id);
        api.post("OWNER", &path, &json!({"kind": "ORDERS"})).await.expect_problem(404, "account_not_found");
    }
}

#[tokio::test]
async fn an_unknown_kind_is_refused_by_its_field() {
    let api = Api::new().await;
    for (body, field) in [
        (json!({"kind": "GOSSIP"}), "kind"),
        // A check has a route of its own.
        (json!({"kind": "CREDENTIAL_CHECK"}), "kind"),
        (json!({}), "kind"),
        (json!({"kind": "ORDERS", "full": "yes"}), "full"),
        (json!({"kind": "ORDERS", "since": "2026"}), "since"),
    ] {
        let answer = api.post("OWNER", &sync(&api), &body).await;
        assert!(!answer.text.contains("GOSSIP") && !answer.text.contains("2026"), "{}", answer.text);
        let problem = answer.expect_problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["field"], field);
    }
}

#[tokio::test]
async fn a_marketplace_that_has_no_orders_for_us_refuses_a_sync_and_not_a_test() {
    let api = Api::new().await;
    let account = |verb: &str| {
        format!("/v1/sellers/{}/accounts/{}/{verb}", api.sellers.ours.id, api.sellers.ours.meesho)
    };
    let before = api.contents().await;
    let refused = api.post("OWNER", &account("sync"), &json!({"kind": "ORDERS"})).await;
    refused.expect_problem(409, "not_supported");
    assert_eq!(api.contents().await, before);
    api.post("OWNER", &account("test"), &json!({})).await.expect(202);
    api.arrange("delete from robnu.marketplace_kinds where marketplace_code = 'MEESHO'").await;
    api.arrange("update robnu.sync_runs set state = 'FAILED' where state = 'QUEUED'").await;
    api.post("OWNER", &account("test"), &json!({})).await.expect_problem(409, "not_supported");
}

#[tokio::test]
async fn an_unsupported_or_file_only_kind_is_refused_with_the_reason() {
    let api = Api::new().await;
    let sync = format!("/v1/sellers/{}/accounts/{}/sync", api.sellers.ours.id, api.sellers.ours.meesho);
    for (kind, reason) in [
        ("ORDERS", "The marketplace offers this only as a file: upload its export."),
        ("LISTINGS", "Meesho has no public API and no export of listings."),
        (
            "PROCESSING",
            "This marketplace's adapter does not support this yet. list_marketplaces shows what each adapter supports.",
        ),
    ] {
        let answer = api.post("OWNER", &sync, &json!({"kind": kind})).await;
        assert_eq!(answer.expect_problem(409, "not_supported")["detail"], reason, "{kind}");
    }
    let listed = api.get("VIEWER", "/v1/marketplaces").await.expect(200);
    let meesho =
        listed["marketplaces"].as_array().unwrap().iter().find(|one| one["code"] == "MEESHO").unwrap();
    let support = |kind: &str| {
        let offer = meesho["kinds"].as_array().unwrap().iter().find(|offer| offer["kind"] == kind).unwrap();
        (offer["support"].clone(), offer["reason"].is_string())
    };
    assert_eq!(support("ORDERS"), (json!("BY_FILE"), false));
    assert_eq!(support("LISTINGS"), (json!("UNSUPPORTED"), true));
    assert_eq!(support("PROCESSING"), (json!("NOT_YET"), false));
    assert_eq!(support("CREDENTIAL_CHECK"), (json!("LIVE"), false));
}

#[tokio::test]
async fn asking_for_a_waiting_run_shows_how_long_and_why_it_waits() {
    let api = Api::new().await;
    let first = api.post("OWNER", &sync(&api), &json!({"kind": "ORDERS"})).await.expect(202);
    api.arrange(
        "update robnu.sync_runs set state = 'WAITING', next_attempt_at = now() + interval '3 hours',
         error_code = 'marketplace_throttles', error_message = 'the marketplace is throttling this account' where state = 'QUEUED'",
    )
    .await;
    let again = api.post("OWNER", &sync(&api), &json!({"kind": "ORDERS"})).await.expect(200);
    assert_eq!((&again["run_id"], &again["state"]), (&first["run_id"], &json!("WAITING")));
    assert!(again["next_attempt_at"].is_string());
    assert_eq!(again["waits_for"], "the marketplace is throttling this account");
    let run = format!("/v1/sellers/{}/runs/{}", api.sellers.ours.id, first["run_id"].as_str().unwrap());
    let run = api.get("VIEWER", &run).await.expect(200);
    assert_eq!(run["next_attempt_at"], again["next_attempt_at"]);
    assert_eq!(run["error"]["code"], "marketplace_throttles");
}

/// How the redrive function leaves a run whose message died (record.sql).
const DEAD: &str =
    "update robnu.sync_runs set state = 'DEAD_LETTERED', finished_at = now(), error_code = 'dead_lettered',
    error_message = 'the run could not be worked on' where state = 'QUEUED'";

#[tokio::test]
async fn a_dead_lettered_run_is_seen_and_another_one_can_be_asked_for() {
    let api = Api::new().await;
    let dead = api.post("OWNER", &sync(&api), &json!({"kind": "ORDERS"})).await.expect(202);
    api.arrange(DEAD).await;
    let runs = format!("/v1/sellers/{}/runs", api.sellers.ours.id);
    let run = api.get("VIEWER", &format!("{runs}/{}", dead["run_id"].as_str().unwrap())).await.expect(200);
    assert_eq!((&run["state"], &run["error"]["code"]), (&json!("DEAD_LETTERED"), &json!("dead_lettered")));
    assert!(run["finished_at"].is_string() && run["outcome"].is_null());
    assert_eq!(api.get("VIEWER", &runs).await.expect(200)["runs"][0], run);
    let next = api.post("OWNER", &sync(&api), &json!({"kind": "ORDERS"})).await.expect(202);
    assert_ne!(next["run_id"], dead["run_id"]);
}

#[tokio::test]
async fn a_dead_lettered_run_ends_with_its_account() {
    let api = Api::new().await;
    let dead = api.post("OWNER", &sync(&api), &json!({"kind": "ORDERS"})).await.expect(202);
    api.arrange(DEAD).await;
    let seller = format!("/v1/sellers/{}", api.sellers.ours.id);
    let pause = format!("{seller}/accounts/{}/pause", api.sellers.ours.ajio);
    api.post("OWNER", &pause, &json!({})).await.expect(200);
    let run = format!("{seller}/runs/{}", dead["run_id"].as_str().unwrap());
    assert_eq!(api.get("VIEWER", &run).await.expect(200)["state"], "CANCELLED");
}

#[tokio::test]
async fn a_record_that_was_set_aside_is_listed_counted_and_found_by_its_number() {
    let api = Api::new().await;
    let seller = format!("/v1/sellers/{}", api.sellers.ours.id);
    let records = api.get("VIEWER", &format!("{seller}/quarantine")).await.expect(200)["records"].clone();
    let [record] = records.as_array().unwrap().as_slice() else { panic!("{records}") };
    assert_eq!(record["reason"], "no order id");
    let one = format!("{seller}/quarantine/{}", record["record_id"].as_str().unwrap());
    assert_eq!(&api.get("VIEWER", &one).await.expect(200), record);
    let account = format!("{seller}/accounts/{}", api.sellers.ours.ajio);
    assert_eq!(api.get("VIEWER", &account).await.expect(200)["quarantined"], 1);
    let others = format!("{seller}/quarantine?account_id={}", api.sellers.ours.amazon);
    assert_eq!(api.get("VIEWER", &others).await.expect(200)["records"], json!([]));
    api.arrange("update robnu.quarantined_records set external_id = 'ODD-4711'").await;
    let hits = api.get("VIEWER", &format!("{seller}/search?q=ODD-47")).await.expect(200)["hits"].clone();
    assert_eq!((&hits[0]["kind"], &hits[0]["id"]), (&json!("QUARANTINED"), &record["record_id"]));
    assert_eq!(hits.as_array().unwrap().len(), 1, "not the other seller's");
}

#[tokio::test]
async fn records_that_were_set_aside_are_read_again_by_a_requested_run() {
    let api = Api::new().await;
    let lane = open_lane(&api).await;
    let seller = format!("/v1/sellers/{}", api.sellers.ours.id);
    let of = |account| format!("{seller}/accounts/{account}/quarantine/retry");
    let retry = of(api.sellers.ours.ajio);
    let wanted = "select count(*) from robnu.quarantined_records where retry_requested_at is not null";
    let shown = api.get("VIEWER", &format!("{seller}/quarantine")).await.expect(200)["records"][0].clone();
    assert_eq!(shown["retry_requested_at"], Value::Null);

    let none = api
        .post(
            "OPERATOR",
            &of(api.sellers.ours.amazon),
            &json!({"kind": "ORDERS", "record_id": shown["record_id"]}),
        )
        .await;
    assert_eq!(none.expect(202)["records"], 0, "it is another account's");
    let body = json!({"kind": "ORDERS", "record_id": RunId::new()});
    let unknown = api.post("OPERATOR", &retry, &body).await.expect(202);
    assert_eq!((&unknown["records"], api.count(wanted).await), (&json!(0), 0));
    let one = api
        .post("OPERATOR", &retry, &json!({"kind": "ORDERS", "record_id": shown["record_id"]}))
        .await
        .expect(200);
    assert_eq!((&one["records"], &one["run_id"]), (&json!(1), &unknown["run_id"]));
    let messages = api.cloud.messages(&lane).await;
    assert_eq!(messages[0]["job"]["run_id"], one["run_id"]);
    let shown = api.get("VIEWER", &format!("{seller}/quarantine")).await.expect(200)["records"][0].clone();
    assert!(shown["retry_requested_at"].is_string(), "{shown}");
    assert_eq!(api.count(wanted).await, 1, "none of the other seller's");

    api.arrange("update robnu.quarantined_records set retry_requested_at = null").await;
    assert_eq!(api.post("OPERATOR", &retry, &json!({"kind": "ORDERS"})).await.expect(200)["records"], 1);
    api.post("VIEWER", &retry, &json!({"kind": "ORDERS"})).await.expect(403);
    api.post("OPERATOR", &retry, &json!({"kind": "LISTINGS"})).await.expect_problem(409, "not_supported");
    let foreign = format!("{seller}/accounts/{}/quarantine/retry", api.sellers.theirs.ajio);
    api.post("OPERATOR", &foreign, &json!({"kind": "ORDERS"})).await.expect(404);
    api.arrange("update robnu.marketplace_accounts set status = 'PAUSED'").await;
    api.post("OPERATOR", &retry, &json!({"kind": "ORDERS"})).await.expect_problem(409, "account_not_active");
}

#[tokio::test]
async fn rows_of_files_are_read_again_without_a_lane_and_without_a_sync() {
    let api = Api::new().await;
    let seller = format!("/v1/sellers/{}", api.sellers.ours.id);
    let retry = format!("{seller}/accounts/{}/quarantine/retry", api.sellers.ours.meesho);
    let set_aside = format!(
        "update robnu.marketplace_accounts set status = 'ACTIVE', lane_queue_url = null, verified_at = null where id = '{account}';
         with run as (
           insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger, state)
           select seller_id, id, marketplace_code, 'FILE_IMPORT', 'FILE', 'SUCCEEDED' from robnu.marketplace_accounts where id = '{account}'
           returning seller_id, id, account_id)
         insert into robnu.quarantined_records (seller_id, account_id, run_id, reason, record_enc, record_digest)
         select seller_id, account_id, id, 'row 7', 'x', 'y' from run",
        account = api.sellers.ours.meesho
    );
    api.arrange(&set_aside).await;
    let made = api.post("OPERATOR", &retry, &json!({"kind": "FILE_IMPORT"})).await.expect(202);
    assert_eq!((&made["records"], &made["kind"]), (&json!(1), &json!("FILE_IMPORT")));
    let live = api.post("OPERATOR", &retry, &json!({"kind": "FILE_IMPORT"})).await.expect(200);
    assert_eq!(live["run_id"], made["run_id"]);
    api.post("OPERATOR", &retry, &json!({"kind": "ORDERS"})).await.expect_problem(409, "not_supported");
    api.post("OPERATOR", &retry, &json!({"kind": "CREDENTIAL_CHECK"})).await.expect(422);
}

#[tokio::test]
async fn a_test_is_a_check_of_the_credentials_in_the_accounts_own_lane() {
    let api = Api::new().await;
    let lane = open_lane(&api).await;
    let path = sync(&api).replace("/sync", "/test");
    let run = api.post("ADMIN", &path, &json!({})).await.expect(202);
    assert_eq!(run["kind"], "CREDENTIAL_CHECK");
    let messages = api.cloud.messages(&lane).await;
    assert_eq!(messages.len(), 1);
    assert_eq!(messages[0]["job"]["run_id"], run["run_id"]);
    assert_eq!(messages[0]["job"]["kind"], "CREDENTIAL_CHECK");
    let again = api.post("ADMIN", &path, &json!({})).await.expect(200);
    assert_eq!(again["run_id"], run["run_id"]);
    let shown = format!("/v1/sellers/{}/runs/{}", api.sellers.ours.id, run["run_id"].as_str().unwrap());
    assert_eq!(api.get("VIEWER", &shown).await.expect(200)["kind"], "CREDENTIAL_CHECK");
}

#[tokio::test]
async fn an_account_that_needs_its_reconnection_is_tested_and_one_out_of_service_is_not() {
    let api = Api::new().await;
    let path = sync(&api).replace("/sync", "/test");
    for status in ["PAUSED", "DISCONNECTED"] {
        api.arrange(&format!("update robnu.marketplace_accounts set status = '{status}'")).await;
        let before = api.contents().await;
        api.post("OWNER", &path, &json!({})).await.expect_problem(409, "account_not_active");
        assert_eq!(api.contents().await, before, "{status}");
    }
    api.arrange("update robnu.marketplace_accounts set status = 'NEEDS_RECONNECT'").await;
    api.post("OWNER", &path, &json!({})).await.expect(202);
}

#[tokio::test]
async fn only_members_who_manage_accounts_test_them() {
    let api = Api::new().await;
    let path = sync(&api).replace("/sync", "/test");
    for role in ROLES {
        let answer = api.post(role, &path, &json!({})).await;
        match role {
            "OWNER" => drop(answer.expect(202)),
            "ADMIN" => drop(answer.expect(200)),
            _ => drop(answer.expect_problem(403, "forbidden")),
        }
    }
}

#[tokio::test]
async fn a_backfill_window_is_written_shown_and_audited() {
    let api = Api::new().await;
    let body =
        json!({"kind": "ORDERS", "from": "2026-01-01T05:30:00+05:30", "until": "2026-01-02T00:00:00Z"});
    let run = api.post("OPERATOR", &sync(&api), &body).await.expect(202);
    let run = format!("/v1/sellers/{}/runs/{}", api.sellers.ours.id, run["run_id"].as_str().unwrap());
    let shown = api.get("VIEWER", &run).await.expect(200);
    assert_eq!(
        (&shown["window_from"], &shown["window_until"]),
        (&json!("2026-01-01T00:00:00Z"), &json!("2026-01-02T00:00:00Z"))
    );
    let noted = "select count(*) from robnu.audit_events where action = 'run.created' and shown ->> 'window_from' like '2026-01-01%'";
    assert_eq!(api.count(noted).await, 1);
    // Any request now gets the live run.
    let live = api
        .post("OPERATOR", &sync(&api), &json!({"kind": "ORDERS", "from": "2026-03-01T00:00:00Z"}))
        .await
        .expect(200);
    assert!(run.ends_with(live["run_id"].as_str().unwrap()));
    api.arrange("update robnu.sync_runs set state = 'FAILED' where state = 'QUEUED'").await;
    let open = api
        .post("OPERATOR", &sync(&api), &json!({"kind": "ORDERS", "from": "2026-03-01T00:00:00Z"}))
        .await
        .expect(202);
    let until_now = format!(
        "select count(*) from robnu.sync_runs where id = '{}' and window_until between now() - interval '1 minute' and now()",
        open["run_id"].as_str().unwrap()
    );
    assert_eq!(api.count(&until_now).await, 1);
}

#[tokio::test]
async fn a_backfill_does_not_count_as_a_synchronisation() {
    let api = Api::new().await;
    let account = format!("/v1/sellers/{}/accounts/{}", api.sellers.ours.id, api.sellers.ours.ajio);
    let before = api.get("VIEWER", &account).await.expect(200)["kinds"][0]["synced_at"].clone();
    api.post("OWNER", &sync(&api), &json!({"kind": "ORDERS", "from": "2026-01-01T00:00:00Z"}))
        .await
        .expect(202);
    api.arrange("update robnu.sync_runs set state = 'SUCCEEDED', finished_at = now() where state = 'QUEUED'")
        .await;
    assert_eq!(api.get("VIEWER", &account).await.expect(200)["kinds"][0]["synced_at"], before);
}

#[tokio::test]
async fn a_window_that_makes_no_sense_is_named() {
    let api = Api::new().await;
    let before = api.contents().await;
    let now = chrono::Utc::now();
    let from_now = |days: i64| (now + chrono::TimeDelta::days(days)).to_rfc3339();
    for (from, until, field) in [
        (json!(from_now(-1)), json!(from_now(1)), "until"),
        (json!(from_now(-1)), json!(from_now(-2)), "from"),
        (json!(from_now(-1)), json!(from_now(-1)), "from"),
        (json!(from_now(1)), json!(from_now(2)), "until"),
        (json!(from_now(-733)), json!(from_now(-1)), "from"),
        (json!(null), json!(from_now(-1)), "from"),
        (json!("2026-01-01"), json!(from_now(-1)), "from"),
        (json!(1_700_000_000), json!(from_now(-1)), "from"),
    ] {
        let body = json!({"kind": "ORDERS", "from": from, "until": until});
        let problem = api.post("OWNER", &sync(&api), &body).await.expect_problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["field"], field, "{body}");
    }
    let alone = json!({"kind": "ORDERS", "until": from_now(-1)});
    let problem = api.post("OWNER", &sync(&api), &alone).await.expect_problem(422, "invalid_body");
    assert_eq!(problem["errors"][0]["field"], "from");
    assert_eq!(api.contents().await, before);
    let oldest = json!({"kind": "ORDERS", "from": from_now(-731)});
    api.post("OWNER", &sync(&api), &oldest).await.expect(202);
}
