//! Penalties, later corrections of weight, and what the nature of a line says.

use rust_decimal::Decimal;

use super::Judge;
use crate::card::{CardRow, Occasion};
use crate::expected::{fee_by_row, question};
use crate::facts::ClaimState;
use crate::finding::Detail;
use crate::line_type::LineType;
use crate::verdict::{Because, Gap, Reason, by_nature};

impl Judge<'_> {
    /// Judges what no other step has.
    pub(super) fn judge_others(&mut self) {
        self.judge_penalties();
        self.judge_weight_adjustments();
        self.judge_claims();
        for place in 0..self.components.len() {
            if self.verdicts[place].is_none() {
                let component = &self.components[place];
                self.verdicts[place] = by_nature(component.family, component.amount);
            }
        }
    }

    fn judge_penalties(&mut self) {
        let places = self.places_of(LineType::Penalty);
        let sum: Decimal = places.iter().map(|at| self.components[*at].amount).sum();
        let times = self.order.dispatch_by.zip(self.order.dispatched_at);
        let cancelled_by_seller = self.order.cancelled_by_seller;
        let is_known = cancelled_by_seller.is_some() || !self.order.is_cancelled_in_part();
        if cancelled_by_seller == Some(true) || times.is_some_and(|(by, at)| at > by) {
            for place in places {
                self.explain(place, Reason::OwnEvent);
            }
        } else if sum >= Decimal::ZERO {
            for place in places {
                self.explain(place, Reason::TakenBack);
            }
        } else if let Some((dispatch_by, dispatched_at)) = times.filter(|_| is_known) {
            for place in &places {
                self.differ(*place, Decimal::ZERO, Because::NoLateEvent);
            }
            let detail = Detail::PenaltyWithoutCause { charged: -sum, dispatch_by, dispatched_at };
            self.find(Some(LineType::Penalty), &places, -sum, true, detail);
        } else {
            for place in places {
                self.leave_open(place, Gap::OwnEventUnknown);
            }
        }
    }

    /// Nothing is due for a weight that the card's slab already covers.
    fn judge_weight_adjustments(&mut self) {
        let family = LineType::WeightAdjustment;
        let places = self.places_of(family);
        let Some((own_grams, row, fee)) = self.shipping_by_own_weight() else {
            for place in places {
                self.leave_open(place, Gap::NoWeight);
            }
            return;
        };
        let sum: Decimal = places.iter().map(|at| self.components[*at].amount).sum();
        if sum >= Decimal::ZERO {
            for place in places {
                self.explain(place, Reason::TakenBack);
            }
            return;
        }
        for place in &places {
            self.differ(*place, Decimal::ZERO, Because::HeavierSlab);
        }
        let charged_grams =
            places.iter().filter_map(|at| self.components[*at].entry.charged_weight_grams).max();
        let gst = self.gst_on(-sum, Some(row), &places);
        let (expected, charged) = (-fee, -fee - sum);
        let detail = Detail::WeightSlabTooHigh { own_grams, charged_grams, expected, charged, gst };
        self.find(Some(family), &places, gst - sum, true, detail);
    }

    /// The weight of the unit's line, the row of the card for it, and its fee.
    fn shipping_by_own_weight(&self) -> Option<(u32, CardRow, Decimal)> {
        let [lot] = self.unit.lots.as_slice() else { return None };
        let grams = lot.item.weight_grams?;
        let question =
            question(&self.facts.marketplace, self.order, lot, LineType::ShippingFee, Occasion::Sale);
        let row = self.rules.card.find(&question)?;
        row.weight_to_grams?;
        let (fee, _) = fee_by_row(row, lot, lot.sold())?;
        Some((grams, row.brief(), fee))
    }

    fn judge_claims(&mut self) {
        let won = self.facts.claims.iter().filter(|claim| claim.state == ClaimState::Won);
        let agreed: Vec<Option<Decimal>> = won.map(|claim| claim.recovered).collect();
        let all: Option<Decimal> = agreed.iter().copied().sum();
        for place in self.places_of(LineType::Claim) {
            let amount = self.components[place].amount;
            match all {
                _ if agreed.is_empty() => self.leave_open(place, Gap::NoClaim),
                Some(sum) if sum != amount && !agreed.contains(&Some(amount)) => {
                    self.differ(place, sum, Because::ApprovedClaim);
                }
                _ => self.explain(place, Reason::ApprovedClaim),
            }
        }
    }
}
