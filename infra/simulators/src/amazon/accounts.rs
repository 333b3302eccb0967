//! Selling partners: which credentials belong to which order book.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::lwa::Parameters;
use crate::config::{AmazonAccount, AmazonConfig};
use crate::consent::ConsentService;
use crate::oauth_token::Refused;
use crate::order_book::OrderBook;

/// A selling partner that was given a token.
pub(super) struct Admitted {
    pub(super) name: String,
    pub(super) refresh_token: String,
}

struct Credentials {
    name: String,
    client_id: Option<String>,
    client_secret: Option<String>,
}

/// The registered selling partners, and unregistered ones after their first token.
pub(super) struct Accounts {
    default_book: Arc<OrderBook>,
    accept_unregistered: bool,
    by_refresh_token: HashMap<String, Credentials>,
    books: HashMap<String, Arc<OrderBook>>,
}

impl Accounts {
    pub(super) fn new(config: &AmazonConfig) -> Self {
        let mut accounts = Self {
            default_book: Arc::new(config.default_book.clone()),
            accept_unregistered: config.accept_unregistered,
            by_refresh_token: HashMap::new(),
            books: HashMap::new(),
        };
        config.accounts.iter().cloned().for_each(|account| accounts.register(account));
        accounts
    }

    pub(super) fn register(&mut self, account: AmazonAccount) {
        // As after a new consent, a replaced account loses its former refresh token.
        self.by_refresh_token.retain(|_, credentials| credentials.name != account.account);
        self.books.insert(account.account.clone(), Arc::new(account.orders));
        let AmazonAccount { account: name, client_id, client_secret, .. } = account;
        self.by_refresh_token.insert(account.refresh_token, Credentials { name, client_id, client_secret });
    }

    pub(super) fn book(&self, name: &str) -> Option<&OrderBook> {
        self.books.get(name).map(Arc::as_ref)
    }

    /// The book, to be changed. An unregistered account gets its own copy first.
    pub(super) fn book_mut(&mut self, name: &str) -> Option<&mut OrderBook> {
        self.books.get_mut(name).map(Arc::make_mut)
    }

    /// The account that a token request names, even if the request is refused.
    pub(super) fn named_by(&self, parameters: &Parameters) -> Option<String> {
        let refresh_token = parameters.get("refresh_token")?;
        let registered = self.by_refresh_token.get(refresh_token).map(|credentials| credentials.name.clone());
        Some(registered.unwrap_or_else(|| unregistered_name(refresh_token)))
    }

    /// The names of all known selling partners, for the consent page.
    pub(super) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.books.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    /// Decides on a token request.
    pub(super) fn admit(
        &mut self,
        parameters: &Parameters,
        consents: &mut ConsentService,
        now: DateTime<Utc>,
    ) -> Result<Admitted, Refused> {
        match parameters.get("grant_type") {
            Some("refresh_token") => self.admit_refresh_token(parameters, consents),
            Some("authorization_code") => self.admit_code(parameters, consents, now),
            Some(_) => Err(Refused::unsupported_grant_type()),
            None => Err(Refused::invalid_request("grant_type")),
        }
    }

    /// Exchanges a code. The selling partner gets a new refresh token that works only for this client.
    fn admit_code(
        &mut self,
        parameters: &Parameters,
        consents: &mut ConsentService,
        now: DateTime<Utc>,
    ) -> Result<Admitted, Refused> {
        let required = |name| parameters.get(name).ok_or_else(|| Refused::invalid_request(name));
        let (client_id, client_secret) = (required("client_id")?, required("client_secret")?);
        let (code, redirect_uri) = (required("code")?, required("redirect_uri")?);
        if !consents.authenticates(client_id, client_secret) {
            return Err(Refused::invalid_client());
        }
        let account = consents
            .redeem(code, client_id, redirect_uri, now)
            .ok_or_else(|| Refused::invalid_grant("code"))?;
        let refresh_token = format!("Atzr|{}", Uuid::now_v7().simple());
        let book = self.books.get(&account).unwrap_or(&self.default_book);
        self.register(AmazonAccount {
            account: account.clone(),
            refresh_token: refresh_token.clone(),
            client_id: Some(client_id.to_owned()),
            client_secret: Some(client_secret.to_owned()),
            orders: OrderBook::clone(book),
        });
        Ok(Admitted { name: account, refresh_token })
    }

    fn admit_refresh_token(
        &mut self,
        parameters: &Parameters,
        consents: &ConsentService,
    ) -> Result<Admitted, Refused> {
        let refresh_token =
            parameters.get("refresh_token").ok_or_else(|| Refused::invalid_request("refresh_token"))?;
        let client_id = parameters.get("client_id").ok_or_else(|| Refused::invalid_request("client_id"))?;
        let secret =
            parameters.get("client_secret").ok_or_else(|| Refused::invalid_request("client_secret"))?;
        let name = match self.by_refresh_token.get(refresh_token) {
            Some(known) => {
                let is_client = known.client_id.as_deref().is_none_or(|wanted| wanted == client_id)
                    && known.client_secret.as_deref().is_none_or(|wanted| wanted == secret);
                if !is_client {
                    return Err(Refused::invalid_client());
                }
                known.name.clone()
            }
            None if self.accept_unregistered
                && !self.is_registered_client(client_id)
                && !consents.knows(client_id) =>
            {
                let name = unregistered_name(refresh_token);
                self.books.entry(name.clone()).or_insert_with(|| Arc::clone(&self.default_book));
                name
            }
            None => return Err(Refused::invalid_grant("refresh_token")),
        };
        Ok(Admitted { name, refresh_token: refresh_token.to_owned() })
    }

    fn is_registered_client(&self, client_id: &str) -> bool {
        self.by_refresh_token.values().any(|known| known.client_id.as_deref() == Some(client_id))
    }
}

/// A name that is always the same for a refresh token and does not reveal it (FNV-1a, 32 bits).
fn unregistered_name(refresh_token: &str) -> String {
    let step = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(16_777_619);
    let hash = refresh_token.bytes().fold(2_166_136_261, step);
    format!("unregistered-{hash:08x}")
}
