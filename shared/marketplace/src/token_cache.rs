//! Access tokens, one per account, shared by everything that a warm function does for the account.
//!
//! Renewal is a single call: the first caller asks, and the others wait for its result, good or bad. A token is used only
//! with the credentials that fetched it; other credentials of the account start without one.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, Utc};
use ring::digest;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::details::{Credentials, FieldSpec};
use crate::error::AdapterError;

/// Above this many accounts, accounts whose token has expired are forgotten.
const PRUNE_ABOVE: usize = 1_000;

/// The longest time for which a token is kept, whatever the marketplace promises.
const MAX_LIFETIME: Duration = Duration::from_hours(24);

/// An access token. It is wiped from memory when dropped, and never printed.
#[derive(Clone)]
pub struct AccessToken(Arc<Zeroizing<String>>);

impl AccessToken {
    /// Wraps a marketplace's token.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Arc::new(Zeroizing::new(text)))
    }

    /// The token, for a request header.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    fn is(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(..)")
    }
}

/// A token that a marketplace has just issued.
#[derive(Debug)]
pub struct IssuedToken {
    /// The token.
    pub token: AccessToken,
    /// How long the token lives.
    pub lifetime: Duration,
}

/// The owner of a token: an account with its present credentials. It holds a digest of the credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenKey {
    account: Uuid,
    fingerprint: [u8; 32],
}

impl TokenKey {
    /// Makes the key of an account with its credentials.
    #[must_use]
    pub fn new(account: Uuid, credentials: &Credentials, fields: &[FieldSpec]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        for value in fields.iter().map(|field| credentials.get(field.name).unwrap_or_default()) {
            context.update(&(value.len() as u64).to_be_bytes());
            context.update(value.as_bytes());
        }
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(context.finish().as_ref());
        Self { account, fingerprint }
    }
}

impl fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TokenKey").field(&self.account).finish()
    }
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
    /// The number of renewals that have ended, so that a caller who waited for one knows that it ended.
    renewals: u64,
    failure: Option<AdapterError>,
}

#[derive(Debug, Clone)]
struct CachedToken {
    token: AccessToken,
    renew_at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
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
    /// Returns the error of `fetch`. When the trouble is temporary and the present token still lives, that token is returned.
    pub async fn token<F>(
        &self,
        key: &TokenKey,
        fetch: impl FnOnce() -> F,
    ) -> Result<AccessToken, AdapterError>
    where
        F: Future<Output = Result<IssuedToken, AdapterError>>,
    {
        let slot = self.slot(key);
        let seen = {
            let state = lock(&slot.state);
            if let Some(cached) = state.cached.as_ref().filter(|cached| (self.now)() < cached.renew_at) {
                return Ok(cached.token.clone());
            }
            state.renewals
        };
        self.renew(&slot, Some(seen), fetch).await
    }

    /// Fetches a token even when one is cached, and caches it.
    ///
    /// # Errors
    /// Returns the error of `fetch`.
    pub async fn renewed<F>(
        &self,
        key: &TokenKey,
        fetch: impl FnOnce() -> F,
    ) -> Result<AccessToken, AdapterError>
    where
        F: Future<Output = Result<IssuedToken, AdapterError>>,
    {
        self.renew(&self.slot(key), None, fetch).await
    }

    /// Forgets a token that was refused, unless another one has replaced it already.
    pub fn invalidate(&self, key: &TokenKey, refused: &AccessToken) {
        let slot = self.slot(key);
        let mut state = lock(&slot.state);
        if state.cached.as_ref().is_some_and(|cached| cached.token.is(refused)) {
            state.cached = None;
        }
    }

    /// Calls with the account's token. When the marketplace refuses the token or the call, renews the token once and calls
    /// once more. Some marketplaces answer 403 both for an old token and for a missing permission; with a new token, 403 can
    /// only mean the permission.
    ///
    /// # Errors
    /// Returns [`AdapterError::Unauthorized`] when the new token is refused too, [`AdapterError::NotPermitted`] when the token
    /// is good but lacks the permission, and any error of `fetch` and `call`.
    pub async fn authorized<T, F, C>(
        &self,
        key: &TokenKey,
        fetch: impl Fn() -> F,
        call: impl Fn(AccessToken) -> C,
    ) -> Result<T, AdapterError>
    where
        F: Future<Output = Result<IssuedToken, AdapterError>>,
        C: Future<Output = Result<T, AdapterError>>,
    {
        let first = self.token(key, &fetch).await?;
        match call(first.clone()).await {
            Err(AdapterError::Unauthorized | AdapterError::NotPermitted { .. }) => {
                self.invalidate(key, &first);
            }
            answer => return answer,
        }
        let second = self.token(key, &fetch).await?;
        let answer = call(second.clone()).await;
        if matches!(answer, Err(AdapterError::Unauthorized)) {
            self.invalidate(key, &second);
        }
        answer
    }

    /// Renews a token. `seen` is the number of renewals when the caller found no good token; a renewal that ended since then
    /// is the caller's result.
    async fn renew<F>(
        &self,
        slot: &Slot,
        seen: Option<u64>,
        fetch: impl FnOnce() -> F,
    ) -> Result<AccessToken, AdapterError>
    where
        F: Future<Output = Result<IssuedToken, AdapterError>>,
    {
        let _renewing = slot.renewal.lock().await;
        if let Some(answer) = seen.and_then(|seen| self.answer_since(slot, seen)) {
            return answer;
        }
        let outcome = fetch().await;
        let now = (self.now)();
        let mut state = lock(&slot.state);
        state.renewals += 1;
        state.failure = outcome.as_ref().err().cloned();
        match outcome {
            Ok(issued) => {
                let token = issued.token.clone();
                state.cached = Some(self.cached(issued, now));
                Ok(token)
            }
            Err(error) => match state.cached.as_ref().filter(|_| seen.is_some()) {
                Some(cached) if is_passing(&error) && now < cached.expires_at => Ok(cached.token.clone()),
                _ => Err(error),
            },
        }
    }

    /// Returns the result of a renewal that ended while the caller waited.
    fn answer_since(&self, slot: &Slot, seen: u64) -> Option<Result<AccessToken, AdapterError>> {
        let state = lock(&slot.state);
        if state.renewals == seen {
            return None;
        }
        let alive = state.cached.as_ref().filter(|cached| (self.now)() < cached.expires_at);
        match (&state.failure, alive) {
            (None, Some(cached)) => Some(Ok(cached.token.clone())),
            (Some(error), Some(cached)) if is_passing(error) => Some(Ok(cached.token.clone())),
            (Some(error), _) => Some(Err(error.clone())),
            (None, None) => None, // renewed, then refused and forgotten: ask again
        }
    }

    fn cached(&self, issued: IssuedToken, now: DateTime<Utc>) -> CachedToken {
        let lifetime = issued.lifetime.min(MAX_LIFETIME);
        // A token that lives shorter than twice the margin is used for half of its life.
        let early = self.renew_before.min(lifetime / 2);
        CachedToken {
            token: issued.token,
            renew_at: now + lifetime.saturating_sub(early),
            expires_at: now + lifetime,
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
