//! Money that should be there and is not: delivered orders that are not paid, and announced money past its date.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use super::Judge;
use crate::facts::{Entry, Progress};
use crate::finding::{AgeBand, Detail};
use crate::line_type::LineType;
use crate::money::{days_after, india_day};
use crate::rules::SettlementStart;

impl Judge<'_> {
    /// Looks for a sale that should have been paid by now.
    pub(super) fn judge_settlement(&mut self) {
        if self.is_deferred_too_long()
            || self.order.is_replacement
            || self.order.progress != Progress::Delivered
        {
            return;
        }
        let Some(due) = self.due() else { return };
        let waits = self.unit.announced.iter().any(|entry| entry.expected_at.is_some());
        if waits || self.now <= due {
            return;
        }
        let sales = self.fit_family(LineType::Sale);
        let is_negative = sales.places.iter().any(|at| self.components[*at].amount < Decimal::ZERO);
        if sales.fitted.unmet.is_empty() || is_negative {
            return;
        }
        let unpaid: Vec<usize> = self.unpaid_lots(&sales.fitted.unmet, &sales.places);
        let price: Decimal = unpaid.iter().map(|at| self.kept_price(*at)).sum();
        if price > Decimal::ZERO {
            self.say_unpaid(due, price, &unpaid);
        }
    }

    /// The lots of sales that are not there. Without any sale, these are all lots; of several lots, each has one expected sale.
    fn unpaid_lots(&self, unmet: &[usize], sales: &[usize]) -> Vec<usize> {
        if sales.is_empty() {
            return (0..self.unit.lots.len()).collect();
        }
        let sold = (0..self.unit.lots.len()).filter(|at| self.unit.lots[*at].sold() > 0);
        sold.enumerate().filter(|(nth, _)| unmet.contains(nth)).map(|(_, at)| at).collect()
    }

    fn kept_price(&self, lot: usize) -> Decimal {
        self.unit.lots[lot].price_of(self.unit.lots[lot].kept)
    }

    fn say_unpaid(&mut self, due: DateTime<Utc>, price: Decimal, unpaid: &[usize]) {
        let is_single = self.unit.lots.len() == 1;
        let charges: Vec<usize> = (0..self.components.len())
            .filter(|at| self.components[*at].family.is_fee() && self.components[*at].amount < Decimal::ZERO)
            .collect();
        if is_single && !charges.is_empty() {
            let detail = Detail::SaleMissing { price, settled: None };
            self.find(Some(LineType::Sale), &charges, price, true, detail);
            return;
        }
        let net: Option<Decimal> = unpaid.iter().map(|at| self.breakdowns[*at].net()).sum();
        let owed = net.unwrap_or(price);
        if owed <= Decimal::ZERO {
            return;
        }
        let days_late = (self.now - due).num_days();
        let band = AgeBand::of_days(days_late);
        let detail = Detail::NotSettled { due: india_day(due), days_late, band, net, price };
        let file_by = self.terms_days().map(|days| days_after(due, days));
        self.keep(None, Vec::new(), owed, true, file_by, detail);
    }

    fn terms_days(&self) -> Option<u32> {
        self.rules.terms_of(&self.facts.marketplace)?.disputes_within_days
    }

    /// When the marketplace should have paid.
    fn due(&self) -> Option<DateTime<Utc>> {
        let terms = self.rules.terms_of(&self.facts.marketplace)?;
        let start = match terms.settles_from {
            SettlementStart::Delivery => self.order.delivered_at?,
            SettlementStart::Dispatch => self.order.dispatched_at?,
        };
        Some(days_after(start, terms.settles_after_days))
    }

    /// Announced entries past the date that the marketplace itself stated.
    fn is_deferred_too_long(&mut self) -> bool {
        let overdue: Vec<&Entry> = self
            .unit
            .announced
            .iter()
            .copied()
            .filter(|entry| entry.expected_at.is_some_and(|expected| expected < self.now))
            .collect();
        let Some((due, detail)) = overdue_detail(&overdue, self.now) else {
            return false;
        };
        let announced: Decimal = overdue.iter().map(|entry| entry.amount()).sum();
        let evidence = overdue.iter().map(|entry| entry.id).collect();
        let file_by = self.terms_days().map(|days| days_after(due, days));
        self.keep(None, evidence, announced, true, file_by, detail);
        true
    }
}

/// The earliest date of announced entries that are past theirs, and the numbers; `None` if they would take money.
pub(crate) fn overdue_detail(overdue: &[&Entry], now: DateTime<Utc>) -> Option<(DateTime<Utc>, Detail)> {
    let due = overdue.iter().filter_map(|entry| entry.expected_at).min()?;
    let announced: Decimal = overdue.iter().map(|entry| entry.amount()).sum();
    if announced <= Decimal::ZERO {
        return None;
    }
    let days_late = (now - due).num_days();
    let band = AgeBand::of_days(days_late);
    Some((due, Detail::DeferredOverdue { due: india_day(due), days_late, band, announced }))
}
