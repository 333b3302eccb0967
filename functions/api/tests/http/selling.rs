//! Lists of orders, shipments, returns, claims, payouts, listings and stock: filters, sort orders and cursors; search; and
//! customers.

use std::collections::BTreeSet;

use chrono::DateTime;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Value, json};

use crate::support::Api;

fn path(api: &Api, rest: &str) -> String {
    format!("/v1/sellers/{}/{rest}", api.sellers.ours.id)
}

/// Eleven rows in each list for each seller, several with equal times and amounts, in two accounts.
async fn fill(api: &Api) {
    for seller in [&api.sellers.ours, &api.sellers.theirs] {
        let (id, ajio, amazon) = (seller.id, seller.ajio, seller.amazon);
        api.arrange(&format!(
            "create temp table n as select n, case when n < 7 then '{ajio}'::uuid else '{amazon}'::uuid end as account,
               timestamptz '2026-02-01T00:00:00.5Z' + make_interval(hours => n / 3) as at from generate_series(0, 10) n;
             insert into robnu.orders (seller_id, account_id, external_order_id, status, marketplace_status, placed_at, dispatch_by, currency)
               select '{id}', account, 'X' || n, case when n < 6 then 'CONFIRMED' else 'SHIPPED' end, 'x', at, at + interval '1 day', 'INR' from n;
             insert into robnu.order_items (seller_id, order_id, external_item_id, sku, quantity, line_amount, amount_basis)
               select seller_id, id, '1', 'S' || right(external_order_id, 1), 1, 1, 'CUSTOMER' from robnu.orders
               where seller_id = '{id}' and external_order_id like 'X%';
             insert into robnu.shipments (seller_id, order_id, external_shipment_id, status, carrier, tracking_number)
               select seller_id, id, 'P' || external_order_id, 'SHIPPED', 'Delhivery', 'T' || external_order_id from robnu.orders
               where seller_id = '{id}' and external_order_id like 'X%';
             insert into robnu.returns (seller_id, account_id, external_return_id, return_type, status, marketplace_status, initiated_at)
               select '{id}', account, 'R' || n, 'RTO', 'DELIVERED', 'x', at from n;
             update robnu.returns set file_by = initiated_at + interval '100 years' where seller_id = '{id}' and external_return_id ~ '^R[0-9]';
             insert into robnu.claims (seller_id, return_id, account_id, reason)
               select seller_id, id, account_id, 'DAMAGED' from robnu.returns where seller_id = '{id}' and external_return_id ~ '^R[0-9]';
             insert into robnu.payouts (seller_id, account_id, external_payout_id, source, source_rank, status, settled_at, currency, net_amount)
               select '{id}', account, 'Y' || n, 'AJIO_PAYMENTS', 1, 'RECONCILED', at, 'INR', n / 3 * 10.1251 from n;
             insert into robnu.payout_entries (seller_id, account_id, external_part_id, number, payout_id, source, currency, marketplace_type, amount, digest)
               select '{id}', '{ajio}', 'L' || n, 1, '{payout}', 'AJIO_PAYMENTS', 'INR', 'x', 0, 'x' from n;
             insert into robnu.listings (seller_id, account_id, external_listing_id, sku, status, marketplace_status, currency, updated_at)
               select '{id}', account, 'L' || n, 'S' || n, 'INACTIVE', 'x', 'INR', at from n;
             insert into robnu.inventory (seller_id, account_id, sku, available, reported_at) select '{id}', account, 'S' || n, n / 3 - 1, at from n;
             drop table n",
            payout = seller.payout
        ))
        .await;
    }
}

/// All pages of a list, joined.
async fn walk(api: &Api, list: &str, rows: &str, query: &str, limit: usize) -> Vec<Value> {
    let base = path(api, &format!("{list}?limit={limit}&{query}"));
    let (mut all, mut next) = (Vec::new(), base.clone());
    loop {
        let page = api.get("OWNER", &next).await.expect(200);
        all.extend(page[rows].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(cursor) => next = format!("{base}&cursor={cursor}"),
            None => return all,
        }
    }
}

/// A sort order of a list, its field, and whether it is descending.
type Sort = (&'static str, &'static str, bool);

