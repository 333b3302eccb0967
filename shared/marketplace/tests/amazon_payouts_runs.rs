//! Whole runs that read Amazon's payouts from the simulator: settlement reports and transactions, with the troubles that both bring.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use kit::{REFRESH_TOKEN, Run, connect_to, run_of};
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::contract::{Connection, Page, PageRequest};
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::files::ImportFile;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::record::{PayoutEntry, PayoutPart, PayoutSource, Records};
use robnu_marketplace::registry::{MarketplaceConfig, Registry};
use rust_decimal::Decimal;
use simulators::{
    AmazonAccount, Fault, FaultKind, Malformation, Marketplace, OrderBook, Quota, Simulator, SimulatorConfig,
};

const ACCOUNT: &str = "A1SELLER";
const TRANSACTIONS: &str = "/finances/2024-06-19/transactions";
const REPORTS: &str = "/reports/2021-06-30/reports";
const DOCUMENTS: &str = "/reports/2021-06-30/documents";
const DOWNLOADS: &str = "/report-documents";
const HEADER: &str = "order_id,purchase_date,status,fulfilment,ship_service_level,category,payment_method,size,\
                      courier_status,line_amount,quantity,currency,ship_city,ship_postal_code,b2b";

/// Delivered orders of two lines, each bought so many days ago. Those whose number ends with 2 or 7 come back.
fn configured(days_ago: impl Iterator<Item = i64>) -> SimulatorConfig {
    let mut csv = format!("{HEADER}\n");
    for (number, days) in days_ago.enumerate() {
        let date = (Utc::now() - TimeDelta::days(days)).format("%Y-%m-%d");
        for (size, fulfilment) in [("M", "Merchant"), ("L", "Amazon")] {
            writeln!(
                csv,
                "405-0000001-{number:07},{date},Shipped - Delivered to Buyer,{fulfilment},Standard,Shirt,Cash,{size},,\
                 499.505,1,INR,PUNE,411001,false"
            )
            .unwrap();
        }
    }
    let orders = OrderBook::from_csv("sold", &csv).unwrap();
    let mut config = SimulatorConfig::new(orders.clone());
    config.amazon.list_transactions = Quota { rate: 0.5, burst: 1_000 };
    config.amazon.get_report_document = Quota { rate: 0.0167, burst: 1_000 };
    config.amazon.accounts.push(AmazonAccount {
        account: ACCOUNT.to_owned(),
        refresh_token: REFRESH_TOKEN.to_owned(),
        client_id: None,
        client_secret: None,
        orders,
    });
    config
}

/// A simulator with an order on every third of 150 days.
fn simulator() -> Simulator {
    Simulator::start(&configured((5..155).step_by(3))).unwrap()
}

fn connection(simulator: &Simulator) -> Box<dyn Connection> {
    connect_to(simulator.amazon_base_url(), MarketplaceCode::AmazonIn)
}

async fn run(simulator: &Simulator) -> Result<Run, AdapterError> {
    run_of(connection(simulator).as_ref(), RunKind::Payouts, PageRequest::default()).await
}

/// What the engine asks for after a run.
fn later(first: &Run) -> PageRequest {
    let registry = Registry::new(&MarketplaceConfig::default()).unwrap();
    let overlap = registry.adapter(MarketplaceCode::AmazonIn).overlap(RunKind::Payouts);
    let watermark = first.pages.last().unwrap().complete_until.unwrap();
    let changed_since = Some(watermark - TimeDelta::from_std(overlap).unwrap());
    PageRequest { changed_since, ..PageRequest::default() }
}

fn fault(path: &str, kind: FaultKind) -> Fault {
    Fault::new(Marketplace::Amazon, path, kind)
}

fn parts_of(page: &Page) -> &[PayoutPart] {
    match &page.records {
        Records::Payouts(parts) => parts,
        other => panic!("a page of payouts holds {other:?}"),
    }
}

fn settlement(part: &PayoutPart) -> Option<&str> {
    part.payout.as_ref().map(|head| head.external_payout_id.as_str())
}

fn from(run: &Run, source: PayoutSource) -> impl Iterator<Item = &PayoutPart> {
    run.payouts.iter().filter(move |part| part.source == source)
}

