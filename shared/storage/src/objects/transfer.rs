//! Writing, finding and deleting objects. Files are streamed from disk, so memory stays small whatever their size.

use std::path::Path;
use std::time::Duration;

use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::operation::put_object::builders::PutObjectFluentBuilder;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumMode, ServerSideEncryption};
use ring::digest;
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::content::{ContentType, Sha256};
use super::fault::failed;
use super::key::ObjectKey;
use super::{ObjectBody, SellerObjects};
use crate::StorageError;

/// How long one attempt of a call may take that moves few bytes.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);
/// The slowest transfer that is waited for, in bytes per second.
const SLOWEST: u64 = 1024 * 1024;
/// How much of a file is in memory at once.
const CHUNK: usize = 64 * 1024;
/// The largest object that S3 takes in one request.
const MAX_PUT: u64 = 5 * 1024 * 1024 * 1024;

/// An object that was written: what its row in `storage_objects` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// Its size in bytes.
    pub size: u64,
    /// Its digest.
    pub sha256: Sha256,
    /// Its version, if the bucket keeps versions.
    pub version: Option<String>,
}

/// What S3 knows of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectHead {
    /// Its size in bytes.
    pub size: u64,
    /// Its content type, as its sender stated it.
    pub content_type: Option<String>,
    /// Its digest, which S3 has checked.
    pub sha256: Option<Sha256>,
    /// Whether it is encrypted with a KMS key.
    pub is_kms_encrypted: bool,
    /// The KMS key, as S3 names it.
    pub kms_key: Option<String>,
    /// Its version, if the bucket keeps versions.
    pub version: Option<String>,
}

impl SellerObjects {
    /// Writes an object of a few megabytes at most.
    pub async fn put(
        &self,
        key: &ObjectKey,
        content: ContentType,
        bytes: Vec<u8>,
    ) -> Result<StoredObject, StorageError> {
        let (size, sha256) = (bytes.len() as u64, Sha256::of(&bytes));
        self.put_stream(key, content, ByteStream::from(bytes), size, sha256).await
    }

    /// Writes an object from a file of 5 GiB at most. The file is read twice, first for its digest; S3 rejects it if it has
    /// changed in between.
    pub async fn put_file(
        &self,
        key: &ObjectKey,
        content: ContentType,
        path: &Path,
    ) -> Result<StoredObject, StorageError> {
        let (size, sha256) = digest_of_file(path).await?;
        if size > MAX_PUT {
            return Err(StorageError::ObjectSize { limit: MAX_PUT });
        }
        let stream = ByteStream::from_path(path)
            .await
            .map_err(|error| StorageError::File(std::io::Error::other(error)))?;
        self.put_stream(key, content, stream, size, sha256).await
    }

    async fn put_stream(
        &self,
        key: &ObjectKey,
        content: ContentType,
        stream: ByteStream,
        size: u64,
        sha256: Sha256,
    ) -> Result<StoredObject, StorageError> {
        let answer = self
            .put_request(key, content, size, sha256)
            .await?
            .body(stream)
            .customize()
            .config_override(patient(size))
            .send()
            .await
            .map_err(failed("write"))?;
        Ok(StoredObject { size, sha256, version: answer.version_id })
    }

    /// Everything that a write states, and a presigned upload binds.
    pub(super) async fn put_request(
        &self,
        key: &ObjectKey,
        content: ContentType,
        size: u64,
        sha256: Sha256,
    ) -> Result<PutObjectFluentBuilder, StorageError> {
        let client = self.client().await?;
        Ok(client
            .put_object()
            .bucket(&self.bucket)
            .key(self.key_text(key))
            .content_type(content.as_str())
            .content_length(i64::try_from(size).unwrap_or(i64::MAX))
            .checksum_sha256(sha256.to_base64())
            .server_side_encryption(ServerSideEncryption::AwsKms)
            .ssekms_key_id(&self.kms_key)
            .ssekms_encryption_context(&self.context))
    }

    /// Opens an object for reading: one version of it, or the latest. Its bytes come as they are asked for.
    pub async fn get(&self, key: &ObjectKey, version: Option<&str>) -> Result<ObjectBody, StorageError> {
        self.get_from(key, version, 0).await
    }

