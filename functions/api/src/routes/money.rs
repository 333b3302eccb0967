//! Amounts as decimal text, never floating point. Responses use at least two decimal places and no zeros beyond them;
//! requests may use at most the four places that are stored.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::problem::{ApiError, FieldProblem};

/// An amount in a response.
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

/// An amount in a request: not negative, and not larger than can be stored.
#[derive(Deserialize)]
#[serde(transparent)]
pub struct AmountText(String);

/// Up to ten digits before the point and four after it.
const AMOUNT: &str = r"^(0|[1-9][0-9]{0,9})(\.[0-9]{1,4})?$";

impl PartialSchema for AmountText {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(AMOUNT));
        text.description(Some("A decimal number with at most four places.")).into()
    }
}

impl ToSchema for AmountText {}

impl AmountText {
    /// The amount, if the text matches [`AMOUNT`].
    fn parse(&self) -> Option<Decimal> {
        let (whole, places) = self.0.split_once('.').unwrap_or((&self.0, "0"));
        let digits = |part: &str, most: usize| {
            (1..=most).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit())
        };
        let well_formed = digits(whole, 10) && digits(places, 4) && (whole == "0" || !whole.starts_with('0'));
        self.0.parse().ok().filter(|_| well_formed)
    }
}

/// Reads an amount of a request.
pub fn amount(field: &str, text: Option<&AmountText>) -> Result<Option<Decimal>, ApiError> {
    let Some(text) = text else { return Ok(None) };
    let problem = "must be a decimal number as text, with at most ten digits and four places";
    text.parse().map(Some).ok_or_else(|| ApiError::InvalidBody(vec![FieldProblem::new(field, problem)]))
}

/// An amount in a query, which may be negative; for descriptions.
pub struct SignedAmountParam;

/// The same range as an amount of a body, to the minor unit.
const SIGNED_AMOUNT: &str = r"^-?(0|[1-9][0-9]{0,9})(\.[0-9]{1,2})?$";

impl PartialSchema for SignedAmountParam {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some(SIGNED_AMOUNT));
        text.description(Some("A decimal number with at most two places.")).into()
    }
}

impl ToSchema for SignedAmountParam {}

/// The minor units (paise) of an amount with at most two places.
pub fn minor_units(text: &str) -> Option<i64> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let places = unsigned.split_once('.').map_or(0, |(_, places)| places.len());
    let amount = AmountText(unsigned.to_owned()).parse().filter(|_| places <= 2)?;
    let minor: i64 = (amount * Decimal::ONE_HUNDRED).try_into().ok()?;
    Some(if unsigned == text { minor } else { -minor })
}

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

    #[test]
    fn amounts_of_requests_are_plain_decimals_with_at_most_four_places() {
        for text in ["0", "0.0001", "10", "9999999999.9999", "1.50"] {
            let read = AmountText(text.to_owned()).parse();
            assert_eq!(read, Some(text.parse().unwrap()), "{text}");
        }
        for text in
            ["", "-1", "+1", "1.", ".5", "01", "1.00000", "1e3", "1,5", " 1", "10000000000", "1.2.3", "NaN"]
        {
            assert_eq!(AmountText(text.to_owned()).parse(), None, "{text}");
        }
    }

    #[test]
    fn amounts_of_queries_are_read_to_the_minor_unit() {
        for (text, minor) in [("0", 0), ("-0.01", -1), ("10.5", 1050), ("9999999999.99", 999_999_999_999)] {
            assert_eq!(minor_units(text), Some(minor), "{text}");
        }
        for text in ["", "-", "--1", "1.001", "+1", "1."] {
            assert_eq!(minor_units(text), None, "{text}");
        }
    }
}
