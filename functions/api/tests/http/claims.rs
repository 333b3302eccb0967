//! Claims: when a claim can be filed, and its steps.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{Answer, Api, Call};

fn path(api: &Api, rest: &str) -> String {
    format!("/v1/sellers/{}/{rest}", api.sellers.ours.id)
}

/// Changes the fixture's return as `set` says and removes its claim, bypassing the triggers.
async fn unclaimed(api: &Api, set: &str) {
    let ours = api.sellers.ours.id;
    api.arrange(&format!(
        "set session_replication_role = replica; delete from robnu.claim_events where seller_id = '{ours}';
         delete from robnu.claims where seller_id = '{ours}';
         update robnu.returns set {set} where seller_id = '{ours}'"
    ))
    .await;
}

async fn file(api: &Api, body: &Value) -> Answer {
    api.post("OPERATOR", &path(api, &format!("returns/{}/claim", api.sellers.ours.return_id)), body).await
}

async fn step(api: &Api, role: &str, verb: &str, body: &Value) -> Answer {
    api.post(role, &path(api, &format!("claims/{}/{verb}", api.sellers.ours.claim)), body).await
}

#[tokio::test]
async fn a_return_that_did_not_come_is_claimed_for_when_it_counts_as_lost_or_is_said_to_be_delivered() {
    let api = Api::new().await;
    unclaimed(&api, "missing_at = now() + interval '1 hour'").await;
    let missing = json!({"reason": "NOT_RECEIVED", "claimed_amount": "648.3755", "note": "never came"});
    file(&api, &missing).await.expect_problem(409, "claim_window_open");
    unclaimed(&api, "missing_at = now() - interval '1 hour'").await;
    let filed = file(&api, &missing).await.expect(201);
    assert_eq!(
        (&filed["status"], &filed["claimed_amount"], &filed["currency"]),
        (&json!("FILED"), &json!("648.3755"), &json!("INR"))
    );
    assert_eq!(filed["file_by"], Value::Null, "AJIO's deadline is unknown");
    file(&api, &missing).await.expect_problem(409, "claim_exists");
    let delivered = "missing_at = now() + interval '1 hour', file_by_days = array_fill(7, array[6]), delivered_at = now() - interval ";
    unclaimed(&api, &format!("{delivered} '8 days'")).await;
    file(&api, &missing).await.expect_problem(409, "claim_window_over");
    unclaimed(&api, &format!("{delivered} '6 days'")).await;
    assert!(file(&api, &missing).await.expect(201)["file_by"].is_string());
}

#[tokio::test]
async fn a_return_that_came_is_claimed_for_until_its_deadline_and_not_as_missing() {
    let api = Api::new().await;
    let came = "received_at = now() - interval '10 days', internal_status = 'RECEIVED'";
    let completed = "delivered_at = now() - interval '10 days'";
    unclaimed(&api, &format!("{came}, {completed}, file_by_days = array_fill(9, array[6])")).await;
    file(&api, &json!({"reason": "DAMAGED"})).await.expect_problem(409, "claim_window_over");
    file(&api, &json!({"reason": "NOT_RECEIVED"})).await.expect_problem(409, "return_received");
    unclaimed(&api, &format!("{came}, {completed}, file_by_days = array_fill(11, array[6])")).await;
    assert_eq!(file(&api, &json!({"reason": "DAMAGED"})).await.expect(201)["reason"], "DAMAGED");
    unclaimed(&api, "received_at = null, internal_status = 'EXPECTED'").await;
    file(&api, &json!({"reason": "WRONG_ITEM"})).await.expect_problem(409, "return_not_received");
    unclaimed(&api, "status = 'CANCELLED'").await;
    file(&api, &json!({"reason": "NOT_RECEIVED"})).await.expect_problem(409, "return_cancelled");
}

