//! No call of any kind outlives its deadline, and none begins when too little time is left.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod kit;

use std::time::{Duration, Instant, SystemTime};

use kit::{Scripted, ok};
use robnu_marketplace::code::MARKETPLACE_CODES;
use robnu_marketplace::contract::PageRequest;
use robnu_marketplace::deadline::Deadline;
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::registry::Registry;
use uuid::Uuid;

fn in_time(time: Duration) -> Deadline {
    Deadline::at(SystemTime::now() + time)
}

#[tokio::test]
async fn a_call_ends_at_the_deadline_although_it_might_take_longer() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", silent.local_addr().unwrap());
    let registry = Registry::new(&kit::config(&base_url)).unwrap();
    for code in MARKETPLACE_CODES {
        let (one, details) = (Uuid::from_u128(1), kit::details(*code));
        let deadline = in_time(Duration::from_millis(1_500));
        let connection = kit::connect_until(&registry, *code, one, &details, deadline);
        let begun = Instant::now();
        let error = connection.check_credentials().await.unwrap_err();
        assert_eq!(error, AdapterError::Unavailable { what: "timed out".to_owned(), retry_after: None });
        assert!(begun.elapsed() < Duration::from_secs(5), "{code} took {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn with_too_little_time_left_no_call_begins() {
    let server = Scripted::start(|_, _| ok("{}")).await;
    let registry = Registry::new(&kit::config(server.base_url())).unwrap();
    for code in MARKETPLACE_CODES {
        let (one, details) = (Uuid::from_u128(1), kit::details(*code));
        for deadline in [in_time(Duration::from_millis(500)), Deadline::at(SystemTime::UNIX_EPOCH)] {
            let connection = kit::connect_until(&registry, *code, one, &details, deadline);
            assert_eq!(connection.check_credentials().await, Err(AdapterError::OutOfTime), "{code}");
            if registry.adapter(*code).live_kinds().contains(&RunKind::Orders) {
                let answer = connection.page(RunKind::Orders, &PageRequest::default()).await;
                assert_eq!(answer.err(), Some(AdapterError::OutOfTime), "{code}");
            }
        }
    }
    assert_eq!((server.token_calls().len(), server.page_calls().len()), (0, 0));
}
