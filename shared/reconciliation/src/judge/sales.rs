//! Sales and refunds, from the order's price and what came back.

use rust_decimal::Decimal;

use super::{Family, Judge};
use crate::component::{Fit, is_near};
use crate::finding::Detail;
use crate::line_type::LineType::{Promotion, Refund, Sale};
use crate::money::share;
use crate::verdict::{Because, Gap, Reason};

impl Judge<'_> {
    /// Judges sales and refunds, and covers entries that are about a sale or a refund too many.
    pub(super) fn judge_sales(&mut self) {
        if self.order.is_replacement {
            for place in [self.places_of(Sale), self.places_of(Refund)].concat() {
                self.leave_open(place, Gap::Replacement);
            }
            return;
        }
        let sales = self.fit_family(Sale);
        let refunds = self.fit_family(Refund);
        let mut further_sales = self.explain_what_meets(&sales);
        let mut further_refunds = self.explain_what_meets(&refunds);
        self.let_opposites_cancel(&mut further_sales, &mut further_refunds);
        self.judge_price(&sales);
        self.judge_refunded(&sales, &refunds);
        self.judge_further_sales(&sales, &further_sales);
        self.judge_further_refunds(&further_refunds);
    }

    /// Explains what is as expected, and returns the components for which nothing is expected.
    fn explain_what_meets(&mut self, family: &Family) -> Vec<usize> {
        let mut further = Vec::new();
        for (place, fit) in family.places.iter().zip(&family.fitted.fits) {
            match fit {
                Fit::Meets(_) => self.explain(*place, Reason::Order),
                Fit::InSum => self.explain(*place, Reason::InSum),
                Fit::Instead(_) => {}
                Fit::Surplus => further.push(*place),
            }
        }
        further
    }

    /// A sale too many and a refund too many of the same amount are nothing together, as for goods that never reached the customer.
    fn let_opposites_cancel(&mut self, sales: &mut Vec<usize>, refunds: &mut Vec<usize>) {
        let mut left = Vec::new();
        for sale in sales.drain(..) {
            let opposite = refunds
                .iter()
                .position(|refund| self.components[*refund].amount == -self.components[sale].amount);
            match opposite {
                Some(at) => {
                    let refund = refunds.remove(at);
                    self.explain(sale, Reason::TakenBack);
                    self.explain(refund, Reason::TakenBack);
                }
                None => left.push(sale),
            }
        }
        *sales = left;
    }

    fn judge_price(&mut self, sales: &Family) {
        let terms = self.rules.terms_of(&self.facts.marketplace);
        let has_shipping = terms.is_some_and(|terms| terms.sale_includes_shipping);
        let is_right = |judge: &Self, place: usize, price: Decimal| {
            let settled = judge.components[place].amount;
            if is_near(settled + judge.offers_beside(place), price, judge.tolerance, 2) {
                Some(Reason::InSum)
            } else {
                (has_shipping && settled > price).then_some(Reason::AsStated)
            }
        };
        if let Some((places, price, settled)) = self.differing(sales, is_right) {
            let detail = Detail::SaleShort { price, settled };
            self.find(Some(Sale), &places, price - settled, true, detail);
        }
    }

    fn judge_refunded(&mut self, sales: &Family, refunds: &Family) {
        let paid_for_it = self.paid_for_returned(sales);
        let is_right = |judge: &Self, place: usize, _| {
            let taken = -judge.components[place].amount;
            let is_same = paid_for_it.is_some_and(|paid| is_near(taken, paid, judge.tolerance, 2));
            is_same.then_some(Reason::TakenBack)
        };
        if let Some((places, due, taken)) = self.differing(refunds, is_right) {
            let detail = Detail::RefundTooHigh { expected: -due, refunded: -taken };
            self.find(Some(Refund), &places, due - taken, true, detail);
        }
    }

    /// What was settled for the units that came back, if that can be told: a refund of as much takes back what the sale paid, whatever
    /// the order says.
    fn paid_for_returned(&self, sales: &Family) -> Option<Decimal> {
        let [lot] = self.unit.lots.as_slice() else { return None };
        let settled = sales.places.iter().zip(&sales.fitted.fits).filter(|(_, fit)| **fit != Fit::Surplus);
        let paid: Decimal = settled.map(|(place, _)| self.components[*place].amount).sum();
        (paid > Decimal::ZERO).then(|| share(paid, lot.returned, lot.sold()))
    }

    /// Says which components stand for another amount, and explains those that are right all the same. Returns those that are to the
    /// seller's loss, if any, with the sums of what was expected and of what they are.
    fn differing(
        &mut self,
        family: &Family,
        is_right: impl Fn(&Self, usize, Decimal) -> Option<Reason>,
    ) -> Option<(Vec<usize>, Decimal, Decimal)> {
        let (mut places, mut due, mut came) = (Vec::new(), Decimal::ZERO, Decimal::ZERO);
        for (place, fit) in family.places.iter().zip(&family.fitted.fits) {
            let Fit::Instead(at) = fit else { continue };
            let (expected, actual) = (family.expected[*at].amount, self.components[*place].amount);
            if let Some(reason) = is_right(self, *place, expected) {
                self.explain(*place, reason);
                continue;
            }
            self.differ(*place, expected, Because::Price);
            if actual < expected {
                places.push(*place);
                due += expected;
                came += actual;
            }
        }
        (!places.is_empty()).then_some((places, due, came))
    }

    /// The seller's share of offers in the same entry: some orders have their price after it.
    fn offers_beside(&self, place: usize) -> Decimal {
        let entry = self.components[place].entry.id;
        let beside = self.components.iter().filter(|one| one.entry.id == entry && one.family == Promotion);
        beside.map(|one| one.amount).sum()
    }

    fn judge_further_sales(&mut self, sales: &Family, further: &[usize]) {
        let is_sold = !sales.expected.is_empty();
        let (paying, taking): (Vec<usize>, Vec<usize>) =
            further.iter().partition(|at| self.components[**at].amount > Decimal::ZERO);
        let because = if is_sold { Because::SettledTwice } else { Because::NotSold };
        for place in &paying {
            self.differ(*place, Decimal::ZERO, because);
            self.covered.insert(self.components[*place].entry.id, because);
        }
        for place in &taking {
            self.differ(*place, Decimal::ZERO, Because::NegativeSale);
        }
        let price: Decimal = sales.expected.iter().map(|one| one.amount).sum();
        let sum = |places: &[usize]| -> Decimal { places.iter().map(|at| self.components[*at].amount).sum() };
        let (paid_again, taken) = (sum(&paying), sum(&taking));
        if is_sold && !paying.is_empty() {
            let detail = Detail::SettledTwice { times: 1 + paying.len(), price };
            self.find(Some(Sale), &paying, paid_again, false, detail);
        }
        if is_sold && !taking.is_empty() {
            let at_stake = if sales.fitted.unmet.is_empty() { -taken } else { price - taken };
            let detail = Detail::SaleMissing { price, settled: Some(taken) };
            self.find(Some(Sale), &taking, at_stake, true, detail);
        }
    }

    fn judge_further_refunds(&mut self, further: &[usize]) {
        if self.unit.has_unplaced_return {
            for place in further {
                self.leave_open(*place, Gap::UnplacedReturn);
            }
            return;
        }
        for place in further {
            self.differ(*place, Decimal::ZERO, Because::NoReturn);
            self.covered.entry(self.components[*place].entry.id).or_insert(Because::NoReturn);
        }
        let taking: Vec<usize> =
            further.iter().copied().filter(|at| self.components[*at].amount < Decimal::ZERO).collect();
        if !taking.is_empty() {
            let refunded: Decimal = taking.iter().map(|at| -self.components[*at].amount).sum();
            let units_returned = self.unit.lots.iter().map(|lot| lot.returned).fold(0, u32::saturating_add);
            let detail = Detail::RefundWithoutReturn { refunded, units_returned };
            self.find(Some(Refund), &taking, refunded, true, detail);
        }
    }
}
