//! 50,000 lines of four marketplaces with 500 planted mistakes of 17 kinds: all are found, nothing else is, and every paisa is accounted for.

mod book;

use std::collections::BTreeMap;
use std::time::Instant;

use book::accounts::right_book;
use book::plant::{KINDS, plant};
use book::{Book, Dice, paise, rules};
use robnu_reconciliation::{FindingKind, Sums};
use rust_decimal::Decimal;

const ORDERS: usize = 9_000;
const MISTAKES: usize = 500;

/// Plants mistakes of all kinds in turn, and says what they are about.
fn plant_mistakes(book: &mut Book) -> Vec<(FindingKind, String)> {
    let mut dice = Dice::new(77);
    let mut planted: BTreeMap<String, FindingKind> = BTreeMap::new();
    let mut turn = 0;
    while planted.len() < MISTAKES - 20 {
        let place = dice.place(book.orders.len());
        let (id, kind) = (book.orders[place].external_order_id.clone(), KINDS[turn % KINDS.len()]);
        if !planted.contains_key(&id) && plant(book, place, kind) {
            planted.insert(id, kind);
            turn += 1;
        }
    }
    book.close_payouts();
    for (_, payout) in book.payouts.iter_mut().step_by(3).take(20) {
        payout.stated = Some(payout.sum + paise(12_345));
        planted.insert(payout.external_payout_id.clone(), FindingKind::PayoutTotalOff);
    }
    let mut planted: Vec<_> = planted.into_iter().map(|(id, kind)| (kind, id)).collect();
    planted.sort();
    planted
}

#[test]
fn every_planted_mistake_is_found_and_nothing_else() {
    let mut book = right_book(ORDERS, 1);
    let planted = plant_mistakes(&mut book);
    assert_eq!(planted.len(), MISTAKES);
    assert!(book.lines() >= 50_000, "{} lines", book.lines());

    let rules = rules();
    let started = Instant::now();
    let judged = book.reconcile(&rules);
    println!("{} lines took {:?}", book.lines(), started.elapsed());

    let found = judged.found();
    let missed: Vec<_> = planted.iter().filter(|one| !found.contains(one)).collect();
    let untrue: Vec<_> = found.iter().filter(|one| !planted.contains(one)).collect();
    println!("missed {missed:?}\nuntrue {untrue:?}");
    assert!(missed.len() * 100 <= MISTAKES, "at least 99 of 100 are found: {missed:?}");
    assert!(untrue.len() * 1_000 <= book.lines(), "at most one false finding in 1,000 lines: {untrue:?}");
    assert_eq!(found, planted, "and in this book it is all and nothing else");
    let kinds: std::collections::BTreeSet<_> = planted.iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds.len(), 17);
}

#[test]
fn the_verdicts_of_a_payout_add_up_to_it() {
    let mut book = right_book(1_500, 2);
    plant_mistakes(&mut book);
    let judged = book.reconcile(&rules());
    let mut payouts = 0;
    for (_, payout) in &book.payouts {
        assert_eq!(judged.by_payout[&payout.external_payout_id], payout.sum, "{}", payout.external_payout_id);
        payouts += 1;
    }
    assert_eq!(payouts, judged.by_payout.len());
    let all: Decimal = book.payouts.iter().map(|(_, payout)| payout.sum).sum();
    assert_eq!(Sums::of(&judged.verdicts).total(), all);
}

#[test]
fn a_right_book_has_no_findings_and_nothing_that_differs() {
    let book = right_book(2_000, 3);
    let judged = book.reconcile(&rules());
    assert_eq!(judged.found(), []);
    let sums = Sums::of(&judged.verdicts);
    assert_eq!(sums.differing, Decimal::ZERO);
    // The corrections of TCS that name no order.
    assert_eq!(sums.unexplained, paise(-5 * 4 * 18));
    assert_eq!(judged.no_card, 0);
}