/// Every list with its rows' name and id, and its sort orders.
const LISTS: &[(&str, &str, &str, &[Sort])] = &[
    (
        "orders",
        "orders",
        "order_id",
        &[
            ("newest", "placed_at", true),
            ("oldest", "placed_at", false),
            ("dispatch_by", "dispatch_by", false),
        ],
    ),
    (
        "shipments",
        "shipments",
        "shipment_id",
        &[("newest", "shipment_id", true), ("oldest", "shipment_id", false)],
    ),
    (
        "returns",
        "returns",
        "return_id",
        &[("newest", "initiated_at", true), ("oldest", "initiated_at", false), ("file_by", "file_by", false)],
    ),
    ("claims", "claims", "claim_id", &[("newest", "created_at", true), ("oldest", "created_at", false)]),
    (
        "payouts",
        "payouts",
        "payout_id",
        &[
            ("newest", "settled_at", true),
            ("oldest", "settled_at", false),
            ("largest", "net_amount", true),
            ("smallest", "net_amount", false),
        ],
    ),
    (
        "listings",
        "listings",
        "listing_id",
        &[("newest", "updated_at", true), ("oldest", "updated_at", false)],
    ),
    (
        "inventory",
        "inventory",
        "stock_id",
        &[("newest", "reported_at", true), ("lowest", "available", false)],
    ),
];

/// A sortable form of a field: the value of numbers, amounts and instants, the text of ids.
fn key(row: &Value, field: &str) -> (i64, String) {
    let value = &row[field];
    let text = value.as_str().unwrap_or_default();
    let instant = DateTime::parse_from_rfc3339(text).ok().map(|instant| instant.timestamp_micros());
    let amount = || text.parse::<Decimal>().ok().and_then(|amount| (amount * Decimal::from(10_000)).to_i64());
    match value.as_i64().or(instant).or_else(amount) {
        Some(size) => (size, String::new()),
        None => (0, text.to_owned()),
    }
}

#[tokio::test]
async fn pages_of_any_length_add_up_to_the_same_list_in_every_order() {
    let api = Api::new().await;
    fill(&api).await;
    api.arrange("update robnu.sellers set requests_per_window = 100000").await;
    for (list, rows, id, sorts) in LISTS {
        for (sort, field, down) in *sorts {
            let query = format!("sort={sort}");
            let whole = walk(&api, list, rows, &query, 200).await;
            assert!(whole.len() >= 11, "{list} {sort}: {}", whole.len());
            let keys: Vec<_> = whole.iter().map(|row| key(row, field)).collect();
            let sorted = if *down { keys.is_sorted_by(|a, b| a >= b) } else { keys.is_sorted() };
            assert!(sorted, "{list} {sort}: {keys:?}");
            let distinct: BTreeSet<&str> = whole.iter().map(|row| row[id].as_str().unwrap()).collect();
            assert_eq!(distinct.len(), whole.len(), "{list} {sort}");
            for limit in [1, 4] {
                assert_eq!(walk(&api, list, rows, &query, limit).await, whole, "{list} {sort} by {limit}");
            }
        }
    }
    let entries = format!("payouts/{}/entries", api.sellers.ours.payout);
    let whole = walk(&api, &entries, "entries", "", 200).await;
    assert_eq!(whole.len(), 12);
    assert_eq!(walk(&api, &entries, "entries", "", 3).await, whole);
}

