//! Every number, condition and date of every row of the card is caught: when one is changed, what is said of a right book changes.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod book;

use book::accounts::right_book;
use book::{CARD, Fate, Judged, rules, rules_with};
use robnu_reconciliation::card::{FixedPer, PercentOf};
use robnu_reconciliation::{FindingKind, RateCard, RateRow, Verdict};
use rust_decimal::Decimal;

type Add<'a> = dyn FnMut(&'static str, &dyn Fn(&mut RateRow)) + 'a;
type Word = fn(&mut RateRow) -> &mut Option<String>;

/// Changes of where and when a row applies. Each makes it apply to less, so that no two rows overlap.
fn add_bounds(row: &RateRow, add: &mut Add<'_>) {
    let four_fifths = Decimal::new(8, 1);
    if let Some(below) = row.price_below {
        add("price_below", &|row| row.price_below = Some(below * four_fifths));
    }
    if let Some(from) = row.price_from.filter(|from| !from.is_zero()) {
        add("price_from", &|row| row.price_from = Some(from / four_fifths));
    }
    if let Some(to) = row.weight_to_grams {
        add("weight_to_grams", &|row| row.weight_to_grams = Some(to - 1));
    }
    if let Some(above) = row.weight_above_grams {
        add("weight_above_grams", &|row| row.weight_above_grams = Some(above + 500));
    }
    let words: [(&'static str, Word); 3] = [
        ("category", |row| &mut row.category),
        ("zone", |row| &mut row.zone),
        ("fulfilment", |row| &mut row.fulfilment),
    ];
    for (name, word) in words {
        if word(&mut row.clone()).is_some() {
            add(name, &|row| *word(row) = Some("another".to_owned()));
        }
    }
    add("valid_from", &|row| row.valid_from = row.valid_from + chrono::Days::new(30));
    let last = row.valid_to.unwrap_or_else(|| "2026-04-30".parse().unwrap());
    add("valid_to", &|row| row.valid_to = last.checked_sub_days(chrono::Days::new(20)));
}

/// Changes of a row that a seller would want to see, each with its name.
fn mutants(row: &RateRow) -> Vec<(&'static str, RateRow)> {
    let mut all = Vec::new();
    let mut add = |name: &'static str, change: &dyn Fn(&mut RateRow)| {
        let mut changed = row.clone();
        change(&mut changed);
        all.push((name, changed));
    };
    if !row.percent.is_zero() {
        add("percent", &|row| row.percent += Decimal::new(2, 1));
        add("percent_of", &|row| {
            row.percent_of = match row.percent_of {
                PercentOf::Price => PercentOf::Taxable,
                PercentOf::Taxable => PercentOf::Price,
            }
        });
    }
    if !row.fixed.is_zero() {
        add("fixed", &|row| row.fixed += Decimal::new(5, 1));
        if row.marketplace != "MEESHO" {
            add("fixed_per", &|row| {
                row.fixed_per = match row.fixed_per {
                    FixedPer::Unit => FixedPer::Line,
                    FixedPer::Line => FixedPer::Unit,
                }
            });
        }
    }
    if let Some(minimum) = row.minimum {
        add("minimum", &|row| row.minimum = Some(minimum + Decimal::ONE));
    }
    if let Some(maximum) = row.maximum {
        add("maximum", &|row| row.maximum = Some(maximum - Decimal::ONE));
    }
    add_bounds(row, &mut add);
    add("gst_percent", &|row| row.gst_percent = Decimal::from(12));
    add("gst_included", &|row| row.gst_included = !row.gst_included);
    if row.occasion == robnu_reconciliation::card::Occasion::Sale {
        add("given_back", &|row| row.given_back = !row.given_back);
    }
    all
}

/// What is said of a book, but for the amounts: mutants that change none of it are not caught.
fn said(judged: &Judged) -> (usize, Vec<(FindingKind, String)>) {
    let is_open = |one: &&robnu_reconciliation::LineVerdict| !matches!(one.verdict, Verdict::Explained(_));
    (judged.verdicts.iter().filter(is_open).count(), judged.found())
}

#[test]
fn a_changed_row_changes_a_verdict() {
    let mut book = right_book(700, 5);
    // Two units that come back together, for fees by unit.
    let mut dice = book::Dice::new(6);
    for _ in 0..40 {
        book.add_order(&mut dice, "FLIPKART", Fate::Returned(2));
        book.add_order(&mut dice, "AMAZON_IN", Fate::Returned(2));
    }
    let card = RateCard::from_csv(CARD).unwrap();
    let mut survivors = Vec::new();
    let mut tried = 0;
    for (at, row) in card.rows().iter().enumerate() {
        let own = book.of_marketplace(&row.marketplace);
        let right = said(&own.reconcile(&rules()));
        for (name, changed) in mutants(row) {
            let mut rows = card.rows().to_vec();
            rows[at] = changed;
            tried += 1;
            if said(&own.reconcile(&rules_with(RateCard::new(rows).unwrap()))) == right {
                survivors.push(format!("{name} of row {}", row.row));
            }
        }
    }
    assert_eq!(survivors, Vec::<String>::new(), "of {tried}");
    assert!(tried >= 200, "{tried}");
}

#[test]
fn a_changed_tax_rate_changes_a_verdict() {
    let book = right_book(200, 7);
    for at in 0..2 {
        let mut changed = rules();
        changed.statutory[at].percent += Decimal::new(1, 1);
        let judged = book.reconcile(&changed);
        assert!(judged.findings.len() > 50, "{} findings", judged.findings.len());
    }
}

#[test]
fn a_row_taken_away_leaves_its_lines_unexplained_and_says_what_is_missing() {
    let book = right_book(700, 5);
    let card = RateCard::from_csv(CARD).unwrap();
    for at in 0..card.rows().len() {
        let mut rows = card.rows().to_vec();
        let gone = rows.remove(at);
        let judged = book.reconcile(&rules_with(RateCard::new(rows).unwrap()));
        let fees = judged
            .verdicts
            .iter()
            .filter(|one| one.line_type == gone.line_type && !matches!(one.verdict, Verdict::Explained(_)));
        assert!(fees.count() > 0, "row {}", gone.row);
    }
}
