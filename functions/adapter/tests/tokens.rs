//! Of all functions that work for an account, one asks for a token, whatever becomes of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

#[path = "tokens/functions.rs"]
mod functions;
mod support;

use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::join_all;
use robnu_marketplace::code::MarketplaceCode::Ajio;
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::kind::RunKind;
use robnu_marketplace::shared_token::{AccessToken, SharedTokens, TokenTimes, Turn};
use robnu_testkit::WireProxy;
use simulators::{Fault, FaultKind, Marketplace, SimulatorConfig};
use uuid::Uuid;

use functions::{Function, Functions};
use support::{Stand, acknowledged, again, eventually};

const HALF_AN_HOUR: TokenTimes =
    TokenTimes { renew_in: Duration::from_mins(20), expires_in: Duration::from_mins(30) };

async fn stand() -> Stand {
    Stand::new(SimulatorConfig::sample().unwrap()).await
}

fn fault(stand: &Stand, path: &str, kind: FaultKind, times: u32) {
    stand.simulator.add_fault(Fault::new(Marketplace::Ajio, path, kind).times(times));
}

fn token(text: &str) -> AccessToken {
    AccessToken::new(text.to_owned())
}

/// The renewal that a question has given to the caller.
fn renewal(turn: Result<Turn, AdapterError>) -> Uuid {
    match turn {
        Ok(Turn::Renew { renewal, .. }) => renewal,
        other => panic!("no renewal: {other:?}"),
    }
}

fn used(turn: Result<Turn, AdapterError>) -> String {
    let Ok(Turn::Use(stored)) = turn else { panic!("no token: {turn:?}") };
    stored.token.expose().to_owned()
}

async fn pages(functions: &[Function]) -> Vec<Result<(), AdapterError>> {
    join_all(functions.iter().map(async |function| function.page().await.map(drop))).await
}

#[tokio::test]
async fn of_fifty_functions_one_logs_in_although_ten_are_killed_while_they_do() {
    let stand = stand().await;
    let functions = Functions { lease: Duration::from_secs(1), ..Functions::new(&stand).await };
    fault(&stand, "/authToken", FaultKind::Hang { millis: 120_000 }, 10);
    let mut running: Vec<_> = (0..50)
        .map(|number| {
            let function = functions.start(number);
            Some(tokio::spawn(async move { function.page_at_last().await.map(drop) }))
        })
        .collect();
    for killed in 0..10 {
        let in_flight = || stand.simulator.ledger().in_flight(Marketplace::Ajio, "/authToken");
        eventually("somebody logs in", async || in_flight() == 1 && functions.logins() == killed).await;
        // An aborted task does nothing any more, like a killed process.
        running[functions.caller.load(Ordering::SeqCst)].take().unwrap().abort();
    }
    let answers = join_all(running.into_iter().flatten()).await;
    assert_eq!(answers.len(), 40);
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Ok(())))), "{answers:?}");
    assert_eq!((functions.issued(), functions.logins()), (1, 11), "ten are killed, the eleventh is for all");
    // The other seller's account has a token of its own.
    let theirs = functions.start_for(&stand.sellers.theirs, "DV2", 50);
    theirs.page().await.unwrap();
    assert_eq!(functions.issued(), 2);
}

