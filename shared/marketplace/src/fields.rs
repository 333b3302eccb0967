//! Leaf types of marketplaces' records. They accept what the contracts allow, refuse everything else in words that never
//! repeat a value, and keep out what the database could not store.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::{Deserialize, Deserializer, de};
use serde_json::value::RawValue;

use crate::decimal::{parse_decimal, unquoted};

/// The longest identifier that is accepted from a marketplace.
const MAX_ID: usize = 200;

/// The longest text in bytes. An index entry of the database holds at most 2,700 bytes; a longer one would fail a whole page.
const MAX_TEXT: usize = 2_000;

/// No line orders more units than this; a larger number is a misread field.
const MAX_QUANTITY: i32 = 1_000_000;

/// 1 January 2000 to 2100. Seconds outside are milliseconds or not an instant at all.
const PLAUSIBLE_SECONDS: std::ops::Range<i64> = 946_684_800..4_102_444_800;

/// What the leaf types may say about a value; [`crate::records`] lets only these through.
pub const PROBLEMS: &[&str] = &[
    NOT_AN_ID,
    NOT_TEXT,
    HALF_CHARACTER,
    TOO_LONG,
    HAS_NUL,
    NOT_A_QUANTITY,
    NOT_AN_INSTANT,
    NOT_PLAUSIBLE,
    NOT_EPOCH_SECONDS,
    NOT_A_COUNT,
    NOT_A_CURRENCY,
    NOT_A_DATE,
    NOT_A_FLAG,
    "is not a decimal number",
    "has more than 4 decimals",
    "is too large an amount",
];

const NOT_AN_ID: &str = "is not an identifier";
const NOT_TEXT: &str = "is not text";
/// Half of a surrogate pair, in a text that was cut inside a character.
const HALF_CHARACTER: &str = "holds half a character";
const TOO_LONG: &str = "is longer than 2000 bytes";
const HAS_NUL: &str = "holds a NUL character";
const NOT_A_QUANTITY: &str = "is not a whole number of units";
const NOT_A_COUNT: &str = "is not a whole number";
const NOT_AN_INSTANT: &str = "is not an ISO 8601 instant";
const NOT_PLAUSIBLE: &str = "is not an instant between the years 2000 and 2100";
const NOT_EPOCH_SECONDS: &str = "is not an instant in epoch seconds";

const NOT_A_FLAG: &str = "is neither true nor false";

/// The problem of a date without a time.
pub const NOT_A_DATE: &str = "is not a date between the years 2000 and 2100";

/// The problem of a currency code.
pub const NOT_A_CURRENCY: &str = "is not an ISO 4217 currency code";

/// An identifier: text or a whole number, not empty, without control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Id(pub String);

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let given = unquoted(&raw);
        let id = given.trim();
        let usable =
            (1..=MAX_ID).contains(&id.len()) && is_text_or_number(&raw) && !id.chars().any(char::is_control);
        if usable { Ok(Self(id.to_owned())) } else { Err(de::Error::custom(NOT_AN_ID)) }
    }
}

/// Free text or a number; `None` when it is blank.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Text(pub Option<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let text = match raw.get() {
            "null" => String::new(),
            quoted if quoted.starts_with('"') => {
                serde_json::from_str(quoted).map_err(|_| de::Error::custom(HALF_CHARACTER))?
            }
            // Marketplaces send codes that look like numbers as numbers.
            number if is_text_or_number(&raw) => number.to_owned(),
            _ => return Err(de::Error::custom(NOT_TEXT)),
        };
        if text.contains('\0') {
            return Err(de::Error::custom(HAS_NUL)); // PostgreSQL refuses it, and with it the whole page
        }
        let trimmed = text.trim();
        if trimmed.len() > MAX_TEXT {
            return Err(de::Error::custom(TOO_LONG));
        }
        Ok(Self((!trimmed.is_empty()).then(|| trimmed.to_owned())))
    }
}

