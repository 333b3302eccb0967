//! Why a sweep ended early. Its commits stay; the next sweep goes on from there.

use lambda_runtime::Diagnostic;

/// A sweep's failure.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The schedule names a sweep that this build does not have.
    #[error("unknown sweep {name:?}: this function knows \"scheduling\", \"claims\" and \"retention\"")]
    UnknownSweep {
        /// The requested name.
        name: String,
    },
    /// Due work could not be claimed.
    #[error("due work could not be claimed")]
    Claim(#[source] robnu_tenancy::Error),
    /// The published runs could not be marked as sent; they will be published again, which does no harm.
    #[error("the published runs could not be marked as sent")]
    MarkSent(#[source] robnu_tenancy::Error),
    /// Overdue returns, or claims that are due soon, could not be found.
    #[error("overdue returns could not be found")]
    Find(#[source] robnu_tenancy::Error),
    /// The database failed while claims or warnings were made.
    #[error("pending claims or warnings could not be made")]
    MakeClaims(#[source] robnu_tenancy::Error),
    /// Expired bookkeeping rows could not be deleted.
    #[error("expired bookkeeping rows could not be deleted")]
    Forget(#[source] robnu_tenancy::Error),
}

impl From<SweepError> for Diagnostic {
    fn from(error: SweepError) -> Self {
        let kind = match error {
            SweepError::UnknownSweep { .. } => "UnknownSweep",
            SweepError::Claim(_) => "ClaimFailed",
            SweepError::MarkSent(_) => "MarkSentFailed",
            SweepError::Find(_) => "FindFailed",
            SweepError::MakeClaims(_) => "MakeClaimsFailed",
            SweepError::Forget(_) => "ForgetFailed",
        };
        Self { error_type: kind.to_owned(), error_message: error.to_string() }
    }
}
