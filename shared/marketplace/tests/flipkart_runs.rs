//! Whole Flipkart runs against the simulator, and answers that only a scripted stand-in gives.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use kit::{Call, Run, Scripted, connect_to, ok, run, run_from, status};
use robnu_marketplace::code::MarketplaceCode::Flipkart;
use robnu_marketplace::contract::{Connection, PageRequest, PlacedWindow};
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::record::{OrderRecord, OrderStatus, Records};
use robnu_marketplace::registry::{MarketplaceConfig, Registry};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use simulators::{
    Fault, FaultKind, FlipkartAccount, FlipkartChange, Malformation, Marketplace, OrderBook, Simulator,
    SimulatorConfig,
};
use uuid::Uuid;

const ACCOUNT: &str = "F1";
const FILTER: &str = "/sellers/v3/shipments/filter";
const ORDERS: &str = "/sellers/v3/shipments";
const TOKEN: &str = "/oauth-service/oauth/token";
const HEADER: &str = "order_id,purchase_date,status,fulfilment,ship_service_level,category,payment_method,size,\
                      courier_status,line_amount,quantity,currency,ship_city,ship_postal_code,b2b";

/// Orders with one line, of this status, amount and units each.
fn book(orders: &[(&str, &str, u32)]) -> OrderBook {
    let mut csv = format!("{HEADER}\n");
    for (number, (status, amount, units)) in orders.iter().enumerate() {
        let end = format!("Shirt,Cash,M,Shipped,{amount},{units},INR,PUNE,411001,false");
        writeln!(csv, "405-0000000-{number:07},2026-06-01,{status},Merchant,Standard,{end}").unwrap();
    }
    OrderBook::from_csv("generated", &csv).unwrap()
}

/// The number that the simulated Flipkart gives to the order of the book.
fn order_id(number: usize) -> String {
    format!("OD4050000000{number:07}")
}

fn simulator(orders: &OrderBook) -> Simulator {
    let mut config = SimulatorConfig::new(orders.clone());
    config.flipkart.accounts.push(FlipkartAccount {
        account: ACCOUNT.to_owned(),
        app_id: "flipkart-app".to_owned(),
        app_secret: kit::APP_SECRET.to_owned(),
        orders: None,
    });
    Simulator::start(&config).unwrap()
}

fn connection(simulator: &Simulator) -> Box<dyn Connection> {
    connect_to(simulator.flipkart_base_url(), Flipkart)
}

fn fault(path: &str, kind: FaultKind) -> Fault {
    Fault::new(Marketplace::Flipkart, path, kind)
}

fn change(simulator: &Simulator, number: usize, change: &FlipkartChange) {
    // A run ends two minutes before now, and the run that finds this begins there.
    let at = Utc::now() - TimeDelta::minutes(3);
    simulator.change_flipkart_order(ACCOUNT, &order_id(number), None, change, Some(at)).unwrap();
}

/// Everything that changed since an hour ago, and what is open.
async fn recent(simulator: &Simulator) -> Run {
    let request =
        PageRequest { changed_since: Some(Utc::now() - TimeDelta::hours(1)), ..PageRequest::default() };
    run_from(connection(simulator).as_ref(), request).await.unwrap()
}

#[tokio::test]
async fn a_run_brings_every_order_with_its_units_and_amounts() {
    let book = OrderBook::sample().unwrap();
    let simulator = simulator(&book);
    let run = run(connection(&simulator).as_ref()).await.unwrap();
    assert!(run.quarantined.is_empty(), "{:?}", run.quarantined);
    let orders = run.by_id();
    assert_eq!(orders.len(), book.orders().len());
    for booked in book.orders() {
        let id = format!("OD{}", booked.order_id.replace('-', ""));
        let order = orders[id.as_str()];
        let lines: BTreeMap<&str, (i64, Decimal)> = booked
            .lines
            .iter()
            .map(|line| (line.order_item_id.as_str(), (i64::from(line.quantity), line.amount.normalize())))
            .collect();
        let items: BTreeMap<&str, (i64, Decimal)> = order
            .items
            .iter()
            .map(|it| {
                (it.external_item_id.as_str(), (i64::from(it.quantity), it.line_amount.unwrap().normalize()))
            })
            .collect();
        assert_eq!(items, lines, "{id}");
        assert_eq!(order.total_amount, Some(booked.total()), "{id}");
        assert!(order.notes.is_empty(), "{:?}", order.notes);
    }
    assert_eq!(simulator.ledger().tokens_issued(Marketplace::Flipkart), 1);
}

