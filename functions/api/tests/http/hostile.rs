//! No event ends the function or gets a server error. The tests use events that once did so, kept in `hostile.json`, and
//! hostile forms of the calls of every operation.

use std::collections::BTreeSet;

use api::gateway::READ_HEADERS;
use robnu_testkit::{MARKER, for_each_hostile};
use serde_json::{Value, json};

use crate::cases::cases;
use crate::document::operations;
use crate::logs::Captured;
use crate::support::{Answer, Api, Call, REQUEST_ID};

/// Hostile events of a usual run.
const CASES: usize = 600;

/// Passes an event to the function unchanged. Every result must be a response of the API itself.
async fn answer(api: &Api, event: &str) -> Answer {
    let answer = api.handler.handle(event, "invocation-1").await;
    let answer = Answer::of(&serde_json::to_value(answer).expect("an answer serializes"));
    let shown: String = event.chars().take(5_000).collect();
    assert!(answer.status.as_u16() < 500, "{}: {shown}", answer.text);
    let id = answer.headers["x-request-id"].to_str().expect("a plain id");
    if answer.status.as_u16() >= 400 {
        assert_eq!(answer.headers["content-type"], "application/problem+json", "{shown}");
        assert_eq!(answer.body["request_id"], id, "{shown}");
        assert_eq!(answer.body["status"], answer.status.as_u16(), "{shown}");
    }
    answer
}

/// A value of the corpus; a long one is written as a text and its number of repetitions.
fn value(written: &Value) -> Value {
    match (written["repeat"].as_str(), written["times"].as_u64()) {
        (Some(text), Some(times)) => text.repeat(usize::try_from(times).expect("a size")).into(),
        _ => written.clone(),
    }
}

/// Sets a field of an event, or removes it for null.
fn set(event: &mut Value, place: &str, written: &Value) {
    let (parent, name) = place.rsplit_once('/').expect("a place inside the event");
    let parent = event.pointer_mut(parent).expect(place).as_object_mut().expect(place);
    match written {
        Value::Null => drop(parent.remove(name)),
        _ => drop(parent.insert(name.to_owned(), value(written))),
    }
}

#[tokio::test]
async fn events_that_once_ended_the_function_get_a_response() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let corpus: Vec<Value> = serde_json::from_str(include_str!("hostile.json")).expect("the corpus is JSON");
    let accounts = format!("/v1/sellers/{}/accounts", ours.id);
    let before = api.contents().await;
    for case in corpus {
        let path = if case["seller"] == true { &accounts } else { "/v1/me" };
        let mut event = Call::new(case["method"].as_str().unwrap_or("GET"), path).by(ours, "OWNER").event();
        for (place, written) in case["set"].as_object().expect("changes") {
            set(&mut event, place, written);
        }
        let answer = answer(&api, &event.to_string()).await;
        assert_eq!(
            answer.status.as_u16(),
            u16::try_from(case["status"].as_u64().unwrap()).unwrap(),
            "{}: {}",
            case["why"],
            answer.text
        );
    }
    assert_eq!(api.contents().await, before);
}

#[tokio::test]
async fn the_documents_are_read_without_a_token_whatever_the_headers_say() {
    let api = Api::new().await;
    for (name, value) in
        [("x-forwarded-proto", "https, http"), ("host", "a b"), ("host", "[::1"), ("forwarded", "for=\"\0")]
    {
        api.send(Call::get("/v1/docs").header(name, value)).await.expect(200);
    }
}

#[tokio::test]
async fn an_event_of_another_source_is_refused() {
    let api = Api::new().await;
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let surrogate = Call::get("/v1/me").event().to_string().replace("api.execute-api", "\\ud800");
    for event in ["{}", "null", "[]", "7", "\"hunter2\"", "", "{", "\u{0}", &deep, &surrogate] {
        let refused = answer(&api, event).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.body["code"]),
            (400, &json!("malformed_request")),
            "{event:.200}"
        );
        assert!(!refused.text.contains(MARKER));
    }
}

