//! Who is given which token, and how often the marketplace is asked for one.

mod shared;

use std::future::{Ready, ready};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};

use zeroize::Zeroizing;

use super::*;
use crate::deadline::Deadline;
use crate::details::{Credentials, DetailsSpec};

const DETAILS: &DetailsSpec = &crate::ajio::DETAILS;

/// Each test that moves the clock has a clock of its own, in its own thread.
fn moved_now() -> DateTime<Utc> {
    CLOCK.with(|clock| DateTime::from_timestamp(clock.load(Ordering::SeqCst), 0).unwrap())
}

thread_local! {
    static CLOCK: AtomicI64 = const { AtomicI64::new(1_763_600_400) };
}

fn advance(minutes: i64) {
    CLOCK.with(|clock| clock.fetch_add(minutes * 60, Ordering::SeqCst));
}

fn cache() -> TokenCache {
    TokenCache::with_clock(Duration::from_mins(10), moved_now)
}

fn key(password: &str) -> TokenOwner {
    let mut credentials = Credentials::default();
    credentials.set("username", Zeroizing::new("DV1".to_owned()));
    credentials.set("password", Zeroizing::new(password.to_owned()));
    TokenOwner::new(Uuid::from_u128(1), &credentials, DETAILS.fields, &Deadline::NONE.into())
}

fn outage() -> AdapterError {
    AdapterError::Unavailable { what: "status 503".to_owned(), retry_after: None }
}

fn issue(text: &str) -> Ready<Result<IssuedToken, AdapterError>> {
    let token = AccessToken::new(text.to_owned());
    ready(Ok(IssuedToken { token, lifetime: Duration::from_mins(30) }))
}

fn fail(error: AdapterError) -> Ready<Result<IssuedToken, AdapterError>> {
    ready(Err(error))
}

#[tokio::test]
async fn a_token_is_renewed_when_less_than_ten_of_its_thirty_minutes_are_left() {
    let (cache, key) = (cache(), key("a"));
    assert_eq!(cache.token(&key, || issue("first")).await.unwrap().expose(), "first");
    advance(19);
    assert_eq!(cache.token(&key, || issue("second")).await.unwrap().expose(), "first");
    advance(1);
    assert_eq!(cache.token(&key, || issue("second")).await.unwrap().expose(), "second");
}

#[tokio::test]
async fn a_living_token_bridges_an_outage_of_the_token_service_until_it_expires() {
    let (cache, key) = (cache(), key("a"));
    cache.token(&key, || issue("first")).await.unwrap();
    advance(25);
    assert_eq!(cache.token(&key, || fail(outage())).await.unwrap().expose(), "first");
    advance(5);
    assert_eq!(cache.token(&key, || fail(outage())).await.unwrap_err(), outage());
}

#[tokio::test]
async fn refused_credentials_are_not_bridged() {
    let (cache, key) = (cache(), key("a"));
    cache.token(&key, || issue("first")).await.unwrap();
    advance(25);
    let refused = cache.token(&key, || fail(AdapterError::Unauthorized)).await.unwrap_err();
    assert_eq!(refused, AdapterError::Unauthorized);
}

#[tokio::test]
async fn new_credentials_never_get_a_token_of_the_old_ones() {
    let cache = cache();
    cache.token(&key("old"), || issue("old")).await.unwrap();
    assert_eq!(cache.token(&key("new"), || issue("new")).await.unwrap().expose(), "new");
    assert_eq!(cache.token(&key("old"), || issue("again")).await.unwrap().expose(), "again");
}

#[tokio::test]
async fn only_the_refused_token_itself_is_forgotten() {
    let (cache, key) = (cache(), key("a"));
    let first = cache.current(&key, || issue("first")).await.unwrap();
    cache.invalidate(&key.key, &first);
    let second = cache.token(&key, || issue("second")).await.unwrap();
    cache.invalidate(&key.key, &first);
    assert_eq!(cache.token(&key, || issue("third")).await.unwrap().expose(), second.expose());
}

#[tokio::test]
async fn a_check_asks_again_although_a_token_is_cached() {
    let (cache, key) = (cache(), key("a"));
    cache.token(&key, || issue("first")).await.unwrap();
    assert_eq!(cache.renewed(&key, || fail(outage())).await.unwrap_err(), outage());
    assert_eq!(cache.renewed(&key, || issue("second")).await.unwrap().expose(), "second");
}

#[tokio::test]
async fn all_who_wait_for_a_renewal_share_its_failure() {
    let (cache, key, asked) = (cache(), key("a"), AtomicUsize::new(0));
    let refuse = || async {
        asked.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        Err(AdapterError::Unauthorized)
    };
    let calls = (0..20).map(|_| cache.token(&key, refuse));
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(|answer| matches!(answer, Err(AdapterError::Unauthorized))));
    assert_eq!(asked.load(Ordering::SeqCst), 1);
}

