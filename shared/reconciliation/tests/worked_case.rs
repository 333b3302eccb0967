//! A month of 300 orders in which a seller lost money three ways: 11 returns were charged twice, 2 penalties had no late dispatch, and 4 orders
//! were never settled.

mod book;

use book::accounts::right_book;
use book::plant::plant;
use book::{Book, Dice, Fate, rules};
use robnu_reconciliation::FindingKind;
use rust_decimal::Decimal;

/// 200 orders as they come, and 100 returns and kept orders of Amazon and Flipkart to plant into.
fn book_of_300() -> Book {
    let mut book = right_book(200, 41);
    let mut dice = Dice::new(42);
    for nth in 0..100 {
        let fate = if nth % 2 == 0 { Fate::Returned(1) } else { Fate::Kept };
        book.add_order(&mut dice, if nth % 4 < 2 { "AMAZON_IN" } else { "FLIPKART" }, fate);
    }
    book
}

fn plant_some(
    book: &mut Book,
    kind: FindingKind,
    mut count: usize,
    planted: &mut Vec<(FindingKind, String)>,
) {
    for place in 200..300 {
        let id = book.orders[place].external_order_id.clone();
        let is_taken = planted.iter().any(|(_, other)| *other == id);
        if count > 0 && !is_taken && plant(book, place, kind) {
            planted.push((kind, id));
            count -= 1;
        }
    }
    assert_eq!(count, 0, "{kind:?}");
}

#[test]
fn eleven_double_return_fees_two_penalties_and_four_unsettled_orders_are_found_whole_and_nothing_else() {
    let mut book = book_of_300();
    let mut planted = Vec::new();
    plant_some(&mut book, FindingKind::DoubleReturnFee, 11, &mut planted);
    plant_some(&mut book, FindingKind::PenaltyWithoutCause, 2, &mut planted);
    plant_some(&mut book, FindingKind::NotSettled, 4, &mut planted);
    book.close_payouts();
    planted.sort();
    assert_eq!(book.orders.len(), 300);

    let judged = book.reconcile(&rules());
    assert_eq!(judged.found(), planted);

    let sum_of = |kind| -> Decimal {
        judged.findings.iter().filter(|one| one.key.kind == kind).map(|one| one.at_stake).sum()
    };
    let charged_twice = |one: &&robnu_reconciliation::LineVerdict| {
        matches!(
            one.verdict,
            robnu_reconciliation::Verdict::Differs {
                because: robnu_reconciliation::verdict::Because::ChargedAgain,
                ..
            }
        )
    };
    let excess: Decimal = judged.verdicts.iter().filter(charged_twice).map(|one| -one.amount).sum();
    let gst = robnu_reconciliation::money::percent_of(excess, Decimal::from(18));
    assert_eq!(sum_of(FindingKind::DoubleReturnFee), excess + gst);
    assert_eq!(sum_of(FindingKind::PenaltyWithoutCause), Decimal::from(150));
    assert!(judged.findings.iter().all(|one| one.at_stake > Decimal::ZERO
        && one.is_recoverable == one.file_by.is_none_or(|last| last >= book::now())));
}
