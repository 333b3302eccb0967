//! Reads an order book. Every error names the file, the line and the column.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use csv::{ByteRecord, ReaderBuilder};
use rust_decimal::Decimal;
use thiserror::Error;

use super::orders::{Fulfilment, Line, OrderBook};

const COLUMNS: [&str; 15] = [
    "order_id",
    "purchase_date",
    "status",
    "fulfilment",
    "ship_service_level",
    "category",
    "payment_method",
    "size",
    "courier_status",
    "line_amount",
    "quantity",
    "currency",
    "ship_city",
    "ship_postal_code",
    "b2b",
];

/// Why an order book was refused.
#[derive(Debug, Error)]
pub enum OrderBookError {
    /// The file cannot be opened or read.
    #[error("{file}: cannot be read; give the path of a CSV file")]
    Open {
        /// The file.
        file: String,
        /// The operating system's error.
        #[source]
        source: std::io::Error,
    },
    /// The header lacks a required column.
    #[error("{file}: line 1, column {column}: the column is missing; add it to the header")]
    MissingColumn {
        /// The file.
        file: String,
        /// The column.
        column: &'static str,
    },
    /// The header has a required column twice.
    #[error("{file}: line 1, column {column}: the column appears twice; keep one of them")]
    RepeatedColumn {
        /// The file.
        file: String,
        /// The column.
        column: &'static str,
    },
    /// A row has more or fewer fields than the header.
    #[error(
        "{file}: line {line}, column {column}: the row has {found} fields and the header {expected}; quote fields that hold commas"
    )]
    FieldCount {
        /// The file.
        file: String,
        /// Line in the file, from 1.
        line: u64,
        /// The first column without a field, or the number of the first field without a column.
        column: String,
        /// Fields in the row.
        found: usize,
        /// Fields in the header.
        expected: usize,
    },
    /// A cell cannot be read.
    #[error("{file}: line {line}, column {column}: {problem}")]
    Cell {
        /// The file.
        file: String,
        /// Line in the file, from 1.
        line: u64,
        /// The column.
        column: &'static str,
        /// What is wrong with it.
        problem: CellProblem,
    },
    /// The text is not CSV.
    #[error("{file}: is not CSV; save it as comma-separated text")]
    Csv {
        /// The file.
        file: String,
        /// The CSV reader's error.
        #[source]
        source: csv::Error,
    },
}

/// What is wrong with a cell.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CellProblem {
    /// A required cell is empty.
    #[error("the cell is empty; every row needs a value here")]
    Empty,
    /// The bytes are not UTF-8.
    #[error("the cell is not UTF-8; save the file as UTF-8")]
    NotUtf8,
    /// Not a date.
    #[error("{0:?} is not a date; write YYYY-MM-DD")]
    Date(String),
    /// Not an amount.
    #[error("{0:?} is not a decimal number; write digits with a point, without separators or exponent")]
    Decimal(String),
    /// Too many decimals.
    #[error("{0:?} has more than four decimals; round it")]
    TooManyDecimals(String),
    /// Not a quantity.
    #[error("{0:?} is not a quantity; write a whole number from 0")]
    Quantity(String),
    /// Neither `Merchant` nor `Amazon`.
    #[error("{0:?} is unknown; write Merchant or Amazon")]
    Fulfilment(String),
    /// Neither `true` nor `false`.
    #[error("{0:?} is neither true nor false; write one of them")]
    Flag(String),
    /// The lines of an order have different currencies, so they cannot be added up.
    #[error("{0:?} differs from the order's first line; give all lines of an order the same currency")]
    MixedCurrency(String),
}

/// Reads a whole book. The error describes the first invalid cell.
pub(super) fn read(file: &str, bytes: &[u8]) -> Result<OrderBook, OrderBookError> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(text);
    let not_csv = |source| OrderBookError::Csv { file: file.to_owned(), source };
    let header = reader.byte_headers().map_err(not_csv)?.clone();
    let columns = Columns::find(file, &header)?;
    let mut book = OrderBook::default();
    for row in reader.byte_records() {
        let record = row.map_err(not_csv)?;
        let line = record.position().map_or(0, csv::Position::line);
        columns.check_width(file, line, &record)?;
        Row { file, line, columns: &columns, record: &record }.append_to(&mut book)?;
    }
    Ok(book)
}

struct Columns {
    names: Vec<String>,
    places: HashMap<&'static str, usize>,
}

impl Columns {
    fn find(file: &str, header: &ByteRecord) -> Result<Self, OrderBookError> {
        let names: Vec<String> =
            header.iter().map(|name| String::from_utf8_lossy(name).trim().to_owned()).collect();
        let mut places = HashMap::new();
        for column in COLUMNS {
            let mut found = names.iter().enumerate().filter(|(_, name)| *name == column);
            let Some((place, _)) = found.next() else {
                return Err(OrderBookError::MissingColumn { file: file.to_owned(), column });
            };
            if found.next().is_some() {
                return Err(OrderBookError::RepeatedColumn { file: file.to_owned(), column });
            }
            places.insert(column, place);
        }
        Ok(Self { names, places })
    }

    fn check_width(&self, file: &str, line: u64, record: &ByteRecord) -> Result<(), OrderBookError> {
        let (found, expected) = (record.len(), self.names.len());
        if found == expected {
            return Ok(());
        }
        let column = self.names.get(found).cloned().unwrap_or_else(|| format!("number {}", expected + 1));
        Err(OrderBookError::FieldCount { file: file.to_owned(), line, column, found, expected })
    }
}

