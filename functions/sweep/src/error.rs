//! Why a sweep ended early. Whatever it had committed stays; the next one goes on from there.

use lambda_runtime::Diagnostic;

/// A sweep's failure.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The schedule asks for a sweep that this build does not have.
    #[error("unknown sweep {name:?}: this function knows \"scheduling\", \"claims\" and \"retention\"")]
    UnknownSweep {
        /// What was asked for.
        name: String,
    },
    /// Due work could not be claimed.
    #[error("due work could not be claimed")]
    Claim(#[source] robnu_tenancy::Error),
    /// What was published could not be noted; it will be published again, which does no harm.
    #[error("the published runs could not be marked as sent")]
    MarkSent(#[source] robnu_tenancy::Error),
    /// Overdue returns could not be looked for.
    #[error("overdue returns could not be found")]
    Find(#[source] robnu_tenancy::Error),
    /// The database went away while claims were made.
    #[error("pending claims could not be made")]
    MakeClaims(#[source] robnu_tenancy::Error),
    /// What has served could not be deleted.
    #[error("what has served could not be deleted")]
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
