//! Storage: the sellers' data keys and the encryption of secrets at rest.
//!
//! Each seller has a data key, stored only as KMS wrapped it with the seller's id as encryption context. What is
//! encrypted is bound to its table, column and row, so that ciphertext copied elsewhere does not open.

mod cipher;
mod digest_key;
mod keys;

pub use cipher::{Place, SellerCipher};
pub use digest_key::DigestKey;
pub use keys::{KeyService, NewDataKey, WrappedKey};

/// Why something could not be encrypted or opened. Holds no key, ciphertext or clear text.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// KMS did not answer as hoped; worth another try unless the key is gone.
    #[error("KMS did not {action} the seller's data key")]
    Kms {
        /// What was asked.
        action: &'static str,
        /// The SDK's error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// KMS answered with something that is no 256-bit key.
    #[error("the seller's data key is not a 256-bit key")]
    KeyShape,
    /// Wrong key, wrong place, or tampered with.
    #[error("a ciphertext in {table}.{column} does not open with this seller's key")]
    Sealed {
        /// Table of the ciphertext.
        table: &'static str,
        /// Column of the ciphertext.
        column: &'static str,
    },
}
