//! Mistakes of marketplaces, planted into a right book.

use chrono::Duration;
use robnu_reconciliation::FindingKind;
use robnu_reconciliation::LineType::{
    self, Commission, FeeTax, Penalty, Refund, RefundTax, ReturnFee, ReverseShippingFee, Sale, SaleTax,
    ShippingFee, Tcs, Tds,
};
use robnu_reconciliation::facts::{Claim, ClaimState, Entry, OrderFacts, Progress};
use rust_decimal::Decimal;

use super::rates::{gst, numbers};
use super::{Book, at, now, paise};

/// The kinds that can be planted into an order; a payout's total goes into a payout.
pub const KINDS: [FindingKind; 16] = [
    FindingKind::NotSettled,
    FindingKind::SaleMissing,
    FindingKind::SaleShort,
    FindingKind::SettledTwice,
    FindingKind::RefundWithoutReturn,
    FindingKind::DoubleReturnFee,
    FindingKind::FeeAboveCard,
    FindingKind::FeeNotGivenBack,
    FindingKind::WeightSlabTooHigh,
    FindingKind::FeeTaxOff,
    FindingKind::PenaltyWithoutCause,
    FindingKind::TcsOff,
    FindingKind::TdsOff,
    FindingKind::ClaimNotCredited,
    FindingKind::UnknownOrder,
    FindingKind::DeferredOverdue,
];

/// Plants a mistake into an order that suits it; `false` for one that does not.
pub fn plant(book: &mut Book, place: usize, kind: FindingKind) -> bool {
    let facts = &book.orders[place];
    let sale_at = facts.entries.iter().position(|entry| has(entry, Sale));
    let is_kept = facts.returns.is_empty()
        && facts.claims.is_empty()
        && facts.order.as_ref().is_some_and(|order| order.progress == Progress::Delivered)
        && facts.entries.len() == 1
        && facts.entries[0].payout.is_some();
    let Some(sale_at) = sale_at else { return false };
    if facts.entries[sale_at].amount() <= Decimal::ZERO {
        return false; // Fees of a cheap article take all of it: its payment is no loss to miss.
    }
    if is_kept {
        return plant_into_kept(book, place, kind);
    }
    let is_returned = !facts.returns.is_empty() && facts.claims.is_empty() && facts.entries.len() == 2;
    is_returned && sale_at == 0 && plant_into_returned(book, place, kind)
}

fn plant_into_kept(book: &mut Book, place: usize, kind: FindingKind) -> bool {
    let facts = book.orders[place].clone();
    let mut sale = facts.entries[0].clone();
    match kind {
        FindingKind::NotSettled => book.orders[place].entries.clear(),
        FindingKind::SaleMissing if has(&sale, Commission) => {
            sale.lines.retain(|line| !matches!(line.line_type, Sale | SaleTax | Tcs | Tds));
            book.orders[place].entries[0] = sale;
        }
        FindingKind::SaleShort if !has(&sale, SaleTax) && !has(&sale, Tcs) => {
            change(&mut sale, Sale, -1_000);
            book.orders[place].entries[0] = sale;
        }
        FindingKind::SettledTwice => {
            sale.id = book.entry_id();
            book.orders[place].entries.push(later(sale, 21));
        }
        FindingKind::FeeAboveCard if has(&sale, Commission) => {
            change(&mut sale, Commission, -2_000);
            if has(&sale, FeeTax) {
                change(&mut sale, FeeTax, -gst(2_000));
            }
            book.orders[place].entries[0] = sale;
        }
        FindingKind::WeightSlabTooHigh if has(&sale, ShippingFee) => {
            let Some(more) = next_slab(&facts) else { return false };
            change(&mut sale, ShippingFee, -more);
            change(&mut sale, FeeTax, -gst(more));
            book.orders[place].entries[0] = sale;
        }
        FindingKind::FeeTaxOff if has(&sale, FeeTax) => {
            change(&mut sale, FeeTax, -500);
            book.orders[place].entries[0] = sale;
        }
        FindingKind::TcsOff if has(&sale, Tcs) => {
            let own = sale.lines.iter_mut().find(|line| line.line_type == Tcs).unwrap();
            own.amount = (own.amount * Decimal::TWO) - paise(5);
            book.orders[place].entries[0] = sale;
        }
        FindingKind::TdsOff if has(&sale, Tds) => {
            change(&mut sale, Tds, -700);
            book.orders[place].entries[0] = sale;
        }
        FindingKind::PenaltyWithoutCause => {
            let item = sale.external_item_id.clone();
            let lines = vec![(Penalty, "SLA breach", -7_500)];
            let entry = book.entry(&facts.marketplace, item.as_deref(), at("2026-05-21T05:00:00Z"), lines);
            book.orders[place].entries.push(entry);
        }
        FindingKind::UnknownOrder => book.orders[place].order = None,
        FindingKind::DeferredOverdue => {
            sale.payout = None;
            sale.expected_at = Some(now() - Duration::days(20));
            book.orders[place].entries[0] = sale;
        }
        _ => return false,
    }
    true
}

