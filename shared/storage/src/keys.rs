//! Data keys (envelope encryption): KMS makes and unwraps them, and they are kept in memory for a while.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use robnu_tenancy::SellerId;
use tokio::sync::Mutex;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::StorageError;
use crate::cipher::SellerCipher;

/// How long an unwrapped key stays in memory: one KMS call per container, seller and quarter of an hour.
const LIFETIME: Duration = Duration::from_mins(15);

/// The encryption context's name for the seller, which the functions' policies require.
const SELLER_CONTEXT: &str = "robnu:seller";

/// Ciphers by seller and key, with the time of their unwrapping.
type Unwrapped = HashMap<(SellerId, Uuid), (Instant, Arc<SellerCipher>)>;

/// A data key as it is stored.
#[derive(Debug, Clone)]
pub struct WrappedKey {
    /// Row id of the key.
    pub id: Uuid,
    /// The key as KMS wrapped it. Only KMS can unwrap it, and only for this seller.
    pub ciphertext: Vec<u8>,
}

/// A new data key.
#[derive(Debug)]
pub struct NewDataKey {
    /// The wrapped key, to be stored.
    pub wrapped: WrappedKey,
    /// The KMS key that wrapped it.
    pub kms_key_id: String,
    /// The cipher over the new key, to be used at once.
    pub cipher: SellerCipher,
}

/// Makes and unwraps data keys.
pub struct KeyService {
    kms: Client,
    platform_key: String,
    unwrapped: Mutex<Unwrapped>,
}

impl std::fmt::Debug for KeyService {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyService").field("platform_key", &self.platform_key).finish_non_exhaustive()
    }
}

impl KeyService {
    /// Wraps new keys with `platform_key` (id, ARN or alias).
    #[must_use]
    pub fn new(kms: Client, platform_key: String) -> Self {
        Self { kms, platform_key, unwrapped: Mutex::default() }
    }

    /// Makes a data key for a new seller.
    pub async fn generate(&self, seller: SellerId) -> Result<NewDataKey, StorageError> {
        let answer = self
            .kms
            .generate_data_key()
            .key_id(&self.platform_key)
            .key_spec(DataKeySpec::Aes256)
            .encryption_context(SELLER_CONTEXT, seller.to_string())
            .send()
            .await
            .map_err(|error| StorageError::Kms {
                action: "make",
                source: Box::new(error.into_service_error()),
            })?;
        let clear = Zeroizing::new(answer.plaintext.map(Blob::into_inner).unwrap_or_default());
        let id = Uuid::now_v7();
        let cipher = SellerCipher::new(seller, id, &clear)?;
        let ciphertext = answer.ciphertext_blob.map(Blob::into_inner).ok_or(StorageError::KeyShape)?;
        let kms_key_id = answer.key_id.unwrap_or_else(|| self.platform_key.clone());
        Ok(NewDataKey { wrapped: WrappedKey { id, ciphertext }, kms_key_id, cipher })
    }

    /// Returns the cipher over a stored key. KMS is asked at most once per key and lifetime, however many calls come at once.
    pub async fn cipher(
        &self,
        seller: SellerId,
        key: &WrappedKey,
    ) -> Result<Arc<SellerCipher>, StorageError> {
        let mut unwrapped = self.unwrapped.lock().await;
        let now = Instant::now();
        unwrapped.retain(|_, (since, _)| is_kept(*since, now));
        if let Some((_, cipher)) = unwrapped.get(&(seller, key.id)) {
            return Ok(Arc::clone(cipher));
        }
        let answer = self
            .kms
            .decrypt()
            .key_id(&self.platform_key)
            .ciphertext_blob(Blob::new(key.ciphertext.clone()))
            .encryption_context(SELLER_CONTEXT, seller.to_string())
            .send()
            .await
            .map_err(|error| StorageError::Kms {
                action: "unwrap",
                source: Box::new(error.into_service_error()),
            })?;
        let clear = Zeroizing::new(answer.plaintext.map(Blob::into_inner).unwrap_or_default());
        let cipher = Arc::new(SellerCipher::new(seller, key.id, &clear)?);
        unwrapped.insert((seller, key.id), (Instant::now(), Arc::clone(&cipher)));
        Ok(cipher)
    }
}

/// Whether a key that was unwrapped then is still kept.
fn is_kept(since: Instant, now: Instant) -> bool {
    now.duration_since(since) < LIFETIME
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unwrapped_key_is_kept_for_a_quarter_of_an_hour() {
        let since = Instant::now();
        for (seconds, expected) in [(0, true), (899, true), (900, false), (1_800, false)] {
            let now = since + Duration::from_secs(seconds);
            assert_eq!(is_kept(since, now), expected, "after {seconds} seconds");
        }
    }
}
