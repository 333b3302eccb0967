//! The file of an export as it grows: one list as CSV, or everything as an archive.

use api::exportable::{EVERYTHING, Exportable};
use serde_json::{Map, Value};

use crate::archive::{Archive, MAX_ARCHIVE_BYTES, Step};
use crate::error::ExportError;
use crate::file::{CsvFile, PART_BYTES};
use crate::store::Export;

/// The largest file that one request of S3 can copy, which the bucket's rows are bounded by.
const MAX_FILE_BYTES: i64 = 5 * 1024 * 1024 * 1024;
/// The size from which a part with contents of documents and imported files is stored. It is larger than [`PART_BYTES`] because an
/// upload has 10,000 parts at most, and each one is noted with all before it.
const CONTENT_PART_BYTES: usize = 16 * 1024 * 1024;

/// The part of a file that is not stored yet.
#[derive(Debug)]
pub enum Output {
    /// A list.
    List(CsvFile),
    /// Everything.
    Everything(Box<Archive>),
}

/// A part that is to be stored.
#[derive(Debug)]
pub struct Part {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The rows that they hold.
    pub rows: i64,
    /// What the next part needs to know, if it needs anything but where the next page begins.
    pub progress: Option<String>,
}

impl Output {
    /// The file of an export, after its stored parts.
    pub fn of(export: &Export) -> Result<Self, ExportError> {
        if export.list == EVERYTHING {
            return Ok(Self::Everything(Box::new(Archive::go_on(export.progress.as_deref())?)));
        }
        let list = Exportable::named(&export.list).ok_or(ExportError::UnknownList)?;
        Ok(Self::List(CsvFile::new(list, export.parts.is_empty())))
    }

    /// What the file needs next.
    pub fn next(&mut self) -> Result<Step, ExportError> {
        match self {
            Self::List(file) => Ok(Step::Page(file.list)),
            Self::Everything(archive) => archive.next(),
        }
    }

    /// Adds a page of a list. Returns whether the file is whole.
    pub fn add_page(
        &mut self,
        list: &'static Exportable,
        rows: &[Map<String, Value>],
        is_last_page: bool,
    ) -> Result<bool, ExportError> {
        match self {
            Self::List(file) => file.add(rows).map(|()| is_last_page),
            Self::Everything(archive) => archive.add_page(list, rows, is_last_page).map(|()| false),
        }
    }

    /// The archive, which alone asks for stored files.
    pub fn archive(&mut self) -> Result<&mut Archive, ExportError> {
        match self {
            Self::Everything(archive) => Ok(archive),
            Self::List(_) => Err(ExportError::Noted),
        }
    }

    /// Whether what is not stored yet is large enough for a part.
    pub fn fills_a_part(&self) -> bool {
        self.len()
            >= match self {
                Self::Everything(archive) if archive.has_all_lists() => CONTENT_PART_BYTES,
                _ => PART_BYTES,
            }
    }

    /// Whether what is not stored yet may be a part, which it need not be as large for as [`Self::fills_a_part`] says.
    pub fn may_be_a_part(&self) -> bool {
        self.len() >= PART_BYTES
    }

    fn len(&self) -> usize {
        match self {
            Self::List(file) => file.len(),
            Self::Everything(archive) => archive.len(),
        }
    }

    /// Takes what is not stored yet.
    pub fn take(&mut self) -> Result<Part, ExportError> {
        match self {
            Self::List(file) => {
                let (bytes, rows) = file.take();
                Ok(Part { bytes, rows, progress: None })
            }
            Self::Everything(archive) => {
                let (bytes, rows, progress) = archive.take()?;
                Ok(Part { bytes, rows, progress: Some(progress) })
            }
        }
    }
}

/// The largest file of an export.
pub fn max_bytes(list: &str) -> i64 {
    if list == EVERYTHING { MAX_ARCHIVE_BYTES } else { MAX_FILE_BYTES }
}
