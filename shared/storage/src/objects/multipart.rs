//! Uploads in parts: a large object is written piece by piece, by whoever knows the upload's id and the parts before. S3 checks the
//! digest of each part.

use std::fmt;
use std::str::FromStr;

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumType, CompletedMultipartUpload, CompletedPart, ServerSideEncryption,
};

use super::content::{ContentType, Sha256};
use super::fault::failed;
use super::key::ObjectKey;
use super::transfer::patient;
use super::{ObjectFault, SellerObjects};
use crate::StorageError;

/// A part that was stored. As text it is its `ETag` and its digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UploadedPart {
    etag: String,
    sha256: Sha256,
}

/// A text is not an [`UploadedPart`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a stored part's ETag and digest")]
pub struct NotAPart;

impl UploadedPart {
    /// The digest of the parts' digests. S3 knows an object that was uploaded in parts by it, because nobody has read it whole.
    #[must_use]
    pub fn digest_of_all(parts: &[Self]) -> Sha256 {
        let digests: Vec<u8> = parts.iter().flat_map(|part| part.sha256.as_bytes().to_vec()).collect();
        Sha256::of(&digests)
    }
}

impl fmt::Display for UploadedPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.etag, self.sha256)
    }
}

impl FromStr for UploadedPart {
    type Err = NotAPart;

    fn from_str(text: &str) -> Result<Self, NotAPart> {
        let (etag, sha256) = text.rsplit_once(' ').ok_or(NotAPart)?;
        Ok(Self { etag: etag.to_owned(), sha256: sha256.parse().map_err(|_| NotAPart)? })
    }
}

impl SellerObjects {
    /// Begins an upload and returns its id. Until it is completed there is no object; the bucket aborts forgotten uploads.
    pub async fn begin_upload(&self, key: &ObjectKey, content: ContentType) -> Result<String, StorageError> {
        let answer = self
            .client()
            .await?
            .create_multipart_upload()
            .bucket(&self.bucket)
            .key(self.key_text(key))
            .content_type(content.as_str())
            .checksum_algorithm(ChecksumAlgorithm::Sha256)
            .checksum_type(ChecksumType::Composite)
            .server_side_encryption(ServerSideEncryption::AwsKms)
            .ssekms_key_id(&self.kms_key)
            .ssekms_encryption_context(&self.context)
            .customize()
            .config_override(patient(0))
            .send()
            .await
            .map_err(failed("write"))?;
        let rejected = StorageError::Object { action: "write", fault: ObjectFault::Rejected };
        answer.upload_id.ok_or(rejected)
    }

    /// Stores a part; numbers begin with 1. Every part but the last has 5 MiB at least. A part that is stored again replaces the
    /// former one.
    pub async fn upload_part(
        &self,
        key: &ObjectKey,
        upload: &str,
        number: usize,
        bytes: Vec<u8>,
    ) -> Result<UploadedPart, StorageError> {
        let (size, sha256) = (bytes.len() as u64, Sha256::of(&bytes));
        let answer = self
            .client()
            .await?
            .upload_part()
            .bucket(&self.bucket)
            .key(self.key_text(key))
            .upload_id(upload)
            .part_number(part_number(number))
            .content_length(i64::try_from(size).unwrap_or(i64::MAX))
            .checksum_sha256(sha256.to_base64())
            .body(ByteStream::from(bytes))
            .customize()
            .config_override(patient(size))
            .send()
            .await
            .map_err(failed("write"))?;
        Ok(UploadedPart { etag: answer.e_tag.unwrap_or_default(), sha256 })
    }

    /// Makes the object of all its parts, and returns its version if the bucket keeps versions.
    pub async fn complete_upload(
        &self,
        key: &ObjectKey,
        upload: &str,
        parts: &[UploadedPart],
    ) -> Result<Option<String>, StorageError> {
        let completed = |(index, part): (usize, &UploadedPart)| {
            CompletedPart::builder()
                .part_number(part_number(index + 1))
                .e_tag(&part.etag)
                .checksum_sha256(part.sha256.to_base64())
                .build()
        };
        let parts: Vec<CompletedPart> = parts.iter().enumerate().map(completed).collect();
        let answer = self
            .client()
            .await?
            .complete_multipart_upload()
            .bucket(&self.bucket)
            .key(self.key_text(key))
            .upload_id(upload)
            .multipart_upload(CompletedMultipartUpload::builder().set_parts(Some(parts)).build())
            .customize()
            // S3 takes a while for many parts.
            .config_override(patient(20 * 1024 * 1024))
            .send()
            .await
            .map_err(failed("write"))?;
        Ok(answer.version_id)
    }

    /// Gives up an upload and its parts. Giving up what is not there succeeds.
    pub async fn abort_upload(&self, key: &ObjectKey, upload: &str) -> Result<(), StorageError> {
        let answer = self
            .client()
            .await?
            .abort_multipart_upload()
            .bucket(&self.bucket)
            .key(self.key_text(key))
            .upload_id(upload)
            .customize()
            .config_override(patient(0))
            .send()
            .await
            .map_err(failed("delete"));
        match answer {
            Ok(_) | Err(StorageError::Object { fault: ObjectFault::Missing, .. }) => Ok(()),
            Err(other) => Err(other),
        }
    }
}

fn part_number(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_survives_as_text() {
        let part = UploadedPart { etag: "\"abc def\"".to_owned(), sha256: Sha256::of(b"x") };
        assert_eq!(part.to_string().parse(), Ok(part));
        for text in ["", "etag", "etag 12", " "] {
            assert_eq!(text.parse::<UploadedPart>(), Err(NotAPart), "{text:?}");
        }
    }
}
