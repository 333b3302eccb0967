//! Usage: orders per Indian day.

use serde_json::{Value, json};

use crate::support::Api;

async fn usage(api: &Api, query: &str) -> Value {
    api.get("VIEWER", &format!("/v1/sellers/{}/usage{query}", api.sellers.ours.id)).await.expect(200)
}

/// Orders of both sellers that were placed at a time.
async fn place(api: &Api, at: &str, how_many: u32) {
    api.arrange(&format!(
        "insert into robnu.orders (seller_id, account_id, external_order_id, status, marketplace_status, placed_at, currency)
         select a.seller_id, a.id, gen_random_uuid()::text, 'PENDING', 'NEW', {at}, 'INR'
         from robnu.marketplace_accounts a, generate_series(1, {how_many}) where a.marketplace_code = 'AJIO'"
    ))
    .await;
}

fn day<'a>(usage: &'a Value, name: &str) -> &'a Value {
    usage["days"].as_array().unwrap().iter().find(|day| day["day"] == name).unwrap()
}

#[tokio::test]
async fn an_order_counts_on_the_indian_day_on_which_it_was_placed() {
    let api = Api::new().await;
    place(&api, "timestamptz '2026-02-01T18:29:59Z'", 1).await;
    place(&api, "timestamptz '2026-02-01T18:30:00Z'", 2).await;
    place(&api, "timestamptz '2026-02-02T18:29:59.999999Z'", 3).await;
    let usage = usage(&api, "?from=2026-02-01&to=2026-02-03").await;
    let counts: Vec<&Value> = usage["days"].as_array().unwrap().iter().map(|day| &day["orders"]).collect();
    assert_eq!(counts, [1, 5, 0]);
    assert_eq!((&usage["orders"], &usage["above"]), (&json!(6), &json!(0)));
}

#[tokio::test]
async fn orders_above_the_free_allowance_are_shown_day_by_day() {
    let api = Api::new().await;
    place(&api, "timestamptz '2026-02-01T06:00:00Z'", 25).await;
    place(&api, "timestamptz '2026-02-02T06:00:00Z'", 28).await;
    let usage = usage(&api, "?from=2026-02-01&to=2026-02-02").await;
    assert_eq!(
        day(&usage, "2026-02-01"),
        &json!({"day": "2026-02-01", "orders": 25, "free": 25, "above": 0, "noted_at": null})
    );
    assert_eq!(
        day(&usage, "2026-02-02"),
        &json!({"day": "2026-02-02", "orders": 28, "free": 25, "above": 3, "noted_at": null})
    );
    assert_eq!((&usage["orders"], &usage["above"]), (&json!(53), &json!(3)));
}

#[tokio::test]
async fn today_is_counted_live_whatever_span_is_asked_for() {
    let api = Api::new().await;
    place(&api, "now()", 2).await;
    let span = usage(&api, "?from=2026-01-01&to=2026-01-01").await;
    assert_eq!(span["today"]["orders"], 2);
    // The fixture's order.
    assert_eq!(span["orders"], 1);
    let latest = usage(&api, "").await;
    let days = latest["days"].as_array().unwrap();
    assert_eq!((days.len(), days.last().unwrap()), (30, &latest["today"]));
}

#[tokio::test]
async fn a_span_that_is_too_long_or_invalid_is_refused() {
    let api = Api::new().await;
    let path = |query: &str| format!("/v1/sellers/{}/usage{query}", api.sellers.ours.id);
    assert_eq!(usage(&api, "?from=2026-01-01&to=2026-04-02").await["days"].as_array().unwrap().len(), 92);
    for query in [
        "?from=2026-01-01&to=2026-04-03",
        "?from=2026-01-02&to=2026-01-01",
        "?from=0000-01-01&to=0000-01-02",
        "?from=+262000-01-01",
        "?to=9999-12-31",
        "?from=2026-02-30",
        "?days=3",
    ] {
        api.get("VIEWER", &path(query)).await.expect_problem(400, "invalid_query");
    }
}

#[tokio::test]
async fn a_day_that_the_seller_was_told_of_says_since_when_and_another_seller_s_notice_does_not_show() {
    let api = Api::new().await;
    let (ours, theirs) = (api.sellers.ours.id, api.sellers.theirs.id);
    api.arrange(&format!(
        "insert into robnu.usage_notices (seller_id, day, orders, noted_at)
         values ('{ours}', '2026-02-01', 26, '2026-02-02T20:00:00Z'), ('{theirs}', '2026-02-02', 26, now())"
    ))
    .await;
    let usage = usage(&api, "?from=2026-02-01&to=2026-02-02").await;
    assert_eq!(day(&usage, "2026-02-01")["noted_at"], "2026-02-02T20:00:00Z");
    assert_eq!(day(&usage, "2026-02-02")["noted_at"], Value::Null);
}
