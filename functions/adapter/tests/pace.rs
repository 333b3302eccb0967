//! The pace of an account's calls holds over all functions, whatever becomes of them.

mod support;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use adapter::pace::AccountPace;
use futures_util::future::join_all;
use robnu_marketplace::code::MarketplaceCode::{Ajio, AmazonIn};
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::pace::{Operation, Pace, Rate};
use robnu_tenancy::{AccountId, SellerScope};
use robnu_testkit::{Seller, TestDatabase, TwoSellers};
use simulators::{Fault, FaultKind, Marketplace, OrderBook, Quota, SimulatorConfig};
use support::{Stand, acknowledged, again, eventually};

const SEARCH_ORDERS: &str = "/orders/2026-01-01/orders";
const OPERATION: Operation =
    Operation { name: "searchOrders", rate: Some(Rate { per_second: 0.5, burst: 11 }) };

/// The pace of an account as one more function has it.
async fn pace(test: &TestDatabase, seller: &Seller, account: AccountId) -> AccountPace {
    let database = test.login("robnu_adapter").await;
    let scope = SellerScope::for_job(seller.id, account);
    AccountPace { database, scope, account, granted: Arc::new("getReport:0.01:3".parse().expect("rates")) }
}

#[tokio::test]
async fn fifty_calls_of_five_functions_take_what_is_in_the_bucket_and_no_more() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let mut functions = Vec::new();
    for _ in 0..5 {
        functions.push(pace(&test, &sellers.ours, sellers.ours.amazon).await);
    }
    let began = Instant::now();
    let waits = join_all((0..50).map(|call| functions[call % 5].take(&OPERATION))).await;
    let taken = waits.iter().filter(|wait| wait.is_zero()).count();
    // One of the eleven stays in reserve, and one more is refilled every two seconds.
    let refilled = usize::try_from(began.elapsed().as_secs() / 2).unwrap();
    assert!((10..=10 + refilled).contains(&taken), "{taken} were taken, {refilled} refilled");
    let longest = waits.iter().max().unwrap();
    assert!(*longest <= Duration::from_secs(2), "the next one comes within two seconds: {longest:?}");
    // The other seller's bucket, another operation's and one with a granted rate are full.
    let theirs = pace(&test, &sellers.theirs, sellers.theirs.amazon).await;
    let report = Operation { name: "getReport", ..OPERATION };
    let other = Operation { name: "getOrder", ..OPERATION };
    assert_eq!(theirs.take(&OPERATION).await, Duration::ZERO);
    assert_eq!(functions[0].take(&other).await, Duration::ZERO);
    let granted = join_all((0..3).map(|_| functions[0].take(&report))).await;
    assert_eq!(granted.iter().filter(|wait| wait.is_zero()).count(), 2);
}

#[tokio::test]
async fn a_refusal_stops_every_function_of_the_account_for_as_long_as_the_marketplace_says() {
    let test = TestDatabase::new().await;
    let sellers = TwoSellers::seed(&test).await;
    let one = pace(&test, &sellers.ours, sellers.ours.ajio).await;
    let two = pace(&test, &sellers.ours, sellers.ours.ajio).await;
    let theirs = pace(&test, &sellers.theirs, sellers.theirs.ajio).await;
    let unpublished = Operation { name: "anyCall", rate: None };
    for operation in [&OPERATION, &unpublished] {
        assert_eq!(two.take(operation).await, Duration::ZERO);
        one.refused(operation, Duration::from_secs(90)).await;
        let wait = two.take(operation).await;
        assert!(wait > Duration::from_secs(85) && wait <= Duration::from_secs(90), "{wait:?}");
        one.refused(operation, Duration::from_secs(1)).await;
        assert!(
            two.take(operation).await > Duration::from_secs(85),
            "a shorter pause does not end a longer one"
        );
        assert_eq!(theirs.take(operation).await, Duration::ZERO, "the other seller goes on");
    }
}