#[tokio::test]
async fn filters_narrow_every_list_and_another_sellers_account_has_nothing() {
    let api = Api::new().await;
    fill(&api).await;
    let (amazon, theirs) = (api.sellers.ours.amazon, api.sellers.theirs.ajio);
    for (list, rows, ..) in LISTS {
        for (query, expected) in [
            (format!("account_id={amazon}"), 4),
            ("marketplace=AMAZON_IN".to_owned(), 4),
            (format!("account_id={theirs}"), 0),
        ] {
            assert_eq!(walk(&api, list, rows, &query, 3).await.len(), expected, "{list} {query}");
        }
    }
    let noon = "2026-02-01T01:00:00Z";
    for (list, query, expected) in [
        ("orders", format!("placed_from={noon}"), 8),
        ("orders", format!("placed_from=2026-02-01T00:00:00Z&placed_to={noon}"), 3),
        ("orders", "dispatch_before=2026-02-02T01:00:00%2B00:00".to_owned(), 3),
        ("orders", "sku=S1".to_owned(), 1),
        ("orders", "sku=S0&status=SHIPPED&marketplace=AMAZON_IN".to_owned(), 1),
        ("orders", "status=CONFIRMED".to_owned(), 6),
        ("shipments", "tracking_number=TX7".to_owned(), 1),
        ("shipments", "tracking_number=TX7&sort=oldest".to_owned(), 1),
        ("shipments", "carrier=Delhivery&status=SHIPPED".to_owned(), 11),
        ("returns", format!("initiated_from={noon}&return_type=RTO"), 8),
        ("returns", "internal_status=RECEIVED".to_owned(), 0),
        ("returns", "file_by_before=2126-02-01T01:00:00Z&status=DELIVERED".to_owned(), 3),
        ("claims", "reason=DAMAGED&status=FILED".to_owned(), 11),
        ("claims", "created_to=2026-01-01T00:00:00Z".to_owned(), 0),
        ("payouts", "net_min=20.25&net_max=30.38".to_owned(), 5),
        ("payouts", "net_max=-0.01".to_owned(), 0),
        ("payouts", "status=PENDING".to_owned(), 1),
        ("listings", "sku=S1&status=INACTIVE".to_owned(), 1),
        ("inventory", "available_max=-1".to_owned(), 3),
    ] {
        assert_eq!(walk(&api, list, list, &query, 50).await.len(), expected, "{list} {query}");
        // A filter holds in both directions of the list, even when it bounds the pages.
        for sort in ["newest", "oldest", "largest", "smallest", "file_by"] {
            let (.., sorts) = LISTS.iter().find(|(name, ..)| *name == list).unwrap();
            if sorts.iter().any(|(name, ..)| *name == sort) && !query.contains("sort=") {
                let found = walk(&api, list, list, &format!("{query}&sort={sort}"), 2).await;
                assert_eq!(found.len(), expected, "{list} {query} {sort}");
            }
        }
    }
}

#[tokio::test]
async fn a_cursor_of_other_filters_orders_lists_or_sellers_is_refused() {
    let api = Api::new().await;
    fill(&api).await;
    let theirs = api.sellers.theirs.id;
    for (list, _, _, sorts) in LISTS {
        let (first, second) = (sorts[0].0, sorts[1].0);
        let page = api.get("OWNER", &path(&api, &format!("{list}?limit=1&sort={first}"))).await.expect(200);
        let cursor = page["next_cursor"].as_str().unwrap().to_owned();
        for other in [
            format!("{list}?sort={second}"),
            format!("{list}?sort={first}&marketplace=AJIO"),
            "runs?".to_owned(),
        ] {
            let refused = api.get("OWNER", &path(&api, &format!("{other}&cursor={cursor}"))).await;
            refused.expect_problem(400, "invalid_cursor");
        }
        let call =
            crate::support::Call::get(&format!("/v1/sellers/{theirs}/{list}?sort={first}&cursor={cursor}"));
        api.send(call.by(&api.sellers.theirs, "OWNER")).await.expect_problem(400, "invalid_cursor");
    }
}

#[tokio::test]
async fn malformed_filters_are_refused_by_their_names() {
    let api = Api::new().await;
    for (query, field) in [
        ("orders?placed_from=yesterday", "placed_from"),
        ("orders?sort=largest", "sort"),
        ("orders?marketplace=ajio", "marketplace"),
        ("orders?sku=%00", "sku"),
        ("returns?status=LOST", "status"),
        ("claims?reason=", "reason"),
        ("payouts?net_min=1.001", "net_min"),
        ("inventory?available_max=1.5", "available_max"),
        ("dispatch?undated=yes", "undated"),
        ("search?q=ab", "q"),
        ("search?q=a%20b", "q"),
        ("search", "q"),
        ("listings?colour=red", "colour"),
    ] {
        let refused = api.get("OWNER", &path(&api, query)).await.expect_problem(400, "invalid_query");
        assert_eq!(refused["errors"][0]["field"], field, "{query}");
    }
}

