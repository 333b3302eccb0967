//! Returns: lists and scans.

use robnu_tenancy::ReturnId;
use serde_json::{Value, json};

use crate::support::{Api, Call};

/// More returns of our AJIO account, with the numbers that the tests scan. Each is RTO, started in 2026, in a status of its
/// own.
async fn add(api: &Api, rows: &str) {
    let ours = &api.sellers.ours;
    api.arrange(&format!(
        "insert into robnu.returns (seller_id, account_id, external_return_id, tracking_number, external_shipment_id, status, return_type,
           marketplace_status, initiated_at)
         select '{}', '{}', v.*, 'RTO', 'x', '2026-02-01T00:00:00Z' from (values {rows}) as v",
        ours.id, ours.ajio
    ))
    .await;
}

fn path(api: &Api, rest: &str) -> String {
    format!("/v1/sellers/{}/{rest}", api.sellers.ours.id)
}

async fn scan(api: &Api, role: &str, body: &Value) -> crate::support::Answer {
    api.post(role, &path(api, "returns/scan"), body).await
}

async fn events(api: &Api, return_id: &str) -> Vec<String> {
    let whole = api.get("VIEWER", &path(api, &format!("returns/{return_id}"))).await.expect(200);
    whole["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["event"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_return_shows_the_document_that_settles_it_and_what_could_not_be_read() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let settled = ReturnId::new();
    api.arrange(&format!(
        "insert into robnu.returns (seller_id, id, account_id, external_return_id, return_type, status, marketplace_status, initiated_at,
           document_kind, document_number, notes)
         values ('{}', '{settled}', '{}', 'RN9', 'CUSTOMER', 'DELIVERED', 'x', now(), 'CREDIT_NOTE', 'CN-17', '{{reason is not text}}')",
        ours.id, ours.ajio
    ))
    .await;
    let show =
        async |id: ReturnId| api.get("VIEWER", &path(&api, &format!("returns/{id}"))).await.expect(200);
    let plain = show(ours.return_id).await;
    assert_eq!((&plain["document"], &plain["notes"]), (&json!(null), &json!([])));
    let settled = show(settled).await;
    assert_eq!(settled["document"], json!({"kind": "CREDIT_NOTE", "number": "CN-17"}));
    assert_eq!(settled["notes"], json!(["reason is not text"]));
}

#[tokio::test]
async fn a_second_scan_is_noted_and_the_first_time_stays() {
    let api = Api::new().await;
    let first = scan(&api, "SCANNER", &json!({"code": " RAWB1 "})).await.expect(200);
    assert_eq!(first["outcome"], "RECEIVED");
    let received = &first["return"];
    assert_eq!(
        (&received["internal_status"], &received["contents"][0]["quantity"]),
        (&json!("RECEIVED"), &json!(1))
    );
    let second = scan(&api, "OPERATOR", &json!({"code": "RN1"})).await.expect(200);
    assert_eq!(second["outcome"], "SCANNED_AGAIN");
    for kept in ["received_at", "received_by", "return_id"] {
        assert_eq!(second["return"][kept], received[kept], "{kept}");
    }
    let id = received["return_id"].as_str().unwrap();
    assert_eq!(events(&api, id).await, ["CREATED", "RECEIVED", "SCANNED_AGAIN"]);
}

#[tokio::test]
async fn a_return_that_was_scanned_often_shows_its_newest_events_and_counts_all() {
    let api = Api::new().await;
    let received = scan(&api, "SCANNER", &json!({"code": "RAWB1"})).await.expect(200);
    let id = received["return"]["return_id"].as_str().unwrap();
    let shown = async || api.get("VIEWER", &path(&api, &format!("returns/{id}"))).await.expect(200);
    assert_eq!(shown().await["events_total"], 2);
    api.arrange(&format!(
        "insert into robnu.return_events (seller_id, return_id, occurred_at)
         select seller_id, id, timestamptz '2026-03-01T00:00:00Z' + n * interval '1 second'
         from robnu.returns, generate_series(1, 300) n where id = '{id}'"
    ))
    .await;
    let whole = shown().await;
    let events = whole["events"].as_array().unwrap();
    assert_eq!((&whole["events_total"], events.len()), (&json!(302), 200));
    let time = |event: &Value| event["occurred_at"].as_str().unwrap().to_owned();
    assert_eq!(time(&events[0]), "2026-03-01T00:01:41Z");
    assert_eq!(time(&events[199]), "2026-03-01T00:05:00Z");
}

