//! Whose token it is.

use std::fmt;

use ring::digest;
use uuid::Uuid;

use crate::details::{Credentials, FieldSpec};
use crate::pace::Calls;

/// The key of a token in the cache: an account with its present credentials. It holds a digest of the credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenKey {
    pub(super) account: Uuid,
    pub(super) fingerprint: [u8; 32],
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

/// The owner of a token, as one connection knows it.
#[derive(Debug, Clone)]
pub struct TokenOwner {
    pub(super) key: TokenKey,
    /// The connection's bounds, and the tokens that it shares with other functions.
    pub(super) calls: Calls,
}

impl TokenOwner {
    /// Makes the owner for a connection of an account.
    #[must_use]
    pub fn new(account: Uuid, credentials: &Credentials, fields: &[FieldSpec], calls: &Calls) -> Self {
        Self { key: TokenKey::new(account, credentials, fields), calls: calls.clone() }
    }
}