#[tokio::test]
async fn search_finds_numbers_whole_and_by_their_beginning_and_says_what_they_are() {
    let api = Api::new().await;
    fill(&api).await;
    let found = |answer: Value| -> Vec<(String, String, bool)> {
        let text = |hit: &Value, field: &str| hit[field].as_str().unwrap().to_owned();
        let hits = answer["hits"].as_array().unwrap();
        hits.iter().map(|hit| (text(hit, "kind"), text(hit, "value"), hit["exact"] == true)).collect()
    };
    let hit = |kind: &str, value: &str, exact| (kind.to_owned(), value.to_owned(), exact);
    let search =
        async |q: &str| found(api.get("VIEWER", &path(&api, &format!("search?q={q}"))).await.expect(200));
    assert_eq!(search("AWB1").await, [hit("SHIPMENT", "AWB1", true)]);
    assert_eq!(search("RAWB").await, [hit("RETURN", "RAWB1", false)]);
    assert_eq!(
        search("FN1").await,
        [hit("ORDER", "FN1", true), hit("RETURN", "FN1", true), hit("SHIPMENT", "FN1", true)]
    );
    assert_eq!(search("TX1").await, [hit("SHIPMENT", "TX1", true), hit("SHIPMENT", "TX10", false)]);
    assert_eq!(search("PX10").await, [hit("SHIPMENT", "PX10", true)]);
    for nothing in ["awb1", "%25%25%25", "___", "ZZZ", "%F0%9F%93%A6%F0%9F%93%A6%F0%9F%93%A6"] {
        assert!(search(nothing).await.is_empty(), "{nothing}");
    }
}

#[tokio::test]
async fn a_return_is_found_by_the_numbers_of_an_order_and_a_parcel_that_are_not_known_here() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    api.arrange(&format!(
        "insert into robnu.returns (seller_id, account_id, external_return_id, external_order_id, external_shipment_id, return_type,
           status, marketplace_status, initiated_at)
         values ('{}', '{}', 'RQ-1', 'OQ-1', 'PQ-1', 'RTO', 'IN_TRANSIT', 'x', '2026-02-01T00:00:00Z')",
        ours.id, ours.ajio
    ))
    .await;
    for (number, field) in
        [("OQ-1", "external_order_id"), ("PQ-1", "external_shipment_id"), ("RQ-1", "external_return_id")]
    {
        for (q, exact) in [(number, true), (&number[..3], false)] {
            let found = api.get("VIEWER", &path(&api, &format!("search?q={q}"))).await.expect(200);
            assert_eq!(found["hits"].as_array().map(Vec::len), Some(1), "{q}: {found}");
            let hit = &found["hits"][0];
            assert_eq!((&hit["kind"], &hit["field"]), (&json!("RETURN"), &json!(field)), "{q}");
            assert_eq!((&hit["value"], &hit["exact"]), (&json!(number), &json!(exact)), "{q}");
            assert_eq!((&hit["order_id"], &hit["account_id"]), (&Value::Null, &json!(ours.ajio)), "{q}");
        }
    }
}

#[tokio::test]
async fn search_finds_nothing_of_another_seller() {
    let api = Api::new().await;
    api.arrange(&format!(
        "set session_replication_role = replica;
         update robnu.orders set external_order_id = 'THEIRS-O' where seller_id = '{0}';
         update robnu.shipments set external_shipment_id = 'THEIRS-S', tracking_number = 'THEIRS-T' where seller_id = '{0}';
         update robnu.returns set external_return_id = 'THEIRS-R', tracking_number = 'THEIRS-B', external_order_id = 'THEIRS-O',
           external_shipment_id = 'THEIRS-S' where seller_id = '{0}'",
        api.sellers.theirs.id
    ))
    .await;
    let answer = api.get("OWNER", &path(&api, "search?q=THEIRS")).await.expect(200);
    assert_eq!(answer["hits"], json!([]));
}

