//! The Standard queues for runs that may overtake each other, one queue per marketplace. The account is the message group, so that
//! SQS serves the accounts of a queue fairly, whatever one of them has waiting.

use std::collections::HashMap;

use robnu_marketplace::code::MarketplaceCode;
use serde::Deserialize;

/// How the name of every such queue ends. Names are in `template.yaml`.
const SUFFIX: &str = "-parallel";

/// The queues' URLs by marketplace code. A function needs those of the marketplaces whose runs it publishes.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(transparent)]
pub struct ParallelQueues(HashMap<String, String>);

impl ParallelQueues {
    /// What `PARALLEL_QUEUES` must be, for errors.
    pub const EXPECTED: &'static str = "a JSON object of queue URLs by marketplace code";

    /// The queue of a marketplace.
    #[must_use]
    pub fn url(&self, marketplace: MarketplaceCode) -> Option<&str> {
        self.0.get(marketplace.as_str()).map(String::as_str)
    }
}

impl<const N: usize> From<[(MarketplaceCode, String); N]> for ParallelQueues {
    fn from(queues: [(MarketplaceCode, String); N]) -> Self {
        Self(queues.into_iter().map(|(code, url)| (code.as_str().to_owned(), url)).collect())
    }
}

/// Whether a queue's ARN, URL or name is that of such a queue.
#[must_use]
pub fn is_parallel_queue(queue: &str) -> bool {
    queue.ends_with(SUFFIX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_are_found_by_the_code_of_their_marketplace() {
        let queues: ParallelQueues =
            serde_json::from_str(r#"{"AJIO":"http://q/robnu-local-ajio-parallel"}"#).unwrap();
        assert_eq!(queues.url(MarketplaceCode::Ajio), Some("http://q/robnu-local-ajio-parallel"));
        assert_eq!(queues.url(MarketplaceCode::Flipkart), None);
    }

    #[test]
    fn lanes_and_dead_letter_queues_are_no_parallel_queues() {
        assert!(is_parallel_queue("arn:aws:sqs:ap-south-1:000000000000:robnu-prod-amazon-in-parallel"));
        for queue in
            ["", "robnu-prod-ajio-parallel-dlq", "robnu-prod-ajio-dlq.fifo", "robnu-prod-lane-1-1.fifo"]
        {
            assert!(!is_parallel_queue(queue), "{queue}");
        }
    }
}