#[tokio::test]
async fn one_of_concurrent_scans_receives_and_the_others_are_noted_as_one() {
    let api = Api::with_pool(8).await;
    let calls = (0..8).map(|_| async { scan(&api, "SCANNER", &json!({"code": "RAWB1"})).await.expect(200) });
    let answers = futures_util::future::join_all(calls).await;
    let received: Vec<&Value> = answers.iter().filter(|answer| answer["outcome"] == "RECEIVED").collect();
    assert_eq!(received.len(), 1, "{answers:?}");
    for answer in &answers {
        assert_eq!(answer["return"]["received_at"], received[0]["return"]["received_at"]);
    }
    let mut told = events(&api, received[0]["return"]["return_id"].as_str().unwrap()).await;
    told.retain(|event| event != "CREATED");
    assert_eq!(told[0], "RECEIVED");
    // Repeated scans by one member within a minute count as one.
    assert_eq!(told[1..], ["SCANNED_AGAIN"]);
}

#[tokio::test]
async fn a_return_is_found_by_every_number_on_either_parcel() {
    let api = Api::new().await;
    for code in ["RN1", "RAWB1", "FN1", "AWB1"] {
        let preview = api.get("SCANNER", &path(&api, &format!("returns/scan?code={code}"))).await.expect(200);
        assert_eq!(preview["outcome"], "RECEIVES", "{code}");
        assert_eq!(preview["returns"][0]["external_return_id"], "RN1", "{code}");
        assert!(preview["returns"][0]["received_at"].is_null(), "a preview receives nothing");
    }
    scan(&api, "FINANCE", &json!({"code": "AWB1"})).await.expect(200);
    let preview = api.get("SCANNER", &path(&api, "returns/scan?code=RAWB1")).await.expect(200);
    assert_eq!(preview["outcome"], "SCANNED_BEFORE");
}

#[tokio::test]
async fn a_chosen_return_that_the_code_does_not_mean_is_not_found_and_nothing_changes() {
    let api = Api::new().await;
    let theirs = api.sellers.theirs.id;
    api.arrange(&format!(
        "set session_replication_role = replica;
         update robnu.returns set external_return_id = 'THEIRS', tracking_number = 'THEIRAWB' where seller_id = '{theirs}'"
    ))
    .await;
    let before = api.contents().await;
    for code in ["NOTHING", "THEIRS", "THEIRAWB", "RN", "%", "rn1"] {
        let chosen = json!({"code": code, "return_id": api.sellers.ours.return_id});
        scan(&api, "OWNER", &chosen).await.expect_problem(404, "return_not_found");
    }
    for code in ["RN1", "THEIRS"] {
        let chosen = json!({"code": code, "return_id": api.sellers.theirs.return_id});
        scan(&api, "OWNER", &chosen).await.expect_problem(404, "return_not_found");
    }
    assert_eq!(api.contents().await, before);
}

#[tokio::test]
async fn a_code_of_several_returns_receives_the_one_that_is_chosen() {
    let api = Api::new().await;
    add(&api, "('A1', 'SHARED', null, 'DELIVERED'), ('A2', 'SHARED', null, 'IN_TRANSIT'), ('A3', 'SHARED', null, 'CANCELLED')").await;
    let before = api.contents().await;
    let refused =
        scan(&api, "SCANNER", &json!({"code": "SHARED"})).await.expect_problem(409, "return_ambiguous");
    let candidates = refused["errors"].as_array().unwrap();
    assert_eq!(candidates.len(), 2, "cancelled returns are left out: {refused}");
    assert_eq!(api.contents().await, before);
    let preview = api.get("SCANNER", &path(&api, "returns/scan?code=SHARED")).await.expect(200);
    assert_eq!((&preview["outcome"], preview["returns"].as_array().unwrap().len()), (&json!("AMBIGUOUS"), 3));
    let chosen = preview["returns"][1]["return_id"].clone();
    let scanned = scan(&api, "SCANNER", &json!({"code": "SHARED", "return_id": chosen})).await.expect(200);
    assert_eq!((&scanned["outcome"], &scanned["return"]["return_id"]), (&json!("RECEIVED"), &chosen));
    let other = api
        .count(
            "select count(*) from robnu.returns where tracking_number = 'SHARED' and received_at is not null",
        )
        .await;
    assert_eq!(other, 1);
}