#[tokio::test]
async fn an_order_in_several_shipments_is_one_order_whatever_state_each_of_them_is_in() {
    let simulator = simulator(&book(&[("Unshipped", "99.99", 7), ("Unshipped", "20", 3)]));
    let id = order_id(0);
    let (first, second) = (format!("{}01", &id[2..]), format!("{}02", &id[2..]));
    let shipped = FlipkartChange::Status("SHIPPED".to_owned());
    simulator.change_flipkart_order(ACCOUNT, &id, Some(&first), &shipped, None).unwrap();
    let run = run(connection(&simulator).as_ref()).await.unwrap();
    let order = run.by_id()[id.as_str()];
    assert_eq!(order.status, OrderStatus::PartiallyShipped);
    let parcels: Vec<(&str, &str)> =
        order.shipments.iter().map(|it| (it.external_shipment_id.as_str(), it.status.as_str())).collect();
    assert_eq!(parcels, [(first.as_str(), "SHIPPED"), (second.as_str(), "CONFIRMED")]);
    let [line] = order.items.as_slice() else { panic!("one line") };
    assert_eq!((line.quantity, line.quantity_cancelled), (7, 1));
    assert_eq!(line.line_amount.map(|amount| amount.to_string()).as_deref(), Some("99.99"));
}

#[tokio::test]
async fn what_is_on_hold_is_read_and_marked_and_freed_again() {
    let simulator = simulator(&book(&[("Pending", "10", 1), ("Unshipped", "10", 1)]));
    let held = |run: &Run| run.by_id().values().map(|order| order.on_hold).collect::<Vec<_>>();
    assert_eq!(held(&recent(&simulator).await), [true, false]);
    change(&simulator, 0, &FlipkartChange::Hold(false));
    change(&simulator, 1, &FlipkartChange::Hold(true));
    assert_eq!(held(&recent(&simulator).await), [false, true]);
}

#[tokio::test]
async fn a_later_run_brings_what_is_open_and_what_changed() {
    let shipped = ("Shipped", "10", 1);
    let simulator =
        simulator(&book(&[shipped, shipped, shipped, ("Unshipped", "10", 1), ("Unshipped", "10", 1)]));
    let read = |run: &Run| {
        run.by_id()
            .iter()
            .map(|(id, order)| format!("{} {}", &id[18..], order.status.as_str()))
            .collect::<Vec<_>>()
    };
    // The first order of a book changed a moment before the simulator began, and each other an hour earlier.
    assert_eq!(read(&recent(&simulator).await), ["0 SHIPPED", "3 CONFIRMED", "4 CONFIRMED"]);
    change(&simulator, 2, &FlipkartChange::Status("DELIVERED".to_owned()));
    for (number, by) in [(3, "buyerCancellation"), (4, "marketplaceCancellation")] {
        change(&simulator, number, &FlipkartChange::Cancelled(by.to_owned()));
    }
    assert_eq!(read(&recent(&simulator).await), ["0 SHIPPED", "2 DELIVERED", "3 CANCELLED", "4 CANCELLED"]);
}

#[tokio::test]
async fn a_run_vouches_for_the_time_up_to_a_little_before_it_began() {
    let simulator = simulator(&book(&[("Shipped", "10", 1)]));
    let before = Utc::now();
    let run = recent(&simulator).await;
    let ends: Vec<_> = run.pages.iter().map(|page| page.complete_until.unwrap()).collect();
    assert!(ends.iter().all(|end| *end == ends[0]), "one end for all pages");
    assert!(
        (TimeDelta::minutes(1)..TimeDelta::minutes(3)).contains(&(before - ends[0])),
        "{}",
        before - ends[0]
    );
}

#[tokio::test]
async fn a_window_brings_what_was_placed_in_it_in_whatever_state_and_vouches_for_nothing() {
    let states =
        ["Pending", "Unshipped", "Shipped", "Cancelled", "Cancelled", "Shipped - Delivered to Buyer"];
    let simulator = simulator(&book(&states.map(|state| (state, "10", 1))));
    let placed = |from: &str, until: &str| {
        let placed = PlacedWindow { from: from.parse().unwrap(), until: until.parse().unwrap() };
        PageRequest { placed: Some(placed), ..PageRequest::default() }
    };
    let connection = connection(&simulator);
    let there =
        run_from(connection.as_ref(), placed("2026-05-31T00:00:00Z", "2026-06-02T00:00:00Z")).await.unwrap();
    assert_eq!(there.by_id().len(), states.len());
    assert!(there.pages.iter().all(|page| page.complete_until.is_none()));
    let elsewhere = placed("2026-06-02T00:00:00Z", "2026-06-04T00:00:00Z");
    assert!(run_from(connection.as_ref(), elsewhere).await.unwrap().orders.is_empty());
    simulator.reset_ledger();
    let to_come = placed("2999-06-02T00:00:00Z", "2999-06-04T00:00:00Z");
    assert!(run_from(connection.as_ref(), to_come).await.unwrap().orders.is_empty());
    assert_eq!(simulator.ledger().requests(Marketplace::Flipkart, FILTER), 0, "the future is not asked for");
}

