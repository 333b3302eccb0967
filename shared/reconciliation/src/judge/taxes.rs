//! GST on fees, from the fees beside it; TCS and TDS, from the sales and refunds beside them. Amounts that were charged count, not those
//! that should have been, so that one mistake is one finding.

use rust_decimal::Decimal;

use super::Judge;
use crate::component::is_near;
use crate::expected::tax_rate;
use crate::facts::EntryId;
use crate::finding::Detail;
use crate::line_type::LineType;
use crate::money::percent_of;
use crate::statutory::{StatutoryRate, Tax};
use crate::taxable::{has_goods, taxable};
use crate::verdict::{Because, Gap, Reason, Verdict};

/// Taxes of a unit that are off, of all its entries together.
#[derive(Default)]
struct Off {
    places: Vec<usize>,
    expected: Decimal,
    actual: Decimal,
    /// The sum of the differences, whatever their signs.
    difference: Decimal,
}

impl Off {
    fn add(&mut self, places: &[usize], expected: Decimal, actual: Decimal) {
        self.places.extend(places);
        self.expected += expected;
        self.actual += actual;
        self.difference += (actual - expected).abs();
    }
}

impl Judge<'_> {
    /// Judges the GST on fees.
    pub(super) fn judge_fee_tax(&mut self) {
        let places = self.places_of(LineType::FeeTax);
        let (beside, alone): (Vec<usize>, Vec<usize>) =
            places.iter().partition(|at| self.charges_in(self.components[**at].entry.id) > 0);
        let mut off = Off::default();
        for place in &beside {
            self.judge_fee_tax_beside(*place, &mut off);
        }
        if !off.places.is_empty() {
            let detail = Detail::FeeTaxOff { expected: -off.expected, charged: -off.actual };
            self.find(Some(LineType::FeeTax), &off.places, off.difference, true, detail);
        }
        let taxed: Vec<EntryId> = beside.iter().map(|at| self.components[*at].entry.id).collect();
        let untaxed: Vec<EntryId> =
            self.unit.paid.iter().map(|entry| entry.id).filter(|id| !taxed.contains(id)).collect();
        let due = self.gst_of_entries(&untaxed);
        let sum: Decimal = alone.iter().map(|at| self.components[*at].amount).sum();
        let fits = due.is_some_and(|due| {
            !due.is_zero() && is_near(sum, due, self.tolerance, alone.len() + untaxed.len())
        });
        for place in alone {
            if fits {
                self.explain(place, Reason::FeesBeside);
            } else {
                self.leave_open(place, Gap::NoFeeTaxRate);
            }
        }
    }

    fn judge_fee_tax_beside(&mut self, place: usize, off: &mut Off) {
        let entry = self.components[place].entry.id;
        let Some(expected) = self.gst_of_entries(&[entry]) else {
            self.leave_open(place, Gap::NoFeeTaxRate);
            return;
        };
        let actual = self.components[place].amount;
        let lines = self.components[place].lines.len() + self.charges_in(entry);
        if is_near(actual, expected, self.tolerance, lines) {
            self.explain(place, Reason::FeesBeside);
            return;
        }
        if self.has_charge_of_unknown_rate(entry) {
            self.leave_open(place, Gap::NoFeeTaxRate);
            return;
        }
        self.differ(place, expected, Because::FeesBeside);
        if actual < expected {
            off.add(&[place], expected, actual);
        }
    }

    /// How many fees an entry has.
    fn charges_in(&self, entry: EntryId) -> usize {
        let is_charge = |family: LineType| family.is_fee() || family == LineType::WeightAdjustment;
        self.components.iter().filter(|one| one.entry.id == entry && is_charge(one.family)).count()
    }

    fn has_charge_of_unknown_rate(&self, entry: EntryId) -> bool {
        let other = [LineType::Penalty, LineType::Ads, LineType::FeeRebate, LineType::Recovery];
        self.components.iter().any(|one| one.entry.id == entry && other.contains(&one.family))
    }

    /// The GST on the fees of entries; `None`: the card has no rate for one of them.
    fn gst_of_entries(&self, entries: &[EntryId]) -> Option<Decimal> {
        let mut sum = Decimal::ZERO;
        for component in self.components.iter().filter(|one| entries.contains(&one.entry.id)) {
            let family = match component.family {
                LineType::WeightAdjustment => LineType::ShippingFee,
                family if family.is_fee() => family,
                _ => continue,
            };
            sum += percent_of(component.amount, self.gst_percent(family)?);
        }
        Some(sum)
    }

    /// The GST rate on a fee that is stated apart: that of the row which applies, or the one that all rows of the fee have.
    fn gst_percent(&self, family: LineType) -> Option<Decimal> {
        let mut amounts = self.breakdowns.iter().flat_map(|one| &one.amounts);
        if let Some(row) = amounts.find(|one| one.line_type == family).and_then(|one| one.card_row) {
            return Some(row.gst_percent_apart);
        }
        let mut percents =
            self.rules.card.rows_of(&self.facts.marketplace, family).map(|row| row.brief().gst_percent_apart);
        let first = percents.next()?;
        percents.all(|other| other == first).then_some(first)
    }

    /// Judges TCS and TDS.
    pub(super) fn judge_withheld_tax(&mut self) {
        for (tax, family) in [(Tax::Tcs, LineType::Tcs), (Tax::Tds, LineType::Tds)] {
            let places = self.places_of(family);
            match tax_rate(self.rules, &self.facts.marketplace, self.order, tax) {
                Some(rate) => self.judge_tax(tax, family, rate, &places),
                None => {
                    for place in places {
                        self.leave_open(place, Gap::NoTaxRate);
                    }
                }
            }
        }
    }

    /// Compares a tax with the goods in its entry; where it stands alone, with the goods of all entries that have none of it.
    fn judge_tax(&mut self, tax: Tax, family: LineType, rate: &StatutoryRate, places: &[usize]) {
        let (beside, alone): (Vec<usize>, Vec<usize>) =
            places.iter().partition(|at| has_goods(&self.components, self.components[**at].entry.id));
        let taxed: Vec<EntryId> = beside.iter().map(|at| self.components[*at].entry.id).collect();
        let mut off = Off::default();
        for (place, entry) in beside.iter().zip(&taxed) {
            self.compare_tax(rate, &[*place], &[*entry], &mut off);
        }
        if !alone.is_empty() {
            let untaxed = self.unit.paid.iter().map(|entry| entry.id);
            let untaxed: Vec<EntryId> =
                untaxed.filter(|id| !taxed.contains(id) && has_goods(&self.components, *id)).collect();
            self.compare_tax(rate, &alone, &untaxed, &mut off);
        }
        if !off.places.is_empty() {
            let (percent, expected, deducted) = (rate.percent, -off.expected, -off.actual);
            let detail = Detail::TaxOff { tax, percent, expected, deducted };
            self.find(Some(family), &off.places, off.difference, false, detail);
        }
    }

    fn compare_tax(&mut self, rate: &StatutoryRate, places: &[usize], entries: &[EntryId], off: &mut Off) {
        let taxable: Option<Decimal> =
            entries.iter().map(|entry| taxable(self.unit, &self.components, *entry, rate.given_back)).sum();
        let Some(taxable) = taxable else {
            for place in places {
                self.leave_open(*place, Gap::NoTaxRate);
            }
            return;
        };
        let expected = -percent_of(taxable, rate.percent);
        let actual: Decimal = places.iter().map(|at| self.components[*at].amount).sum();
        let lines: usize = places.iter().map(|at| self.components[*at].lines.len()).sum();
        let is_right = is_near(actual, expected, self.tolerance, lines);
        for place in places {
            if is_right {
                self.explain(*place, Reason::TaxRate);
            } else {
                self.verdicts[*place] =
                    Some(Verdict::Differs { expected, actual, because: Because::TaxRate });
            }
        }
        if !is_right {
            off.add(places, expected, actual);
        }
    }
}
