//! Values that live as long as the process.

use std::time::Duration;

use aws_sdk_sqs::config::timeout::TimeoutConfig;
use robnu_dispatch::Publisher;
use robnu_startup::StartupError;
use robnu_tenancy::Database;

use crate::queues::Queues;

/// A call of SQS that takes longer is abandoned and left to a later invocation.
const CALL_TIMEOUT: Duration = Duration::from_secs(5);

/// Values that live as long as the process.
#[derive(Debug, Clone)]
pub struct Context {
    /// The database, as the function's login role.
    pub database: Database,
    /// Queues.
    pub sqs: aws_sdk_sqs::Client,
    /// Publishes runs.
    pub publisher: Publisher,
    /// Where dead letters come from and go to.
    pub queues: Queues,
}

impl Context {
    /// Reads the environment and makes the clients.
    pub async fn from_environment() -> Result<Self, StartupError> {
        let queues = Queues::from_environment()?;
        let aws = robnu_startup::aws_config().await;
        let timeouts = TimeoutConfig::builder().operation_timeout(CALL_TIMEOUT).build();
        let sqs = aws_sdk_sqs::config::Builder::from(&aws).timeout_config(timeouts).build();
        let sqs = aws_sdk_sqs::Client::from_conf(sqs);
        let publisher = Publisher::new(sqs.clone(), queues.parallel.clone());
        Ok(Self { database: robnu_startup::database(&aws).await?, sqs, publisher, queues })
    }
}
