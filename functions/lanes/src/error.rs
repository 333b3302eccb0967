//! The errors of lanes. Everything may be tried again, and no error holds a message's body.

use aws_sdk_lambda::error::ProvideErrorMetadata;
use lambda_runtime::Diagnostic;
use robnu_dispatch::MessageError;
use robnu_tenancy::Error as DatabaseError;

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum LaneError {
    /// The schedule names a sweep that this build does not have.
    #[error("unknown sweep {name:?}: this function knows \"lane-reconcile\"")]
    UnknownSweep {
        /// The requested name.
        name: String,
    },
    /// A message's body cannot be read as a lane request.
    #[error("the message is not a lane request")]
    Malformed(#[from] MessageError),
    /// The seller has no such account.
    #[error("the seller has no such account")]
    UnknownAccount,
    /// Another invocation holds the lane.
    #[error("another invocation is working on this lane")]
    Busy,
    /// Our lease ended before the work did.
    #[error("the lease on this lane ended before the work was done")]
    LeaseLost,
    /// The account's status kept changing while its lane was brought up to it.
    #[error("the account kept changing; its lane will be looked at again")]
    Unsettled,
    /// The work on it ended in a panic, which the log has. Its lease ends by itself.
    #[error("the work on this lane ended in a panic")]
    Panicked,
    /// The invocation's time is over.
    #[error("there was no time left for this lane")]
    OutOfTime,
    /// SQS refused.
    #[error("the lane's queue could not be {what}")]
    Queue {
        /// The participle of the call.
        what: &'static str,
        /// What SQS said.
        #[source]
        source: Cause,
    },
    /// Lambda refused.
    #[error("the lane's event source mapping could not be {what}")]
    Mapping {
        /// The participle of the call.
        what: &'static str,
        /// What Lambda said.
        #[source]
        source: Cause,
    },
    /// The mapping's last change is still being made, which takes Lambda up to a minute.
    #[error("the lane's event source mapping could not be {what} yet: its last change is still being made")]
    MappingInUse {
        /// The participle of the call.
        what: &'static str,
    },
    /// The function could not be invoked again, so its work stays where it is.
    #[error("the function could not be invoked again")]
    Again(#[source] Cause),
    /// The function does not know its own name, as outside of Lambda.
    #[error("the function cannot invoke itself")]
    Alone,
    /// CloudFormation did not take the response.
    #[error("CloudFormation did not take the response: {why}")]
    NotAnswered {
        /// What happened.
        why: String,
    },
    /// A response from AWS lacks a part that it always holds.
    #[error("AWS answered without {what}")]
    Answer {
        /// The part that is missing.
        what: &'static str,
    },
    /// The lane's mapping is being deleted; a new one can be made only after that.
    #[error("the lane's former event source mapping is still being deleted")]
    MappingLeaving,
    /// The row could not be read or written.
    #[error("the account's row could not be read or written")]
    Database(#[source] DatabaseError),
}

impl LaneError {
    /// Wraps what SQS said.
    pub(crate) fn queue(what: &'static str, source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Queue { what, source: Box::new(source) }
    }

    /// Wraps why the function was not invoked again.
    pub(crate) fn again(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Again(Box::new(source))
    }

    /// Wraps what Lambda said.
    pub(crate) fn mapping(
        what: &'static str,
        source: impl std::error::Error + ProvideErrorMetadata + Send + Sync + 'static,
    ) -> Self {
        match source.code() {
            Some("ResourceInUseException") => Self::MappingInUse { what },
            _ => Self::Mapping { what, source: Box::new(source) },
        }
    }

    /// Whether the same request may well succeed within a minute, without anybody's help.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, Self::Busy | Self::Unsettled | Self::MappingLeaving | Self::MappingInUse { .. })
    }
}

impl From<DatabaseError> for LaneError {
    fn from(error: DatabaseError) -> Self {
        Self::Database(error)
    }
}

impl From<LaneError> for Diagnostic {
    fn from(error: LaneError) -> Self {
        let kind = match error {
            LaneError::UnknownSweep { .. } => "UnknownSweep",
            LaneError::Database(_) => "DatabaseFailed",
            _ => "LaneFailed",
        };
        Self { error_type: kind.to_owned(), error_message: error.to_string() }
    }
}
