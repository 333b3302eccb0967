//! Lists: pages, filters and cursors.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::support::{Api, Call};

/// Seven more orders for each seller: three of them placed at the same instant, two of another account and status.
async fn fill(api: &Api) {
    for seller in [&api.sellers.ours, &api.sellers.theirs] {
        api.arrange(&format!(
            "insert into robnu.orders (seller_id, account_id, external_order_id, status, marketplace_status, placed_at, currency)
             select '{0}', case when n < 5 then '{1}'::uuid else '{2}' end, 'X' || n,
               case when n < 5 then 'PENDING' else 'SHIPPED' end, 'x',
               timestamptz '2026-02-01T00:00:00.123456Z' + make_interval(secs => n / 3), 'INR'
             from generate_series(0, 6) n;
             insert into robnu.sync_runs (seller_id, account_id, marketplace_code, kind, trigger, state)
             select '{0}', case when n < 5 then '{1}'::uuid else '{2}' end, 'AJIO', 'ORDERS', 'SCHEDULE', 'SUCCEEDED'
             from generate_series(0, 6) n;",
            seller.id, seller.ajio, seller.amazon
        ))
        .await;
    }
}

/// All pages of a list, joined.
async fn walk(api: &Api, list: &str, id: &str, filter: &str, limit: usize) -> Vec<Value> {
    let base = format!("/v1/sellers/{}/{list}?limit={limit}{filter}", api.sellers.ours.id);
    let (mut all, mut path) = (Vec::new(), base.clone());
    loop {
        let page = api.get("VIEWER", &path).await.expect(200);
        let rows = page[list].as_array().unwrap().clone();
        assert!(rows.len() <= limit);
        all.extend(rows);
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("{base}&cursor={cursor}"),
            None => break,
        }
    }
    let distinct: BTreeSet<&str> = all.iter().map(|row| row[id].as_str().unwrap()).collect();
    assert_eq!(distinct.len(), all.len(), "no row comes twice");
    all
}

#[tokio::test]
async fn pages_of_any_length_add_up_to_the_same_orders_latest_first() {
    let api = Api::new().await;
    fill(&api).await;
    let whole = walk(&api, "orders", "order_id", "", 200).await;
    assert_eq!(whole.len(), 8);
    assert!(
        whole.is_sorted_by_key(|order| std::cmp::Reverse(order["placed_at"].as_str().unwrap().to_owned()))
    );
    for limit in [1, 2, 3, 8] {
        assert_eq!(walk(&api, "orders", "order_id", "", limit).await, whole, "limit {limit}");
    }
}

#[tokio::test]
async fn pages_of_any_length_add_up_to_the_same_runs_newest_first() {
    let api = Api::new().await;
    fill(&api).await;
    let whole = walk(&api, "runs", "run_id", "", 200).await;
    assert_eq!(whole.len(), 8);
    for limit in [1, 3, 8] {
        assert_eq!(walk(&api, "runs", "run_id", "", limit).await, whole, "limit {limit}");
    }
    let amazon = format!("&account_id={}", api.sellers.ours.amazon);
    assert_eq!(walk(&api, "runs", "run_id", &amazon, 1).await.len(), 2);
}

#[tokio::test]
async fn pages_of_any_length_add_up_to_the_same_accounts_oldest_first() {
    let api = Api::new().await;
    for seller in [&api.sellers.ours, &api.sellers.theirs] {
        api.arrange(&format!(
            "insert into robnu.marketplace_accounts (seller_id, marketplace_code, external_account_id, display_name, created_at)
             select '{}', 'AJIO', 'L' || n, 'one of many', '2026-01-01T00:00:00Z' from generate_series(1, 206) n",
            seller.id
        ))
        .await;
    }
    let whole = walk(&api, "accounts", "account_id", "", 200).await;
    let all = format!(
        "select count(*) from robnu.marketplace_accounts where seller_id = '{}'",
        api.sellers.ours.id
    );
    assert_eq!(i64::try_from(whole.len()).unwrap(), api.count(&all).await);
    assert!(whole.is_sorted_by_key(|account| account["account_id"].as_str().unwrap().to_owned()));
    for limit in [50, 103] {
        assert_eq!(walk(&api, "accounts", "account_id", "", limit).await, whole, "limit {limit}");
    }
    let first = api.get("VIEWER", &format!("/v1/sellers/{}/accounts", api.sellers.ours.id)).await.expect(200);
    assert_eq!(first["accounts"].as_array().map(Vec::len), Some(50), "the default limit applies");
}

#[tokio::test]
async fn filters_narrow_and_another_sellers_account_has_nothing() {
    let api = Api::new().await;
    fill(&api).await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    for (filter, expected) in [
        (format!("&account_id={}", ours.amazon), 2),
        ("&status=SHIPPED".to_owned(), 2),
        ("&status=PENDING".to_owned(), 6),
        (format!("&status=SHIPPED&account_id={}", ours.ajio), 0),
        (format!("&account_id={}", theirs.ajio), 0),
    ] {
        let found = walk(&api, "orders", "order_id", &filter, 1).await;
        assert_eq!(found.len(), expected, "{filter}");
    }
    assert!(walk(&api, "runs", "run_id", &format!("&account_id={}", theirs.ajio), 5).await.is_empty());
}

#[tokio::test]
async fn a_cursor_of_another_seller_list_or_filter_is_refused() {
    let api = Api::new().await;
    fill(&api).await;
    let (ours, theirs) = (&api.sellers.ours, &api.sellers.theirs);
    let orders = |seller: &robnu_testkit::Seller| format!("/v1/sellers/{}/orders?limit=2", seller.id);
    let page = api.get("VIEWER", &orders(ours)).await.expect(200);
    let cursor = page["next_cursor"].as_str().unwrap();
    api.get("VIEWER", &format!("{}&cursor={cursor}", orders(ours))).await.expect(200);

    let elsewhere = Call::get(&format!("{}&cursor={cursor}", orders(theirs))).by(theirs, "VIEWER");
    api.send(elsewhere).await.expect_problem(400, "invalid_cursor");
    let tampered = format!("{}A", &cursor[..cursor.len() - 1]);
    for wrong in [
        format!("{}&status=PENDING&cursor={cursor}", orders(ours)),
        format!("/v1/sellers/{}/runs?cursor={cursor}", ours.id),
        format!("{}&cursor=", orders(ours)),
        format!("{}&cursor=%00", orders(ours)),
        format!("{}&cursor={}", orders(ours), if tampered == cursor { "B" } else { &tampered }),
    ] {
        api.get("VIEWER", &wrong).await.expect_problem(400, "invalid_cursor");
    }
}

#[tokio::test]
async fn wrong_parameters_are_named_and_not_repeated() {
    let api = Api::new().await;
    let base = format!("/v1/sellers/{}/orders", api.sellers.ours.id);
    for (query, field) in [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=-1", "limit"),
        ("limit=many", "limit"),
        ("limit=1&limit=2", "limit"),
        ("account_id=s3cret", "account_id"),
        ("status=s3cret", "status"),
        ("state=s3cret", "state"),
    ] {
        let answer = api.get("VIEWER", &format!("{base}?{query}")).await;
        assert!(!answer.text.contains("s3cret"), "{}", answer.text);
        let problem = answer.expect_problem(400, "invalid_query");
        assert_eq!(problem["errors"][0]["field"], field, "{query}");
    }
}
