//! The report's text: a table with tabs, with one row for each returned line. The rows of a return become one record.
//!
//! A quotation mark at the start of a cell does not make the cell reach over tabs or lines, because titles begin with one:
//! `"5 inch" pan`. A cell that is quoted as a whole loses its quotation marks.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde_json::value::{RawValue, to_raw_value};

use crate::error::AdapterError;

use super::cells::folded;

/// How errors name the report.
const REPORT: &str = "report of returns";

/// The column that identifies a return.
pub const RMA_ID: &str = "Amazon RMA ID";

/// The columns without which a return cannot be read, by their documented names.
const REQUIRED: [&str; 8] = [
    "Order ID",
    "Return request date",
    "Return request status",
    RMA_ID,
    "Merchant SKU",
    "Return quantity",
    "Return type",
    "Return delivery date",
];

/// Other columns that are read if they are there.
const OPTIONAL: [&str; 8] = [
    "Currency code",
    "Return carrier",
    "Tracking ID",
    "ASIN",
    "Item Name",
    "Return Reason",
    "Refunded Amount",
    "Order Item ID",
];

/// Where a record keeps the cells of a row that has more of them than the header has names.
pub const BEYOND: &str = "cells beyond the header";

/// A report.
#[derive(Debug)]
pub struct Table<'a> {
    /// The names of the columns. Those that are read have their documented names.
    names: Vec<Cow<'a, str>>,
    rows: Vec<&'a str>,
    /// Each return's rows, in the order in which the returns first appear.
    returns: Vec<Vec<usize>>,
}

impl<'a> Table<'a> {
    /// Reads a report's text.
    ///
    /// # Errors
    /// [`AdapterError::Garbled`] when it is something else, and [`AdapterError::Malformed`] naming a column that it lacks.
    pub fn read(text: &'a str) -> Result<Self, AdapterError> {
        let mut lines = text.lines().filter(|line| !line.trim().is_empty());
        let names: Vec<Cow<'a, str>> = lines.next().unwrap_or_default().split('\t').map(documented).collect();
        let lacks = |column: &&&str| !names.iter().any(|name| name == **column);
        let missing: Vec<&&str> = REQUIRED.iter().filter(lacks).collect();
        if missing.len() == REQUIRED.len() {
            return Err(AdapterError::Garbled { what: format!("{REPORT} has none of its columns") });
        }
        if let Some(column) = missing.first() {
            return Err(AdapterError::Malformed { what: format!("{REPORT}: column {column} is missing") });
        }
        let rows: Vec<&str> = lines.collect();
        let returns = grouped(&rows, names.iter().position(|name| name == RMA_ID).unwrap_or_default());
        Ok(Self { names, rows, returns })
    }

    /// The number of returns.
    pub fn returns(&self) -> usize {
        self.returns.len()
    }

    /// Returns some returns as records: lists of rows, each with its cells by name. Blank cells are left out.
    ///
    /// # Errors
    /// Never for a text; the type is that of the JSON writer.
    pub fn records(&self, from: usize, most: usize) -> Result<Vec<Box<RawValue>>, AdapterError> {
        let written = |rows: &Vec<usize>| {
            let rows: Vec<_> = rows.iter().map(|row| self.cells(self.rows[*row])).collect();
            to_raw_value(&rows)
                .map_err(|_| AdapterError::Malformed { what: format!("{REPORT} cannot be written as JSON") })
        };
        self.returns.iter().skip(from).take(most).map(written).collect()
    }

    fn cells(&self, row: &'a str) -> BTreeMap<&str, Cow<'a, str>> {
        let mut cells = BTreeMap::new();
        let mut texts = row.split('\t').map(cell);
        for (name, text) in self.names.iter().zip(texts.by_ref()).filter(|(_, text)| !text.is_empty()) {
            cells.entry(name.as_ref()).or_insert(text);
        }
        let beyond: Vec<_> = texts.filter(|text| !text.is_empty()).collect();
        if !beyond.is_empty() {
            cells.insert(BEYOND, Cow::Owned(beyond.join("\t")));
        }
        cells
    }
}

/// Groups rows by return. A row without an RMA id is a group of its own.
fn grouped(rows: &[&str], rma_column: usize) -> Vec<Vec<usize>> {
    let mut returns: Vec<Vec<usize>> = Vec::new();
    let mut known = HashMap::new();
    for (row, text) in rows.iter().enumerate() {
        let rma = text.split('\t').nth(rma_column).map(cell).filter(|rma| !rma.is_empty());
        let place = match rma {
            Some(rma) => *known.entry(rma).or_insert(returns.len()),
            None => returns.len(),
        };
        match returns.get_mut(place) {
            Some(rows) => rows.push(row),
            None => returns.push(vec![row]),
        }
    }
    returns
}

/// A column's documented name, whatever its case, blanks and punctuation; an unknown column keeps its own.
fn documented(name: &str) -> Cow<'_, str> {
    let name = cell(name);
    let known = REQUIRED.iter().chain(&OPTIONAL).find(|known| folded(known) == folded(&name));
    known.map_or(name, |known| Cow::Borrowed(*known))
}

