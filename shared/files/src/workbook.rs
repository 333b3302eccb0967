//! Workbooks (XLSX): checked before they are read, and written to a temporary file row by row.
//!
//! Only cells are read: of a formula its last result, and nothing that a workbook links to. The size that a sheet states
//! for itself counts for nothing, because panels state it wrongly.

mod check;

use std::io::Write;

use calamine::{Data, DataRef, ExcelDateTime, Reader, Xlsx, XlsxError};
use csv::StringRecord;

use crate::blob::{Blob, BlobReader};
use crate::error::FileError;
use crate::limits::{MAX_COLUMNS, MAX_ROW, MAX_SHEETS};
use crate::spool::{Spool, encode};
use crate::text::too_wide;

pub use check::check;

/// From here on a spreadsheet program no longer keeps every digit.
const EXACT: f64 = 1e15;

/// A sheet's name and rows.
pub struct WorkbookSheet {
    pub name: String,
    pub rows: Blob,
}

/// Reads all sheets of a workbook that [`check()`] has passed.
pub fn sheets(blob: &Blob) -> Result<Vec<WorkbookSheet>, FileError> {
    let mut workbook: Xlsx<BlobReader> = Xlsx::new(blob.reader()).map_err(|error| damaged(&error))?;
    let names = workbook.sheet_names();
    if names.len() > MAX_SHEETS {
        return Err(FileError::Bomb { what: "more than 50 sheets" });
    }
    let mut sheets = Vec::new();
    for name in names {
        match spool(&mut workbook, &name) {
            Ok(rows) => sheets.push(WorkbookSheet { name, rows }),
            Err(Unread::NoCells) => {}
            Err(Unread::Refused(error)) => return Err(error),
        }
    }
    Ok(sheets)
}

enum Unread {
    /// A chart, or a sheet that nobody filled.
    NoCells,
    Refused(FileError),
}

impl From<FileError> for Unread {
    fn from(error: FileError) -> Self {
        Self::Refused(error)
    }
}

fn spool(workbook: &mut Xlsx<BlobReader>, name: &str) -> Result<Blob, Unread> {
    let mut cells = match workbook.worksheet_cells_reader(name) {
        Ok(cells) => cells,
        Err(XlsxError::NotAWorksheet(_) | XlsxError::WorksheetNotFound(_)) => return Err(Unread::NoCells),
        Err(error) => return Err(damaged(&error).into()),
    };
    let mut rows = SheetRows { spool: Spool::new().map_err(FileError::Io)?, row: Vec::new(), number: 0 };
    loop {
        match cells.next_cell() {
            Ok(Some(cell)) => rows.add(name, cell.get_position(), text(cell.get_value()))?,
            Ok(None) => break,
            Err(error) => return Err(damaged(&error).into()),
        }
    }
    rows.end_row(name)?;
    Ok(rows.spool.into_blob().map_err(FileError::Io)?)
}

/// Collects cells to rows.
struct SheetRows {
    spool: Spool,
    row: Vec<String>,
    /// The row that is being collected, from 1.
    number: u64,
}

impl SheetRows {
    fn add(&mut self, sheet: &str, (row, column): (u32, u32), text: String) -> Result<(), FileError> {
        let number = u64::from(row) + 1;
        if number != self.number {
            self.end_row(sheet)?;
            if number < self.number {
                return Err(FileError::Damaged { what: "order of the rows" });
            }
            self.number = number;
        }
        if text.is_empty() {
            return Ok(());
        }
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if column >= MAX_COLUMNS {
            return Err(too_wide(prefix(sheet), number));
        }
        if self.row.len() <= column {
            self.row.resize(column + 1, String::new());
        }
        self.row[column] = text;
        Ok(())
    }

    fn end_row(&mut self, sheet: &str) -> Result<(), FileError> {
        if self.row.is_empty() {
            return Ok(());
        }
        let mut bytes = Vec::new();
        encode(self.number, &StringRecord::from(std::mem::take(&mut self.row)), &mut bytes);
        if bytes.len() > MAX_ROW {
            let problem = "is longer than 1 MB; upload the report as the panel gives it";
            return Err(FileError::Row { sheet: prefix(sheet), row: self.number, problem });
        }
        self.spool.write_all(&bytes)?;
        Ok(())
    }
}

/// A sheet as the beginning of a message.
fn prefix(sheet: &str) -> String {
    format!("sheet {sheet}, ")
}

fn damaged(_: &XlsxError) -> FileError {
    FileError::Damaged { what: "workbook" }
}

/// A cell as text.
fn text(cell: &DataRef<'_>) -> String {
    match cell {
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number_text(*number),
        DataRef::Bool(flag) => if *flag { "TRUE" } else { "FALSE" }.to_owned(),
        DataRef::DateTime(date) => date_text(date),
        DataRef::Error(error) => Data::Error(error.clone()).to_string(),
        DataRef::Empty => String::new(),
    }
}

/// A number with the digits that a spreadsheet program shows. A whole number of more than 15 digits has lost some; it is
/// written with an exponent, so that it is not taken for an identifier.
fn number_text(number: f64) -> String {
    if number.abs() >= EXACT || !number.is_finite() {
        return format!("{number:E}").replace('E', "E+");
    }
    let text = number.to_string();
    if text.len() <= 15 {
        return if text == "-0" { "0".to_owned() } else { text };
    }
    // 15 significant digits, as 0.1 + 0.2 is shown.
    format!("{number:.14e}").parse::<f64>().map_or(text, |rounded| rounded.to_string())
}

/// A date as ISO 8601, with its time when it has one. A span of time has no date.
fn date_text(date: &ExcelDateTime) -> String {
    if !date.is_datetime() {
        return number_text(date.as_f64());
    }
    let (year, month, day, hour, minute, second, _) = date.to_ymd_hms_milli();
    let day = format!("{year:04}-{month:02}-{day:02}");
    if (hour, minute, second) == (0, 0, 0) { day } else { format!("{day} {hour:02}:{minute:02}:{second:02}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_out_as_they_are_shown() {
        for (number, text) in [
            (488.0, "488"),
            (33.29, "33.29"),
            (0.1 + 0.2, "0.3"),
            (-0.0, "0"),
            (-87.66, "-87.66"),
            (0.000_012, "0.000012"),
            (123_456_789_012_345.0, "123456789012345"),
            (7_000_000_009.0, "7000000009"),
            (4.384_621_357_497_39e17, "4.38462135749739E+17"),
        ] {
            assert_eq!(number_text(number), text);
        }
    }
}
