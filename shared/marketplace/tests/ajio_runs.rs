//! Whole AJIO runs against the simulator, with the troubles that AJIO is known for.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::collections::BTreeSet;
use std::time::Duration;

use kit::{connect_to, run, run_from};
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::contract::{Connection, PageRequest, PlacedWindow};
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::record::OrderStatus;
use simulators::{
    AjioAccount, AjioStatus, Fault, FaultKind, Malformation, Marketplace, Simulator, SimulatorConfig,
};

const USERNAME: &str = "DV1";

fn simulator(orders: usize) -> Simulator {
    let mut config = SimulatorConfig::sample().unwrap();
    config.ajio.accounts.push(AjioAccount {
        username: USERNAME.to_owned(),
        password: Some(kit::PASSWORD.to_owned()),
        orders: Some(orders),
    });
    Simulator::start(&config).unwrap()
}

fn connection(simulator: &Simulator) -> Box<dyn Connection> {
    connect_to(simulator.ajio_base_url(), MarketplaceCode::Ajio)
}

fn fault(path: &str, kind: FaultKind) -> Fault {
    Fault::new(Marketplace::Ajio, path, kind)
}

/// Every order id of the simulator's book.
fn book(simulator: &Simulator) -> BTreeSet<String> {
    simulator.ajio_orders(USERNAME).unwrap().into_iter().map(|order| order.order_id).collect()
}

fn ids(run: &kit::Run) -> BTreeSet<String> {
    run.orders.iter().map(|order| order.external_order_id.clone()).collect()
}

async fn first_error(simulator: &Simulator) -> AdapterError {
    connection(simulator).page(RunKind::Orders, &PageRequest::default()).await.unwrap_err()
}

#[tokio::test]
async fn a_run_brings_all_five_thousand_orders_with_one_token() {
    let simulator = simulator(5_000);
    let run = run(connection(&simulator).as_ref()).await.unwrap();
    assert_eq!(run.orders.len(), 5_000);
    assert_eq!(ids(&run), book(&simulator));
    assert!(run.quarantined.is_empty());
    assert!(run.pages.iter().all(|page| page.complete_until.is_none()));
    assert_eq!(simulator.ledger().tokens_issued(Marketplace::Ajio), 1);
}

#[tokio::test]
async fn statuses_and_lines_arrive_as_the_book_has_them() {
    let simulator = simulator(400);
    let run = run(connection(&simulator).as_ref()).await.unwrap();
    let orders = run.by_id();
    for booked in simulator.ajio_orders(USERNAME).unwrap() {
        let order = orders[booked.order_id.as_str()];
        let expected = match booked.status {
            AjioStatus::Pendency => OrderStatus::Pending,
            AjioStatus::Confirmed => OrderStatus::Confirmed,
            AjioStatus::Packed => OrderStatus::Packed,
            AjioStatus::ReadyToDispatch => OrderStatus::ReadyToDispatch,
            AjioStatus::Dispatched => OrderStatus::Shipped,
            AjioStatus::Delivered => OrderStatus::Delivered,
            AjioStatus::Cancelled => OrderStatus::Cancelled,
        };
        assert_eq!(order.status, expected);
        assert_eq!(order.items.len(), booked.lines);
        assert_eq!(order.total_amount, Some(booked.total_amount.normalize()));
    }
}

#[tokio::test]
async fn a_window_keeps_only_orders_placed_in_it() {
    let simulator = simulator(400);
    let connection = connection(&simulator);
    let all = run(connection.as_ref()).await.unwrap();
    let mut instants: Vec<_> = all.orders.iter().map(|order| order.placed_at).collect();
    instants.sort_unstable();
    let placed = PlacedWindow { from: instants[100], until: instants[200] };
    let request = PageRequest { placed: Some(placed), ..PageRequest::default() };
    let run = run_from(connection.as_ref(), request).await.unwrap();
    let expected = all.orders.iter().filter(|order| placed.holds(order.placed_at));
    let expected: BTreeSet<String> = expected.map(|order| order.external_order_id.clone()).collect();
    assert!(expected.len() < 400);
    assert_eq!(ids(&run), expected);
}

#[tokio::test]
async fn the_next_run_finds_a_customers_cancellation() {
    let simulator = simulator(130);
    let connection = connection(&simulator);
    let before = run(connection.as_ref()).await.unwrap();
    let pending = before.orders.iter().find(|order| order.status == OrderStatus::Pending).unwrap();
    simulator.cancel_ajio_order(USERNAME, &pending.external_order_id).unwrap();
    let after = run(connection.as_ref()).await.unwrap();
    let order = after.by_id()[pending.external_order_id.as_str()];
    assert_eq!(order.status, OrderStatus::Cancelled);
    assert!(order.items.iter().all(|item| item.quantity_cancelled == item.quantity));
}

#[tokio::test]
async fn a_token_that_expires_in_the_middle_of_a_run_is_renewed_once() {
    let simulator = simulator(500);
    simulator.add_fault(fault("/orders", FaultKind::ExpireTokens).times(1).after(3));
    let run = run(connection(&simulator).as_ref()).await.unwrap();
    assert_eq!(ids(&run), book(&simulator));
    assert_eq!(simulator.ledger().tokens_issued(Marketplace::Ajio), 2);
}

