//! The clocks of claims: as the registry shows them, and as a seller sets its own.

use serde_json::{Value, json};

use crate::support::{Answer, Api, Call};

fn path(api: &Api, rest: &str) -> String {
    format!("/v1/sellers/{}/{rest}", api.sellers.ours.id)
}

async fn set(api: &Api, role: &str, terms: &str, body: &Value) -> Answer {
    api.put(role, &path(api, &format!("claim-terms/{terms}")), body).await
}

/// The terms in a list, for one reason.
fn of<'a>(list: &'a Value, reason: &str) -> &'a Value {
    list.as_array().unwrap().iter().find(|terms| terms["reason"] == reason).unwrap()
}

#[tokio::test]
async fn the_registry_shows_both_clocks_and_says_what_is_unknown() {
    let api = Api::new().await;
    let registry = api.get("VIEWER", "/v1/marketplaces").await.expect(200);
    for (code, missing_set_by, file_by, set_by) in [
        ("AJIO", "MARKETPLACE", Value::Null, "UNKNOWN"),
        ("AMAZON_IN", "PLATFORM", json!(7), "MARKETPLACE"),
        ("FLIPKART", "PLATFORM", json!(14), "MARKETPLACE"),
        ("MEESHO", "PLATFORM", json!(7), "MARKETPLACE"),
    ] {
        let all = registry["marketplaces"].as_array().unwrap();
        let terms = &all.iter().find(|marketplace| marketplace["code"] == code).unwrap()["claim_terms"];
        let missing = json!({"reason": "NOT_RECEIVED", "missing_after_days": 60, "missing_after_set_by": missing_set_by,
            "file_by_days": file_by, "file_by_set_by": set_by});
        assert_eq!(of(terms, "NOT_RECEIVED"), &missing, "{code}");
        let damaged = json!({"reason": "DAMAGED", "missing_after_days": null, "missing_after_set_by": null,
            "file_by_days": file_by, "file_by_set_by": set_by});
        assert_eq!(of(terms, "DAMAGED"), &damaged, "{code}");
        assert_eq!(terms.as_array().unwrap().len(), 6, "{code}");
    }
}

#[tokio::test]
async fn a_seller_sets_its_own_terms_and_takes_them_back() {
    let api = Api::new().await;
    let own =
        set(&api, "ADMIN", "AJIO/NOT_RECEIVED", &json!({"missing_after_days": 45, "file_by_days": 30})).await;
    let expected = json!({"marketplace": "AJIO", "reason": "NOT_RECEIVED", "missing_after_days": 45, "missing_after_set_by": "SELLER",
        "file_by_days": 30, "file_by_set_by": "SELLER", "version": 1});
    assert_eq!(own.expect(200), expected);
    let listed = api.get("VIEWER", &path(&api, "claim-terms")).await.expect(200);
    assert_eq!(listed["claim_terms"].as_array().unwrap().len(), 4 * 6);
    assert_eq!(of(&listed["claim_terms"], "NOT_RECEIVED"), &expected);
    let again =
        set(&api, "ADMIN", "AJIO/NOT_RECEIVED", &json!({"missing_after_days": 45, "file_by_days": 30})).await;
    assert_eq!(again.expect(200)["version"], 1, "the same again is no change");
    let back = set(&api, "OWNER", "AJIO/NOT_RECEIVED", &json!({"file_by_days": null})).await.expect(200);
    assert_eq!(
        (
            &back["missing_after_days"],
            &back["missing_after_set_by"],
            &back["file_by_days"],
            &back["file_by_set_by"],
            &back["version"]
        ),
        (&json!(60), &json!("MARKETPLACE"), &Value::Null, &json!("UNKNOWN"), &json!(2))
    );
    let trail = api.get("OWNER", &path(&api, "audit?action=claim_terms.")).await.expect(200);
    let by_members =
        trail["events"].as_array().unwrap().iter().filter(|event| event["actor"]["kind"] == "MEMBER");
    let shown: Vec<&Value> = by_members.map(|event| &event["shown"]["missing_after_days"]).collect();
    assert_eq!(shown, [&Value::Null, &json!(45)]);
    let theirs = format!("/v1/sellers/{}/claim-terms", api.sellers.theirs.id);
    let theirs = api.send(Call::get(&theirs).by(&api.sellers.theirs, "OWNER")).await.expect(200);
    assert_eq!(of(&theirs["claim_terms"], "NOT_RECEIVED")["version"], 0);
}