#[tokio::test]
async fn a_claim_and_a_scan_at_the_same_time_see_each_other() {
    let api = Api::with_pool(4).await;
    let claim_of_return = "select coalesce((select status from robnu.claims where return_id = r.id), 'NONE') = $1 from robnu.returns r";
    for _ in 0..10 {
        unclaimed(&api, "received_at = null, received_by = null, internal_status = 'EXPECTED'").await;
        let (missing, code) = (json!({"reason": "NOT_RECEIVED"}), json!({"code": "RN1"}));
        let scan_path = path(&api, "returns/scan");
        let (filed, scanned) = tokio::join!(file(&api, &missing), api.post("SCANNER", &scan_path, &code));
        assert_eq!(scanned.expect(200)["outcome"], "RECEIVED");
        // Whichever came first: a claim has the receipt as evidence, or there is no claim.
        let expected = if filed.status.is_success() { "REOPENED_WITH_EVIDENCE" } else { "NONE" };
        if !filed.status.is_success() {
            filed.expect_problem(409, "return_received");
        }
        let ours = api.sellers.ours.id;
        let sql =
            format!("{claim_of_return} where seller_id = '{ours}'").replace("$1", &format!("'{expected}'"));
        let superuser = api.test.superuser().await;
        assert!(superuser.query_one(&sql, &[]).await.unwrap().get::<_, bool>(0), "{expected}");
    }
}

#[tokio::test]
async fn a_pending_claim_is_filed_in_its_place() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    api.arrange(&format!(
        "set session_replication_role = replica; update robnu.claims set status = 'PENDING', filed_at = null where seller_id = '{}'",
        ours.id
    ))
    .await;
    let filed =
        file(&api, &json!({"reason": "NOT_RECEIVED", "marketplace_reference": "T-9"})).await.expect(201);
    assert_eq!((&filed["claim_id"], &filed["status"]), (&json!(ours.claim), &json!("FILED")));
    assert!(filed["filed_at"].is_string());
    assert_eq!(filed["marketplace_reference"], "T-9");
}

/// The sweep's work on overdue returns, through its own entry function.
const CLAIM_OVERDUE: &str = include_str!("../../../sweep/src/sql/claim_overdue.sql");

/// Sweeps the fixture's return, whose window is over, after its claim was removed.
async fn swept(api: &Api) {
    unclaimed(api, "internal_status = 'EXPECTED'").await;
    let ours = &api.sellers.ours;
    let sweep = api.test.raw("robnu_sweep").await;
    sweep.batch_execute(&format!("begin; select robnu.enter_sweep('{}')", ours.id)).await.unwrap();
    assert_eq!(sweep.query(CLAIM_OVERDUE, &[&vec![ours.return_id]]).await.unwrap().len(), 1);
    sweep.batch_execute("commit").await.unwrap();
}

#[tokio::test]
async fn a_claim_that_the_sweep_made_is_listed_shown_and_filed_by_the_seller() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    swept(&api).await;
    let listed =
        api.get("VIEWER", &path(&api, "claims?status=PENDING&reason=NOT_RECEIVED")).await.expect(200);
    let [pending] = &listed["claims"].as_array().unwrap()[..] else { panic!("{listed}") };
    assert_eq!((&pending["return_id"], &pending["filed_at"]), (&json!(ours.return_id), &Value::Null));
    assert_eq!(pending["claimed_amount"], Value::Null);
    let claim = path(&api, &format!("claims/{}", pending["claim_id"].as_str().unwrap()));
    let shown = api.get("VIEWER", &claim).await.expect(200);
    let step = &shown["events"][0];
    assert_eq!(
        (&step["to_status"], &step["actor_kind"], &step["actor_id"]),
        (&json!("PENDING"), &json!("SYSTEM"), &Value::Null)
    );
    let waiting = api.get("VIEWER", &path(&api, "returns?internal_status=CLAIM_PENDING")).await.expect(200);
    assert_eq!(waiting["returns"][0]["return_id"], json!(ours.return_id));
    let back = api.get("VIEWER", &path(&api, &format!("returns/{}", ours.return_id))).await.expect(200);
    let last = back["events"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["event"], &last["actor_kind"]), (&json!("CLAIM_PENDING"), &json!("SYSTEM")));
    let trail = api.get("OWNER", &path(&api, "audit?action=claim.")).await.expect(200);
    assert_eq!(trail["events"][0]["actor"]["kind"], "SYSTEM");

    // The other seller's members see nothing of it, and their returns are unchanged.
    let theirs = format!("/v1/sellers/{}/claims?status=PENDING", api.sellers.theirs.id);
    let call = Call::get(&theirs).by(&api.sellers.theirs, "OWNER");
    assert_eq!(api.send(call).await.expect(200)["claims"], json!([]));

    // The claim says that the return did not arrive, so it can be filed only for that until the return arrives.
    file(&api, &json!({"reason": "DAMAGED"})).await.expect_problem(409, "return_not_received");
    let filed = file(&api, &json!({"reason": "NOT_RECEIVED", "claimed_amount": "10.5"})).await.expect(201);
    assert_eq!((&filed["claim_id"], &filed["status"]), (&pending["claim_id"], &json!("FILED")));
    assert!(filed["filed_at"].is_string());
    file(&api, &json!({"reason": "NOT_RECEIVED"})).await.expect_problem(409, "claim_exists");
    let scanned = api.post("SCANNER", &path(&api, "returns/scan"), &json!({"code": "RN1"})).await;
    assert_eq!(scanned.expect(200)["outcome"], "RECEIVED");
    file(&api, &json!({"reason": "DAMAGED"})).await.expect_problem(409, "claim_exists");
    let events = api.get("VIEWER", &claim).await.expect(200)["events"].clone();
    let steps: Vec<&Value> = events.as_array().unwrap().iter().map(|event| &event["to_status"]).collect();
    assert_eq!(steps, [&json!("PENDING"), &json!("FILED"), &json!("REOPENED_WITH_EVIDENCE")]);
}

