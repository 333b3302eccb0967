//! Exact amounts. They are read digit by digit from JSON numbers or strings and never through a float. An amount that
//! `numeric(14,4)` cannot hold is refused and not rounded.

use std::borrow::Cow;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// Decimals that `numeric(14,4)` keeps.
const SCALE: i64 = 4;

/// Digits that `numeric(14,4)` keeps, decimals included.
const DIGITS: i64 = 14;

/// Longer texts are not amounts. The limit also keeps exponents and digit counts far from overflow.
const MAX_TEXT: usize = 64;

/// Why a text is not an amount. The messages never hold the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DecimalError {
    /// It is not a number as JSON writes it.
    #[error("is not a decimal number")]
    NotANumber,
    /// It would need rounding.
    #[error("has more than 4 decimals")]
    TooPrecise,
    /// It does not fit `numeric(14,4)`.
    #[error("is too large an amount")]
    TooLarge,
}

/// Reads an amount such as `1598.5`, `-0.25` or `1.5985e3`. Zeros at the end do not count, so `1.50000` is fine.
///
/// # Errors
/// See [`DecimalError`].
pub fn parse_decimal(text: &str) -> Result<Decimal, DecimalError> {
    let Parts { negative, whole, fraction, exponent } = split(text.trim_matches(' '))?;
    let digits: String = format!("{whole}{fraction}").trim_start_matches('0').to_owned();
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Ok(Decimal::ZERO);
    }
    // The value is significant × 10^power; both counts are bounded by MAX_TEXT.
    let dropped = length(&digits) - length(significant);
    let power = exponent.saturating_sub(length(fraction)).saturating_add(dropped);
    if power < -SCALE {
        return Err(DecimalError::TooPrecise);
    }
    let scaled_digits = length(significant).saturating_add(power).saturating_add(SCALE);
    if scaled_digits > DIGITS {
        return Err(DecimalError::TooLarge);
    }
    let mantissa: i64 = significant.parse().map_err(|_| DecimalError::TooLarge)?;
    let zeros = u32::try_from(power + SCALE).map_err(|_| DecimalError::TooLarge)?;
    let scaled = mantissa.checked_mul(10_i64.pow(zeros)).ok_or(DecimalError::TooLarge)?;
    Ok(Decimal::new(if negative { -scaled } else { scaled }, 4).normalize())
}

/// Checks that a computed amount still fits `numeric(14,4)` without rounding.
///
/// # Errors
/// See [`DecimalError`].
pub fn check_amount(amount: Decimal) -> Result<Decimal, DecimalError> {
    let amount = amount.normalize();
    if i64::from(amount.scale()) > SCALE {
        return Err(DecimalError::TooPrecise);
    }
    if amount.abs() >= Decimal::from(10_i64.pow(10)) {
        return Err(DecimalError::TooLarge);
    }
    Ok(amount)
}

/// An amount in a marketplace's record, written as a JSON number or as a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount(pub Decimal);

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        parse_decimal(&unquoted(&raw)).map(Self).map_err(serde::de::Error::custom)
    }
}

/// Returns the text of a JSON number or string; of anything else, its JSON.
#[must_use]
pub fn unquoted(raw: &RawValue) -> Cow<'_, str> {
    match serde_json::from_str::<String>(raw.get()) {
        Ok(text) => Cow::Owned(text),
        Err(_) => Cow::Borrowed(raw.get()),
    }
}

struct Parts<'a> {
    negative: bool,
    whole: &'a str,
    fraction: &'a str,
    exponent: i64,
}

fn split(text: &str) -> Result<Parts<'_>, DecimalError> {
    if text.len() > MAX_TEXT {
        return Err(DecimalError::NotANumber);
    }
    let (negative, rest) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (mantissa, exponent) = match rest.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, parse_exponent(exponent)?),
        None => (rest, 0),
    };
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return Err(DecimalError::NotANumber),
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    if whole.is_empty() || !all_digits(whole) || !all_digits(fraction) {
        return Err(DecimalError::NotANumber);
    }
    Ok(Parts { negative, whole, fraction, exponent })
}

fn parse_exponent(text: &str) -> Result<i64, DecimalError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !all_digits(digits) {
        return Err(DecimalError::NotANumber);
    }
    // Beyond 64 bits only the sign matters.
    let size = digits.parse::<i64>().unwrap_or(i64::MAX);
    Ok(if text.starts_with('-') { -size } else { size })
}

fn all_digits(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<String, DecimalError> {
        parse_decimal(text).map(|amount| amount.to_string())
    }

    #[test]
    fn amounts_come_out_exactly_as_they_were_written() {
        assert_eq!(parsed("1598.5").unwrap(), "1598.5");
        assert_eq!(parsed("0.1").unwrap(), "0.1");
        assert_eq!(parsed("-0.0001").unwrap(), "-0.0001");
        assert_eq!(parsed("9999999999.9999").unwrap(), "9999999999.9999");
        assert_eq!(parsed("0").unwrap(), "0");
        assert_eq!(parsed("-0.00").unwrap(), "0");
    }

    #[test]
    fn exponents_are_accepted_when_exact() {
        assert_eq!(parsed("1.5985e3").unwrap(), "1598.5");
        assert_eq!(parsed("15985E-1").unwrap(), "1598.5");
        assert_eq!(parsed("1e+9").unwrap(), "1000000000");
        assert_eq!(parsed("0e99").unwrap(), "0");
        assert_eq!(parsed("1e-5"), Err(DecimalError::TooPrecise));
        assert_eq!(parsed("1e10"), Err(DecimalError::TooLarge));
        assert_eq!(parsed("1e99999999999999999999"), Err(DecimalError::TooLarge));
        assert_eq!(parsed("1e-99999999999999999999"), Err(DecimalError::TooPrecise));
    }

    #[test]
    fn zeros_at_the_end_need_no_rounding() {
        assert_eq!(parsed("12.5000000").unwrap(), "12.5");
        assert_eq!(parsed("12.50001"), Err(DecimalError::TooPrecise));
    }

    #[test]
    fn a_text_that_is_not_a_json_number_is_refused() {
        for text in ["", "-", ".5", "5.", "1,598.50", "+5", "1e", "NaN", "0x10", "1 0", "१", "--1"] {
            assert_eq!(parsed(text), Err(DecimalError::NotANumber), "{text}");
        }
    }

    #[test]
    fn a_text_of_sixty_four_characters_is_read_and_a_longer_one_is_no_number() {
        let text = |length: usize| format!("1.5{}", "0".repeat(length - 3));
        assert_eq!(parsed(&text(64)).unwrap(), "1.5");
        for length in [65, 80] {
            assert_eq!(parsed(&text(length)), Err(DecimalError::NotANumber), "{length}");
        }
    }

    #[test]
    fn numbers_and_strings_in_json_mean_the_same() {
        let number: Amount = serde_json::from_str("799.25").unwrap();
        let string: Amount = serde_json::from_str("\"799.25\"").unwrap();
        assert_eq!(number, string);
        assert!(serde_json::from_str::<Amount>("null").is_err());
        assert!(serde_json::from_str::<Amount>("true").is_err());
        assert!(serde_json::from_str::<Amount>("[1]").is_err());
    }

    #[test]
    fn digits_that_a_float_would_lose_are_kept() {
        let amount: Amount = serde_json::from_str("9007199254.7409").unwrap();
        assert_eq!(amount.0.to_string(), "9007199254.7409");
    }
}
