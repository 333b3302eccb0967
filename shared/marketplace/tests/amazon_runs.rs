//! Whole Amazon.in runs against the simulator, with the troubles that the Selling Partner API is known for.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::Duration;

use kit::{connect_to, run, run_from};
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::contract::{Connection, PageRequest, PlacedWindow};
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::record::OrderStatus;
use rust_decimal::Decimal;
use simulators::{
    AmazonAccount, Fault, FaultKind, Malformation, Marketplace, OrderBook, Quota, Simulator, SimulatorConfig,
};

const ACCOUNT: &str = "A1DEMOSELLER";
const ORDERS: &str = "/orders/2026-01-01/orders";
const TOKEN: &str = "/auth/o2/token";
const HEADER: &str = "order_id,purchase_date,status,fulfilment,ship_service_level,category,payment_method,size,\
                      courier_status,line_amount,quantity,currency,ship_city,ship_postal_code,b2b";

/// Makes as many orders as asked for. Every tenth has a second line, and every seventh is cancelled without an amount.
fn order_book(orders: usize) -> OrderBook {
    let mut csv = format!("{HEADER}\n");
    for number in 0..orders {
        let (status, amount, quantity) = match number % 7 {
            0 => ("Cancelled", String::new(), 0),
            1 => ("Shipped - Delivered to Buyer", format!("{}.{:04}", 400 + number, number % 10_000), 1),
            _ => ("Shipped", format!("{}.10", 400 + number), 2),
        };
        for size in ["M", "L"].iter().take(if number % 10 == 0 { 2 } else { 1 }) {
            writeln!(
                csv,
                "405-{number:07}-{number:07},2026-04-30,{status},Merchant,Standard,Shirt,Cash,{size},Shipped,\
                 {amount},{quantity},INR,BENGALURU,560085,false"
            )
            .unwrap();
        }
    }
    OrderBook::from_csv("generated", &csv).unwrap()
}

fn simulator(orders: usize) -> Simulator {
    let mut config = SimulatorConfig::new(order_book(orders));
    config.amazon.search_orders = Quota { rate: 1_000.0, burst: 1_000 };
    config.amazon.accounts.push(AmazonAccount {
        account: ACCOUNT.to_owned(),
        refresh_token: kit::REFRESH_TOKEN.to_owned(),
        client_id: None,
        client_secret: Some(kit::CLIENT_SECRET.to_owned()),
        orders: order_book(orders),
    });
    Simulator::start(&config).unwrap()
}

fn connection(simulator: &Simulator) -> Box<dyn Connection> {
    connect_to(simulator.amazon_base_url(), MarketplaceCode::AmazonIn)
}

fn fault(path: &str, kind: FaultKind) -> Fault {
    Fault::new(Marketplace::Amazon, path, kind)
}

async fn first_error(simulator: &Simulator) -> AdapterError {
    connection(simulator).page(RunKind::Orders, &PageRequest::default()).await.unwrap_err()
}

#[tokio::test]
async fn a_run_brings_every_order_line_and_amount_of_the_book() {
    let simulator = simulator(730);
    let run = run(connection(&simulator).as_ref()).await.unwrap();
    let book = order_book(730);
    assert_eq!(run.orders.len(), 730);
    assert!(run.quarantined.is_empty(), "{:?}", run.quarantined);
    let orders = run.by_id();
    for booked in book.orders() {
        let order = orders[booked.order_id.as_str()];
        let lines: BTreeSet<(String, i64, Decimal)> = booked
            .lines
            .iter()
            .map(|line| (line.order_item_id.clone(), i64::from(line.quantity), line.amount.normalize()))
            .collect();
        let items: BTreeSet<(String, i64, Decimal)> = order
            .items
            .iter()
            .map(|item| (item.external_item_id.clone(), i64::from(item.quantity), item.line_amount.unwrap()))
            .collect();
        assert_eq!(items, lines);
        assert_eq!(order.marketplace_status, booked.lines[0].status);
        assert_eq!(order.ship_city.as_deref(), Some("BENGALURU"));
    }
    assert_eq!(simulator.ledger().tokens_issued(Marketplace::Amazon), 1);
    assert_eq!(simulator.ledger().requests(Marketplace::Amazon, ORDERS), 8);
}