    /// Opens an object for reading from `from` on, as whoever goes on with a transfer does. A part of an object has no digest of its
    /// own, so whoever reads all of it compares the digest of the whole.
    ///
    /// # Errors
    /// Returns [`ObjectFault::Missing`](super::ObjectFault::Missing) when there is no such object or version, or when it ends before.
    pub async fn get_from(
        &self,
        key: &ObjectKey,
        version: Option<&str>,
        from: u64,
    ) -> Result<ObjectBody, StorageError> {
        let is_whole = from == 0;
        let answer = self
            .client()
            .await?
            .get_object()
            .bucket(&self.bucket)
            .key(self.key_text(key))
            .set_version_id(version.map(str::to_owned))
            .set_range((!is_whole).then(|| format!("bytes={from}-")))
            .set_checksum_mode(is_whole.then_some(ChecksumMode::Enabled))
            .customize()
            .config_override(patient(0))
            .send()
            .await
            .map_err(failed("read"))?;
        // A server may send the whole object all the same (RFC 9110, section 14.2).
        let skip = if answer.content_range.is_some() { 0 } else { from };
        let head = ObjectHead {
            size: size(answer.content_length),
            content_type: answer.content_type,
            sha256: answer.checksum_sha256.as_deref().filter(|_| is_whole).and_then(Sha256::from_base64),
            is_kms_encrypted: answer.server_side_encryption == Some(ServerSideEncryption::AwsKms),
            kms_key: answer.ssekms_key_id,
            version: answer.version_id,
        };
        Ok(ObjectBody::new(head, answer.body, skip))
    }

    /// What S3 knows of an object's latest version.
    pub async fn head(&self, key: &ObjectKey) -> Result<ObjectHead, StorageError> {
        let answer = self
            .client()
            .await?
            .head_object()
            .bucket(&self.bucket)
            .key(self.key_text(key))
            .checksum_mode(ChecksumMode::Enabled)
            .customize()
            .config_override(patient(0))
            .send()
            .await
            .map_err(failed("find"))?;
        Ok(ObjectHead {
            size: size(answer.content_length),
            content_type: answer.content_type,
            sha256: answer.checksum_sha256.as_deref().and_then(Sha256::from_base64),
            is_kms_encrypted: answer.server_side_encryption == Some(ServerSideEncryption::AwsKms),
            kms_key: answer.ssekms_key_id,
            version: answer.version_id,
        })
    }

    /// Deletes one version of an object for good, or the latest so that older versions stay until the bucket expires them.
    /// Deleting what is not there succeeds.
    pub async fn delete(&self, key: &ObjectKey, version: Option<&str>) -> Result<(), StorageError> {
        self.client()
            .await?
            .delete_object()
            .bucket(&self.bucket)
            .key(self.key_text(key))
            .set_version_id(version.map(str::to_owned))
            .customize()
            .config_override(patient(0))
            .send()
            .await
            .map_err(failed("delete"))?;
        Ok(())
    }
}

/// Time-outs for a call that moves `size` bytes.
pub(super) fn patient(size: u64) -> Builder {
    let attempt = ATTEMPT_TIMEOUT + Duration::from_secs(size / SLOWEST);
    Builder::new().timeout_config(
        TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(3))
            .operation_attempt_timeout(attempt)
            .operation_timeout(attempt * 2)
            .build(),
    )
}

fn size(length: Option<i64>) -> u64 {
    length.and_then(|length| u64::try_from(length).ok()).unwrap_or_default()
}

async fn digest_of_file(path: &Path) -> Result<(u64, Sha256), StorageError> {
    let broken = StorageError::File;
    let mut file = File::open(path).await.map_err(broken)?;
    let mut context = digest::Context::new(&digest::SHA256);
    let mut chunk = vec![0; CHUNK];
    let mut size = 0;
    loop {
        let read = file.read(&mut chunk).await.map_err(broken)?;
        if read == 0 {
            return Ok((size, Sha256::from_digest(&context.finish())));
        }
        context.update(&chunk[..read]);
        size += read as u64;
    }
}
