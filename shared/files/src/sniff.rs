//! A file's form, by its first bytes. Names say nothing: panels hand out HTML as `.xls` and tabs as `.csv`.

use crate::blob::Blob;
use crate::error::FileError;

/// The forms that are looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A ZIP archive, which a workbook is too.
    Zip,
    /// Text, as far as its beginning shows.
    Text,
}

const SAVE_AS_XLSX: &str = "save it as XLSX or CSV in a spreadsheet program";
const OTHER_FILE: &str = "upload the report as CSV, XLSX or ZIP";

/// Forms that are known and not read.
const REFUSED: &[(&[u8], &str, &str)] = &[
    (b"%PDF", "a PDF document", OTHER_FILE),
    (
        b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
        "a workbook of the old form (XLS), or one that is protected by a password",
        "remove the password, or save it as XLSX or CSV in a spreadsheet program",
    ),
    (b"\x1F\x8B", "packed with GZIP", "unpack it first"),
    (b"Rar!", "a RAR archive", "unpack it first"),
    (b"7z\xBC\xAF\x27\x1C", "a 7z archive", "unpack it first"),
    (b"PK\x05\x06", "an archive without members", "download it again"),
    (b"\x89PNG", "a picture", OTHER_FILE),
    (b"\xFF\xD8\xFF", "a picture", OTHER_FILE),
];

/// Returns the form of a file.
pub fn form(blob: &Blob) -> Result<Form, FileError> {
    let head = blob.head(512)?;
    if head.starts_with(b"PK\x03\x04") {
        return Ok(Form::Zip);
    }
    if let Some((_, found, advice)) = REFUSED.iter().find(|(magic, ..)| head.starts_with(magic)) {
        return Err(FileError::NotATable { found, advice });
    }
    let text = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&head).trim_ascii_start();
    match text.first() {
        None if head.len() < 512 => Err(FileError::Empty),
        Some(b'<') => Err(FileError::NotATable { found: "HTML or XML", advice: SAVE_AS_XLSX }),
        Some(b'{' | b'[') => Err(FileError::NotATable { found: "JSON", advice: OTHER_FILE }),
        _ => Ok(Form::Text),
    }
}
