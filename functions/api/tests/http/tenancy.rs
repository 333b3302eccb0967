//! Every route from the wrong tenant, with the right tenant's success beside it.

use api::routes::routes;
use robnu_testkit::Seller;
use serde_json::{Value, json};

use crate::support::{Api, Call, ajio};

/// A route that belongs to a seller.
struct Case {
    method: &'static str,
    route: &'static str,
    body: Option<Value>,
    /// What the right tenant gets.
    succeeds: u16,
    /// Whether the path names a thing inside the seller, so that its id can be used under another seller.
    has_inner_id: bool,
}

/// Routes that belong to no seller, and why. This list may only shrink.
const WITHOUT_TENANT: [(&str, &str); 3] = [
    ("GET", "/v1/me"), // the caller, whose memberships the database picks by the token's subject
    ("POST", "/v1/sellers"), // makes a seller that was not there before
    ("GET", "/v1/marketplaces"), // the same for everybody
];

fn cases() -> Vec<Case> {
    let read = |route, has_inner_id| Case { method: "GET", route, body: None, succeeds: 200, has_inner_id };
    let write = |route, body, succeeds, has_inner_id| Case {
        method: "POST",
        route,
        body: Some(body),
        succeeds,
        has_inner_id,
    };
    let details = json!({"details": {"username": "DV0001", "password": "correct horse"}});
    let credentials = "/v1/sellers/{sellerId}/accounts/{accountId}/credentials";
    vec![
        read("/v1/sellers/{sellerId}", false),
        read("/v1/sellers/{sellerId}/accounts", false),
        read("/v1/sellers/{sellerId}/runs", false),
        read("/v1/sellers/{sellerId}/runs/{runId}", true),
        read("/v1/sellers/{sellerId}/orders", false),
        read("/v1/sellers/{sellerId}/orders/{orderId}", true),
        write("/v1/sellers/{sellerId}/accounts", ajio("DV0002"), 201, false),
        write("/v1/sellers/{sellerId}/accounts/{accountId}/sync", json!({"kind": "ORDERS"}), 202, true),
        Case { method: "PUT", ..write(credentials, details, 200, true) },
    ]
}

impl Case {
    /// The call, with the seller's id from one seller and what is inside it from another.
    fn call(&self, seller: &Seller, inside: &Seller) -> Call {
        let path = self
            .route
            .replace("{sellerId}", &seller.id.to_string())
            .replace("{accountId}", &inside.ajio.to_string())
            .replace("{runId}", &inside.run.to_string())
            .replace("{orderId}", &inside.order.to_string());
        let call = Call::new(self.method, &path);
        match &self.body {
            Some(body) => call.text(&body.to_string()),
            None => call,
        }
    }
}

#[tokio::test]
async fn another_sellers_owner_finds_nothing_and_changes_nothing_where_the_right_owner_succeeds() {
    let api = Api::new().await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    for case in cases() {
        let before = api.contents().await;
        let refused = api.send(case.call(theirs, theirs).by(ours, "OWNER")).await;
        refused.expect_problem(404, "seller_not_found");
        if case.has_inner_id {
            let refused = api.send(case.call(ours, theirs).by(ours, "OWNER")).await;
            assert_eq!(refused.status, 404, "{} {}: {}", case.method, case.route, refused.text);
        }
        assert_eq!(api.contents().await, before, "{} {}", case.method, case.route);
        api.send(case.call(theirs, theirs).by(theirs, "OWNER")).await.expect(case.succeeds);
    }
    assert!(
        api.cloud.messages(&api.cloud.lane_requests).await.len() == 2,
        "only the right owner's accounts ring"
    );
}

#[tokio::test]
async fn a_route_without_a_token_tells_nothing() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    for route in routes() {
        let case =
            cases().into_iter().find(|case| case.method == route.method.as_str() && case.route == route.path);
        let call = case.map_or_else(
            || Call::new(route.method.as_str(), route.path).text(r#"{"name":"a"}"#),
            |case| case.call(ours, ours),
        );
        let before = api.contents().await;
        api.send(call.clone()).await.expect_problem(401, "unauthenticated");
        api.send(call.clone().by_subject("")).await.expect_problem(401, "unauthenticated");
        api.send(call.claim("email", "a@example.invalid")).await.expect_problem(401, "unauthenticated");
        assert_eq!(api.contents().await, before, "{} {}", route.method, route.path);
    }
}

#[test]
fn every_route_has_a_case_here() {
    let mut covered: Vec<(String, String)> =
        cases().iter().map(|case| (case.method.to_owned(), case.route.to_owned())).collect();
    covered.extend(WITHOUT_TENANT.map(|(method, path)| (method.to_owned(), path.to_owned())));
    covered.sort();
    let mut declared: Vec<(String, String)> =
        routes().iter().map(|route| (route.method.to_string(), route.path.to_owned())).collect();
    declared.sort();
    assert_eq!(covered, declared);
}

#[tokio::test]
async fn a_member_of_two_sellers_sees_each_through_its_own_path_only() {
    let api = Api::new().await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    api.arrange(&format!(
        "insert into robnu.members (seller_id, person_id, role)
         select '{}', id, 'VIEWER' from robnu.people where subject = 'OWNER@{}'",
        theirs.id, ours.id
    ))
    .await;
    let me = api.get("OWNER", "/v1/me").await.expect(200);
    assert_eq!(me["sellers"].as_array().unwrap().len(), 2);
    let path = format!("/v1/sellers/{}", theirs.id);
    assert_eq!(api.get("OWNER", &path).await.expect(200)["role"], "VIEWER");
    let orders = api.get("OWNER", &format!("{path}/orders")).await.expect(200);
    assert_eq!(orders["orders"][0]["order_id"], theirs.order.to_string());
    let connect = api.post("OWNER", &format!("{path}/accounts"), &ajio("DV7")).await;
    connect.expect_problem(403, "forbidden");
    let mixed = format!("{path}/orders/{}", ours.order);
    api.get("OWNER", &mixed).await.expect_problem(404, "order_not_found");
}
