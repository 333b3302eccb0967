//! Why an invocation failed. No error holds a message's body.

use lambda_runtime::Diagnostic;

/// A failure. Whatever was committed stays, and the next invocation goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum RedriveError {
    /// The event is neither a collection nor a request.
    #[error("the event has not exactly one name, \"collect\" or that of a request")]
    UnknownEvent,
    /// Dead letters could not be recorded. They stay in their queues.
    #[error("dead letters could not be recorded")]
    Record(#[source] robnu_tenancy::Error),
    /// All other queues were read; lines in the log name these and say why.
    #[error("{queues} dead-letter queues could not be read")]
    Queues {
        /// How many.
        queues: usize,
    },
    /// Dead letters could not be read.
    #[error("dead letters could not be read")]
    Find(#[source] robnu_tenancy::Error),
    /// What is stuck, runs or lanes could not be read.
    #[error("what is stuck, runs or lanes could not be read")]
    Overview(#[source] robnu_tenancy::Error),
    /// A hold could not be changed.
    #[error("a hold could not be changed")]
    Hold(#[source] robnu_tenancy::Error),
    /// Dead letters could not be redriven.
    #[error("dead letters could not be redriven")]
    Redrive(#[source] robnu_tenancy::Error),
    /// Published messages could not be marked as sent; they will be published again, in another generation.
    #[error("what was published could not be marked")]
    Mark(#[source] robnu_tenancy::Error),
    /// Dead letters could not be discarded.
    #[error("dead letters could not be discarded")]
    Discard(#[source] robnu_tenancy::Error),
}

impl From<RedriveError> for Diagnostic {
    fn from(error: RedriveError) -> Self {
        let kind = match error {
            RedriveError::UnknownEvent => "UnknownEvent",
            RedriveError::Record(_) => "RecordFailed",
            RedriveError::Queues { .. } => "QueuesUnreadable",
            RedriveError::Find(_) => "FindFailed",
            RedriveError::Overview(_) => "OverviewFailed",
            RedriveError::Hold(_) => "HoldFailed",
            RedriveError::Redrive(_) => "RedriveFailed",
            RedriveError::Mark(_) => "MarkFailed",
            RedriveError::Discard(_) => "DiscardFailed",
        };
        Self { error_type: kind.to_owned(), error_message: error.to_string() }
    }
}
