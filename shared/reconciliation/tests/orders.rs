//! Single orders, where the rule matters more than the amounts.

mod book;

use book::accounts::right_book;
use book::plant::plant;
use book::{Book, Dice, Fate, at, facts, judged, now, only, paise, rules, verdicts_of};
use chrono::Duration;
use robnu_reconciliation::facts::Progress;
use robnu_reconciliation::verdict::{Because, Gap, Reason};
use robnu_reconciliation::{
    Detail, FindingKind, LineType, Verdict, expected_amounts, reconcile_account_entry, reconcile_order,
    reconcile_payout,
};
use rust_decimal::Decimal;

#[test]
fn the_expected_amounts_of_a_kept_order_are_those_of_its_entry() {
    for marketplace in ["AMAZON_IN", "FLIPKART", "MEESHO", "AJIO"] {
        let facts = facts(marketplace, Fate::Kept);
        let expected = &expected_amounts(&facts, &rules())[0];
        let withheld = |breakdown: &robnu_reconciliation::Breakdown| {
            breakdown.of_type(LineType::Tcs) + breakdown.of_type(LineType::Tds)
        };
        // AJIO buys, so nothing is withheld there; the book's rates are for every marketplace.
        let withheld = if marketplace == "AJIO" { withheld(expected) } else { Decimal::ZERO };
        let paid: Decimal = facts.entries.iter().map(robnu_reconciliation::facts::Entry::amount).sum();
        assert_eq!(expected.net(), Some(paid + withheld), "{marketplace}");
    }
}

#[test]
fn an_order_is_late_from_the_moment_after_its_day() {
    let mut facts = facts("FLIPKART", Fate::Kept);
    facts.entries.clear();
    let due = facts.order.as_ref().unwrap().delivered_at.unwrap() + Duration::days(10);
    assert_eq!(reconcile_order(&facts, &rules(), due).findings, []);
    for (days, band) in [(0, "0-7"), (7, "0-7"), (8, "8-15"), (16, "16-30"), (31, "30+")] {
        let result = reconcile_order(&facts, &rules(), due + Duration::days(days) + Duration::seconds(1));
        let Detail::NotSettled { days_late, band: found, net: Some(net), .. } = only(&result).detail else {
            panic!("{result:?}")
        };
        assert_eq!((days_late, found.as_str()), (days, band));
        assert_eq!(only(&result).at_stake, net);
    }
}

#[test]
fn a_late_order_that_is_announced_with_a_date_ahead_waits() {
    let mut facts = facts("AJIO", Fate::Kept);
    facts.entries[0].payout = None;
    facts.entries[0].expected_at = Some(now());
    assert_eq!(judged(&facts).findings, []);
    facts.entries[0].expected_at = Some(now() - Duration::days(9));
    let result = judged(&facts);
    assert_eq!(only(&result).key.kind, FindingKind::DeferredOverdue);
    assert_eq!(only(&result).at_stake, facts.entries[0].amount());
    assert_eq!(result.verdicts, [], "announced money has no verdict");
    facts.entries[0].expected_at = None;
    assert_eq!(only(&judged(&facts)).key.kind, FindingKind::NotSettled);
}

#[test]
fn a_fee_without_a_row_is_unexplained_and_says_what_was_looked_for() {
    let mut facts = facts("AMAZON_IN", Fate::Kept);
    facts.order.as_mut().unwrap().items[0].weight_grams = None;
    let result = judged(&facts);
    assert_eq!(result.findings, []);
    let [Verdict::Unexplained(Gap::NoCard(missing))] = verdicts_of(&result, LineType::ShippingFee)[..] else {
        panic!("{:?}", verdicts_of(&result, LineType::ShippingFee))
    };
    let text = missing.to_string();
    assert!(text.starts_with("no row of the card for SHIPPING_FEE of AMAZON_IN on SALE, 2026-0"), "{text}");
    assert!(text.contains("weight unknown"), "{text}");
    assert_eq!(result.no_card, [(**missing).clone()]);
}

#[test]
fn return_fees_are_counted_even_without_a_card() {
    let mut book = Book::default();
    let place = book.add_order(&mut Dice::new(9), "FLIPKART", Fate::Returned(1));
    assert!(plant(&mut book, place, FindingKind::DoubleReturnFee));
    let mut bare = rules();
    bare.card = robnu_reconciliation::RateCard::default();
    let result = reconcile_order(&book.orders[place], &bare, now());
    assert_eq!(only(&result).key.kind, FindingKind::DoubleReturnFee);
    assert_eq!(only(&result).at_stake, paise(7_500));
}

