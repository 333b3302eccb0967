//! The registry: the one list of adapters, and how they are built from a deployment's configuration.

use std::time::Duration;

use reqwest::Url;

use crate::ajio::Ajio;
use crate::amazon_in::{AmazonIn, Endpoints};
use crate::code::{MARKETPLACE_CODES, MarketplaceCode};
use crate::contract::Adapter;
use crate::error::AdapterError;
use crate::flipkart::Flipkart;
use crate::http::{HttpClient, HttpTimeouts, parse_base_url};
use crate::meesho::Meesho;
use crate::platform_app::PlatformApps;

/// A deployment's configuration of its marketplaces. A marketplace without a URL can be described but not called, so a
/// function needs only the URLs of the marketplaces that it calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarketplaceConfig {
    /// AJIO's API.
    pub ajio_base_url: Option<String>,
    /// Amazon's Selling Partner API for India.
    pub amazon_in_base_url: Option<String>,
    /// Login with Amazon: its base, or the token endpoint itself.
    pub amazon_in_auth_url: Option<String>,
    /// Seller Central, where sellers consent to the platform's application.
    pub amazon_in_consent_url: Option<String>,
    /// Flipkart's host, the same for its API and its OAuth service.
    pub flipkart_base_url: Option<String>,
    /// A bridge to Meesho's partner programme.
    pub meesho_base_url: Option<String>,
    /// The platform's own applications.
    pub apps: PlatformApps,
    /// The time until a connection stands.
    pub connect_timeout: Duration,
    /// The time for a whole call.
    pub total_timeout: Duration,
}

impl Default for MarketplaceConfig {
    /// No URL, 5 seconds to connect and 30 seconds for a whole call.
    fn default() -> Self {
        Self {
            ajio_base_url: None,
            amazon_in_base_url: None,
            amazon_in_auth_url: None,
            amazon_in_consent_url: None,
            flipkart_base_url: None,
            meesho_base_url: None,
            apps: PlatformApps::default(),
            connect_timeout: Duration::from_secs(5),
            total_timeout: Duration::from_secs(30),
        }
    }
}

/// One adapter per marketplace.
pub struct Registry {
    adapters: Vec<Box<dyn Adapter>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.adapters.iter().map(|adapter| adapter.code())).finish()
    }
}

impl Registry {
    /// Builds every adapter, without any I/O.
    ///
    /// # Errors
    /// Returns [`AdapterError::Configuration`] naming a URL that is not one.
    pub fn new(config: &MarketplaceConfig) -> Result<Self, AdapterError> {
        let http =
            HttpClient::new(HttpTimeouts { connect: config.connect_timeout, total: config.total_timeout })?;
        let adapters = MARKETPLACE_CODES
            .iter()
            .map(|code| build(*code, config, http.clone()))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(Self { adapters })
    }

    /// Returns the marketplace's adapter.
    #[must_use]
    pub fn adapter(&self, code: MarketplaceCode) -> &dyn Adapter {
        // The adapters were built in the order of the codes, one for each.
        self.adapters[code as usize].as_ref()
    }
}

/// The list of adapters. A code without an adapter does not compile.
fn build(
    code: MarketplaceCode,
    config: &MarketplaceConfig,
    http: HttpClient,
) -> Result<Box<dyn Adapter>, AdapterError> {
    Ok(match code {
        MarketplaceCode::Ajio => {
            Box::new(Ajio::new(http, url(config.ajio_base_url.as_deref(), "AJIO base URL")?))
        }
        MarketplaceCode::AmazonIn => Box::new(AmazonIn::new(
            http,
            Endpoints {
                base_url: url(config.amazon_in_base_url.as_deref(), "Amazon.in base URL")?,
                auth_url: url(config.amazon_in_auth_url.as_deref(), "Amazon.in authorization URL")?,
                consent_url: url(config.amazon_in_consent_url.as_deref(), "Amazon.in consent URL")?,
                app: config.apps.get(code).cloned(),
            },
        )),
        MarketplaceCode::Flipkart => {
            let base_url = url(config.flipkart_base_url.as_deref(), "Flipkart base URL")?;
            Box::new(Flipkart::new(http, base_url, config.apps.get(code).cloned()))
        }
        MarketplaceCode::Meesho => {
            Box::new(Meesho::new(http, url(config.meesho_base_url.as_deref(), "Meesho base URL")?))
        }
    })
}

fn url(text: Option<&str>, what: &'static str) -> Result<Option<Url>, AdapterError> {
    text.map(|text| parse_base_url(text, what)).transpose()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::deadline::Deadline;
    use crate::details::Credentials;

    #[test]
    fn every_code_finds_its_own_adapter() {
        let registry = Registry::new(&MarketplaceConfig::default()).unwrap();
        for code in MARKETPLACE_CODES {
            assert_eq!(registry.adapter(*code).code(), *code);
        }
    }

    #[test]
    fn without_a_url_details_are_known_but_nothing_connects() {
        let registry = Registry::new(&MarketplaceConfig::default()).unwrap();
        for code in MARKETPLACE_CODES {
            let adapter = registry.adapter(*code);
            assert!(!adapter.details().fields.is_empty());
            let refused = adapter.connect(Uuid::nil(), Credentials::default(), Deadline::NONE.into()).err();
            assert!(matches!(refused, Some(AdapterError::Configuration { .. })), "{code}");
        }
    }

    #[test]
    fn an_invalid_url_is_named_when_the_registry_is_built() {
        let config = MarketplaceConfig { ajio_base_url: Some("not a url".to_owned()), ..Default::default() };
        let refused = Registry::new(&config).err();
        assert_eq!(refused, Some(AdapterError::Configuration { what: "AJIO base URL" }));
    }

    #[test]
    fn statements_have_a_parameter_and_a_column_for_every_field() {
        let registry = Registry::new(&MarketplaceConfig::default()).unwrap();
        for code in MARKETPLACE_CODES {
            let details = registry.adapter(*code).details();
            let columns: Vec<String> = details
                .fields
                .iter()
                .map(|field| if field.secret { format!("{}_enc", field.name) } else { field.name.to_owned() })
                .collect();
            let columns = columns.join(", ");
            let parameters: Vec<String> =
                (1..=details.fields.len() + 2).map(|number| format!("${number}")).collect();
            let parameters = parameters.join(", ");
            let table = details.table;
            let insert =
                format!("insert into robnu.{table} (seller_id, account_id, {columns}) values ({parameters})");
            let parameters: Vec<String> =
                (1..=details.fields.len() + 1).map(|number| format!("${number}")).collect();
            let update = format!("select robnu.replace_{table}({})", parameters.join(", "));
            let select = format!("select {columns} from robnu.{table} where account_id = $1");
            let statements = [details.insert, details.update, details.select].map(code_of);
            assert_eq!(statements, [insert, update, select]);
        }
    }

    /// Returns a statement in one line, without its comment.
    fn code_of(statement: &str) -> String {
        statement.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join(" ")
    }
}
