//! A file that was opened: its sheets, wherever they come from.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use crate::archive::{Archive, Contents};
use crate::blob::Blob;
use crate::error::FileError;
use crate::limits::{MAX_FILE, MAX_SHEETS};
use crate::sniff::{Form, form};
use crate::spool::{RawRow, SpoolReader};
use crate::text::{TextRows, TextTable};
use crate::workbook;

/// An opened file.
#[derive(Debug)]
pub struct Upload {
    sheets: Vec<Sheet>,
}

/// A table in a file: a text, or a sheet of a workbook.
#[derive(Debug, Clone)]
pub struct Sheet {
    label: Arc<str>,
    content: Content,
}

#[derive(Debug, Clone)]
enum Content {
    Text(TextTable),
    Rows(Blob),
}

/// Opens a file by its content, whatever its name. A workbook's sheets, and an archive's files, are written to temporary
/// files without names.
///
/// # Errors
/// Refuses files that are no tables, that are too large, or that are built to do harm; see [`FileError`].
pub fn open(path: &Path) -> Result<Upload, FileError> {
    let blob = Blob::whole(File::open(path)?)?;
    if blob.len() > MAX_FILE {
        return Err(FileError::TooLarge { limit_mb: MAX_FILE >> 20 });
    }
    let sheets = match form(&blob)? {
        Form::Text => vec![text("", &blob)?],
        Form::Zip => {
            let mut archive = Archive::open(&blob)?;
            match archive.contents()? {
                Contents::Workbook => workbook("", &blob, &mut archive)?,
                Contents::Files => files(&mut archive)?,
            }
        }
    };
    Ok(Upload { sheets })
}

impl Upload {
    /// The tables in the file, in its order.
    #[must_use]
    pub fn sheets(&self) -> &[Sheet] {
        &self.sheets
    }
}

impl Sheet {
    /// How messages name the sheet: empty for a file that is one text, `file 2, Orders` for a workbook's sheet in an archive.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    pub(crate) fn shared_label(&self) -> Arc<str> {
        Arc::clone(&self.label)
    }

    pub(crate) fn raw_rows(&self) -> RawRows {
        match &self.content {
            Content::Text(table) => RawRows::Text(Box::new(table.rows())),
            Content::Rows(blob) => RawRows::Spooled(SpoolReader::new(blob)),
        }
    }
}

/// Reads a sheet's rows as they stand in the file.
pub(crate) enum RawRows {
    Text(Box<TextRows>),
    Spooled(SpoolReader),
}

impl RawRows {
    /// Reads a row; `false` at the end.
    pub(crate) fn read(&mut self, row: &mut RawRow) -> Result<bool, FileError> {
        match self {
            Self::Text(rows) => rows.read(row),
            Self::Spooled(rows) => Ok(rows.read(row)?),
        }
    }
}

fn text(label: &str, blob: &Blob) -> Result<Sheet, FileError> {
    Ok(Sheet { label: label.into(), content: Content::Text(TextTable::detect(blob)?) })
}

fn workbook(file: &str, blob: &Blob, archive: &mut Archive) -> Result<Vec<Sheet>, FileError> {
    workbook::check(archive)?;
    let label = |name: &str| if file.is_empty() { name.into() } else { format!("{file}, {name}").into() };
    let sheets = workbook::sheets(blob)?.into_iter();
    Ok(sheets.map(|sheet| Sheet { label: label(&sheet.name), content: Content::Rows(sheet.rows) }).collect())
}

/// Reads an archive's files, one level deep. A file that is no table, such as a picture, is left out beside tables.
fn files(archive: &mut Archive) -> Result<Vec<Sheet>, FileError> {
    let mut sheets = Vec::new();
    let mut refused = None;
    for member in 0..archive.len() {
        let Some(blob) = archive.unpack(member)? else { continue };
        let label = format!("file {}", member + 1);
        match member_sheets(&label, &blob, archive) {
            Ok(more) => sheets.extend(more),
            Err(error @ (FileError::NotATable { .. } | FileError::Empty)) => refused = Some(error),
            Err(error) => return Err(error),
        }
        if sheets.len() > MAX_SHEETS {
            return Err(FileError::Bomb { what: "more than 50 tables" });
        }
    }
    match refused {
        Some(error) if sheets.is_empty() => Err(error),
        None if sheets.is_empty() => Err(FileError::Empty),
        _ => Ok(sheets),
    }
}

fn member_sheets(label: &str, blob: &Blob, outer: &mut Archive) -> Result<Vec<Sheet>, FileError> {
    match form(blob)? {
        Form::Text => Ok(vec![text(label, blob)?]),
        Form::Zip => {
            let mut archive = Archive::open(blob)?;
            match archive.contents()? {
                Contents::Workbook => {
                    archive.begin_with(outer);
                    let sheets = workbook(label, blob, &mut archive)?;
                    outer.end_with(&archive);
                    Ok(sheets)
                }
                Contents::Files => Err(FileError::Archive {
                    problem: "holds another archive",
                    advice: "unpack it, and upload the files in it",
                }),
            }
        }
    }
}
