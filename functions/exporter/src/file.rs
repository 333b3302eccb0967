//! The file of a list as it grows: CSV as in RFC 4180 (commas, CRLF, quotes where they are needed). It is UTF-8 and begins with a byte
//! order mark, without which Excel reads it as Windows-1252 and garbles every Indian script.

use std::borrow::Cow;

use api::exportable::Exportable;
use csv::{Terminator, WriterBuilder};
use serde_json::{Map, Value};

use crate::cell::cell;
use crate::error::ExportError;

/// The size from which a part is stored. S3 requires 5 MiB of every part but the last. With a page of rows on top, this is all
/// that an export holds in memory.
pub const PART_BYTES: usize = 5 * 1024 * 1024;

const BYTE_ORDER_MARK: &str = "\u{feff}";

/// The part of a file that is not stored yet.
#[derive(Debug)]
pub struct CsvFile {
    /// The list.
    pub list: &'static Exportable,
    is_new: bool,
    part: Vec<u8>,
    rows: i64,
}

impl CsvFile {
    /// A file of a list that goes on after its stored parts; a new one begins with the header.
    #[must_use]
    pub fn new(list: &'static Exportable, is_new: bool) -> Self {
        Self { list, is_new, part: Vec::new(), rows: 0 }
    }

    /// Adds rows.
    pub fn add(&mut self, rows: &[Map<String, Value>]) -> Result<(), ExportError> {
        self.part.extend(lines(self.list, self.is_new, rows)?);
        self.is_new = false;
        self.rows += i64::try_from(rows.len()).unwrap_or_default();
        Ok(())
    }

    /// Bytes that are not stored yet.
    #[must_use]
    pub fn len(&self) -> usize {
        self.part.len()
    }

    /// Whether everything is stored.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.part.is_empty()
    }

    /// Takes the bytes that are not stored yet, and the number of their rows.
    pub fn take(&mut self) -> (Vec<u8>, i64) {
        (std::mem::take(&mut self.part), std::mem::take(&mut self.rows))
    }
}

/// The lines of rows; at the beginning of a file with the header before them.
pub fn lines(list: &Exportable, is_new: bool, rows: &[Map<String, Value>]) -> Result<Vec<u8>, ExportError> {
    let begun = if is_new { BYTE_ORDER_MARK.as_bytes().to_vec() } else { Vec::new() };
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(begun);
    if is_new {
        writer.write_record(list.columns)?;
    }
    for row in rows {
        for column in list.columns {
            writer.write_field(field(row, column).as_bytes())?;
        }
        writer.write_record(None::<&[u8]>)?;
    }
    Ok(writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?)
}

/// The cell of a column, whose name has a dot where a field is inside another.
fn field<'a>(row: &'a Map<String, Value>, column: &str) -> Cow<'a, str> {
    let mut names = column.split('.');
    let first = names.next().and_then(|name| row.get(name));
    let value = names.fold(first, |value, name| value.and_then(|value| value.get(name)));
    value.map_or(Cow::Borrowed(""), cell)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_file_has_a_header_and_a_line_for_each_row_in_whatever_parts() {
        let list = Exportable::named("runs").unwrap();
        let row = |value: Value| value.as_object().unwrap().clone();
        let mut file = CsvFile::new(list, true);
        file.add(&[row(json!({"run_id": "a, \"b\"\nc", "error": {"code": "x", "message": null}}))]).unwrap();
        let (mut bytes, rows) = file.take();
        assert_eq!(rows, 1);
        assert!(file.is_empty());
        file.add(&[row(json!({"run_id": "=1", "error": null, "counts": [{"added": 1}]}))]).unwrap();
        bytes.extend(file.take().0);
        let text = String::from_utf8(bytes).unwrap();
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert!(lines[0].starts_with("\u{feff}run_id,account_id,kind,"), "{text}");
        assert!(lines[1].starts_with("\"a, \"\"b\"\"\nc\",,,"), "{text}");
        assert!(lines[1].contains(",x,,"), "{text}");
        assert!(lines[2].starts_with("'=1,"), "{text}");
        assert!(lines[2].contains("\"[{\"\"added\"\":1}]\""), "{text}");
        assert_eq!((lines.len(), lines[3]), (4, ""));
    }
}
