//! How a token is had when the cache has none: from another function of the account, or from the marketplace under a lease.

use std::convert::Infallible;
use std::time::Duration;

use uuid::Uuid;

use super::{CachedToken, IssuedToken, MAX_LIFETIME, TokenCache, TokenOwner, is_passing};
use crate::error::AdapterError;
use crate::shared_token::{StoredToken, TokenTimes, Turn};

/// The longest wait in place for another function's renewal: as long as a slice waits for a marketplace. A function that is killed
/// while it asks for a token keeps its lease for not much longer.
const LONGEST_IN_PLACE: Duration = Duration::from_secs(3);
/// The first pause before asking again, and the longest. Each one doubles the pause.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(400);

/// A lease to fetch a token.
struct Lease {
    renewal: Uuid,
    extend_every: Duration,
    living: Option<StoredToken>,
}

impl TokenCache {
    /// Returns the token that the account's functions share, other than the one that was refused, and fetches it if it is this one's turn.
    pub(super) async fn obtain<F>(
        &self,
        owner: &TokenOwner,
        refused: Option<Uuid>,
        fetch: impl FnOnce() -> F,
    ) -> Result<CachedToken, AdapterError>
    where
        F: Future<Output = Result<IssuedToken, AdapterError>>,
    {
        let (mut left, mut pause) = (LONGEST_IN_PLACE, FIRST_PAUSE);
        loop {
            let lease_left = match owner.calls.tokens.ask(refused).await? {
                Turn::Use(stored) => return Ok(CachedToken::stored(stored, (self.now)())),
                Turn::Renew { renewal, extend_every, living } => {
                    let lease = Lease { renewal, extend_every, living };
                    return self.fetched(owner, lease, refused, fetch).await;
                }
                Turn::Wait(lease_left) => lease_left,
            };
            if left.is_zero() {
                return Err(AdapterError::TokenPending { retry_after: lease_left });
            }
            let wait = pause.min(left);
            owner.calls.deadline.time_for_a_call(wait).ok_or(AdapterError::OutOfTime)?;
            tokio::time::sleep(wait).await;
            left -= wait;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Fetches a token under a lease and stores it.
    async fn fetched<F>(
        &self,
        owner: &TokenOwner,
        lease: Lease,
        refused: Option<Uuid>,
        fetch: impl FnOnce() -> F,
    ) -> Result<CachedToken, AdapterError>
    where
        F: Future<Output = Result<IssuedToken, AdapterError>>,
    {
        let asked_at = (self.now)();
        match leased(owner, &lease, fetch()).await {
            Ok(issued) => Ok(self.stored(owner, lease.renewal, refused, issued).await),
            Err(error) => {
                owner.calls.tokens.end(lease.renewal, &error).await;
                let living = lease.living.map(|living| CachedToken::stored(living, asked_at));
                let living = living.filter(|living| is_passing(&error) && (self.now)() < living.expires_at);
                living.ok_or(error)
            }
        }
    }

    /// Stores a token that was just fetched. A function that was frozen meanwhile has lost its lease: then it uses the token of the one
    /// that took over, because some marketplaces end older tokens with each new one.
    async fn stored(
        &self,
        owner: &TokenOwner,
        renewal: Uuid,
        refused: Option<Uuid>,
        issued: IssuedToken,
    ) -> CachedToken {
        let (times, now) = (self.times(issued.lifetime), (self.now)());
        let tokens = &owner.calls.tokens;
        let mut id = renewal;
        if !tokens.store(renewal, &issued.token, times).await {
            match tokens.ask(refused).await {
                Ok(Turn::Use(newer)) => return CachedToken::stored(newer, (self.now)()),
                // Whoever had taken over has ended without a token.
                Ok(Turn::Renew { renewal, .. }) => {
                    id = renewal;
                    tokens.store(renewal, &issued.token, times).await;
                }
                Ok(Turn::Wait(_)) | Err(_) => {}
            }
        }
        CachedToken::new(id, issued.token, times, now)
    }

    /// Fetches a token whatever is stored, and puts it in its place.
    pub(super) async fn replaced<F>(
        &self,
        owner: &TokenOwner,
        fetch: impl FnOnce() -> F,
    ) -> Result<CachedToken, AdapterError>
    where
        F: Future<Output = Result<IssuedToken, AdapterError>>,
    {
        let issued = fetch().await?;
        let (times, now) = (self.times(issued.lifetime), (self.now)());
        let id = owner.calls.tokens.replace(&issued.token, times).await;
        Ok(CachedToken::new(id, issued.token, times, now))
    }

    fn times(&self, lifetime: Duration) -> TokenTimes {
        let expires_in = lifetime.min(MAX_LIFETIME);
        // A token that lives shorter than twice the margin is used for half of its life.
        let early = self.renew_before.min(expires_in / 2);
        TokenTimes { renew_in: expires_in.saturating_sub(early), expires_in }
    }
}

/// Extends the lease again and again until the marketplace has responded. A database that hangs meanwhile does not hold the response up.
async fn leased<T>(owner: &TokenOwner, lease: &Lease, fetching: impl Future<Output = T>) -> T {
    tokio::select! {
        biased;
        outcome = fetching => outcome,
        never = extended(owner, lease) => match never {},
    }
}

async fn extended(owner: &TokenOwner, lease: &Lease) -> Infallible {
    loop {
        tokio::time::sleep(lease.extend_every).await;
        owner.calls.tokens.extend(lease.renewal).await;
    }
}
