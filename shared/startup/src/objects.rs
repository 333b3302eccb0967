//! The sellers' objects: bucket and KMS key from the environment.

use aws_config::SdkConfig;
use robnu_storage::objects::{ObjectEncryption, ObjectSettings, Objects};

use crate::env::{self, EnvError};
use crate::keys::has_key_per_seller;

/// The objects in the bucket `AWS_S3_BUCKET`. They are encrypted with the platform key `PLATFORM_KEY_ID`, or with each seller's
/// own key if `AWS_S3_PER_SELLER_KMS` is `true`. They are reached with sessions of the role `AWS_S3_OBJECTS_ROLE_ARN`, each of which
/// is for one seller.
pub fn objects(aws: &SdkConfig) -> Result<Objects, EnvError> {
    let encryption = if has_key_per_seller()? {
        ObjectEncryption::KeyPerSeller
    } else {
        ObjectEncryption::PlatformKey(env::required("PLATFORM_KEY_ID")?)
    };
    let settings = ObjectSettings { bucket: env::required("AWS_S3_BUCKET")?, encryption };
    let role = env::required("AWS_S3_OBJECTS_ROLE_ARN")?;
    let (s3, sts) = (aws_sdk_s3::Client::new(aws), aws_sdk_sts::Client::new(aws));
    Ok(Objects::with_sessions(s3, sts, role, settings))
}
