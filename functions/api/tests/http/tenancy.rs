//! Every operation from the wrong tenant, with the right tenant's success beside it, and without a token.

use serde_json::json;

use crate::cases::cases;
use crate::support::{Api, ajio};

/// Operations that belong to no seller, and the reasons. This list may only shrink.
const WITHOUT_TENANT: [&str; 4] = [
    "get_me",            // the caller, whose memberships the database picks by the token's subject
    "sign_up",           // makes a new seller
    "accept_invitation", // joins the seller of the invitation's token
    "list_marketplaces", // the same for everybody
];

#[tokio::test]
async fn another_sellers_owner_finds_nothing_and_changes_nothing_where_the_right_owner_succeeds() {
    let api = Api::new().await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    for (operation, case) in cases().into_iter().filter(|(operation, _)| operation.is_of_seller()) {
        for seller in [ours, theirs] {
            case.prepare(&api, seller).await;
        }
        let before = api.contents().await;
        let refused = api.send(case.call(&api, &operation, theirs, theirs).await.by(ours, "OWNER")).await;
        assert_eq!(
            (refused.status.as_u16(), &refused.body["code"]),
            (404, &json!("seller_not_found")),
            "{}",
            operation.id
        );
        if operation.has_inner_id() {
            let mixed = api.send(case.call(&api, &operation, ours, theirs).await.by(ours, "OWNER")).await;
            assert_eq!(mixed.status, 404, "{}: {}", operation.id, mixed.text);
        }
        assert_eq!(api.contents().await, before, "{}", operation.id);
        api.send(case.success(&api, &operation, theirs).await).await.expect(case.status);
    }
}

#[tokio::test]
async fn a_call_without_a_token_reveals_nothing() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    for (operation, case) in cases() {
        case.prepare(&api, ours).await;
        let call = case.call(&api, &operation, ours, ours).await;
        let before = api.contents().await;
        api.send(call.clone()).await.expect_problem(401, "unauthenticated");
        api.send(call.clone().by_subject("")).await.expect_problem(401, "unauthenticated");
        api.send(call.claim("email", "a@example.invalid")).await.expect_problem(401, "unauthenticated");
        assert_eq!(api.contents().await, before, "{}", operation.id);
    }
}

#[tokio::test]
async fn a_staff_operation_does_not_exist_for_others() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    for (operation, case) in cases().into_iter().filter(|(operation, _)| operation.is_staff()) {
        case.prepare(&api, ours).await;
        let before = api.contents().await;
        let call = case.call(&api, &operation, ours, ours).await.by(ours, "OWNER");
        api.send(call).await.expect_problem(404, "route_not_found");
        assert_eq!(api.contents().await, before, "{}", operation.id);
    }
}

#[test]
fn every_operation_belongs_to_a_seller_to_staff_or_to_the_list_of_exceptions() {
    let without: Vec<String> = cases()
        .into_iter()
        .filter(|(operation, _)| !operation.is_of_seller() && !operation.is_staff())
        .map(|(operation, _)| operation.id)
        .collect();
    let strangers: Vec<_> = without.iter().filter(|id| !WITHOUT_TENANT.contains(&id.as_str())).collect();
    assert!(strangers.is_empty(), "{strangers:?}");
    assert_eq!(without.len(), WITHOUT_TENANT.len(), "an exception is gone: shrink the list");
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
