//! The HTTP API's Lambda function: configuration, clients, router.

use std::process::ExitCode;
use std::time::Duration;

use api::app::{App, router};
use api::entry::Entry;
use api::mail::Mailer;
use aws_sdk_sesv2::config::timeout::TimeoutConfig;
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use robnu_dispatch::Publisher;
use robnu_marketplace::platform_app::PlatformApps;
use robnu_marketplace::registry::{MarketplaceConfig, Registry};
use robnu_startup::{aws_config, database, digest_key, env, optional_secret};
use robnu_storage::KeyService;
use serde_json::value::RawValue;

/// A mail that takes longer is given up; its invitation can be sent again.
const MAIL_TIMEOUT: Duration = Duration::from_secs(5);

/// Of one call; all that a request makes together are bounded besides. API Gateway gives a request up after 30 seconds.
const MARKETPLACE_TIMEOUT: Duration = Duration::from_secs(8);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    robnu_observe::init();
    let app = match app().await {
        Ok(app) => app,
        Err(error) => {
            tracing::error!(error = robnu_observe::chain(error.as_ref()), "the api cannot start");
            return ExitCode::FAILURE;
        }
    };
    let entry = &Entry::new(router(app));
    // As it came: reading it is what may fail.
    let answer = |event: LambdaEvent<Box<RawValue>>| async move {
        Ok::<_, Diagnostic>(entry.answer(event.payload.get(), &event.context.request_id).await)
    };
    match lambda_runtime::run(service_fn(answer)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = robnu_observe::chain(error.as_ref()), "the api cannot go on");
            ExitCode::FAILURE
        }
    }
}

async fn app() -> Result<App, lambda_runtime::Error> {
    let platform_key = env::required("PLATFORM_KEY_ID")?;
    let lane_requests_queue_url = env::required("LANE_REQUESTS_QUEUE_URL")?;
    let (mail_from, app_url) = (env::required("MAIL_FROM")?, env::required("APP_URL")?);
    let oauth_redirect_uri = env::required("OAUTH_REDIRECT_URI")?;
    let aws = aws_config().await;
    let apps = match optional_secret(&aws, "OAUTH_APPS_SECRET_ID").await? {
        Some(text) => PlatformApps::from_json(&text)?,
        None => PlatformApps::default(),
    };
    let timeouts = TimeoutConfig::builder().operation_timeout(MAIL_TIMEOUT).build();
    let ses = aws_sdk_sesv2::config::Builder::from(&aws).timeout_config(timeouts).build();
    let sqs = aws_sdk_sqs::Client::new(&aws);
    Ok(App {
        database: database(&aws).await?,
        keys: KeyService::new(aws_sdk_kms::Client::new(&aws), platform_key),
        digests: digest_key(&aws).await?,
        registry: Registry::new(&marketplaces(apps))?,
        oauth_redirect_uri,
        mailer: Mailer::new(aws_sdk_sesv2::Client::from_conf(ses), mail_from, &app_url),
        publisher: Publisher::new(sqs.clone()),
        sqs,
        lane_requests_queue_url,
    })
}

/// The marketplaces: the API asks them for consent, and whether they take credentials before it stores them.
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
