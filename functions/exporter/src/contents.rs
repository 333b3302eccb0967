//! The content of documents and imported files in an archive, piece by piece.

use std::collections::VecDeque;

use chrono::Utc;
use flate2::Compression;
use robnu_storage::objects::ContentType;
use robnu_tenancy::ObjectId;
use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::error::ExportError;
use crate::stored_file::{Folder, PageStart, StoredFile};
use crate::zip::Entry;

/// How many incomplete files are named; all are counted.
const NAMED: usize = 1_000;

/// What an archive holds of stored files.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Contents {
    /// The last file that is done with.
    after: Option<ObjectId>,
    /// The file of which a part is in the archive, and the rest is not.
    open: Option<Open>,
    /// Documents.
    pub documents: Counted,
    /// Imported files.
    pub imports: Counted,
    /// The files that come next. They are looked up again by whoever goes on.
    #[serde(skip)]
    upcoming: VecDeque<StoredFile>,
}

/// An unfinished file.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Open {
    id: ObjectId,
    folder: Folder,
    entry: Entry,
    digest: Digest,
}

/// The files of a folder that are done with.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Counted {
    /// How many are whole.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many are not: they were not in the bucket, their bytes were others than their row says, or the archive was full.
    pub incomplete: u64,
    /// The first of those.
    pub incomplete_ids: Vec<ObjectId>,
}

impl Contents {
    /// The file whose next piece comes, and how many of its bytes are here; `None` when the next files must be looked up.
    pub fn next(&self) -> Option<(StoredFile, u64)> {
        let from = self.open.as_ref().map_or(0, |open| open.entry.size.into());
        Some((self.upcoming.front()?.clone(), from))
    }

    /// Where the next page of files begins.
    pub fn page_start(&self) -> PageStart {
        PageStart { after: self.after, open: self.open.as_ref().map(|open| open.id) }
    }

    /// Leaves the next file out, because the archive has no room for it.
    pub fn leave_out(&mut self, file: &StoredFile) {
        self.done_with(file, false);
    }

    /// Takes the files that come next. Returns the unfinished file if it is not among them any more, because it was deleted in the
    /// meantime: it ends where it is.
    pub fn expect(&mut self, files: Vec<StoredFile>) -> Option<Entry> {
        self.upcoming = files.into();
        let next = self.upcoming.front().map(|file| file.id);
        let open = self.open.take_if(|open| next != Some(open.id))?;
        self.after = Some(open.id);
        self.counted(open.folder).lack(open.id);
        Some(open.entry)
    }

    /// Adds the next piece, which is empty at the end of its file and `None` when the file is not in the bucket. The archive has `at`
    /// bytes so far. Returns the bytes for it, and the file's entry if it ends here.
    pub fn add(&mut self, bytes: Option<&[u8]>, at: u64) -> Result<(Vec<u8>, Option<Entry>), ExportError> {
        let file = self.upcoming.front().cloned().ok_or(ExportError::Noted)?;
        let Some(bytes) = bytes else {
            let begun = self.open.take();
            self.done_with(&file, false);
            return Ok((Vec::new(), begun.map(|open| open.entry)));
        };
        let mut added = Vec::new();
        let mut open = if let Some(open) = self.open.take() {
            open
        } else {
            let (entry, header) = Entry::begin(file.name(), at, Utc::now());
            added = header;
            Open { id: file.id, folder: file.folder, entry, digest: Digest::default() }
        };
        open.digest.update(bytes)?;
        added.extend(open.entry.add(bytes, compression(file.content))?);
        // It ends with the bytes that its row counts: whoever went on behind them would find nothing there.
        if !bytes.is_empty() && u64::from(open.entry.size) < file.size {
            self.open = Some(open);
            return Ok((added, None));
        }
        self.done_with(&file, open.digest.hex()? == file.sha256.to_string());
        Ok((added, Some(open.entry)))
    }

    fn done_with(&mut self, file: &StoredFile, is_whole: bool) {
        self.upcoming.pop_front();
        self.after = Some(file.id);
        let counted = self.counted(file.folder);
        if is_whole {
            counted.files += 1;
            counted.bytes += file.size;
        } else {
            counted.lack(file.id);
        }
    }

    fn counted(&mut self, folder: Folder) -> &mut Counted {
        match folder {
            Folder::Documents => &mut self.documents,
            Folder::Imports => &mut self.imports,
        }
    }
}

impl Counted {
    fn lack(&mut self, id: ObjectId) {
        self.incomplete += 1;
        if self.incomplete_ids.len() < NAMED {
            self.incomplete_ids.push(id);
        }
    }
}

/// Tables shrink; papers, pictures, films and workbooks are compressed already.
fn compression(content: ContentType) -> Compression {
    match content {
        ContentType::Csv | ContentType::Tsv | ContentType::Text | ContentType::Xls => Compression::fast(),
        _ => Compression::none(),
    }
}
