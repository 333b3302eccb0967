//! Amounts as decimal text: never floating point, at least two places, no zeros beyond them.

use rust_decimal::Decimal;
use serde::Serialize;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// An amount in an answer.
#[derive(Serialize)]
#[serde(transparent)]
pub struct Amount(String);

impl From<Decimal> for Amount {
    fn from(amount: Decimal) -> Self {
        Self(amount_text(amount))
    }
}

impl PartialSchema for Amount {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(r"^-?[0-9]+\.[0-9]{2,}$"));
        text.description(Some("A decimal number with at least two places.")).into()
    }
}

impl ToSchema for Amount {}

/// `20.0000` is `20.00`, `0.0050` is `0.005`.
fn amount_text(amount: Decimal) -> String {
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