fn cell(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    let quoted = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    match quoted {
        // Inside quotation marks, each one of the text's own is written twice.
        Some(inner) if !inner.replace("\"\"", "").contains('"') => {
            Cow::Owned(inner.replace("\"\"", "\"").trim().to_owned())
        }
        _ => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: &str = "Order ID\tReturn request date\tReturn request status\tAmazon RMA ID\tMerchant SKU\tReturn quantity\tReturn type\tReturn delivery date";

    fn records(text: &str) -> Vec<String> {
        let table = Table::read(text).unwrap();
        let all = table.records(0, usize::MAX).unwrap();
        assert_eq!(all.len(), table.returns());
        all.iter().map(|record| record.get().to_owned()).collect()
    }

    #[test]
    fn the_rows_of_one_return_are_one_record_wherever_they_stand() {
        let text =
            format!("{HEADER}\nO1\t\t\tR1\tA\nO2\t\t\tR2\tB\nO3\t\t\t\tC\nO4\t\t\t\tD\nO1\t\t\tR1\tA\n");
        let expected = [
            r#"[{"Amazon RMA ID":"R1","Merchant SKU":"A","Order ID":"O1"},{"Amazon RMA ID":"R1","Merchant SKU":"A","Order ID":"O1"}]"#,
            r#"[{"Amazon RMA ID":"R2","Merchant SKU":"B","Order ID":"O2"}]"#,
            r#"[{"Merchant SKU":"C","Order ID":"O3"}]"#,
            r#"[{"Merchant SKU":"D","Order ID":"O4"}]"#,
        ];
        assert_eq!(records(&text), expected);
        let table = Table::read(&text).unwrap();
        let middle = table.records(1, 2).unwrap();
        assert_eq!(middle.iter().map(|it| it.get()).collect::<Vec<_>>(), &expected[1..3]);
        assert!(table.records(4, 2).unwrap().is_empty());
    }

    #[test]
    fn line_ends_quotation_marks_and_the_header_in_any_spelling_cost_nothing() {
        let header = HEADER.to_uppercase().replace(' ', "_").replace("ORDER_ID", "\"order id\"");
        let row = "\"O1\"\t\t\tR1\t\"A \"\"x\"\"\"";
        let expected = [r#"[{"Amazon RMA ID":"R1","Merchant SKU":"A \"x\"","Order ID":"O1"}]"#];
        for end in ["\n", "\r\n", "\r\r\n", "\n\n"] {
            assert_eq!(records(&format!("{header}{end}{row}{end}")), expected, "{end:?}");
        }
    }

    #[test]
    fn a_title_with_quotation_marks_of_its_own_stays_in_its_cell() {
        let header = format!("{HEADER}\tItem Name");
        for title in ["\"5 inch\" pan", "\"5 inch pan", "pan 5\"", "\"a\" and \"b\""] {
            let text = format!("{header}\nO1\t\t\tR1\tA\t1\t\t\t{title}\nO2\t\t\tR2\tB\n");
            let read = records(&text);
            assert_eq!(read.len(), 2, "{title}");
            let title = serde_json::to_string(title).unwrap();
            assert!(read[0].contains(&format!("\"Item Name\":{title}")), "{}", read[0]);
        }
    }

    #[test]
    fn short_rows_and_unknown_columns_are_read_and_cells_without_a_column_are_shown() {
        let text = format!(
            "{HEADER}\tNew column\nO1\nO2\t\t\tR2\t\t\t\t\tnew\t\t\nO3\t\t\tR3\t\t\t\t\t\tmore\t\t\n"
        );
        let expected = [
            r#"[{"Order ID":"O1"}]"#,
            r#"[{"Amazon RMA ID":"R2","New column":"new","Order ID":"O2"}]"#,
            r#"[{"Amazon RMA ID":"R3","Order ID":"O3","cells beyond the header":"more"}]"#,
        ];
        assert_eq!(records(&text), expected);
    }

    #[test]
    fn of_two_columns_with_one_name_the_first_that_is_filled_counts() {
        let text = format!("{HEADER}\tOrder ID\nO1\t\t\tR1\t\t\t\t\tO9\n\t\t\tR2\t\t\t\t\tO2\n");
        let expected =
            [r#"[{"Amazon RMA ID":"R1","Order ID":"O1"}]"#, r#"[{"Amazon RMA ID":"R2","Order ID":"O2"}]"#];
        assert_eq!(records(&text), expected);
    }

    #[test]
    fn a_missing_column_is_named_and_another_text_is_garbled() {
        let read = |text: &str| Table::read(text).unwrap_err();
        let what = "report of returns: column Return quantity is missing".to_owned();
        assert_eq!(read(&HEADER.replace("Return quantity", "Quantity")), AdapterError::Malformed { what });
        for text in ["", "\r\n", "<html>upstream says no</html>", "{\"errors\":[]}"] {
            assert!(matches!(read(text), AdapterError::Garbled { .. }), "{text}");
        }
        assert_eq!(Table::read(HEADER).unwrap().returns(), 0);
    }
}
