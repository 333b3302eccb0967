//! The simulated money as a client sees it: transactions and settlement reports that state the same, and come as Amazon's do.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod support;

use std::collections::BTreeMap;
use std::io::Read;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use flate2::read::GzDecoder;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use simulators::{AmazonAccount, Fault, FaultKind, Marketplace, Quota, Simulator, SimulatorConfig};
use support::{Answer, amazon_token, book, config, control, query, send, start};

const ACCOUNT: &str = "A1";
const TRANSACTIONS: &str = "/finances/2024-06-19/transactions";
const REPORTS: &str = "/reports/2021-06-30/reports";
const TYPE: (&str, &str) = ("reportTypes", "GET_V2_SETTLEMENT_REPORT_DATA_FLAT_FILE_V2");

/// A simulator whose account has an order for each of these days ago, and the account's token.
fn selling(days_ago: &[i64], change: impl FnOnce(&mut SimulatorConfig)) -> (Simulator, String) {
    let row = |(number, days): (usize, &i64)| {
        let date = (Utc::now() - TimeDelta::days(*days)).format("%Y-%m-%d");
        format!(
            "402-1000001-{number:07},{date},Shipped - Delivered to Buyer,Merchant,Standard,Shirt,Cash,M,,499.505,1,INR,PUNE,411001,false"
        )
    };
    let rows: Vec<String> = days_ago.iter().enumerate().map(row).collect();
    let mut config = config();
    // Tests advance the clock by weeks.
    config.amazon.token_seconds = 100 * 86_400;
    config.amazon.list_transactions.burst = 1_000;
    config.amazon.get_reports.burst = 1_000;
    config.amazon.get_report_document.burst = 1_000;
    config.amazon.accounts.push(AmazonAccount {
        account: ACCOUNT.to_owned(),
        refresh_token: "Atzr|a".to_owned(),
        client_id: None,
        client_secret: None,
        orders: book(&rows.iter().map(String::as_str).collect::<Vec<_>>()),
    });
    change(&mut config);
    let simulator = start(&config);
    let token = amazon_token(&simulator, "Atzr|a");
    (simulator, token)
}

fn ago(days: i64) -> String {
    instant(Utc::now() - TimeDelta::days(days))
}

fn instant(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

fn get(simulator: &Simulator, token: &str, path: &str, parameters: &[(&str, &str)]) -> Answer {
    let url = format!("{}{path}?{}", simulator.amazon_base_url(), query(parameters));
    send("GET", &url, &[("x-amz-access-token", token)], "")
}

/// All transactions that were posted within 170 days.
fn transactions(simulator: &Simulator, token: &str) -> Vec<Value> {
    let after = ago(170);
    let (mut all, mut next): (Vec<Value>, Option<String>) = (Vec::new(), None);
    loop {
        let mut parameters = vec![("postedAfter", after.as_str())];
        parameters.extend(next.as_deref().map(|token| ("nextToken", token)));
        let body = get(simulator, token, TRANSACTIONS, &parameters).json();
        all.extend(body["payload"]["transactions"].as_array().unwrap().iter().cloned());
        next = body["payload"]["nextToken"].as_str().map(str::to_owned);
        if next.is_none() {
            return all;
        }
    }
}

fn amount(money: &Value) -> Decimal {
    money["currencyAmount"].to_string().parse().unwrap()
}

/// The sum of a list of breakdowns, each of which is the sum of those below it.
fn sum_of(breakdowns: &Value) -> Decimal {
    let of = |node: &Value| {
        let own = amount(&node["breakdownAmount"]);
        let below = &node["breakdowns"];
        assert!(below == &json!([]) || sum_of(below) == own, "{node}");
        own
    };
    breakdowns.as_array().unwrap().iter().map(of).sum()
}

fn related<'a>(transaction: &'a Value, name: &str) -> Option<&'a str> {
    let all = transaction["relatedIdentifiers"].as_array().unwrap();
    let one = all.iter().find(|one| one["relatedIdentifierName"] == name)?;
    one["relatedIdentifierValue"].as_str()
}

