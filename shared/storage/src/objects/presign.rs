//! Presigned URLs: a client sends or fetches one object itself, for a few minutes.

use std::fmt;
use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use chrono::{DateTime, TimeDelta, Utc};

use super::content::{ContentType, Sha256};
use super::fault::failed;
use super::{FileName, ObjectFault, ObjectKey, SellerObjects};
use crate::StorageError;

/// How long an upload may begin.
const UPLOAD_MINUTES: u32 = 15;
/// How long a download may begin. A URL can be passed on, so its life is short.
const DOWNLOAD_MINUTES: u32 = 5;

/// An object that a client is to send.
#[derive(Debug, Clone, Copy)]
pub struct Upload {
    /// Its content type.
    pub content: ContentType,
    /// Its exact size in bytes.
    pub size: u64,
    /// Its digest.
    pub sha256: Sha256,
    /// From when on the request is valid. The same upload at the same time gives the same request.
    pub from: DateTime<Utc>,
}

/// An object that a client is to fetch.
#[derive(Debug, Clone, Copy)]
pub struct Download<'a> {
    /// The version, if the bucket keeps versions.
    pub version: Option<&'a str>,
    /// The content type of the response, whatever the sender stated.
    pub content: ContentType,
    /// The name under which it is saved.
    pub file_name: &'a FileName,
}

/// A request that a client sends as it is, with the object as body. Whoever has it can send that object and no other.
pub struct PresignedUpload {
    /// The method.
    pub method: &'static str,
    /// The URL.
    pub url: String,
    /// The headers, which are part of the signature: names in lower case.
    pub headers: Vec<(String, String)>,
    /// Until when the request may be sent.
    pub expires_at: DateTime<Utc>,
}

/// A URL that a client fetches. Whoever has it can read the object.
pub struct PresignedDownload {
    /// The URL.
    pub url: String,
    /// Until when it may be fetched.
    pub expires_at: DateTime<Utc>,
}

// The URLs are secrets for as long as they live, so that they are not printed.
impl fmt::Debug for PresignedUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresignedUpload").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl fmt::Debug for PresignedDownload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PresignedDownload").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl SellerObjects {
    /// A request with which a client sends one object. The signature covers the content type, the exact length, the digest and
    /// the encryption. S3 rejects everything else.
    pub async fn presign_upload(
        &self,
        key: &ObjectKey,
        upload: Upload,
    ) -> Result<PresignedUpload, StorageError> {
        let (config, expires_at) = valid_for(upload.from, UPLOAD_MINUTES)?;
        let request = self
            .put_request(key, upload.content, upload.size, upload.sha256)
            .await?
            .presigned(config)
            .await
            .map_err(failed("presign"))?;
        Ok(PresignedUpload {
            method: "PUT",
            url: request.uri().to_owned(),
            headers: request.headers().map(|(name, value)| (name.to_lowercase(), value.to_owned())).collect(),
            expires_at,
        })
    }

    /// A URL from which a client fetches one object. The response is an attachment of a fixed content type, so that no browser
    /// renders it.
    pub async fn presign_download(
        &self,
        key: &ObjectKey,
        download: Download<'_>,
    ) -> Result<PresignedDownload, StorageError> {
        let (config, expires_at) = valid_for(Utc::now(), DOWNLOAD_MINUTES)?;
        let request = self
            .client()
            .await?
            .get_object()
            .bucket(&self.bucket)
            .key(self.key_text(key))
            .set_version_id(download.version.map(str::to_owned))
            .response_content_type(download.content.as_str())
            .response_content_disposition(download.file_name.disposition())
            .response_cache_control("private, no-store")
            .presigned(config)
            .await
            .map_err(failed("presign"))?;
        Ok(PresignedDownload { url: request.uri().to_owned(), expires_at })
    }
}

fn valid_for(from: DateTime<Utc>, minutes: u32) -> Result<(PresigningConfig, DateTime<Utc>), StorageError> {
    let config = PresigningConfig::builder()
        .start_time(from.into())
        .expires_in(Duration::from_secs(u64::from(minutes) * 60))
        .build()
        .map_err(|_| StorageError::Object { action: "presign", fault: ObjectFault::Rejected })?;
    Ok((config, from + TimeDelta::minutes(i64::from(minutes))))
}
