//! Cells of the file. People open it in a spreadsheet, which must show what the list shows: it must run nothing, and shorten
//! no number. The file's texts come from marketplaces and members, so any of them may be meant as a formula.

use std::borrow::Cow;

use serde_json::Value;

/// Marks a cell as text in every spreadsheet.
const TEXT: char = '\'';
/// With more digits than this, spreadsheets show a whole number in E-notation; with more than 15 they round any number.
const WHOLE_DIGITS: usize = 11;
const DIGITS: usize = 15;
/// Characters that begin a formula, or are stripped before one; the last four are their full-width forms.
const STARTS: [char; 11] =
    ['=', '+', '-', '@', '\t', '\r', '\n', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// The cell of a field. Nothing is an empty cell, a list of values is one cell, and anything deeper is JSON.
#[must_use]
pub fn cell(value: &Value) -> Cow<'_, str> {
    match value {
        Value::Null => Cow::Borrowed(""),
        Value::Bool(flag) => Cow::Borrowed(if *flag { "true" } else { "false" }),
        Value::Number(number) => Cow::Owned(number.to_string()),
        Value::String(text) => safe(Cow::Borrowed(text)),
        Value::Array(values) if values.iter().all(is_scalar) => {
            let texts: Vec<Cow<'_, str>> = values.iter().map(plain).collect();
            safe(Cow::Owned(texts.join("; ")))
        }
        Value::Array(_) | Value::Object(_) => safe(Cow::Owned(value.to_string())),
    }
}

fn is_scalar(value: &Value) -> bool {
    !matches!(value, Value::Array(_) | Value::Object(_))
}

/// A value inside a list.
fn plain(value: &Value) -> Cow<'_, str> {
    match value {
        Value::String(text) => Cow::Borrowed(text),
        other => cell(other),
    }
}

/// A text that a spreadsheet shows as it is.
fn safe(text: Cow<'_, str>) -> Cow<'_, str> {
    if (is_formula(&text) && !is_number(&text)) || is_shortened(&text) {
        Cow::Owned(format!("{TEXT}{text}"))
    } else {
        text
    }
}

/// Whether a spreadsheet may run a text. Some skip blanks at its beginning.
fn is_formula(text: &str) -> bool {
    text.starts_with(STARTS) || text.trim_start().starts_with(STARTS)
}

/// Whether a text is a number with an optional sign, such as `-12.50`.
fn is_number(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    let (whole, places) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    is_digits(whole) && is_digits(places)
}

/// Whether a spreadsheet would take a text for a number and show another one: digits with a zero in front, too many digits, or
/// E-notation such as `12E3`.
fn is_shortened(text: &str) -> bool {
    let unsigned = text.strip_prefix(['+', '-']).unwrap_or(text);
    if let Some((mantissa, exponent)) = unsigned.split_once(['e', 'E']) {
        let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        return is_number(mantissa) && is_digits(exponent);
    }
    if !is_number(unsigned) {
        return false;
    }
    match unsigned.split_once('.') {
        Some((whole, places)) => {
            whole.len() + places.len() > DIGITS || (whole.len() > 1 && whole.starts_with('0'))
        }
        None => unsigned.len() > WHOLE_DIGITS || (unsigned.len() > 1 && unsigned.starts_with('0')),
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_spreadsheet_runs_no_cell() {
        for text in [
            "=1+1",
            "+A1",
            "-A1",
            "@SUM(A1)",
            "\t=1",
            "\r=1",
            "\n=1",
            " =1",
            "\u{a0}@x",
            "\u{ff1d}1",
            "-",
            "+-1",
            "--1",
        ] {
            assert_eq!(cell(&json!(text)), format!("'{text}"), "{text:?}");
        }
        assert_eq!(cell(&json!(["=1", "b"])), "'=1; b");
    }

    #[test]
    fn plain_numbers_and_texts_stay_as_they_are() {
        for text in [
            "-12.50",
            "+5",
            "0",
            "0.50",
            "12345678901",
            "9999999999.9999",
            "A-1",
            "1-2",
            "a=b",
            "₹ 5",
            "",
            "1.",
            ".5",
        ] {
            assert_eq!(cell(&json!(text)), text, "{text:?}");
        }
        let values =
            [(json!(null), ""), (json!(true), "true"), (json!(-3), "-3"), (json!(["a", "b"]), "a; b")];
        for (value, expected) in values {
            assert_eq!(cell(&value), expected);
        }
        assert_eq!(cell(&json!({"a": [1]})), r#"{"a":[1]}"#);
        assert_eq!(cell(&json!([{"a": 1}])), r#"[{"a":1}]"#);
    }

    #[test]
    fn numbers_that_a_spreadsheet_would_shorten_are_text() {
        for text in [
            "123456789012",
            "007",
            "-007",
            "00.5",
            "12E3",
            "1.8E+17",
            "4.38462e17",
            "1234567890123.456",
            "+919876543210",
        ] {
            assert_eq!(cell(&json!(text)), format!("'{text}"), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_begins_a_formula(text in any::<String>()) {
            let shown = cell(&json!(text)).into_owned();
            prop_assert!(!is_formula(&shown) || is_number(&shown), "{shown:?}");
            let marked = format!("'{text}");
            prop_assert!(shown == text || shown == marked);
        }
    }
}
