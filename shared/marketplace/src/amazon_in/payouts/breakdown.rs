//! Breakdowns: trees of amounts, in which each amount consists of those below it. The leaves are the components.

use std::fmt;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::amazon_in::money::Currency;
use crate::decimal::Amount;
use crate::fields::Text;
use crate::lenient::Lenient;
use crate::record::PayoutEntry;
use crate::records::RecordProblem;

use super::words::line_type;

/// More characters of a component's words are not kept.
const LONGEST_WORDS: usize = 300;

/// An amount of the Finances API.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Money {
    currency_amount: Amount,
    currency_code: Currency,
}

/// The one currency of a transaction.
#[derive(Debug)]
pub struct OneCurrency(Currency);

impl OneCurrency {
    /// The currency of a transaction's total, and the total.
    pub fn of(total: &Money) -> (Self, Decimal) {
        (Self(total.currency_code.clone()), total.currency_amount.0)
    }

    /// Returns an amount in this currency.
    ///
    /// # Errors
    /// Names `path` when the amount has another one.
    pub fn read(&self, money: &Money, path: &str) -> Result<Decimal, RecordProblem> {
        if money.currency_code == self.0 {
            Ok(money.currency_amount.0)
        } else {
            Err(RecordProblem::at(path, "has another currency than the transaction"))
        }
    }

    /// ISO 4217 code.
    pub fn into_code(self) -> String {
        self.0.0
    }
}

/// A list of breakdowns. The contract says a list, and its example an object that holds one; both are read, and null is empty.
#[derive(Debug, Default)]
pub struct Breakdowns(Vec<Breakdown>);

#[derive(Debug, Deserialize)]
struct Breakdown {
    #[serde(rename = "breakdownType", default)]
    word: Lenient<Text>,
    #[serde(rename = "breakdownAmount")]
    amount: Money,
    #[serde(rename = "breakdowns", default)]
    below: Breakdowns,
}

impl<'de> Deserialize<'de> for Breakdowns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ListOrObject)
    }
}

struct ListOrObject;

impl<'de> Visitor<'de> for ListOrObject {
    type Value = Breakdowns;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of breakdowns")
    }

    fn visit_unit<E>(self) -> Result<Breakdowns, E> {
        Ok(Breakdowns::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Breakdowns, A::Error> {
        let mut all = Vec::new();
        while let Some(one) = list.next_element()? {
            all.push(one);
        }
        Ok(Breakdowns(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Breakdowns, A::Error> {
        let mut inner = Breakdowns::default();
        while let Some(name) = object.next_key::<String>()? {
            if name == "breakdowns" {
                inner = object.next_value()?;
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(inner)
    }
}

impl Breakdowns {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds the leaves to an entry as its lines, each with the words on the way to it.
    ///
    /// # Errors
    /// Names the field whose currency is another one.
    pub fn add_to(
        self,
        entry: &mut PayoutEntry,
        currency: &OneCurrency,
        path: &str,
    ) -> Result<(), RecordProblem> {
        self.descend(entry, currency, path, &mut Vec::new())
    }

    fn descend(
        self,
        entry: &mut PayoutEntry,
        currency: &OneCurrency,
        path: &str,
        words: &mut Vec<String>,
    ) -> Result<(), RecordProblem> {
        for (place, breakdown) in self.0.into_iter().enumerate() {
            let path = format!("{path}[{place}]");
            let amount = currency.read(&breakdown.amount, &format!("{path}.breakdownAmount"))?;
            // A name that cannot be read leaves its money OTHER.
            let word = breakdown.word.required_readable(&path).ok().flatten();
            words.push(word.and_then(|word| word.0).unwrap_or_default());
            if breakdown.below.is_empty() {
                let steps: Vec<&str> = words.iter().map(String::as_str).collect();
                let kind = line_type(&entry.marketplace_type, &steps);
                let shown: String = steps.join(" / ").chars().take(LONGEST_WORDS).collect();
                entry.add(kind, &shown, Some(amount));
            } else {
                breakdown.below.descend(entry, currency, &format!("{path}.breakdowns"), words)?;
            }
            words.pop();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::parse_record;

    #[derive(Deserialize)]
    struct Holder {
        #[serde(default)]
        breakdowns: Breakdowns,
    }

    fn read(json: &str) -> Result<Vec<String>, String> {
        let raw = serde_json::value::RawValue::from_string(json.to_owned()).unwrap();
        let holder: Holder = parse_record(&raw).map_err(RecordProblem::into_reason)?;
        let total = serde_json::from_str(r#"{"currencyAmount":1,"currencyCode":"INR"}"#).unwrap();
        let mut entry = PayoutEntry { marketplace_type: "Shipment".to_owned(), ..PayoutEntry::default() };
        let (currency, _) = OneCurrency::of(&total);
        holder.breakdowns.add_to(&mut entry, &currency, "breakdowns").map_err(RecordProblem::into_reason)?;
        Ok(entry.lines.iter().map(|line| format!("{} {}", line.marketplace_type, line.amount)).collect())
    }

    fn node(word: &str, amount: &str, below: &str) -> String {
        format!(
            r#"{{"breakdownType":"{word}","breakdownAmount":{{"currencyAmount":{amount},"currencyCode":"INR"}},"breakdowns":{below}}}"#
        )
    }

    #[test]
    fn the_leaves_of_a_tree_are_the_lines_at_any_depth() {
        let base = node("Base", "-50.5", "null");
        let commission = node("Commission", "-59.59", &format!("[{base},{}]", node("Tax", "-9.09", "[]")));
        let tree = format!(
            "[{},{}]",
            node("Sales", "100", "[]"),
            node("Fees", "-59.59", &format!("[{commission}]"))
        );
        let expected = ["Sales 100", "Fees / Commission / Base -50.5", "Fees / Commission / Tax -9.09"];
        assert_eq!(read(&format!(r#"{{"breakdowns":{tree}}}"#)).unwrap(), expected);
        // The example of the contract wraps the list in an object.
        assert_eq!(read(&format!(r#"{{"breakdowns":{{"breakdowns":{tree}}}}}"#)).unwrap(), expected);
    }

    #[test]
    fn a_list_that_is_not_there_is_empty_and_what_is_no_list_is_named() {
        for json in ["{}", r#"{"breakdowns":null}"#, r#"{"breakdowns":[]}"#, r#"{"breakdowns":{}}"#] {
            assert_eq!(read(json).unwrap(), [""; 0], "{json}");
        }
        assert_eq!(
            read(r#"{"breakdowns":"hush"}"#).unwrap_err(),
            "breakdowns does not have the type that the contract gives it"
        );
        let bad = node("Sales", "\"12.3.4\"", "[]");
        assert_eq!(
            read(&format!(r#"{{"breakdowns":[{bad}]}}"#)).unwrap_err(),
            "breakdowns[0].breakdownAmount.currencyAmount is not a decimal number"
        );
        let abroad = node("Sales", "1", "[]").replace("INR", "USD");
        assert_eq!(
            read(&format!(r#"{{"breakdowns":[{abroad}]}}"#)).unwrap_err(),
            "breakdowns[0].breakdownAmount has another currency than the transaction"
        );
    }

    /// The parser's own limit holds for our recursion too.
    #[test]
    fn a_tree_that_never_ends_is_refused() {
        let deep = (0..10_000).fold("[]".to_owned(), |below, _| format!("[{}]", node("A", "1", &below)));
        assert!(read(&format!(r#"{{"breakdowns":{deep}}}"#)).is_err());
    }
}
