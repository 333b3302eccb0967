//! Open orders by dispatch deadline.

use serde_json::{Value, json};

use crate::support::Api;

fn path(api: &Api, rest: &str) -> String {
    format!("/v1/sellers/{}/dispatch{rest}", api.sellers.ours.id)
}

/// Orders of both our accounts: (number, account, status, fulfilled by, by when).
async fn fill(api: &Api) {
    let ours = &api.sellers.ours;
    api.arrange(&format!(
        "delete from robnu.return_items; set session_replication_role = replica; delete from robnu.order_items; delete from robnu.orders;
         set session_replication_role = origin;
         insert into robnu.orders (seller_id, account_id, external_order_id, status, fulfilled_by, dispatch_by, marketplace_status, placed_at, currency)
         select '{0}', case when v.amazon then '{2}'::uuid else '{1}'::uuid end, v.number, v.status, v.sender, v.due::timestamptz, 'x', '2026-01-01Z', 'INR'
         from (values
           ('LATE', false, 'CONFIRMED', null, '2026-01-02T10:00:00Z'),
           ('LATE-TOO', true, 'PARTIALLY_SHIPPED', 'SELLER', '2026-01-02T18:29:59Z'),
           ('NEXT-DAY', true, 'PACKED', 'SELLER', '2026-01-02T18:30:00Z'),
           ('LATER', false, 'READY_TO_DISPATCH', null, '2999-01-01T10:00:00Z'),
           ('SOMETIME', false, 'PENDING', null, null),
           ('GONE', false, 'SHIPPED', null, '2026-01-01T00:00:00Z'),
           ('OFF', true, 'CANCELLED', null, '2026-01-01T00:00:00Z'),
           ('THEIRS-TO-SEND', true, 'CONFIRMED', 'MARKETPLACE', '2026-01-01T00:00:00Z')
         ) as v (number, amazon, status, sender, due)",
        ours.id, ours.ajio, ours.amazon
    ))
    .await;
}

fn numbers(page: &Value) -> Vec<&str> {
    page["orders"]
        .as_array()
        .unwrap()
        .iter()
        .map(|order| order["external_order_id"].as_str().unwrap())
        .collect()
}

#[tokio::test]
async fn open_orders_of_all_marketplaces_are_sorted_by_deadline_and_late_ones_are_marked() {
    let api = Api::new().await;
    fill(&api).await;
    let page = api.get("VIEWER", &path(&api, "")).await.expect(200);
    assert_eq!(numbers(&page), ["LATE", "LATE-TOO", "NEXT-DAY", "LATER"]);
    let overdue: Vec<&Value> =
        page["orders"].as_array().unwrap().iter().map(|order| &order["overdue"]).collect();
    assert_eq!(overdue, [true, true, true, false]);
    let undated = api.get("VIEWER", &path(&api, "?undated=true")).await.expect(200);
    assert_eq!(numbers(&undated), ["SOMETIME"]);
}

#[tokio::test]
async fn the_summary_counts_per_marketplace_and_indian_day() {
    let api = Api::new().await;
    fill(&api).await;
    let page = api.get("VIEWER", &path(&api, "?limit=1")).await.expect(200);
    let day = |marketplace: &str, day: Value, orders: i64, overdue: i64| json!({"marketplace": marketplace, "day": day, "orders": orders, "overdue": overdue});
    assert_eq!(
        page["summary"],
        json!([
            day("AJIO", json!("2026-01-02"), 1, 1),
            day("AMAZON_IN", json!("2026-01-02"), 1, 1),
            day("AMAZON_IN", json!("2026-01-03"), 1, 1),
            day("AJIO", json!("2999-01-01"), 1, 0),
            day("AJIO", Value::Null, 1, 0),
        ])
    );
}

