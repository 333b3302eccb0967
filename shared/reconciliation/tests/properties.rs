//! What holds for every book: sums, order of input, repetition, and keys that outlive amounts.

mod book;

use std::collections::BTreeSet;

use book::accounts::right_book;
use book::plant::{KINDS, plant};
use book::{Book, Dice, now, paise, rules};
use proptest::prelude::*;
use robnu_reconciliation::facts::OrderFacts;
use robnu_reconciliation::{FindingKey, Sums, changes, reconcile_order};
use rust_decimal::Decimal;

/// A book with mistakes, and with amounts that no rule makes.
fn wild_book(seed: u64, mistakes: usize) -> Book {
    let mut book = right_book(60, seed);
    let mut dice = Dice::new(seed ^ 0x5eed);
    for nth in 0..mistakes {
        let place = dice.place(60);
        plant(&mut book, place, KINDS[nth % KINDS.len()]);
        let entries = &mut book.orders[place].entries;
        if let Some(line) = entries.first_mut().and_then(|entry| entry.lines.last_mut()) {
            line.amount += Decimal::from(dice.below(90_000)) * Decimal::new(1, 4) - Decimal::new(45, 1);
        }
    }
    book
}

/// The same facts in another order.
fn shuffled(facts: &OrderFacts, seed: u64) -> OrderFacts {
    let mut dice = Dice::new(seed);
    let mut other = facts.clone();
    let mut swap =
        |length: usize| -> Vec<(usize, usize)> { (1..length).map(|at| (at, dice.place(at + 1))).collect() };
    for (one, two) in swap(other.entries.len()) {
        other.entries.swap(one, two);
    }
    for entry in &mut other.entries {
        for (one, two) in swap(entry.lines.len()) {
            entry.lines.swap(one, two);
        }
    }
    other
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn verdicts_add_up_to_the_entries_and_every_paid_line_has_one(seed in 0_u64..10_000, mistakes in 0_usize..40) {
        let book = wild_book(seed, mistakes);
        for facts in &book.orders {
            let result = reconcile_order(facts, &rules(), now());
            let paid = facts.entries.iter().filter(|entry| entry.payout.is_some());
            let sum: Decimal = paid.clone().map(robnu_reconciliation::facts::Entry::amount).sum();
            prop_assert_eq!(Sums::of(&result.verdicts).total(), sum);
            let by_payout: Decimal = result.sums.values().map(Sums::total).sum();
            prop_assert_eq!(by_payout, sum);
            let lines: BTreeSet<_> = paid.flat_map(|entry| entry.lines.iter().map(|line| (entry.id, line.number))).collect();
            let judged: Vec<_> = result.verdicts.iter().map(|one| (one.entry, one.number)).collect();
            prop_assert_eq!(judged, lines.into_iter().collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_order_of_input_does_not_matter(seed in 0_u64..10_000, mistakes in 0_usize..40) {
        for facts in &wild_book(seed, mistakes).orders {
            let result = reconcile_order(facts, &rules(), now());
            prop_assert_eq!(&result, &reconcile_order(&shuffled(facts, seed), &rules(), now()));
            prop_assert_eq!(&result, &reconcile_order(facts, &rules(), now()));
        }
    }

    #[test]
    fn an_account_has_each_key_once_and_nothing_is_at_stake_below_zero(seed in 0_u64..10_000, mistakes in 0_usize..40) {
        let judged = wild_book(seed, mistakes).reconcile(&rules());
        let keys: BTreeSet<&FindingKey> = judged.findings.iter().map(|one| &one.key).collect();
        prop_assert_eq!(keys.len(), judged.findings.len());
        let texts: BTreeSet<String> = keys.iter().map(ToString::to_string).collect();
        prop_assert_eq!(texts.len(), keys.len());
        for finding in &judged.findings {
            prop_assert!(finding.at_stake >= Decimal::ZERO, "{:?}", finding);
            let sentence = finding.sentence();
            prop_assert!(sentence.ends_with('.') && !sentence.contains('\n'), "{}", sentence);
        }
    }

    #[test]
    fn a_finding_keeps_its_key_when_its_amount_is_corrected(nth in 0_usize..16, seed in 0_u64..1_000) {
        let mut book = right_book(80, seed);
        let Some(place) = (0..80).find(|place| plant(&mut book, *place, KINDS[nth])) else { return Ok(()) };
        let first = reconcile_order(&book.orders[place], &rules(), now()).findings;
        prop_assert_eq!(first.len(), 1);

        // The source states the entries again, under other ids and with other amounts of what is wrong.
        let mut corrected = book.orders[place].clone();
        for entry in &mut corrected.entries {
            entry.id.0 += 1_000_000;
        }
        for claim in &mut corrected.claims {
            claim.recovered = claim.recovered.map(|amount| amount + paise(100));
        }
        let later = now() + chrono::Duration::days(1);
        let second = reconcile_order(&corrected, &rules(), later).findings;
        let keys = |findings: &[robnu_reconciliation::Finding]| -> Vec<FindingKey> {
            findings.iter().map(|one| one.key.clone()).collect()
        };
        prop_assert_eq!(keys(&first), keys(&second));
        let changed = changes(&first, &second);
        prop_assert!(changed.opened.is_empty() && changed.closed.is_empty());
        prop_assert_eq!(changes(&first, &[]).closed, keys(&first));
        prop_assert_eq!(changes(&[], &first).opened, first);
    }
}
