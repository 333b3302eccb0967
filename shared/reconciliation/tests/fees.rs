//! Fees that are off in ways of their own: weights, what is given back in part, what is charged for nothing.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod book;

use book::{Fate, facts, judged, now, only, paise, rules, rules_with, verdicts_of};
use robnu_reconciliation::facts::{Entry, Line, OrderFacts, ReturnKind};
use robnu_reconciliation::verdict::{Because, Reason};
use robnu_reconciliation::{Detail, FindingKind, LineType, RateCard, RateRow, Verdict, reconcile_order};
use rust_decimal::Decimal;

fn line_mut(entry: &mut Entry, line_type: LineType) -> &mut Line {
    entry.lines.iter_mut().find(|line| line.line_type == line_type).unwrap()
}

/// An order of so many grams whose shipping cost so much.
fn shipped(grams: u32, fee: i64, charged_grams: Option<u32>) -> OrderFacts {
    let mut facts = facts("FLIPKART", Fate::Kept);
    let item = &mut facts.order.as_mut().unwrap().items[0];
    (item.weight_grams, item.zone) = (Some(grams), Some("NATIONAL".to_owned()));
    let entry = &mut facts.entries[0];
    entry.charged_weight_grams = charged_grams;
    let old = line_mut(entry, LineType::ShippingFee).amount;
    line_mut(entry, LineType::ShippingFee).amount = paise(-fee);
    let difference = (paise(-fee) - old) * Decimal::new(18, 2);
    line_mut(entry, LineType::FeeTax).amount += difference;
    facts
}

#[test]
fn a_heavier_slab_is_known_by_its_fee_or_by_the_stated_weight() {
    let slab = |facts: &OrderFacts| match &judged(facts).findings[..] {
        [finding] => match finding.detail {
            Detail::WeightSlabTooHigh { charged_grams, .. } => Some(charged_grams),
            _ => None,
        },
        _ => None,
    };
    assert_eq!(slab(&shipped(400, 9_100, None)), Some(Some(1_000)), "the fee of the next slab");
    assert_eq!(slab(&shipped(400, 13_300, None)), Some(None), "the fee of the last, open slab");
    assert_eq!(
        slab(&shipped(400, 8_000, Some(1_000))),
        Some(Some(1_000)),
        "another fee, and the weight is stated"
    );
    // In its own slab, or in the last, the fee is simply too high.
    for wrong in
        [shipped(400, 8_000, Some(500)), shipped(400, 8_000, None), shipped(2_000, 15_000, Some(3_000))]
    {
        assert_eq!(only(&judged(&wrong)).key.kind, FindingKind::FeeAboveCard);
    }
    assert_eq!(judged(&shipped(400, 6_500, Some(1_000))).findings, [], "the right fee, whatever is stated");
    assert_eq!(judged(&shipped(400, 5_000, None)).findings, [], "a fee too low is no finding");
}

#[test]
fn the_fee_of_a_lighter_slab_is_no_heavier_one() {
    let mut rows = rules().card.rows().to_vec();
    let is_lightest = |row: &&mut RateRow| {
        (row.marketplace.as_str(), row.zone.as_deref(), row.weight_to_grams)
            == ("FLIPKART", Some("NATIONAL"), Some(500))
    };
    rows.iter_mut().find(is_lightest).unwrap().fixed = Decimal::from(200);
    let odd = rules_with(RateCard::new(rows).unwrap());
    let result = reconcile_order(&shipped(2_000, 20_000, None), &odd, now());
    assert_eq!(only(&result).key.kind, FindingKind::FeeAboveCard);
}

#[test]
fn a_fee_given_back_in_part_is_short_of_the_rest() {
    let mut facts = facts("FLIPKART", Fate::Returned(1));
    line_mut(&mut facts.entries[1], LineType::Commission).amount -= paise(150);
    line_mut(&mut facts.entries[1], LineType::FeeTax).amount -= paise(27);
    let result = judged(&facts);
    assert_eq!(only(&result).detail, Detail::FeeNotGivenBack { expected: paise(150), gst: paise(27) });
}

#[test]
fn nothing_is_owed_back_before_the_refund() {
    let mut facts = facts("FLIPKART", Fate::Returned(1));
    facts.entries.truncate(1);
    assert_eq!(judged(&facts).findings, []);
}

#[test]
fn a_return_fee_without_a_return_is_above_the_card() {
    let mut facts = facts("FLIPKART", Fate::Kept);
    let fee = Line {
        number: 90,
        line_type: LineType::ReverseShippingFee,
        marketplace_type: "Reverse Shipping Fee".to_owned(),
        amount: paise(-7_500),
    };
    facts.entries[0].lines.push(fee);
    line_mut(&mut facts.entries[0], LineType::FeeTax).amount -= paise(1_350);
    let result = judged(&facts);
    let Detail::FeeAboveCard { expected, charged, card_row, .. } = only(&result).detail else {
        panic!("{result:?}")
    };
    assert_eq!((expected, charged, card_row), (Decimal::ZERO, paise(7_500), None));
    let verdict = verdicts_of(&result, LineType::ReverseShippingFee)[0];
    assert!(matches!(verdict, Verdict::Differs { because: Because::NotDue, .. }));
}

#[test]
fn what_came_back_undelivered_of_a_delivered_order_is_not_sold() {
    let mut facts = facts("AJIO", Fate::Returned(1));
    facts.returns[0].kind = ReturnKind::Rto;
    let item = &mut facts.order.as_mut().unwrap().items[0];
    (item.quantity, item.price) = (2, paise(50_001));
    facts.entries.truncate(1);
    facts.entries[0].lines[0].amount = paise(25_001);
    assert_eq!(verdicts_of(&judged(&facts), LineType::Sale), [&Verdict::Explained(Reason::Order)]);
    facts.entries[0].lines[0].amount = paise(50_001);
    let verdict = verdicts_of(&judged(&facts), LineType::Sale)[0].clone();
    assert!(matches!(verdict, Verdict::Differs { because: Because::Price, .. }));
}

#[test]
fn an_article_code_that_two_lines_share_names_neither() {
    let mut facts = facts("AJIO", Fate::Kept);
    let order = facts.order.as_mut().unwrap();
    let mut twin = order.items[0].clone();
    twin.external_item_id = "twin".to_owned();
    order.items.push(twin);
    assert_eq!(order.item_named(None, order.items[0].sku.as_deref()), None);
    assert_eq!(order.item_named(Some("twin"), order.items[0].sku.as_deref()), Some(1));
    assert_eq!(order.item_named(Some("unknown"), None), None);
}

#[test]
fn a_fee_beside_a_refund_for_nothing_is_not_counted_against_the_sale() {
    let mut facts = facts("FLIPKART", Fate::Kept);
    let sale = facts.entries[0].clone();
    let mut refund = sale.clone();
    refund.id.0 += 1_000;
    refund.posted_at = sale.posted_at.map(|at| at - chrono::Duration::days(1));
    refund.lines.retain(|line| matches!(line.line_type, LineType::Sale | LineType::ShippingFee));
    let back = line_mut(&mut refund, LineType::Sale);
    (back.line_type, back.amount) = (LineType::Refund, -back.amount);
    facts.entries.push(refund);
    let result = judged(&facts);
    assert_eq!(only(&result).key.kind, FindingKind::RefundWithoutReturn);
    let shipping: Vec<bool> = verdicts_of(&result, LineType::ShippingFee)
        .iter()
        .map(|verdict| matches!(verdict, Verdict::Differs { because: Because::NoReturn, .. }))
        .collect();
    assert_eq!(shipping, [false, true], "by entry: the sale's own is right");
}