/// The sum of each type of line of each settlement.
fn sums<'a>(parts: impl Iterator<Item = &'a PayoutPart>) -> BTreeMap<(&'a str, &'static str), Decimal> {
    let mut sums = BTreeMap::new();
    for part in parts {
        let Some(id) = settlement(part) else { continue };
        for line in part.entries.iter().flat_map(|entry| &entry.lines) {
            *sums.entry((id, line.line_type.as_str())).or_insert(Decimal::ZERO) += line.amount;
        }
    }
    sums
}

#[tokio::test]
async fn each_settlement_is_what_its_orders_give_and_its_transactions_are_the_same_money() {
    let simulator = simulator();
    let run = run(&simulator).await.unwrap();
    assert!(run.quarantined.is_empty(), "{:?}", run.quarantined);
    assert!(run.payouts.iter().all(|part| part.notes.is_empty() && part.currency == "INR"));
    let told = simulator.amazon_settlements(ACCOUNT).unwrap();
    let kept = |at| at > Utc::now() - TimeDelta::days(89);
    let told: Vec<_> = told.into_iter().filter(|one| kept(one.reported_at)).collect();
    assert!(told.len() >= 5, "{}", told.len());
    let by_report = sums(from(&run, PayoutSource::AmazonSettlement));
    let by_transaction = sums(from(&run, PayoutSource::AmazonTransactions));
    for one in &told {
        let of = |sums: &BTreeMap<(&str, &'static str), Decimal>| -> BTreeMap<&str, Decimal> {
            sums.iter().filter(|((id, _), _)| *id == one.id).map(|((_, kind), sum)| (*kind, *sum)).collect()
        };
        assert_eq!(of(&by_report), of(&by_transaction), "settlement {}", one.id);
        assert_eq!(of(&by_report).values().sum::<Decimal>(), one.total);
        let mut orders: BTreeMap<&str, Decimal> = BTreeMap::new();
        let of_settlement =
            from(&run, PayoutSource::AmazonTransactions).filter(|part| settlement(part) == Some(&one.id));
        for entry in of_settlement.flat_map(|part| &part.entries) {
            *orders.entry(entry.external_order_id.as_deref().unwrap()).or_default() += entry.amount();
        }
        let expected: BTreeMap<&str, Decimal> =
            one.orders.iter().map(|(id, sum)| (id.as_str(), *sum)).collect();
        assert_eq!(orders, expected);
        let heads: Vec<_> = from(&run, PayoutSource::AmazonSettlement)
            .filter(|part| settlement(part) == Some(&one.id) && part.entries.is_empty())
            .filter_map(|part| part.payout.as_ref())
            .collect();
        let [head] = heads.as_slice() else { panic!("{heads:?}") };
        assert_eq!((head.stated_amount, head.paid_at.is_some()), (Some(one.total), true));
    }
    let types: BTreeSet<&str> = by_report.keys().map(|(_, kind)| *kind).collect();
    let expected = [
        "COMMISSION",
        "FEE_TAX",
        "FIXED_FEE",
        "REFUND",
        "REFUND_TAX",
        "RETURN_FEE",
        "SALE",
        "SALE_TAX",
        "SHIPPING_FEE",
        "TCS",
        "TDS",
    ];
    assert_eq!(types.into_iter().collect::<Vec<_>>(), expected);
    let unbalanced =
        |entry: &&PayoutEntry| entry.stated_amount.is_some_and(|stated| stated != entry.amount());
    assert_eq!(run.payouts.iter().flat_map(|part| &part.entries).filter(unbalanced).count(), 0);
    let (last, earlier) = run.pages.split_last().unwrap();
    assert!(earlier.iter().all(|page| page.complete_until.is_none()));
    let age = Utc::now() - last.complete_until.unwrap();
    assert!(age >= TimeDelta::minutes(5) && age < TimeDelta::minutes(7), "{age}");
}