/// A number of units, from a JSON number or a numeric string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantity(pub i32);

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        whole_number(&Box::<RawValue>::deserialize(deserializer)?)
            .and_then(|units| units.to_i32())
            .filter(|units| (0..=MAX_QUANTITY).contains(units))
            .map(Self)
            .ok_or_else(|| de::Error::custom(NOT_A_QUANTITY))
    }
}

/// True or false, also as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag(pub bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        match unquoted(&raw).trim() {
            "true" => Ok(Self(true)),
            "false" => Ok(Self(false)),
            _ => Err(de::Error::custom(NOT_A_FLAG)),
        }
    }
}

/// An instant as ISO 8601 text with an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Instant(pub DateTime<Utc>);

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let refuse = || de::Error::custom(NOT_AN_INSTANT);
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let instant =
            DateTime::parse_from_rfc3339(unquoted(&raw).trim()).map_err(|_| refuse())?.with_timezone(&Utc);
        if PLAUSIBLE_SECONDS.contains(&instant.timestamp()) {
            Ok(Self(instant))
        } else {
            Err(de::Error::custom(NOT_PLAUSIBLE))
        }
    }
}

/// An instant in whole seconds since 1970, as number or numeric string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EpochSeconds(pub DateTime<Utc>);

impl<'de> Deserialize<'de> for EpochSeconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        whole_number(&Box::<RawValue>::deserialize(deserializer)?)
            .and_then(|seconds| seconds.to_i64())
            .filter(|seconds| PLAUSIBLE_SECONDS.contains(seconds))
            .and_then(|seconds| DateTime::from_timestamp(seconds, 0))
            .map(Self)
            .ok_or_else(|| de::Error::custom(NOT_EPOCH_SECONDS))
    }
}

/// Reads a number of pages or records, given as a number or as text; null and blank text are `None`.
///
/// # Errors
/// Fails for anything else.
pub fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let raw = Box::<RawValue>::deserialize(deserializer)?;
    if matches!(unquoted(&raw).trim(), "" | "null") {
        return Ok(None);
    }
    let number = whole_number(&raw).and_then(|number| number.to_u64());
    number.map(Some).ok_or_else(|| de::Error::custom(NOT_A_COUNT))
}

fn is_text_or_number(raw: &RawValue) -> bool {
    raw.get().starts_with(|first: char| first == '"' || first == '-' || first.is_ascii_digit())
}

