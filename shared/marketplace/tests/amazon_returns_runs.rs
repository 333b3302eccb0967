//! Whole runs that read Amazon's returns from the simulator's reports, with the troubles that reports bring.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use kit::{Run, connect_to, returns_of, run_of};
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::contract::{Connection, Page, PageRequest};
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::record::{Records, ReturnRecord, ReturnStatus, ReturnType};
use robnu_marketplace::registry::{MarketplaceConfig, Registry};
use rust_decimal::Decimal;
use simulators::{Fault, FaultKind, Malformation, Marketplace, OrderBook, Quota, Simulator, SimulatorConfig};

const REPORTS: &str = "/reports/2021-06-30/reports";
const LOOKS: &str = "/reports/2021-06-30/reports/{reportId}";
const DOWNLOADS: &str = "/report-documents";
const DOWNLOADED: &str = "/report-documents/{document}";
const HEADER: &str = "order_id,purchase_date,status,fulfilment,ship_service_level,category,payment_method,size,\
                      courier_status,line_amount,quantity,currency,ship_city,ship_postal_code,b2b";

/// Delivered orders of two lines that come back, each bought so many days ago; the return is asked for a week later and arrives
/// after another.
fn configured(days_ago: &[i64]) -> SimulatorConfig {
    let mut csv = format!("{HEADER}\n");
    for (number, days) in days_ago.iter().enumerate() {
        let date = (Utc::now() - TimeDelta::days(*days)).format("%Y-%m-%d");
        for size in ["M", "L"] {
            writeln!(
                csv,
                "405-{number:07}-0000002,{date},Shipped - Delivered to Buyer,Merchant,Standard,Shirt,Cash,{size},,\
                 499.50,1,INR,PUNE,411001,false"
            )
            .unwrap();
        }
    }
    SimulatorConfig::new(OrderBook::from_csv("returned", &csv).unwrap())
}

fn simulator(days_ago: &[i64]) -> Simulator {
    Simulator::start(&configured(days_ago)).unwrap()
}

fn connection(simulator: &Simulator) -> Box<dyn Connection> {
    connect_to(simulator.amazon_base_url(), MarketplaceCode::AmazonIn)
}

async fn run(simulator: &Simulator) -> Result<Run, AdapterError> {
    run_of(connection(simulator).as_ref(), RunKind::Returns, PageRequest::default()).await
}

async fn step(simulator: &Simulator, last: &Page) -> Result<Page, AdapterError> {
    let request = PageRequest { position: last.next.clone(), ..PageRequest::default() };
    connection(simulator).page(RunKind::Returns, &request).await
}

/// The page before a run's first look at its report.
async fn asked(simulator: &Simulator) -> Page {
    connection(simulator).page(RunKind::Returns, &PageRequest::default()).await.unwrap()
}

/// The page before a run reads the first document.
async fn ready(simulator: &Simulator) -> Page {
    simulator.set_amazon_report_looks(0);
    step(simulator, &asked(simulator).await).await.unwrap()
}

fn fault(path: &str, kind: FaultKind) -> Fault {
    Fault::new(Marketplace::Amazon, path, kind)
}

fn by_id(run: &Run) -> BTreeMap<&str, &ReturnRecord> {
    run.returns.iter().map(|returned| (returned.external_return_id.as_str(), returned)).collect()
}

fn made(simulator: &Simulator) -> u64 {
    simulator.ledger().requests_with_status(Marketplace::Amazon, REPORTS, 202)
}

