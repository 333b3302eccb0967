//! Scans: the condition of a parcel, and codes that no return is known by yet.

use serde_json::{Value, json};

use crate::support::{Answer, Api, Call};

fn path(api: &Api, rest: &str) -> String {
    format!("/v1/sellers/{}/{rest}", api.sellers.ours.id)
}

async fn scan(api: &Api, role: &str, body: &Value) -> Answer {
    api.post(role, &path(api, "returns/scan"), body).await
}

/// The codes that wait, without the fixture's.
async fn waiting(api: &Api) -> Vec<String> {
    let listed = api.get("VIEWER", &path(api, "returns/scans")).await.expect(200);
    let codes =
        listed["scans"].as_array().unwrap().iter().map(|scan| scan["code"].as_str().unwrap().to_owned());
    codes.filter(|code| code != "UNKNOWN1").collect()
}

/// A return of our AJIO account, as a run stores it.
async fn announce(api: &Api, number: &str, tracking: &str) {
    let ours = &api.sellers.ours;
    api.arrange(&format!(
        "insert into robnu.returns (seller_id, account_id, external_return_id, tracking_number, status, return_type, marketplace_status, initiated_at)
         values ('{}', '{}', '{number}', '{tracking}', 'IN_TRANSIT', 'RTO', 'x', now())",
        ours.id, ours.ajio
    ))
    .await;
}

#[tokio::test]
async fn a_scan_says_in_what_condition_the_parcel_is_and_a_later_one_corrects_it_until_a_claim_is_filed() {
    let api = Api::new().await;
    let id = api.sellers.ours.return_id;
    // The fixture's claim was filed because nothing arrived; the scan that receives the return may say what arrived.
    let body = json!({"code": "RAWB1", "condition": "BAD", "reason": " torn ", "quantity": 2});
    let first = scan(&api, "SCANNER", &body).await.expect(200);
    assert_eq!(first["outcome"], "RECEIVED");
    let told = |found: &Value| {
        let part = |name: &str| found[name].clone();
        [part("condition"), part("condition_reason"), part("condition_quantity")]
    };
    assert_eq!(told(&first["return"]), [json!("BAD"), json!("torn"), json!(2)]);
    scan(&api, "SCANNER", &json!({"code": "RAWB1", "condition": "GOOD"}))
        .await
        .expect_problem(409, "condition_claimed");
    assert_eq!(
        scan(&api, "SCANNER", &json!({"code": "RAWB1"})).await.expect(200)["outcome"],
        "SCANNED_AGAIN"
    );
    assert_eq!(
        scan(&api, "SCANNER", &body).await.expect(200)["outcome"],
        "SCANNED_AGAIN",
        "the same condition"
    );
    api.arrange(
        "set session_replication_role = replica; delete from robnu.claim_events; delete from robnu.claims",
    )
    .await;
    let missing = json!({"code": "RN1", "condition": "MISSING", "reason": "one of two", "quantity": 1});
    let second = scan(&api, "OPERATOR", &missing).await.expect(200);
    assert_eq!(second["outcome"], "CONDITION_CHANGED");
    assert_eq!(second["return"]["received_at"], first["return"]["received_at"]);
    let whole = api.get("VIEWER", &path(&api, &format!("returns/{id}"))).await.expect(200);
    assert_eq!(told(&whole), [json!("MISSING"), json!("one of two"), json!(1)]);
    let events = whole["events"].as_array().unwrap();
    let stated =
        events.iter().filter(|event| event["event"] != "SCANNED_AGAIN" && event["event"] != "CREATED");
    let stated: Vec<_> = stated.map(|event| (event["event"].clone(), told(event))).collect();
    assert_eq!(
        stated,
        [
            (json!("RECEIVED"), [json!("BAD"), json!("torn"), json!(2)]),
            (json!("CONDITION_CHANGED"), [json!("MISSING"), json!("one of two"), json!(1)]),
        ]
    );
    let listed = api.get("VIEWER", &path(&api, "returns?internal_status=RECEIVED")).await.expect(200);
    assert_eq!(listed["returns"][0]["condition"], "MISSING");
    scan(&api, "VIEWER", &missing).await.expect_problem(403, "forbidden");
}

