//! Storage: the sellers' data keys, the encryption of secrets at rest (envelope encryption), and the sellers' objects.
//!
//! Each seller has a data key. It is stored only as KMS wrapped it, with the seller's id as encryption context. Each
//! ciphertext is bound to its table, column and row, so that a copy elsewhere does not decrypt.

mod cipher;
mod digest_key;
pub mod erasure;
mod keys;
mod kms_keys;
pub mod objects;
pub mod raw_page;
mod ring;

pub use cipher::{Place, SellerCipher};
pub use digest_key::DigestKey;
pub use keys::{KeyService, NewDataKey, WrappedKey};
pub use kms_keys::KmsKeys;
pub use ring::KeyRing;

/// The encryption context's name for the seller, which the functions' policies require.
const SELLER_CONTEXT: &str = "robnu:seller";

/// Why something could not be encrypted, decrypted or stored. It holds no key, ciphertext or clear text.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// KMS refused or did not answer. Another try may succeed, unless the key is gone.
    #[error("KMS did not {action} the seller's key")]
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
    /// The database has not admitted the scope, so nothing shows that its seller's objects may be reached.
    #[error("the database has not admitted the scope, so it reaches no objects")]
    NotAdmitted,
    /// S3 did not do what was asked.
    #[error("S3 did not {action} an object: {fault}")]
    Object {
        /// What was asked.
        action: &'static str,
        /// What went wrong.
        fault: objects::ObjectFault,
    },
    /// An object is larger than the caller takes.
    #[error("an object has more than {limit} bytes")]
    ObjectSize {
        /// How many bytes the caller takes.
        limit: u64,
    },
    /// An object's bytes do not have the digest that S3 recorded.
    #[error("an object does not have the digest that was recorded")]
    ObjectAltered,
    /// A local file could not be read or written.
    #[error("a local file cannot be read or written")]
    File(#[source] std::io::Error),
}

impl StorageError {
    /// The one error for whatever is wrong with a ciphertext, so that nobody learns which part of it was.
    pub(crate) fn sealed(place: Place) -> Self {
        Self::Sealed { table: place.table, column: place.column }
    }
}
