//! Why a sweep ended early. Its commits stay; the next sweep goes on from there.

use lambda_runtime::Diagnostic;

/// A sweep's failure.
#[derive(Debug, thiserror::Error)]
pub enum SweepError {
    /// The schedule names a sweep that this build does not have.
    #[error(
        "unknown sweep {name:?}: this function knows \"scheduling\", \"claims\", \"retention\", \"keys\", \"reseal\", \"closing\", \"raw_pages\" and \"usage\""
    )]
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
    /// KMS did not say which keys there are.
    #[error("the KMS keys could not be listed")]
    KmsKeys(#[source] robnu_storage::StorageError),
    /// Sellers' data keys could not be found.
    #[error("data keys could not be found")]
    FindKeys(#[source] robnu_tenancy::Error),
    /// The database failed while data keys were wrapped.
    #[error("data keys could not be wrapped")]
    WrapKeys(#[source] robnu_tenancy::Error),
    /// All other data keys were looked at; lines in the log name the sellers of these and say why.
    #[error("{keys} data keys could not be wrapped")]
    KeysLeft {
        /// How many.
        keys: usize,
    },
    /// All other sellers were looked at; lines in the log name these and say why.
    #[error("the data of {sellers} sellers, and {ciphertexts} ciphertexts, could not be sealed anew")]
    NotResealed {
        /// Sellers whose work failed.
        sellers: usize,
        /// Ciphertexts that did not open.
        ciphertexts: usize,
    },
    /// Sellers that are to be closed could not be found, or the database failed while they were closed.
    #[error("sellers could not be closed")]
    Close(#[source] robnu_tenancy::Error),
    /// The register of closed sellers could not be read.
    #[error("the register of closed sellers could not be read")]
    Register(#[source] robnu_storage::erasure::ErasureError),
    /// Raw pages that wait could not be found.
    #[error("raw pages could not be found")]
    FindRawPages(#[source] robnu_tenancy::Error),
    /// The database failed while raw pages were stored.
    #[error("raw pages could not be stored")]
    StoreRawPages(#[source] robnu_tenancy::Error),
    /// Sellers that are to be told of their usage could not be found.
    #[error("sellers with usage above the free allowance could not be found")]
    FindUsage(#[source] robnu_tenancy::Error),
    /// The database failed while usage was noted.
    #[error("usage could not be noted")]
    NoteUsage(#[source] robnu_tenancy::Error),
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
            SweepError::KmsKeys(_) => "KmsKeysFailed",
            SweepError::FindKeys(_) => "FindKeysFailed",
            SweepError::WrapKeys(_) => "WrapKeysFailed",
            SweepError::KeysLeft { .. } => "KeysLeft",
            SweepError::NotResealed { .. } => "NotResealed",
            SweepError::Close(_) => "CloseFailed",
            SweepError::Register(_) => "RegisterUnreadable",
            SweepError::FindRawPages(_) => "FindRawPagesFailed",
            SweepError::StoreRawPages(_) => "StoreRawPagesFailed",
            SweepError::FindUsage(_) => "FindUsageFailed",
            SweepError::NoteUsage(_) => "NoteUsageFailed",
        };
        Self { error_type: kind.to_owned(), error_message: error.to_string() }
    }
}