#[tokio::test]
async fn a_long_read_that_is_killed_again_and_again_is_never_throttled() {
    let mut csv = "order_id,purchase_date,status,fulfilment,ship_service_level,category,payment_method,size,courier_status,\
                   line_amount,quantity,currency,ship_city,ship_postal_code,b2b\n"
        .to_owned();
    for n in 0..1_150 {
        writeln!(csv, "405-{n:07}-0000001,2026-04-30,Unshipped,Merchant,Standard,Shirt,Cash,S,x,1,1,INR,PUNE,411001,false")
            .unwrap();
    }
    let mut config = SimulatorConfig::new(OrderBook::from_csv("orders.csv", &csv).unwrap());
    config.amazon.search_orders = Quota { rate: 2.5, burst: 4 };
    let mut stand = Stand::new(config).await;
    stand.call_rates = "searchOrders:2.5:4";
    let mut job = stand.queue_run(AmazonIn).await;
    for kills in 1..=3 {
        let function = stand.start(AmazonIn).await;
        let _never = function.send(stand.event(&job)).await;
        eventually("some pages are in", async || stand.run(job.run_id).await.pages >= 3 * kills).await;
        function.kill().await;
        job = again(&stand, job).await;
    }
    let function = stand.start(AmazonIn).await;
    stand.run_to_end(&function, job.clone()).await;
    let run = stand.run(job.run_id).await;
    assert_eq!((run.state.as_str(), run.orders_new), ("SUCCEEDED", 1_150), "{run:?}");
    let ledger = stand.simulator.ledger();
    assert_eq!(ledger.requests_with_status(Marketplace::Amazon, SEARCH_ORDERS, 429), 0);
    assert!(ledger.requests(Marketplace::Amazon, SEARCH_ORDERS) >= 12);
}

#[tokio::test]
async fn an_empty_bucket_puts_the_run_off_until_there_is_a_call_in_it() {
    let mut stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    stand.call_rates = "searchOrders:0.01:2";
    let function = stand.start(AmazonIn).await;
    stand.run_to_end(&function, stand.queue_run(AmazonIn).await).await;
    let asked = stand.simulator.ledger().requests(Marketplace::Amazon, SEARCH_ORDERS);
    assert!(asked > 0);
    let job = stand.queue_run(AmazonIn).await;
    acknowledged(function.invoke(stand.event(&job)).await);
    let due = "select state, error_code, extract(epoch from next_attempt_at - now())::float8 from robnu.sync_runs where id = $1";
    let row = stand.superuser.query_one(due, &[&job.run_id]).await.unwrap();
    assert_eq!((row.get(0), row.get(1)), ("WAITING", "rate_limit_reached"));
    let seconds: f64 = row.get(2);
    assert!((80.0..=101.0).contains(&seconds), "{seconds} s");
    assert_eq!(
        stand.simulator.ledger().requests(Marketplace::Amazon, SEARCH_ORDERS),
        asked,
        "nobody was asked"
    );
}

#[tokio::test]
async fn what_one_run_was_refused_the_account_s_other_run_does_not_try() {
    let stand = Stand::new(SimulatorConfig::sample().unwrap()).await;
    let throttled = FaultKind::Status { status: 429, retry_after: Some(120) };
    stand.simulator.add_fault(Fault::new(Marketplace::Ajio, "/orders", throttled).times(1));
    let function = stand.start(Ajio).await;
    let orders = stand.queue_run(Ajio).await;
    acknowledged(function.invoke(stand.event(&orders)).await);
    assert_eq!(stand.run(orders.run_id).await.state, "WAITING");
    let other = stand.start(Ajio).await;
    let returns = stand.queue(Ajio, RunKind::Returns).await;
    acknowledged(other.invoke(stand.event(&returns)).await);
    assert_eq!(stand.run(returns.run_id).await.state, "WAITING");
    assert_eq!(stand.simulator.ledger().requests(Marketplace::Ajio, "/returns"), 0);
}
