//! The simulated Amazon as a client sees it: tokens, pages, filters, sums, quota.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod support;

use std::collections::HashSet;
use std::str::FromStr;
use std::time::Duration;

use rust_decimal::Decimal;
use serde_json::{Value, json};
use simulators::{AmazonAccount, Quota};
use support::{
    Answer, amazon_token, book, config, lwa, many, next_token, row, search, search_all, send, start,
};

const ALWAYS: (&str, &str) = ("createdAfter", "2020-01-01T00:00:00Z");

fn refusal(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["errors"][0]["code"].as_str().unwrap().to_owned())
}

fn decimal(value: &Value) -> Decimal {
    Decimal::from_str(value.as_str().unwrap()).unwrap()
}

fn seller(account: &str, orders: simulators::OrderBook) -> AmazonAccount {
    let refresh_token = format!("Atzr|{account}");
    AmazonAccount { account: account.to_owned(), refresh_token, client_id: None, client_secret: None, orders }
}

#[test]
fn the_pages_hold_every_order_once_and_the_sums_are_exact() {
    let config = config();
    let simulator = start(&config);
    let token = amazon_token(&simulator, "Atzr|a");
    let pages =
        search_all(&simulator, &token, &[ALWAYS, ("maxResultsPerPage", "3"), ("includedData", "PROCEEDS")]);
    assert_eq!(pages.len(), 6);
    let ids: Vec<String> = pages.iter().flat_map(|page| page.order_ids("orderId")).collect();
    let expected: Vec<_> =
        config.amazon.default_book.orders().iter().map(|order| order.order_id.clone()).collect();
    assert_eq!(ids, expected);

    let (mut total, mut lines_total, mut lines) = (Decimal::ZERO, Decimal::ZERO, HashSet::new());
    for order in pages.iter().flat_map(|page| page.json()["orders"].as_array().unwrap().clone()) {
        total += decimal(&order["proceeds"]["grandTotal"]["amount"]);
        for item in order["orderItems"].as_array().unwrap() {
            lines_total += decimal(&item["proceeds"]["proceedsTotal"]["amount"]);
            assert!(lines.insert(item["orderItemId"].as_str().unwrap().to_owned()), "an item id came twice");
        }
    }
    assert_eq!(lines.len(), config.amazon.default_book.line_count());
    assert_eq!(
        (total, lines_total),
        (config.amazon.default_book.total(), config.amazon.default_book.total())
    );
}

#[test]
fn amounts_keep_the_digits_of_the_file() {
    let simulator = start(&config());
    let token = amazon_token(&simulator, "Atzr|a");
    let text = search(&simulator, &token, &[ALWAYS, ("includedData", "PROCEEDS")]).text().to_owned();
    for amount in ["648.37", "0.005", "648.375", "754.00", "3499.0001", "9999999.9999", "1299.1"] {
        assert!(text.contains(&format!("\"amount\":\"{amount}\"")), "{amount} is missing");
    }
}

#[test]
fn two_equal_rows_are_two_lines() {
    let mut config = config();
    let twin = row("402-3000000-0000001", "Shipped", "517", "1");
    config.amazon.default_book = book(&[&twin, &row("402-3000000-0000002", "Shipped", "1", "1"), &twin]);
    let simulator = start(&config);
    let token = amazon_token(&simulator, "Atzr|a");
    let body = search(&simulator, &token, &[ALWAYS, ("includedData", "PROCEEDS")]).json();
    let items = body["orders"][0]["orderItems"].as_array().unwrap();
    assert_eq!(items.len(), 2);
    assert_ne!(items[0]["orderItemId"], items[1]["orderItemId"]);
    assert_eq!(body["orders"][0]["proceeds"]["grandTotal"]["amount"], "1034");
    assert_eq!(body["orders"].as_array().unwrap().len(), 2);
}