#[tokio::test]
async fn real_order_lines_arrive_with_the_sums_of_their_file() {
    let book = OrderBook::sample().unwrap();
    let simulator = Simulator::start(&SimulatorConfig::new(book.clone())).unwrap();
    let run = run(connection(&simulator).as_ref()).await.unwrap();
    let lines = || book.orders().iter().flat_map(|order| &order.lines);
    let items = || run.orders.iter().flat_map(|order| &order.items);
    assert_eq!((run.orders.len(), run.quarantined.len()), (book.orders().len(), 0));
    assert_eq!(items().count(), lines().count());
    let sum: Decimal = items().filter_map(|item| item.line_amount).sum();
    assert_eq!(sum, lines().map(|line| line.amount).sum());
    let cancelled = |order: &&robnu_marketplace::record::OrderRecord| order.status == OrderStatus::Cancelled;
    let all_cancelled =
        |order: &&simulators::Order| order.lines.iter().all(|line| line.status.starts_with("Cancelled"));
    assert_eq!(
        run.orders.iter().filter(cancelled).count(),
        book.orders().iter().filter(all_cancelled).count()
    );
}

#[tokio::test]
async fn the_watermark_is_the_window_end_of_the_first_page() {
    let simulator = simulator(250);
    let connection = connection(&simulator);
    let first = connection.page(RunKind::Orders, &PageRequest::default()).await.unwrap();
    simulator.advance_clock(Duration::from_mins(30));
    let request = PageRequest { position: first.next.clone(), changed_since: None, placed: None };
    let rest = run_from(connection.as_ref(), request).await.unwrap();
    assert!(first.complete_until.is_some());
    assert!(rest.pages.iter().all(|page| page.complete_until == first.complete_until));
}

#[tokio::test]
async fn a_later_run_brings_only_changed_orders() {
    let simulator = simulator(250);
    let connection = connection(&simulator);
    let first = run(connection.as_ref()).await.unwrap();
    let watermark = first.pages.last().unwrap().complete_until;
    simulator.advance_clock(Duration::from_mins(5));
    let id = "405-0000002-0000002";
    simulator.set_amazon_status(ACCOUNT, id, "Shipped - Delivered to Buyer", None).unwrap();
    let request = PageRequest { position: None, changed_since: watermark, placed: None };
    let second = run_from(connection.as_ref(), request).await.unwrap();
    let [order] = second.orders.as_slice() else { panic!("one order has changed") };
    assert_eq!((order.external_order_id.as_str(), order.status), (id, OrderStatus::Delivered));
}

/// Orders of three days, more than a page for each day.
fn three_days() -> Simulator {
    let mut csv = format!("{HEADER}\n");
    for day in 1..=3 {
        for number in 0..110 {
            writeln!(
                csv,
                "405-{day:07}-{number:07},2026-04-0{day},Shipped,Merchant,Standard,Shirt,Cash,M,Shipped,\
                 10.00,1,INR,BENGALURU,560085,false"
            )
            .unwrap();
        }
    }
    let mut config = SimulatorConfig::new(OrderBook::from_csv("days", &csv).unwrap());
    config.amazon.search_orders = Quota { rate: 1_000.0, burst: 1_000 };
    Simulator::start(&config).unwrap()
}

fn placed(from: &str, until: &str) -> PageRequest {
    let placed = PlacedWindow { from: from.parse().unwrap(), until: until.parse().unwrap() };
    PageRequest { placed: Some(placed), ..PageRequest::default() }
}

#[tokio::test]
async fn a_window_brings_all_pages_of_the_orders_placed_in_it_and_vouches_for_nothing() {
    let simulator = three_days();
    let connection = connection(&simulator);
    let all = run(connection.as_ref()).await.unwrap();
    let request = placed("2026-04-01T18:30:00Z", "2026-04-02T18:29:59.999Z");
    let window = request.placed.unwrap();
    let expected: BTreeSet<&str> = all
        .orders
        .iter()
        .filter(|order| window.holds(order.placed_at))
        .map(|order| order.external_order_id.as_str())
        .collect();
    assert!((100..all.orders.len()).contains(&expected.len()), "more than a page, and not all of them");
    let run = run_from(connection.as_ref(), request).await.unwrap();
    assert_eq!(run.by_id().into_keys().collect::<BTreeSet<_>>(), expected);
    assert!(run.pages.len() > 1 && run.pages.iter().all(|page| page.complete_until.is_none()));
}

