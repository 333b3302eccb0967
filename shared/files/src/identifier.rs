//! Identifiers, which spreadsheet programs damage by taking them for numbers.

use std::borrow::Cow;

/// The identifier is a rounded number: its last digits are lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rounded;

impl Rounded {
    /// The problem in words, as the end of a sentence that begins with the column.
    pub const PROBLEM: &str = "was rounded by a spreadsheet program to a number such as 1.8E+17; download the file again, and upload it without opening it";
}

/// Returns an identifier without blanks, without apostrophes or a formula's quotation marks around it, and without the `.0`
/// of a number; empty for a blank cell.
///
/// # Errors
/// Returns [`Rounded`] for a number with an exponent.
pub fn identifier(cell: &str) -> Result<Cow<'_, str>, Rounded> {
    let text = cell.trim();
    let text = text.strip_prefix("=\"").and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let text = text.trim_matches(|sign: char| sign.is_whitespace() || sign == '\'' || sign == '’');
    if has_exponent(text) {
        return Err(Rounded);
    }
    match text.split_once('.') {
        Some((whole, fraction)) if all_digits(whole) && !fraction.is_empty() && all_zeros(fraction) => {
            Ok(Cow::Borrowed(whole))
        }
        _ => Ok(Cow::Borrowed(text)),
    }
}

/// `4.38E17` and `1E+17`, but not `12E3`, which may be a code.
fn has_exponent(text: &str) -> bool {
    let Some((mantissa, exponent)) = text.split_once(['e', 'E']) else { return false };
    let digits = exponent.strip_prefix(['+', '-']);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    all_digits(whole)
        && (fraction.is_empty() || all_digits(fraction))
        && all_digits(digits.unwrap_or(exponent))
        && (digits.is_some() || !fraction.is_empty())
}

fn all_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn all_zeros(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'0')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_loses_its_wrapping_and_nothing_of_itself() {
        for (cell, expected) in [
            ("324074730393034001_1", "324074730393034001_1"),
            ("7000000009.0", "7000000009"),
            ("'438462135749739102", "438462135749739102"),
            ("=\"438462135749739102\"", "438462135749739102"),
            (" \u{a0}FN1 ", "FN1"),
            ("00123", "00123"),
            ("12E3", "12E3"),
            ("SF0000000001FPL", "SF0000000001FPL"),
            ("1.5", "1.5"),
            ("  ", ""),
        ] {
            assert_eq!(identifier(cell).unwrap(), expected, "{cell}");
        }
    }

    #[test]
    fn a_rounded_identifier_is_refused() {
        for cell in ["4.38462E+17", "1.8E+17", "1E+17", "4.38e17", "'4.38462E+17", "1.2E-5"] {
            assert_eq!(identifier(cell), Err(Rounded), "{cell}");
        }
    }
}