#[test]
fn a_penalty_is_right_for_a_late_or_cancelling_seller_and_open_without_times() {
    let mut book = Book::default();
    let place = book.add_order(&mut Dice::new(9), "MEESHO", Fate::Kept);
    assert!(plant(&mut book, place, FindingKind::PenaltyWithoutCause));
    let punished = book.orders.remove(place);
    assert_eq!(only(&judged(&punished)).key.kind, FindingKind::PenaltyWithoutCause);

    let with = |change: &dyn Fn(&mut robnu_reconciliation::facts::Order)| {
        let mut facts = punished.clone();
        change(facts.order.as_mut().unwrap());
        let result = judged(&facts);
        assert_eq!(result.findings, []);
        verdicts_of(&result, LineType::Penalty)[0].clone()
    };
    let late = with(&|order| order.dispatched_at = order.dispatch_by.map(|by| by + Duration::seconds(1)));
    assert_eq!(late, Verdict::Explained(Reason::OwnEvent));
    let mut punctual = punished.clone();
    let order = punctual.order.as_mut().unwrap();
    order.dispatched_at = order.dispatch_by;
    assert_eq!(only(&judged(&punctual)).key.kind, FindingKind::PenaltyWithoutCause, "in time to the second");
    assert_eq!(with(&|order| order.cancelled_by_seller = Some(true)), Verdict::Explained(Reason::OwnEvent));
    assert_eq!(with(&|order| order.items[0].cancelled = 1), Verdict::Unexplained(Gap::OwnEventUnknown));
    assert_eq!(with(&|order| order.dispatch_by = None), Verdict::Unexplained(Gap::OwnEventUnknown));
}

#[test]
fn a_second_sale_with_a_refund_between_is_no_second_settlement() {
    let mut book = Book::default();
    let place = book.add_order(&mut Dice::new(9), "AJIO", Fate::Kept);
    assert!(plant(&mut book, place, FindingKind::SettledTwice));
    let mut facts = book.orders.remove(place);
    let twice = judged(&facts);
    assert_eq!(only(&twice).key.kind, FindingKind::SettledTwice);
    assert!(!only(&twice).is_recoverable);

    let mut refund = facts.entries[0].clone();
    refund.id = robnu_reconciliation::facts::EntryId(99);
    refund.lines[0].line_type = LineType::Refund;
    refund.lines[0].amount = -refund.lines[0].amount;
    facts.entries.push(refund);
    let result = judged(&facts);
    assert_eq!(result.findings, []);
    assert_eq!(verdicts_of(&result, LineType::Refund), [&Verdict::Explained(Reason::TakenBack)]);
}

#[test]
fn a_negative_sale_of_a_delivered_order_is_found() {
    let mut facts = facts("AJIO", Fate::Kept);
    facts.entries[0].lines[0].amount = -facts.entries[0].lines[0].amount;
    let price = facts.order.as_ref().unwrap().items[0].price;
    let result = judged(&facts);
    assert_eq!(only(&result).detail, Detail::SaleMissing { price, settled: Some(-price) });
    assert_eq!(only(&result).at_stake, price * Decimal::TWO);
    assert!(matches!(
        verdicts_of(&result, LineType::Sale)[0],
        Verdict::Differs { because: Because::NegativeSale, .. }
    ));
}

#[test]
fn a_refund_above_what_came_back_is_found() {
    let mut facts = facts("AJIO", Fate::Returned(1));
    facts.entries[1].lines[0].amount -= paise(4_000);
    let result = judged(&facts);
    assert_eq!(only(&result).key.kind, FindingKind::RefundTooHigh);
    assert_eq!(only(&result).at_stake, paise(4_000));
}

#[test]
fn a_later_correction_of_weight_within_the_slab_is_found() {
    let mut book = Book::default();
    let place = book.add_order(&mut Dice::new(9), "FLIPKART", Fate::Kept);
    let lines =
        vec![(LineType::WeightAdjustment, "Weight correction", -2_600), (LineType::FeeTax, "GST", -468)];
    let mut entry = book.entry("FLIPKART", None, at("2026-05-02T05:00:00Z"), lines);
    entry.charged_weight_grams = Some(2_000);
    book.orders[place].entries.push(entry);
    let result = judged(&book.orders[place]);
    assert_eq!(only(&result).key.kind, FindingKind::WeightSlabTooHigh);
    assert_eq!(only(&result).at_stake, paise(3_068));
    assert!(only(&result).sentence().contains("charged for 2000 g"), "{}", only(&result).sentence());
    assert_eq!(verdicts_of(&result, LineType::FeeTax).last(), Some(&&Verdict::Explained(Reason::FeesBeside)));
}

