//! Data keys (envelope encryption): KMS makes and unwraps them, and they are kept in memory for a while.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aws_sdk_kms::Client;
use aws_sdk_kms::error::SdkError;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::DataKeySpec;
use robnu_observe::metric;
use robnu_tenancy::{Row, SellerId};
use tokio::sync::Mutex;
use uuid::Uuid;
use zeroize::Zeroizing;

use crate::cipher::SellerCipher;
use crate::ring::KeyRing;
use crate::{SELLER_CONTEXT, StorageError};

/// How long an unwrapped key stays in memory: one KMS call per container, seller and quarter of an hour.
const LIFETIME: Duration = Duration::from_mins(15);

/// Ciphers by seller and key, with the time of their unwrapping.
type Unwrapped = HashMap<(SellerId, Uuid), (Instant, Arc<SellerCipher>)>;

/// A data key as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    /// Row id of the key. Ids of later keys are greater.
    pub id: Uuid,
    /// The key as KMS wrapped it. Only KMS can unwrap it, and only for this seller.
    pub ciphertext: Vec<u8>,
    /// The KMS key that wrapped it and unwraps it again, whatever this deployment wraps new keys with.
    pub kms_key_id: String,
}

impl WrappedKey {
    /// Reads the columns `key_id`, `wrapped_key` and `kms_key_id`; returns `None` when they are null: the seller has no key.
    pub fn from_row(row: &Row) -> Result<Option<Self>, robnu_tenancy::Error> {
        let Some(id) = row.try_get("key_id")? else { return Ok(None) };
        let (ciphertext, kms_key_id) = (row.try_get("wrapped_key")?, row.try_get("kms_key_id")?);
        Ok(Some(Self { id, ciphertext, kms_key_id }))
    }
}

/// A new data key.
#[derive(Debug)]
pub struct NewDataKey {
    /// The wrapped key, to be stored.
    pub wrapped: WrappedKey,
    /// The cipher over the new key, to be used at once.
    pub cipher: SellerCipher,
}

/// Makes and unwraps data keys.
pub struct KeyService {
    pub(crate) kms: Client,
    pub(crate) platform_key: String,
    /// The stage whose sellers have KMS keys of their own; `None` where the platform's key wraps all data keys.
    pub(crate) seller_keys_of_stage: Option<String>,
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
        Self { kms, platform_key, seller_keys_of_stage: None, unwrapped: Mutex::default() }
    }

    /// Gives each seller of this stage a KMS key of its own.
    #[must_use]
    pub fn with_seller_keys(mut self, stage: String) -> Self {
        self.seller_keys_of_stage = Some(stage);
        self
    }

    /// Makes a data key for a new seller, wrapped with the platform's key: a seller's own KMS key is made after the seller.
    pub async fn generate(&self, seller: SellerId) -> Result<NewDataKey, StorageError> {
        let answer = self
            .kms
            .generate_data_key()
            .key_id(&self.platform_key)
            .key_spec(DataKeySpec::Aes256)
            .encryption_context(SELLER_CONTEXT, seller.to_string())
            .send()
            .await
            .map_err(|error| failed("make", error))?;
        let clear = Zeroizing::new(answer.plaintext.map(Blob::into_inner).unwrap_or_default());
        let id = Uuid::now_v7();
        let cipher = SellerCipher::new(seller, id, &clear)?;
        let ciphertext = answer.ciphertext_blob.map(Blob::into_inner).ok_or(StorageError::KeyShape)?;
        let kms_key_id = answer.key_id.unwrap_or_else(|| self.platform_key.clone());
        Ok(NewDataKey { wrapped: WrappedKey { id, ciphertext, kms_key_id }, cipher })
    }

    /// Returns the seller's ring over stored keys, or `None` when there are none.
    #[must_use]
    pub fn ring(&self, seller: SellerId, keys: Vec<WrappedKey>) -> Option<KeyRing<'_>> {
        KeyRing::new(self, seller, keys)
    }

    /// Returns the seller's ring over the keys in these rows, or `None` when there are none.
    pub fn ring_from_rows(
        &self,
        seller: SellerId,
        rows: &[Row],
    ) -> Result<Option<KeyRing<'_>>, robnu_tenancy::Error> {
        let keys: Result<Vec<Option<WrappedKey>>, _> = rows.iter().map(WrappedKey::from_row).collect();
        Ok(self.ring(seller, keys?.into_iter().flatten().collect()))
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
        let clear = self.unwrap(seller, key).await?;
        let cipher = Arc::new(SellerCipher::new(seller, key.id, &clear)?);
        unwrapped.insert((seller, key.id), (Instant::now(), Arc::clone(&cipher)));
        Ok(cipher)
    }

    /// Has KMS unwrap a data key with the KMS key that wrapped it.
    pub(crate) async fn unwrap(
        &self,
        seller: SellerId,
        key: &WrappedKey,
    ) -> Result<Zeroizing<Vec<u8>>, StorageError> {
        metric::count(metric::KEY_UNWRAPS);
        let answer = self
            .kms
            .decrypt()
            .key_id(&key.kms_key_id)
            .ciphertext_blob(Blob::new(key.ciphertext.clone()))
            .encryption_context(SELLER_CONTEXT, seller.to_string())
            .send()
            .await
            .map_err(|error| failed("unwrap", error))?;
        Ok(Zeroizing::new(answer.plaintext.map(Blob::into_inner).unwrap_or_default()))
    }
}

/// The error of a call of KMS.
pub(crate) fn failed<E, R>(action: &'static str, error: SdkError<E, R>) -> StorageError
where
    E: std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    StorageError::Kms { action, source: Box::new(error) }
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