#[tokio::test]
async fn links_of_every_form_are_followed_and_orders_are_asked_for_once_a_page() {
    let simulator = simulator(&book(&vec![("Unshipped", "10", 1); 130]));
    let run = recent(&simulator).await;
    assert_eq!(run.by_id().len(), 130);
    // Seven pages of what is open, and one of each other pass.
    let ledger = simulator.ledger();
    assert_eq!(ledger.requests(Marketplace::Flipkart, FILTER), 7 + 5);
    assert_eq!(ledger.requests(Marketplace::Flipkart, ORDERS), 7);
}

#[tokio::test]
async fn cancellations_that_flipkart_rejects_are_done_without_and_an_outage_is_waited_for() {
    let simulator = simulator(&book(&[("Unshipped", "10", 1), ("Cancelled", "10", 1)]));
    for refusal in [400, 403, 404, 422] {
        simulator.refuse_flipkart_cancellations(Some(refusal));
        let run = recent(&simulator).await;
        assert_eq!(run.by_id().len(), 1, "{refusal}: the seller's own cancellations were an hour earlier");
        assert!(run.pages.last().unwrap().complete_until.is_some(), "{refusal}");
    }
    for outage in [499, 500, 503, 429] {
        simulator.refuse_flipkart_cancellations(Some(outage));
        let error = run(connection(&simulator).as_ref()).await.unwrap_err();
        let waits = matches!(error, AdapterError::Unavailable { .. } | AdapterError::RateLimited { .. });
        assert!(waits, "{outage}: {error}");
    }
    simulator.refuse_flipkart_cancellations(None);
    simulator.add_fault(fault(FILTER, FaultKind::Status { status: 400, retry_after: None }));
    let error = run(connection(&simulator).as_ref()).await.unwrap_err();
    let code = Some("invalid_request".to_owned());
    assert_eq!(error, AdapterError::Rejected { status: 400, code }, "any other pass is needed");
}

#[tokio::test]
async fn a_link_that_is_no_longer_accepted_leads_back_to_the_start_of_its_window_once() {
    let simulator = simulator(&book(&vec![("Unshipped", "10", 1); 50]));
    let refuse = FaultKind::Status { status: 400, retry_after: None };
    simulator.add_fault(fault(FILTER, refuse.clone()).after(1).times(1));
    let once = recent(&simulator).await;
    assert_eq!(once.by_id().len(), 50);
    assert!(kit::orders_of(&once.pages[1]).is_empty(), "the link was refused");
    simulator.clear_faults();
    simulator.add_fault(fault(FILTER, refuse).after(1).for_method("GET"));
    simulator
        .add_fault(fault(FILTER, FaultKind::Status { status: 400, retry_after: None }).for_method("GET"));
    let error = run(connection(&simulator).as_ref()).await.unwrap_err();
    assert!(matches!(error, AdapterError::Rejected { status: 400, .. }), "{error}");
}

#[tokio::test]
async fn an_empty_page_does_not_end_the_run_and_a_page_that_comes_again_does() {
    let simulator = simulator(&book(&vec![("Unshipped", "10", 1); 70]));
    simulator.add_fault(fault(FILTER, FaultKind::EmptyPage).after(1).times(2));
    assert_eq!(recent(&simulator).await.by_id().len(), 70);
    simulator.add_fault(fault(FILTER, FaultKind::RepeatPage).after(2).times(1));
    assert_eq!(run(connection(&simulator).as_ref()).await.unwrap_err(), AdapterError::RepeatedPage);
}

#[tokio::test]
async fn a_token_that_expires_in_the_middle_of_a_run_is_renewed_once() {
    let simulator = simulator(&book(&vec![("Unshipped", "10", 1); 50]));
    simulator.add_fault(fault(ORDERS, FaultKind::ExpireTokens).after(3).times(1));
    assert_eq!(recent(&simulator).await.by_id().len(), 50);
    assert_eq!(simulator.ledger().tokens_issued(Marketplace::Flipkart), 2);
}

