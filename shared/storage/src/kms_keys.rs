//! The KMS keys that wrap data keys: the platform's one, or one of each seller's own, named `alias/robnu/seller-{sellerId}`.
//!
//! A KMS key costs money every month, and KMS has no transaction over making one and naming it. So a key is tagged with its
//! seller when it is made, and a later call names a key whose maker crashed, instead of making a second one. Two callers must
//! not make a key for one seller at once; the callers' lease on the data key keeps them apart.

use std::collections::{HashMap, HashSet};
use std::str::FromStr;

use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::Tag;
use robnu_tenancy::SellerId;
use tokio::time::Instant;

use crate::keys::{KeyService, WrappedKey, failed};
use crate::objects::{SELLER_ALIAS_PREFIX, seller_key_alias};
use crate::{SELLER_CONTEXT, StorageError};

/// The tag that names a KMS key's seller.
const SELLER_TAG: &str = "robnu:seller";
/// The tag that names the stage; policies of functions depend on it.
const STAGE_TAG: &str = "robnu:stage";
/// Keys on one page of the list of all keys; KMS allows no more.
const PAGE: i32 = 1_000;

/// Which KMS keys there are.
#[derive(Debug, Default)]
pub struct KmsKeys {
    /// The platform's key, where it wraps all data keys.
    platform: Option<String>,
    /// The sellers' keys, by the names.
    named: HashMap<SellerId, String>,
    /// Every key that has a name.
    all_named: HashSet<String>,
    /// Keys that were made for sellers and have no name yet; `None` until somebody needs to know.
    unnamed: Option<HashMap<SellerId, String>>,
}

impl KmsKeys {
    /// Returns the KMS key that wraps the seller's data keys, if there is one.
    #[must_use]
    pub fn current(&self, seller: SellerId) -> Option<&str> {
        self.platform.as_ref().or_else(|| self.named.get(&seller)).map(String::as_str)
    }

    /// Whether a data key is wrapped as it should be by now.
    #[must_use]
    pub fn is_current(&self, seller: SellerId, kms_key_id: &str) -> bool {
        self.current(seller).is_some_and(|current| plain_id(current) == plain_id(kms_key_id))
    }
}