#[test]
fn a_parcel_to_amazons_warehouse_is_no_unknown_order() {
    let mut facts = facts("AMAZON_IN", Fate::Kept);
    facts.order = None;
    let net: Decimal = facts.entries[0].amount();
    let known = judged(&facts);
    assert_eq!(only(&known).detail, Detail::UnknownOrder { entries: 1, net });
    facts.external_order_id = "FBA15XXXXXXX".to_owned();
    let result = judged(&facts);
    assert_eq!(result.findings, []);
    assert!(
        verdicts_of(&result, LineType::Sale).iter().all(|one| **one == Verdict::Unexplained(Gap::NoOrder))
    );
}

#[test]
fn announced_money_of_an_unknown_order_is_overdue_too() {
    let mut facts = facts("AJIO", Fate::Kept);
    facts.order = None;
    facts.entries[0].payout = None;
    assert_eq!(judged(&facts), robnu_reconciliation::OrderResult::default());
    facts.entries[0].expected_at = Some(now() - Duration::days(1));
    let result = judged(&facts);
    assert_eq!(only(&result).key.kind, FindingKind::DeferredOverdue);
    assert!(only(&result).is_recoverable);
    assert_eq!(only(&result).key.subject.order.as_deref(), Some(facts.external_order_id.as_str()));
}

#[test]
fn a_price_after_the_sellers_share_of_an_offer_is_the_sale_and_the_offer_together() {
    let mut facts = facts("AJIO", Fate::Kept);
    let mut offer = facts.entries[0].lines[0].clone();
    (offer.number, offer.line_type, offer.amount) = (2, LineType::Promotion, paise(-5_000));
    facts.entries[0].lines[0].amount += paise(5_000);
    facts.entries[0].lines.push(offer);
    let result = judged(&facts);
    assert_eq!(result.findings, []);
    assert_eq!(verdicts_of(&result, LineType::Sale), [&Verdict::Explained(Reason::InSum)]);
    facts.entries[0].lines[1].amount -= paise(100);
    assert!(matches!(verdicts_of(&judged(&facts), LineType::Sale)[0], Verdict::Differs { .. }));
}

#[test]
fn a_sale_with_the_customers_shipping_is_taken_as_stated_and_its_refund_takes_it_back() {
    let shipped = |marketplace: &str| {
        let mut facts = facts(marketplace, Fate::Returned(1));
        let shipping = paise(6_300);
        for line in facts.entries.iter_mut().flat_map(|entry| &mut entry.lines) {
            match line.line_type {
                LineType::Sale => line.amount += shipping,
                LineType::Refund => line.amount -= shipping,
                _ => {}
            }
        }
        facts
    };
    let meesho = judged(&shipped("MEESHO"));
    assert_eq!(meesho.findings, []);
    assert_eq!(verdicts_of(&meesho, LineType::Sale), [&Verdict::Explained(Reason::AsStated)]);
    assert_eq!(verdicts_of(&meesho, LineType::Refund), [&Verdict::Explained(Reason::TakenBack)]);

    // Elsewhere the price differs, but the refund still takes back what the sale paid.
    let mut ajio = shipped("AJIO");
    let order = ajio.order.as_mut().unwrap();
    order.items[0].quantity = 1;
    ajio.entries[1].lines[0].amount = -ajio.entries[0].lines[0].amount;
    let result = judged(&ajio);
    assert_eq!(result.findings, []);
    assert!(matches!(verdicts_of(&result, LineType::Sale)[0], Verdict::Differs { .. }));
    assert_eq!(verdicts_of(&result, LineType::Refund), [&Verdict::Explained(Reason::TakenBack)]);
}

#[test]
fn lines_of_a_replacement_are_unexplained_and_no_finding() {
    let mut facts = facts("FLIPKART", Fate::Kept);
    facts.order.as_mut().unwrap().is_replacement = true;
    let result = judged(&facts);
    assert_eq!(result.findings, []);
    assert!(
        verdicts_of(&result, LineType::Sale)
            .iter()
            .all(|one| **one == Verdict::Unexplained(Gap::Replacement))
    );
}

#[test]
fn a_return_of_which_nobody_knows_what_it_is_accuses_nobody() {
    let mut facts = facts("AJIO", Fate::Returned(1));
    facts.returns[0].items.clear();
    let result = judged(&facts);
    assert_eq!(result.findings, []);
    assert_eq!(verdicts_of(&result, LineType::Refund), [&Verdict::Unexplained(Gap::UnplacedReturn)]);
}

