//! Whole runs for Flipkart's returns against the simulator, and answers that only a scripted stand-in gives.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use kit::{Run, Scripted, connect_to, ok, run_of, status};
use robnu_marketplace::code::MarketplaceCode::Flipkart;
use robnu_marketplace::contract::{Connection, PageRequest};
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::record::{Records, ReturnRecord, ReturnStatus, ReturnType};
use robnu_marketplace::registry::{MarketplaceConfig, Registry};
use serde_json::{Value, json};
use simulators::{
    Fault, FaultKind, FlipkartAccount, Malformation, Marketplace, OrderBook, Simulator, SimulatorConfig,
};
use uuid::Uuid;

const ACCOUNT: &str = "F1";
const RETURNS: &str = "/sellers/v2/returns";
const HEADER: &str = "order_id,purchase_date,status,fulfilment,ship_service_level,category,payment_method,size,\
                      courier_status,line_amount,quantity,currency,ship_city,ship_postal_code,b2b";

/// So many orders that the courier brings back, with so many lines each, and a delivered one that the customer sends back.
fn simulator(orders: usize, lines: usize) -> Simulator {
    let mut csv = format!("{HEADER}\n");
    let end = "Shirt,Cash,M,Shipped,10,1,INR,PUNE,411001,false";
    let mut row = |order: usize, status: &str| {
        writeln!(csv, "405-0000000-{order:07},2026-06-01,Shipped - {status},Merchant,Standard,{end}")
            .unwrap();
    };
    row(0, "Delivered to Buyer");
    for order in 1..=orders {
        (0..lines).for_each(|_| row(order, "Returned to Seller"));
    }
    let mut config = SimulatorConfig::new(OrderBook::from_csv("generated", &csv).unwrap());
    config.flipkart.accounts.push(FlipkartAccount {
        account: ACCOUNT.to_owned(),
        app_id: "flipkart-app".to_owned(),
        app_secret: kit::APP_SECRET.to_owned(),
        orders: None,
    });
    Simulator::start(&config).unwrap()
}

async fn read_from(simulator: &Simulator, request: PageRequest) -> Result<Run, AdapterError> {
    let connection = connect_to(simulator.flipkart_base_url(), Flipkart);
    run_of(connection.as_ref(), RunKind::Returns, request).await
}

/// Everything of the last ninety days, as a first run reads it.
async fn read(simulator: &Simulator) -> Result<Run, AdapterError> {
    read_from(simulator, PageRequest::default()).await
}

fn since(minutes: i64) -> PageRequest {
    PageRequest { changed_since: Some(Utc::now() - TimeDelta::minutes(minutes)), ..PageRequest::default() }
}

fn fault(kind: FaultKind) -> Fault {
    Fault::new(Marketplace::Flipkart, RETURNS, kind)
}

/// The book's returns with what their statuses mean here.
fn book(simulator: &Simulator) -> BTreeMap<String, ReturnStatus> {
    let meaning = |status: &str| match status {
        "CREATED" => ReturnStatus::Initiated,
        "COMPLETED" => ReturnStatus::Delivered,
        "CANCELLED" => ReturnStatus::Cancelled,
        other => panic!("{other}"),
    };
    let returns = simulator.flipkart_returns(ACCOUNT).unwrap().into_iter();
    returns.map(|(id, status)| (id, meaning(&status))).collect()
}

/// The returns by id. A later reading replaces an earlier one, as in the database.
fn by_id(run: &Run) -> BTreeMap<String, &ReturnRecord> {
    run.returns.iter().map(|returned| (returned.external_return_id.clone(), returned)).collect()
}

fn statuses(run: &Run) -> BTreeMap<String, ReturnStatus> {
    by_id(run).into_iter().map(|(id, returned)| (id, returned.status)).collect()
}

#[tokio::test]
async fn a_run_brings_every_return_of_both_sources_with_its_order_and_dates() {
    let simulator = simulator(9, 1);
    let run = read(&simulator).await.unwrap();
    assert_eq!(statuses(&run), book(&simulator));
    assert!(run.quarantined.is_empty(), "{:?}", run.quarantined);
    let orders = simulator.flipkart_orders(ACCOUNT).unwrap();
    for returned in by_id(&run).into_values() {
        let order = returned.external_order_id.as_ref().unwrap();
        assert!(orders.contains(order));
        let is_first = *order == orders[0];
        assert_eq!(returned.return_type, if is_first { ReturnType::Customer } else { ReturnType::Rto });
        assert_eq!((returned.delivered_at, returned.marketplace_updated_at.is_some()), (None, true));
        assert_eq!(returned.initiated_at + TimeDelta::days(10), returned.expected_at.unwrap());
        assert!(returned.items.iter().all(|item| item.external_order_item_id.is_some()));
        assert!(returned.notes.is_empty(), "{:?}", returned.notes);
        assert!(!format!("{returned:?}").contains("own words"), "comments are not kept");
    }
    assert_eq!(simulator.ledger().tokens_issued(Marketplace::Flipkart), 1);
    assert_eq!(simulator.ledger().requests(Marketplace::Flipkart, "/sellers/v3"), 0);
}