#[tokio::test]
async fn hostile_forms_of_every_call_get_a_response_and_leave_nothing_in_the_log() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let mut events = Vec::new();
    for (operation, case) in cases() {
        case.prepare(&api, ours).await;
        events.push(case.success(&api, &operation, ours).await.event());
    }
    let captured = Captured::default();
    let guard = captured.listen();
    let mut statuses = BTreeSet::new();
    for_each_hostile(&events, CASES, async |mut event| {
        // The log holds only the id that API Gateway makes.
        if let Some(id) = event.pointer_mut("/requestContext/requestId") {
            *id = REQUEST_ID.into();
        }
        let text = event.to_string();
        statuses.insert(answer(&api, &text).await.status.as_u16());
    })
    .await;
    drop(guard);
    assert!(statuses.contains(&200) && statuses.contains(&400) && statuses.contains(&404), "{statuses:?}");
    let log = captured.text();
    let telling = log.lines().find(|line| line.contains(r#""target":"api"#) && line.contains(MARKER));
    assert_eq!(telling, None);
}

#[test]
fn every_header_that_an_operation_uses_reaches_it() {
    let named: BTreeSet<String> = operations()
        .iter()
        .flat_map(|operation| operation.whole["parameters"].as_array().into_iter().flatten())
        .filter(|parameter| parameter["in"] == "header")
        .map(|parameter| parameter["name"].as_str().expect("a name").to_lowercase())
        .collect();
    let read: BTreeSet<String> = READ_HEADERS.iter().map(ToString::to_string).collect();
    assert!(named.is_subset(&read), "{named:?}");
    assert_eq!(read.difference(&named).collect::<Vec<_>>(), ["content-type"]);
}

#[tokio::test]
async fn only_id_tokens_and_access_tokens_are_accepted() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    for path in
        ["/v1/me".to_owned(), format!("/v1/sellers/{}/orders", ours.id), "/v1/marketplaces".to_owned()]
    {
        let call = Call::get(&path).by(ours, "OWNER");
        for taken in ["id", "access"] {
            api.send(call.clone().claim("token_use", taken)).await.expect(200);
        }
        for refused in ["refresh", "", "ID", "access ", "null"] {
            api.send(call.clone().claim("token_use", refused)).await.expect_problem(401, "unauthenticated");
        }
        let mut event = call.event();
        set(&mut event, "/requestContext/authorizer/jwt/claims/token_use", &Value::Null);
        assert_eq!(answer(&api, &event.to_string()).await.status, 401);
    }
    // An access token can hold an email only by a trigger; it is still not an ID token.
    let body = json!({"name": "a"});
    let access = Call::post("/v1/sellers", &body).by(ours, "OWNER").claim("token_use", "access");
    api.send(access).await.expect_problem(400, "id_token_required");
}

#[tokio::test]
async fn an_id_has_one_spelling_wherever_it_is_sent() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let spellings = |id: &str| {
        let upper = id.to_uppercase();
        [upper, id.replace('-', ""), format!("{{{id}}}"), format!("urn:uuid:{id}"), format!("{id}\0")]
    };
    let (seller, account, order) = (ours.id.to_string(), ours.ajio.to_string(), ours.order.to_string());
    for other in spellings(&seller) {
        api.get("OWNER", &format!("/v1/sellers/{other}/orders")).await.expect_404();
    }
    for other in spellings(&order) {
        api.get("OWNER", &format!("/v1/sellers/{seller}/orders/{other}")).await.expect_404();
    }
    for other in spellings(&account) {
        let query = format!("account_id={}", other.replace('\0', "%00"));
        for list in ["runs", "returns", "claims", "payouts", "listings", "inventory", "shipments", "dispatch"]
        {
            let call = Call::get(&format!("/v1/sellers/{seller}/{list}")).query(&query).by(ours, "OWNER");
            let problem = api.send(call).await.expect_problem(400, "invalid_query");
            assert_eq!(problem["errors"][0]["field"], "account_id", "{list}");
        }
        let body = json!({"account_id": other});
        let authorize = format!("/v1/sellers/{seller}/accounts/authorizations");
        let refused = api.post("OWNER", &authorize, &body).await;
        assert!([400, 422].contains(&refused.status.as_u16()), "{}", refused.text);
    }
    for name in ["actor_id", "object_id"] {
        for other in spellings(&account) {
            let query = format!("{name}={}", other.replace('\0', "%00"));
            let call = Call::get(&format!("/v1/sellers/{seller}/audit")).query(&query).by(ours, "OWNER");
            api.send(call).await.expect_problem(400, "invalid_query");
        }
    }
    for other in spellings(&seller) {
        let body = json!({"seller_id": other, "reason": "a call", "role": "VIEWER", "minutes": 60});
        let problem = api.send(Call::post("/v1/admin/impersonations", &body).by_staff()).await;
        let problem = problem.expect_problem(422, "invalid_body");
        assert_eq!(problem["errors"][0], json!({"field": "seller_id", "problem": "must be an id"}));
    }
    let session = crate::access::session(&api).await.to_string();
    let orders = Call::get(&format!("/v1/sellers/{seller}/orders")).by_staff();
    api.send(orders.clone().header("impersonation-session", &session)).await.expect(200);
    for other in spellings(&session) {
        let refused = api.send(orders.clone().header("impersonation-session", &other)).await;
        refused.expect_problem(400, "invalid_header");
    }
}
