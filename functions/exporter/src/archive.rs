//! Everything of a seller in one file: a ZIP archive with a CSV file of each list, then the documents and imported files themselves, and
//! a manifest that says what they hold and what is left out. Like a single list, it is stored part by part; what the next part needs of
//! those before is a [`Progress`], which is noted with each part.

use api::exportable::{EXPORTABLE, Exportable};
use chrono::{DateTime, Utc};
use flate2::Compression;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::contents::Contents;
use crate::digest::Digest;
use crate::error::ExportError;
use crate::file::lines;
use crate::manifest::Manifest;
use crate::store::Export;
use crate::stored_file::{PageStart, StoredFile};
use crate::zip::{Directory, Entry};

/// The largest archive: as many bytes as its row allows (`storage_objects.size`).
pub const MAX_ARCHIVE_BYTES: i64 = 40 << 30;
/// Room for the directory, the manifest and what deflating adds to files that do not shrink.
const ROOM_FOR_THE_END: u64 = 128 << 20;
/// The largest stored file. Sizes in the archive have 32 bits.
const MAX_STORED_FILE_BYTES: u64 = 4_000_000_000;
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
    /// The list whose next page comes; `None` after the last one, when the documents and imported files come.
    list: Option<String>,
    /// Bytes so far.
    bytes: u64,
    /// The files of lists so far. The last one may be unfinished.
    files: Vec<ListFile>,
    is_open: bool,
    contents: Contents,
    directory: Directory,
}

