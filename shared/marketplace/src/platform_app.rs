//! The platform's own applications at the marketplaces, which accounts that were connected by consent use.
//!
//! They are configuration of a deployment, kept in one secret for all functions that need them:
//! `{"AMAZON_IN": {"application_id": "…", "client_id": "…", "client_secret": "…"}, "FLIPKART": {…}}`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

use crate::code::MarketplaceCode;
use crate::error::AdapterError;

/// One of the platform's applications. Its secret is wiped from memory when dropped, and never printed.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlatformApp {
    /// The application's id at the consent page, if it is not the client id.
    #[serde(default)]
    pub application_id: Option<String>,
    /// OAuth client id.
    pub client_id: String,
    #[serde(deserialize_with = "secret")]
    client_secret: Zeroizing<String>,
    /// The marketplace has not published the application yet; its consent page must be told.
    #[serde(default)]
    pub draft: bool,
}

impl PlatformApp {
    /// Makes an application that is published.
    #[must_use]
    pub fn new(application_id: Option<String>, client_id: String, client_secret: Zeroizing<String>) -> Self {
        Self { application_id, client_id, client_secret, draft: false }
    }

    /// Returns the OAuth client secret, for a token request.
    #[must_use]
    pub fn client_secret(&self) -> &str {
        &self.client_secret
    }
}

impl fmt::Debug for PlatformApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlatformApp").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// A deployment's applications by marketplace. A marketplace without a registered application has none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlatformApps(BTreeMap<&'static str, PlatformApp>);

impl PlatformApps {
    /// Reads the applications' secret.
    ///
    /// # Errors
    /// Returns [`AdapterError::Configuration`] when it does not have the form above.
    pub fn from_json(text: &str) -> Result<Self, AdapterError> {
        let misread =
            || AdapterError::Configuration { what: "the secret of the platform's own applications" };
        let given: BTreeMap<String, PlatformApp> = serde_json::from_str(text).map_err(|_| misread())?;
        let known = |(code, app): (String, PlatformApp)| {
            let code: MarketplaceCode = code.parse().map_err(|_| misread())?;
            let is_complete = !app.client_id.is_empty() && !app.client_secret.is_empty();
            if is_complete { Ok((code.as_str(), app)) } else { Err(misread()) }
        };
        given.into_iter().map(known).collect::<Result<_, _>>().map(Self)
    }

    /// Adds or replaces a marketplace's application.
    #[must_use]
    pub fn with(mut self, code: MarketplaceCode, app: PlatformApp) -> Self {
        self.0.insert(code.as_str(), app);
        self
    }

    /// The platform's application at a marketplace.
    #[must_use]
    pub fn get(&self, code: MarketplaceCode) -> Option<&PlatformApp> {
        self.0.get(code.as_str())
    }
}

fn secret<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Zeroizing<String>, D::Error> {
    String::deserialize(deserializer).map(Zeroizing::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn applications_are_read_by_marketplace_and_keep_their_secret_to_themselves() {
        let text = r#"{"AMAZON_IN": {"application_id": "a", "client_id": "c", "client_secret": "hush"}}"#;
        let apps = PlatformApps::from_json(text).unwrap();
        assert_eq!(apps.get(MarketplaceCode::AmazonIn).unwrap().client_secret(), "hush");
        assert!(apps.get(MarketplaceCode::Flipkart).is_none());
        assert!(!format!("{apps:?}").contains("hush"));
        assert_eq!(PlatformApps::from_json("{}"), Ok(PlatformApps::default()));
    }

    #[test]
    fn a_malformed_list_of_applications_is_refused_without_being_repeated() {
        for text in [
            "hush",
            r#"{"EBAY": {"client_id": "c", "client_secret": "hush"}}"#,
            r#"{"FLIPKART": {"client_id": "c"}}"#,
            r#"{"FLIPKART": {"client_id": "c", "client_secret": ""}}"#,
            r#"{"FLIPKART": {"client_id": "c", "client_secret": "hush", "hush": 1}}"#,
        ] {
            let refused = PlatformApps::from_json(text).unwrap_err();
            assert!(matches!(refused, AdapterError::Configuration { .. }), "{text}");
            assert!(!format!("{refused} {refused:?}").contains("hush"));
        }
    }
}
