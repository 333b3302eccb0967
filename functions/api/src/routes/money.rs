//! Amounts as decimal text: never floating point, at least two places, no zeros beyond them.

use rust_decimal::Decimal;

/// `20.0000` is `20.00`, `0.0050` is `0.005`.
pub fn amount_text(amount: Decimal) -> String {
    let mut shortest = amount.normalize();
    if shortest.scale() < 2 {
        shortest.rescale(2);
    }
    shortest.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_keep_every_digit_that_counts() {
        for (stored, shown) in [
            ("20.0000", "20.00"),
            ("648.3700", "648.37"),
            ("0.0050", "0.005"),
            ("0", "0.00"),
            ("-1.5", "-1.50"),
        ] {
            assert_eq!(amount_text(stored.parse().unwrap()), shown);
        }
    }
}
