//! What limits access to a seller: suspension, the seller's rate limit, and staff who act for it.

use serde_json::{Value, json};
use uuid::Uuid;

use crate::cases::cases;
use crate::support::{Answer, Api, Call};

/// Rights that a suspended seller's members keep.
const KEPT: [&str; 5] = ["membership", "read", "audit.read", "pii.read", "payouts.read"];

fn refusal(answer: &Answer) -> (u16, &Value) {
    (answer.status.as_u16(), &answer.body["code"])
}

/// The fixture's session, in which the staff member has the rights of a VIEWER.
pub async fn session(api: &Api) -> Uuid {
    let sql = "select id from robnu.impersonation_sessions where seller_id = $1";
    api.test.superuser().await.query_one(sql, &[&api.sellers.ours.id]).await.unwrap().get(0)
}

fn rename(api: &Api) -> Call {
    Call::new("PATCH", &format!("/v1/sellers/{}", api.sellers.ours.id)).text(r#"{"name": "renamed"}"#)
}

#[tokio::test]
async fn a_suspended_seller_is_read_and_every_change_is_refused() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    for (operation, case) in cases().into_iter().filter(|(operation, _)| operation.is_of_seller()) {
        case.prepare(&api, ours).await;
        let call = case.success(&api, &operation, ours).await;
        api.arrange(&format!(
            "update robnu.sellers set suspended_at = now(), suspension_reason = 'unpaid' where seller_id = '{}'",
            ours.id
        ))
        .await;
        let before = api.contents().await;
        let answer = api.send(call).await;
        let id = &operation.id;
        if operation.whole["x-access"] == "write" {
            assert_eq!(refusal(&answer), (403, &json!("seller_suspended")), "{id}");
            assert_eq!(api.contents().await, before, "{id}");
        } else if KEPT.contains(&operation.permission.as_deref().unwrap_or_default()) {
            assert_eq!(answer.status, case.status, "{id}: {}", answer.text);
        } else {
            // Scope entry admits anyone who only reads; data behind the lost rights is no longer visible.
            assert!(answer.status.is_success() || answer.status == 404, "{id}: {}", answer.text);
        }
        api.arrange("update robnu.sellers set suspended_at = null, suspension_reason = null").await;
    }
}

#[tokio::test]
async fn only_a_seller_over_its_rate_limit_must_wait() {
    let api = Api::new().await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    api.arrange(&format!("update robnu.sellers set requests_per_window = 1 where seller_id = '{}'", ours.id))
        .await;
    let before = api.contents().await;
    let path = format!("/v1/sellers/{}", ours.id);
    // Strangers' requests do not count.
    for _ in 0..3 {
        api.send(Call::get(&path).by(theirs, "OWNER")).await.expect_problem(404, "seller_not_found");
    }
    // Of three requests in a row, two are in one window, whenever it begins.
    let mut limited = Vec::new();
    for _ in 0..3 {
        let answer = api.get("OWNER", &path).await;
        if answer.status != 200 {
            limited.push(answer);
        }
    }
    let answer = limited.pop().expect("one request too many");
    let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=10).contains(&wait), "{wait}");
    answer.expect_problem(429, "rate_limited");
    assert_eq!(api.contents().await, before);
    api.send(Call::get(&format!("/v1/sellers/{}", theirs.id)).by(theirs, "OWNER")).await.expect(200);
}

#[tokio::test]
async fn staff_act_for_a_seller_with_the_rights_of_their_session_and_leave_its_name() {
    let api = Api::new().await;
    let session = session(&api).await;
    let header = session.to_string();
    let path = format!("/v1/sellers/{}/orders", api.sellers.ours.id);
    let acting = Call::get(&path).by_staff().header("impersonation-session", &header);
    assert!(!api.send(acting).await.expect(200)["orders"].as_array().unwrap().is_empty());
    let change = rename(&api).by_staff().header("impersonation-session", &header);
    api.send(change.clone()).await.expect_problem(403, "forbidden");
    api.arrange("update robnu.impersonation_sessions set role = 'ADMIN'").await;
    api.send(change).await.expect(200);
    let noted =
        "select count(*) from robnu.audit_events where actor_kind = 'STAFF' and action = 'seller.changed'";
    assert_eq!(api.count(&format!("{noted} and impersonation_session_id = '{session}'")).await, 1);
}

#[tokio::test]
async fn a_session_that_is_over_or_not_theirs_for_this_seller_opens_nothing() {
    let api = Api::new().await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    let header = session(&api).await.to_string();
    let read = |seller: &robnu_testkit::Seller| {
        Call::get(&format!("/v1/sellers/{}", seller.id)).header("impersonation-session", &header)
    };
    api.send(read(ours).by_staff()).await.expect(200);
    let elsewhere = api.send(read(theirs).by_staff()).await;
    elsewhere.expect_problem(403, "impersonation_over");
    // The seller's own owner is not staff, whatever the header says.
    api.send(read(ours).by(ours, "OWNER")).await.expect_problem(403, "impersonation_over");
    api.arrange("update robnu.staff set removed_at = now()").await;
    api.send(read(ours).by_staff()).await.expect_problem(403, "impersonation_over");
    api.arrange("update robnu.staff set removed_at = null").await;
    api.arrange("update robnu.impersonation_sessions set ended_at = now()").await;
    let before = api.contents().await;
    api.send(read(ours).by_staff()).await.expect_problem(403, "impersonation_over");
    let change = rename(&api).by_staff().header("impersonation-session", &header);
    api.send(change).await.expect_problem(403, "impersonation_over");
    assert_eq!(api.contents().await, before);
}

#[tokio::test]
async fn a_malformed_session_is_named_by_every_operation_of_a_seller() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    for (operation, case) in cases().into_iter().filter(|(operation, _)| operation.is_of_seller()) {
        let call = case.call(&api, &operation, ours, ours).await.by(ours, "OWNER");
        for wrong in ["", "not-an-id", "' or true"] {
            let answer = api.send(call.clone().header("impersonation-session", wrong)).await;
            assert_eq!(refusal(&answer), (400, &json!("invalid_header")), "{}", operation.id);
            assert_eq!(answer.body["errors"][0]["field"], "impersonation-session", "{}", operation.id);
        }
    }
}
