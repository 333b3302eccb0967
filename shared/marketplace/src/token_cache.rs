//! Access tokens, one per account, shared by everything that a warm function does for the account.
//!
//! Renewal is a single call: the first caller asks, and the others wait for its result, good or bad. Over all functions of the account
//! the same holds through [`SharedTokens`](crate::shared_token::SharedTokens). A token is used only with the credentials that fetched
//! it; other credentials of the account start without one.

mod owner;
mod renewal;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::error::AdapterError;
use crate::shared_token::{AccessToken, StoredToken, TokenTimes};

pub use owner::{TokenKey, TokenOwner};

/// Above this many accounts, accounts whose token has expired are forgotten.
const PRUNE_ABOVE: usize = 1_000;

/// The longest time for which a token is kept, whatever the marketplace promises.
const MAX_LIFETIME: Duration = Duration::from_hours(24);

/// A token that a marketplace has just issued.
#[derive(Debug)]
pub struct IssuedToken {
    /// The token.
    pub token: AccessToken,
    /// How long the token lives.
    pub lifetime: Duration,
}

/// Tokens by account.
#[derive(Debug)]
pub struct TokenCache {
    renew_before: Duration,
    now: fn() -> DateTime<Utc>,
    slots: Mutex<HashMap<Uuid, Arc<Slot>>>,
}

#[derive(Debug)]
struct Slot {
    key: TokenKey,
    state: Mutex<SlotState>,
    renewal: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct SlotState {
    cached: Option<CachedToken>,
    /// The token that the marketplace has refused, until another one comes.
    refused: Option<Uuid>,
    /// The number of renewals that have ended, so that a caller who waited for one knows that it ended.
    renewals: u64,
    failure: Option<AdapterError>,
}

#[derive(Debug, Clone)]
struct CachedToken {
    token: AccessToken,
    id: Uuid,
    issued_at: DateTime<Utc>,
    renew_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
}

impl CachedToken {
    fn new(id: Uuid, token: AccessToken, times: TokenTimes, issued_at: DateTime<Utc>) -> Self {
        Self {
            token,
            id,
            issued_at,
            renew_at: issued_at + times.renew_in,
            expires_at: issued_at + times.expires_in,
        }
    }

    /// A token of the account's other functions.
    fn stored(stored: StoredToken, now: DateTime<Utc>) -> Self {
        let cached = Self::new(stored.id, stored.token, stored.times, now);
        Self { issued_at: now - stored.age, ..cached }
    }
}

impl Slot {
    /// Notes how a renewal has ended.
    fn keep(&self, outcome: &Result<CachedToken, AdapterError>) {
        let mut state = lock(&self.state);
        state.renewals += 1;
        state.failure = outcome.as_ref().err().cloned();
        if let Ok(cached) = outcome {
            state.cached = Some(cached.clone());
            state.refused = None;
        }
    }
}

impl TokenCache {
    /// Makes a cache that renews tokens when less than `renew_before` of their life is left.
    #[must_use]
    pub fn new(renew_before: Duration) -> Self {
        // The wall clock is used because a monotonic one may stand still while the function's sandbox is frozen.
        Self::with_clock(renew_before, Utc::now)
    }

    fn with_clock(renew_before: Duration, now: fn() -> DateTime<Utc>) -> Self {
        Self { renew_before, now, slots: Mutex::default() }
    }

    /// Returns the account's token. It is fetched when there is none or it is about to expire.
    ///
    /// # Errors
    /// Returns the error of `fetch`, or of another function's renewal. When the trouble is temporary and the present token still lives,
    /// that token is returned.
    #[cfg(test)]
    pub async fn token<F>(
        &self,
        owner: &TokenOwner,
        fetch: impl FnOnce() -> F,
    ) -> Result<AccessToken, AdapterError>
    where
        F: Future<Output = Result<IssuedToken, AdapterError>>,
    {
        self.current(owner, fetch).await.map(|current| current.token)
    }

    async fn current<F>(
        &self,
        owner: &TokenOwner,
        fetch: impl FnOnce() -> F,
    ) -> Result<CachedToken, AdapterError>
    where
        F: Future<Output = Result<IssuedToken, AdapterError>>,
    {
        let slot = self.slot(&owner.key);
        let seen = {
            let state = lock(&slot.state);
            if let Some(cached) = state.cached.as_ref().filter(|cached| (self.now)() < cached.renew_at) {
                return Ok(cached.clone());
            }
            state.renewals
        };
        let _renewing = slot.renewal.lock().await;
        if let Some(answer) = self.answer_since(&slot, seen) {
            return answer;
        }
        let refused = lock(&slot.state).refused;
        let outcome = self.obtain(owner, refused, fetch).await;
        slot.keep(&outcome);
        outcome.or_else(|error| {
            let living = lock(&slot.state).cached.clone().filter(|cached| (self.now)() < cached.expires_at);
            living.filter(|_| is_passing(&error)).ok_or(error)
        })
    }

