//! An object that is being read. Its bytes are taken piece by piece and checked against its digest at the end.

use std::time::Duration;

use aws_sdk_s3::primitives::ByteStream;
use ring::digest;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

use super::ObjectFault;
use super::content::Sha256;
use super::transfer::ObjectHead;
use crate::StorageError;

/// How long the next piece of an object may take.
const PIECE_TIMEOUT: Duration = Duration::from_secs(20);

const UNAVAILABLE: StorageError = StorageError::Object { action: "read", fault: ObjectFault::Unavailable };

/// An object that was opened.
pub struct ObjectBody {
    head: ObjectHead,
    stream: ByteStream,
    /// Bytes at the beginning of the stream that nobody asked for.
    skip: u64,
}

impl std::fmt::Debug for ObjectBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ObjectBody").field("head", &self.head).finish_non_exhaustive()
    }
}

impl ObjectBody {
    /// The bytes of a stream after the first `skip`.
    pub(super) fn new(head: ObjectHead, stream: ByteStream, skip: u64) -> Self {
        Self { head, stream, skip }
    }

    /// What S3 knows of it.
    #[must_use]
    pub fn head(&self) -> &ObjectHead {
        &self.head
    }

    /// The next bytes: `at_least` so many, or those that are left; none at the end. They are compared with no digest.
    pub async fn next_bytes(&mut self, at_least: usize) -> Result<Vec<u8>, StorageError> {
        let mut bytes = Vec::with_capacity(at_least);
        while bytes.len() < at_least {
            let Some(piece) = self.next_piece().await? else { break };
            bytes.extend_from_slice(piece.as_ref());
        }
        Ok(bytes)
    }

    /// The next bytes as they came; `None` at the end.
    async fn next_piece(&mut self) -> Result<Option<impl AsRef<[u8]>>, StorageError> {
        loop {
            let piece = timeout(PIECE_TIMEOUT, self.stream.next()).await.map_err(|_| UNAVAILABLE)?;
            let Some(mut piece) = piece.transpose().map_err(|_| UNAVAILABLE)? else { return Ok(None) };
            let skipped = piece.len().min(usize::try_from(self.skip).unwrap_or(usize::MAX));
            self.skip -= skipped as u64;
            drop(piece.split_to(skipped));
            if !piece.is_empty() {
                return Ok(Some(piece));
            }
        }
    }

    /// Copies it to `writer` and returns its digest. It stops with [`StorageError::ObjectSize`] before it writes more than
    /// `limit` bytes, and fails when S3 has recorded another digest. The writer holds a part of the object then.
    pub async fn write_to(
        mut self,
        writer: &mut (impl AsyncWrite + Unpin),
        limit: u64,
    ) -> Result<Sha256, StorageError> {
        if self.head.size > limit {
            return Err(StorageError::ObjectSize { limit });
        }
        let mut context = digest::Context::new(&digest::SHA256);
        let mut left = limit;
        while let Some(piece) = self.next_piece().await? {
            let piece = piece.as_ref();
            left = left.checked_sub(piece.len() as u64).ok_or(StorageError::ObjectSize { limit })?;
            context.update(piece);
            writer.write_all(piece).await.map_err(StorageError::File)?;
        }
        writer.flush().await.map_err(StorageError::File)?;
        let sha256 = Sha256::from_digest(&context.finish());
        if self.head.sha256.is_some_and(|recorded| recorded != sha256) {
            return Err(StorageError::ObjectAltered);
        }
        Ok(sha256)
    }

    /// Reads it whole. It fails as [`ObjectBody::write_to`] does.
    pub async fn into_bytes(self, limit: u64) -> Result<Vec<u8>, StorageError> {
        let mut bytes = Vec::new();
        self.write_to(&mut bytes, limit).await?;
        Ok(bytes)
    }
}
