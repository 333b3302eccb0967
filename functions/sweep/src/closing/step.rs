//! The steps of closing a seller, and what each needs outside the database.

use robnu_observe::Panicked;
use robnu_storage::erasure::{ErasureError, schedule_key_deletion};
use robnu_tenancy::{Error, Row, SellerId, SystemScope};
use tokio::time::Instant;

use super::{ADVANCE, ROWS};
use crate::context::Context;

/// The last step that was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// An owner asked for the closing, and can no longer take that back.
    Asked,
    /// Nothing works for the seller any more: no member, no account, no run.
    Stopped,
    /// Its personal data is deleted.
    Erased,
    /// Its data keys are deleted, so that all that they encrypted is noise.
    KeysDeleted,
    /// Its own KMS key, if it had one, is scheduled for deletion, and its objects are deleted.
    Closed,
}

/// Why a step failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum CloseError {
    /// The database did not take the step.
    #[error("the database did not take the step")]
    Database(#[from] Error),
    /// KMS or S3 did not do their part.
    #[error("the key or the objects could not be deleted")]
    Erasure(#[from] ErasureError),
    /// The step ended in a panic, which is logged on its own.
    #[error("the step ended in a panic")]
    Panicked,
}

impl From<Panicked> for CloseError {
    fn from(_: Panicked) -> Self {
        Self::Panicked
    }
}

impl Step {
    /// Reads the column `step`; null means that none was done.
    pub(super) fn read(row: &Row) -> Result<Self, Error> {
        match row.try_get::<_, Option<&str>>("step")? {
            None => Ok(Self::Asked),
            Some("STOPPED") => Ok(Self::Stopped),
            Some("ERASED") => Ok(Self::Erased),
            Some("KEYS_DELETED") => Ok(Self::KeysDeleted),
            Some("CLOSED") => Ok(Self::Closed),
            Some(_) => Err(Error::RowShape),
        }
    }

    /// The step for the log and the database.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Asked => "ASKED",
            Self::Stopped => "STOPPED",
            Self::Erased => "ERASED",
            Self::KeysDeleted => "KEYS_DELETED",
            Self::Closed => "CLOSED",
        }
    }

    /// Takes the step after this one, or a part of it, and returns the last step that is done now. Returns `None` when another call
    /// has taken it.
    pub(super) async fn take(
        self,
        context: &Context,
        seller: SellerId,
        stop_at: Instant,
        objects_deleted: &mut usize,
    ) -> Result<Option<Self>, CloseError> {
        let erasure = &context.erasure;
        match self {
            // From here on, no restored backup may bring the seller back.
            Self::Erased => erasure.bucket.register_closed(seller).await?,
            Self::KeysDeleted => {
                schedule_key_deletion(&erasure.kms, seller, erasure.key_deletion_days).await?;
                loop {
                    let deleted = erasure.bucket.delete_some(seller).await?;
                    *objects_deleted += deleted;
                    if deleted == 0 {
                        break;
                    }
                    if Instant::now() >= stop_at {
                        return Ok(Some(self));
                    }
                }
            }
            Self::Asked | Self::Stopped | Self::Closed => {}
        }
        self.advance(context, seller).await
    }

    async fn advance(self, context: &Context, seller: SellerId) -> Result<Option<Self>, CloseError> {
        let from = (self != Self::Asked).then_some(self.as_str());
        let session = context.database.session(&SystemScope::Closing).await?;
        let answers = session.commit_with(&[(ADVANCE, &[&seller, &from, &ROWS])]).await?;
        let row = answers.first().and_then(|rows| rows.first()).ok_or(Error::RowCount { found: 0 })?;
        if row.try_get::<_, Option<&str>>("step").map_err(Error::from)?.is_none() {
            return Ok(None);
        }
        Ok(Some(Self::read(row)?))
    }
}
