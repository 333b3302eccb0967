//! Claims that were approved, what was credited for them, and until when anything can be asked for.
#![allow(clippy::unwrap_used, reason = "a test stops where something is amiss")]

mod book;

use book::{Fate, at, facts, judged, now, only, paise, rules, verdicts_of};
use chrono::{DateTime, Duration, Utc};
use robnu_reconciliation::facts::{Claim, ClaimState, Entry, EntryId, Line, OrderFacts};
use robnu_reconciliation::verdict::{Because, Gap, Reason};
use robnu_reconciliation::{Detail, LineType, Verdict, changes, reconcile_order};

fn claim(external_return_id: &str, resolved_at: DateTime<Utc>, recovered: i64) -> Claim {
    Claim {
        external_return_id: external_return_id.to_owned(),
        state: ClaimState::Won,
        resolved_at: Some(resolved_at),
        recovered: Some(paise(recovered)),
    }
}

fn credit(facts: &mut OrderFacts, line_type: LineType, amount: i64) {
    let entry = facts.entries[0].clone();
    let id = EntryId(entry.id.0 + 1_000 + facts.entries.len() as u128);
    let line = Line { number: 1, line_type, marketplace_type: "Claims".to_owned(), amount: paise(amount) };
    facts.entries.push(Entry { id, lines: vec![line], ..entry });
}

fn claimed() -> OrderFacts {
    let mut facts = facts("FLIPKART", Fate::Returned(1));
    facts.claims.push(claim("older", at("2026-05-01T05:00:00Z"), 10_000));
    facts.claims.push(claim("newer", at("2026-05-10T05:00:00Z"), 5_000));
    facts
}

#[test]
fn what_is_credited_counts_for_the_oldest_claim_first() {
    let mut facts = claimed();
    credit(&mut facts, LineType::ProtectionFund, 11_000);
    let result = judged(&facts);
    assert_eq!(only(&result).key.subject.external_return.as_deref(), Some("newer"));
    assert_eq!(only(&result).at_stake, paise(4_000));
    let Detail::ClaimNotCredited { credited, days, .. } = only(&result).detail else { panic!("{result:?}") };
    assert_eq!((credited, days), (paise(1_000), 36));
    credit(&mut facts, LineType::Claim, 4_000);
    assert_eq!(judged(&facts).findings, []);
}

#[test]
fn a_credit_that_is_only_announced_has_not_come() {
    let mut facts = claimed();
    credit(&mut facts, LineType::Claim, 15_000);
    facts.entries.last_mut().unwrap().payout = None;
    assert_eq!(judged(&facts).findings.len(), 2);
}

#[test]
fn a_claim_has_the_days_of_the_terms() {
    let mut facts = claimed();
    facts.claims.truncate(1);
    let last = at("2026-05-16T05:00:00Z");
    assert_eq!(reconcile_order(&facts, &rules(), last).findings, []);
    let late = reconcile_order(&facts, &rules(), last + Duration::seconds(1));
    assert_eq!(only(&late).file_by, Some(at("2026-07-30T05:00:00Z")));
    facts.claims[0].state = ClaimState::Open;
    assert_eq!(judged(&facts).findings, []);
}

#[test]
fn a_claim_line_is_explained_by_the_claim_that_was_agreed() {
    let verdict = |amount, claims: usize| {
        let mut facts = claimed();
        facts.claims.truncate(claims);
        credit(&mut facts, LineType::Claim, amount);
        verdicts_of(&judged(&facts), LineType::Claim)[0].clone()
    };
    for explained in [5_000, 10_000, 15_000] {
        assert_eq!(verdict(explained, 2), Verdict::Explained(Reason::ApprovedClaim));
    }
    let (expected, actual) = (paise(15_000), paise(14_900));
    assert_eq!(verdict(14_900, 2), Verdict::Differs { expected, actual, because: Because::ApprovedClaim });
    assert_eq!(verdict(5_000, 0), Verdict::Unexplained(Gap::NoClaim));
}

#[test]
fn after_its_last_day_a_finding_stays_and_cannot_be_asked_for() {
    let mut facts = facts("AJIO", Fate::Kept);
    facts.entries[0].lines[0].amount -= paise(500);
    let last = facts.entries[0].posted_at.unwrap() + Duration::days(90);
    let on_time = reconcile_order(&facts, &rules(), last);
    assert_eq!((only(&on_time).file_by, only(&on_time).is_recoverable), (Some(last), true));
    let late = reconcile_order(&facts, &rules(), last + Duration::seconds(1));
    assert!(!only(&late).is_recoverable);

    let moved = changes(&on_time.findings, &late.findings);
    assert_eq!(moved.moved, late.findings);
    assert!(moved.opened.is_empty() && moved.closed.is_empty());
    assert_eq!(changes(&late.findings, &late.findings), robnu_reconciliation::Changes::default());
}

#[test]
fn a_refund_that_the_return_states_is_the_one_expected() {
    let mut facts = facts("AJIO", Fate::Returned(1));
    facts.entries[1].lines[0].amount += paise(700);
    let refund = -facts.entries[1].lines[0].amount;
    assert!(matches!(verdicts_of(&judged(&facts), LineType::Refund)[0], Verdict::Differs { .. }));
    facts.returns[0].items[0].refund = Some(refund);
    assert_eq!(verdicts_of(&judged(&facts), LineType::Refund), [&Verdict::Explained(Reason::Order)]);
    assert!(now() > facts.entries[1].posted_at.unwrap());
}