    /// Fetches a token even when one is cached or stored, and puts it in their place.
    ///
    /// # Errors
    /// Returns the error of `fetch`.
    pub async fn renewed<F>(
        &self,
        owner: &TokenOwner,
        fetch: impl FnOnce() -> F,
    ) -> Result<AccessToken, AdapterError>
    where
        F: Future<Output = Result<IssuedToken, AdapterError>>,
    {
        let slot = self.slot(&owner.key);
        let _renewing = slot.renewal.lock().await;
        let outcome = self.replaced(owner, fetch).await;
        slot.keep(&outcome);
        outcome.map(|renewed| renewed.token)
    }

    /// Forgets a token that was refused, unless another one has replaced it already.
    fn invalidate(&self, key: &TokenKey, refused: &CachedToken) {
        let slot = self.slot(key);
        let mut state = lock(&slot.state);
        if state.cached.as_ref().is_some_and(|cached| cached.token.is(&refused.token)) {
            state.cached = None;
            state.refused = Some(refused.id);
        }
    }

    /// Calls with the account's token. When the marketplace refuses the token or the call, calls once more with another token. Some
    /// marketplaces answer 403 both for an old token and for a missing permission; with a new token, 403 can only mean the permission.
    /// A token that another function had stored before this call began may be as old as the first one, so its refusal means nothing yet;
    /// then the token after it decides.
    ///
    /// # Errors
    /// Returns [`AdapterError::Unauthorized`] when the new token is refused too, [`AdapterError::NotPermitted`] when the token
    /// is good but lacks the permission, and any error of `fetch` and `call`.
    pub async fn authorized<T, F, C>(
        &self,
        owner: &TokenOwner,
        fetch: impl Fn() -> F,
        call: impl Fn(AccessToken) -> C,
    ) -> Result<T, AdapterError>
    where
        F: Future<Output = Result<IssuedToken, AdapterError>>,
        C: Future<Output = Result<T, AdapterError>>,
    {
        let began = (self.now)();
        let mut current = self.current(owner, &fetch).await?;
        let (mut refusals, mut decides) = (0, false);
        loop {
            let answer = call(current.token.clone()).await;
            match answer {
                Err(AdapterError::Unauthorized | AdapterError::NotPermitted { .. }) if !decides => {
                    self.invalidate(&owner.key, &current);
                }
                Err(AdapterError::Unauthorized) => {
                    self.invalidate(&owner.key, &current);
                    return answer;
                }
                _ => return answer,
            }
            current = self.current(owner, &fetch).await?;
            refusals += 1;
            decides = refusals == 2 || current.issued_at >= began;
        }
    }

    /// Returns the result of a renewal that ended while the caller waited.
    fn answer_since(&self, slot: &Slot, seen: u64) -> Option<Result<CachedToken, AdapterError>> {
        let state = lock(&slot.state);
        if state.renewals == seen {
            return None;
        }
        let alive = state.cached.as_ref().filter(|cached| (self.now)() < cached.expires_at);
        match (&state.failure, alive) {
            (None, Some(cached)) => Some(Ok(cached.clone())),
            (Some(error), Some(cached)) if is_passing(error) => Some(Ok(cached.clone())),
            (Some(error), _) => Some(Err(error.clone())),
            (None, None) => None, // renewed, then refused and forgotten: ask again
        }
    }

    fn slot(&self, key: &TokenKey) -> Arc<Slot> {
        let mut slots = lock(&self.slots);
        if let Some(slot) = slots.get(&key.account).filter(|slot| slot.key == *key) {
            return Arc::clone(slot);
        }
        if slots.len() >= PRUNE_ABOVE {
            let now = (self.now)();
            slots.retain(|_, slot| lock(&slot.state).cached.as_ref().is_some_and(|it| now < it.expires_at));
        }
        let slot = Arc::new(Slot {
            key: key.clone(),
            state: Mutex::default(),
            renewal: tokio::sync::Mutex::default(),
        });
        slots.insert(key.account, Arc::clone(&slot));
        slot
    }
}

fn is_passing(error: &AdapterError) -> bool {
    matches!(
        error,
        AdapterError::RateLimited { .. }
            | AdapterError::RateLimitReached { .. }
            | AdapterError::TokenPending { .. }
            | AdapterError::Unavailable { .. }
            | AdapterError::Garbled { .. }
            | AdapterError::OutOfTime
    )
}

/// Locks also after a panic of another holder, because these locks protect nothing that could be left half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
