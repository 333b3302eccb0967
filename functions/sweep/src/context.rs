//! Values that live as long as the process.

use std::time::Duration;

use aws_sdk_sqs::config::timeout::TimeoutConfig;
use robnu_dispatch::{ParallelQueues, Publisher};
use robnu_startup::{StartupError, env};
use robnu_tenancy::Database;

/// A send that takes longer is abandoned and left to the next sweep.
const SEND_TIMEOUT: Duration = Duration::from_secs(5);

/// Values that live as long as the process.
#[derive(Debug, Clone)]
pub struct Context {
    /// The database, as the sweep's login role.
    pub database: Database,
    /// Publishes runs.
    pub publisher: Publisher,
}

impl Context {
    /// Reads the environment and makes the clients.
    pub async fn from_environment() -> Result<Self, StartupError> {
        let parallel_queues = env::json("PARALLEL_QUEUES", ParallelQueues::EXPECTED)?;
        let aws = robnu_startup::aws_config().await;
        let timeouts = TimeoutConfig::builder().operation_timeout(SEND_TIMEOUT).build();
        let sqs = aws_sdk_sqs::config::Builder::from(&aws).timeout_config(timeouts).build();
        let publisher = Publisher::new(aws_sdk_sqs::Client::from_conf(sqs), parallel_queues);
        Ok(Self { database: robnu_startup::database(&aws).await?, publisher })
    }
}