#[tokio::test]
async fn terms_of_an_outdated_version_are_refused() {
    let api = Api::new().await;
    let terms = path(&api, "claim-terms/MEESHO/USED");
    let call = |days: i32, tag: &str| {
        let body = json!({"file_by_days": days}).to_string();
        Call::new("PUT", &terms).text(&body).by(&api.sellers.ours, "OWNER").header("if-match", tag)
    };
    api.send(call(5, "\"1\"")).await.expect_problem(412, "version_mismatch");
    let first = api.send(call(5, "*")).await;
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    first.expect(200);
    api.send(call(6, &tag)).await.expect(200);
    api.send(call(7, &tag)).await.expect_problem(412, "version_mismatch");
}

#[tokio::test]
async fn terms_out_of_range_of_another_clock_or_of_no_marketplace_are_refused() {
    let api = Api::new().await;
    for (terms, body, field) in [
        ("AJIO/DAMAGED", json!({"missing_after_days": 30}), "missing_after_days"),
        ("AJIO/NOT_RECEIVED", json!({"missing_after_days": 0}), "missing_after_days"),
        ("AJIO/DAMAGED", json!({"file_by_days": 366}), "file_by_days"),
        ("AJIO/DAMAGED", json!({"file_by_days": "7"}), "file_by_days"),
        ("AJIO/DAMAGED", json!({"days": 7}), "days"),
    ] {
        let refused = set(&api, "OWNER", terms, &body).await.expect_problem(422, "invalid_body");
        assert_eq!(refused["errors"][0]["field"], field, "{terms} {body}");
    }
    for terms in ["NOWHERE/DAMAGED", "ajio/DAMAGED", "AJIO/LOST"] {
        let refused = set(&api, "OWNER", terms, &json!({"file_by_days": 7})).await;
        refused.expect_problem(404, "claim_terms_not_found");
    }
    set(&api, "OPERATOR", "AJIO/DAMAGED", &json!({"file_by_days": 7})).await.expect_problem(403, "forbidden");
}

#[tokio::test]
async fn the_list_by_deadline_holds_what_can_still_be_claimed_for_the_most_urgent_first() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    // Days since completion on Amazon, where a claim can be filed for seven.
    api.arrange(&format!(
        "insert into robnu.returns (seller_id, account_id, external_return_id, return_type, status, marketplace_status, initiated_at, delivered_at)
         select '{0}', '{1}', number, 'RTO', status, 'x', now() - interval '20 days', now() - make_interval(days => days)
         from (values ('LATE', 'DELIVERED', 8), ('SOON', 'DELIVERED', 6), ('LATER', 'DELIVERED', 2), ('CANCELLED', 'CANCELLED', 3),
           ('GOOD', 'DELIVERED', 3), ('BAD', 'DELIVERED', 4), ('CLAIMED', 'DELIVERED', 3), ('PENDING', 'DELIVERED', 5),
           ('ON ITS WAY', 'IN_TRANSIT', null)) as v (number, status, days);
         set session_replication_role = replica;
         update robnu.returns set received_at = now(), internal_status = 'RECEIVED', condition = external_return_id
         where seller_id = '{0}' and external_return_id in ('GOOD', 'BAD');
         insert into robnu.claims (seller_id, return_id, account_id, reason, status, filed_at)
         select seller_id, id, account_id, 'NOT_RECEIVED', case external_return_id when 'CLAIMED' then 'FILED' else 'PENDING' end,
           case external_return_id when 'CLAIMED' then now() end
         from robnu.returns where seller_id = '{0}' and external_return_id in ('CLAIMED', 'PENDING')",
        ours.id, ours.amazon
    ))
    .await;
    let numbers = async |query: &str| {
        let listed =
            api.get("VIEWER", &path(&api, &format!("returns?sort=file_by{query}"))).await.expect(200);
        let returns = listed["returns"].as_array().unwrap().clone();
        returns
            .iter()
            .map(|found| found["external_return_id"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(numbers("").await, ["SOON", "PENDING", "BAD", "LATER"]);
    assert_eq!(numbers("&internal_status=RECEIVED").await, ["BAD"]);
    let two_days = chrono::Utc::now() + chrono::TimeDelta::days(2) + chrono::TimeDelta::hours(1);
    let before = two_days.format("%Y-%m-%dT%H:%M:%SZ");
    assert_eq!(numbers(&format!("&file_by_before={before}")).await, ["SOON", "PENDING"]);
}
