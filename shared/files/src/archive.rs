//! ZIP archives: what is in one, how much it unpacks to, and its members as temporary files.
//!
//! Nothing is unpacked by name, so a member's path cannot lead anywhere.

use std::io::{self, Read, Write};

use zip::ZipArchive;
use zip::result::ZipError;

use crate::blob::{Blob, BlobReader};
use crate::error::FileError;
use crate::limits::{MAX_MEMBERS, MAX_RATIO, MAX_UNPACKED, RATIO_FROM};
use crate::spool::Spool;

const CHUNK: usize = 1 << 16;

/// An archive, and how much of it has been unpacked.
pub struct Archive {
    zip: ZipArchive<BlobReader>,
    packed: u64,
    unpacked: u64,
}

/// What an archive is, by the names of its members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contents {
    /// A workbook (XLSX).
    Workbook,
    /// Files.
    Files,
}

impl Archive {
    pub fn open(blob: &Blob) -> Result<Self, FileError> {
        let zip = ZipArchive::new(blob.reader()).map_err(damaged)?;
        if zip.len() > MAX_MEMBERS {
            return Err(FileError::Bomb { what: "more than 1,000 members" });
        }
        Ok(Self { zip, packed: blob.len(), unpacked: 0 })
    }

    pub fn contents(&self) -> Result<Contents, FileError> {
        let names: Vec<_> = self.zip.file_names().collect::<Result<_, _>>().map_err(damaged)?;
        let has = |name: &str| names.iter().any(|member| member.eq_ignore_ascii_case(name));
        if has("xl/vbaProject.bin") {
            return Err(FileError::Archive {
                problem: "is a workbook with macros",
                advice: "save it as XLSX, which has none",
            });
        }
        if has("xl/workbook.bin") || has("content.xml") {
            return Err(FileError::Archive {
                problem: "is a workbook of another form (XLSB or ODS)",
                advice: "save it as XLSX or CSV in a spreadsheet program",
            });
        }
        Ok(if has("xl/workbook.xml") { Contents::Workbook } else { Contents::Files })
    }

    pub fn len(&self) -> usize {
        self.zip.len()
    }

    /// Counts on from what an outer archive has unpacked, because the limits hold for both together.
    pub fn begin_with(&mut self, outer: &Self) {
        self.unpacked = outer.unpacked;
        self.packed = outer.packed;
    }

    /// Counts on from what an inner archive has unpacked.
    pub fn end_with(&mut self, inner: &Self) {
        self.unpacked = inner.unpacked;
    }

    /// Reads a member piece by piece, within the limits.
    pub fn read(
        &mut self,
        member: usize,
        mut piece: impl FnMut(&str, &[u8]) -> Result<(), FileError>,
    ) -> Result<(), FileError> {
        let mut file = self.zip.by_index(member).map_err(damaged)?;
        if file.is_dir() {
            return Ok(());
        }
        let name = file.name().map_err(damaged)?.into_owned();
        let mut buffer = vec![0; CHUNK];
        loop {
            let read = file.read(&mut buffer).map_err(unreadable)?;
            if read == 0 {
                return Ok(());
            }
            self.unpacked += read as u64;
            if self.unpacked > MAX_UNPACKED {
                return Err(FileError::Bomb { what: "more than 512 MB" });
            }
            if self.unpacked > RATIO_FROM && self.unpacked / self.packed.max(1) > MAX_RATIO {
                return Err(FileError::Bomb { what: "more than 250 times its size" });
            }
            piece(&name, &buffer[..read])?;
        }
    }

    /// Unpacks a member to a temporary file; `None` for a folder, an empty file, and what programs add of their own.
    pub fn unpack(&mut self, member: usize) -> Result<Option<Blob>, FileError> {
        let mut spool = Spool::new()?;
        let mut is_added = false;
        self.read(member, |name, piece| {
            is_added = is_added || name.starts_with("__MACOSX/") || name.ends_with(".DS_Store");
            spool.write_all(piece).map_err(FileError::Io)
        })?;
        Ok((!is_added && spool.written() > 0).then(|| spool.into_blob()).transpose()?)
    }
}

fn damaged(error: ZipError) -> FileError {
    match error {
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) | ZipError::InvalidPassword => {
            FileError::Archive {
                problem: "is protected by a password",
                advice: "unpack it, and upload the files in it",
            }
        }
        ZipError::UnsupportedArchive(_) => FileError::Archive {
            problem: "is packed by a method that is not read",
            advice: "unpack it, and upload the files in it",
        },
        ZipError::Io(error) => unreadable(error),
        _ => FileError::Damaged { what: "archive" },
    }
}

/// Whoever packs badly must not look like a disk that fails.
fn unreadable(error: io::Error) -> FileError {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput | io::ErrorKind::UnexpectedEof => {
            FileError::Damaged { what: "member of the archive" }
        }
        _ if error.raw_os_error().is_none() => FileError::Damaged { what: "member of the archive" },
        _ => FileError::Io(error),
    }
}