#[test]
fn breakdowns_items_and_settlements_add_up_to_the_same_money() {
    let days: Vec<i64> = (5..155).collect();
    let (simulator, token) = selling(&days, |_| {});
    let mut paid: BTreeMap<String, Decimal> = BTreeMap::new();
    for one in transactions(&simulator, &token) {
        let total = amount(&one["totalAmount"]);
        assert_eq!(sum_of(&one["breakdowns"]), total, "{one}");
        let items = one["items"].as_array().unwrap();
        assert_eq!(items.iter().map(|item| amount(&item["totalAmount"])).sum::<Decimal>(), total);
        assert!(items.iter().all(|item| sum_of(&item["breakdowns"]) == amount(&item["totalAmount"])));
        if let Some(settlement) = related(&one, "SETTLEMENT_ID") {
            *paid.entry(settlement.to_owned()).or_default() += total;
        }
    }
    let settlements = simulator.amazon_settlements(ACCOUNT).unwrap();
    assert!(settlements.len() >= 8, "{}", settlements.len());
    for settlement in &settlements {
        assert_eq!(paid[&settlement.id], settlement.total);
        assert_eq!(settlement.orders.iter().map(|(_, sum)| sum).sum::<Decimal>(), settlement.total);
        let rows: Vec<Vec<&str>> =
            settlement.report.lines().skip(1).map(|row| row.split('\t').collect()).collect();
        assert!(rows.iter().all(|row| row.len() == 24));
        assert_eq!(rows[0][4].parse::<Decimal>().unwrap(), settlement.total);
        let amounts = rows[1..].iter().map(|row| row[14].parse::<Decimal>().unwrap());
        assert_eq!(amounts.sum::<Decimal>(), settlement.total);
    }
    let told =
        control(&simulator, "GET", &format!("/amazon/settlements?account={ACCOUNT}"), &json!({})).json();
    assert_eq!(told.as_array().unwrap().len(), settlements.len());
    assert_eq!(told[0]["report"], settlements[0].report.as_str());
}

#[test]
fn a_transaction_is_deferred_then_released_and_some_appear_late() {
    let (simulator, token) = selling(&[3; 60], |_| {});
    let statuses = |of: &str| {
        let all = transactions(&simulator, &token);
        let has_settlement = |one: &&Value| related(one, "SETTLEMENT_ID").is_some();
        let such: Vec<&Value> = all.iter().filter(|one| one["transactionStatus"] == of).collect();
        (such.len(), such.iter().copied().filter(has_settlement).count())
    };
    let (deferred, with_settlement) = statuses("DEFERRED");
    assert!(deferred > 10 && with_settlement == 0);
    let (released, with_settlement) = statuses("RELEASED");
    assert!(released > 5 && with_settlement == released);
    assert!(deferred + released < 60, "some are not shown yet");
    simulator.advance_clock(Duration::from_hours(8 * 24));
    let (later, with_settlement) = statuses("DEFERRED_RELEASED");
    assert!(later >= deferred && with_settlement == later);
    let after = ago(10);
    let filtered =
        get(&simulator, &token, TRANSACTIONS, &[("postedAfter", &after), ("transactionStatus", "RELEASED")]);
    let all = filtered.json()["payload"]["transactions"].as_array().unwrap().clone();
    assert!(!all.is_empty() && all.iter().all(|one| one["transactionStatus"] == "RELEASED"));
    let elsewhere = get(
        &simulator,
        &token,
        TRANSACTIONS,
        &[("postedAfter", &after), ("marketplaceId", "A1F83G8C2ARO7P")],
    );
    assert_eq!(elsewhere.json()["payload"]["transactions"], json!([]));
}

#[test]
fn windows_and_tokens_of_transactions_are_as_the_contract_says() {
    let (simulator, token) = selling(&[20; 250], |_| {});
    let status = |parameters: &[(&str, &str)]| get(&simulator, &token, TRANSACTIONS, parameters).status;
    let (after, long_ago, now) = (ago(30), ago(181), instant(Utc::now()));
    assert_eq!(status(&[]), 400);
    assert_eq!(status(&[("postedAfter", "2026-13-01")]), 400);
    assert_eq!(status(&[("postedAfter", &now)]), 400);
    assert_eq!(status(&[("postedAfter", &after), ("postedBefore", &now)]), 400);
    assert_eq!(status(&[("postedAfter", &after), ("postedBefore", &after)]), 400);
    let too_long = get(&simulator, &token, TRANSACTIONS, &[("postedAfter", &long_ago)]).json();
    assert_eq!(too_long["payload"], json!({ "transactions": [] }));
    let first = get(&simulator, &token, TRANSACTIONS, &[("postedAfter", &after)]).json();
    let next = first["payload"]["nextToken"].as_str().unwrap().to_owned();
    assert_eq!(first["payload"]["transactions"].as_array().unwrap().len(), 100);
    assert_eq!(status(&[("nextToken", &next)]), 400, "the same arguments");
    assert_eq!(status(&[("postedAfter", &after), ("nextToken", &next)]), 200);
    simulator.advance_clock(Duration::from_hours(24));
    assert_eq!(status(&[("postedAfter", &after), ("nextToken", &next)]), 400, "a token of yesterday");
    assert!(transactions(&simulator, &token).len() >= 250);
    for kind in [FaultKind::EmptyPage, FaultKind::RepeatPage] {
        let is_repeat = kind == FaultKind::RepeatPage;
        let path = TRANSACTIONS;
        simulator.add_fault(Fault::new(Marketplace::Amazon, path, kind).after(1).times(1));
        let page = |token_of: Option<&str>| {
            let mut parameters = vec![("postedAfter", after.as_str())];
            parameters.extend(token_of.map(|token| ("nextToken", token)));
            get(&simulator, &token, TRANSACTIONS, &parameters).json()["payload"].clone()
        };
        let first = page(None);
        let second = page(first["nextToken"].as_str());
        if is_repeat {
            assert_eq!(first, second);
        } else {
            assert_eq!(second["transactions"], json!([]));
            assert_eq!(page(second["nextToken"].as_str())["transactions"].as_array().unwrap().len(), 100);
        }
    }
}