#[tokio::test]
async fn payouts_show_every_digit_and_what_does_not_add_up() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    api.arrange(&format!(
        "with entry as (
           insert into robnu.payout_entries (seller_id, account_id, external_part_id, number, payout_id, source, currency, marketplace_type,
             external_order_id, stated_amount, amount, place, other, notes, digest)
           values ('{}', '{}', 'PN1-3', 1, '{}', 'AJIO_PAYMENTS', 'INR', 'Forward', 'FN9', -0.6, -0.6001, 'row 7', '{{\"Zone\": \"Local\"}}',
             array['row 7, column Value is odd'], 'y')
           returning seller_id, id)
         insert into robnu.payout_lines (seller_id, entry_id, number, line_type, marketplace_type, amount)
         select seller_id, id, 1, 'COMMISSION', 'Commission', -0.0001 from entry
         union all select seller_id, id, 2, 'TCS', 'TCS', -0.6 from entry",
        ours.id, ours.ajio, ours.payout
    ))
    .await;
    let payout = api.get("FINANCE", &path(&api, &format!("payouts/{}", ours.payout))).await.expect(200);
    assert_eq!(
        (&payout["net_amount"], &payout["entries"], &payout["unbalanced_entries"], &payout["difference"]),
        (&json!("7.8999"), &json!(2), &json!(1), &json!("0.00"))
    );
    let totals = [
        json!({"line_type": "COMMISSION", "lines": 2, "amount": "-1.5001"}),
        json!({"line_type": "SALE", "lines": 1, "amount": "10.00"}),
        json!({"line_type": "TCS", "lines": 1, "amount": "-0.60"}),
    ];
    assert_eq!(payout["totals"], json!(totals));
    let entries = format!("payouts/{}/entries", ours.payout);
    for query in ["line_type=TCS", "external_order_id=FN9", "unbalanced=true"] {
        let found = api.get("VIEWER", &path(&api, &format!("{entries}?{query}"))).await.expect(200);
        let [entry] = found["entries"].as_array().unwrap().as_slice() else { panic!("{query}: {found}") };
        assert_eq!((&entry["place"], &entry["difference"]), (&json!("row 7"), &json!("0.0001")), "{query}");
        assert_eq!(
            (&entry["other"], &entry["notes"]),
            (&json!({"Zone": "Local"}), &json!(["row 7, column Value is odd"]))
        );
        assert_eq!(
            entry["lines"][0],
            json!({"line_type": "COMMISSION", "marketplace_type": "Commission", "amount": "-0.0001"})
        );
    }
    let first = api.get("OWNER", &path(&api, &format!("{entries}?external_order_id=FN1"))).await.expect(200);
    assert_eq!(first["entries"][0]["order_id"], json!(ours.order), "the order is found by its number");
}

#[tokio::test]
async fn what_is_announced_is_in_no_payout_and_changes_of_a_payout_are_listed() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let announced =
        api.get("OWNER", &path(&api, "announced-entries?external_order_id=FN1")).await.expect(200);
    let amounts: Vec<_> =
        announced["entries"].as_array().unwrap().iter().map(|entry| &entry["amount"]).collect();
    assert_eq!(amounts, [&json!("-10.00")]);
    let other = api
        .get("OWNER", &path(&api, &format!("announced-entries?account_id={}", ours.amazon)))
        .await
        .expect(200);
    assert_eq!(other["entries"], json!([]));
    let changes =
        api.get("OWNER", &path(&api, &format!("payouts/{}/changes", ours.payout))).await.expect(200);
    let change = &changes["changes"][0];
    assert_eq!(
        (&change["change"], &change["before"], &change["after"]),
        (&json!("ADDED"), &json!(null), &json!({"amount": "8.5"}))
    );
}

#[tokio::test]
async fn nobody_without_the_right_sees_money_and_nobody_sees_another_sellers() {
    let api = Api::new().await;
    let (ours, theirs) = (api.sellers.ours.payout, api.sellers.theirs.payout);
    let paths = |payout| ["", "/entries", "/changes"].map(|below| format!("payouts/{payout}{below}"));
    for refused in ["payouts".to_owned(), "announced-entries".to_owned()].into_iter().chain(paths(ours)) {
        api.get("OPERATOR", &path(&api, &refused)).await.expect_problem(403, "forbidden");
    }
    for missing in paths(theirs) {
        api.get("OWNER", &path(&api, &missing)).await.expect_problem(404, "payout_not_found");
    }
}

#[tokio::test]
async fn only_permitted_roles_read_a_customer_and_every_read_is_audited() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let customer = path(&api, &format!("orders/{}/customer", ours.order));
    let looks = format!(
        "select count(*) from robnu.audit_events where seller_id = '{}' and action = 'customer.opened' and object_id = '{}'",
        ours.id, ours.order
    );
    for role in ["OWNER", "ADMIN", "OPERATOR"] {
        let shown = api.get(role, &customer).await.expect(200);
        assert_eq!((&shown["name"], &shown["phone"]), (&json!("Asha Rao"), &Value::Null), "{role}");
    }
    assert_eq!(api.count(&looks).await, 3);
    for role in ["FINANCE", "VIEWER", "SCANNER"] {
        api.get(role, &customer).await.expect_problem(403, "forbidden");
    }
    let theirs = path(&api, &format!("orders/{}/customer", api.sellers.theirs.order));
    api.get("OWNER", &theirs).await.expect_problem(404, "order_not_found");
    assert_eq!(api.count(&looks).await, 3);
    api.arrange(&format!("delete from robnu.order_pii where seller_id = '{}'", ours.id)).await;
    api.get("OWNER", &customer).await.expect_problem(404, "customer_not_found");
}

