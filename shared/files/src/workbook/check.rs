//! Looks through a workbook's XML before it is parsed, so that parsing it takes bounded memory.
//!
//! Every member is unpacked once and counted. Marketplaces' and spreadsheet programs' XML has no document type, no comments
//! and no CDATA, so that XML with any of them is refused, and with it all entities.

use std::path::Path;

use crate::archive::Archive;
use crate::error::FileError;
use crate::limits::{MAX_CELL, MAX_SHARED_STRINGS};

/// Checks a workbook's members.
pub fn check(archive: &mut Archive) -> Result<(), FileError> {
    // The parser holds everything but sheets in memory.
    let mut held: u64 = 0;
    for member in 0..archive.len() {
        let mut cells = CellLengths::default();
        archive.read(member, |name, piece| {
            // A workbook's parts are found in any case.
            let name = name.to_ascii_lowercase();
            let is_sheet = name.starts_with("xl/worksheets/");
            if !is_sheet {
                held += piece.len() as u64;
            }
            if held > MAX_SHARED_STRINGS {
                return Err(FileError::Bomb { what: "more than 64 MB of texts" });
            }
            let is_xml =
                name.starts_with("xl/") && Path::new(&name).extension().is_some_and(|it| it == "xml");
            if is_sheet || is_xml { cells.read(piece, is_sheet) } else { Ok(()) }
        })?;
    }
    Ok(())
}

fn odd_xml() -> FileError {
    FileError::Archive {
        problem: "is a workbook with XML that no spreadsheet program writes",
        advice: "save it as XLSX in a spreadsheet program",
    }
}

/// Measures how far the cells of a sheet lie apart.
#[derive(Default)]
struct CellLengths {
    /// The beginning of the tag that is being read, if one is.
    tag: Option<Vec<u8>>,
    since_cell: usize,
    has_ended: bool,
}

impl CellLengths {
    fn read(&mut self, piece: &[u8], is_sheet: bool) -> Result<(), FileError> {
        for byte in piece {
            self.since_cell += 1;
            match (&mut self.tag, byte) {
                (_, b'<') => self.tag = Some(Vec::new()),
                (Some(tag), b'!') if tag.is_empty() => return Err(odd_xml()),
                (_, 0) => return Err(odd_xml()), // UTF-16, in which the tags could not be seen
                (Some(tag), b' ' | b'>' | b'/' | b'\n' | b'\r' | b'\t') if !tag.is_empty() => self.end_tag(),
                (Some(tag), byte) if tag.len() < 32 => tag.push(*byte),
                (Some(_), _) => self.tag = None,
                (None, _) => {}
            }
            if is_sheet && self.since_cell > MAX_CELL && !self.has_ended {
                return Err(FileError::Bomb { what: "a cell of more than 512 kB" });
            }
        }
        Ok(())
    }

    fn end_tag(&mut self) {
        let tag = self.tag.take().unwrap_or_default();
        match tag.rsplit(|byte| *byte == b':').next() {
            Some(b"c" | b"row") => self.since_cell = 0,
            // What follows the cells is not read.
            Some(b"sheetData") if tag.first() == Some(&b'/') => self.has_ended = true,
            Some(b"/sheetData") => self.has_ended = true,
            _ => {}
        }
    }
}
