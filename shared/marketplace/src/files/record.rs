//! The rows of one order or return, and their cells as the values that records hold.
//!
//! This is also the form in which a record that cannot be mapped is kept. A cell is read by the same leaf types as a field of a
//! marketplace's response, so that both allow the same.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use robnu_files::{DateOrder, Group, Kind, Rounded, Row, identifier, parse_date};
use rust_decimal::Decimal;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::to_raw_value;

use crate::amazon_in::CellAmount;
use crate::fields::{Id, Quantity, Text};
use crate::lenient::Notes;
use crate::record::NUMBERED_HERE;
use crate::records::{RecordProblem, parse_at};

use super::{Key, Mapping};

const NOT_A_DATE: &str = "is not a date as the file's other dates are written";

/// The rows of one order or return.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct FileRecord {
    kind: String,
    dates: Option<String>,
    is_too_large: bool,
    pub rows: Vec<FileRow>,
}

/// A row with its filled cells.
#[derive(Serialize, Deserialize)]
pub(crate) struct FileRow {
    sheet: String,
    number: u64,
    /// What is wrong with the row as a whole.
    problem: Option<String>,
    /// The cells by column, without blanks around them.
    cells: BTreeMap<String, String>,
    #[serde(skip)]
    dates: Option<DateOrder>,
}

impl std::fmt::Debug for FileRow {
    /// Cells may hold a customer's data, so they stay out of logs.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FileRow").field("number", &self.number).finish_non_exhaustive()
    }
}

impl FileRecord {
    pub fn new(kind: Kind, dates: Option<DateOrder>, group: &Group) -> Self {
        Self {
            kind: kind.as_str().to_owned(),
            dates: dates.map(|order| order.as_str().to_owned()),
            is_too_large: group.is_too_large,
            rows: group.rows.iter().map(|row| FileRow::new(row, dates)).collect(),
        }
    }

    /// Reads what [`Self::write`] wrote; `None` for anything else.
    pub fn read(text: &str) -> Option<(Mapping, Self)> {
        let mut record: Self = serde_json::from_str(text).ok()?;
        let mapping = Mapping::of(Kind::from_code(&record.kind)?)?;
        let dates = record.dates.as_deref().map(DateOrder::from_code);
        for row in &mut record.rows {
            row.dates = dates.flatten();
        }
        (!record.rows.is_empty()).then_some((mapping, record))
    }

    /// The record as it is kept.
    pub fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() // texts and numbers can always be written
    }

    /// The record's id, if at least that can be read. Records come sorted by it.
    pub fn id(&self, key: Key) -> Option<String> {
        let first = self.rows.first()?;
        if key.named_by_all {
            return key.of_cells(|column| first.cell(column));
        }
        let id = first.id(key.column).ok()??;
        Some((key.of)(&id).to_owned())
    }

    /// Filled cells of a row in columns that the kind of file does not have. Marketplaces write NA where they have nothing to say. A column
    /// that may be about a customer is left out, because more people see money than customers.
    pub fn other_cells(&self, row: &FileRow) -> BTreeMap<String, String> {
        let Some(kind) = Kind::from_code(&self.kind) else { return BTreeMap::new() };
        let spec = kind.spec();
        let is_known = |label: &str| {
            let name = label.strip_suffix(" (2)").unwrap_or(label);
            spec.required.iter().chain(spec.optional).any(|known| *known == name)
        };
        let says_nothing = |cell: &str| ["NA", "N/A", "Not Available"].contains(&cell);
        let is_shown =
            |label: &str, cell: &str| !is_known(label) && !says_nothing(cell) && !may_be_personal(label);
        let other = row.cells.iter().filter(|(label, cell)| is_shown(label, cell)).take(MOST_OTHER_CELLS);
        other.map(|(label, cell)| (plain(label), plain(cell))).collect()
    }

    /// The first row, in the file's order. A record has at least one.
    pub fn first(&self) -> &FileRow {
        &self.rows[0]
    }

    /// Checks what holds for the rows of every record.
    pub fn check(&self) -> Result<(), RecordProblem> {
        if let Some((row, problem)) = self.rows.iter().find_map(|row| Some((row, row.problem.as_ref()?))) {
            return Err(RecordProblem::at(&row.place(None), problem));
        }
        if self.is_too_large {
            return Err(self.rows[0].problem(None, "begins more rows of one id than an order can have"));
        }
        Ok(())
    }

    /// Returns what the rows have in a column as far as it is filled, each text once; a note says that they differ.
    pub fn common(&self, column: &str, notes: &mut Notes) -> Option<String> {
        let mut first: Option<String> = None;
        for row in &self.rows {
            let Some(text) = row.text(column, notes) else { continue };
            match &first {
                Some(first) if *first != text => {
                    notes
                        .push(row.problem(Some(column), "differs from that of an earlier row, which counts"));
                    break;
                }
                _ => first = Some(text),
            }
        }
        first
    }
}

