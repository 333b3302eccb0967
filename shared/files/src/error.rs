//! Why a file is refused. Every message says what to do about it, and none repeats a cell.

use std::fmt;
use std::io;

use crate::kind::{self, Kind};

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// Reading the file, or writing a temporary one, failed.
    #[error("the file could not be read; upload it again")]
    Io(#[from] io::Error),
    /// The file is longer than is accepted.
    #[error(
        "the file is larger than {limit_mb} MB; download it for a shorter time, and upload the parts one by one"
    )]
    TooLarge {
        /// The most that is accepted.
        limit_mb: u64,
    },
    /// The file holds nothing.
    #[error("the file is empty; download it again")]
    Empty,
    /// The file is no table at all, or one that is not read.
    #[error("the file is {found}; {advice}")]
    NotATable {
        /// What it is.
        found: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// Unpacking the file would take too much.
    #[error(
        "the file unpacks to far more than its size, as no marketplace's file does ({what}); download it again"
    )]
    Bomb {
        /// Which limit it breaks.
        what: &'static str,
    },
    /// An archive that is refused.
    #[error("the archive {problem}; {advice}")]
    Archive {
        /// What is wrong.
        problem: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// A file that ends too soon or breaks its own format.
    #[error("the file is damaged ({what}); download it again")]
    Damaged {
        /// What cannot be read.
        what: &'static str,
    },
    /// A row that cannot be a row.
    #[error("{sheet}row {row} {problem}")]
    Row {
        /// The sheet as a prefix of the message; empty when the file has only one.
        sheet: String,
        /// The row, counted from 1.
        row: u64,
        /// What is wrong with it, and what to do.
        problem: &'static str,
    },
    /// No table of the file is one that is known.
    #[error(
        "no table of the file is a report that is known by its header; {}; upload the report as the marketplace's panel gives it",
        closest.as_ref().map_or_else(known, ToString::to_string)
    )]
    Unrecognised {
        /// The kind that lacks the least.
        closest: Option<Closest>,
    },
    /// Days and months cannot be told apart.
    #[error(
        "every date that is written with numbers, such as the one in row {row}, can be read with the day or the month first; say which is meant"
    )]
    AmbiguousDates {
        /// The first row with such a date.
        row: u64,
    },
    /// Some dates have the day first, others the month.
    #[error(
        "row {day_first} has a date with the day first, and row {month_first} one with the month first; upload the two parts one by one"
    )]
    ContradictoryDates {
        /// The first row whose date can only be read with the day first.
        day_first: u64,
        /// The first row whose date can only be read with the month first.
        month_first: u64,
    },
    /// The dates contradict the order that was said.
    #[error("row {row} has a date that cannot be read in the order that was said; leave the order out")]
    OtherDates {
        /// The first such row.
        row: u64,
    },
}

/// All reports that were looked for.
fn known() -> String {
    let titles: Vec<&str> = kind::all().map(|spec| spec.title).collect();
    format!("known are {}", titles.join(", "))
}

/// The kind of report that a header comes closest to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closest {
    /// The kind.
    pub kind: Kind,
    /// The required columns that are missing.
    pub missing: Vec<&'static str>,
}

impl fmt::Display for Closest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = if self.missing.len() == 1 { "column is" } else { "columns are" };
        write!(
            f,
            "it comes closest to {}, of which the {verb} missing: {}",
            self.kind,
            self.missing.join(", ")
        )
    }
}
