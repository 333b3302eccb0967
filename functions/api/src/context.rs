//! What handlers share for the lifetime of the process.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sesv2::config::timeout::TimeoutConfig;
use robnu_dispatch::{ParallelQueues, Publisher};
use robnu_marketplace::platform_app::PlatformApps;
use robnu_marketplace::registry::{MarketplaceConfig, Registry};
use robnu_startup::{KeySettings, aws_config, database, digest_key, env, optional_secret};
use robnu_storage::objects::Objects;
use robnu_storage::{DigestKey, KeyService};
use robnu_tenancy::Database;

use crate::mail::Mailer;

/// A mail that takes longer is abandoned; its invitation can be sent again.
const MAIL_TIMEOUT: Duration = Duration::from_secs(5);

/// The bound of one call; all calls of a request together have a bound of their own. API Gateway gives up on a request after
/// 30 seconds.
const MARKETPLACE_TIMEOUT: Duration = Duration::from_secs(8);

/// The values that handlers share.
#[derive(Debug)]
pub struct Context {
    /// The database, as the API's own login role.
    pub database: Database,
    /// Makes and unwraps the sellers' data keys.
    pub keys: KeyService,
    /// The sellers' files.
    pub objects: Objects,
    /// Recognises user names over all sellers.
    pub digests: DigestKey,
    /// The marketplaces that accounts can be connected to.
    pub registry: Registry,
    /// Where marketplaces send sellers back to from their consent pages: a page of the platform's own.
    pub oauth_redirect_uri: String,
    /// Sends mail.
    pub mailer: Mailer,
    /// Publishes runs to lanes.
    pub publisher: Publisher,
    /// Sends lane requests to the lanes function.
    pub sqs: aws_sdk_sqs::Client,
    /// The queue for those requests.
    pub lane_requests_queue_url: String,
    /// The queue of exports.
    pub exports_queue_url: String,
}

/// The context as axum hands it to handlers.
pub type SharedContext = Arc<Context>;

impl Context {
    /// Reads the environment and its secrets and makes the clients.
    pub async fn from_environment() -> Result<Self, lambda_runtime::Error> {
        let keys = KeySettings::from_environment()?;
        let lane_requests_queue_url = env::required("LANE_REQUESTS_QUEUE_URL")?;
        let exports_queue_url = env::required("EXPORTS_QUEUE_URL")?;
        let parallel_queues = env::json("PARALLEL_QUEUES", ParallelQueues::EXPECTED)?;
        let (mail_from, app_url) = (env::required("MAIL_FROM")?, env::required("APP_URL")?);
        let oauth_redirect_uri = env::required("OAUTH_REDIRECT_URI")?;
        let aws = aws_config().await;
        let objects = robnu_startup::objects(&aws)?;
        let apps = match optional_secret(&aws, "OAUTH_APPS_SECRET_ID").await? {
            Some(text) => PlatformApps::from_json(&text)?,
            None => PlatformApps::default(),
        };
        let timeouts = TimeoutConfig::builder().operation_timeout(MAIL_TIMEOUT).build();
        let ses = aws_sdk_sesv2::config::Builder::from(&aws).timeout_config(timeouts).build();
        let sqs = aws_sdk_sqs::Client::new(&aws);
        Ok(Self {
            database: database(&aws).await?,
            keys: keys.service(&aws),
            objects,
            digests: digest_key(&aws).await?,
            registry: Registry::new(&marketplaces(apps))?,
            oauth_redirect_uri,
            mailer: Mailer::new(aws_sdk_sesv2::Client::from_conf(ses), mail_from, &app_url),
            publisher: Publisher::new(sqs.clone(), parallel_queues),
            sqs,
            lane_requests_queue_url,
            exports_queue_url,
        })
    }
}

/// The marketplaces. The API asks them for consent, and has them check credentials before it stores these.
fn marketplaces(apps: PlatformApps) -> MarketplaceConfig {
    MarketplaceConfig {
        ajio_base_url: env::optional("AJIO_BASE_URL"),
        amazon_in_base_url: env::optional("AMAZON_IN_BASE_URL"),
        amazon_in_auth_url: env::optional("AMAZON_IN_AUTH_URL"),
        amazon_in_consent_url: env::optional("AMAZON_IN_CONSENT_URL"),
        flipkart_base_url: env::optional("FLIPKART_BASE_URL"),
        meesho_base_url: env::optional("MEESHO_BASE_URL"),
        apps,
        total_timeout: MARKETPLACE_TIMEOUT,
        ..MarketplaceConfig::default()
    }
}