#[tokio::test]
async fn a_window_is_started_over_as_the_same_window() {
    let simulator = three_days();
    let connection = connection(&simulator);
    let first = connection
        .page(RunKind::Orders, &placed("2026-04-01T18:30:00Z", "2026-04-02T18:29:59Z"))
        .await
        .unwrap();
    simulator.advance_clock(Duration::from_hours(25));
    let again =
        PageRequest { position: first.next, ..placed("2026-04-01T18:30:00Z", "2026-04-02T18:29:59Z") };
    let again = run_from(connection.as_ref(), again).await.unwrap();
    let once =
        run_from(connection.as_ref(), placed("2026-04-01T18:30:00Z", "2026-04-02T18:29:59Z")).await.unwrap();
    assert!(kit::orders_of(&again.pages[0]).is_empty(), "the token was refused");
    assert_eq!(again.by_id().len(), once.by_id().len());
}

#[tokio::test]
async fn a_window_that_amazon_does_not_show_yet_is_not_asked_for() {
    let simulator = simulator(5);
    let now = chrono::Utc::now();
    let request = |minutes| {
        let placed = PlacedWindow { from: now - chrono::TimeDelta::minutes(minutes), until: now };
        PageRequest { placed: Some(placed), ..PageRequest::default() }
    };
    let young = run_from(connection(&simulator).as_ref(), request(2)).await.unwrap();
    assert!(young.orders.is_empty());
    assert_eq!(simulator.ledger().requests(Marketplace::Amazon, ORDERS), 0);
    // A window that begins earlier is cut off where Amazon begins to refuse.
    run_from(connection(&simulator).as_ref(), request(60)).await.unwrap();
    assert_eq!(simulator.ledger().requests(Marketplace::Amazon, ORDERS), 1);
}

#[tokio::test]
async fn a_page_without_orders_does_not_end_the_run() {
    let simulator = simulator(350);
    simulator.add_fault(fault(ORDERS, FaultKind::EmptyPage).after(1).times(2));
    let run = run(connection(&simulator).as_ref()).await.unwrap();
    assert_eq!(run.by_id().len(), 350);
}

#[tokio::test]
async fn a_page_that_comes_twice_ends_the_run() {
    let simulator = simulator(500);
    simulator.add_fault(fault(ORDERS, FaultKind::RepeatPage).after(2).times(1));
    let error = run(connection(&simulator).as_ref()).await.unwrap_err();
    assert_eq!(error, AdapterError::RepeatedPage);
}

#[tokio::test]
async fn an_expired_page_token_leads_back_to_the_start_of_the_window_once() {
    let simulator = simulator(250);
    let connection = connection(&simulator);
    let first = connection.page(RunKind::Orders, &PageRequest::default()).await.unwrap();
    simulator.advance_clock(Duration::from_hours(25));
    let request = PageRequest { position: first.next, changed_since: None, placed: None };
    let rest = run_from(connection.as_ref(), request).await.unwrap();
    assert_eq!(rest.by_id().len(), 250);
    assert!(rest.pages[0].next.is_some() && rest.pages[0].complete_until.is_none());
    assert!(rest.pages.last().unwrap().complete_until > first.complete_until);
}

#[tokio::test]
async fn a_page_token_refused_again_after_the_restart_ends_the_run() {
    let simulator = simulator(250);
    let refuse = FaultKind::Status { status: 400, retry_after: None };
    simulator.add_fault(fault(ORDERS, refuse.clone()).after(1).times(1));
    simulator.add_fault(fault(ORDERS, refuse).after(1));
    let error = run(connection(&simulator).as_ref()).await.unwrap_err();
    assert!(matches!(error, AdapterError::Rejected { status: 400, .. }), "{error}");
}

#[tokio::test]
async fn a_first_page_that_is_refused_is_not_asked_for_again() {
    let simulator = simulator(10);
    simulator.add_fault(fault(ORDERS, FaultKind::Status { status: 400, retry_after: None }));
    let code = Some("InvalidInput".to_owned());
    assert_eq!(first_error(&simulator).await, AdapterError::Rejected { status: 400, code });
    assert_eq!(simulator.ledger().requests(Marketplace::Amazon, ORDERS), 1);
}

#[tokio::test]
async fn a_token_that_expires_in_the_middle_of_a_run_is_renewed_once() {
    let simulator = simulator(500);
    simulator.add_fault(fault(ORDERS, FaultKind::ExpireTokens).after(2).times(1));
    let run = run(connection(&simulator).as_ref()).await.unwrap();
    assert_eq!(run.by_id().len(), 500);
    assert_eq!(simulator.ledger().tokens_issued(Marketplace::Amazon), 2);
}