struct Row<'a> {
    file: &'a str,
    line: u64,
    columns: &'a Columns,
    record: &'a ByteRecord,
}

impl Row<'_> {
    fn append_to(&self, book: &mut OrderBook) -> Result<(), OrderBookError> {
        let order_id = self.required("order_id")?;
        let created_at = self.midnight_in_india("purchase_date")?;
        let lines = &mut book.order_or_new(&order_id, created_at).lines;
        let line = self.order_line(order_item_id(&order_id, lines.len() + 1))?;
        if lines.first().is_some_and(|first| first.currency != line.currency) {
            return Err(self.refuse("currency", CellProblem::MixedCurrency(line.currency)));
        }
        lines.push(line);
        Ok(())
    }

    fn order_line(&self, order_item_id: String) -> Result<Line, OrderBookError> {
        let currency = self.text("currency")?;
        Ok(Line {
            order_item_id,
            status: self.required("status")?,
            fulfilment: self.fulfilment()?,
            ship_service_level: self.text("ship_service_level")?,
            category: self.text("category")?,
            payment_method: self.text("payment_method")?,
            size: self.text("size")?,
            courier_status: self.text("courier_status")?,
            amount: self.amount("line_amount")?,
            quantity: self.quantity("quantity")?,
            currency: if currency.is_empty() { "INR".to_owned() } else { currency },
            ship_city: self.text("ship_city")?,
            ship_postal_code: self.text("ship_postal_code")?,
            b2b: self.flag("b2b")?,
        })
    }

    fn text(&self, column: &'static str) -> Result<String, OrderBookError> {
        let cell = &self.record[self.columns.places[column]];
        let text = std::str::from_utf8(cell).map_err(|_| self.refuse(column, CellProblem::NotUtf8))?;
        Ok(text.to_owned())
    }

    fn required(&self, column: &'static str) -> Result<String, OrderBookError> {
        let text = self.text(column)?;
        if text.trim().is_empty() {
            return Err(self.refuse(column, CellProblem::Empty));
        }
        Ok(text)
    }

    fn midnight_in_india(&self, column: &'static str) -> Result<DateTime<Utc>, OrderBookError> {
        const EAST_OF_GREENWICH: TimeDelta = TimeDelta::minutes(5 * 60 + 30);
        let text = self.required(column)?;
        // chrono also accepts one-digit months. A file that mixes both forms is wrong, so the length is checked.
        let date = (text.len() == 10).then(|| NaiveDate::parse_from_str(&text, "%Y-%m-%d").ok()).flatten();
        let midnight = date.and_then(|date| date.and_hms_opt(0, 0, 0)).map(|midnight| midnight.and_utc());
        let instant = midnight.and_then(|midnight| midnight.checked_sub_signed(EAST_OF_GREENWICH));
        instant.ok_or_else(|| self.refuse(column, CellProblem::Date(text)))
    }

    fn amount(&self, column: &'static str) -> Result<Decimal, OrderBookError> {
        let text = self.text(column)?;
        if text.is_empty() {
            return Ok(Decimal::ZERO);
        }
        let unsigned = text.strip_prefix('-').unwrap_or(&text);
        let (whole, decimals) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
        let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !is_digits(whole) || !is_digits(decimals) {
            return Err(self.refuse(column, CellProblem::Decimal(text)));
        }
        if decimals.len() > 4 {
            return Err(self.refuse(column, CellProblem::TooManyDecimals(text)));
        }
        Decimal::from_str_exact(&text).map_err(|_| self.refuse(column, CellProblem::Decimal(text)))
    }

    fn quantity(&self, column: &'static str) -> Result<u32, OrderBookError> {
        let text = self.text(column)?;
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let quantity = digits.then(|| text.parse().ok()).flatten();
        quantity.ok_or_else(|| self.refuse(column, CellProblem::Quantity(text)))
    }

    fn fulfilment(&self) -> Result<Fulfilment, OrderBookError> {
        let text = self.required("fulfilment")?;
        match text.as_str() {
            "Merchant" => Ok(Fulfilment::Merchant),
            "Amazon" => Ok(Fulfilment::Amazon),
            _ => Err(self.refuse("fulfilment", CellProblem::Fulfilment(text))),
        }
    }

    fn flag(&self, column: &'static str) -> Result<bool, OrderBookError> {
        let text = self.text(column)?;
        match text.to_ascii_lowercase().as_str() {
            "true" => Ok(true),
            "false" | "" => Ok(false),
            _ => Err(self.refuse(column, CellProblem::Flag(text))),
        }
    }

    fn refuse(&self, column: &'static str, problem: CellProblem) -> OrderBookError {
        OrderBookError::Cell { file: self.file.to_owned(), line: self.line, column, problem }
    }
}

/// Amazon's item ids contain only digits. An order id without the form 3-7-7 keeps its text, so that item ids stay unique.
fn order_item_id(order_id: &str, ordinal: usize) -> String {
    let parts: Vec<&str> = order_id.split('-').collect();
    let is_number =
        |part: &str, length: usize| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit());
    match parts.as_slice() {
        [first, second, third] if is_number(first, 3) && is_number(second, 7) && is_number(third, 7) => {
            format!("{first}{second}{third}{ordinal:03}")
        }
        _ => format!("{order_id}-{ordinal:03}"),
    }
}
