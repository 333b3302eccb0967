//! The settings of the sellers' data keys.

use aws_config::SdkConfig;
use robnu_storage::KeyService;

use crate::env::{self, EnvError};

/// Which KMS keys wrap data keys.
#[derive(Debug, Clone)]
pub struct KeySettings {
    platform_key: String,
    /// The stage, if each of its sellers has a KMS key of its own.
    seller_keys_of_stage: Option<String>,
}

impl KeySettings {
    /// Reads the environment.
    pub fn from_environment() -> Result<Self, EnvError> {
        let platform_key = env::required("PLATFORM_KEY_ID")?;
        let seller_keys_of_stage = if has_key_per_seller()? { Some(env::required("STAGE")?) } else { None };
        Ok(Self { platform_key, seller_keys_of_stage })
    }

    /// Makes the service.
    #[must_use]
    pub fn service(self, aws: &SdkConfig) -> KeyService {
        let service = KeyService::new(aws_sdk_kms::Client::new(aws), self.platform_key);
        match self.seller_keys_of_stage {
            Some(stage) => service.with_seller_keys(stage),
            None => service,
        }
    }
}

/// Whether each seller has a KMS key of its own, for its data keys and its objects.
pub(crate) fn has_key_per_seller() -> Result<bool, EnvError> {
    env::parsed("AWS_S3_PER_SELLER_KMS", "true or false")
}