#[tokio::test]
async fn a_first_run_reads_half_a_year_in_three_reports_and_waits_while_they_are_prepared() {
    let simulator = simulator(&[10, 50, 100, 150, 160, 180, 200]);
    let run = run(&simulator).await.unwrap();
    assert!(run.quarantined.is_empty(), "{:?}", run.quarantined);
    let ids: Vec<&str> = by_id(&run).into_keys().collect();
    // A return's date lies a week after its order. The order of 200 days ago gets a date within the last 170.
    assert_eq!(ids.len(), 7, "{ids:?}");
    assert_eq!(run.returns.len(), 7, "none comes twice");
    for returned in &run.returns {
        assert_eq!((returned.items.len(), returned.return_type), (2, ReturnType::Customer));
        let has_arrived = returned.initiated_at + TimeDelta::days(7) <= Utc::now();
        let status = if has_arrived { ReturnStatus::Delivered } else { ReturnStatus::Initiated };
        assert_eq!((returned.status, returned.delivered_at.is_some()), (status, has_arrived));
        let refund = if has_arrived { Decimal::new(4995, 1) } else { Decimal::ZERO };
        assert!(returned.items.iter().all(|item| item.refund_amount == Some(refund)), "{returned:?}");
        assert!(returned.notes.is_empty(), "{:?}", returned.notes);
    }
    let waits: Vec<u64> = run.pages.iter().filter_map(|page| page.ready_in).map(|it| it.as_secs()).collect();
    // After asking, and twice while each report is prepared.
    assert_eq!(waits, [10; 9]);
    let (last, earlier) = run.pages.split_last().unwrap();
    assert!(earlier.iter().all(|page| page.complete_until.is_none()));
    let age = Utc::now() - last.complete_until.unwrap();
    assert!(age >= TimeDelta::minutes(5) && age < TimeDelta::minutes(7), "{age}");
    let ledger = simulator.ledger();
    assert_eq!(made(&simulator), 3);
    assert_eq!(ledger.requests_with_status(Marketplace::Amazon, DOWNLOADED, 200), 3);
    assert_eq!(ledger.requests(Marketplace::Amazon, DOWNLOADED), 3, "no download was refused for a token");
}

#[tokio::test]
async fn a_cancelled_report_is_an_empty_window_and_the_run_goes_on() {
    let simulator = simulator(&[100]);
    let run = run(&simulator).await.unwrap();
    assert_eq!(run.returns.len(), 1);
    assert_eq!((made(&simulator), simulator.ledger().requests(Marketplace::Amazon, DOWNLOADED)), (3, 1));
    assert!(run.pages.last().unwrap().complete_until.is_some(), "an empty window is vouched for too");
}

#[tokio::test]
async fn a_later_run_reads_eight_weeks_again_and_learns_what_became_of_the_returns() {
    let simulator = simulator(&[12, 40]);
    let first = run(&simulator).await.unwrap();
    let registry = Registry::new(&MarketplaceConfig::default()).unwrap();
    let overlap = registry.adapter(MarketplaceCode::AmazonIn).overlap(RunKind::Returns);
    let watermark = first.pages.last().unwrap().complete_until.unwrap();
    let id = "D40500000000000002RRMA";
    assert_eq!(by_id(&first)[id].status, ReturnStatus::Initiated);
    simulator.advance_clock(Duration::from_hours(8 * 24));
    let changed_since = Some(watermark - TimeDelta::from_std(overlap).unwrap());
    let request = PageRequest { changed_since, ..PageRequest::default() };
    let before = made(&simulator);
    let second = run_of(connection(&simulator).as_ref(), RunKind::Returns, request).await.unwrap();
    assert_eq!((made(&simulator) - before, second.returns.len()), (1, 2), "one report holds eight weeks");
    let returned = by_id(&second)[id];
    assert_eq!(returned.status, ReturnStatus::Delivered);
    assert_eq!(returned.items[0].refund_amount, Some(Decimal::new(4995, 1)));
}