#[tokio::test]
async fn a_killed_process_delays_another_one_by_its_lease_and_later_ones_find_the_token() {
    let stand = stand().await;
    fault(&stand, "/authToken", FaultKind::Hang { millis: 120_000 }, 1);
    let (first, second) = (stand.start(Ajio).await, stand.start(Ajio).await);
    let orders = stand.queue_run(Ajio).await;
    let _never = first.send(stand.event(&orders)).await;
    let in_flight = || stand.simulator.ledger().in_flight(Marketplace::Ajio, "/authToken");
    eventually("the first one logs in", async || in_flight() == 1).await;
    first.kill().await;
    let returns = stand.queue(Ajio, RunKind::Returns).await;
    acknowledged(second.invoke(stand.event(&returns)).await);
    assert_eq!(stand.run(returns.run_id).await.state, "SUCCEEDED", "it waits in place for the lease to end");
    let third = stand.start(Ajio).await;
    stand.run_to_end(&third, again(&stand, orders.clone()).await).await;
    assert_eq!(stand.run(orders.run_id).await.state, "SUCCEEDED");
    let ledger = stand.simulator.ledger();
    assert_eq!(ledger.tokens_issued(Marketplace::Ajio), 1);
    assert_eq!(ledger.requests(Marketplace::Ajio, "/authToken"), 2);
}

#[tokio::test]
async fn a_job_finds_the_stored_token_without_a_round_trip_of_its_own() {
    let stand = stand().await;
    let first = stand.start(Ajio).await;
    stand.run_to_end(&first, stand.queue_run(Ajio).await).await;
    let mut config = stand.test.config("robnu_adapter");
    let wire = WireProxy::before(&mut config).await;
    let cold = stand.start_with(Ajio, config.host, config.port).await;
    // The other seller's run prepares every statement.
    stand.run_to_end(&cold, stand.queue_for(&stand.sellers.theirs, Ajio, RunKind::Orders).await).await;
    let mut trips = Vec::new();
    for _ in 0..2 {
        let _before = wire.take();
        stand.run_to_end(&cold, stand.queue_run(Ajio).await).await;
        trips.push(wire.take().0);
    }
    assert_eq!(trips[0], trips[1], "with a cold cache and with a warm one");
    assert_eq!(stand.simulator.ledger().tokens_issued(Marketplace::Ajio), 2, "one of each account");
}

#[tokio::test]
async fn a_refused_token_makes_one_refresh_whoever_noticed_it() {
    let stand = stand().await;
    let functions = Functions::new(&stand).await;
    let warm: Vec<Function> = (0..20).map(|number| functions.start(number)).collect();
    for expected in 1..=2 {
        assert!(pages(&warm).await.iter().all(Result::is_ok));
        assert_eq!(functions.issued(), expected);
        stand.simulator.expire_tokens(Marketplace::Ajio, None);
    }
}

#[tokio::test]
async fn the_refusal_of_an_old_token_that_others_stored_does_not_refuse_the_credentials() {
    let stand = stand().await;
    let functions = Functions::new(&stand).await;
    let (one, other) = (functions.start(0), functions.start(1));
    one.page().await.unwrap();
    other.page().await.unwrap();
    stand.simulator.expire_tokens(Marketplace::Ajio, None);
    one.page().await.unwrap();
    stand.simulator.expire_tokens(Marketplace::Ajio, None);
    // It has the first token, the second one is stored, and both are dead.
    other.page().await.unwrap();
    assert_eq!(functions.issued(), 3);
}

#[tokio::test]
async fn an_account_whose_every_token_is_refused_ends_after_one_refresh() {
    let stand = stand().await;
    let functions = Functions::new(&stand).await;
    let warm: Vec<Function> = (0..20).map(|number| functions.start(number)).collect();
    assert!(pages(&warm).await.iter().all(Result::is_ok));
    let refuse = FaultKind::Status { status: 401, retry_after: None };
    stand.simulator.add_fault(Fault::new(Marketplace::Ajio, "/orders", refuse));
    let answers = pages(&warm).await;
    assert!(answers.iter().all(|answer| *answer == Err(AdapterError::Unauthorized)), "{answers:?}");
    // A function whose question took longer than the renewal cannot know that the token is new, and asks for one more.
    let issued = functions.issued();
    assert!((2..=3).contains(&issued), "{issued} tokens");
}