impl FileRow {
    fn new(row: &Row, dates: Option<DateOrder>) -> Self {
        Self {
            sheet: row.sheet().to_owned(),
            number: row.number(),
            problem: row.check().err().map(|error| error.problem),
            cells: row.cells().map(|(column, cell)| (column, cell.to_owned())).collect(),
            dates,
        }
    }

    /// How problems name a place of the row.
    pub fn place(&self, column: Option<&str>) -> String {
        let sheet = if self.sheet.is_empty() { String::new() } else { format!("sheet {}, ", self.sheet) };
        match column {
            Some(column) => format!("{sheet}row {}, column {column}", self.number),
            None => format!("{sheet}row {}", self.number),
        }
    }

    /// A problem of the row.
    pub fn problem(&self, column: Option<&str>, problem: &str) -> RecordProblem {
        RecordProblem::at(&self.place(column), problem)
    }

    /// The filled cell of a column.
    pub fn cell(&self, column: &str) -> Option<&str> {
        self.cells.get(column).map(String::as_str)
    }

    /// A cell's text, however odd it is.
    pub fn plain(&self, column: &str) -> Option<String> {
        self.cell(column).map(plain)
    }

    /// A cell's text as a leaf type of the adapters' records.
    pub fn leaf<T: DeserializeOwned>(&self, column: &str, text: &str) -> Result<T, RecordProblem> {
        // Texts can always be written as JSON.
        let raw = to_raw_value(text).map_err(|_| self.problem(Some(column), "is not text"))?;
        parse_at(&raw).map_err(|(_, problem)| self.problem(Some(column), &problem))
    }

    /// An identifier, if the cell is filled.
    pub fn id(&self, column: &str) -> Result<Option<String>, RecordProblem> {
        let Some(cell) = self.cell(column) else { return Ok(None) };
        let id = identifier(cell).map_err(|Rounded| self.problem(Some(column), Rounded::PROBLEM))?;
        if id.is_empty() {
            return Ok(None);
        }
        self.leaf::<Id>(column, &id).map(|id| Some(id.0))
    }

    /// An identifier without which the record means nothing.
    pub fn required_id(&self, column: &str) -> Result<String, RecordProblem> {
        self.id(column)?.ok_or_else(|| self.problem(Some(column), "is blank"))
    }

    /// An identifier that the record can do without.
    pub fn optional_id(&self, column: &str, notes: &mut Notes) -> Option<String> {
        self.id(column).unwrap_or_else(|problem| {
            notes.push(problem);
            None
        })
    }

    /// A text that the record can do without.
    pub fn text(&self, column: &str, notes: &mut Notes) -> Option<String> {
        self.leaf::<Text>(column, self.cell(column)?).map_or_else(
            |problem| {
                notes.push(problem);
                None
            },
            |text| text.0,
        )
    }

    /// A number of units, if the cell is filled.
    pub fn units(&self, column: &str) -> Result<Option<Quantity>, RecordProblem> {
        self.cell(column).map(|cell| self.leaf(column, cell)).transpose()
    }

