//! A seller's data keys together: the newest one seals, and each one opens what it has sealed.
//!
//! A ciphertext names its data key in its head. A key is unwrapped when it is needed for the first time.

use std::sync::Arc;

use robnu_tenancy::SellerId;
use zeroize::Zeroizing;

use crate::StorageError;
use crate::cipher::{Place, SellerCipher, key_of};
use crate::keys::{KeyService, WrappedKey};

/// The data keys of one seller, at least one.
#[derive(Debug)]
pub struct KeyRing<'a> {
    service: &'a KeyService,
    seller: SellerId,
    newest: WrappedKey,
    older: Vec<WrappedKey>,
}

impl<'a> KeyRing<'a> {
    pub(crate) fn new(service: &'a KeyService, seller: SellerId, mut keys: Vec<WrappedKey>) -> Option<Self> {
        keys.sort_by_key(|key| key.id);
        let newest = keys.pop()?;
        Some(Self { service, seller, newest, older: keys })
    }

    /// Returns the cipher that seals: the one over the newest key.
    pub async fn sealer(&self) -> Result<Arc<SellerCipher>, StorageError> {
        self.service.cipher(self.seller, &self.newest).await
    }

    /// Opens what any of the keys sealed for this place. A ciphertext that names none of them is an altered one or another
    /// seller's, and KMS is not asked.
    pub async fn open(&self, place: Place, ciphertext: &[u8]) -> Result<Zeroizing<Vec<u8>>, StorageError> {
        let id = key_of(ciphertext);
        let mut keys = std::iter::once(&self.newest).chain(&self.older);
        let key = keys.find(|key| Some(key.id) == id).ok_or_else(|| StorageError::sealed(place))?;
        self.service.cipher(self.seller, key).await?.open(place, ciphertext)
    }
}