#[tokio::test]
async fn every_field_of_a_condition_is_checked() {
    let api = Api::new().await;
    let before = api.contents().await;
    for (body, field) in [
        (json!({"code": "RN1", "condition": "WET"}), "condition"),
        (json!({"code": "RN1", "condition": null}), "condition"),
        (json!({"code": "RN1", "reason": "torn"}), "reason"),
        (json!({"code": "RN1", "quantity": 1}), "quantity"),
        (json!({"code": "RN1", "condition": "BAD", "quantity": 0}), "quantity"),
        (json!({"code": "RN1", "condition": "BAD", "quantity": 100_001}), "quantity"),
        (json!({"code": "RN1", "condition": "BAD", "reason": ""}), "reason"),
        (json!({"code": "RN1", "condition": "BAD", "reason": "x".repeat(201)}), "reason"),
    ] {
        let refused = scan(&api, "SCANNER", &body).await.expect_problem(422, "invalid_body");
        assert_eq!(refused["errors"][0]["field"], field, "{body}");
    }
    assert_eq!(api.contents().await, before);
}

#[tokio::test]
async fn a_code_that_nothing_is_known_of_waits_says_so_and_is_joined_when_its_return_is_announced() {
    let api = Api::new().await;
    let preview = api.get("SCANNER", &path(&api, "returns/scan?code=EARLY")).await.expect(200);
    assert_eq!((&preview["outcome"], &preview["returns"]), (&json!("WAITS_FOR_RETURN"), &json!([])));
    let kept = scan(&api, "SCANNER", &json!({"code": " EARLY ", "condition": "BAD"})).await.expect(202);
    assert_eq!((&kept["outcome"], &kept["return"]), (&json!("WAITING_FOR_RETURN"), &Value::Null));
    assert_eq!((&kept["waiting"]["code"], &kept["waiting"]["condition"]), (&json!("EARLY"), &json!("BAD")));
    assert!(kept["notice"].as_str().unwrap().starts_with("No return with this code is known yet."));
    // The same code again is the same scan, and may state another condition.
    let body = json!({"code": "EARLY", "condition": "MISSING", "reason": "empty box", "quantity": 1});
    let again = scan(&api, "OPERATOR", &body).await.expect(202);
    for same in ["scan_id", "scanned_at", "scanned_by"] {
        assert_eq!(again["waiting"][same], kept["waiting"][same], "{same}");
    }
    assert_eq!(again["waiting"]["condition_reason"], "empty box");
    let plain = scan(&api, "OPERATOR", &json!({"code": "EARLY"})).await.expect(202);
    assert_eq!(plain["waiting"], again["waiting"]);
    assert_eq!(waiting(&api).await, ["EARLY"]);

    announce(&api, "R-EARLY", "EARLY").await;
    assert_eq!(waiting(&api).await, [""; 0]);
    let listed = api.get("VIEWER", &path(&api, "returns?internal_status=RECEIVED")).await.expect(200);
    let [received] = &listed["returns"].as_array().unwrap()[..] else { panic!("{listed}") };
    assert_eq!(
        (&received["external_return_id"], &received["condition"]),
        (&json!("R-EARLY"), &json!("MISSING"))
    );
    assert_eq!(received["received_at"], kept["waiting"]["scanned_at"]);
    assert_eq!(received["received_by"], kept["waiting"]["scanned_by"]);
    assert_eq!(
        scan(&api, "SCANNER", &json!({"code": "EARLY"})).await.expect(200)["outcome"],
        "SCANNED_AGAIN"
    );
}

