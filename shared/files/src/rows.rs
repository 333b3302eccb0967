//! The rows of a table, one by one.

use std::fmt;
use std::sync::Arc;

use csv::StringRecord;

use crate::error::FileError;
use crate::kind::Kind;
use crate::recognise::Columns;
use crate::spool::RawRow;
use crate::upload::RawRows;

/// What all rows of a table share.
#[derive(Debug)]
pub(crate) struct TableInfo {
    pub(crate) kind: Kind,
    pub(crate) label: Arc<str>,
    pub(crate) header_row: u64,
    pub(crate) columns: Arc<Columns>,
}

/// A row of a table.
#[derive(Clone)]
pub struct Row {
    pub(crate) table: Arc<TableInfo>,
    pub(crate) number: u64,
    pub(crate) cells: StringRecord,
}

impl Row {
    /// How messages name the sheet; empty when the file has only one.
    #[must_use]
    pub fn sheet(&self) -> &str {
        &self.table.label
    }

    /// The line or row in the file, from 1.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// A column's cell without blanks around it; `None` when it is blank or the file has no such column. Of two columns with
    /// one name the first counts.
    #[must_use]
    pub fn get(&self, column: &str) -> Option<&str> {
        self.nth(column, 0)
    }

    /// The same for a later column of a name: 1 is the second.
    #[must_use]
    pub fn nth(&self, column: &str, occurrence: usize) -> Option<&str> {
        let cell = self.cells.get(self.table.columns.place(column, occurrence)?)?.trim();
        (!cell.is_empty()).then_some(cell)
    }

    /// The filled cells in the file's order, each with the name of its column: as its kind calls it, or as the header does.
    pub fn cells(&self) -> impl Iterator<Item = (String, &str)> {
        let cells = self.cells.iter().map(str::trim).enumerate().filter(|(_, cell)| !cell.is_empty());
        cells.map(|(place, cell)| (self.table.columns.label(place), cell))
    }

    /// Checks what holds for every row.
    ///
    /// # Errors
    /// Fails when the row has cells beyond the header's columns: one of its cells holds a delimiter, so that all after it stand
    /// under other names.
    pub fn check(&self) -> Result<(), RowError> {
        let is_filled = |cell: &str| !cell.trim().is_empty();
        if self.cells.iter().skip(self.table.columns.len()).any(is_filled) {
            return Err(self.problem(None, "has more cells than the header has columns"));
        }
        Ok(())
    }

    /// A problem of this row.
    #[must_use]
    pub fn problem(&self, column: Option<&str>, problem: &str) -> RowError {
        RowError {
            sheet: Arc::clone(&self.table.label),
            row: self.number,
            column: column.map(str::to_owned),
            problem: problem.to_owned(),
        }
    }
}

impl fmt::Debug for Row {
    /// Cells may hold a customer's data, so they stay out of logs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("sheet", &self.table.label)
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// What is wrong with a row. The message names sheet, row and column, and never repeats the cell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct RowError {
    /// How messages name the sheet; empty when the file has only one.
    pub sheet: Arc<str>,
    /// The line or row in the file, from 1.
    pub row: u64,
    /// The column, if one is at fault.
    pub column: Option<String>,
    /// What is wrong, as the end of a sentence.
    pub problem: String,
}

impl fmt::Display for RowError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.sheet.is_empty() {
            write!(f, "sheet {}, ", self.sheet)?;
        }
        write!(f, "row {}", self.row)?;
        if let Some(column) = &self.column {
            write!(f, ", column {column}")?;
        }
        write!(f, " {}", self.problem)
    }
}

/// Reads a table's rows. Blank rows, formulas below the header, headers that come again, and the sentence of an empty table are skipped. What is wrong
/// with one row does not end the reading; an unreadable file does.
pub struct Rows {
    pub(crate) table: Arc<TableInfo>,
    pub(crate) from: RawRows,
    pub(crate) row: RawRow,
    /// Rows read after the header.
    pub(crate) after_header: u64,
}

impl Rows {
    /// Reads the next row without copying it; `false` at the end.
    ///
    /// # Errors
    /// Fails when the file cannot be read any further.
    pub(crate) fn advance(&mut self) -> Result<bool, FileError> {
        while self.from.read(&mut self.row)? {
            if self.row.number <= self.table.header_row || self.is_skipped() {
                continue;
            }
            return Ok(true);
        }
        Ok(false)
    }

    fn is_skipped(&mut self) -> bool {
        self.after_header += 1;
        let spec = self.table.kind.spec();
        let is_blank = |place: usize| self.row.cells.get(place).is_none_or(|cell| cell.trim().is_empty());
        if self.after_header <= spec.subheadings {
            let first = spec.required.first().and_then(|name| self.table.columns.place(name, 0));
            if first.is_some_and(is_blank) {
                return true;
            }
        }
        (0..self.row.cells.len()).all(is_blank)
            || self.table.columns.is_header(&self.row)
            || says_that_it_is_empty(&self.row)
    }

    /// The row that was read last.
    pub(crate) fn current(&self) -> Row {
        Row { table: Arc::clone(&self.table), number: self.row.number, cells: self.row.cells.clone() }
    }
}

/// Whether a row is only the sentence that Meesho writes into an empty sheet.
fn says_that_it_is_empty(row: &RawRow) -> bool {
    let mut filled = row.cells.iter().map(str::trim).filter(|cell| !cell.is_empty());
    filled.next().is_some_and(|cell| cell.starts_with("No data is available")) && filled.next().is_none()
}

impl Iterator for Rows {
    type Item = Result<Result<Row, RowError>, FileError>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.advance() {
            Ok(true) => {
                let row = self.current();
                Some(Ok(row.check().map(|()| row)))
            }
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }
}