#[test]
fn a_unit_price_is_given_only_where_it_is_exact() {
    let mut config = config();
    let rows = ["1299,3", "1000,7", "648,0", "0.0003,2"].map(|cells| {
        let (amount, quantity) = cells.split_once(',').unwrap();
        row(&format!("402-3000000-000000{quantity}"), "Shipped", amount, quantity)
    });
    config.amazon.default_book = book(&rows.each_ref().map(String::as_str));
    let simulator = start(&config);
    let body = search(&simulator, &amazon_token(&simulator, "Atzr|a"), &[ALWAYS]).json();
    let price = |order: usize| {
        body["orders"][order]["orderItems"][0]["product"]["price"]["unitPrice"]["amount"].clone()
    };
    assert_eq!(
        [price(0), price(1), price(2), price(3)],
        [json!("433"), Value::Null, Value::Null, Value::Null]
    );
}

#[test]
fn every_selling_partner_sees_its_own_book() {
    let mut config = config();
    config.amazon.accounts =
        vec![seller("A", many(2)), seller("B", book(&[&row("X-1", "Shipped", "1", "1")]))];
    let simulator = start(&config);
    let count = |refresh: &str| {
        let token = amazon_token(&simulator, refresh);
        search(&simulator, &token, &[ALWAYS]).order_ids("orderId").len()
    };
    assert_eq!((count("Atzr|A"), count("Atzr|B"), count("Atzr|someone else")), (2, 1, 16));
}

