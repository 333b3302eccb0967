//! TCS, TDS and GST on fees: what they are compared with, and which day counts.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod book;

use book::accounts::right_book;
use book::{Book, Dice, Fate, at, facts, judged, now, only, paise, rules, verdicts_of};
use robnu_reconciliation::facts::{Entry, EntryId, Line};
use robnu_reconciliation::money::percent_of;
use robnu_reconciliation::statutory::{StatutoryRate, Tax};
use robnu_reconciliation::verdict::{Gap, Reason};
use robnu_reconciliation::{FindingKind, LineType, Verdict, deductions, implied_rates, reconcile_order};
use rust_decimal::Decimal;

fn line_mut(entry: &mut Entry, line_type: LineType) -> &mut Line {
    entry.lines.iter_mut().find(|line| line.line_type == line_type).unwrap()
}

#[test]
fn taxes_off_in_two_entries_are_one_finding_with_both_as_evidence() {
    let mut twice = facts("FLIPKART", Fate::Returned(1));
    line_mut(&mut twice.entries[0], LineType::Tcs).amount -= paise(300);
    line_mut(&mut twice.entries[1], LineType::Tcs).amount -= paise(200);
    let result = judged(&twice);
    assert_eq!(only(&result).key.kind, FindingKind::TcsOff);
    assert_eq!(only(&result).at_stake, paise(500));
    assert_eq!(only(&result).evidence.len(), 2);
    assert!(!only(&result).is_recoverable, "tax is claimed from the tax office");
}

#[test]
fn a_tax_in_an_entry_of_its_own_is_compared_with_the_sale_elsewhere() {
    let mut apart = facts("FLIPKART", Fate::Kept);
    let tds = line_mut(&mut apart.entries[0], LineType::Tds).clone();
    apart.entries[0].lines.retain(|line| line.line_type != LineType::Tds);
    let lines = vec![tds];
    let entry = Entry { id: EntryId(50), lines, ..apart.entries[0].clone() };
    apart.entries.push(entry);
    assert_eq!(judged(&apart).findings, []);
    apart.entries[1].lines[0].amount -= paise(300);
    assert_eq!(only(&judged(&apart)).key.kind, FindingKind::TdsOff);
}

#[test]
fn the_day_of_dispatch_decides_the_rate() {
    let mut rules = rules();
    let kept = facts("AMAZON_IN", Fate::Kept);
    let order = kept.order.as_ref().unwrap();
    let dispatched = robnu_reconciliation::money::india_day(order.dispatched_at.unwrap());
    assert_ne!(dispatched, robnu_reconciliation::money::india_day(order.placed_at));
    let one_percent = |valid_from, valid_to| StatutoryRate {
        marketplace: Some("AMAZON_IN".to_owned()),
        tax: Tax::Tcs,
        percent: Decimal::ONE,
        given_back: true,
        valid_from,
        valid_to,
    };
    rules.statutory.push(one_percent("2020-01-01".parse().unwrap(), dispatched.pred_opt()));
    assert_eq!(reconcile_order(&kept, &rules, now()).findings, []);
    rules.statutory.push(one_percent(dispatched, None));
    assert_eq!(only(&reconcile_order(&kept, &rules, now())).key.kind, FindingKind::TcsOff);
}

#[test]
fn shipping_paid_by_the_customer_is_taxed_with_the_goods() {
    let mut shipped = facts("AMAZON_IN", Fate::Kept);
    let number = 90;
    let credit =
        |line_type, amount| Line { number, line_type, marketplace_type: "Shipping".to_owned(), amount };
    shipped.entries[0].lines.push(credit(LineType::ShippingCredit, paise(20_000)));
    line_mut(&mut shipped.entries[0], LineType::Tcs).amount -= paise(100);
    line_mut(&mut shipped.entries[0], LineType::Tds).amount -= paise(20);
    let result = judged(&shipped);
    assert_eq!(result.findings, []);
    assert_eq!(verdicts_of(&result, LineType::ShippingCredit), [&Verdict::Explained(Reason::AsStated)]);
}

#[test]
fn without_a_rate_or_the_goods_gst_a_tax_is_unexplained() {
    let mut kept = facts("FLIPKART", Fate::Kept);
    let mut none = rules();
    none.statutory.clear();
    let open = Verdict::Unexplained(Gap::NoTaxRate);
    assert_eq!(verdicts_of(&reconcile_order(&kept, &none, now()), LineType::Tcs), [&open]);
    kept.order.as_mut().unwrap().items[0].tax = None;
    assert_eq!(verdicts_of(&judged(&kept), LineType::Tds), [&open]);
}