#[tokio::test]
async fn a_report_that_amazon_gives_up_is_asked_for_again_once() {
    let fatal = || fault(REPORTS, FaultKind::FatalReport).for_method("GET");
    let once = simulator(&[10, 100]);
    once.add_fault(fatal().times(1));
    assert_eq!(run(&once).await.unwrap().returns.len(), 2);
    assert_eq!(made(&once), 4);
    let each_window = simulator(&[10, 100]);
    each_window.set_amazon_report_looks(0);
    for report in 0..3 {
        each_window.add_fault(fatal().after(report).times(1));
    }
    assert_eq!(run(&each_window).await.unwrap().returns.len(), 2, "every window has two reports");
    let twice = simulator(&[10, 100]);
    twice.add_fault(fatal().times(2));
    let code = Some("FATAL".to_owned());
    assert_eq!(run(&twice).await.unwrap_err(), AdapterError::Rejected { status: 200, code });
    assert_eq!(made(&twice), 2);
}

#[tokio::test]
async fn a_report_or_document_that_amazon_no_longer_keeps_is_asked_for_again() {
    let simulator = simulator(&[10, 100, 150]);
    let asked = asked(&simulator).await;
    simulator.advance_clock(Duration::from_hours(91 * 24));
    let again = step(&simulator, &asked).await.unwrap();
    assert!(again.ready_in.is_none() && returns_of(&again).is_empty());
    let request = PageRequest { position: again.next, ..PageRequest::default() };
    let rest = run_of(connection(&simulator).as_ref(), RunKind::Returns, request).await.unwrap();
    assert_eq!((rest.returns.len(), made(&simulator)), (3, 4));

    let ready = ready(&simulator).await;
    simulator.advance_clock(Duration::from_hours(91 * 24));
    let again = step(&simulator, &ready).await.unwrap();
    let gone = fault(REPORTS, FaultKind::Status { status: 404, retry_after: None }).for_method("GET");
    simulator.add_fault(gone);
    let asked = step(&simulator, &again).await.unwrap();
    let error = step(&simulator, &asked).await.unwrap_err();
    assert!(matches!(error, AdapterError::Rejected { status: 404, .. }), "not a third time: {error}");
}

#[tokio::test]
async fn an_exhausted_quota_is_throttling() {
    let mut config = configured(&[10, 100]);
    config.amazon.create_report = Quota { rate: 0.0167, burst: 2 };
    let simulator = Simulator::start(&config).unwrap();
    let error = run(&simulator).await.unwrap_err();
    assert!(matches!(error, AdapterError::RateLimited { .. }), "{error}");
    assert_eq!(made(&simulator), 2);
}

#[tokio::test]
async fn a_report_that_stays_unready_for_hours_is_an_outage_and_is_read_once_it_is_ready() {
    let simulator = simulator(&[150]);
    simulator.set_amazon_report_looks(u32::MAX);
    let mut page = asked(&simulator).await;
    let position = |page: &Page| -> serde_json::Value {
        serde_json::from_str(page.next.as_ref().unwrap().as_str()).unwrap()
    };
    let asked_ago = |page: &mut Page, minutes: i64| {
        let mut position = position(page);
        position["step"]["look"]["asked_at"] = serde_json::json!(Utc::now() - TimeDelta::minutes(minutes));
        page.next = Some(robnu_marketplace::contract::PagePosition::new(position.to_string()));
    };
    for (minutes, pause) in [(0, 10..=10), (4, 120..=121), (9, 270..=271), (179, 300..=300)] {
        asked_ago(&mut page, minutes);
        let waiting = step(&simulator, &page).await.unwrap();
        assert!(pause.contains(&waiting.ready_in.unwrap().as_secs()), "{minutes}: {:?}", waiting.ready_in);
        assert_eq!(position(&waiting), position(&page), "it goes on looking at the same report");
    }
    asked_ago(&mut page, 181);
    let what = "a report is still not ready after 3 hours".to_owned();
    let expected = AdapterError::Unavailable { what, retry_after: None };
    assert_eq!(step(&simulator, &page).await.unwrap_err(), expected);
    simulator.set_amazon_report_looks(0);
    let ready = step(&simulator, &page).await.unwrap();
    assert_eq!(returns_of(&step(&simulator, &ready).await.unwrap()).len(), 1);
    assert_eq!(made(&simulator), 1);
}