#[tokio::test]
async fn an_expired_customer_has_a_date_and_no_values_and_no_look_is_recorded() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    let customer = path(&api, &format!("orders/{}/customer", ours.order));
    let shown = api.get("OWNER", &customer).await.expect(200);
    assert_eq!((&shown["expired_at"], &shown["name"]), (&Value::Null, &json!("Asha Rao")));
    let looks = "select count(*) from robnu.audit_events where action = 'customer.opened'";
    let before = api.count(looks).await;
    api.arrange(&format!(
        "delete from robnu.order_pii where seller_id = '{0}';
         update robnu.orders set customer_expired_at = '2026-02-01T00:00:00Z' where seller_id = '{0}'",
        ours.id
    ))
    .await;
    let shown = api.get("OWNER", &customer).await.expect(200);
    let nothing = Value::Null;
    assert_eq!(
        shown,
        json!({ "order_id": ours.order, "name": nothing, "phone": nothing, "email": nothing, "address": nothing,
            "postal_code": nothing, "expired_at": "2026-02-01T00:00:00Z" })
    );
    assert_eq!(api.count(looks).await, before);
    api.get("VIEWER", &customer).await.expect_problem(403, "forbidden");
}

#[tokio::test]
async fn a_months_money_is_told_by_marketplace_and_week_with_what_does_not_add_up_and_what_is_open() {
    let api = Api::new().await;
    let ours = &api.sellers.ours;
    // In India, the first of these is settled in March, and the second on a Monday.
    api.arrange(&format!(
        "insert into robnu.payouts (seller_id, account_id, external_payout_id, source, source_rank, settled_at, currency, stated_amount, net_amount,
           unbalanced_entries)
         values ('{0}', '{1}', 'A', 'AJIO_PAYMENTS', 1, '2026-02-28T18:30:00Z', 'INR', null, 1, 0),
           ('{0}', '{1}', 'B', 'AJIO_PAYMENTS', 1, '2026-02-08T18:30:00Z', 'INR', 20.5, 20, 0),
           ('{0}', '{1}', 'C', 'AJIO_PAYMENTS', 1, '2026-02-15T18:29:59Z', 'INR', null, -5.1251, 1),
           ('{0}', '{2}', 'D', 'AMAZON_SETTLEMENT', 3, '2026-02-10T00:00:00Z', 'INR', 7, 7, 0)",
        ours.id, ours.ajio, ours.amazon
    ))
    .await;
    let money = api.get("FINANCE", &path(&api, "money?month=2026-02")).await.expect(200);
    assert_eq!(money["month"], "2026-02-01");
    let expected = json!([
        {
            "marketplace": "AJIO", "currency": "INR", "payouts": 3, "settled": "23.3749", "unbalanced_payouts": 2, "difference": "0.50",
            "announced": "-10.00", "announced_entries": 1,
            "weeks": [
                {"monday": "2026-01-26", "payouts": 1, "settled": "8.50"},
                {"monday": "2026-02-09", "payouts": 2, "settled": "14.8749"},
            ],
        },
        {
            "marketplace": "AMAZON_IN", "currency": "INR", "payouts": 1, "settled": "7.00", "unbalanced_payouts": 0, "difference": "0.00",
            "announced": "0.00", "announced_entries": 0, "weeks": [{"monday": "2026-02-09", "payouts": 1, "settled": "7.00"}],
        },
    ]);
    assert_eq!(money["marketplaces"], expected);
    for wrong in ["2026-13", "2026-1", "2026-02-01", "0000-01", "x"] {
        let problem = api.get("OWNER", &path(&api, &format!("money?month={wrong}"))).await;
        problem.expect_problem(400, "invalid_query");
    }
    api.get("OPERATOR", &path(&api, "money")).await.expect_problem(403, "forbidden");
}
