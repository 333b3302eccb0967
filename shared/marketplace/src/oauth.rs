//! Connecting an account by consent: the seller approves the platform's application on the marketplace's own page and
//! comes back with a code, which is exchanged for lasting credentials.
//!
//! An adapter that offers consent builds the page's address, reads what came back and makes the exchange. The caller checks
//! who may connect what, and that the `state` that comes back is the one that was sent.

use std::collections::BTreeMap;
use std::fmt;

use async_trait::async_trait;
use reqwest::Url;
use zeroize::Zeroizing;

use crate::details::Credentials;
use crate::error::AdapterError;

/// The parameter that brings back the caller's `state`, at every marketplace.
pub const STATE: &str = "state";

/// The longest code or identifier that is accepted from a callback.
const MAX_PARAMETER: usize = 2_048;

/// What a seller's consent brought back. The code is worth credentials, so it is never printed.
#[derive(Clone, PartialEq, Eq)]
pub struct Consent {
    code: Zeroizing<String>,
    /// The account that the consent is for, if the marketplace states it. It came through the seller's browser, so it is
    /// good for the seller's own list of accounts and proves nothing.
    pub external_account_id: Option<String>,
}

impl Consent {
    /// Returns the one-time code, for the exchange.
    #[must_use]
    pub fn code(&self) -> &str {
        &self.code
    }
}

impl fmt::Debug for Consent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consent")
            .field("external_account_id", &self.external_account_id)
            .finish_non_exhaustive()
    }
}

/// Why a callback holds no consent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallbackError {
    /// The seller said no, or the marketplace did so for them.
    #[error("consent was denied")]
    Denied,
    /// A parameter that the marketplace sends with every consent is missing or malformed.
    #[error("the callback's parameter {parameter} is missing or malformed")]
    Parameter {
        /// The parameter's name.
        parameter: &'static str,
    },
}

/// Consent at one marketplace.
#[async_trait]
pub trait OAuth: Send + Sync {
    /// Whether the callback says which account consented. If it does not, the person who connects the account says so.
    fn names_account(&self) -> bool;

    /// Returns the page on which the seller consents. `state` comes back unchanged; it should be random and valid for one use.
    ///
    /// # Errors
    /// Returns [`AdapterError::Configuration`] when this deployment has no application at the marketplace.
    fn authorization_url(&self, state: &str, redirect_uri: &str) -> Result<String, AdapterError>;

    /// Reads the parameters with which the marketplace sent the browser back. Others are ignored.
    ///
    /// # Errors
    /// See [`CallbackError`].
    fn read_callback(&self, parameters: &BTreeMap<String, String>) -> Result<Consent, CallbackError>;

    /// Exchanges the code, once, for details as an account's satellite table stores them. `redirect_uri` is the one that
    /// the consent page was given.
    ///
    /// # Errors
    /// Returns [`AdapterError::Unauthorized`] when the code is not or no longer valid, and [`AdapterError::Configuration`]
    /// when there is no application or the marketplace refuses it; otherwise as for every call.
    async fn exchange_code(&self, consent: &Consent, redirect_uri: &str)
    -> Result<Credentials, AdapterError>;
}

/// Fails when the marketplace says that consent was denied, as RFC 6749 spells it.
pub(crate) fn refuse_denied(parameters: &BTreeMap<String, String>) -> Result<(), CallbackError> {
    if parameters.contains_key("error") { Err(CallbackError::Denied) } else { Ok(()) }
}

/// Reads a consent from the parameters of these names.
pub(crate) fn read_consent(
    parameters: &BTreeMap<String, String>,
    code: &'static str,
    account: Option<&'static str>,
) -> Result<Consent, CallbackError> {
    let read = |name: &'static str| {
        parameters
            .get(name)
            .filter(|value| (1..=MAX_PARAMETER).contains(&value.len()))
            .filter(|value| value.bytes().all(|byte| byte.is_ascii_graphic()))
            .cloned()
            .ok_or(CallbackError::Parameter { parameter: name })
    };
    Ok(Consent { code: Zeroizing::new(read(code)?), external_account_id: account.map(read).transpose()? })
}

/// Checks that a redirect URI can be sent at all.
pub(crate) fn check_redirect_uri(redirect_uri: &str) -> Result<(), AdapterError> {
    let is_web = |url: &Url| matches!(url.scheme(), "http" | "https") && url.fragment().is_none();
    match Url::parse(redirect_uri) {
        Ok(url) if is_web(&url) => Ok(()),
        _ => Err(AdapterError::Configuration { what: "OAuth redirect URI" }),
    }
}