/// What twenty callers at once are told when the one that is let through fails so; panics when more than one asks.
async fn told_to_all(
    cache: &TokenCache,
    key: &TokenOwner,
    error: AdapterError,
) -> Vec<Result<String, AdapterError>> {
    let asked = AtomicUsize::new(0);
    let fail = || async {
        asked.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        Err(error.clone())
    };
    let calls = (0..20).map(|_| cache.token(key, fail));
    let answers = futures_util::future::join_all(calls).await;
    assert_eq!(asked.load(Ordering::SeqCst), 1);
    answers.into_iter().map(|answer| answer.map(|token| token.expose().to_owned())).collect()
}

#[tokio::test]
async fn everybody_who_waits_in_an_outage_is_given_the_token_that_still_lives() {
    let (cache, key) = (cache(), key("a"));
    cache.token(&key, || issue("first")).await.unwrap();
    advance(25);
    let told = told_to_all(&cache, &key, outage()).await;
    assert!(told.iter().all(|answer| *answer == Ok("first".to_owned())), "{told:?}");
    let told = told_to_all(&cache, &key, AdapterError::Unauthorized).await;
    assert!(told.iter().all(|answer| *answer == Err(AdapterError::Unauthorized)), "{told:?}");
}

#[tokio::test]
async fn nobody_is_given_a_token_that_was_dead_when_it_came() {
    let (cache, key, asked) = (cache(), key("a"), AtomicUsize::new(0));
    let dead = || async {
        asked.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        Ok(IssuedToken { token: AccessToken::new("dead".to_owned()), lifetime: Duration::ZERO })
    };
    let (one, other) = tokio::join!(cache.token(&key, dead), cache.token(&key, dead));
    assert!(one.is_ok() && other.is_ok());
    assert_eq!(asked.load(Ordering::SeqCst), 2, "who waited asks for a token of their own");
}

#[tokio::test]
async fn a_life_shorter_than_twice_the_margin_is_used_for_half_of_it() {
    let (cache, key) = (cache(), key("a"));
    let short = || {
        let token = AccessToken::new("short".to_owned());
        ready(Ok(IssuedToken { token, lifetime: Duration::from_mins(12) }))
    };
    cache.token(&key, short).await.unwrap();
    advance(5);
    assert_eq!(cache.token(&key, || issue("next")).await.unwrap().expose(), "short");
    advance(1);
    assert_eq!(cache.token(&key, || issue("next")).await.unwrap().expose(), "next");
}

#[tokio::test]
async fn a_renewal_that_is_given_up_leaves_the_next_caller_free_to_ask() {
    let (cache, key) = (cache(), key("a"));
    let stuck = cache.token(&key, std::future::pending);
    assert!(tokio::time::timeout(Duration::from_millis(10), stuck).await.is_err());
    assert_eq!(cache.token(&key, || issue("first")).await.unwrap().expose(), "first");
}

fn key_of(account: usize) -> TokenOwner {
    let owner = key("a");
    TokenOwner { key: TokenKey { account: Uuid::from_u128(account as u128), ..owner.key }, ..owner }
}

#[tokio::test]
async fn an_account_that_comes_while_another_renews_does_not_disturb_it() {
    let (cache, asked) = (cache(), AtomicUsize::new(0));
    let renew = || async {
        asked.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        issue("new").await
    };
    let calls = [1, 2, 1, 2, 1].map(|account| {
        let (cache, renew) = (&cache, &renew);
        async move { cache.token(&key_of(account), renew).await }
    });
    let answers = futures_util::future::join_all(calls).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(asked.load(Ordering::SeqCst), 2, "each account asks once");
}

#[tokio::test]
async fn above_a_thousand_accounts_those_whose_token_has_expired_are_forgotten() {
    let cache = cache();
    for account in 0..1_000 {
        if account == 400 {
            advance(30);
        }
        cache.token(&key_of(account), || issue("first")).await.unwrap();
    }
    assert_eq!(lock(&cache.slots).len(), 1_000);
    cache.token(&key_of(1_000), || issue("first")).await.unwrap();
    assert_eq!(lock(&cache.slots).len(), 601, "the first 400 tokens expire in this moment");
    assert_eq!(cache.token(&key_of(999), || issue("second")).await.unwrap().expose(), "first");
}

#[test]
fn neither_keys_nor_tokens_show_what_they_hold() {
    let shown = format!("{:?} {:?}", key("hush"), AccessToken::new("hush".to_owned()));
    assert!(!shown.contains("hush"));
    assert!(!shown.contains(&format!("{:?}", key("hush").key.fingerprint)));
}
