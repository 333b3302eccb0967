//! Everything of a seller in one file: a ZIP archive with a CSV file of each list, and a manifest that says what they hold and what
//! is left out. Like a single list, it is stored part by part; what the next part needs of those before is a [`Progress`], which is
//! noted with each part.

use api::exportable::{EXPORTABLE, Exportable};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::digest::Digest;
use crate::error::ExportError;
use crate::file::lines;
use crate::manifest::Manifest;
use crate::store::Export;
use crate::zip::{Entry, directory};

/// The largest archive whose places have 32 bits, with room for the directory.
pub const MAX_ARCHIVE_BYTES: i64 = 0xfff0_0000;
/// A list with more rows, or more bytes, has several files. Spreadsheets open 1,048,576 rows.
const MAX_ROWS: u64 = 1_000_000;
const MAX_FILE_BYTES: u32 = 1 << 30;

/// A file of a list in the archive.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ListFile {
    /// Its entry.
    pub entry: Entry,
    /// The list.
    pub list: String,
    /// Its rows so far, without the header.
    pub rows: u64,
    /// The digest of its content so far.
    pub digest: Digest,
    /// When the last page in it was read.
    pub read_until: DateTime<Utc>,
}

/// What is stored of an archive, as far as the next part depends on it.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Progress {
    /// The list whose next page comes.
    list: String,
    /// Bytes so far.
    bytes: u32,
    /// The files so far. The last one may be unfinished.
    files: Vec<ListFile>,
    is_open: bool,
}

/// The part of an archive that is not stored yet.
#[derive(Debug)]
pub struct Archive {
    progress: Progress,
    part: Vec<u8>,
    rows: i64,
}

impl Archive {
    /// An archive that goes on after its stored parts.
    pub fn go_on(noted: Option<&str>) -> Result<Self, ExportError> {
        let progress = match noted {
            Some(noted) => serde_json::from_str(noted).map_err(|_| ExportError::Noted)?,
            None => {
                Progress { list: EXPORTABLE[0].name.to_owned(), bytes: 0, files: Vec::new(), is_open: false }
            }
        };
        Ok(Self { progress, part: Vec::new(), rows: 0 })
    }

    /// The list whose next page comes.
    pub fn list(&self) -> Result<&'static Exportable, ExportError> {
        Exportable::named(&self.progress.list).ok_or(ExportError::UnknownList)
    }

    /// Adds a page of that list. Returns whether the archive is whole, which it is after the last page of the last list.
    pub fn add(
        &mut self,
        export: &Export,
        rows: &[Map<String, Value>],
        is_last_page: bool,
    ) -> Result<bool, ExportError> {
        let (list, now) = (self.list()?, Utc::now());
        let is_new = !self.progress.is_open;
        if is_new {
            self.begin(list, now)?;
        }
        let content = lines(list, is_new, rows)?;
        let file = self.progress.files.last_mut().ok_or(ExportError::Noted)?;
        file.digest.update(&content)?;
        file.rows += rows.len() as u64;
        file.read_until = now;
        let bytes = file.entry.add(&content)?;
        let is_full = file.rows >= MAX_ROWS || file.entry.size >= MAX_FILE_BYTES;
        self.put(&bytes)?;
        self.rows += i64::try_from(rows.len()).unwrap_or_default();
        if is_last_page || is_full {
            self.end()?;
        }
        if !is_last_page {
            return Ok(false);
        }
        let after = EXPORTABLE.iter().skip_while(|other| other.name != list.name).nth(1);
        match after {
            Some(next) => next.name.clone_into(&mut self.progress.list),
            None => self.finish(export, now)?,
        }
        Ok(after.is_none())
    }

    /// Bytes that are not stored yet.
    pub fn len(&self) -> usize {
        self.part.len()
    }

    /// Takes the bytes that are not stored yet, the number of their rows, and what is to be noted with them.
    pub fn take(&mut self) -> Result<(Vec<u8>, i64, String), ExportError> {
        let noted = serde_json::to_string(&self.progress).map_err(|_| ExportError::Noted)?;
        Ok((std::mem::take(&mut self.part), std::mem::take(&mut self.rows), noted))
    }

    fn begin(&mut self, list: &Exportable, now: DateTime<Utc>) -> Result<(), ExportError> {
        let before = self.progress.files.iter().filter(|file| file.list == list.name).count();
        let number = if before == 0 { String::new() } else { format!("-{}", before + 1) };
        let name = format!("{}{number}.csv", list.name);
        let (entry, bytes) = Entry::begin(name, self.progress.bytes, now);
        let file = ListFile {
            entry,
            list: list.name.to_owned(),
            rows: 0,
            digest: Digest::default(),
            read_until: now,
        };
        self.progress.files.push(file);
        self.progress.is_open = true;
        self.put(&bytes)
    }

    fn end(&mut self) -> Result<(), ExportError> {
        let file = self.progress.files.last_mut().ok_or(ExportError::Noted)?;
        let bytes = file.entry.end()?;
        self.progress.is_open = false;
        self.put(&bytes)
    }

    /// Adds the manifest and the directory.
    fn finish(&mut self, export: &Export, now: DateTime<Utc>) -> Result<(), ExportError> {
        let (mut entry, header) = Entry::begin("manifest.json".to_owned(), self.progress.bytes, now);
        let manifest = Manifest::of(export, &self.progress.files, now)?.to_json();
        let (content, end) = (entry.add(&manifest)?, entry.end()?);
        for bytes in [header, content, end] {
            self.put(&bytes)?;
        }
        let entries = self.progress.files.iter().map(|file| &file.entry).chain([&entry]);
        let end = directory(entries, self.progress.bytes);
        self.part.extend(end);
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), ExportError> {
        let grown = u32::try_from(bytes.len()).ok().and_then(|more| self.progress.bytes.checked_add(more));
        self.progress.bytes = grown.ok_or(ExportError::TooLarge)?;
        self.part.extend(bytes);
        Ok(())
    }
}
