//! What a function asks of the tokens that it shares with others, and how long it waits for them.

use async_trait::async_trait;

use super::*;
use crate::pace::Calls;
use crate::shared_token::{SharedTokens, Turn};

/// Answers with one turn, and notes what it was asked.
#[derive(Default)]
struct Script {
    /// A lease that another one holds for ever; without it everybody may renew.
    held: Option<Duration>,
    asked: Mutex<Vec<Option<Uuid>>>,
    extended: AtomicUsize,
    ended: Mutex<Vec<AdapterError>>,
}

#[async_trait]
impl SharedTokens for Script {
    async fn ask(&self, refused: Option<Uuid>) -> Result<Turn, AdapterError> {
        lock(&self.asked).push(refused);
        Ok(self.held.map_or_else(
            || Turn::Renew {
                renewal: Uuid::from_u128(lock(&self.asked).len() as u128),
                extend_every: Duration::from_secs(1),
                living: None,
            },
            Turn::Wait,
        ))
    }

    async fn extend(&self, _renewal: Uuid) {
        self.extended.fetch_add(1, Ordering::SeqCst);
    }

    async fn store(&self, _renewal: Uuid, _token: &AccessToken, _times: TokenTimes) -> bool {
        true
    }

    async fn end(&self, _renewal: Uuid, error: &AdapterError) {
        lock(&self.ended).push(error.clone());
    }

    async fn replace(&self, _token: &AccessToken, _times: TokenTimes) -> Uuid {
        Uuid::nil()
    }
}

fn owner(script: &Arc<Script>) -> TokenOwner {
    let tokens = Arc::clone(script);
    TokenOwner { calls: Calls { tokens, ..Deadline::NONE.into() }, ..key("a") }
}

#[tokio::test]
async fn a_living_token_asks_nobody_and_a_refused_one_is_named() {
    let (cache, script) = (cache(), Arc::new(Script::default()));
    let owner = owner(&script);
    let first = cache.current(&owner, || issue("first")).await.unwrap();
    cache.token(&owner, || issue("second")).await.unwrap();
    assert_eq!(*lock(&script.asked), [None]);
    cache.invalidate(&owner.key, &first);
    cache.token(&owner, || issue("second")).await.unwrap();
    assert_eq!(*lock(&script.asked), [None, Some(first.id)]);
    cache.renewed(&owner, || issue("third")).await.unwrap();
    assert_eq!(lock(&script.asked).len(), 2, "a check asks nobody");
}

#[tokio::test(start_paused = true)]
async fn another_one_s_renewal_is_waited_for_three_seconds_and_not_longer() {
    let lease_left = Duration::from_secs(4);
    let (cache, script) = (cache(), Arc::new(Script { held: Some(lease_left), ..Script::default() }));
    let began = tokio::time::Instant::now();
    let answer = cache.token(&owner(&script), || issue("never")).await;
    assert_eq!(answer.unwrap_err(), AdapterError::TokenPending { retry_after: lease_left });
    assert_eq!(began.elapsed(), Duration::from_secs(3));
    assert!(lock(&script.asked).len() < 15);
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_extended_for_as_long_as_the_marketplace_takes_and_ended_with_its_error() {
    let (cache, script) = (cache(), Arc::new(Script::default()));
    let slow = || async {
        tokio::time::sleep(Duration::from_millis(10_500)).await;
        Err(outage())
    };
    assert_eq!(cache.token(&owner(&script), slow).await.unwrap_err(), outage());
    assert_eq!(script.extended.load(Ordering::SeqCst), 10);
    assert_eq!(*lock(&script.ended), [outage()]);
}