#[test]
fn the_token_service_refuses_in_its_own_form() {
    let mut config = config();
    let mut partner = seller("A", many(1));
    partner.client_id = Some("client".to_owned());
    partner.client_secret = Some("right".to_owned());
    config.amazon.accounts = vec![partner];
    let simulator = start(&config);
    let ask = |grant: &str, refresh: &str, client: &str, secret: &str| {
        let form = [
            ("grant_type", grant),
            ("refresh_token", refresh),
            ("client_id", client),
            ("client_secret", secret),
        ];
        let answer = lwa(&simulator, &form);
        let body = answer.json();
        assert!(answer.status == 200 || body["error_description"].is_string());
        (answer.status, body["error"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(ask("refresh_token", "Atzr|A", "client", "right"), (200, String::new()));
    assert_eq!(ask("refresh_token", "Atzr|A", "client", "wrong"), (401, "invalid_client".to_owned()));
    assert_eq!(ask("refresh_token", "Atzr|revoked", "client", "right"), (400, "invalid_grant".to_owned()));
    assert_eq!(ask("password", "Atzr|A", "client", "right"), (400, "unsupported_grant_type".to_owned()));
    assert_eq!(ask("refresh_token", "", "client", "right"), (400, "invalid_request".to_owned()));
    assert_eq!(ask("refresh_token", "Atzr|x", "another client", "any"), (200, String::new()));
}

#[test]
fn the_token_service_also_reads_json() {
    let simulator = start(&config());
    let body = json!({
        "grant_type": "refresh_token", "refresh_token": "Atzr|a", "client_id": "c", "client_secret": "s",
    });
    let url = format!("{}{}", simulator.amazon_base_url(), support::LWA);
    let answer = send("POST", &url, &[("content-type", "application/json")], &body.to_string());
    let granted = answer.json();
    assert!(granted["access_token"].as_str().unwrap().starts_with("Atza|"));
    assert_eq!((&granted["token_type"], &granted["expires_in"]), (&json!("bearer"), &json!(3600)));
    assert_eq!(granted["refresh_token"], "Atzr|a");
}

#[test]
fn a_token_that_is_missing_wrong_or_an_hour_old_is_refused() {
    let simulator = start(&config());
    let token = amazon_token(&simulator, "Atzr|a");
    assert_eq!(refusal(&search(&simulator, "", &[ALWAYS])), (403, "Unauthorized".to_owned()));
    assert_eq!(refusal(&search(&simulator, "Atza|made-up", &[ALWAYS])), (403, "Unauthorized".to_owned()));
    simulator.advance_clock(Duration::from_secs(3_590));
    assert_eq!(search(&simulator, &token, &[ALWAYS]).status, 200);
    simulator.advance_clock(Duration::from_secs(11));
    assert_eq!(refusal(&search(&simulator, &token, &[ALWAYS])), (403, "Unauthorized".to_owned()));
}

#[test]
fn a_query_that_the_contract_forbids_is_invalid_input() {
    let simulator = start(&config());
    let token = amazon_token(&simulator, "Atzr|a");
    let just_now = simulator.now().to_rfc3339();
    let updated = ("lastUpdatedAfter", "2020-01-01T00:00:00Z");
    let bad: [&[(&str, &str)]; 12] = [
        &[],
        &[ALWAYS, updated],
        &[ALWAYS, ("lastUpdatedBefore", "2021-01-01T00:00:00Z")],
        &[updated, ("createdBefore", "2021-01-01T00:00:00Z")],
        &[ALWAYS, ("createdBefore", "2019-01-01T00:00:00Z")],
        &[ALWAYS, ("createdBefore", &just_now)],
        &[("createdAfter", "yesterday")],
        &[ALWAYS, ("maxResultsPerPage", "0")],
        &[ALWAYS, ("maxResultsPerPage", "101")],
        &[ALWAYS, ("fulfillmentStatuses", "Shipped")],
        &[ALWAYS, ("includedData", "EVERYTHING")],
        &[ALWAYS, ("paginationToken", "made up")],
    ];
    for parameters in bad {
        let answer = search(&simulator, &token, parameters);
        assert_eq!(refusal(&answer), (400, "InvalidInput".to_owned()), "{parameters:?}");
    }
}

#[test]
fn a_page_token_is_valid_for_its_own_query_and_account_for_a_day() {
    let simulator = start(&config());
    let (mine, other) = (amazon_token(&simulator, "Atzr|a"), amazon_token(&simulator, "Atzr|b"));
    let small = ("maxResultsPerPage", "5");
    let next = next_token(&search(&simulator, &mine, &[ALWAYS, small])).unwrap();
    assert!(next.contains('+') && next.contains('='), "a token that needs no encoding hides a mistake");
    let page = ("paginationToken", next.as_str());
    assert_eq!(search(&simulator, &mine, &[small, page, ALWAYS]).status, 200);
    assert_eq!(search(&simulator, &other, &[ALWAYS, small, page]).status, 400);
    assert_eq!(search(&simulator, &mine, &[ALWAYS, ("maxResultsPerPage", "6"), page]).status, 400);
    assert_eq!(search(&simulator, &mine, &[page]).status, 400);
    simulator.advance_clock(Duration::from_hours(24));
    let fresh = amazon_token(&simulator, "Atzr|a");
    assert_eq!(search(&simulator, &fresh, &[ALWAYS, small, page]).status, 400);
}

#[test]
fn filters_accept_commas_and_repetition() {
    let simulator = start(&config());
    let token = amazon_token(&simulator, "Atzr|a");
    let count =
        |parameters: &[(&str, &str)]| search(&simulator, &token, parameters).order_ids("orderId").len();
    assert_eq!(count(&[ALWAYS, ("fulfillmentStatuses", "CANCELLED")]), 3);
    assert_eq!(count(&[ALWAYS, ("fulfillmentStatuses", "CANCELLED,PENDING")]), 4);
    let repeated =
        [ALWAYS, ("fulfillmentStatuses", "CANCELLED"), ("fulfillmentStatuses", "PARTIALLY_SHIPPED")];
    assert_eq!(count(&repeated), 4);
    assert_eq!(count(&[ALWAYS, ("fulfilledBy", "AMAZON")]), 7);
    assert_eq!(count(&[ALWAYS, ("marketplaceIds", "ATVPDKIKX0DER,A21TJRUUN4KGV")]), 16);
    assert_eq!(count(&[ALWAYS, ("marketplaceIds", "ATVPDKIKX0DER")]), 0);
    assert_eq!(count(&[("createdAfter", "2026-06-04T18:30:00Z")]), 4);
    assert_eq!(count(&[("createdAfter", "2026-06-04T18:30:01Z")]), 2);
}

#[test]
fn a_changed_order_is_found_by_its_new_update_time() {
    let mut config = config();
    config.amazon.accounts = vec![seller("A", many(5))];
    let simulator = start(&config);
    let token = amazon_token(&simulator, "Atzr|A");
    let first = search(&simulator, &token, &[("lastUpdatedAfter", "2020-01-01T00:00:00Z")]).json();
    let cursor = first["lastUpdatedBefore"].as_str().unwrap().to_owned();
    assert!(first["createdBefore"].is_null());
    let changed = "402-2000000-0000004";
    simulator.set_amazon_status("A", changed, "Shipped - Returned to Seller", None).unwrap();
    let parameters = [("lastUpdatedAfter", cursor.as_str()), ("includedData", "PACKAGES")];
    let second = search(&simulator, &token, &parameters);
    assert_eq!(second.order_ids("orderId"), [changed]);
    let status = &second.json()["orders"][0]["packages"][0]["packageStatus"];
    assert_eq!(
        *status,
        json!({ "status": "UNDELIVERABLE", "detailedStatus": "Shipped - Returned to Seller" })
    );
}

#[test]
fn an_order_that_changes_between_two_pages_hides_no_other_order() {
    let mut config = config();
    config.amazon.accounts = vec![seller("A", many(6))];
    let simulator = start(&config);
    let token = amazon_token(&simulator, "Atzr|A");
    let parameters = [("lastUpdatedAfter", "2020-01-01T00:00:00Z"), ("maxResultsPerPage", "3")];
    let next = next_token(&search(&simulator, &token, &parameters)).unwrap();
    simulator.advance_clock(Duration::from_mins(1));
    simulator.set_amazon_status("A", "402-2000000-0000001", "Cancelled", None).unwrap();
    let second = search(&simulator, &token, &[parameters[0], parameters[1], ("paginationToken", &next)]);
    assert_eq!(second.order_ids("orderId").len(), 3);
}

#[test]
fn a_single_order_is_served_under_its_id() {
    let simulator = start(&config());
    let token = amazon_token(&simulator, "Atzr|a");
    let get = |id: &str| {
        let url = format!("{}{}/{id}?includedData=PACKAGES", simulator.amazon_base_url(), support::SEARCH);
        send("GET", &url, &[("x-amz-access-token", &token)], "")
    };
    let order = get("402-1000001-0000009").json();
    let texts: Vec<&str> = order["order"]["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| package["packageStatus"]["detailedStatus"].as_str().unwrap())
        .collect();
    assert_eq!(texts, ["Shipped - Out for Delivery", "Shipped - Delivered to Buyer"]);
    assert_eq!(refusal(&get("402-0000000-0000000")), (404, "ResourceNotFound".to_owned()));
}

#[test]
fn each_account_has_its_own_quota_which_refills() {
    let mut config = config();
    config.amazon.search_orders = Quota { rate: 0.1, burst: 2 };
    let simulator = start(&config);
    let (mine, other) = (amazon_token(&simulator, "Atzr|a"), amazon_token(&simulator, "Atzr|b"));
    let first = search(&simulator, &mine, &[ALWAYS]);
    assert_eq!(first.headers["x-amzn-ratelimit-limit"], "0.1");
    assert!(first.headers.contains_key("x-amzn-requestid"));
    assert_eq!(search(&simulator, &mine, &[ALWAYS]).status, 200);
    let refused = search(&simulator, &mine, &[ALWAYS]);
    assert_eq!(refusal(&refused), (429, "QuotaExceeded".to_owned()));
    assert!(!refused.headers.contains_key("x-amzn-ratelimit-limit"));
    assert!(refused.headers.contains_key("x-amzn-requestid"));
    assert_eq!(search(&simulator, &other, &[ALWAYS]).status, 200);
    simulator.advance_clock(Duration::from_secs(11));
    assert_eq!(search(&simulator, &mine, &[ALWAYS]).status, 200);
    assert_eq!(search(&simulator, &mine, &[ALWAYS]).status, 429);
}
