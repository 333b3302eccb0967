//! Whole runs for AJIO's returns against the simulator, with the shared faults.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::collections::BTreeMap;
use std::time::Duration;

use kit::{connect_to, run_of};
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::contract::{Connection, PageRequest};
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::record::{ReturnStatus, ReturnType};
use simulators::{
    AjioAccount, AjioReturnStatus, Fault, FaultKind, Malformation, Marketplace, Simulator, SimulatorConfig,
};

const USERNAME: &str = "DV1";

/// A book of so many orders has more than one page of returns.
fn simulator() -> Simulator {
    let mut config = SimulatorConfig::sample().unwrap();
    config.ajio.accounts.push(AjioAccount {
        username: USERNAME.to_owned(),
        password: Some(kit::PASSWORD.to_owned()),
        orders: Some(1_200),
    });
    Simulator::start(&config).unwrap()
}

fn connection(simulator: &Simulator) -> Box<dyn Connection> {
    connect_to(simulator.ajio_base_url(), MarketplaceCode::Ajio)
}

async fn read(simulator: &Simulator) -> Result<kit::Run, AdapterError> {
    run_of(connection(simulator).as_ref(), RunKind::Returns, PageRequest::default()).await
}

fn fault(kind: FaultKind) -> Fault {
    Fault::new(Marketplace::Ajio, "/returns", kind)
}

/// The book's returns with what their statuses mean here.
fn book(simulator: &Simulator) -> BTreeMap<String, ReturnStatus> {
    let meaning = |status| match status {
        AjioReturnStatus::Initiated | AjioReturnStatus::Created => ReturnStatus::Initiated,
        AjioReturnStatus::Delivered | AjioReturnStatus::Processed => ReturnStatus::Delivered,
        AjioReturnStatus::Cancelled => ReturnStatus::Cancelled,
    };
    let returns = simulator.ajio_returns(USERNAME).unwrap().into_iter();
    returns.map(|(id, status)| (id, meaning(status))).collect()
}

fn by_id(run: &kit::Run) -> BTreeMap<String, ReturnStatus> {
    run.returns.iter().map(|returned| (returned.external_return_id.clone(), returned.status)).collect()
}

#[tokio::test]
async fn a_run_brings_every_return_of_both_types_and_asks_for_nothing_else() {
    let simulator = simulator();
    let run = read(&simulator).await.unwrap();
    assert_eq!(by_id(&run), book(&simulator));
    assert_eq!(run.returns.len(), book(&simulator).len());
    assert!(run.pages.len() > 1 && run.quarantined.is_empty());
    for kind in [ReturnType::Customer, ReturnType::Rto] {
        assert!(run.returns.iter().any(|returned| returned.return_type == kind), "{kind:?}");
    }
    let has_order = |id: &Option<String>| id.as_deref().is_some_and(|id| id.starts_with("FN"));
    assert!(run.returns.iter().all(|returned| has_order(&returned.external_order_id)));
    assert!(
        run.returns
            .iter()
            .flat_map(|returned| &returned.items)
            .all(|item| item.external_order_item_id.is_some())
    );
    assert_eq!(simulator.ledger().requests(Marketplace::Ajio, "/orders"), 0);
}

#[tokio::test]
async fn the_next_run_finds_a_status_that_has_changed() {
    let simulator = simulator();
    let before = read(&simulator).await.unwrap();
    let open = before.returns.iter().find(|returned| returned.status == ReturnStatus::Initiated).unwrap();
    let id = open.external_return_id.clone();
    simulator.set_ajio_return_status(USERNAME, &id, AjioReturnStatus::Delivered).unwrap();
    assert_eq!(by_id(&read(&simulator).await.unwrap())[&id], ReturnStatus::Delivered);
}

#[tokio::test]
async fn a_token_that_expires_in_the_middle_is_renewed_and_a_short_page_is_asked_for_again() {
    for kind in [FaultKind::ExpireTokens, FaultKind::EmptyPage, FaultKind::ShortPage] {
        let simulator = simulator();
        simulator.add_fault(fault(kind.clone()).after(1).times(1));
        assert_eq!(by_id(&read(&simulator).await.unwrap()), book(&simulator), "{kind:?}");
    }
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
        let simulator = simulator();
        simulator.add_fault(fault(kind.clone()));
        assert_eq!(read(&simulator).await.unwrap_err(), expected, "{kind:?}");
    }
}

#[tokio::test]
async fn a_page_that_comes_twice_ends_the_run() {
    let simulator = simulator();
    simulator.add_fault(fault(FaultKind::RepeatPage).after(1).times(1));
    assert_eq!(read(&simulator).await.unwrap_err(), AdapterError::RepeatedPage);
}

#[tokio::test]
async fn a_spoilt_return_is_set_aside_and_can_be_mapped_again() {
    let simulator = simulator();
    let kind = FaultKind::Malformed { malformation: Malformation::MissingField { field: None }, record: 2 };
    simulator.add_fault(fault(kind).times(1));
    let run = read(&simulator).await.unwrap();
    assert_eq!(run.returns.len(), book(&simulator).len() - 1);
    let [record] = run.quarantined.as_slice() else { panic!("one return is set aside") };
    assert_eq!(record.reason, "return_date is missing");
    assert!(book(&simulator).contains_key(record.external_id.as_deref().unwrap()));
    let registry = robnu_marketplace::registry::Registry::new(&kit::config("http://127.0.0.1:1")).unwrap();
    let adapter = registry.adapter(MarketplaceCode::Ajio);
    let mended = record.raw.replacen('{', r#"{"return_date":1763600400,"#, 1);
    let again = adapter.map_again(RunKind::Returns, &[record.raw.clone(), mended]);
    assert_eq!(again.problems, [Some("return_date is missing".to_owned()), None]);
}
