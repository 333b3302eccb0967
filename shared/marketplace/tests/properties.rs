//! Properties of exact amounts.

#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

use proptest::prelude::*;
use robnu_marketplace::decimal::{Amount, DecimalError, check_amount, parse_decimal};
use rust_decimal::Decimal;

/// Any value that `numeric(14,4)` can hold, made from ten-thousandths.
fn storable() -> impl Strategy<Value = Decimal> {
    (-99_999_999_999_999_i64..=99_999_999_999_999).prop_map(|units| Decimal::new(units, 4))
}

proptest! {
    #[test]
    fn every_storable_amount_survives_as_number_and_as_string(amount in storable()) {
        let number: Amount = serde_json::from_str(&amount.to_string()).unwrap();
        let string: Amount = serde_json::from_str(&format!("\"{amount}\"")).unwrap();
        prop_assert_eq!(number.0, amount);
        prop_assert_eq!(string.0, amount);
        prop_assert_eq!(check_amount(amount), Ok(amount.normalize()));
    }

    #[test]
    fn an_exponent_moves_the_point_and_nothing_else(amount in storable(), shift in -12_i64..=12) {
        let mantissa = amount.mantissa();
        let text = format!("{mantissa}{}e{}", "0".repeat(12), -4 - 12);
        prop_assert_eq!(parse_decimal(&text), Ok(amount.normalize()));
        let zeros = "0".repeat(usize::try_from(shift.abs()).unwrap());
        let text = format!("{mantissa}{zeros}E{}", -4 - shift.abs());
        prop_assert_eq!(parse_decimal(&text), Ok(amount.normalize()));
    }

    #[test]
    fn a_fifth_decimal_is_refused_and_never_rounded(whole in 0_u32.., four in 0_u32..10_000, rest in "[0-9]{0,9}[1-9]") {
        let text = format!("{whole}.{four:04}{rest}");
        prop_assert_eq!(parse_decimal(&text), Err(DecimalError::TooPrecise));
    }

    #[test]
    fn an_amount_that_does_not_fit_the_column_is_refused(whole in 10_000_000_000_u64.., negative: bool) {
        let text = format!("{}{whole}", if negative { "-" } else { "" });
        prop_assert_eq!(parse_decimal(&text), Err(DecimalError::TooLarge));
    }

    #[test]
    fn no_text_makes_the_parser_panic_or_invent_a_number(text in ".{0,80}") {
        if let Ok(amount) = parse_decimal(&text) {
            prop_assert!(text.contains(|sign: char| sign.is_ascii_digit()));
            prop_assert_eq!(check_amount(amount), Ok(amount));
        }
    }

    #[test]
    fn number_like_texts_agree_with_an_independent_parser(text in "-?[0-9]{1,9}(\\.[0-9]{1,4})?") {
        prop_assert_eq!(parse_decimal(&text).unwrap(), text.parse::<Decimal>().unwrap());
    }
}
