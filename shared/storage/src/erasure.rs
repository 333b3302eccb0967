//! What closing a seller does outside the database: its own KMS key is scheduled for deletion, its objects are deleted in all
//! their versions, and a register of closed sellers is kept beside them.
//!
//! Everything here may be repeated, and only the closing sweep has the permissions for it. The register tells a database that was
//! restored from a backup which of its sellers were closed after the backup was made.

mod bucket;

use std::error::Error as Source;

use aws_sdk_kms::Client as Kms;
use aws_sdk_kms::error::SdkError;
use aws_sdk_kms::operation::delete_alias::DeleteAliasError;
use aws_sdk_kms::operation::describe_key::DescribeKeyError;
use aws_sdk_kms::types::KeyState;
use robnu_tenancy::SellerId;

use crate::objects::seller_key_alias;

pub use bucket::SellerBucket;

/// Why a key or objects could not be deleted, or the register could not be read or written. It holds no key's name.
#[derive(Debug, thiserror::Error)]
pub enum ErasureError {
    /// KMS or S3 refused or did not answer. The step can be repeated.
    #[error("{service} could not {action}")]
    Service {
        /// The service.
        service: &'static str,
        /// What was asked.
        action: &'static str,
        /// Why it failed.
        source: Box<dyn Source + Send + Sync>,
    },
    /// S3 deleted some of the objects and refused others.
    #[error("S3 did not delete {refused} objects ({code})")]
    Refused {
        /// How many.
        refused: usize,
        /// S3's name for the first reason.
        code: String,
    },
}

/// Makes the error of a failed call.
fn failed<E: Source + Send + Sync + 'static>(
    service: &'static str,
    action: &'static str,
) -> impl FnOnce(E) -> ErasureError {
    move |error| ErasureError::Service { service, action, source: Box::new(error) }
}

/// Schedules the deletion of the seller's own KMS key, if it has one, and takes the key's alias away. Returns whether there was one.
/// From then on KMS does not decrypt with the key; it is destroyed after `window_days` (7 to 30).
///
/// The alias goes last, because the key is found by it. It is looked for in every deployment: one that wraps with the platform's key
/// today may have had a key per seller before.
pub async fn schedule_key_deletion(
    kms: &Kms,
    seller: SellerId,
    window_days: i32,
) -> Result<bool, ErasureError> {
    let alias = seller_key_alias(seller);
    let described = match kms.describe_key().key_id(&alias).send().await {
        Ok(described) => described,
        Err(SdkError::ServiceError(error)) if is_unknown_key(error.err()) => return Ok(false),
        Err(error) => return Err(failed("KMS", "find the seller's key")(error)),
    };
    let Some(key) = described.key_metadata else { return Ok(false) };
    if key.key_state != Some(KeyState::PendingDeletion) {
        let schedule = kms.schedule_key_deletion().key_id(&key.key_id).pending_window_in_days(window_days);
        schedule.send().await.map_err(failed("KMS", "schedule a key's deletion"))?;
    }
    match kms.delete_alias().alias_name(&alias).send().await {
        Ok(_) => Ok(true),
        // Another call took it away.
        Err(SdkError::ServiceError(error))
            if matches!(error.err(), DeleteAliasError::NotFoundException(_)) =>
        {
            Ok(true)
        }
        Err(error) => Err(failed("KMS", "delete a key's alias")(error)),
    }
}

fn is_unknown_key(error: &DescribeKeyError) -> bool {
    matches!(error, DescribeKeyError::NotFoundException(_))
}