/// Reads a whole number from a JSON number or a numeric string; `1.0` is whole too.
fn whole_number(raw: &RawValue) -> Option<Decimal> {
    parse_decimal(&unquoted(raw)).ok().filter(Decimal::is_integer)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quantities_come_as_numbers_or_strings() {
        for text in ["3", "\"3\"", "3.0", "\" 3 \""] {
            assert_eq!(serde_json::from_str::<Quantity>(text).unwrap(), Quantity(3), "{text}");
        }
        for text in ["-1", "1.5", "\"\"", "\"three\"", "null", "9999999", "[3]"] {
            assert!(serde_json::from_str::<Quantity>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_flag_is_true_or_false_as_itself_or_as_text() {
        for (text, expected) in [("true", true), ("\"true\"", true), ("false", false), ("\" false \"", false)]
        {
            assert_eq!(serde_json::from_str::<Flag>(text).unwrap(), Flag(expected), "{text}");
        }
        for text in ["null", "1", "0", "\"yes\"", "\"\"", "[true]", "\"TRUE\""] {
            let said = serde_json::from_str::<Flag>(text).unwrap_err().to_string();
            assert!(said.starts_with(NOT_A_FLAG), "{text}: {said}");
        }
    }

    #[test]
    fn epoch_milliseconds_are_not_mistaken_for_seconds() {
        assert!(serde_json::from_str::<EpochSeconds>("1635828975").is_ok());
        assert!(serde_json::from_str::<EpochSeconds>("\"1635828975\"").is_ok());
        assert!(serde_json::from_str::<EpochSeconds>("1635828975000").is_err());
        assert!(serde_json::from_str::<EpochSeconds>("0").is_err());
    }

    #[test]
    fn instants_need_an_offset_and_come_out_in_utc() {
        let instant: Instant = serde_json::from_str("\"2026-11-20T10:00:00+05:30\"").unwrap();
        assert_eq!(instant.0.to_rfc3339(), "2026-11-20T04:30:00+00:00");
        assert!(serde_json::from_str::<Instant>("\"2026-11-20T10:00:00\"").is_err());
    }

    proptest! {
        #[test]
        fn any_number_of_units_reads_the_same_as_number_and_as_string(units in 0..=MAX_QUANTITY) {
            prop_assert_eq!(serde_json::from_str::<Quantity>(&units.to_string()).unwrap(), Quantity(units));
            let quoted = format!("\"{units}\"");
            prop_assert_eq!(serde_json::from_str::<Quantity>(&quoted).unwrap(), Quantity(units));
        }

        #[test]
        fn only_a_quantity_is_read_as_a_quantity(text in "[^\"\\\\\\x00-\\x1f]{0,12}") {
            let quoted = format!("\"{text}\"");
            if let Ok(Quantity(units)) = serde_json::from_str::<Quantity>(&quoted) {
                prop_assert!((0..=MAX_QUANTITY).contains(&units));
                prop_assert!(text.bytes().any(|byte| byte.is_ascii_digit()));
            }
        }

        #[test]
        fn a_problem_never_repeats_the_value(text in "[a-z]{12,20}") {
            let quoted = format!("\"{text}\"");
            let said = [
                serde_json::from_str::<Quantity>(&quoted).unwrap_err().to_string(),
                serde_json::from_str::<EpochSeconds>(&quoted).unwrap_err().to_string(),
                serde_json::from_str::<Instant>(&quoted).unwrap_err().to_string(),
            ];
            prop_assert!(said.iter().all(|said| !said.contains(&text)));
        }
    }

    #[test]
    fn identifiers_are_never_blank_and_never_hold_control_characters() {
        assert_eq!(serde_json::from_str::<Id>("\" FN1 \"").unwrap(), Id("FN1".to_owned()));
        assert_eq!(serde_json::from_str::<Id>("171234").unwrap(), Id("171234".to_owned()));
        for text in ["\"\"", "\"  \"", "null", "true", "{}", "[]", "\"a\\u0000b\"", "\"a\\nb\""] {
            assert!(serde_json::from_str::<Id>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn text_the_database_could_not_store_is_refused() {
        assert!(serde_json::from_str::<Text>("\"a\\u0000b\"").is_err());
        let text = |length: usize| format!("\" {}\"", "a".repeat(length));
        assert_eq!(serde_json::from_str::<Text>(&text(MAX_TEXT + 1)).unwrap_err().to_string(), TOO_LONG);
        assert!(serde_json::from_str::<Text>(&text(MAX_TEXT)).is_ok());
        assert_eq!(serde_json::from_str::<Text>("\"  \"").unwrap(), Text(None));
        assert_eq!(serde_json::from_str::<Text>("null").unwrap(), Text(None));
        assert_eq!(serde_json::from_str::<Text>(r#""cut \ud83d""#).unwrap_err().to_string(), HALF_CHARACTER);
        for text in ["true", "[]", "{}"] {
            assert_eq!(serde_json::from_str::<Text>(text).unwrap_err().to_string(), NOT_TEXT);
        }
    }

    #[test]
    fn a_number_is_text_digit_by_digit() {
        for number in ["411001", "0", "-7", "12345678901234567890.50"] {
            assert_eq!(serde_json::from_str::<Text>(number).unwrap(), Text(Some(number.to_owned())));
        }
    }
}
