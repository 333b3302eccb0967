//! The queues that dead letters come from, and those that they go back to.

use std::collections::BTreeMap;

use robnu_dispatch::ParallelQueues;
use robnu_marketplace::code::MarketplaceCode;
use robnu_startup::env::{self, EnvError};

/// The text of a dead letter's source for lane requests.
const LANE_REQUESTS: &str = "LANE_REQUESTS";
/// The text of a dead letter's source for messages of exports.
const EXPORTS: &str = "EXPORTS";

/// Whose messages a dead-letter queue takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// Those of a marketplace's lanes, or of its parallel queue.
    Marketplace(MarketplaceCode),
    /// Those that ask for lanes.
    LaneRequests,
    /// Those that announce exports.
    Exports,
}

impl Source {
    /// The text in the database, in requests and in metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Marketplace(code) => code.as_str(),
            Self::LaneRequests => LANE_REQUESTS,
            Self::Exports => EXPORTS,
        }
    }

    /// The source that a text stands for.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            LANE_REQUESTS => Some(Self::LaneRequests),
            EXPORTS => Some(Self::Exports),
            code => code.parse().ok().map(Self::Marketplace),
        }
    }
}

/// A dead-letter queue.
#[derive(Debug, Clone)]
pub struct DeadLetterQueue {
    /// Whose messages it takes.
    pub source: Source,
    /// Its URL.
    pub url: String,
}

impl DeadLetterQueue {
    /// Its name, by which dead letters are told apart.
    #[must_use]
    pub fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap_or_default()
    }

    /// Whether it takes the messages of lanes, which are FIFO queues and need one for their dead letters too.
    #[must_use]
    pub fn is_fifo(&self) -> bool {
        self.url.strip_suffix(".fifo").is_some()
    }
}

/// Where dead letters come from and go to.
#[derive(Debug, Clone)]
pub struct Queues {
    /// The dead-letter queues.
    pub dead_letters: Vec<DeadLetterQueue>,
    /// The marketplaces' parallel queues, to which notices of files go back.
    pub parallel: ParallelQueues,
    /// The queue of lane requests.
    pub lane_requests: String,
    /// The queue of exports.
    pub exports: String,
}

impl Queues {
    /// Reads `DEAD_LETTER_QUEUES`, `PARALLEL_QUEUES`, `LANE_REQUESTS_QUEUE_URL` and `EXPORTS_QUEUE_URL`.
    pub fn from_environment() -> Result<Self, EnvError> {
        const DEAD_LETTERS: &str = "DEAD_LETTER_QUEUES";
        const EXPECTED: &str =
            "a JSON object of lists of queue URLs by marketplace code, LANE_REQUESTS or EXPORTS";
        let urls: BTreeMap<String, Vec<String>> = env::json(DEAD_LETTERS, EXPECTED)?;
        let malformed = EnvError::Malformed { name: DEAD_LETTERS, expected: EXPECTED };
        let mut dead_letters = Vec::new();
        for (source, urls) in urls {
            let source = Source::parse(&source).ok_or_else(|| malformed.clone())?;
            dead_letters.extend(urls.into_iter().map(|url| DeadLetterQueue { source, url }));
        }
        Ok(Self {
            dead_letters,
            parallel: env::json("PARALLEL_QUEUES", ParallelQueues::EXPECTED)?,
            lane_requests: env::required("LANE_REQUESTS_QUEUE_URL")?,
            exports: env::required("EXPORTS_QUEUE_URL")?,
        })
    }

    /// The queue that takes messages of a source which are not runs.
    #[must_use]
    pub fn home(&self, source: Source) -> Option<&str> {
        match source {
            Source::Marketplace(code) => self.parallel.url(code),
            Source::LaneRequests => Some(&self.lane_requests),
            Source::Exports => Some(&self.exports),
        }
    }
}

#[cfg(test)]
mod tests {
    use robnu_marketplace::code::MARKETPLACE_CODES;

    use super::*;

    #[test]
    fn every_source_is_read_as_it_is_written() {
        let marketplaces = MARKETPLACE_CODES.iter().copied().map(Source::Marketplace);
        for source in marketplaces.chain([Source::LaneRequests, Source::Exports]) {
            assert_eq!(Source::parse(source.as_str()), Some(source));
        }
        assert_eq!(Source::parse("ajio"), None);
    }

    #[test]
    fn a_queue_is_known_by_its_name() {
        let url = "http://127.0.0.1:4566/000000000000/robnu-local-ajio-dlq.fifo".to_owned();
        let queue = DeadLetterQueue { source: Source::Exports, url };
        assert_eq!((queue.name(), queue.is_fifo()), ("robnu-local-ajio-dlq.fifo", true));
    }
}
