//! Access tokens that the functions of an account share: one of them fetches a new token, under a lease, and the others use what it
//! stored (single-flight refresh). Where tokens are stored is up to who implements [`SharedTokens`].

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::error::AdapterError;

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

    pub(crate) fn is(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(..)")
    }
}

/// How long a token is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenTimes {
    /// The time until somebody fetches the next one. Zero when that is due.
    pub renew_in: Duration,
    /// The time until it expires.
    pub expires_in: Duration,
}

/// A token that some function of the account has stored.
#[derive(Debug, Clone)]
pub struct StoredToken {
    /// The id of the renewal that fetched it. Another token has another id.
    pub id: Uuid,
    /// The token.
    pub token: AccessToken,
    /// The time since it was stored, or a little more.
    pub age: Duration,
    /// How long it is still used.
    pub times: TokenTimes,
}

/// What a function that needs a token has to do.
#[derive(Debug)]
pub enum Turn {
    /// Use this token.
    Use(StoredToken),
    /// Fetch a new one: the caller holds the lease of the renewal.
    Renew {
        /// The renewal, which becomes the id of its token.
        renewal: Uuid,
        /// How often to extend the lease while the marketplace is being asked.
        extend_every: Duration,
        /// A token that still lives, in case none can be fetched.
        living: Option<StoredToken>,
    },
    /// Another function is fetching one. Its lease ends then, if nobody extends it.
    Wait(Duration),
}

/// The tokens of one account with its present credentials.
#[async_trait]
pub trait SharedTokens: Send + Sync {
    /// Asks for a token other than the one that the marketplace has refused.
    ///
    /// # Errors
    /// Returns what another function has just met when it asked the marketplace, and [`AdapterError::TokenPending`] when nothing is known
    /// at the moment: no token is fetched then.
    async fn ask(&self, refused: Option<Uuid>) -> Result<Turn, AdapterError>;

    /// Extends the lease of a renewal.
    async fn extend(&self, renewal: Uuid);

    /// Stores the token of a renewal and ends its lease. Returns whether it is stored: not when another renewal has taken over.
    async fn store(&self, renewal: Uuid, token: &AccessToken, times: TokenTimes) -> bool;

    /// Ends the lease of a renewal that brought no token.
    async fn end(&self, renewal: Uuid, error: &AdapterError);

    /// Stores a token that was fetched without asking. Returns its id.
    async fn replace(&self, token: &AccessToken, times: TokenTimes) -> Uuid;
}

/// Nothing shared: for calls while somebody waits, with credentials that are not stored yet.
#[derive(Debug, Clone, Copy)]
pub struct Unshared;

#[async_trait]
impl SharedTokens for Unshared {
    async fn ask(&self, _refused: Option<Uuid>) -> Result<Turn, AdapterError> {
        let extend_every = Duration::from_hours(1);
        Ok(Turn::Renew { renewal: Uuid::now_v7(), extend_every, living: None })
    }

    async fn extend(&self, _renewal: Uuid) {}

    async fn store(&self, _renewal: Uuid, _token: &AccessToken, _times: TokenTimes) -> bool {
        true
    }

    async fn end(&self, _renewal: Uuid, _error: &AdapterError) {}

    async fn replace(&self, _token: &AccessToken, _times: TokenTimes) -> Uuid {
        Uuid::now_v7()
    }
}
