//! Amazon's money: decimal text with a currency, and the choice of a line's amount among several.

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer};

use crate::decimal::{Amount, check_amount};
use crate::fields::Text;
use crate::lenient::Lenient;
use crate::records::RecordProblem;

/// An amount with its currency.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Money {
    amount: Amount,
    currency_code: Currency,
}

/// Three capital letters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Currency(pub String);

impl<'de> Deserialize<'de> for Currency {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let code = Text::deserialize(deserializer)?.0.unwrap_or_default();
        if code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase()) {
            Ok(Self(code))
        } else {
            Err(serde::de::Error::custom(crate::fields::NOT_A_CURRENCY))
        }
    }
}

/// What the seller receives for an order.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderProceeds {
    pub grand_total: Option<Money>,
}

/// What the seller receives for a line.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ItemProceeds {
    proceeds_total: Option<Money>,
    breakdowns: Option<Vec<Breakdown>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Breakdown {
    #[serde(rename = "type")]
    #[serde(default)]
    kind: Lenient<Text>,
    subtotal: Money,
}

/// The one currency of an order. Every amount that is read through it must agree.
#[derive(Debug, Default)]
pub struct OneCurrency(Option<Currency>);

impl OneCurrency {
    /// Returns the amount if its currency is that of the amounts before it.
    ///
    /// # Errors
    /// Names `path` when the currencies differ.
    pub fn read(&mut self, money: &Money, path: &str) -> Result<Decimal, RecordProblem> {
        let currency = self.0.get_or_insert_with(|| money.currency_code.clone());
        if *currency == money.currency_code {
            Ok(money.amount.0)
        } else {
            Err(RecordProblem::at(path, "has another currency than the rest of the order"))
        }
    }

    /// Returns the currency, if any amount was read.
    pub fn into_code(self) -> Option<String> {
        self.0.map(|currency| currency.0)
    }
}

impl ItemProceeds {
    /// Returns the line's amount: its total, or else the part for the item itself.
    pub fn amount(&self, currency: &mut OneCurrency, path: &str) -> Result<Option<Decimal>, RecordProblem> {
        match &self.proceeds_total {
            Some(total) => currency.read(total, &format!("{path}.proceedsTotal")).map(Some),
            None => self.part("ITEM", currency, path),
        }
    }

    /// Returns the tax within the line.
    pub fn tax(&self, currency: &mut OneCurrency, path: &str) -> Result<Option<Decimal>, RecordProblem> {
        self.part("TAX", currency, path)
    }

    fn part(
        &self,
        kind: &str,
        currency: &mut OneCurrency,
        path: &str,
    ) -> Result<Option<Decimal>, RecordProblem> {
        let mut sum = None;
        for (index, breakdown) in self.breakdowns.iter().flatten().enumerate() {
            if breakdown.kind.is(kind) {
                let field = format!("{path}.breakdowns[{index}].subtotal");
                let subtotal = currency.read(&breakdown.subtotal, &field)?;
                sum = Some(fitting(sum.unwrap_or(Decimal::ZERO).checked_add(subtotal), &field)?);
            }
        }
        Ok(sum)
    }
}

/// Returns a computed amount if it still fits the database's column.
///
/// # Errors
/// Names `path` when it does not.
pub fn fitting(amount: Option<Decimal>, path: &str) -> Result<Decimal, RecordProblem> {
    amount
        .and_then(|amount| check_amount(amount).ok())
        .ok_or_else(|| RecordProblem::at(path, "makes too large an amount for the line"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_currency_is_three_capital_letters() {
        let read = |code: &str| {
            let money = format!(r#"{{"amount":"799.25","currencyCode":"{code}"}}"#);
            serde_json::from_str::<Money>(&money).map(|money| money.currency_code.0)
        };
        assert_eq!(read("INR").unwrap(), "INR");
        for other in ["inr", "INr", "IN", "RUPEE", "356", ""] {
            let said = read(other).unwrap_err().to_string();
            assert!(said.starts_with(crate::fields::NOT_A_CURRENCY), "{other:?}: {said}");
        }
    }
}