#[tokio::test]
async fn another_sellers_numbers_are_unknown_here_and_nothing_of_theirs_changes() {
    let api = Api::new().await;
    let theirs = api.sellers.theirs.id;
    api.arrange(&format!(
        "set session_replication_role = replica;
         update robnu.returns set external_return_id = 'THEIRS', tracking_number = 'THEIRAWB' where seller_id = '{theirs}'"
    ))
    .await;
    for code in ["NOTHING", "THEIRS", "THEIRAWB", "RN", "%", "rn1"] {
        let kept = scan(&api, "OWNER", &json!({"code": code})).await.expect(202);
        assert_eq!(kept["outcome"], "WAITING_FOR_RETURN", "{code}");
    }
    let received = "select count(*) from robnu.returns where received_at is not null";
    assert_eq!(api.count(received).await, 0);
    let of_theirs = format!("select count(*) from robnu.unmatched_scans where seller_id = '{theirs}'");
    assert_eq!(api.count(&of_theirs).await, 1, "the fixture's");
    let call = Call::get(&format!("/v1/sellers/{theirs}/returns/scans")).by(&api.sellers.theirs, "OWNER");
    let listed = api.send(call).await.expect(200);
    assert_eq!(listed["scans"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_waiting_scan_is_discarded_by_those_who_scan_and_then_gone() {
    let api = Api::new().await;
    let kept = scan(&api, "SCANNER", &json!({"code": "TYPO"})).await.expect(202);
    let scan_path = path(&api, &format!("returns/scans/{}", kept["waiting"]["scan_id"].as_str().unwrap()));
    let discard = |role: &str| Call::new("DELETE", &scan_path).by(&api.sellers.ours, role);
    api.send(discard("VIEWER")).await.expect_problem(403, "forbidden");
    api.send(discard("SCANNER")).await.expect(204);
    api.send(discard("OWNER")).await.expect_problem(404, "scan_not_found");
    assert_eq!(waiting(&api).await, [""; 0]);
    announce(&api, "R-TYPO", "TYPO").await;
    let listed = api.get("VIEWER", &path(&api, "returns?internal_status=RECEIVED")).await.expect(200);
    assert_eq!(listed["returns"], json!([]));
}

#[tokio::test]
async fn a_waiting_scan_ends_when_a_member_chooses_its_return() {
    let api = Api::new().await;
    scan(&api, "SCANNER", &json!({"code": "SHARED"})).await.expect(202);
    let ours = &api.sellers.ours;
    api.arrange(&format!(
        "insert into robnu.returns (seller_id, account_id, external_return_id, tracking_number, status, return_type, marketplace_status, initiated_at)
         select '{}', '{}', number, 'SHARED', 'IN_TRANSIT', 'RTO', 'x', now() from unnest(array['A1', 'A2']) number",
        ours.id, ours.ajio
    ))
    .await;
    scan(&api, "SCANNER", &json!({"code": "SHARED"})).await.expect_problem(409, "return_ambiguous");
    assert_eq!(waiting(&api).await, ["SHARED"]);
    let preview = api.get("SCANNER", &path(&api, "returns/scan?code=SHARED")).await.expect(200);
    let chosen = json!({"code": "SHARED", "return_id": preview["returns"][0]["return_id"]});
    assert_eq!(scan(&api, "SCANNER", &chosen).await.expect(200)["outcome"], "RECEIVED");
    assert_eq!(waiting(&api).await, [""; 0]);
}

#[tokio::test]
async fn a_seller_with_too_many_waiting_scans_is_told_to_discard_some() {
    let api = Api::new().await;
    api.arrange(&format!(
        "set session_replication_role = replica;
         insert into robnu.unmatched_scans (seller_id, code) select '{}', 'MANY' || n from generate_series(1, 1999) n",
        api.sellers.ours.id
    ))
    .await;
    scan(&api, "SCANNER", &json!({"code": "ONE MORE"})).await.expect_problem(409, "too_many_waiting_scans");
    scan(&api, "SCANNER", &json!({"code": "MANY7"})).await.expect(202);
    assert_eq!(scan(&api, "SCANNER", &json!({"code": "RN1"})).await.expect(200)["outcome"], "RECEIVED");
}