fn plant_into_returned(book: &mut Book, place: usize, kind: FindingKind) -> bool {
    let facts = book.orders[place].clone();
    let mut back = facts.entries[1].clone();
    let fee = [ReturnFee, ReverseShippingFee].into_iter().find(|fee| has(&back, *fee));
    match (kind, fee) {
        (FindingKind::RefundWithoutReturn, _) => {
            // With a fee of a return, that would be another mistake beside it.
            back.lines.retain(|line| matches!(line.line_type, Refund | RefundTax | Commission));
            book.orders[place].entries[1] = back;
            book.orders[place].returns.clear();
        }
        (FindingKind::DoubleReturnFee, Some(fee)) => {
            let amount = back.lines.iter().find(|line| line.line_type == fee).unwrap().amount;
            let mut again = later(back.clone(), 6);
            again.id = book.entry_id();
            again.lines.retain(|line| line.line_type == fee);
            if has(&back, FeeTax) {
                let mut tax = again.lines[0].clone();
                (tax.number, tax.line_type, tax.marketplace_type) = (2, FeeTax, "GST".to_owned());
                tax.amount = robnu_reconciliation::money::percent_of(amount, Decimal::from(18));
                again.lines.push(tax);
            }
            book.orders[place].entries.push(again);
        }
        (FindingKind::FeeNotGivenBack, _) if has(&back, Commission) => {
            let commission = back.lines.iter().find(|line| line.line_type == Commission).unwrap().amount;
            back.lines.retain(|line| line.line_type != Commission);
            if has(&back, FeeTax) {
                let tax = robnu_reconciliation::money::percent_of(commission, Decimal::from(18));
                back.lines.iter_mut().find(|line| line.line_type == FeeTax).unwrap().amount -= tax;
            }
            book.orders[place].entries[1] = back;
        }
        (FindingKind::ClaimNotCredited, _) => {
            let external_return_id = facts.returns[0].external_return_id.clone();
            let resolved_at = Some(at("2026-05-02T05:00:00Z"));
            let recovered = Some(paise(15_000));
            let claim = Claim { external_return_id, state: ClaimState::Won, resolved_at, recovered };
            book.orders[place].claims.push(claim);
        }
        _ => return false,
    }
    true
}

fn has(entry: &Entry, line_type: LineType) -> bool {
    entry.lines.iter().any(|line| line.line_type == line_type)
}

fn change(entry: &mut Entry, line_type: LineType, by: i64) {
    entry.lines.iter_mut().find(|line| line.line_type == line_type).unwrap().amount += paise(by);
}

fn later(mut entry: Entry, days: i64) -> Entry {
    entry.posted_at = entry.posted_at.map(|at| at + Duration::days(days));
    entry
}

/// What the next slab costs more, in paise.
fn next_slab(facts: &OrderFacts) -> Option<i64> {
    let order = facts.order.as_ref()?;
    let n = numbers(order, &order.items[0]);
    let mut heavier = n;
    heavier.grams = match n.slab() {
        0 => 800,
        1 => 2_000,
        _ => return None,
    };
    Some(if facts.marketplace == "AMAZON_IN" {
        heavier.amazon_shipping() - n.amazon_shipping()
    } else {
        heavier.flipkart_shipping() - n.flipkart_shipping()
    })
}