/// The id at the end of a key's ARN, or the id itself.
fn plain_id(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

impl KeyService {
    /// Returns the KMS key that encrypts what belongs to a seller: the name of its own key, or the platform's key.
    #[must_use]
    pub fn kms_key_of(&self, seller: SellerId) -> String {
        if self.has_seller_keys() { seller_key_alias(seller) } else { self.platform_key.clone() }
    }

    /// Whether each seller has a KMS key of its own.
    #[must_use]
    pub fn has_seller_keys(&self) -> bool {
        self.seller_keys_of_stage.is_some()
    }

    /// Reads which KMS keys wrap data keys now.
    pub async fn kms_keys(&self) -> Result<KmsKeys, StorageError> {
        let mut keys = KmsKeys::default();
        if !self.has_seller_keys() {
            let found = self.kms.describe_key().key_id(&self.platform_key).send().await;
            let found = found.map_err(|error| failed("find", error))?;
            keys.platform = found.key_metadata.and_then(|key| key.arn);
            return Ok(keys);
        }
        let mut aliases = self.kms.list_aliases().into_paginator().items().send();
        while let Some(alias) = aliases.try_next().await.map_err(|error| failed("list", error))? {
            let (Some(name), Some(key)) = (alias.alias_name, alias.target_key_id) else { continue };
            if let Some(seller) =
                name.strip_prefix(SELLER_ALIAS_PREFIX).and_then(|id| SellerId::from_str(id).ok())
            {
                keys.named.insert(seller, key.clone());
            }
            keys.all_named.insert(key);
        }
        Ok(keys)
    }

    /// Makes the KMS key of a seller who has just been signed up, and for whom nobody else makes one now.
    pub async fn make_kms_key(&self, seller: SellerId) -> Result<String, StorageError> {
        let key = self.create_kms_key(seller).await?;
        self.name_kms_key(seller, &key).await?;
        Ok(key)
    }

    /// Returns the KMS key that wraps the seller's data keys. If the seller should have a key of its own and has none, names
    /// the one that was made for it, or makes one. Returns `None` when `stop_at` has come before it was known whether one was
    /// made.
    pub async fn ensure_kms_key(
        &self,
        seller: SellerId,
        keys: &mut KmsKeys,
        stop_at: Instant,
    ) -> Result<Option<String>, StorageError> {
        if let Some(key) = keys.current(seller) {
            return Ok(Some(key.to_owned()));
        }
        if keys.unnamed.is_none() {
            keys.unnamed = self.unnamed_kms_keys(&keys.all_named, stop_at).await?;
        }
        let Some(unnamed) = &mut keys.unnamed else { return Ok(None) };
        let key = match unnamed.get(&seller) {
            Some(key) => key.clone(),
            None => self.create_kms_key(seller).await?,
        };
        unnamed.insert(seller, key.clone());
        self.name_kms_key(seller, &key).await?;
        keys.named.insert(seller, key.clone());
        Ok(Some(key))
    }

    /// Wraps a data key with another KMS key. The data key itself and everything that it has sealed stay as they are.
    pub async fn rewrap(
        &self,
        seller: SellerId,
        key: &WrappedKey,
        kms_key: &str,
    ) -> Result<WrappedKey, StorageError> {
        let clear = self.unwrap(seller, key).await?;
        let wrapped = self
            .kms
            .encrypt()
            .key_id(kms_key)
            .plaintext(Blob::new(clear.to_vec()))
            .encryption_context(SELLER_CONTEXT, seller.to_string())
            .send()
            .await
            .map_err(|error| failed("wrap", error))?;
        let ciphertext = wrapped.ciphertext_blob.map(Blob::into_inner).ok_or(StorageError::KeyShape)?;
        let kms_key_id = wrapped.key_id.unwrap_or_else(|| kms_key.to_owned());
        Ok(WrappedKey { id: key.id, ciphertext, kms_key_id })
    }

    async fn create_kms_key(&self, seller: SellerId) -> Result<String, StorageError> {
        let stage = self.seller_keys_of_stage.clone().unwrap_or_default();
        let tag = |key: &str, value: String| Tag::builder().tag_key(key).tag_value(value).build();
        let tags = [tag(SELLER_TAG, seller.to_string()), tag(STAGE_TAG, stage)];
        let tags: Result<Vec<Tag>, _> = tags.into_iter().collect();
        let made = self
            .kms
            .create_key()
            .set_tags(Some(tags.map_err(|_| StorageError::KeyShape)?))
            .description("Robnu, wraps the data keys and encrypts the objects of one seller")
            .send()
            .await
            .map_err(|error| failed("make", error))?;
        made.key_metadata.and_then(|key| key.arn).ok_or(StorageError::KeyShape)
    }

    /// Names a seller's key. The name comes last, so that a key with a name is complete.
    async fn name_kms_key(&self, seller: SellerId, key: &str) -> Result<(), StorageError> {
        let rotated = self.kms.enable_key_rotation().key_id(key).send().await;
        rotated.map_err(|error| failed("rotate", error))?;
        let alias = self.kms_key_of(seller);
        let named = self.kms.create_alias().alias_name(alias).target_key_id(key).send().await;
        named.map_err(|error| failed("name", error)).map(drop)
    }

    /// Looks through all keys without a name for those that were made for sellers of this stage. Returns `None` when time ran out.
    async fn unnamed_kms_keys(
        &self,
        named: &HashSet<String>,
        stop_at: Instant,
    ) -> Result<Option<HashMap<SellerId, String>>, StorageError> {
        let mut unnamed = HashMap::new();
        let mut keys = self.kms.list_keys().into_paginator().page_size(PAGE).items().send();
        while let Some(key) = keys.try_next().await.map_err(|error| failed("list", error))? {
            let (Some(id), Some(arn)) = (key.key_id, key.key_arn) else { continue };
            if named.contains(&id) {
                continue;
            }
            if Instant::now() >= stop_at {
                return Ok(None);
            }
            if let Some(seller) = self.seller_of(&id).await? {
                unnamed.insert(seller, arn);
            }
        }
        Ok(Some(unnamed))
    }

    /// The seller of this stage in a key's tags. A key that this function may not look at is none of ours.
    async fn seller_of(&self, key: &str) -> Result<Option<SellerId>, StorageError> {
        let tags = match self.kms.list_resource_tags().key_id(key).send().await {
            Ok(answer) => answer.tags.unwrap_or_default(),
            Err(error) if is_denied_or_gone(&error) => return Ok(None),
            Err(error) => return Err(failed("list the tags of", error)),
        };
        let value = |name| tags.iter().find(|tag| tag.tag_key == name).map(|tag| tag.tag_value.as_str());
        let of_stage = value(STAGE_TAG).is_some() && value(STAGE_TAG) == self.seller_keys_of_stage.as_deref();
        Ok(value(SELLER_TAG).filter(|_| of_stage).and_then(|seller| SellerId::from_str(seller).ok()))
    }
}

fn is_denied_or_gone<E: aws_sdk_kms::error::ProvideErrorMetadata>(error: &E) -> bool {
    matches!(error.code(), Some("AccessDeniedException" | "NotFoundException"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_recognised_by_its_id_or_its_arn() {
        let (ours, theirs) = (SellerId::new(), SellerId::new());
        let mut keys = KmsKeys::default();
        keys.named.insert(ours, "1234".to_owned());
        assert!(keys.is_current(ours, "arn:aws:kms:ap-south-1:000000000000:key/1234"));
        assert!(keys.is_current(ours, "1234"));
        assert!(!keys.is_current(ours, "arn:aws:kms:ap-south-1:000000000000:key/12345"));
        assert!(!keys.is_current(theirs, "1234"), "the other seller has no key");
    }
}
