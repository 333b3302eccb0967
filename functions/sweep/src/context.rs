//! Values that live as long as the process.

use std::time::Duration;

use api::mail::Mailer;
use aws_config::SdkConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use robnu_dispatch::{ParallelQueues, Publisher};
use robnu_startup::{KeySettings, StartupError, env};
use robnu_storage::KeyService;
use robnu_storage::erasure::SellerBucket;
use robnu_storage::objects::Objects;
use robnu_tenancy::Database;

/// A message that takes longer is abandoned and left to the next sweep; a mail is not sent again.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);
/// A call of the closing sweep that takes longer is left to its next call.
const ERASE_TIMEOUT: Duration = Duration::from_secs(6);

/// Values that live as long as the process.
#[derive(Debug)]
pub struct Context {
    /// The database, as the sweep's login role.
    pub database: Database,
    /// Publishes runs.
    pub publisher: Publisher,
    /// Has the sellers' data keys wrapped.
    pub keys: KeyService,
    /// How many days a data key seals before the reseal sweep replaces it.
    pub data_key_days: i32,
    /// What closing a seller needs outside the database.
    pub erasure: Erasure,
    /// The sellers' objects, into which raw pages go.
    pub objects: Objects,
    /// Sends the mails of the usage sweep.
    pub mailer: Mailer,
}

/// What closing a seller needs outside the database.
#[derive(Debug, Clone)]
pub struct Erasure {
    /// Schedules the deletion of sellers' KMS keys.
    pub kms: aws_sdk_kms::Client,
    /// The sellers' objects, and the register of closed sellers.
    pub bucket: SellerBucket,
    /// How many days KMS keeps a key that is to be deleted, and does not use it.
    pub key_deletion_days: i32,
}

impl Context {
    /// Reads the environment and makes the clients.
    pub async fn from_environment() -> Result<Self, StartupError> {
        let parallel_queues = env::json("PARALLEL_QUEUES", ParallelQueues::EXPECTED)?;
        let (mail_from, app_url) = (env::required("MAIL_FROM")?, env::required("APP_URL")?);
        let keys = KeySettings::from_environment()?;
        let aws = robnu_startup::aws_config().await;
        let timeouts = TimeoutConfig::builder().operation_timeout(SEND_TIMEOUT).build();
        let sqs = aws_sdk_sqs::config::Builder::from(&aws).timeout_config(timeouts).build();
        let timeouts = TimeoutConfig::builder().operation_timeout(SEND_TIMEOUT).build();
        let ses = aws_sdk_sesv2::config::Builder::from(&aws).timeout_config(timeouts).build();
        let mailer = Mailer::new(aws_sdk_sesv2::Client::from_conf(ses), mail_from, &app_url);
        let publisher = Publisher::new(aws_sdk_sqs::Client::from_conf(sqs), parallel_queues);
        let erasure = Erasure::from_environment(&aws)?;
        let objects = robnu_startup::objects(&aws)?;
        let keys = keys.service(&aws);
        let data_key_days = env::parsed("DATA_KEY_DAYS", "a number of days")?;
        let database = robnu_startup::database(&aws).await?;
        Ok(Self { database, publisher, keys, data_key_days, erasure, objects, mailer })
    }
}

impl Erasure {
    fn from_environment(aws: &SdkConfig) -> Result<Self, StartupError> {
        let (bucket, platform_key) = (env::required("AWS_S3_BUCKET")?, env::required("PLATFORM_KEY_ID")?);
        let key_deletion_days = env::parsed("SELLER_KEY_DELETION_DAYS", "a number of days from 7 to 30")?;
        let timeouts = TimeoutConfig::builder().operation_timeout(ERASE_TIMEOUT).build();
        let aws = aws.to_builder().timeout_config(timeouts).build();
        let bucket = SellerBucket::new(aws_sdk_s3::Client::new(&aws), bucket, platform_key);
        Ok(Self { kms: aws_sdk_kms::Client::new(&aws), bucket, key_deletion_days })
    }
}