#[test]
fn a_rate_that_is_not_given_back_counts_sales_only() {
    let mut rules = rules();
    let mut returned = facts("FLIPKART", Fate::Returned(1));
    rules.statutory.iter_mut().find(|rate| rate.tax == Tax::Tds).unwrap().given_back = false;
    returned.entries[1].lines.retain(|line| line.line_type != LineType::Tds);
    assert_eq!(reconcile_order(&returned, &rules, now()).findings, []);
    let expected = robnu_reconciliation::expected_amounts(&returned, &rules);
    assert!(expected[0].of_type(LineType::Tds) < Decimal::ZERO);
}

#[test]
fn gst_beside_a_penalty_is_left_open_because_its_rate_is_unknown() {
    let mut punished = facts("FLIPKART", Fate::Kept);
    let order = punished.order.as_mut().unwrap();
    order.dispatched_at = order.dispatch_by.map(|by| by + chrono::Duration::hours(1));
    let penalty = |line_type| Line {
        number: 90,
        line_type,
        marketplace_type: "Cancellation fee".to_owned(),
        amount: paise(-5_000),
    };
    punished.entries[0].lines.push(penalty(LineType::Penalty));
    line_mut(&mut punished.entries[0], LineType::FeeTax).amount -= paise(900);
    let result = judged(&punished);
    assert_eq!(result.findings, []);
    assert_eq!(verdicts_of(&result, LineType::FeeTax), [&Verdict::Unexplained(Gap::NoFeeTaxRate)]);
}

#[test]
fn gst_in_an_entry_of_its_own_is_compared_with_the_fees_that_have_none() {
    let mut book = Book::default();
    let place = book.add_order(&mut Dice::new(9), "FLIPKART", Fate::Kept);
    let mut apart = book.orders.remove(place);
    let tax = line_mut(&mut apart.entries[0], LineType::FeeTax).clone();
    apart.entries[0].lines.retain(|line| line.line_type != LineType::FeeTax);
    let mut entry =
        book.entry("FLIPKART", None, at("2026-05-02T05:00:00Z"), vec![(LineType::FeeTax, "GST", -1)]);
    entry.lines[0].amount = tax.amount;
    apart.entries.push(entry);
    let verdict = |facts: &_| verdicts_of(&judged(facts), LineType::FeeTax)[0].clone();
    assert_eq!(verdict(&apart), Verdict::Explained(Reason::FeesBeside));
    apart.entries[1].lines[0].amount -= paise(300);
    assert_eq!(verdict(&apart), Verdict::Unexplained(Gap::NoFeeTaxRate));
}

#[test]
fn the_rates_that_a_sellers_own_payouts_imply_find_the_one_that_is_off() {
    let mut book = right_book(1_000, 31);
    let mut implied = rules();
    // A seller without a PAN at Flipkart.
    for facts in book.orders.iter_mut().filter(|facts| facts.marketplace == "FLIPKART") {
        for line in facts.entries.iter_mut().flat_map(|entry| &mut entry.lines) {
            if line.line_type == LineType::Tds {
                line.amount = Decimal::ZERO;
            }
        }
        let taxable = deductions(facts).first().map(|one| one.taxable).unwrap_or_default();
        if let Some(sale) = facts.entries.first_mut().filter(|_| !taxable.is_zero()) {
            line_mut(sale, LineType::Tds).amount = -percent_of(taxable, Decimal::from(5));
        }
    }
    book.orders.retain(|facts| facts.marketplace == "FLIPKART" && facts.returns.is_empty());
    let off = book.orders.iter().position(|facts| !deductions(facts).is_empty()).unwrap();
    line_mut(&mut book.orders[off].entries[0], LineType::Tds).amount -= paise(200);

    let own: Vec<_> = book.orders.iter().flat_map(deductions).collect();
    implied.statutory = implied_rates("FLIPKART", &own);
    let percents = |tax| -> Vec<Decimal> {
        let rows = implied.statutory.iter().filter(|row| row.tax == tax);
        rows.map(|row| row.percent).collect()
    };
    assert_eq!(percents(Tax::Tds), vec![Decimal::from(5); 4], "January to April; May has too few");
    assert_eq!(percents(Tax::Tcs), vec![Decimal::new(5, 1); 4]);
    let found = book.reconcile(&implied).found();
    assert_eq!(found, [(FindingKind::TdsOff, book.orders[off].external_order_id.clone())]);
}
