//! What went wrong with a call to S3, without keys and contents.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};

use crate::StorageError;

/// Why S3 did not do what was asked. The SDK's own errors quote keys, so they are not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ObjectFault {
    /// There is no such object, or it ends before the bytes that were asked for.
    #[error("there is no such object")]
    Missing,
    /// The function or the policy of the bucket does not allow it.
    #[error("access was denied")]
    Denied,
    /// The content is not what its checksum or length says, or the request is wrong otherwise.
    #[error("the request was rejected")]
    Rejected,
    /// S3 did not answer in time or could not; another try may succeed.
    #[error("S3 is unavailable")]
    Unavailable,
}

impl ObjectFault {
    /// Whether there may be no such object. S3 denies access to what is not there to a caller who may not list the bucket, as functions
    /// may not.
    #[must_use]
    pub fn may_be_missing(self) -> bool {
        matches!(self, Self::Missing | Self::Denied)
    }

    /// What an SDK error means.
    pub(super) fn of<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> Self {
        match error {
            SdkError::ServiceError(refused) => {
                Self::of_status(refused.raw().status().as_u16(), refused.err().code())
            }
            SdkError::ConstructionFailure(_) => Self::Rejected,
            // Time-outs, lost connections and responses that could not be read.
            _ => Self::Unavailable,
        }
    }

    fn of_status(status: u16, code: Option<&str>) -> Self {
        match (status, code) {
            (_, Some("SlowDown" | "RequestTimeout")) | (429 | 500..=599, _) => Self::Unavailable,
            (_, Some("NoSuchBucket")) => Self::Rejected,
            (404 | 416, _) => Self::Missing,
            (401 | 403, _) => Self::Denied,
            _ => Self::Rejected,
        }
    }
}

/// The error of `action`, such as `read`.
pub(super) fn failed<E: ProvideErrorMetadata>(
    action: &'static str,
) -> impl FnOnce(SdkError<E, HttpResponse>) -> StorageError {
    move |error| StorageError::Object { action, fault: ObjectFault::of(&error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_go_by_status_and_code() {
        for (status, code, expected) in [
            (404, None, ObjectFault::Missing),
            (404, Some("NoSuchKey"), ObjectFault::Missing),
            (416, Some("InvalidRange"), ObjectFault::Missing),
            (404, Some("NoSuchBucket"), ObjectFault::Rejected),
            (403, Some("AccessDenied"), ObjectFault::Denied),
            (400, Some("BadDigest"), ObjectFault::Rejected),
            (400, Some("RequestTimeout"), ObjectFault::Unavailable),
            (503, Some("SlowDown"), ObjectFault::Unavailable),
            (500, None, ObjectFault::Unavailable),
        ] {
            assert_eq!(ObjectFault::of_status(status, code), expected, "{status} {code:?}");
            let may_be_missing = matches!(status, 403 | 404 | 416) && code != Some("NoSuchBucket");
            assert_eq!(expected.may_be_missing(), may_be_missing, "{status} {code:?}");
        }
    }
}