#[tokio::test]
async fn the_same_position_brings_the_same_records() {
    let simulator = simulator(&[150, 155, 160]);
    let ready = ready(&simulator).await;
    let once = step(&simulator, &ready).await.unwrap();
    let again = step(&simulator, &ready).await.unwrap();
    assert_eq!((returns_of(&once).len(), &once.records), (3, &again.records));
    assert_eq!(once.next, again.next);
}

#[tokio::test]
async fn trouble_with_a_document_is_temporary_and_a_lacking_role_is_named() {
    let simulator = simulator(&[150]);
    let ready = ready(&simulator).await;
    for kind in [FaultKind::Garbage, FaultKind::Truncated] {
        simulator.add_fault(fault(DOWNLOADS, kind).times(1));
        let error = step(&simulator, &ready).await.unwrap_err();
        assert!(matches!(error, AdapterError::Garbled { .. }), "{error}");
    }
    simulator.add_fault(fault(DOWNLOADS, FaultKind::DropConnection).times(1));
    let error = step(&simulator, &ready).await.unwrap_err();
    assert!(matches!(error, AdapterError::Unavailable { .. }), "{error}");
    assert_eq!(returns_of(&step(&simulator, &ready).await.unwrap()).len(), 1);
    simulator.add_fault(fault(REPORTS, FaultKind::RejectCredentials));
    assert_eq!(
        run(&simulator).await.unwrap_err().to_string(),
        "the marketplace does not permit this account to read returns (reports); check the permissions (roles) granted there"
    );
}

#[tokio::test]
async fn a_spoilt_row_costs_its_return_which_is_mapped_again_from_what_was_kept() {
    let registry = Registry::new(&MarketplaceConfig::default()).unwrap();
    let adapter = registry.adapter(MarketplaceCode::AmazonIn);
    let missing = |field: &str| Malformation::MissingField { field: Some(field.to_owned()) };
    for (malformation, id, reason) in [
        (missing("Return quantity"), Some("D40500000010000002RRMA"), "[0].Return quantity is missing"),
        (
            Malformation::BadAmount,
            Some("D40500000010000002RRMA"),
            "[0].Refunded Amount is not a decimal number",
        ),
        (
            Malformation::FiveDecimals,
            Some("D40500000010000002RRMA"),
            "[0].Refunded Amount has more than 4 decimals",
        ),
        (missing("Amazon RMA ID"), None, "[0].Amazon RMA ID is missing"),
    ] {
        let simulator = simulator(&[150, 155, 160]);
        let kind = FaultKind::Malformed { malformation, record: 2 };
        simulator.add_fault(fault(DOWNLOADS, kind).times(1));
        let run = run(&simulator).await.unwrap();
        let [record] = run.quarantined.as_slice() else { panic!("one record: {:?}", run.quarantined) };
        assert_eq!((record.external_id.as_deref(), record.reason.as_str()), (id, reason));
        // Without its RMA id a row is a return of its own, and the other line of that return is read.
        assert_eq!(run.returns.len(), if id.is_some() { 2 } else { 3 });
        let again = adapter.map_again(RunKind::Returns, std::slice::from_ref(&record.raw));
        assert_eq!(again.problems, [Some(reason.to_owned())]);
    }
    let kept = r#"[{"Amazon RMA ID":"D1","Return request date":"08-Jul-2026","Return quantity":"1","Return type":"C-Returns"}]"#;
    let again = adapter.map_again(RunKind::Returns, &[kept.to_owned()]);
    let Records::Returns(returns) = again.records else { panic!("not returns") };
    assert_eq!((returns[0].external_return_id.as_str(), again.problems), ("D1", vec![None]));
}

#[tokio::test]
async fn looks_are_as_many_as_the_report_needs() {
    let simulator = simulator(&[150]);
    simulator.set_amazon_report_looks(4);
    assert_eq!(run(&simulator).await.unwrap().returns.len(), 1);
    assert_eq!(
        simulator.ledger().requests(Marketplace::Amazon, LOOKS),
        15,
        "four in vain and one, three times"
    );
}