#[test]
fn reports_are_listed_page_by_page_and_a_token_is_sent_alone() {
    let days: Vec<i64> = (5..155).collect();
    let (simulator, token) = selling(&days, |_| {});
    let list = |parameters: &[(&str, &str)]| get(&simulator, &token, REPORTS, parameters);
    let whole = list(&[TYPE, ("pageSize", "100")]).json();
    let ids = |body: &Value| -> Vec<String> {
        let reports = body["reports"].as_array().unwrap().iter();
        reports.map(|report| report["reportId"].as_str().unwrap().to_owned()).collect()
    };
    assert!(ids(&whole).len() >= 5 && whole["nextToken"].is_null());
    let oldest = ago(90);
    let told = simulator.amazon_settlements(ACCOUNT).unwrap();
    let recent = told.iter().rev().filter(|one| instant(one.reported_at) > oldest);
    assert_eq!(
        ids(&whole),
        recent.map(|one| one.id.clone()).collect::<Vec<_>>(),
        "kept for 90 days, newest first"
    );
    let first = list(&[TYPE, ("pageSize", "2")]).json();
    let next = first["nextToken"].as_str().unwrap();
    assert_eq!(list(&[TYPE, ("nextToken", next)]).status, 400, "with another parameter");
    let second = list(&[("nextToken", next)]).json();
    assert_eq!([ids(&first), ids(&second)].concat(), ids(&whole)[..4]);
    let since = ago(30);
    let since = list(&[TYPE, ("createdSince", &since), ("processingStatuses", "DONE,FATAL")]).json();
    assert!((1..=3).contains(&ids(&since).len()));
    for parameters in
        [&[][..], &[TYPE, ("pageSize", "0")], &[TYPE, ("processingStatuses", "SOON")], &[("nextToken", "x")]]
    {
        assert_eq!(list(parameters).status, 400, "{parameters:?}");
    }
    let stranger = amazon_token(&simulator, "Atzr|stranger");
    assert_eq!(get(&simulator, &stranger, REPORTS, &[("nextToken", next)]).status, 400);
}

#[test]
fn a_report_is_in_progress_at_first_and_its_document_is_packed_or_not() {
    let days: Vec<i64> = (5..155).collect();
    let (simulator, token) = selling(&days, |_| {});
    let list = || get(&simulator, &token, REPORTS, &[TYPE, ("pageSize", "100")]).json()["reports"].clone();
    let known = simulator.amazon_settlements(ACCOUNT).unwrap().len();
    for _ in 0..(15 * 48) {
        simulator.advance_clock(Duration::from_mins(30));
        if simulator.amazon_settlements(ACCOUNT).unwrap().len() > known {
            break;
        }
    }
    assert_eq!(list()[0]["processingStatus"], "IN_PROGRESS");
    assert!(list()[0]["reportDocumentId"].is_null());
    simulator.advance_clock(Duration::from_hours(1));
    assert_eq!(list()[0]["processingStatus"], "DONE");
    let list = list();
    let mut packed = Vec::new();
    for report in list.as_array().unwrap() {
        let id = report["reportDocumentId"].as_str().unwrap();
        let located = get(&simulator, &token, &format!("/reports/2021-06-30/documents/{id}"), &[]).json();
        let body = send("GET", located["url"].as_str().unwrap(), &[], "").body;
        let is_packed = located["compressionAlgorithm"] == "GZIP";
        let mut text = String::new();
        if is_packed {
            GzDecoder::new(body.as_slice()).read_to_string(&mut text).unwrap();
        } else {
            text = String::from_utf8(body).unwrap();
        }
        let told = simulator.amazon_settlements(ACCOUNT).unwrap();
        let settlement = told.iter().find(|one| one.id == report["reportId"].as_str().unwrap()).unwrap();
        assert_eq!(text, settlement.report);
        packed.push(is_packed);
        let stranger = amazon_token(&simulator, "Atzr|stranger");
        let refused = get(&simulator, &stranger, &format!("/reports/2021-06-30/documents/{id}"), &[]);
        assert_eq!(refused.status, 404);
    }
    assert!(packed.contains(&true) && packed.contains(&false));
}

#[test]
fn each_call_has_its_quota() {
    let (simulator, token) = selling(&[20], |config| {
        config.amazon.list_transactions = Quota { rate: 0.5, burst: 2 };
        config.amazon.get_reports = Quota { rate: 0.0222, burst: 1 };
    });
    let after = ago(30);
    let list = || get(&simulator, &token, TRANSACTIONS, &[("postedAfter", &after)]);
    assert_eq!((list().status, list().status, list().status), (200, 200, 429));
    let reports = || get(&simulator, &token, REPORTS, &[TYPE]).status;
    assert_eq!((reports(), reports()), (200, 429));
    simulator.advance_clock(Duration::from_secs(2));
    assert_eq!((list().status, reports()), (200, 429));
}