#[test]
fn lines_of_an_order_are_judged_each_for_itself_and_together_where_the_source_names_none() {
    let mut two = facts("AJIO", Fate::Kept);
    let mut other = two.order.as_ref().unwrap().items[0].clone();
    other.external_item_id = "second".to_owned();
    other.sku = Some("another".to_owned());
    two.order.as_mut().unwrap().items.push(other.clone());
    let unpaid = judged(&two);
    assert_eq!(only(&unpaid).key.subject.item.as_deref(), Some("second"));

    // One document for the whole order.
    two.entries[0].external_item_id = None;
    two.entries[0].lines[0].amount = other.price * Decimal::TWO;
    assert_eq!(judged(&two).findings, []);
    // One document for one of the lines.
    two.entries[0].lines[0].amount = other.price;
    let result = judged(&two);
    assert_eq!(only(&result).key.kind, FindingKind::NotSettled);
    assert_eq!(only(&result).key.subject.item, None);
}

#[test]
fn an_undelivered_order_is_owed_nothing() {
    for marketplace in ["AMAZON_IN", "FLIPKART", "MEESHO", "AJIO"] {
        let rto = facts(marketplace, Fate::Rto);
        assert_eq!(rto.order.as_ref().unwrap().progress, Progress::Undelivered);
        assert_eq!(judged(&rto).findings, []);
    }
}

#[test]
fn a_payout_may_differ_by_less_than_a_paisa() {
    let book = right_book(50, 11);
    let (marketplace, mut payout) = book.payouts[0].clone();
    let rules = rules();
    let terms = rules.terms_of(&marketplace);
    payout.stated = Some(payout.sum + Decimal::new(5, 3));
    assert_eq!(reconcile_payout(&payout, terms, now()), None);
    payout.stated = Some(payout.sum - Decimal::new(6, 3));
    let finding = reconcile_payout(&payout, terms, now()).unwrap();
    assert_eq!(finding.key.kind, FindingKind::PayoutTotalOff);
    payout.stated = None;
    assert_eq!(reconcile_payout(&payout, terms, now()), None);
}

#[test]
fn announced_money_without_an_order_waits_for_its_date() {
    let mut book = Book::default();
    let mut entry =
        book.entry("AMAZON_IN", None, now(), vec![(LineType::Compensation, "Reimbursement", 4_000)]);
    entry.payout = None;
    let rules = rules();
    let result = |entry: &_| reconcile_account_entry(entry, rules.terms_of("AMAZON_IN"), now());
    assert_eq!(result(&entry), robnu_reconciliation::AccountResult::default());
    entry.expected_at = Some(now());
    assert_eq!(result(&entry).findings, []);
    entry.expected_at = Some(now() - Duration::days(8));
    let overdue = result(&entry);
    assert_eq!(overdue.verdicts, []);
    let [finding] = overdue.findings.as_slice() else { panic!("{overdue:?}") };
    assert_eq!(finding.key.kind, FindingKind::DeferredOverdue);
    assert_eq!((finding.at_stake, finding.evidence.as_slice()), (paise(4_000), &[entry.id][..]));
    entry.lines[0].amount = paise(-4_000);
    assert_eq!(result(&entry).findings, [], "nobody waits for what takes money");
}

#[test]
fn lines_without_an_order_are_judged_by_their_nature() {
    let mut book = Book::default();
    let lines =
        LINES_WITHOUT_ORDER.iter().map(|(line_type, _)| (*line_type, line_type.as_str(), -100)).collect();
    let entry = book.entry("FLIPKART", None, now(), lines);
    let result = reconcile_account_entry(&entry, None, now());
    let verdicts: Vec<_> = result.verdicts.iter().map(|one| (one.line_type, one.verdict.clone())).collect();
    assert_eq!(verdicts, LINES_WITHOUT_ORDER);
}

const LINES_WITHOUT_ORDER: &[(LineType, Verdict)] = &[
    (LineType::Ads, Verdict::Explained(Reason::AsStated)),
    (LineType::FeeTax, Verdict::Explained(Reason::AsStated)),
    (LineType::StorageFee, Verdict::Explained(Reason::AsStated)),
    (LineType::Referral, Verdict::Explained(Reason::AsStated)),
    (LineType::Reserve, Verdict::Explained(Reason::Reserve)),
    (LineType::Transfer, Verdict::Explained(Reason::Transfer)),
    (LineType::Recovery, Verdict::Unexplained(Gap::NothingSaysWhy)),
    (LineType::Compensation, Verdict::Unexplained(Gap::NothingSaysWhy)),
    (LineType::Other, Verdict::Unexplained(Gap::NothingSaysWhy)),
    (LineType::Penalty, Verdict::Unexplained(Gap::NoOrder)),
    (LineType::Commission, Verdict::Unexplained(Gap::NoOrder)),
    (LineType::Tcs, Verdict::Unexplained(Gap::NoOrder)),
];