#[tokio::test]
async fn a_token_refused_twice_is_renewed_exactly_once_and_ends_in_unauthorized() {
    let simulator = simulator(10);
    simulator.add_fault(fault("/orders", FaultKind::RejectCredentials));
    assert_eq!(first_error(&simulator).await, AdapterError::Unauthorized);
    let ledger = simulator.ledger();
    assert_eq!(ledger.tokens_issued(Marketplace::Ajio), 2, "the first token and one renewal");
    assert_eq!(ledger.requests(Marketplace::Ajio, "/orders/pendency"), 2);
}

#[tokio::test]
async fn a_wrong_password_is_unauthorized_and_no_page_is_asked_for() {
    let simulator = simulator(10);
    simulator.register_ajio(AjioAccount {
        username: USERNAME.to_owned(),
        password: Some("another".to_owned()),
        orders: None,
    });
    let connection = connection(&simulator);
    assert_eq!(connection.check_credentials().await, Err(AdapterError::Unauthorized));
    assert_eq!(first_error(&simulator).await, AdapterError::Unauthorized);
    assert_eq!(simulator.ledger().requests(Marketplace::Ajio, "/orders/pendency"), 0);
}

#[tokio::test]
async fn twenty_calls_at_once_share_one_token() {
    let simulator = simulator(60);
    simulator.add_fault(fault("/authToken", FaultKind::Hang { millis: 50 }));
    let connection = connection(&simulator);
    let request = PageRequest::default();
    let pages =
        futures_util::future::join_all((0..20).map(|_| connection.page(RunKind::Orders, &request))).await;
    assert!(pages.iter().all(Result::is_ok));
    assert_eq!(simulator.ledger().tokens_issued(Marketplace::Ajio), 1);
}

#[tokio::test]
async fn twenty_calls_with_an_expired_token_share_one_renewal() {
    let simulator = simulator(60);
    let connection = connection(&simulator);
    connection.check_credentials().await.unwrap();
    simulator.expire_tokens(Marketplace::Ajio, Some(USERNAME));
    simulator.add_fault(fault("/authToken", FaultKind::Hang { millis: 50 }));
    let request = PageRequest::default();
    let pages =
        futures_util::future::join_all((0..20).map(|_| connection.page(RunKind::Orders, &request))).await;
    assert!(pages.iter().all(Result::is_ok));
    assert_eq!(simulator.ledger().tokens_issued(Marketplace::Ajio), 2);
}

#[tokio::test]
async fn throttling_carries_the_wait_that_ajio_asks_for() {
    let simulator = simulator(10);
    simulator.add_fault(fault("/orders", FaultKind::Status { status: 429, retry_after: Some(7) }));
    let wait = Some(Duration::from_secs(7));
    assert_eq!(first_error(&simulator).await, AdapterError::RateLimited { retry_after: wait });
}

#[tokio::test]
async fn outages_and_broken_connections_are_unavailable() {
    for kind in [
        FaultKind::Status { status: 500, retry_after: None },
        FaultKind::Status { status: 503, retry_after: Some(3) },
        FaultKind::DropConnection,
    ] {
        let simulator = simulator(10);
        simulator.add_fault(fault("/orders", kind.clone()));
        let error = first_error(&simulator).await;
        assert!(matches!(error, AdapterError::Unavailable { .. }), "{kind:?} gave {error}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_json_is_a_temporary_error() {
    for kind in [FaultKind::Garbage, FaultKind::Truncated] {
        let simulator = simulator(10);
        simulator.add_fault(fault("/orders", kind));
        let error = first_error(&simulator).await;
        assert_eq!(error, AdapterError::Garbled { what: "page of orders is not JSON".to_owned() });
    }
}

#[tokio::test]
async fn a_page_that_comes_twice_ends_the_run() {
    let simulator = simulator(500);
    simulator.add_fault(fault("/orders", FaultKind::RepeatPage).after(2).times(1));
    let error = run(connection(&simulator).as_ref()).await.unwrap_err();
    assert_eq!(error, AdapterError::RepeatedPage);
}

#[tokio::test]
async fn a_page_that_comes_back_empty_or_short_is_asked_for_again() {
    for kind in [FaultKind::EmptyPage, FaultKind::ShortPage] {
        let simulator = simulator(500);
        simulator.add_fault(fault("/orders", kind.clone()).after(2).times(1));
        let run = run(connection(&simulator).as_ref()).await.unwrap();
        assert_eq!(ids(&run), book(&simulator), "{kind:?}");
    }
}

#[tokio::test]
async fn a_list_that_stays_short_does_not_stop_the_run() {
    let simulator = simulator(120);
    simulator.add_fault(fault("/orders", FaultKind::EmptyPage));
    let run = run(connection(&simulator).as_ref()).await.unwrap();
    assert!(run.orders.is_empty());
}

#[tokio::test]
async fn a_spoilt_record_is_quarantined_and_the_others_arrive() {
    let spoilt = [
        (Malformation::MissingField { field: None }, "order_date is missing"),
        (Malformation::BadAmount, "is not a decimal number"),
        (Malformation::FiveDecimals, "has more than 4 decimals"),
    ];
    for (malformation, reason) in spoilt {
        let simulator = simulator(100);
        let kind = FaultKind::Malformed { malformation, record: 2 };
        simulator.add_fault(fault("/orders", kind).times(1));
        let run = run(connection(&simulator).as_ref()).await.unwrap();
        assert_eq!(run.orders.len(), 99);
        let [record] = run.quarantined.as_slice() else { panic!("one record is quarantined") };
        assert!(record.reason.contains(reason), "{}", record.reason);
        assert!(book(&simulator).contains(record.external_id.as_deref().unwrap()));
        assert!(record.raw.contains(record.external_id.as_deref().unwrap()));
    }
}
