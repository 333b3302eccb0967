//! What the law deducts: TCS and TDS. Their rates change by date, and TDS differs between sellers (without a PAN it is 5 %), so they are
//! rows that somebody entered or that the seller's own payouts imply.

use std::collections::BTreeMap;

use chrono::{Datelike, NaiveDate};
use rust_decimal::Decimal;

use crate::money::percent_of;

/// A tax that is withheld from payouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tax {
    /// Tax collected at source under the GST Act.
    Tcs,
    /// Tax deducted at source under section 194-O.
    Tds,
}

/// A rate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatutoryRate {
    /// The marketplace's code; `None`: every marketplace.
    pub marketplace: Option<String>,
    /// The tax.
    pub tax: Tax,
    /// Percent of the goods' price without GST.
    pub percent: Decimal,
    /// Whether it is given back with a refund.
    pub given_back: bool,
    /// The first day, in India.
    pub valid_from: NaiveDate,
    /// The last day, in India; `None`: without end.
    pub valid_to: Option<NaiveDate>,
}

/// The rate of a day. A row for the marketplace goes before one for all, and a later row before an earlier one.
#[must_use]
pub fn rate_on<'a>(
    rates: &'a [StatutoryRate],
    marketplace: &str,
    tax: Tax,
    day: NaiveDate,
) -> Option<&'a StatutoryRate> {
    rates
        .iter()
        .filter(|rate| {
            rate.tax == tax
                && rate.marketplace.as_deref().is_none_or(|own| own == marketplace)
                && rate.valid_from <= day
                && rate.valid_to.is_none_or(|last| day <= last)
        })
        .max_by_key(|rate| (rate.marketplace.is_some(), rate.valid_from, rate.percent))
}

/// A deduction of the seller's own: one entry's tax and what it was computed from, both positive.
#[derive(Debug, Clone)]
pub struct Deduction {
    /// The tax.
    pub tax: Tax,
    /// The day that decides the rate, in India.
    pub day: NaiveDate,
    /// The goods' price without GST.
    pub taxable: Decimal,
    /// What was deducted.
    pub amount: Decimal,
}

/// Fewer deductions imply no rate.
const ENOUGH: usize = 20;

/// The rates that an account's deductions imply, one row for each calendar month: the rate of the median deduction, if nine out of
/// ten are that rate to the paisa. A month with fewer than twenty, or with no such rate, gives no row.
#[must_use]
pub fn implied_rates(marketplace: &str, deductions: &[Deduction]) -> Vec<StatutoryRate> {
    let mut months: BTreeMap<(Tax, i32, u32), Vec<&Deduction>> = BTreeMap::new();
    for deduction in deductions.iter().filter(|one| one.taxable > Decimal::ZERO) {
        let month = (deduction.tax, deduction.day.year(), deduction.day.month());
        months.entry(month).or_default().push(deduction);
    }
    let rows = months.into_iter().filter_map(|((tax, year, month), of_month)| {
        let first = NaiveDate::from_ymd_opt(year, month, 1)?;
        let last = first.checked_add_months(chrono::Months::new(1))?.pred_opt()?;
        let percent = common_percent(&of_month)?;
        let marketplace = Some(marketplace.to_owned());
        Some(StatutoryRate {
            marketplace,
            tax,
            percent,
            given_back: true,
            valid_from: first,
            valid_to: Some(last),
        })
    });
    rows.collect()
}

/// The percentage, to a hundredth, that nine out of ten have.
fn common_percent(deductions: &[&Deduction]) -> Option<Decimal> {
    if deductions.len() < ENOUGH {
        return None;
    }
    let mut percents: Vec<Decimal> = deductions
        .iter()
        .map(|one| (one.amount * Decimal::ONE_HUNDRED / one.taxable).round_dp(2).normalize())
        .collect();
    percents.sort_unstable();
    let median = percents[percents.len() / 2];
    let agreeing = deductions.iter().filter(|one| percent_of(one.taxable, median) == one.amount).count();
    (agreeing * 10 >= deductions.len() * 9).then_some(median)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn rate(marketplace: Option<&str>, percent: i64, from: &str, to: Option<&str>) -> StatutoryRate {
        StatutoryRate {
            marketplace: marketplace.map(str::to_owned),
            tax: Tax::Tcs,
            percent: Decimal::new(percent, 1),
            given_back: true,
            valid_from: day(from),
            valid_to: to.map(day),
        }
    }

    #[test]
    fn the_day_decides_and_a_marketplaces_own_row_goes_first() {
        let rates = [
            rate(None, 10, "2018-10-01", Some("2024-07-09")),
            rate(None, 5, "2024-07-10", None),
            rate(Some("AJIO"), 3, "2024-01-01", None),
        ];
        let percent =
            |marketplace, on| rate_on(&rates, marketplace, Tax::Tcs, day(on)).map(|row| row.percent);
        assert_eq!(percent("MEESHO", "2024-07-09"), Some(Decimal::ONE));
        assert_eq!(percent("MEESHO", "2024-07-10"), Some(Decimal::new(5, 1)));
        assert_eq!(percent("AJIO", "2024-07-10"), Some(Decimal::new(3, 1)));
        assert_eq!(percent("AJIO", "2017-01-01"), None);
    }

    fn deductions(percent: Decimal, off: usize, all: u32) -> Vec<Deduction> {
        let one = |nth: u32| {
            let taxable = Decimal::from(20 + nth * 37);
            let error = if (nth as usize) < off { Decimal::ONE } else { Decimal::ZERO };
            let amount = percent_of(taxable, percent) + error;
            Deduction { tax: Tax::Tds, day: day("2026-02-11"), taxable, amount }
        };
        (0..all).map(one).collect()
    }

    #[test]
    fn a_seller_without_a_pan_implies_five_percent() {
        let rows = implied_rates("FLIPKART", &deductions(Decimal::from(5), 3, 40));
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].percent, Decimal::from(5));
        assert_eq!((rows[0].valid_from, rows[0].valid_to), (day("2026-02-01"), Some(day("2026-02-28"))));
    }

    #[test]
    fn deductions_that_disagree_or_are_few_imply_nothing() {
        assert!(implied_rates("FLIPKART", &deductions(Decimal::from(5), 5, 40)).is_empty());
        assert!(implied_rates("FLIPKART", &deductions(Decimal::from(5), 0, 19)).is_empty());
    }
}
