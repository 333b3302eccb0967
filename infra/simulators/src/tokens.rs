//! Access tokens of one marketplace: their accounts and expiry times.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

struct Issued {
    account: String,
    expires_at: DateTime<Utc>,
}

/// Issued access tokens. A new token does not end the older ones of its account.
pub(crate) struct TokenStore {
    lifetime: TimeDelta,
    issued: HashMap<String, Issued>,
}

impl TokenStore {
    pub(crate) fn new(lifetime_seconds: u32) -> Self {
        Self { lifetime: TimeDelta::seconds(i64::from(lifetime_seconds)), issued: HashMap::new() }
    }

    pub(crate) fn lifetime_seconds(&self) -> i64 {
        self.lifetime.num_seconds()
    }

    pub(crate) fn issue(&mut self, prefix: &str, account: &str, now: DateTime<Utc>) -> String {
        // Expired tokens are kept for an hour, so that the ledger still knows the account of a late call.
        self.issued.retain(|_, issued| issued.expires_at > now - TimeDelta::hours(1));
        let token = format!("{prefix}{}", Uuid::now_v7().simple());
        let issued = Issued { account: account.to_owned(), expires_at: now + self.lifetime };
        self.issued.insert(token.clone(), issued);
        token
    }

    /// The account that a token was issued to, even after it has expired.
    pub(crate) fn owner(&self, token: &str) -> Option<&str> {
        self.issued.get(token).map(|issued| issued.account.as_str())
    }

    /// The account of a token that is still valid.
    pub(crate) fn valid(&self, token: &str, now: DateTime<Utc>) -> Option<&str> {
        self.issued.get(token).filter(|issued| issued.expires_at > now).map(|issued| issued.account.as_str())
    }

    /// Expires the tokens of one account, or of every account.
    pub(crate) fn expire(&mut self, account: Option<&str>, now: DateTime<Utc>) {
        for issued in self.issued.values_mut() {
            if account.is_none_or(|wanted| wanted == issued.account) {
                issued.expires_at = issued.expires_at.min(now);
            }
        }
    }
}
