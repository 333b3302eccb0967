//! Values that live as long as the process.

use std::time::Duration;

use aws_sdk_sqs::config::retry::RetryConfig;
use aws_sdk_sqs::config::timeout::TimeoutConfig;
use robnu_dispatch::{ParallelQueues, Publisher};
use robnu_startup::{StartupError, env};
use robnu_tenancy::Database;

use crate::config::LaneConfig;
use crate::pace::{CALLS_A_SECOND, Pace};

/// A call to AWS that takes longer is retried.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);
/// Lambda's control plane throttles early, so calls are patient.
const CALL_ATTEMPTS: u32 = 6;

/// Values that live as long as the process.
#[derive(Debug, Clone)]
pub struct Context {
    /// The database, as the login role of lanes.
    pub database: Database,
    /// Queues.
    pub sqs: aws_sdk_sqs::Client,
    /// Mappings.
    pub lambda: aws_sdk_lambda::Client,
    /// The pace of calls that concern mappings.
    pub pace: Pace,
    /// The marketplaces' parallel queues, which are the lanes of accounts in shared lanes.
    pub parallel_queues: ParallelQueues,
    /// Publishes the runs that waited for a lane.
    pub publisher: Publisher,
    /// The lanes' configuration.
    pub config: LaneConfig,
}

impl Context {
    /// Reads the environment and makes the clients.
    pub async fn from_environment() -> Result<Self, StartupError> {
        let config = LaneConfig::from_environment()?;
        let parallel_queues: ParallelQueues = env::json("PARALLEL_QUEUES", ParallelQueues::EXPECTED)?;
        let aws = robnu_startup::aws_config()
            .await
            .into_builder()
            .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(CALL_TIMEOUT).build())
            .retry_config(RetryConfig::standard().with_max_attempts(CALL_ATTEMPTS))
            .build();
        let sqs = aws_sdk_sqs::Client::new(&aws);
        Ok(Self {
            database: robnu_startup::database(&aws).await?,
            lambda: aws_sdk_lambda::Client::new(&aws),
            pace: Pace::new(CALLS_A_SECOND),
            publisher: Publisher::new(sqs.clone(), parallel_queues.clone()),
            parallel_queues,
            sqs,
            config,
        })
    }
}
