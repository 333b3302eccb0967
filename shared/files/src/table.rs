//! A known table: its rows, the order of day and month in it, and its rows grouped.

use std::sync::Arc;

use crate::date::{DateOrder, DatesSeen};
use crate::error::FileError;
use crate::groups::{Groups, Sorter};
use crate::kind::Kind;
use crate::recognise::{Columns, Recognised};
use crate::rows::{Row, Rows, TableInfo};
use crate::spool::RawRow;
use crate::upload::{Sheet, Upload};

/// A table of a file.
#[derive(Debug)]
pub struct Table {
    sheet: Sheet,
    info: Arc<TableInfo>,
}

impl Table {
    /// The table that was recognised in a file.
    #[must_use]
    pub fn new(upload: &Upload, recognised: &Recognised) -> Self {
        let sheet = upload.sheets()[recognised.sheet].clone();
        let info = TableInfo {
            kind: recognised.kind,
            label: sheet.shared_label(),
            header_row: recognised.header_row,
            columns: Arc::<Columns>::clone(&recognised.columns),
        };
        Self { sheet, info: Arc::new(info) }
    }

    /// What the table is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.info.kind
    }

    /// Reads the rows from the first on.
    #[must_use]
    pub fn rows(&self) -> Rows {
        Rows {
            table: Arc::clone(&self.info),
            from: self.sheet.raw_rows(),
            row: RawRow::default(),
            after_header: 0,
        }
    }

    /// Reads all rows once, decides the order of day and month, and brings together the rows that have one key. A row without a
    /// key stands alone. `said` is the order that a person has chosen, if one has.
    ///
    /// # Errors
    /// Fails when the file cannot be read, or when its dates do not say which order they have; see [`FileError`].
    pub fn group(
        &self,
        said: Option<DateOrder>,
        key: impl Fn(&Row) -> Option<String>,
    ) -> Result<(Groups, Option<DateOrder>), FileError> {
        let dates = self.date_places();
        let (mut seen, mut sorter) = (DatesSeen::default(), Sorter::new()?);
        let mut rows = self.rows();
        while rows.advance()? {
            let row = rows.current();
            for place in &dates {
                seen.look(row.cells.get(*place).unwrap_or_default(), row.number);
            }
            sorter.add(key(&row).as_deref(), row.number, &row.cells)?;
        }
        Ok((sorter.into_groups(Arc::clone(&self.info))?, seen.decide(said)?))
    }

    /// Decides the order of day and month from all rows.
    ///
    /// # Errors
    /// See [`Table::group`].
    pub fn date_order(&self, said: Option<DateOrder>) -> Result<Option<DateOrder>, FileError> {
        let dates = self.date_places();
        let mut seen = DatesSeen::default();
        let mut rows = self.rows();
        while rows.advance()? {
            for place in &dates {
                seen.look(rows.row.cells.get(*place).unwrap_or_default(), rows.row.number);
            }
        }
        seen.decide(said)
    }

    fn date_places(&self) -> Vec<usize> {
        let dates = self.info.kind.spec().dates.iter();
        dates.filter_map(|name| self.info.columns.place(name, 0)).collect()
    }
}
