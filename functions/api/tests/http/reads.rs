//! The responses of reads.

use serde_json::{Value, json};

use crate::support::{Api, ROLES};

#[tokio::test]
async fn every_role_reads_orders_runs_and_accounts() {
    let api = Api::new().await;
    let seller = format!("/v1/sellers/{}", api.sellers.ours.id);
    for role in ROLES {
        assert_eq!(api.get(role, &seller).await.expect(200)["role"], role);
        for list in ["accounts", "runs", "orders"] {
            let page = api.get(role, &format!("{seller}/{list}")).await.expect(200);
            assert!(!page[list].as_array().unwrap().is_empty(), "{role} {list}");
        }
    }
}

#[tokio::test]
async fn an_order_comes_whole_with_amounts_as_decimal_text() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    api.arrange("update robnu.order_items set line_amount = 0.005 where external_item_id = 'FN1-2'").await;
    let order =
        api.get("VIEWER", &format!("/v1/sellers/{}/orders/{}", ours.id, ours.order)).await.expect(200);
    assert_eq!(order["order_id"], json!(ours.order));
    assert_eq!(order["placed_at"], "2026-01-01T00:00:00Z");
    assert_eq!((&order["total_amount"], &order["currency"]), (&json!("20.00"), &json!("INR")));
    assert_eq!((&order["status"], &order["marketplace_status"]), (&json!("PENDING"), &json!("PENDENCY")));
    let amounts: Vec<&Value> =
        order["lines"].as_array().unwrap().iter().map(|line| &line["line_amount"]).collect();
    assert_eq!(amounts, ["10.00", "0.005"]);
    assert_eq!(order["shipments"][0]["external_shipment_id"], "FN1");
}

#[tokio::test]
async fn a_run_says_what_it_found_or_why_it_failed() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let path = format!("/v1/sellers/{}/runs/{}", ours.id, ours.run);
    api.arrange(&format!(
        "update robnu.sync_run_counts set unchanged = 3 where run_id = '{0}';
         insert into robnu.sync_run_counts select seller_id, id, 'ORDER_LINES', 0, 0, 3, 0 from robnu.sync_runs where id = '{0}'",
        ours.run
    ))
    .await;
    for (change, outcome) in [
        ("sync_runs set pages = 1", json!("unchanged")),
        ("sync_runs set quarantined = 2", json!("quarantined")),
        ("sync_run_counts set changed = 1 where stream = 'ORDER_LINES'", json!("changed")),
        ("sync_run_counts set added = 1 where stream = 'ORDERS'", json!("new")),
        ("sync_runs set state = 'RUNNING'", json!(null)),
    ] {
        api.arrange(&format!("update robnu.{change}")).await;
        let run = api.get("VIEWER", &path).await.expect(200);
        assert_eq!((&run["outcome"], &run["error"]), (&outcome, &json!(null)), "{change}");
    }
    api.arrange(&format!(
        "update robnu.sync_runs set state = 'FAILED', error_code = 'credentials', error_message = 'refused'
         where id = '{}'",
        ours.run
    ))
    .await;
    let run = api.get("VIEWER", &path).await.expect(200);
    assert_eq!(run["error"], json!({"code": "credentials", "message": "refused"}));
    let orders = json!({"stream": "ORDERS", "added": 1, "changed": 0, "unchanged": 3, "removed": 0});
    assert_eq!((&run["counts"][0], &run["quarantined"]), (&orders, &json!(2)));
}

#[tokio::test]
async fn a_missing_resource_is_not_found_whatever_its_id_looks_like() {
    let api = Api::new().await;
    let seller = format!("/v1/sellers/{}", api.sellers.ours.id);
    for id in ["0198a1b2-0000-7000-8000-000000000000", "not-an-id", "0", "A.B_c-D"] {
        api.get("OWNER", &format!("/v1/sellers/{id}")).await.expect_problem(404, "seller_not_found");
        api.get("OWNER", &format!("{seller}/runs/{id}")).await.expect_problem(404, "run_not_found");
        api.get("OWNER", &format!("{seller}/orders/{id}")).await.expect_problem(404, "order_not_found");
    }
    for id in ["%27%3B", "'", "%00"] {
        api.get("OWNER", &format!("{seller}/orders/{id}")).await.expect_problem(404, "route_not_found");
    }
}

#[tokio::test]
async fn accounts_show_nothing_secret() {
    let api = Api::new().await;
    let answer = api.get("OWNER", &format!("/v1/sellers/{}/accounts", api.sellers.ours.id)).await;
    let account = &answer.body["accounts"][0];
    let mut fields: Vec<&String> = account.as_object().unwrap().keys().collect();
    fields.sort();
    let expected = [
        "account_id",
        "created_at",
        "display_name",
        "external_account_id",
        "external_account_id_source",
        "is_stale",
        "kinds",
        "lane_state",
        "last_validated_at",
        "last_validation",
        "marketplace",
        "needs_reconnect",
        "quarantined",
        "status",
        "verified_at",
        "version",
    ];
    assert_eq!(fields, expected);
}