#[tokio::test]
async fn a_token_refused_twice_is_renewed_exactly_once_and_lacks_a_permission() {
    let simulator = simulator(10);
    simulator.add_fault(fault(ORDERS, FaultKind::RejectCredentials));
    let error = first_error(&simulator).await;
    assert!(matches!(error, AdapterError::NotPermitted { .. }), "{error}");
    let ledger = simulator.ledger();
    assert_eq!(ledger.tokens_issued(Marketplace::Amazon), 2, "the first token and one renewal");
    assert_eq!(ledger.requests(Marketplace::Amazon, ORDERS), 2);
}

#[tokio::test]
async fn a_revoked_refresh_token_is_unauthorized_and_no_page_is_asked_for() {
    let simulator = simulator(10);
    simulator.add_fault(fault(TOKEN, FaultKind::RejectCredentials));
    assert_eq!(connection(&simulator).check_credentials().await, Err(AdapterError::Unauthorized));
    assert_eq!(first_error(&simulator).await, AdapterError::Unauthorized);
    assert_eq!(simulator.ledger().requests(Marketplace::Amazon, ORDERS), 0);
}

#[tokio::test]
async fn trouble_at_the_token_service_is_not_a_refusal() {
    let simulator = simulator(10);
    simulator.add_fault(fault(TOKEN, FaultKind::Status { status: 503, retry_after: None }).times(1));
    assert!(matches!(first_error(&simulator).await, AdapterError::Unavailable { .. }));
    simulator.add_fault(fault(TOKEN, FaultKind::Status { status: 429, retry_after: Some(4) }).times(1));
    let wait = Some(Duration::from_secs(4));
    assert_eq!(first_error(&simulator).await, AdapterError::RateLimited { retry_after: wait });
}

#[tokio::test]
async fn an_exhausted_quota_is_throttling() {
    let simulator = simulator(10);
    simulator.set_search_orders_quota(Quota { rate: 0.0056, burst: 1 });
    let connection = connection(&simulator);
    connection.page(RunKind::Orders, &PageRequest::default()).await.unwrap();
    let error = connection.page(RunKind::Orders, &PageRequest::default()).await.unwrap_err();
    assert!(matches!(error, AdapterError::RateLimited { .. }), "{error}");
}

#[tokio::test]
async fn a_body_that_is_not_json_is_a_temporary_error() {
    let simulator = simulator(10);
    simulator.add_fault(fault(ORDERS, FaultKind::Garbage));
    let what = "page of orders is not JSON".to_owned();
    assert_eq!(first_error(&simulator).await, AdapterError::Garbled { what });
}

#[tokio::test]
async fn twenty_calls_at_once_share_one_token() {
    let simulator = simulator(60);
    simulator.add_fault(fault(TOKEN, FaultKind::Hang { millis: 50 }));
    let connection = connection(&simulator);
    let request = PageRequest::default();
    let pages =
        futures_util::future::join_all((0..20).map(|_| connection.page(RunKind::Orders, &request))).await;
    assert!(pages.iter().all(Result::is_ok));
    assert_eq!(simulator.ledger().tokens_issued(Marketplace::Amazon), 1);
}

#[tokio::test]
async fn a_spoilt_record_is_quarantined_and_the_others_arrive() {
    let spoilt = [
        (Malformation::MissingField { field: None }, "createdTime is missing"),
        (Malformation::MissingField { field: Some("orderItems".to_owned()) }, "orderItems is missing"),
        (Malformation::BadAmount, "is not a decimal number"),
        (Malformation::FiveDecimals, "has more than 4 decimals"),
    ];
    for (malformation, reason) in spoilt {
        let simulator = simulator(150);
        let kind = FaultKind::Malformed { malformation, record: 3 };
        simulator.add_fault(fault(ORDERS, kind).times(1));
        let run = run(connection(&simulator).as_ref()).await.unwrap();
        assert_eq!(run.orders.len(), 149);
        let [record] = run.quarantined.as_slice() else { panic!("one record is quarantined") };
        assert!(record.reason.contains(reason), "{}", record.reason);
        assert_eq!(record.external_id.as_deref(), Some("405-0000003-0000003"));
    }
}