#[tokio::test]
async fn a_refused_token_is_renewed_once_and_then_means_refused_credentials() {
    let simulator = simulator(&book(&[("Unshipped", "10", 1)]));
    simulator.add_fault(fault(ORDERS, FaultKind::RejectCredentials));
    assert_eq!(run(connection(&simulator).as_ref()).await.unwrap_err(), AdapterError::Unauthorized);
    assert_eq!(simulator.ledger().tokens_issued(Marketplace::Flipkart), 2);
    simulator.clear_faults();
    simulator.add_fault(fault(TOKEN, FaultKind::RejectCredentials));
    assert_eq!(run(connection(&simulator).as_ref()).await.unwrap_err(), AdapterError::Unauthorized);
}

#[tokio::test]
async fn a_limit_is_waited_for_as_long_as_flipkart_says() {
    let simulator = simulator(&book(&[("Unshipped", "10", 1)]));
    let busy = FaultKind::Status { status: 429, retry_after: Some(7) };
    for after in [0, 1] {
        simulator.add_fault(fault(ORDERS, busy.clone()).after(after).times(1));
        let error = connection(&simulator).page(RunKind::Orders, &PageRequest::default()).await.unwrap_err();
        assert_eq!(error, AdapterError::RateLimited { retry_after: Some(Duration::from_secs(7)) });
    }
}

#[tokio::test]
async fn a_spoilt_shipment_costs_its_order_which_can_be_mapped_again_from_what_was_kept() {
    let spoilt = [
        (Malformation::MissingField { field: None }, "orderItems[0].orderDate is missing"),
        (Malformation::MissingField { field: Some("orderItems".to_owned()) }, "orderItems is missing"),
        (Malformation::BadAmount, "customerPrice is not a decimal number"),
        (Malformation::FiveDecimals, "customerPrice has more than 4 decimals"),
    ];
    let simulator = simulator(&book(&vec![("Unshipped", "10.25", 1); 8]));
    for (malformation, reason) in spoilt {
        let has_no_order = reason == "orderItems is missing";
        simulator.add_fault(fault(FILTER, FaultKind::Malformed { malformation, record: 3 }).times(1));
        let run = recent(&simulator).await;
        assert_eq!(run.orders.len(), 7);
        let [record] = run.quarantined.as_slice() else { panic!("one record is quarantined") };
        assert!(record.reason.contains(reason), "{}", record.reason);
        assert_eq!(record.external_id, (!has_no_order).then(|| order_id(3)));
        let repaired = record.raw.replace("12.3.4", "10.25").replace("648.37125", "10.25");
        let registry = Registry::new(&MarketplaceConfig::default()).unwrap();
        let again = registry.adapter(Flipkart).map_again(RunKind::Orders, &[repaired, record.raw.clone()]);
        let Records::Orders(orders) = again.records else { panic!("they are orders") };
        let is_amount = reason.starts_with("customerPrice");
        assert_eq!(orders.len(), usize::from(is_amount), "{reason}");
        assert_eq!(again.problems[1].as_deref(), Some(record.reason.as_str()));
    }
}

/// A shipment of an order of its own.
fn shipment(number: usize, minute: usize) -> Value {
    json!({
        "shipmentId": format!("S{number}"), "updatedAt": format!("2026-11-18T09:{minute:02}:00Z"), "hold": false,
        "orderItems": [{
            "orderItemId": "1", "orderId": format!("OD{number}"), "orderDate": "2026-11-18T09:00:00Z",
            "status": "APPROVED", "quantity": 1, "priceComponents": { "customerPrice": 10 },
        }],
    })
}

fn asks_for_orders(call: &Call) -> bool {
    call.parameter("orderIds").is_some()
}

async fn first_page(server: &Scripted) -> Result<Vec<OrderRecord>, AdapterError> {
    let page = server.connect(Flipkart).page(RunKind::Orders, &PageRequest::default()).await?;
    Ok(kit::orders_of(&page).to_vec())
}

#[tokio::test]
async fn a_link_to_another_place_is_refused_and_the_token_stays_here() {
    let elsewhere = Scripted::start(|_, _| ok("{}")).await;
    let there = elsewhere.base_url().to_owned();
    for link in [
        format!("{there}{FILTER}?next_token=a"),
        format!("//{}/v3/shipments/filter?next_token=a", &there[7..]),
    ] {
        let page = json!({ "shipments": [], "hasMore": true, "nextPageUrl": link }).to_string();
        let server = Scripted::start(move |_, _| ok(page.clone())).await;
        let what = "page of orders: nextPageUrl leads to another place than the next page".to_owned();
        assert_eq!(first_page(&server).await, Err(AdapterError::Malformed { what }));
    }
    assert!(elsewhere.page_calls().is_empty());
}

