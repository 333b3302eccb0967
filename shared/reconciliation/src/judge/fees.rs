//! Fees, from the card.

use rust_decimal::Decimal;

use super::{Family, Judge};
use crate::card::{CardRow, Occasion, RateRow};
use crate::component::{Fit, is_near};
use crate::expected::{Expected, fee_by_row, question};
use crate::finding::Detail;
use crate::line_type::{LINE_TYPES, LineType};
use crate::money::percent_of;
use crate::verdict::{Because, Gap, Reason, by_nature};

impl Judge<'_> {
    /// Judges every family of fees.
    pub(super) fn judge_fees(&mut self) {
        for family in LINE_TYPES.iter().copied().filter(|one| one.is_fee()) {
            if let Some(gap) = self.gap_of(family) {
                self.leave_fees_open(family, &gap);
            } else {
                self.judge_fee(family);
            }
        }
    }

    /// Why the card cannot judge a family, if it cannot.
    fn gap_of(&self, family: LineType) -> Option<Gap> {
        if self.order.is_replacement {
            return Some(Gap::Replacement);
        }
        if !self.rules.card.fees_of(&self.facts.marketplace).any(|(known, _)| known == family) {
            return Some(Gap::FeeNotInCard);
        }
        let mut missing = self.breakdowns.iter().flat_map(|one| &one.no_card);
        missing.find(|one| one.question.line_type == family).map(|one| Gap::NoCard(Box::new(one.clone())))
    }

    /// Without a card, only the number of return fees can be wrong.
    fn leave_fees_open(&mut self, family: LineType, gap: &Gap) {
        let places = self.places_of(family);
        for place in &places {
            match by_nature(family, self.components[*place].amount) {
                Some(verdict) if *gap == Gap::FeeNotInCard => self.verdicts[*place] = Some(verdict),
                _ => self.leave_open(*place, gap.clone()),
            }
        }
        if let Gap::NoCard(missing) = gap
            && !places.is_empty()
        {
            self.no_card.push((**missing).clone());
        }
        let units = self.unit.came_back();
        if family.is_return_fee() && units > 0 && !self.unit.has_unplaced_return {
            let charges = self.charges(&places);
            let further: Vec<usize> = charges.iter().copied().skip(units as usize).collect();
            self.judge_return_fees(family, charges.len(), &further, None);
        }
    }

    /// The charges among components, without those that are taken back.
    fn charges(&self, places: &[usize]) -> Vec<usize> {
        let is_charge = |at: &usize| self.components[*at].amount < Decimal::ZERO;
        let (mut charges, credits): (Vec<usize>, Vec<usize>) = places.iter().copied().partition(is_charge);
        for credit in credits {
            let same = |at: &usize| self.components[*at].amount == -self.components[credit].amount;
            if let Some(at) = charges.iter().position(same) {
                charges.remove(at);
            }
        }
        charges
    }

    fn judge_fee(&mut self, family: LineType) {
        let fees = self.fit_family(family);
        let (mut further, mut instead) = (Vec::new(), Vec::new());
        for (place, fit) in fees.places.iter().copied().zip(fees.fitted.fits.iter().copied()) {
            match fit {
                Fit::Meets(at) => {
                    let row = fees.expected[at].card_row;
                    self.explain(place, row.map_or(Reason::InSum, |row| Reason::Card(row.row)));
                }
                Fit::InSum => self.explain(place, Reason::InSum),
                Fit::Instead(at) => instead.push((place, at)),
                Fit::Surplus => match self.covered.get(&self.components[place].entry.id).copied() {
                    Some(because) => self.differ(place, Decimal::ZERO, because),
                    None => further.push(place),
                },
            }
        }
        if !further.is_empty() || !self.is_heavier_slab(family, &fees, &instead) {
            self.judge_wrong_fees(family, &fees, &instead, &further);
        }
        self.judge_not_given_back(family, &fees, &instead);
    }

    /// Fees that are not what the card says, each as place and expected amount, and those for which it says nothing.
    fn judge_wrong_fees(
        &mut self,
        family: LineType,
        fees: &Family,
        instead: &[(usize, usize)],
        further: &[usize],
    ) {
        for (place, at) in instead {
            let Expected { amount, card_row, .. } = fees.expected[*at];
            self.differ(*place, amount, card_row.map_or(Because::NotDue, |row| Because::Card(row.row)));
        }
        let row = fees.expected.iter().find_map(|one| one.card_row);
        let is_charge = |(_, at): &(usize, usize)| fees.expected[*at].amount < Decimal::ZERO;
        let charges: Vec<(usize, usize)> = instead.iter().copied().filter(is_charge).collect();
        if family.is_return_fee() && row.is_some() {
            let times = self.charges(&fees.places).len();
            self.judge_return_fees(family, times, further, row);
            self.judge_excess(family, fees, &charges, &[], row);
        } else {
            self.judge_excess(family, fees, &charges, further, row);
        }
    }

    /// Return fees beyond one for each unit that came back.
    fn judge_return_fees(&mut self, family: LineType, times: usize, further: &[usize], row: Option<CardRow>) {
        if further.is_empty() {
            return;
        }
        for place in further {
            self.differ(*place, Decimal::ZERO, Because::ChargedAgain);
        }
        let excess: Decimal = further.iter().map(|at| -self.components[*at].amount).sum();
        if excess > Decimal::ZERO {
            let (gst, units) = (self.gst_on(excess, row, further), self.unit.came_back());
            let detail = Detail::DoubleReturnFee { times, units, excess, gst };
            self.find(Some(family), further, excess + gst, true, detail);
        }
    }

    /// What was charged beyond the card, with a fee that it has no reason for.
    fn judge_excess(
        &mut self,
        family: LineType,
        fees: &Family,
        instead: &[(usize, usize)],
        further: &[usize],
        row: Option<CardRow>,
    ) {
        let because = if row.is_some() { Because::ChargedAgain } else { Because::NotDue };
        for place in further {
            self.differ(*place, Decimal::ZERO, because);
        }
        let places: Vec<usize> =
            instead.iter().map(|(place, _)| *place).chain(further.iter().copied()).collect();
        let charged: Decimal = places.iter().map(|at| -self.components[*at].amount).sum();
        let expected: Decimal = instead.iter().map(|(_, at)| -fees.expected[*at].amount).sum();
        let excess = charged - expected;
        if excess > self.tolerance {
            let card_row = instead.iter().find_map(|(_, at)| fees.expected[*at].card_row).or(row);
            let gst = self.gst_on(excess, card_row, &places);
            let expected_once = if instead.is_empty() { fees.charged_once() } else { expected };
            let charged_in_all = expected_once + excess;
            let detail = Detail::FeeAboveCard {
                expected: expected_once,
                charged: charged_in_all,
                gst,
                card_row: card_row.map(|row| row.row),
            };
            self.find(Some(family), &places, excess + gst, true, detail);
        }
    }

    /// A refund was booked, and the card gives the fee back with it: nothing came back, or less.
    fn judge_not_given_back(&mut self, family: LineType, fees: &Family, instead: &[(usize, usize)]) {
        let unmet = fees.fitted.unmet.iter().map(|at| (fees.expected[*at].amount, Decimal::ZERO));
        let instead =
            instead.iter().map(|(place, at)| (fees.expected[*at].amount, self.components[*place].amount));
        let given_back = unmet.chain(instead).filter(|(due, _)| *due > Decimal::ZERO);
        let owed: Decimal = given_back.map(|(due, came)| due - came).sum();
        let is_below_zero = |at: &usize| self.components[*at].amount < Decimal::ZERO;
        let charges: Vec<usize> = fees.places.iter().copied().filter(is_below_zero).collect();
        let is_refunded = self.places_of(LineType::Refund).iter().any(is_below_zero);
        if owed > self.tolerance && is_refunded && !charges.is_empty() {
            let row = fees.expected.iter().find_map(|one| one.card_row);
            let gst = self.gst_on(owed, row, &charges);
            let detail = Detail::FeeNotGivenBack { expected: owed, gst };
            self.find(Some(family), &charges, owed + gst, true, detail);
        }
    }

    /// Whether shipping was charged for a heavier slab of the card; then it is judged here.
    fn is_heavier_slab(&mut self, family: LineType, fees: &Family, instead: &[(usize, usize)]) -> bool {
        let (LineType::ShippingFee, &[(place, at)], [lot]) = (family, instead, self.unit.lots.as_slice())
        else {
            return false;
        };
        let (expected, charged) = (fees.expected[at].amount, self.components[place].amount);
        let Some(own_grams) = lot.item.weight_grams.filter(|_| charged < expected) else {
            return false;
        };
        let question = question(&self.facts.marketplace, self.order, lot, family, Occasion::Sale);
        let Some(own) = self.rules.card.find(&question) else { return false };
        let stated = self.components[place].entry.charged_weight_grams;
        let lines = self.components[place].lines.len();
        let is_charged = |row: &&&RateRow| {
            fee_by_row(row, lot, lot.sold())
                .is_some_and(|(fee, _)| is_near(fee, charged, self.tolerance, lines))
        };
        let heavier = self.rules.card.heavier(&question, own.weight_to_grams);
        let slab = heavier.iter().find(is_charged);
        let is_stated = stated.is_some() && stated > own.weight_to_grams && own.weight_to_grams.is_some();
        if slab.is_none() && !is_stated {
            return false;
        }
        let charged_grams = stated.filter(|_| is_stated).or_else(|| slab.and_then(|row| row.weight_to_grams));
        let row = Some(own.brief());
        self.differ(place, expected, Because::HeavierSlab);
        let gst = self.gst_on(expected - charged, row, &[place]);
        let (at_stake, expected, charged) = (expected - charged + gst, -expected, -charged);
        let detail = Detail::WeightSlabTooHigh { own_grams, charged_grams, expected, charged, gst };
        self.find(Some(family), &[place], at_stake, true, detail);
        true
    }

    /// The GST on a difference, if the entries state GST apart and the row has a rate.
    pub(super) fn gst_on(&self, amount: Decimal, row: Option<CardRow>, places: &[usize]) -> Decimal {
        let has_tax = self
            .entries_of(places)
            .iter()
            .any(|entry| entry.lines.iter().any(|line| line.line_type == LineType::FeeTax));
        row.filter(|_| has_tax).map_or(Decimal::ZERO, |row| percent_of(amount, row.gst_percent_apart))
    }
}
