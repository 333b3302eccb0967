//! What the function holds after its cold start.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::Client as Sqs;
use robnu_dispatch::{ParallelQueues, Publisher};
use robnu_marketplace::code::MarketplaceCode;
use robnu_marketplace::error::AdapterError;
use robnu_marketplace::pace::GrantedRates;
use robnu_marketplace::platform_app::PlatformApps;
use robnu_marketplace::registry::{MarketplaceConfig, Registry};
use robnu_startup::{
    EnvError, KeySettings, StartupError, aws_config, database, digest_key, env, objects, optional_secret,
};
use robnu_storage::objects::Objects;
use robnu_storage::{DigestKey, KeyService};
use robnu_tenancy::Database;

use crate::dead_letters::DeadLetters;

/// Clients and settings, built once per environment.
#[derive(Debug)]
pub struct Context {
    /// The marketplace that this deployment of the binary serves.
    pub marketplace: MarketplaceCode,
    /// The adapters.
    pub registry: Registry,
    /// The database as `robnu_adapter`.
    pub database: Database,
    /// Sellers' data keys.
    pub keys: KeyService,
    /// Recognises user names over all sellers.
    pub digests: DigestKey,
    /// The sellers' objects.
    pub objects: Objects,
    /// Publishes the next slice.
    pub publisher: Publisher,
    /// Takes refused messages.
    pub dead_letters: DeadLetters,
    /// Rates of calls that this deployment was granted instead of the published ones.
    pub granted_rates: Arc<GrantedRates>,
    /// Clocks of a job.
    pub clocks: Clocks,
}

/// Time limits of a job.
#[derive(Debug, Clone, Copy)]
pub struct Clocks {
    /// How long a lease, and each renewal by a page, keeps other attempts out. It is longer than a page takes. Lease and
    /// slice together should be shorter than the queue's visibility timeout: then a crashed attempt's lease has ended when
    /// its message returns, and the message need not go back once more.
    pub lease: Duration,
    /// The time after which a job leaves the remaining work to the next step.
    pub slice: Duration,
}

/// Why the function cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// Environment, secret or database.
    #[error(transparent)]
    Startup(#[from] StartupError),
    /// Base URLs.
    #[error(transparent)]
    Marketplace(#[from] AdapterError),
}

impl From<EnvError> for ContextError {
    fn from(error: EnvError) -> Self {
        Self::Startup(error.into())
    }
}

impl Context {
    /// Reads the environment and builds the clients.
    pub async fn from_environment() -> Result<Self, ContextError> {
        let marketplace = env::parsed("MARKETPLACE_CODE", "a marketplace code such as AJIO")?;
        let clocks = Clocks { lease: seconds("LEASE_SECONDS")?, slice: seconds("SLICE_SECONDS")? };
        let dead_letter_queue = env::required("DEAD_LETTER_QUEUE_URL")?;
        let parallel_dead_letter_queue = env::required("PARALLEL_DEAD_LETTER_QUEUE_URL")?;
        let parallel_queues = env::json("PARALLEL_QUEUES", ParallelQueues::EXPECTED)?;
        let granted_rates = match env::optional("CALL_RATES") {
            Some(_) => env::parsed("CALL_RATES", GrantedRates::EXPECTED)?,
            None => GrantedRates::default(),
        };
        let keys = KeySettings::from_environment()?;
        let aws = aws_config().await;
        let apps = match optional_secret(&aws, "OAUTH_APPS_SECRET_ID").await? {
            Some(text) => PlatformApps::from_json(&text)?,
            None => PlatformApps::default(),
        };
        let registry = Registry::new(&MarketplaceConfig {
            ajio_base_url: env::optional("AJIO_BASE_URL"),
            amazon_in_base_url: env::optional("AMAZON_IN_BASE_URL"),
            amazon_in_auth_url: env::optional("AMAZON_IN_AUTH_URL"),
            flipkart_base_url: env::optional("FLIPKART_BASE_URL"),
            meesho_base_url: env::optional("MEESHO_BASE_URL"),
            apps,
            ..MarketplaceConfig::default()
        })?;
        let sqs = Sqs::new(&aws);
        Ok(Self {
            marketplace,
            registry,
            database: database(&aws).await?,
            keys: keys.service(&aws),
            digests: digest_key(&aws).await?,
            objects: objects(&aws)?,
            publisher: Publisher::new(sqs.clone(), parallel_queues),
            dead_letters: DeadLetters::new(sqs, dead_letter_queue, parallel_dead_letter_queue),
            granted_rates: Arc::new(granted_rates),
            clocks,
        })
    }
}

fn seconds(name: &'static str) -> Result<Duration, EnvError> {
    env::parsed(name, "a number of seconds").map(Duration::from_secs)
}
