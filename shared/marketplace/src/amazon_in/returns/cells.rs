//! Leaf types of the report's cells: dates without a time, and amounts with separators.

use std::borrow::Cow;

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, Utc};
use rust_decimal::Decimal;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::decimal::{parse_decimal, unquoted};
use crate::fields::{Instant, NOT_A_DATE};

use super::position::INDIA;

/// A day, as the instant at which it begins in India. An instant is read as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Day(pub DateTime<Utc>);

impl<'de> Deserialize<'de> for Day {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = unquoted(&raw);
        if let Ok(Instant(instant)) = serde_json::from_str(raw.get()) {
            return Ok(Self(instant));
        }
        let forms = ["%d-%b-%Y", "%Y-%m-%d"];
        forms
            .into_iter()
            .find_map(|form| NaiveDate::parse_from_str(text.trim(), form).ok())
            .filter(|date| (2000..2100).contains(&date.year()))
            .and_then(|date| date.and_time(NaiveTime::MIN).and_local_timezone(INDIA).single())
            .map(|midnight| Self(midnight.to_utc()))
            .ok_or_else(|| D::Error::custom(NOT_A_DATE))
    }
}

/// An amount, with or without separators of thousands: `1,00,000.50` or `100,000.50`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CellAmount(pub Decimal);

impl<'de> Deserialize<'de> for CellAmount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        parse_decimal(&without_separators(&unquoted(&raw))).map(Self).map_err(D::Error::custom)
    }
}

/// Removes separators of thousands. A text whose commas cannot be such, like `12,50`, stays as it is and is no amount.
fn without_separators(text: &str) -> Cow<'_, str> {
    let whole = text.split('.').next().unwrap_or_default();
    let groups: Vec<&str> = whole.split(',').skip(1).collect();
    let is_last_of_three = groups.last().is_some_and(|last| last.len() == 3);
    if is_last_of_three && groups.iter().all(|group| matches!(group.len(), 2 | 3)) {
        Cow::Owned(text.replace(',', ""))
    } else {
        Cow::Borrowed(text)
    }
}

/// A text without case, blanks and punctuation, by which names and codes are compared.
pub fn folded(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).map(|sign| sign.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Option<String> {
        let json = serde_json::to_string(text).unwrap();
        serde_json::from_str::<Day>(&json).ok().map(|day| day.0.to_rfc3339())
    }

    #[test]
    fn a_day_begins_at_midnight_in_india() {
        for text in ["08-Jul-2026", "8-jul-2026", " 08-JUL-2026 ", "2026-07-08", "2026-07-07T18:30:00Z"] {
            assert_eq!(day(text).as_deref(), Some("2026-07-07T18:30:00+00:00"), "{text}");
        }
        for text in ["", "08-07-2026", "08/07/2026", "31-Jun-2026", "08-Jul-1970", "08-Jul-26", "soon"] {
            assert_eq!(day(text), None, "{text}");
        }
    }

    #[test]
    fn amounts_may_have_separators_of_thousands_and_no_decimal_comma() {
        let amount = |text: &str| {
            let json = serde_json::to_string(text).unwrap();
            serde_json::from_str::<CellAmount>(&json).ok().map(|amount| amount.0.to_string())
        };
        for (text, expected) in [
            ("999.00", "999"),
            ("1,998.50", "1998.5"),
            ("1,00,000.5", "100000.5"),
            ("100,000", "100000"),
            ("-1,180.00", "-1180"),
        ] {
            assert_eq!(amount(text).as_deref(), Some(expected), "{text}");
        }
        for text in ["12,50", "1.234,56", "1,2,3", ",", "", "1,000,00"] {
            assert_eq!(amount(text), None, "{text}");
        }
    }

    #[test]
    fn names_are_the_same_in_any_spelling() {
        for name in ["Amazon RMA ID", "amazon_rma_id", "AmazonRmaId", " amazon-rma-id\r"] {
            assert_eq!(folded(name), "amazonrmaid", "{name}");
        }
    }
}