#[tokio::test]
async fn a_report_that_is_read_and_one_that_is_uploaded_are_equal() {
    let simulator = simulator();
    let run = run(&simulator).await.unwrap();
    let told = simulator.amazon_settlements(ACCOUNT).unwrap();
    let mut compared = 0;
    for one in &told {
        let mut by_api: Vec<&PayoutPart> = from(&run, PayoutSource::AmazonSettlement)
            .filter(|part| settlement(part) == Some(&one.id))
            .collect();
        by_api.sort_by(|a, b| a.external_part_id.cmp(&b.external_part_id));
        if by_api.is_empty() {
            continue;
        }
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(one.report.as_bytes()).unwrap();
        let file = ImportFile::open(file.path(), None).unwrap();
        let (mut by_file, mut at) = (Vec::new(), Some(0));
        while let Some(start) = at {
            let page = file.page(start).unwrap();
            assert!(page.quarantined.is_empty());
            let Records::Payouts(parts) = page.records else { panic!("a page of something else") };
            by_file.extend(parts);
            at = page.next;
        }
        by_file.sort_by(|a, b| a.external_part_id.cmp(&b.external_part_id));
        assert_eq!(by_api, by_file.iter().collect::<Vec<_>>());
        compared += 1;
    }
    assert!(compared >= 5, "{compared} of {}", told.len());
    let ledger = simulator.ledger();
    let packed = told.iter().filter(|one| one.id.ends_with(['0', '2', '4', '6', '8'])).count();
    assert!(packed > 0 && packed < told.len(), "some reports are packed and others not");
    assert_eq!(ledger.requests(Marketplace::Amazon, "/report-documents/{document}"), compared);
}

#[tokio::test]
async fn deferred_money_is_announced_and_the_next_run_finds_it_released_with_the_same_subject() {
    let simulator = Simulator::start(&configured((0..60).map(|_| 5))).unwrap();
    let first = run(&simulator).await.unwrap();
    let announced: BTreeMap<&str, &PayoutPart> = first
        .payouts
        .iter()
        .filter(|part| part.payout.is_none())
        .map(|part| (part.subject.as_deref().unwrap(), part))
        .collect();
    assert!(announced.len() > 20 && announced.len() < 60, "{}", announced.len());
    for part in announced.values() {
        let days = (part.expected_at.unwrap() - part.entries[0].posted_at.unwrap()).num_days();
        assert_eq!((days, part.entries.len()), (7, 2));
    }
    simulator.advance_clock(Duration::from_hours(8 * 24));
    let second = run_of(connection(&simulator).as_ref(), RunKind::Payouts, later(&first)).await.unwrap();
    for (subject, before) in announced {
        let after = second.payouts.iter().find(|part| part.subject.as_deref() == Some(subject)).unwrap();
        assert!(after.payout.is_some() && after.expected_at.is_none(), "{after:?}");
        assert_ne!(after.external_part_id, before.external_part_id);
        assert_eq!(after.entries[0].amount(), before.entries[0].amount());
    }
    assert!(second.payouts.iter().all(|part| part.payout.is_some()), "nothing is announced any more");
}

/// A transaction that appears 36 hours late lies before the watermark of the run that could not see it.
#[tokio::test]
async fn transactions_that_appear_late_are_found_by_the_next_run() {
    let simulator = Simulator::start(&configured((0..90).map(|_| 3))).unwrap();
    let ids = |run: &Run| -> BTreeSet<String> {
        run.payouts.iter().map(|part| part.subject.clone().unwrap()).collect()
    };
    let first = run(&simulator).await.unwrap();
    simulator.advance_clock(Duration::from_hours(48));
    let second = run_of(connection(&simulator).as_ref(), RunKind::Payouts, later(&first)).await.unwrap();
    let (first, second) = (ids(&first), ids(&second));
    assert_eq!(second.len(), 90);
    assert!(first.len() < 90 && first.is_subset(&second), "{} of {}", first.len(), second.len());
}

