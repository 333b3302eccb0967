//! A part of an open file that several readers read at once, each at its own position.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

/// Bytes of a file.
#[derive(Debug, Clone)]
pub struct Blob {
    file: Arc<File>,
    start: u64,
    len: u64,
}

impl Blob {
    /// The whole of a file.
    pub fn whole(file: File) -> io::Result<Self> {
        let len = file.metadata()?.len();
        Ok(Self { file: Arc::new(file), start: 0, len })
    }

    /// A part of these bytes; what lies beyond the end is cut off.
    pub fn part(&self, start: u64, len: u64) -> Self {
        let start = start.min(self.len);
        Self { file: Arc::clone(&self.file), start: self.start + start, len: len.min(self.len - start) }
    }

    pub fn len(&self) -> u64 {
        self.len
    }

    pub fn reader(&self) -> BlobReader {
        BlobReader { blob: self.clone(), at: 0 }
    }

    /// The first bytes, at most so many.
    pub fn head(&self, most: u64) -> io::Result<Vec<u8>> {
        let mut head = Vec::new();
        self.part(0, most).reader().read_to_end(&mut head)?;
        Ok(head)
    }
}

/// Reads a [`Blob`].
#[derive(Debug)]
pub struct BlobReader {
    blob: Blob,
    at: u64,
}

impl Read for BlobReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.blob.len.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(left);
        let read = self.blob.file.read_at(&mut buffer[..wanted], self.blob.start + self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for BlobReader {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.blob.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
