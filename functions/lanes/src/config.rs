//! The lanes' configuration, read once from the environment.

use std::collections::HashMap;

use robnu_startup::env::{self, EnvError};
use serde::Deserialize;

/// SQS accepts names of this length; account id, generation and suffix need 48 of them.
const LONGEST_PREFIX: usize = 80 - 48;
/// The longest visibility timeout of SQS, in seconds.
const LONGEST_VISIBILITY: u32 = 43_200;

/// The target of a marketplace's lanes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Target {
    /// The alias of the adapter that the lanes feed.
    pub function_arn: String,
    /// The queue for messages that the adapter cannot handle.
    pub dead_letter_queue_arn: String,
}

impl Target {
    /// The ARN of a queue beside the dead-letter queue: SQS wants both in one account and region.
    #[must_use]
    pub fn queue_arn(&self, name: &str) -> String {
        let beside = self.dead_letter_queue_arn.rsplit_once(':').map_or("", |(beside, _)| beside);
        format!("{beside}:{name}")
    }
}

/// Targets by marketplace code.
pub type Targets = HashMap<String, Target>;

/// The configuration of lanes.
#[derive(Debug, Clone)]
pub struct LaneConfig {
    /// The deployment's stage, for tags.
    pub stage: String,
    /// The queue of lane requests.
    pub requests_queue_url: String,
    /// The prefix of every lane's name.
    pub queue_prefix: String,
    /// How long a message is hidden while the adapter works on it; at least the adapter's timeout.
    pub visibility_seconds: u32,
    /// How often a message is handed out before it goes to the dead-letter queue.
    pub max_receives: u32,
    /// The targets of lanes.
    pub targets: Targets,
    /// This function's own name, with which it continues its work in another invocation.
    pub own_function: Option<String>,
}

impl LaneConfig {
    /// Reads `STAGE`, `LANE_REQUESTS_QUEUE_URL`, `LANE_QUEUE_PREFIX`, `LANE_VISIBILITY_SECONDS`, `DEAD_LETTER_MAX_RECEIVES` and `LANE_TARGETS`.
    pub fn from_environment() -> Result<Self, EnvError> {
        const PREFIX: &str = "LANE_QUEUE_PREFIX";
        const VISIBILITY: &str = "LANE_VISIBILITY_SECONDS";
        const RECEIVES: &str = "DEAD_LETTER_MAX_RECEIVES";
        const TARGETS: &str = "LANE_TARGETS";
        let malformed = |name, expected| EnvError::Malformed { name, expected };

        let queue_prefix = env::required(PREFIX)?;
        if queue_prefix.len() > LONGEST_PREFIX {
            return Err(malformed(PREFIX, "short enough, 32 characters at most"));
        }
        let visibility_seconds = env::parsed(VISIBILITY, "a number of seconds")?;
        if !(1..=LONGEST_VISIBILITY).contains(&visibility_seconds) {
            return Err(malformed(VISIBILITY, "between 1 and 43200 seconds"));
        }
        let max_receives = env::parsed(RECEIVES, "a number")?;
        if !(1..=1_000).contains(&max_receives) {
            return Err(malformed(RECEIVES, "between 1 and 1000"));
        }
        let targets: Targets = env::json(
            TARGETS,
            "a JSON object of function_arn and dead_letter_queue_arn by marketplace code",
        )?;
        if !targets.values().all(|target| target.dead_letter_queue_arn.starts_with("arn:")) {
            return Err(malformed(TARGETS, "a JSON object whose dead_letter_queue_arn are ARNs"));
        }
        let requests_queue_url = env::required("LANE_REQUESTS_QUEUE_URL")?;
        Ok(Self {
            stage: env::required("STAGE")?,
            requests_queue_url,
            queue_prefix,
            visibility_seconds,
            max_receives,
            targets,
            own_function: env::optional("AWS_LAMBDA_FUNCTION_NAME"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lane_lies_beside_its_dead_letter_queue() {
        let target = Target {
            function_arn: "arn:aws:lambda:ap-south-1:000000000000:function:adapter:live".to_owned(),
            dead_letter_queue_arn: "arn:aws:sqs:ap-south-1:000000000000:dlq.fifo".to_owned(),
        };
        assert_eq!(target.queue_arn("lane.fifo"), "arn:aws:sqs:ap-south-1:000000000000:lane.fifo");
    }
}