#[tokio::test]
async fn a_code_of_more_returns_than_are_shown_still_receives_the_one_that_is_chosen() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let rows: Vec<String> = (1..=201).map(|n| format!("('B{n:03}', 'BULK', null, 'IN_TRANSIT')")).collect();
    add(&api, &rows.join(", ")).await;
    // Two lines each, so that the numbers of lines and returns differ.
    api.arrange(&format!(
        "insert into robnu.return_items (seller_id, return_id, external_item_id, quantity)
         select seller_id, id, line, 1 from robnu.returns, unnest(array['1', '2']) line
         where seller_id = '{}' and tracking_number = 'BULK'",
        ours.id
    ))
    .await;
    let preview = api.get("SCANNER", &path(&api, "returns/scan?code=BULK")).await.expect(200);
    let shown = preview["returns"].as_array().unwrap();
    assert_eq!((&preview["outcome"], shown.len()), (&json!("AMBIGUOUS"), 200));
    assert!(
        shown.iter().all(|one| one["contents"].as_array().unwrap().len() == 2),
        "each return is complete"
    );
    let refused =
        scan(&api, "SCANNER", &json!({"code": "BULK"})).await.expect_problem(409, "return_ambiguous");
    assert_eq!(refused["errors"].as_array().unwrap().len(), 200);
    let last = "select id::text from robnu.returns where seller_id = $1 and external_return_id = 'B201'";
    let last: String = api.test.superuser().await.query_one(last, &[&ours.id]).await.unwrap().get(0);
    assert!(!shown.iter().any(|one| one["return_id"] == *last), "the last is not shown");
    let chosen = json!({"code": "BULK", "return_id": last});
    let scanned = scan(&api, "SCANNER", &chosen).await.expect(200);
    assert_eq!((&scanned["outcome"], &scanned["return"]["return_id"]), (&json!("RECEIVED"), &json!(last)));
}

#[tokio::test]
async fn a_cancelled_return_is_not_received_and_one_beside_it_is() {
    let api = Api::new().await;
    add(&api, "('C1', 'GONE', null, 'CANCELLED'), ('C2', 'AGAIN', null, 'CANCELLED'), ('C3', 'AGAIN', null, 'IN_TRANSIT')").await;
    let before = api.contents().await;
    scan(&api, "OWNER", &json!({"code": "GONE"})).await.expect_problem(409, "return_cancelled");
    let preview = api.get("SCANNER", &path(&api, "returns/scan?code=GONE")).await.expect(200);
    assert_eq!(preview["outcome"], "CANCELLED");
    let id = &preview["returns"][0]["return_id"];
    scan(&api, "OWNER", &json!({"code": "GONE", "return_id": id}))
        .await
        .expect_problem(409, "return_cancelled");
    assert_eq!(api.contents().await, before);
    let scanned = scan(&api, "OWNER", &json!({"code": "AGAIN"})).await.expect(200);
    assert_eq!(scanned["return"]["external_return_id"], "C3");
}

#[tokio::test]
async fn one_shipment_of_an_order_means_only_its_own_return() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    add(&api, "('S1', null, 'P1', 'IN_TRANSIT'), ('S2', null, 'P2', 'IN_TRANSIT')").await;
    api.arrange(&format!(
        "set session_replication_role = replica;
         update robnu.returns set order_id = '{0}' where external_return_id in ('S1', 'S2');
         delete from robnu.claim_events where seller_id = '{1}'; delete from robnu.claims where seller_id = '{1}';
         delete from robnu.returns where seller_id = '{1}' and external_return_id = 'RN1';
         insert into robnu.shipments (seller_id, order_id, external_shipment_id, status, tracking_number)
         values ('{1}', '{0}', 'P1', 'SHIPPED', 'PAWB1'), ('{1}', '{0}', 'P2', 'SHIPPED', 'PAWB2')",
        ours.order, ours.id
    ))
    .await;
    for (code, expected) in [("PAWB1", "S1"), ("PAWB2", "S2"), ("P2", "S2")] {
        let preview = api.get("OWNER", &path(&api, &format!("returns/scan?code={code}"))).await.expect(200);
        let found: Vec<&Value> =
            preview["returns"].as_array().unwrap().iter().map(|found| &found["external_return_id"]).collect();
        assert_eq!(found, [expected], "{code}");
    }
}

