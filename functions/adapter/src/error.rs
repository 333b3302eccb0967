//! The ways in which a job can fail, sorted by what becomes of its message.

use robnu_dispatch::MessageError;
use robnu_storage::StorageError;

/// Why a message is refused: it can never succeed, so it goes to the dead-letter queue at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a job's message, or of an unknown version.
    #[error(transparent)]
    JobMessage(MessageError),
    /// For another marketplace's adapter.
    #[error("the message is for another marketplace")]
    OtherMarketplace,
    /// The message is in another account's lane.
    #[error("the message names an account whose lane this is not")]
    OtherLane,
    /// The message is in a lane and belongs to the parallel queue.
    #[error("runs of this kind do not come through this queue")]
    OtherQueue,
    /// The message names a seller and an account that do not belong together.
    #[error("the account does not belong to the seller")]
    ForeignAccount,
    /// The notice names an object that is not the file of an import.
    #[error("the object is not the file of an import")]
    UnknownFile,
    /// The message names a run, or a publication of it, that was never made.
    #[error("the account has no such run")]
    UnknownRun,
}

impl Refusal {
    /// A stable word for logs and message attributes.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::JobMessage(MessageError::Garbage) => "garbage",
            Self::JobMessage(MessageError::UnknownVersion) => "unknown_version",
            Self::JobMessage(MessageError::Malformed { .. }) => "malformed",
            Self::OtherMarketplace => "other_marketplace",
            Self::OtherLane => "other_lane",
            Self::OtherQueue => "other_queue",
            Self::ForeignAccount => "foreign_account",
            Self::UnknownFile => "unknown_file",
            Self::UnknownRun => "unknown_run",
        }
    }
}

/// Why a job failed.
#[derive(Debug, thiserror::Error)]
pub enum JobError {
    /// The message goes to the dead-letter queue.
    #[error("the message is refused")]
    Refused(#[source] Refusal),
    /// Another attempt holds a live lease: the message stays in the queue.
    #[error("another attempt holds the run")]
    Busy,
    /// The database failed: the message stays in the queue.
    #[error("the database failed during the job")]
    Database(#[from] robnu_tenancy::Error),
    /// Records could not be encrypted, or their key could not be had to read them again: the message stays in the queue.
    #[error("a record could not be encrypted or decrypted")]
    Storage(#[from] StorageError),
}

impl JobError {
    /// The error of a job's first transaction, in which the database checks that the message's seller owns its account.
    pub(crate) fn entering(error: robnu_tenancy::Error) -> Self {
        match error {
            robnu_tenancy::Error::ForeignAccount => Self::Refused(Refusal::ForeignAccount),
            other => Self::Database(other),
        }
    }
}