/// What an archive needs next.
#[derive(Debug)]
pub enum Step {
    /// The next page of a list.
    Page(&'static Exportable),
    /// The next stored files.
    Files(PageStart),
    /// The next piece of a stored file, of which so many bytes are here.
    Piece(StoredFile, u64),
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
            None => Progress {
                list: Some(EXPORTABLE[0].name.to_owned()),
                bytes: 0,
                files: Vec::new(),
                is_open: false,
                contents: Contents::default(),
                directory: Directory::default(),
            },
        };
        Ok(Self { progress, part: Vec::new(), rows: 0 })
    }

    /// What it needs next.
    pub fn next(&mut self) -> Result<Step, ExportError> {
        if let Some(list) = &self.progress.list {
            return Ok(Step::Page(Exportable::named(list).ok_or(ExportError::UnknownList)?));
        }
        while let Some((file, from)) = self.progress.contents.next() {
            if from > 0 || self.has_room_for(&file) {
                return Ok(Step::Piece(file, from));
            }
            self.progress.contents.leave_out(&file);
        }
        Ok(Step::Files(self.progress.contents.page_start()))
    }

    /// Whether a stored file fits in, with the directory and the manifest behind it. What does not fit holds nothing up: the lists
    /// and the other files are worth having.
    fn has_room_for(&self, file: &StoredFile) -> bool {
        let room = MAX_ARCHIVE_BYTES.unsigned_abs().saturating_sub(self.progress.bytes + ROOM_FOR_THE_END);
        self.progress.directory.has_room() && file.size <= MAX_STORED_FILE_BYTES.min(room)
    }

    /// Adds a page of the list at hand.
    pub fn add_page(
        &mut self,
        list: &'static Exportable,
        rows: &[Map<String, Value>],
        is_last_page: bool,
    ) -> Result<(), ExportError> {
        let (is_new, now) = (!self.progress.is_open, Utc::now());
        if is_new {
            self.begin(list, now);
        }
        let content = lines(list, is_new, rows)?;
        let file = self.progress.files.last_mut().ok_or(ExportError::Noted)?;
        file.digest.update(&content)?;
        file.rows += rows.len() as u64;
        file.read_until = now;
        let bytes = file.entry.add(&content, Compression::fast())?;
        let is_full = file.rows >= MAX_ROWS || file.entry.size >= MAX_FILE_BYTES;
        self.put(&bytes);
        self.rows += i64::try_from(rows.len()).unwrap_or_default();
        if is_last_page || is_full {
            self.end()?;
        }
        if is_last_page {
            let after = EXPORTABLE.iter().skip_while(|other| other.name != list.name).nth(1);
            self.progress.list = after.map(|next| next.name.to_owned());
        }
        Ok(())
    }

    /// Adds the stored files that come next. Returns whether the archive is whole, which it is when there are none.
    pub fn add_files(&mut self, export: &Export, files: Vec<StoredFile>) -> Result<bool, ExportError> {
        let is_whole = files.is_empty();
        let ended = self.progress.contents.expect(files);
        self.put_ended(ended)?;
        if is_whole {
            self.finish(export, Utc::now())?;
        }
        Ok(is_whole)
    }

    /// Adds the next piece of the stored file at hand: empty at its end, `None` when it is not in the bucket.
    pub fn add_piece(&mut self, bytes: Option<&[u8]>) -> Result<(), ExportError> {
        let (bytes, ended) = self.progress.contents.add(bytes, self.progress.bytes)?;
        self.put(&bytes);
        self.put_ended(ended)
    }

    /// Whether the documents and imported files come now.
    pub fn has_all_lists(&self) -> bool {
        self.progress.list.is_none()
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

    fn begin(&mut self, list: &Exportable, now: DateTime<Utc>) {
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
        self.put(&bytes);
    }

    fn end(&mut self) -> Result<(), ExportError> {
        let file = self.progress.files.last_mut().ok_or(ExportError::Noted)?;
        let ended = file.entry.clone();
        self.progress.is_open = false;
        self.put_ended(Some(ended))
    }

    /// Ends a file of the archive.
    fn put_ended(&mut self, entry: Option<Entry>) -> Result<(), ExportError> {
        let Some(mut entry) = entry else { return Ok(()) };
        let bytes = entry.end()?;
        self.progress.directory.add(&entry)?;
        self.put(&bytes);
        Ok(())
    }

    /// Adds the manifest and the directory.
    fn finish(&mut self, export: &Export, now: DateTime<Utc>) -> Result<(), ExportError> {
        let (mut entry, header) = Entry::begin("manifest.json".to_owned(), self.progress.bytes, now);
        let manifest = Manifest::of(export, &self.progress.files, &self.progress.contents, now)?.to_json();
        let content = entry.add(&manifest, Compression::fast())?;
        self.put(&header);
        self.put(&content);
        self.put_ended(Some(entry))?;
        let end = self.progress.directory.end(self.progress.bytes);
        self.put(&end);
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) {
        self.progress.bytes += bytes.len() as u64;
        self.part.extend(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An archive whose lists are in it, with so much room for files, and what it needs next of these files.
    fn next(room: u64, files: &[StoredFile]) -> (Archive, Step) {
        let mut archive = Archive::go_on(None).unwrap();
        archive.progress.list = None;
        archive.progress.bytes = MAX_ARCHIVE_BYTES.unsigned_abs() - ROOM_FOR_THE_END - room;
        archive.progress.contents.expect(files.to_vec());
        let step = archive.next().unwrap();
        (archive, step)
    }

    #[test]
    fn a_file_without_room_is_named_and_the_next_one_is_taken() {
        let (large, small) = (StoredFile::of_size(101), StoredFile::of_size(100));
        let (archive, step) = next(100, &[large.clone(), small.clone()]);
        assert!(matches!(&step, Step::Piece(file, 0) if file.id == small.id), "{step:?}");
        let imports = &archive.progress.contents.imports;
        assert_eq!((imports.incomplete, imports.incomplete_ids.as_slice()), (1, &[large.id][..]));

        // After the last one comes a look for more, behind it.
        let (archive, step) = next(100, std::slice::from_ref(&large));
        assert!(
            matches!(step, Step::Files(PageStart { after, open: None }) if after == Some(large.id)),
            "{step:?}"
        );
        assert_eq!(archive.progress.contents.imports.files, 0);
    }

    #[test]
    fn a_file_whose_size_has_no_32_bits_is_left_out() {
        let (archive, step) = next(1 << 35, &[StoredFile::of_size(MAX_STORED_FILE_BYTES + 1)]);
        assert!(matches!(step, Step::Files(_)), "{step:?}");
        assert_eq!(archive.progress.contents.imports.incomplete, 1);
        let (_, step) = next(1 << 35, &[StoredFile::of_size(MAX_STORED_FILE_BYTES)]);
        assert!(matches!(step, Step::Piece(..)), "{step:?}");
    }
}
