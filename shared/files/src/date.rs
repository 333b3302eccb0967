//! Dates as reports write them. Whether the day or the month comes first is decided for a whole table, never for one cell.

mod parts;

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, Utc};

use crate::error::FileError;
use parts::{Day, Parts};

/// What comes first in a date of numbers such as `03/04/2026`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// 3 April.
    DayFirst,
    /// 4 March.
    MonthFirst,
}

impl DateOrder {
    /// The order's name, which is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::DayFirst => "DAY_FIRST",
            Self::MonthFirst => "MONTH_FIRST",
        }
    }

    /// The order that has this name.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::DayFirst, Self::MonthFirst].into_iter().find(|order| order.as_str() == code)
    }
}

/// Reads a date with or without a time: `2026-08-14 16:43:42`, `Fri Aug 14 16:43:42 IST 2026`, `14-Aug-2026`, `Aug 14, 2026`,
/// `2026-08-14T16:43:42+05:30`, `14/08/2026 16:43`. Without a zone the time is India's, and without a time it is midnight.
/// A date of numbers is read in the given order; without one, it is none.
#[must_use]
pub fn parse_date(text: &str, order: Option<DateOrder>) -> Option<DateTime<Utc>> {
    let Parts { day, time, zone } = Parts::of(text)?;
    let date = match day {
        Day::Known(date) => date,
        Day::Numbers(first, second, year) => {
            let (day, month) = match order? {
                DateOrder::DayFirst => (first, second),
                DateOrder::MonthFirst => (second, first),
            };
            NaiveDate::from_ymd_opt(year, month, day)?
        }
    };
    if !(2000..2100).contains(&date.year()) {
        return None;
    }
    at(date.and_time(time), zone)
}

fn at(local: NaiveDateTime, zone: FixedOffset) -> Option<DateTime<Utc>> {
    local.and_local_timezone(zone).single().map(|at| at.to_utc())
}

/// What the dates of a table say about the order of day and month, by the first row of each sort.
#[derive(Debug, Default, Clone)]
pub(crate) struct DatesSeen {
    day_first: Option<u64>,
    month_first: Option<u64>,
    either: Option<u64>,
}

impl DatesSeen {
    /// Looks at a cell.
    pub(crate) fn look(&mut self, text: &str, row: u64) {
        // A date that begins with its year says nothing here, and is the most common.
        if text.as_bytes().get(4) == Some(&b'-') {
            return;
        }
        let Some(Parts { day: Day::Numbers(first, second, year), .. }) = Parts::of(text) else { return };
        let is_date = |day, month| NaiveDate::from_ymd_opt(year, month, day).is_some();
        let sort = match (is_date(first, second), is_date(second, first)) {
            (true, false) => &mut self.day_first,
            (false, true) => &mut self.month_first,
            (true, true) if first != second => &mut self.either,
            _ => return,
        };
        sort.get_or_insert(row);
    }

    /// Decides the order, which may have been said; `None` when no date needs one.
    pub(crate) fn decide(&self, said: Option<DateOrder>) -> Result<Option<DateOrder>, FileError> {
        let seen = match (self.day_first, self.month_first) {
            (Some(day_first), Some(month_first)) => {
                return Err(FileError::ContradictoryDates { day_first, month_first });
            }
            (Some(row), None) => Some((DateOrder::DayFirst, row)),
            (None, Some(row)) => Some((DateOrder::MonthFirst, row)),
            (None, None) => None,
        };
        match (seen, said, self.either) {
            (Some((seen, row)), Some(said), _) if seen != said => Err(FileError::OtherDates { row }),
            (Some((seen, _)), ..) => Ok(Some(seen)),
            (None, None, Some(row)) => Err(FileError::AmbiguousDates { row }),
            (None, said, _) => Ok(said),
        }
    }
}

#[cfg(test)]
mod tests;
