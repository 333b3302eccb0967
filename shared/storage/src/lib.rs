//! Storage: the sellers' data keys and the encryption of secrets at rest (envelope encryption).
//!
//! Each seller has a data key. It is stored only as KMS wrapped it, with the seller's id as encryption context. Each
//! ciphertext is bound to its table, column and row, so that a copy elsewhere does not decrypt.

mod cipher;
mod digest_key;
mod keys;

pub use cipher::{Place, SellerCipher};
pub use digest_key::DigestKey;
pub use keys::{KeyService, NewDataKey, WrappedKey};

/// Why something could not be encrypted or decrypted. It holds no key, ciphertext or clear text.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// KMS refused or did not answer. Another try may succeed, unless the key is gone.
    #[error("KMS did not {action} the seller's data key")]
    Kms {
        /// What was asked.
        action: &'static str,
        /// The SDK's error.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// KMS returned something that is not a 256-bit key.
    #[error("the seller's data key is not a 256-bit key")]
    KeyShape,
    /// The key or the place is wrong, or the ciphertext was altered.
    #[error("a ciphertext in {table}.{column} does not open with this seller's key")]
    Sealed {
        /// Table of the ciphertext.
        table: &'static str,
        /// Column of the ciphertext.
        column: &'static str,
    },
}