#[tokio::test]
async fn a_scan_after_a_claim_receives_the_return_and_reopens_the_claim_with_evidence() {
    let api = Api::new().await;
    let claim = path(&api, &format!("claims/{}", api.sellers.ours.claim));
    scan(&api, "SCANNER", &json!({"code": "RN1"})).await.expect(200);
    let reopened = api.get("VIEWER", &claim).await.expect(200);
    assert_eq!(reopened["status"], "REOPENED_WITH_EVIDENCE");
    let last = reopened["events"].as_array().unwrap().last().unwrap();
    assert_eq!(
        (&last["from_status"], &last["to_status"]),
        (&json!("FILED"), &json!("REOPENED_WITH_EVIDENCE"))
    );
    scan(&api, "SCANNER", &json!({"code": "RN1"})).await.expect(200);
    assert_eq!(
        api.get("VIEWER", &claim).await.expect(200)["version"],
        reopened["version"],
        "only the first scan reopens"
    );
}

#[tokio::test]
async fn a_member_who_may_only_scan_reaches_the_scan_and_nothing_else_of_returns() {
    let api = Api::new().await;
    let id = api.sellers.ours.return_id;
    for refused in [
        "returns",
        "claims",
        "orders",
        "search?q=RN1",
        "shipments",
        "dispatch",
        "payouts",
        "listings",
        "inventory",
    ] {
        api.get("SCANNER", &path(&api, refused)).await.expect_problem(403, "forbidden");
    }
    api.get("SCANNER", &path(&api, &format!("returns/{id}"))).await.expect_problem(403, "forbidden");
    let file = path(&api, &format!("returns/{id}/claim"));
    api.post("SCANNER", &file, &json!({"reason": "OTHER"})).await.expect_problem(403, "forbidden");
    api.get("SCANNER", &path(&api, "returns/scan?code=RN1")).await.expect(200);
    scan(&api, "SCANNER", &json!({"code": "RN1"})).await.expect(200);
    let viewer = scan(&api, "VIEWER", &json!({"code": "RN1"})).await;
    viewer.expect_problem(403, "forbidden");
}

#[tokio::test]
async fn a_suspended_seller_previews_and_does_not_scan() {
    let api = Api::new().await;
    let ours = api.sellers.ours.id;
    let suspend =
        "update robnu.sellers set suspended_at = now(), suspension_reason = 'unpaid' where seller_id";
    api.arrange(&format!("{suspend} = '{ours}'")).await;
    let preview = api.get("OPERATOR", &path(&api, "returns/scan?code=AWB1")).await.expect(200);
    assert_eq!(preview["outcome"], "RECEIVES");
    scan(&api, "OPERATOR", &json!({"code": "AWB1"})).await.expect_problem(403, "seller_suspended");
}

#[tokio::test]
async fn impossible_codes_are_refused_with_the_field() {
    let api = Api::new().await;
    for code in ["", "  ", "a\u{0}b", &"x".repeat(101)] {
        scan(&api, "OWNER", &json!({"code": code})).await.expect_problem(422, "invalid_body");
    }
    for query in ["", "?code=", "?code=%00", "?code=a&code=b", "?code=a&x=1"] {
        api.get("OWNER", &path(&api, &format!("returns/scan{query}")))
            .await
            .expect_problem(400, "invalid_query");
    }
}

#[tokio::test]
async fn a_scan_with_a_key_is_noted_once_however_often_it_is_sent() {
    let api = Api::new().await;
    let (ours, scan) = (&api.sellers.ours, path(&api, "returns/scan"));
    let call = || Call::post(&scan, &json!({"code": "RN1"})).by(ours, "SCANNER").key("scan-1");
    let first = api.send(call()).await.expect(200);
    assert_eq!(api.send(call()).await.expect(200), first);
    assert_eq!(events(&api, &ours.return_id.to_string()).await, ["CREATED", "RECEIVED"]);
}