#[tokio::test]
async fn a_later_run_reads_no_report_again_that_is_older_than_three_days() {
    let simulator = simulator();
    let first = run(&simulator).await.unwrap();
    simulator.reset_ledger();
    let again = run_of(connection(&simulator).as_ref(), RunKind::Payouts, later(&first)).await.unwrap();
    let ledger = simulator.ledger();
    assert_eq!(ledger.requests(Marketplace::Amazon, REPORTS), 1);
    let recent = simulator.amazon_settlements(ACCOUNT).unwrap();
    let recent = recent.iter().filter(|one| one.reported_at > Utc::now() - TimeDelta::days(3)).count();
    let documents = ledger.requests(Marketplace::Amazon, "/reports/2021-06-30/documents/{reportDocumentId}");
    assert_eq!(documents, u64::try_from(recent).unwrap());
    // What both runs read is the same, as its ids are.
    let known: BTreeMap<&str, &PayoutPart> =
        first.payouts.iter().map(|part| (part.external_part_id.as_str(), part)).collect();
    assert!(again.payouts.len() > 15);
    assert!(again.payouts.iter().all(|part| known.get(part.external_part_id.as_str()) == Some(&part)));
}

/// 230 transactions in the last of six windows: three pages.
fn crowded() -> Simulator {
    Simulator::start(&configured((0..230).map(|_| 8))).unwrap()
}

#[tokio::test]
async fn pages_of_transactions_are_followed_also_through_empty_ones_and_a_refused_token() {
    for kind in [None, Some(FaultKind::EmptyPage), Some(FaultKind::Status { status: 400, retry_after: None })]
    {
        let simulator = crowded();
        let is_refusal = matches!(kind, Some(FaultKind::Status { .. }));
        if let Some(kind) = kind {
            simulator.add_fault(fault(TRANSACTIONS, kind).after(6).times(1));
        }
        let run = run(&simulator).await.unwrap();
        let ids: BTreeSet<_> = run.payouts.iter().map(|part| part.external_part_id.clone()).collect();
        assert_eq!(ids.len(), 230);
        assert_eq!(
            run.payouts.len(),
            if is_refusal { 330 } else { 230 },
            "the first page came twice at most"
        );
    }
    let twice = crowded();
    let refused = FaultKind::Status { status: 400, retry_after: None };
    twice.add_fault(fault(TRANSACTIONS, refused.clone()).after(6).times(1));
    twice.add_fault(fault(TRANSACTIONS, refused).after(7).times(1));
    let error = run(&twice).await.unwrap_err();
    assert!(matches!(error, AdapterError::Rejected { status: 400, .. }), "{error}");
}

#[tokio::test]
async fn a_repeated_page_ends_the_run_and_throttling_is_a_wait() {
    let repeated = crowded();
    repeated.add_fault(fault(TRANSACTIONS, FaultKind::RepeatPage));
    assert_eq!(run(&repeated).await.unwrap_err(), AdapterError::RepeatedPage);
    let mut config = configured((0..230).map(|_| 8));
    config.amazon.list_transactions = Quota { rate: 0.5, burst: 3 };
    let throttled = Simulator::start(&config).unwrap();
    let error = run(&throttled).await.unwrap_err();
    assert!(matches!(error, AdapterError::RateLimited { .. }), "{error}");
    let mut config = configured((0..230).map(|_| 8));
    config.amazon.get_reports = Quota { rate: 0.0222, burst: 0 };
    let error = run(&Simulator::start(&config).unwrap()).await.unwrap_err();
    assert!(matches!(error, AdapterError::RateLimited { .. }), "{error}");
}

#[tokio::test]
async fn a_run_goes_on_from_any_of_its_pages() {
    let simulator = simulator();
    let run = run(&simulator).await.unwrap();
    let mut position = None;
    for page in &run.pages {
        let request = PageRequest { position: position.clone(), ..PageRequest::default() };
        let again = connection(&simulator).page(RunKind::Payouts, &request).await.unwrap();
        if position.is_some() {
            assert_eq!(again.records, page.records);
            // A page's token is new each time.
            assert_eq!(again.next.is_some(), page.next.is_some());
            let documents =
                |page: &Page| page.next.as_ref().is_some_and(|next| next.as_str().contains("documents"));
            assert_eq!(documents(&again), documents(page));
        }
        position.clone_from(&page.next);
    }
    assert!(run.pages.len() > 10, "{}", run.pages.len());
}