#[tokio::test]
async fn refused_credentials_are_tried_once_and_an_accepted_check_ends_the_refusal() {
    let stand = stand().await;
    let functions = Functions::new(&stand).await;
    stand.simulator.add_fault(Fault::new(Marketplace::Ajio, "/authToken", FaultKind::RejectCredentials));
    let cold: Vec<Function> = (0..20).map(|number| functions.start(number)).collect();
    let answers = pages(&cold).await;
    assert!(answers.iter().all(|answer| *answer == Err(AdapterError::Unauthorized)), "{answers:?}");
    assert_eq!(functions.logins(), 1);
    stand.simulator.clear_faults();
    let later = functions.start(20);
    assert_eq!(later.page().await.map(drop), Err(AdapterError::Unauthorized), "it is believed for a minute");
    functions.start(21).check().await.unwrap();
    later.page().await.unwrap();
    assert_eq!((functions.logins(), functions.issued()), (2, 1), "the check's token is everybody's");
    // A check asks although a token is stored.
    functions.start(22).check().await.unwrap();
    assert_eq!(functions.issued(), 2);
}

#[tokio::test]
async fn a_token_is_renewed_before_it_expires_while_the_others_go_on_with_it() {
    let stand = stand().await;
    let functions = Functions::new(&stand).await;
    functions.start(0).page().await.unwrap();
    let soon = "update robnu.access_tokens set renew_at = now() where seller_id = $1";
    stand.superuser.execute(soon, &[&stand.sellers.ours.id]).await.unwrap();
    let tokens = functions.tokens(&stand.sellers.ours);
    let renewal = renewal(tokens.ask(None).await);
    functions.start(1).page().await.unwrap();
    assert_eq!(functions.issued(), 1, "the old one still lives");
    assert!(tokens.store(renewal, &token("next"), HALF_AN_HOUR).await);
    assert_eq!(used(tokens.ask(None).await), "next");
    let expired = "update robnu.access_tokens set renew_at = now(), expires_at = now() where seller_id = $1";
    stand.superuser.execute(expired, &[&stand.sellers.ours.id]).await.unwrap();
    functions.start(2).page().await.unwrap();
    assert_eq!(functions.issued(), 2);
}

#[tokio::test]
async fn a_holder_that_was_frozen_wakes_too_late_to_change_anything() {
    let stand = stand().await;
    let functions = Functions { lease: Duration::from_millis(200), ..Functions::new(&stand).await };
    let (frozen, other) = (functions.tokens(&stand.sellers.ours), functions.tokens(&stand.sellers.ours));
    let old = renewal(frozen.ask(None).await);
    let new = std::cell::Cell::new(None);
    eventually("the lease is over", async || {
        new.set(
            Some(other.ask(None).await).filter(|turn| matches!(turn, Ok(Turn::Renew { .. }))).map(renewal),
        );
        new.get().is_some()
    })
    .await;
    assert!(!frozen.store(old, &token("old"), HALF_AN_HOUR).await, "another one has taken over");
    frozen.extend(old).await;
    assert!(other.store(new.get().unwrap(), &token("new"), HALF_AN_HOUR).await);
    assert!(!frozen.store(old, &token("old"), HALF_AN_HOUR).await, "it has ended");
    frozen.end(old, &AdapterError::Unauthorized).await;
    assert_eq!(used(frozen.ask(None).await), "new");
}

#[tokio::test]
async fn a_renewal_for_credentials_that_are_replaced_meanwhile_stores_nothing() {
    let stand = stand().await;
    let functions = Functions::new(&stand).await;
    let ours = &stand.sellers.ours;
    let tokens = functions.tokens(ours);
    let old = renewal(tokens.ask(None).await);
    let replace = format!(
        "begin; select robnu.enter_member('OWNER@{0}', '{0}', '', true);
         select robnu.replace_ajio_account_details('{1}', 'DV1', '\\x00'); commit",
        ours.id, ours.ajio
    );
    stand.test.raw("robnu_api").await.batch_execute(&replace).await.unwrap();
    let pending = AdapterError::TokenPending { retry_after: Duration::ZERO };
    assert!(!tokens.store(old, &token("old"), HALF_AN_HOUR).await);
    let _id = tokens.replace(&token("old"), HALF_AN_HOUR).await;
    assert_eq!(tokens.ask(None).await.map(drop), Err(pending), "the job is put off and opens the new ones");
    let newer = adapter::tokens::AccountTokens { generation: 2, ..functions.tokens(ours) };
    let new = renewal(newer.ask(None).await);
    assert!(newer.store(new, &token("new"), HALF_AN_HOUR).await);
    assert_eq!(used(newer.ask(None).await), "new");
}