#[tokio::test]
async fn a_return_over_several_pages_keeps_all_its_items() {
    // Thirty items are on two pages, and the fifteenth return is on both.
    let simulator = simulator(10, 3);
    let run = read(&simulator).await.unwrap();
    assert!(run.returns.len() >= 11, "the customer's and ten of the courier's");
    for returned in &run.returns {
        let is_customers = returned.return_type == ReturnType::Customer;
        assert_eq!(returned.items.len(), if is_customers { 1 } else { 3 }, "{}", returned.external_return_id);
    }
}

#[tokio::test]
async fn a_later_run_finds_what_changed_and_brings_the_whole_return_of_one_changed_item() {
    let simulator = simulator(3, 2);
    let before = read(&simulator).await.unwrap();
    let open =
        by_id(&before).into_values().find(|it| it.status == ReturnStatus::Initiated && it.items.len() == 2);
    let open = open.unwrap();
    let (id, item) = (open.external_return_id.as_str(), open.items[0].external_item_id.as_str());
    // A run ends two minutes before now.
    let at = Utc::now() - TimeDelta::minutes(3);
    let complete = |item: Option<&str>| {
        simulator.set_flipkart_return_status(ACCOUNT, id, item, "COMPLETED", Some(at)).unwrap();
    };
    complete(Some(item));
    let run = read_from(&simulator, since(4)).await.unwrap();
    let [half] = run.returns.as_slice() else { panic!("one return has changed") };
    assert_eq!((half.status, half.items.len()), (ReturnStatus::Initiated, 2));
    assert_eq!((half.marketplace_status.as_str(), half.delivered_at), ("COMPLETED / CREATED", None));
    complete(None);
    let run = read_from(&simulator, since(4)).await.unwrap();
    let [whole] = run.returns.as_slice() else { panic!("one return has changed") };
    assert_eq!((whole.status, whole.items.len()), (ReturnStatus::Delivered, 2));
    let completed = at.timestamp_millis();
    assert_eq!(whole.marketplace_updated_at.map(|at| at.timestamp_millis()), Some(completed));
}