#[tokio::test]
async fn a_document_that_is_gone_is_passed_over_and_one_in_trouble_is_asked_for_again() {
    let simulator = simulator();
    let whole = run(&simulator).await.unwrap();
    let settlements =
        |run: &Run| from(run, PayoutSource::AmazonSettlement).filter(|part| part.entries.is_empty()).count();
    simulator.add_fault(fault(DOCUMENTS, FaultKind::Status { status: 404, retry_after: None }).times(1));
    let lacking = run(&simulator).await.unwrap();
    assert_eq!(settlements(&lacking) + 1, settlements(&whole));
    let first = connection(&simulator).page(RunKind::Payouts, &PageRequest::default()).await.unwrap();
    let request = PageRequest { position: first.next, ..PageRequest::default() };
    let read = async || connection(&simulator).page(RunKind::Payouts, &request).await;
    for kind in [FaultKind::Garbage, FaultKind::DropConnection] {
        simulator.add_fault(fault(DOWNLOADS, kind).times(1));
        let error = read().await.unwrap_err();
        assert!(matches!(error, AdapterError::Garbled { .. } | AdapterError::Unavailable { .. }), "{error}");
    }
    assert!(!parts_of(&read().await.unwrap()).is_empty());
    simulator.add_fault(fault(REPORTS, FaultKind::RejectCredentials));
    assert_eq!(
        run(&simulator).await.unwrap_err().to_string(),
        "the marketplace does not permit this account to read payouts (settlement reports and listTransactions); check the permissions (roles) granted there"
    );
}

#[tokio::test]
async fn what_is_spoilt_is_set_aside_alone_and_mapped_again_from_what_was_kept() {
    let registry = Registry::new(&MarketplaceConfig::default()).unwrap();
    let adapter = registry.adapter(MarketplaceCode::AmazonIn);
    let missing = |field: &str| Malformation::MissingField { field: Some(field.to_owned()) };
    for (path, malformation, reason) in [
        (DOWNLOADS, Malformation::BadAmount, "row 4, column amount is not a decimal number"),
        (DOWNLOADS, Malformation::FiveDecimals, "row 4, column amount has more than 4 decimals"),
        (DOWNLOADS, missing("settlement-id"), "row 4, column settlement-id is blank"),
        (TRANSACTIONS, missing("transactionId"), "transactionId is missing"),
        (TRANSACTIONS, missing("totalAmount"), "totalAmount is missing"),
        (TRANSACTIONS, Malformation::BadAmount, "totalAmount.currencyAmount is not a decimal number"),
    ] {
        let simulator = simulator();
        let whole = run(&simulator).await.unwrap();
        // The first window that has transactions is the second.
        let after = u32::from(path == TRANSACTIONS);
        simulator
            .add_fault(fault(path, FaultKind::Malformed { malformation, record: 2 }).after(after).times(1));
        let run = run(&simulator).await.unwrap();
        let [record] = run.quarantined.as_slice() else { panic!("{reason}: {:?}", run.quarantined) };
        assert_eq!(record.reason, reason);
        assert!(run.payouts.len() >= whole.payouts.len() - 1);
        let again = adapter.map_again(RunKind::Payouts, std::slice::from_ref(&record.raw));
        assert_eq!(again.problems, [Some(reason.to_owned())]);
    }
    let kept = r#"{"transactionId":"T1","totalAmount":{"currencyAmount":5,"currencyCode":"INR"},"transactionStatus":"DEFERRED"}"#;
    let row = r#"{"kind":"AMAZON_SETTLEMENT","dates":null,"is_too_large":false,"rows":[{"sheet":"","number":2,"problem":null,"cells":{"settlement-id":"770","transaction-type":"Order","amount-type":"ItemPrice","amount-description":"Principal","amount":"10"}}]}"#;
    let again = adapter.map_again(RunKind::Payouts, &[kept.to_owned(), "{}".to_owned(), row.to_owned()]);
    let Records::Payouts(parts) = again.records else { panic!("not payouts") };
    let ids: Vec<&str> = parts.iter().map(|part| part.external_part_id.as_str()).collect();
    assert_eq!(ids, ["transactions/announced/T1", "settlement/770/Order/ItemPrice"]);
    assert_eq!(again.problems, [None, Some("transactionId is missing".to_owned()), None]);
}