#[tokio::test]
async fn a_link_is_followed_with_its_query_unchanged_and_with_the_token() {
    let server = Scripted::start(|_, before| {
        let more = before == 0;
        let link = "/v3/shipments/filter?next_token=a%2Bb%2Fc%3D&x=1";
        ok(json!({ "shipments": [], "hasMore": more, "nextPageUrl": link }).to_string())
    })
    .await;
    let request = PageRequest { changed_since: Some(Utc::now()), ..PageRequest::default() };
    run_from(server.connect(Flipkart).as_ref(), request).await.unwrap();
    let calls = server.page_calls();
    assert_eq!((calls[1].path.as_str(), calls[1].query.as_str()), (FILTER, "next_token=a%2Bb%2Fc%3D&x=1"));
    assert!(calls.iter().all(|call| call.token == calls[0].token && call.token.starts_with(kit::TOKEN)));
    assert!(calls[1].body.is_empty() && calls[0].body.contains("preDispatch"));
}

#[tokio::test]
async fn a_hundred_orders_are_asked_for_at_once_and_no_more() {
    let server = Scripted::start(|call, _| {
        let shipments: Vec<Value> = if asks_for_orders(call) {
            Vec::new()
        } else {
            (0..120).map(|number| shipment(number, 1)).collect()
        };
        ok(json!({ "shipments": shipments }).to_string())
    })
    .await;
    assert_eq!(first_page(&server).await.unwrap().len(), 120);
    let asked: Vec<usize> = server
        .page_calls()
        .iter()
        .filter_map(|call| Some(call.parameter("orderIds")?.split("%2C").count()))
        .collect();
    assert_eq!(asked, [100, 20]);
}

#[tokio::test]
async fn an_older_version_beside_a_newer_one_does_not_count_and_a_customer_is_never_kept() {
    for (listed, whole) in [(5, 4), (4, 5)] {
        let server = Scripted::start(move |call, _| {
            let is_whole = asks_for_orders(call);
            let mut shipment = shipment(1, if is_whole { whole } else { listed });
            shipment["hold"] = json!(if is_whole { whole > listed } else { listed > whole });
            shipment["buyerDetails"] = json!({ "firstName": "hush", "lastName": "hush" });
            shipment["deliveryAddress"] =
                json!({ "city": "hush", "pinCode": "hush", "contactNumber": "hush" });
            ok(json!({ "shipments": [shipment] }).to_string())
        })
        .await;
        let orders = first_page(&server).await.unwrap();
        assert!(orders[0].on_hold, "the newer version is on hold");
        assert!(!format!("{orders:?}").contains("hush"));
    }
}

#[tokio::test]
async fn the_location_of_the_account_is_asked_for_and_kept_to() {
    let server = Scripted::start(|call, _| {
        let mut elsewhere = shipment(1, 1);
        elsewhere["shipmentId"] = json!("S2");
        elsewhere["locationId"] = json!("LOC8");
        let shipments = if asks_for_orders(call) { vec![elsewhere] } else { vec![shipment(1, 1)] };
        ok(json!({ "shipments": shipments }).to_string())
    })
    .await;
    let registry = Registry::new(&kit::config(server.base_url())).unwrap();
    let mut details = kit::details(Flipkart);
    details.insert("location_id".to_owned(), "LOC7".to_owned());
    let connection = kit::connect(&registry, Flipkart, Uuid::from_u128(1), &details);
    let page = connection.page(RunKind::Orders, &PageRequest::default()).await.unwrap();
    assert_eq!(kit::orders_of(&page)[0].shipments.len(), 1);
    let asked: Value = serde_json::from_str(&server.page_calls()[0].body).unwrap();
    assert_eq!(asked["filter"]["locationId"], "LOC7");
}

#[tokio::test]
async fn when_the_orders_cannot_be_read_the_page_is_not_stored_without_them() {
    for answer in [400, 500, 499] {
        let server = Scripted::start(move |call, _| {
            if asks_for_orders(call) {
                status(answer, "")
            } else {
                ok(json!({ "shipments": [shipment(1, 1)] }).to_string())
            }
        })
        .await;
        assert!(first_page(&server).await.is_err(), "{answer}");
    }
    let server = Scripted::start(|call, _| {
        ok(if asks_for_orders(call) {
            "{}".to_owned()
        } else {
            json!({ "shipments": [shipment(1, 1)] }).to_string()
        })
    })
    .await;
    let what = "shipments of orders: shipments is missing".to_owned();
    assert_eq!(first_page(&server).await, Err(AdapterError::Malformed { what }));
}
