//! Reads a card from CSV. Lines that begin with `#` are comments. Every error names the line of the file, and the column.

use chrono::NaiveDate;
use csv::StringRecord;
use rust_decimal::Decimal;

use super::{FixedPer, Occasion, PercentOf, RateRow};
use crate::line_type::LineType;

/// The columns; those that are always needed come first.
const COLUMNS: &[&str] = &[
    "marketplace",
    "line_type",
    "occasion",
    "gst_percent",
    "valid_from",
    "category",
    "price_from",
    "price_below",
    "weight_above_grams",
    "weight_to_grams",
    "zone",
    "fulfilment",
    "percent",
    "percent_of",
    "fixed",
    "fixed_per",
    "minimum",
    "maximum",
    "gst_included",
    "given_back",
    "valid_to",
];

/// How many of them a card cannot do without.
const NEEDED: usize = 5;

/// Why a card is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// A needed column is missing.
    #[error("the card has no column {column}")]
    MissingColumn {
        /// Its name.
        column: &'static str,
    },
    /// A column that means nothing here, perhaps misspelt, or one that is there twice.
    #[error("column {column} of the card is unknown or there twice")]
    OddColumn {
        /// Its name.
        column: String,
    },
    /// A line that is no row of the table.
    #[error(
        "row {row} of the card is not a row of the table: it is no text, or it has too many or too few cells"
    )]
    Row {
        /// The line of the file.
        row: u64,
    },
    /// A cell.
    #[error("row {row}, column {column} of the card {problem}")]
    Cell {
        /// The line of the file.
        row: u64,
        /// The column.
        column: &'static str,
        /// What is wrong.
        problem: &'static str,
    },
    /// Two rows that could both apply.
    #[error("rows {first} and {second} of the card could both apply to the same order")]
    Overlap {
        /// A line of the file.
        first: u64,
        /// Another.
        second: u64,
    },
}

/// Reads the rows.
pub(super) fn read_rows(text: &str) -> Result<Vec<RateRow>, CardError> {
    let mut reader =
        csv::ReaderBuilder::new().comment(Some(b'#')).trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| row_error(&error))?.clone();
    check_header(&header)?;
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| row_error(&error))?;
        let row = record.position().map_or(0, csv::Position::line);
        rows.push(Cells { header: &header, record: &record, row }.rate_row()?);
    }
    Ok(rows)
}

fn row_error(error: &csv::Error) -> CardError {
    CardError::Row { row: error.position().map_or(0, csv::Position::line) }
}

fn check_header(header: &StringRecord) -> Result<(), CardError> {
    for (place, column) in header.iter().enumerate() {
        let is_repeated = header.iter().take(place).any(|earlier| earlier == column);
        if is_repeated || !COLUMNS.contains(&column) {
            return Err(CardError::OddColumn { column: column.to_owned() });
        }
    }
    for column in &COLUMNS[..NEEDED] {
        if !header.iter().any(|name| name == *column) {
            return Err(CardError::MissingColumn { column });
        }
    }
    Ok(())
}

/// The cells of a row by column.
struct Cells<'a> {
    header: &'a StringRecord,
    record: &'a StringRecord,
    row: u64,
}