    /// A number of units that the record can do without.
    pub fn optional_units(&self, column: &str, notes: &mut Notes) -> Option<i32> {
        let units = self.units(column).unwrap_or_else(|problem| {
            notes.push(problem);
            None
        });
        units.map(|units| units.0)
    }

    /// A number of units without which the record means nothing.
    pub fn required_units(&self, column: &str) -> Result<i32, RecordProblem> {
        let units = self.units(column)?.ok_or_else(|| self.problem(Some(column), "is blank"))?;
        Ok(units.0)
    }

    /// An amount, if the cell is filled.
    pub fn amount(&self, column: &str) -> Result<Option<Decimal>, RecordProblem> {
        let Some(cell) = self.cell(column) else { return Ok(None) };
        let cell = cell.trim_start_matches('₹').trim_start();
        self.leaf::<CellAmount>(column, cell).map(|amount| Some(amount.0))
    }

    /// A date, if the cell is filled.
    pub fn date(&self, column: &str) -> Result<Option<DateTime<Utc>>, RecordProblem> {
        let Some(cell) = self.cell(column) else { return Ok(None) };
        let date = parse_date(cell, self.dates).ok_or_else(|| self.problem(Some(column), NOT_A_DATE))?;
        Ok(Some(date))
    }

    /// A date without which the record means nothing.
    pub fn required_date(&self, column: &str) -> Result<DateTime<Utc>, RecordProblem> {
        self.date(column)?.ok_or_else(|| self.problem(Some(column), "is blank"))
    }

    /// A date that the record can do without.
    pub fn optional_date(&self, column: &str, notes: &mut Notes) -> Option<DateTime<Utc>> {
        self.date(column).unwrap_or_else(|problem| {
            notes.push(problem);
            None
        })
    }
}

/// More columns than these are not kept of a row.
const MOST_OTHER_CELLS: usize = 100;

/// A text without control characters, of which the database cannot store all, and not longer than 300 characters.
pub(super) fn plain(text: &str) -> String {
    text.chars().filter(|sign| !sign.is_control()).take(300).collect()
}

/// Whether a column may be about a customer, by its name. A customer's fee is not.
fn may_be_personal(label: &str) -> bool {
    const ALONE: [&str; 9] =
        ["address", "phone", "mobile", "email", "postal", "pincode", "pin", "recipient", "consignee"];
    const WITH_A_PERSON: [&str; 6] = ["name", "contact", "city", "state", "gstin", "mail"];
    let label = label.to_lowercase();
    let words: Vec<&str> = label.split(|sign: char| !sign.is_alphanumeric()).collect();
    let has = |wanted: &[&str]| words.iter().any(|word| wanted.contains(word));
    has(&ALONE) || (has(&["buyer", "customer"]) && has(&WITH_A_PERSON))
}

/// Reports do not number lines, so ours are numbered by their order among the record's lines of the same article: two equal
/// rows are two lines. The beginning tells such a number from a marketplace's own, by which the store replaces it
/// (`is_numbered_here` in `migrations/0010_orders.sql`).
pub(crate) fn line_id<'a>(article: Option<&str>, before: impl Iterator<Item = &'a str>) -> String {
    let beginning = format!("{NUMBERED_HERE}{}-", article.unwrap_or("line"));
    let is_number = |rest: &str| !rest.is_empty() && rest.bytes().all(|sign| sign.is_ascii_digit());
    let of_article = |id: &&str| id.strip_prefix(beginning.as_str()).is_some_and(is_number);
    format!("{beginning}{}", before.filter(of_article).count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_about_a_person_is_told_from_one_about_money() {
        for label in [
            "Buyer Name",
            "customer_name",
            "PIN Code",
            "Email",
            "Ship Address 1",
            "Customer City",
            "Phone (masked)",
        ] {
            assert!(may_be_personal(label), "{label}");
        }
        for label in [
            "Customer Add-ons Levy (Rs.)",
            "Shipping Levy",
            "Buyer Protection Fee",
            "Loyalty Levy (Rs.)",
            "Pincodes",
        ] {
            assert!(!may_be_personal(label), "{label}");
        }
    }
}