#[tokio::test]
async fn a_run_asks_for_both_sources_and_vouches_for_the_time_up_to_a_little_before_it_began() {
    let server = Scripted::start(|_, _| ok(r#"{"hasMore":false,"returnItems":[]}"#)).await;
    let before = Utc::now();
    let connection = server.connect(Flipkart);
    let run = run_of(connection.as_ref(), RunKind::Returns, since(60)).await.unwrap();
    let calls = server.page_calls();
    let asked: Vec<_> = calls.iter().map(|call| (call.path.as_str(), call.parameter("source"))).collect();
    assert_eq!(asked, [(RETURNS, Some("customer_return")), (RETURNS, Some("courier_return"))]);
    for call in &calls {
        assert!(call.parameter("modifiedAfter").is_some() && call.parameter("modifiedBefore").is_some());
        assert_eq!(call.parameter("locationId"), None);
    }
    for page in &run.pages {
        let behind = before - page.complete_until.unwrap();
        assert!((TimeDelta::minutes(1)..TimeDelta::minutes(3)).contains(&behind), "{behind}");
    }
    run_of(connection.as_ref(), RunKind::Returns, PageRequest::default()).await.unwrap();
    assert_eq!(server.page_calls().len() - 2, 26, "ninety days of each source in weeks");
}

#[tokio::test]
async fn faults_of_a_page_of_returns_name_returns_and_say_what_to_do() {
    let garbled = AdapterError::Garbled { what: "page of returns is not JSON".to_owned() };
    let limited = AdapterError::RateLimited { retry_after: Some(Duration::from_secs(7)) };
    for (kind, expected) in [
        (FaultKind::Garbage, garbled.clone()),
        (FaultKind::Truncated, garbled),
        (FaultKind::Status { status: 429, retry_after: Some(7) }, limited),
        (FaultKind::RejectCredentials, AdapterError::Unauthorized),
        (
            FaultKind::Status { status: 403, retry_after: None },
            AdapterError::NotPermitted { what: "read returns" },
        ),
    ] {
        let simulator = simulator(2, 1);
        simulator.add_fault(fault(kind.clone()));
        assert_eq!(read(&simulator).await.unwrap_err(), expected, "{kind:?}");
    }
}

#[tokio::test]
async fn a_token_that_expires_is_renewed_an_empty_page_leads_on_and_a_page_that_comes_again_ends_the_run() {
    let simulator = simulator(60, 1);
    for kind in [FaultKind::ExpireTokens, FaultKind::EmptyPage] {
        simulator.add_fault(fault(kind.clone()).after(27).times(1));
        assert_eq!(statuses(&read(&simulator).await.unwrap()), book(&simulator), "{kind:?}");
        simulator.clear_faults();
    }
    simulator.add_fault(fault(FaultKind::RepeatPage));
    assert_eq!(read(&simulator).await.unwrap_err(), AdapterError::RepeatedPage);
}

#[tokio::test]
async fn a_spoilt_item_costs_its_return_which_can_be_mapped_again_from_what_was_kept() {
    for (malformation, reason) in [
        (
            Malformation::MissingField { field: Some("quantity".to_owned()) },
            "returnItems[0].quantity is missing",
        ),
        (Malformation::MissingField { field: Some("returnId".to_owned()) }, "returnId is missing"),
        (Malformation::BadAmount, "returnItems[0].quantity is not a whole number of units"),
    ] {
        let simulator = simulator(0, 0);
        let list = read_from(&simulator, since(60)).await.unwrap();
        assert_eq!(list.returns.len(), 1);
        simulator.add_fault(fault(FaultKind::Malformed { malformation, record: 0 }).times(1));
        let run = read_from(&simulator, since(60)).await.unwrap();
        assert!(run.returns.is_empty());
        let [record] = run.quarantined.as_slice() else { panic!("one return is set aside") };
        assert_eq!(record.reason, reason);
        let is_known = reason != "returnId is missing";
        assert_eq!(record.external_id.is_some(), is_known);
        let registry = Registry::new(&MarketplaceConfig::default()).unwrap();
        let mended =
            record.raw.replacen(r#""returnItems":[{"#, r#""returnId":"R1","returnItems":[{"quantity":1,"#, 1);
        let again = registry.adapter(Flipkart).map_again(RunKind::Returns, std::slice::from_ref(&record.raw));
        assert_eq!(again.problems, [Some(record.reason.clone())]);
        if !is_known {
            let mended = mended.replacen(r#""quantity":1,"#, "", 1);
            let again = registry.adapter(Flipkart).map_again(RunKind::Returns, &[mended]);
            let Records::Returns(returns) = again.records else { panic!("they are returns") };
            assert_eq!(returns[0].return_type, ReturnType::Customer, "the source is kept with it");
        }
    }
}

/// An item of a return of its own.
fn item(number: usize) -> Value {
    json!({
        "returnId": format!("R{number}"), "orderItemId": "1", "quantity": 1, "status": "CREATED",
        "createdDate": "2026-11-18T09:00:00Z", "updatedDate": "2026-11-18T09:00:00Z",
    })
}

async fn first_page(connection: &dyn Connection) -> Result<Vec<ReturnRecord>, AdapterError> {
    let page = connection.page(RunKind::Returns, &PageRequest::default()).await?;
    Ok(kit::returns_of(&page).to_vec())
}

#[tokio::test]
async fn a_link_to_another_place_is_refused_and_the_token_stays_here() {
    let elsewhere = Scripted::start(|_, _| ok("{}")).await;
    let link = format!("{}{RETURNS}?next_token=a", elsewhere.base_url());
    let page = json!({ "returnItems": [], "hasMore": true, "nextUrl": link }).to_string();
    let server = Scripted::start(move |_, _| ok(page.clone())).await;
    let what = "page of returns: nextUrl leads to another place than the next page".to_owned();
    assert_eq!(first_page(server.connect(Flipkart).as_ref()).await, Err(AdapterError::Malformed { what }));
    assert!(elsewhere.page_calls().is_empty());
}

#[tokio::test]
async fn a_link_is_followed_unchanged_and_a_refused_one_leads_back_to_its_window_once() {
    for refusals in [1, 2] {
        let server = Scripted::start(move |call, before| {
            let link = "/v2/returns?next_token=a%2Bb%3D&x=1";
            match call.parameter("next_token") {
                Some(_) if before < 2 * refusals => status(400, ""),
                Some(_) => ok(r#"{"hasMore":false,"returnItems":[]}"#),
                None => ok(json!({ "hasMore": true, "nextUrl": link, "returnItems": [] }).to_string()),
            }
        })
        .await;
        let connection = server.connect(Flipkart);
        let outcome = run_of(connection.as_ref(), RunKind::Returns, since(60)).await;
        assert_eq!(outcome.is_ok(), refusals == 1);
        let calls = server.page_calls();
        assert_eq!((calls[1].path.as_str(), calls[1].query.as_str()), (RETURNS, "next_token=a%2Bb%3D&x=1"));
        assert_eq!(calls[2].query, calls[0].query, "the window's start");
    }
}

#[tokio::test]
async fn twenty_five_returns_are_asked_for_at_once_at_the_accounts_location_over_all_pages() {
    let server = Scripted::start(|call, _| {
        let is_more = call.parameter("next_token").is_some();
        let items: Vec<Value> = if call.parameter("returnIds").is_some() {
            return ok(
                json!({ "returnItems": [item(0)], "hasMore": true, "nextUrl": "/v2/returns?next_token=a" })
                    .to_string(),
            );
        } else if is_more {
            let mut second = item(0);
            second["orderItemId"] = json!("2");
            vec![second]
        } else {
            (0..30).map(item).collect()
        };
        ok(json!({ "returnItems": items, "hasMore": false }).to_string())
    })
    .await;
    let registry = Registry::new(&kit::config(server.base_url())).unwrap();
    let mut details = kit::details(Flipkart);
    details.insert("location_id".to_owned(), "LOC7".to_owned());
    let connection = kit::connect(&registry, Flipkart, Uuid::from_u128(1), &details);
    let returns = first_page(connection.as_ref()).await.unwrap();
    assert_eq!((returns.len(), returns[0].items.len(), returns[1].items.len()), (30, 2, 1));
    let calls = server.page_calls();
    let asked: Vec<usize> =
        calls.iter().filter_map(|call| Some(call.parameter("returnIds")?.split("%2C").count())).collect();
    assert_eq!(asked, [25, 5]);
    let first_calls = calls.iter().filter(|call| call.parameter("next_token").is_none());
    assert!(first_calls.into_iter().all(|call| call.parameter("locationId") == Some("LOC7")));
}

#[tokio::test]
async fn a_byte_that_is_not_text_costs_the_return_that_holds_it() {
    let server = Scripted::start(|call, _| {
        let items = if call.parameter("returnIds").is_some() { vec![] } else { vec![item(1), item(2)] };
        let text = json!({ "returnItems": items, "hasMore": false }).to_string();
        let mut body = text.into_bytes();
        if let Some(at) = body.windows(2).position(|pair| pair == b"R2") {
            body.insert(at + 2, 0xff);
        }
        ok(body)
    })
    .await;
    let page = server.connect(Flipkart).page(RunKind::Returns, &PageRequest::default()).await.unwrap();
    assert_eq!(kit::returns_of(&page).len(), 1);
    assert_eq!(page.quarantined.len(), 1);
    assert_eq!(page.quarantined[0].reason, "record holds bytes that are not UTF-8");
}

#[tokio::test]
async fn when_the_whole_returns_cannot_be_read_the_page_is_not_stored_without_them() {
    for answer in [400, 500, 499] {
        let server = Scripted::start(move |call, _| match call.parameter("returnIds") {
            Some(_) => status(answer, ""),
            None => ok(json!({ "returnItems": [item(1)], "hasMore": false }).to_string()),
        })
        .await;
        assert!(first_page(server.connect(Flipkart).as_ref()).await.is_err(), "{answer}");
    }
    let endless = Scripted::start(|_, before| {
        let link = format!("/v2/returns?next_token={before}");
        let has_more = before > 0;
        ok(json!({ "returnItems": [item(1)], "hasMore": has_more, "nextUrl": link }).to_string())
    })
    .await;
    let what = "25 returns have more than 20 pages".to_owned();
    assert_eq!(first_page(endless.connect(Flipkart).as_ref()).await, Err(AdapterError::Malformed { what }));
    assert_eq!(endless.page_calls().len(), 21);
}
