//! Objects: the files of sellers in the bucket. A handle reaches the objects of one seller and no others.
//!
//! [`Objects`] gives a [`SellerObjects`] only for a seller's scope that the database has admitted. An [`ObjectKey`]
//! holds ids and enums and no seller; the handle puts its own seller into the key. So no text of a user becomes part of a
//! key, and no code can form a key outside the seller's prefix. Every object is encrypted with SSE-KMS, with the seller's
//! id as encryption context.

mod arrival;
mod body;
mod content;
mod document;
mod fault;
mod file_name;
mod import_key;
mod key;
mod kms;
mod multipart;
mod presign;
mod session;
mod transfer;

use std::sync::Arc;

use aws_sdk_s3::Client;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use robnu_tenancy::{SellerId, SellerScope};

pub use arrival::ArrivalNotice;
pub use body::ObjectBody;
pub use content::{ContentType, NotADigest, Sha256};
pub use document::{DocumentParent, DocumentType};
pub use fault::ObjectFault;
pub use file_name::FileName;
pub use import_key::ImportKey;
pub use key::{FOLDERS, MarketplaceFolder, ObjectKey};
pub use kms::{ObjectEncryption, SELLER_ALIAS_PREFIX, seller_key_alias};
pub use multipart::{NotAPart, UploadedPart};
pub use presign::{Download, PresignedDownload, PresignedUpload, Upload};
pub use session::session_policy;
pub use transfer::{ObjectHead, StoredObject};

use session::Sessions;

use crate::{SELLER_CONTEXT, StorageError};

/// The bucket, and how its objects are encrypted.
#[derive(Debug, Clone)]
pub struct ObjectSettings {
    /// The bucket's name.
    pub bucket: String,
    /// The KMS key of each seller's objects.
    pub encryption: ObjectEncryption,
}

/// The objects of all sellers; one per container. It reads and writes nothing itself.
#[derive(Clone)]
pub struct Objects {
    s3: Client,
    sessions: Option<Arc<Sessions>>,
    settings: ObjectSettings,
}

impl std::fmt::Debug for Objects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Objects").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Objects {
    /// Uses the bucket with the rights of `s3`.
    #[must_use]
    pub fn new(s3: Client, settings: ObjectSettings) -> Self {
        Self { s3, sessions: None, settings }
    }

    /// Uses the bucket with sessions of the role `role` (an ARN), each of which reaches the objects of one seller. From `s3` come
    /// the region and the like.
    #[must_use]
    pub fn with_sessions(
        s3: Client,
        sts: aws_sdk_sts::Client,
        role: String,
        settings: ObjectSettings,
    ) -> Self {
        Self { s3, sessions: Some(Arc::new(Sessions::new(sts, role))), settings }
    }

    /// The bucket, for rows in `storage_objects`.
    #[must_use]
    pub fn bucket(&self) -> &str {
        &self.settings.bucket
    }

    /// The KMS key of a seller's objects, for rows in `storage_objects`.
    #[must_use]
    pub fn kms_key(&self, seller: SellerId) -> String {
        self.settings.encryption.key_of(seller)
    }

    /// The objects of the scope's seller.
    ///
    /// # Errors
    /// Returns [`StorageError::NotAdmitted`] unless the database has admitted the scope, which it does with the first
    /// statement.
    pub fn for_scope(&self, scope: &SellerScope) -> Result<SellerObjects, StorageError> {
        let seller = scope.admitted_seller().ok_or(StorageError::NotAdmitted)?;
        Ok(SellerObjects {
            seller,
            s3: self.s3.clone(),
            sessions: self.sessions.clone(),
            bucket: self.settings.bucket.clone(),
            kms_key: self.settings.encryption.key_of(seller),
            context: encryption_context(seller),
        })
    }
}

/// The objects of one seller. It may outlive the transaction in which the scope was admitted, as a transfer may.
#[derive(Clone)]
#[must_use]
pub struct SellerObjects {
    seller: SellerId,
    s3: Client,
    sessions: Option<Arc<Sessions>>,
    bucket: String,
    kms_key: String,
    /// The encryption context as S3 takes it: JSON in base64.
    context: String,
}

impl std::fmt::Debug for SellerObjects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SellerObjects").field("seller", &self.seller).finish_non_exhaustive()
    }
}

impl SellerObjects {
    /// The seller.
    #[must_use]
    pub fn seller_id(&self) -> SellerId {
        self.seller
    }

    /// A client with the seller's rights.
    async fn client(&self) -> Result<Client, StorageError> {
        match &self.sessions {
            Some(sessions) => sessions.client(&self.s3, &self.bucket, self.seller).await,
            None => Ok(self.s3.clone()),
        }
    }

    /// An object's key as text, for the row in `storage_objects`. No method takes such a text back.
    #[must_use]
    pub fn key_text(&self, key: &ObjectKey) -> String {
        key.text_for(self.seller)
    }
}

pub(crate) fn encryption_context(seller: SellerId) -> String {
    STANDARD.encode(format!(r#"{{"{SELLER_CONTEXT}":"{seller}"}}"#))
}