#[tokio::test]
async fn a_login_that_ends_after_its_account_was_disconnected_leaves_no_token() {
    let stand = stand().await;
    let functions = Functions::new(&stand).await;
    let (ours, theirs) = (&stand.sellers.ours, &stand.sellers.theirs);
    functions.start_for(theirs, "DV2", 1).page().await.unwrap();
    let [login, check] = [functions.tokens(ours), functions.tokens(ours)];
    let late = renewal(login.ask(None).await);
    let disconnect = format!(
        "begin; select robnu.enter_member('OWNER@{0}', '{0}', '', true);
         update robnu.marketplace_accounts set status = 'DISCONNECTED' where id = '{1}';
         select robnu.forget_credentials('{1}'); commit",
        ours.id, ours.ajio
    );
    stand.test.raw("robnu_api").await.batch_execute(&disconnect).await.unwrap();
    assert!(!login.store(late, &token("late"), HALF_AN_HOUR).await);
    assert!(matches!(login.ask(None).await, Err(AdapterError::TokenPending { .. })), "nobody logs in again");
    let _id = check.replace(&token("late"), HALF_AN_HOUR).await;
    let stored = "select count(*) filter (where seller_id = $1), count(*) from robnu.access_tokens";
    let row = stand.superuser.query_one(stored, &[&ours.id]).await.unwrap();
    assert_eq!((row.get::<_, i64>(0), row.get::<_, i64>(1)), (0, 1), "the other seller's stays");
}

#[tokio::test]
async fn a_damaged_token_is_replaced() {
    let stand = stand().await;
    let functions = Functions::new(&stand).await;
    functions.start(0).page().await.unwrap();
    let damage =
        "update robnu.access_tokens set token_enc = set_byte(token_enc, 40, get_byte(token_enc, 40) # 1)
        where seller_id = $1";
    assert_eq!(stand.superuser.execute(damage, &[&stand.sellers.ours.id]).await.unwrap(), 1);
    functions.start(1).page().await.unwrap();
    functions.start(2).page().await.unwrap();
    assert_eq!(functions.issued(), 2);
}

#[tokio::test]
async fn a_job_reaches_the_token_of_its_own_account_only() {
    let stand = stand().await;
    let functions = Functions::new(&stand).await;
    let (ours, theirs) = (&stand.sellers.ours, &stand.sellers.theirs);
    for seller in [ours, theirs] {
        let tokens = functions.tokens(seller);
        let renewal = renewal(tokens.ask(None).await);
        assert!(tokens.store(renewal, &token("secret"), HALF_AN_HOUR).await);
    }
    for (seller, account) in [(ours, ours.amazon), (theirs, theirs.amazon)] {
        let scope = robnu_tenancy::SellerScope::for_job(seller.id, account);
        let astray = adapter::tokens::AccountTokens { scope, ..functions.tokens(ours) };
        assert!(matches!(astray.ask(None).await, Err(AdapterError::TokenPending { .. })));
        let sql = "select count(*) from robnu.access_tokens";
        let scope = robnu_tenancy::SellerScope::for_job(seller.id, account);
        let rows = functions.read(&scope, sql).await;
        assert_eq!(rows[0].get::<_, i64>(0), 0);
    }
}