#[tokio::test]
async fn a_pending_claim_is_cancelled_or_met_by_the_return_that_comes_after_all() {
    let api = Api::new().await;
    swept(&api).await;
    let pending =
        api.get("VIEWER", &path(&api, "claims?status=PENDING")).await.expect(200)["claims"][0].clone();
    let claim = path(&api, &format!("claims/{}", pending["claim_id"].as_str().unwrap()));
    let scanned = api.post("SCANNER", &path(&api, "returns/scan"), &json!({"code": "RN1"})).await.expect(200);
    assert_eq!(scanned["outcome"], "RECEIVED");
    let met = api.get("VIEWER", &claim).await.expect(200);
    assert_eq!((&met["status"], &met["filed_at"]), (&json!("REOPENED_WITH_EVIDENCE"), &Value::Null));
    // The claim was never filed, so it can now be filed for the content of the parcel.
    file(&api, &json!({"reason": "NOT_RECEIVED"})).await.expect_problem(409, "return_received");
    let filed = file(&api, &json!({"reason": "DAMAGED"})).await.expect(201);
    assert_eq!(
        (&filed["claim_id"], &filed["status"], &filed["reason"], &filed["status_reason"]),
        (&pending["claim_id"], &json!("FILED"), &json!("DAMAGED"), &Value::Null)
    );
    assert!(filed["filed_at"].is_string());

    let api = Api::new().await;
    swept(&api).await;
    let pending =
        api.get("VIEWER", &path(&api, "claims?status=PENDING")).await.expect(200)["claims"][0].clone();
    let cancel = path(&api, &format!("claims/{}/cancel", pending["claim_id"].as_str().unwrap()));
    let cancelled =
        api.post("OPERATOR", &cancel, &json!({"reason": "it was lost on our side"})).await.expect(200);
    assert_eq!(cancelled["status"], "CANCELLED");
    file(&api, &json!({"reason": "NOT_RECEIVED"})).await.expect_problem(409, "claim_exists");
}

#[tokio::test]
async fn every_field_of_a_claim_is_checked() {
    let api = Api::new().await;
    unclaimed(&api, "updated_at = now()").await;
    for (body, field) in [
        (json!({}), "reason"),
        (json!({"reason": "LOST"}), "reason"),
        (json!({"reason": "OTHER", "claimed_amount": 10.5}), "claimed_amount"),
        (json!({"reason": "OTHER", "claimed_amount": "10.00001"}), "claimed_amount"),
        (json!({"reason": "OTHER", "claimed_amount": "-1"}), "claimed_amount"),
        (json!({"reason": "OTHER", "note": ""}), "note"),
        (json!({"reason": "OTHER", "note": null}), "note"),
        (json!({"reason": "OTHER", "status": "RESOLVED_WON"}), "status"),
    ] {
        let refused = file(&api, &body).await.expect_problem(422, "invalid_body");
        assert_eq!(refused["errors"][0]["field"], field, "{body}");
    }
}

