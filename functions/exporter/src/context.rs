//! Values that live as long as the process.

use std::time::Duration;

use api::mail::Mailer;
use aws_sdk_sesv2::config::timeout::TimeoutConfig;
use robnu_startup::env::{self, EnvError};
use robnu_startup::{StartupError, aws_config, database, objects};
use robnu_storage::objects::Objects;
use robnu_tenancy::Database;

/// A mail or a message that takes longer is abandoned.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// A lease is renewed three times before it ends; between two renewals lies one upload of a part at most.
const LEASES: std::ops::RangeInclusive<u32> = 30..=900;

/// Values that live as long as the process.
#[derive(Debug)]
pub struct Context {
    /// The database, as the exporter's own login role.
    pub database: Database,
    /// The files of sellers.
    pub objects: Objects,
    /// Sends the mail that an export is ready.
    pub mailer: Mailer,
    /// Sends the next message of an export.
    pub sqs: aws_sdk_sqs::Client,
    /// The queue of exports.
    pub exports_queue_url: String,
    /// How long an attempt holds an export without a sign of life.
    pub lease: Duration,
}

impl Context {
    /// Reads the environment and makes the clients.
    pub async fn from_environment() -> Result<Self, StartupError> {
        const LEASE: &str = "LEASE_SECONDS";
        let exports_queue_url = env::required("EXPORTS_QUEUE_URL")?;
        let (mail_from, app_url) = (env::required("MAIL_FROM")?, env::required("APP_URL")?);
        let lease: u32 = env::parsed(LEASE, "a number of seconds")?;
        if !LEASES.contains(&lease) {
            return Err(EnvError::Malformed { name: LEASE, expected: "between 30 and 900 seconds" }.into());
        }
        let aws = aws_config().await;
        let timeouts = TimeoutConfig::builder().operation_timeout(CALL_TIMEOUT).build();
        let ses = aws_sdk_sesv2::config::Builder::from(&aws).timeout_config(timeouts.clone()).build();
        let sqs = aws_sdk_sqs::config::Builder::from(&aws).timeout_config(timeouts).build();
        Ok(Self {
            database: database(&aws).await?,
            objects: objects(&aws)?,
            mailer: Mailer::new(aws_sdk_sesv2::Client::from_conf(ses), mail_from, &app_url),
            sqs: aws_sdk_sqs::Client::from_conf(sqs),
            exports_queue_url,
            lease: Duration::from_secs(lease.into()),
        })
    }
}