impl Cells<'_> {
    fn rate_row(&self) -> Result<RateRow, CardError> {
        let row = RateRow {
            row: self.row,
            marketplace: self.needed("marketplace", |text| Some(text.to_owned()), "is not a code")?,
            line_type: self.needed("line_type", fee, "is not the type of a fee")?,
            occasion: self.needed("occasion", occasion, "is neither SALE nor RETURN nor RTO")?,
            category: self.text("category"),
            price_from: self.amount("price_from")?,
            price_below: self.amount("price_below")?,
            weight_above_grams: self.grams("weight_above_grams")?,
            weight_to_grams: self.grams("weight_to_grams")?,
            zone: self.text("zone"),
            fulfilment: self.text("fulfilment"),
            percent: self.percent("percent")?.unwrap_or_default(),
            percent_of: self
                .parsed("percent_of", percent_base, "is neither PRICE nor TAXABLE")?
                .unwrap_or(PercentOf::Price),
            fixed: self.amount("fixed")?.unwrap_or_default(),
            fixed_per: self
                .parsed("fixed_per", fixed_per, "is neither UNIT nor LINE")?
                .unwrap_or(FixedPer::Unit),
            minimum: self.amount("minimum")?,
            maximum: self.amount("maximum")?,
            gst_percent: self.percent("gst_percent")?.ok_or_else(|| self.wrong("gst_percent", "is empty"))?,
            gst_included: self.yes_or_no("gst_included")?,
            given_back: self.yes_or_no("given_back")?,
            valid_from: self.needed("valid_from", day, "is not a day such as 2026-04-01")?,
            valid_to: self.parsed("valid_to", day, "is not a day such as 2026-04-01")?,
        };
        self.check(&row)?;
        Ok(row)
    }

    fn check(&self, row: &RateRow) -> Result<(), CardError> {
        if self.text("percent").is_none() && self.text("fixed").is_none() {
            return Err(self.wrong("percent", "is empty, and so is fixed; a fee that is not charged is 0"));
        }
        if row.price_from.zip(row.price_below).is_some_and(|(from, below)| from >= below) {
            return Err(self.wrong("price_below", "is not above price_from"));
        }
        if row.weight_above_grams.zip(row.weight_to_grams).is_some_and(|(above, to)| above >= to) {
            return Err(self.wrong("weight_to_grams", "is not above weight_above_grams"));
        }
        if row.minimum.zip(row.maximum).is_some_and(|(minimum, maximum)| minimum > maximum) {
            return Err(self.wrong("maximum", "is below minimum"));
        }
        if row.valid_to.is_some_and(|last| last < row.valid_from) {
            return Err(self.wrong("valid_to", "is before valid_from"));
        }
        if row.given_back && row.occasion != Occasion::Sale {
            return Err(self.wrong("given_back", "has no meaning for a fee of goods that come back"));
        }
        Ok(())
    }

    fn wrong(&self, column: &'static str, problem: &'static str) -> CardError {
        CardError::Cell { row: self.row, column, problem }
    }

    fn text(&self, column: &str) -> Option<String> {
        let place = self.header.iter().position(|name| name == column)?;
        self.record.get(place).filter(|cell| !cell.is_empty()).map(str::to_owned)
    }

    fn parsed<T>(
        &self,
        column: &'static str,
        parse: impl Fn(&str) -> Option<T>,
        problem: &'static str,
    ) -> Result<Option<T>, CardError> {
        self.text(column).map(|cell| parse(&cell).ok_or_else(|| self.wrong(column, problem))).transpose()
    }

    fn needed<T>(
        &self,
        column: &'static str,
        parse: impl Fn(&str) -> Option<T>,
        problem: &'static str,
    ) -> Result<T, CardError> {
        self.parsed(column, parse, problem)?.ok_or_else(|| self.wrong(column, "is empty"))
    }

    fn amount(&self, column: &'static str) -> Result<Option<Decimal>, CardError> {
        self.parsed(column, decimal, "is not an amount with at most four decimals, such as 35.50")
    }

    fn percent(&self, column: &'static str) -> Result<Option<Decimal>, CardError> {
        let percent = |cell: &str| decimal(cell).filter(|percent| *percent <= Decimal::ONE_HUNDRED);
        self.parsed(column, percent, "is not a percentage between 0 and 100, such as 12.5")
    }

    fn grams(&self, column: &'static str) -> Result<Option<u32>, CardError> {
        self.parsed(column, |cell| cell.parse().ok(), "is not a whole number of grams")
    }

    fn yes_or_no(&self, column: &'static str) -> Result<bool, CardError> {
        let parse = |cell: &str| match cell {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        };
        Ok(self.parsed(column, parse, "is neither yes nor no")?.unwrap_or(false))
    }
}

/// A number that is not negative, with at most twelve digits before and four after the point.
fn decimal(cell: &str) -> Option<Decimal> {
    if cell.len() > 17 || !cell.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return None;
    }
    Decimal::from_str_exact(cell).ok().filter(|number| number.scale() <= 4)
}

fn fee(cell: &str) -> Option<LineType> {
    LineType::parse(cell).filter(|line_type| line_type.is_fee())
}

fn day(cell: &str) -> Option<NaiveDate> {
    NaiveDate::parse_from_str(cell, "%Y-%m-%d").ok()
}

fn occasion(cell: &str) -> Option<Occasion> {
    [Occasion::Sale, Occasion::Return, Occasion::Rto].into_iter().find(|one| one.as_str() == cell)
}

fn percent_base(cell: &str) -> Option<PercentOf> {
    match cell {
        "PRICE" => Some(PercentOf::Price),
        "TAXABLE" => Some(PercentOf::Taxable),
        _ => None,
    }
}

fn fixed_per(cell: &str) -> Option<FixedPer> {
    match cell {
        "UNIT" => Some(FixedPer::Unit),
        "LINE" => Some(FixedPer::Line),
        _ => None,
    }
}
