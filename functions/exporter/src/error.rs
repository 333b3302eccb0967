//! Why an invocation failed. No error holds a message's body, a key or a row.

use api::problem::ApiError;
use lambda_runtime::Diagnostic;
use robnu_dispatch::MessageError;
use robnu_storage::StorageError;
use robnu_tenancy::Error as DatabaseError;

/// Why work on an export failed.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The schedule names a sweep that this build does not have.
    #[error("unknown sweep {name:?}: this function knows \"exports\"")]
    UnknownSweep {
        /// The requested name.
        name: String,
    },
    /// A message's body cannot be read.
    #[error("the message does not name an export")]
    Malformed(#[from] MessageError),
    /// The row names a list that this build does not export.
    #[error("this build does not export the list")]
    UnknownList,
    /// What was noted with the last part means nothing to this build.
    #[error("what was noted with the last part means nothing to this build")]
    Noted,
    /// The archive would have more files than its directory counts.
    #[error("the archive would have too many files")]
    TooLarge,
    /// A file of the archive could not be written.
    #[error("a file of the archive could not be written")]
    Archive(#[from] std::io::Error),
    /// The export's row could not be read or written.
    #[error("the export's row could not be read or written")]
    Database(#[from] DatabaseError),
    /// A page of the list could not be read.
    #[error("a page of the list could not be read")]
    Page(#[source] ApiError),
    /// A part of the file could not be stored.
    #[error("a part of the file could not be stored")]
    Storage(#[from] StorageError),
    /// A row could not be written as CSV.
    #[error("a row could not be written as CSV")]
    Csv(#[from] csv::Error),
    /// The next message could not be sent. The sweep sends it.
    #[error("the export's next message could not be sent")]
    Send(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The work ended in a panic, which the log has.
    #[error("the work on the export ended in a panic")]
    Panicked,
}

impl From<ExportError> for Diagnostic {
    fn from(error: ExportError) -> Self {
        let kind = match error {
            ExportError::UnknownSweep { .. } => "UnknownSweep",
            ExportError::Database(_) => "DatabaseFailed",
            _ => "ExportFailed",
        };
        Self { error_type: kind.to_owned(), error_message: error.to_string() }
    }
}