#[tokio::test]
async fn a_claim_goes_to_its_end_and_back_and_keeps_every_step() {
    let api = Api::new().await;
    let acknowledged =
        step(&api, "OPERATOR", "acknowledge", &json!({"marketplace_reference": "T-1"})).await.expect(200);
    assert_eq!(
        (&acknowledged["status"], &acknowledged["marketplace_reference"]),
        (&json!("ACKNOWLEDGED"), &json!("T-1"))
    );
    step(&api, "OPERATOR", "resolve-won", &json!({})).await.expect_problem(403, "forbidden");
    let won = step(&api, "FINANCE", "resolve-won", &json!({"recovered_amount": "9.0001"})).await.expect(200);
    assert_eq!((&won["status"], &won["recovered_amount"]), (&json!("RESOLVED_WON"), &json!("9.0001")));
    assert!(won["resolved_at"].is_string());
    let again =
        step(&api, "ADMIN", "reopen", &json!({"reason": "the marketplace took it back"})).await.expect(200);
    assert_eq!(
        (&again["status"], &again["recovered_amount"], &again["resolved_at"]),
        (&json!("FILED"), &Value::Null, &Value::Null)
    );
    let claim =
        api.get("VIEWER", &path(&api, &format!("claims/{}", api.sellers.ours.claim))).await.expect(200);
    let steps: Vec<(&Value, &Value)> = claim["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (&event["to_status"], &event["reason"]))
        .collect();
    assert_eq!(
        steps,
        [
            (&json!("FILED"), &Value::Null),
            (&json!("ACKNOWLEDGED"), &Value::Null),
            (&json!("RESOLVED_WON"), &Value::Null),
            (&json!("FILED"), &json!("the marketplace took it back")),
        ]
    );
}

#[tokio::test]
async fn the_recovered_amount_stays_in_a_won_claims_steps_when_a_scan_reopens_it() {
    let api = Api::new().await;
    step(&api, "OPERATOR", "acknowledge", &json!({})).await.expect(200);
    step(&api, "FINANCE", "resolve-won", &json!({"recovered_amount": "9.0001"})).await.expect(200);
    api.post("SCANNER", &path(&api, "returns/scan"), &json!({"code": "RN1"})).await.expect(200);
    step(&api, "OPERATOR", "acknowledge", &json!({})).await.expect(200);
    let claim =
        api.get("VIEWER", &path(&api, &format!("claims/{}", api.sellers.ours.claim))).await.expect(200);
    assert_eq!(claim["recovered_amount"], Value::Null, "it is no longer won");
    let amounts: Vec<(&Value, &Value)> = claim["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (&event["to_status"], &event["recovered_amount"]))
        .collect();
    assert_eq!(
        amounts,
        [
            (&json!("FILED"), &Value::Null),
            (&json!("ACKNOWLEDGED"), &Value::Null),
            (&json!("RESOLVED_WON"), &json!("9.0001")),
            (&json!("REOPENED_WITH_EVIDENCE"), &json!("9.0001")),
            (&json!("ACKNOWLEDGED"), &Value::Null),
        ]
    );
}

#[tokio::test]
async fn a_step_of_an_outdated_version_is_refused_and_the_claim_stays() {
    let api = Api::new().await;
    let (ours, claim) = (&api.sellers.ours, path(&api, &format!("claims/{}", api.sellers.ours.claim)));
    let shown = api.get("OWNER", &claim).await;
    let tag = shown.headers["etag"].to_str().unwrap().to_owned();
    let acknowledge = |tag: &str| {
        Call::post(&format!("{claim}/acknowledge"), &json!({})).by(ours, "OWNER").header("if-match", tag)
    };
    let done = api.send(acknowledge(&tag)).await;
    assert_ne!(done.headers["etag"].to_str().unwrap(), tag);
    done.expect(200);
    api.send(acknowledge(&tag)).await.expect_problem(412, "version_mismatch");
    api.send(acknowledge("*")).await.expect_problem(409, "claim_step");
}

const VERBS: [&str; 5] = ["acknowledge", "resolve-won", "resolve-lost", "cancel", "reopen"];

/// The status to which a verb moves a claim.
fn model(status: &str, verb: &str) -> Option<&'static str> {
    match (status, verb) {
        ("FILED" | "REOPENED_WITH_EVIDENCE", "acknowledge") => Some("ACKNOWLEDGED"),
        ("ACKNOWLEDGED", "resolve-won") => Some("RESOLVED_WON"),
        ("ACKNOWLEDGED", "resolve-lost") => Some("RESOLVED_LOST"),
        ("FILED" | "REOPENED_WITH_EVIDENCE" | "ACKNOWLEDGED", "cancel") => Some("CANCELLED"),
        ("RESOLVED_WON" | "RESOLVED_LOST" | "CANCELLED" | "REOPENED_WITH_EVIDENCE", "reopen") => {
            Some("FILED")
        }
        _ => None,
    }
}

/// Moves a claim by a list of verbs, with a scan at one place, and compares each response with the model.
async fn walk(verbs: &[usize], scan_at: usize) {
    let api = Api::new().await;
    let mut status = "FILED";
    let mut steps = 1;
    for (at, verb) in verbs.iter().map(|verb| VERBS[*verb]).enumerate() {
        if at == scan_at {
            api.post("OWNER", &path(&api, "returns/scan"), &json!({"code": "RN1"})).await.expect(200);
            if status != "CANCELLED" {
                status = "REOPENED_WITH_EVIDENCE";
                steps += 1;
            }
        }
        let body = if ["acknowledge", "resolve-won"].contains(&verb) {
            json!({})
        } else {
            json!({"reason": "because"})
        };
        let answer = step(&api, "OWNER", verb, &body).await;
        match model(status, verb) {
            Some(next) => {
                assert_eq!(answer.expect(200)["status"], next, "{status} {verb}");
                status = next;
                steps += 1;
            }
            None => _ = answer.expect_problem(409, "claim_step"),
        }
    }
    let claim =
        api.get("OWNER", &path(&api, &format!("claims/{}", api.sellers.ours.claim))).await.expect(200);
    assert_eq!(claim["status"], status);
    let events = claim["events"].as_array().unwrap();
    assert_eq!(events.len(), steps, "every step is kept, and nothing else");
    for pair in events.windows(2) {
        assert_eq!(pair[0]["to_status"], pair[1]["from_status"]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 20, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn a_claim_follows_the_model_under_any_sequence_of_steps(verbs in prop::collection::vec(0..VERBS.len(), 1..12), scan_at in 0..12_usize) {
        tokio::runtime::Runtime::new().unwrap().block_on(walk(&verbs, scan_at));
    }
}

#[tokio::test]
async fn a_claim_with_many_steps_shows_the_newest_and_counts_all() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let shown = async || api.get("VIEWER", &path(&api, &format!("claims/{}", ours.claim))).await.expect(200);
    let before = shown().await;
    assert_eq!(before["events_total"], json!(before["events"].as_array().map(Vec::len)));
    api.arrange(&format!(
        "insert into robnu.claim_events (seller_id, claim_id, to_status, actor_kind, occurred_at)
         select '{}', '{}', 'FILED', 'MEMBER', timestamptz '2026-05-01T00:00:00Z' + n * interval '1 second' from generate_series(1, 300) n",
        ours.id, ours.claim
    ))
    .await;
    let whole = shown().await;
    let events = whole["events"].as_array().unwrap();
    let all = before["events_total"].as_i64().unwrap() + 300;
    assert_eq!((whole["events_total"].as_i64(), events.len()), (Some(all), 200));
    assert_eq!(
        (&events[0]["occurred_at"], &events[199]["occurred_at"]),
        (&json!("2026-05-01T00:01:41Z"), &json!("2026-05-01T00:05:00Z"))
    );
}