#[tokio::test]
async fn pages_and_filters_narrow_orders_and_summary_alike() {
    let api = Api::new().await;
    fill(&api).await;
    let (mut all, mut query) = (Vec::new(), "?limit=1".to_owned());
    loop {
        let page = api.get("VIEWER", &path(&api, &query)).await.expect(200);
        all.extend(numbers(&page).iter().map(|number| (*number).to_owned()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        query = format!("?limit=1&cursor={cursor}");
    }
    assert_eq!(all, ["LATE", "LATE-TOO", "NEXT-DAY", "LATER"]);
    for (filter, expected, days) in [
        ("?marketplace=AMAZON_IN", vec!["LATE-TOO", "NEXT-DAY"], 2),
        ("?until=2026-01-02T18:29:59Z", vec!["LATE", "LATE-TOO"], 3),
        ("?until=2026-01-02T18:29:59Z&marketplace=AMAZON_IN", vec!["LATE-TOO"], 1),
    ] {
        let page = api.get("VIEWER", &path(&api, filter)).await.expect(200);
        assert_eq!(numbers(&page), expected, "{filter}");
        assert_eq!(page["summary"].as_array().unwrap().len(), days, "{filter}");
    }
}

#[tokio::test]
async fn what_is_on_hold_or_may_not_leave_yet_says_so_wherever_it_is_listed() {
    let api = Api::new().await;
    fill(&api).await;
    api.arrange(
        "update robnu.orders set on_hold = true, dispatch_after = '2026-01-02T04:00:00Z', is_replacement = true
         where external_order_id in ('LATE', 'SOMETIME');
         insert into robnu.shipments (seller_id, order_id, external_shipment_id, status, shipment_type, dispatch_after, dispatch_by,
           on_hold, package_count)
         select seller_id, id, 'PARCEL', 'CONFIRMED', 'SELF', dispatch_after, dispatch_by, true, 2
         from robnu.orders where external_order_id = 'LATE'",
    )
    .await;
    let stated = |order: &Value| {
        ["external_order_id", "on_hold", "dispatch_after", "is_replacement"].map(|field| order[field].clone())
    };
    let held = |number: &str| [json!(number), json!(true), json!("2026-01-02T04:00:00Z"), json!(true)];
    let free = |number: &str| [json!(number), json!(false), Value::Null, json!(false)];
    let dispatch = api.get("VIEWER", &path(&api, "?limit=2")).await.expect(200);
    let rows = dispatch["orders"].as_array().unwrap();
    assert_eq!([stated(&rows[0]), stated(&rows[1])], [held("LATE"), free("LATE-TOO")]);
    let undated = api.get("VIEWER", &path(&api, "?undated=true")).await.expect(200);
    assert_eq!(stated(&undated["orders"][0]), held("SOMETIME"));

    let ours = format!("/v1/sellers/{}", api.sellers.ours.id);
    for sort in
        ["?sort=dispatch_by&limit=200", "?limit=200", "?status=CONFIRMED", "?marketplace=AJIO&limit=200"]
    {
        let orders = api.get("VIEWER", &format!("{ours}/orders{sort}")).await.expect(200);
        let found =
            orders["orders"].as_array().unwrap().iter().find(|order| order["external_order_id"] == "LATE");
        assert_eq!(found.map(stated), Some(held("LATE")), "{sort}");
    }
    let id = rows[0]["order_id"].as_str().unwrap();
    let order = api.get("VIEWER", &format!("{ours}/orders/{id}")).await.expect(200);
    assert_eq!(stated(&order), held("LATE"));
    let listed = api.get("VIEWER", &format!("{ours}/shipments?order_id={id}")).await.expect(200);
    let shown = listed["shipments"][0]["shipment_id"].as_str().unwrap();
    let single = api.get("VIEWER", &format!("{ours}/shipments/{shown}")).await.expect(200);
    for parcel in [&order["shipments"][0], &listed["shipments"][0], &single] {
        let fields = ["shipment_type", "dispatch_after", "dispatch_by", "on_hold", "package_count"];
        let expected = json!(["SELF", "2026-01-02T04:00:00Z", "2026-01-02T10:00:00Z", true, 2])
            .as_array()
            .unwrap()
            .clone();
        assert_eq!(fields.map(|field| parcel[field].clone()).to_vec(), expected);
    }
}
