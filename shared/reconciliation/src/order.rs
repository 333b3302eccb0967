//! Reconciles one order.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::account::judge_without_order;
use crate::expected::NoCard;
use crate::facts::{Claim, ClaimState, Entry, EntryId, OrderFacts};
use crate::finding::{Detail, Finding, FindingKey, Subject};
use crate::judge::{judge, overdue_detail};
use crate::line_type::LineType;
use crate::money::days_after;
use crate::rules::Rules;
use crate::unit::units;
use crate::verdict::{LineVerdict, Sums};

/// What is said of an order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderResult {
    /// One for each line of entries that are in a payout, by entry and place.
    pub verdicts: Vec<LineVerdict>,
    /// What is wrong, by key.
    pub findings: Vec<Finding>,
    /// What the card should have said about fees that were charged, each once.
    pub no_card: Vec<NoCard>,
    /// What the order's lines come to in each payout.
    pub sums: BTreeMap<String, Sums>,
}

/// Judges everything that a payout or an announcement says about an order, and looks for what none says. Announced entries get no
/// verdicts, because nothing is paid yet.
#[must_use]
pub fn reconcile_order(facts: &OrderFacts, rules: &Rules, now: DateTime<Utc>) -> OrderResult {
    let mut result = OrderResult::default();
    match &facts.order {
        Some(order) => {
            for unit in &units(facts, order) {
                let judged = judge(facts, order, unit, rules, now);
                result.verdicts.extend(judged.verdicts);
                result.findings.extend(judged.findings);
                result.no_card.extend(judged.no_card);
            }
            result.findings.extend(missing_credits(facts, rules, now));
        }
        None => judge_unknown(facts, rules, now, &mut result),
    }
    result.put_in_order(&facts.entries);
    result
}

impl OrderResult {
    fn put_in_order(&mut self, entries: &[Entry]) {
        self.verdicts.sort_by_key(|one| (one.entry, one.number));
        self.findings.sort_by(|one, other| one.key.cmp(&other.key));
        self.no_card.sort();
        self.no_card.dedup();
        let payouts: BTreeMap<EntryId, &String> =
            entries.iter().filter_map(|entry| Some((entry.id, entry.payout.as_ref()?))).collect();
        for verdict in &self.verdicts {
            if let Some(payout) = payouts.get(&verdict.entry) {
                self.sums.entry((*payout).clone()).or_default().add(verdict);
            }
        }
    }
}

/// Nothing is known of the order but the entries. An id that is none of an order's, as Amazon has them for parcels to its warehouses, is no
/// order that is missing here.
fn judge_unknown(facts: &OrderFacts, rules: &Rules, now: DateTime<Utc>, result: &mut OrderResult) {
    let mut entries: Vec<&Entry> = facts.entries.iter().collect();
    entries.sort_by_key(|entry| entry.id);
    let is_overdue = |entry: &&Entry| entry.payout.is_none() && entry.expected_at.is_some_and(|at| at < now);
    let overdue: Vec<&Entry> = entries.iter().copied().filter(is_overdue).collect();
    let paid: Vec<&Entry> = entries.into_iter().filter(|entry| entry.payout.is_some()).collect();
    result.verdicts.extend(paid.iter().flat_map(|entry| judge_without_order(entry)));

    let disputes = rules.terms_of(&facts.marketplace).and_then(|terms| terms.disputes_within_days);
    let finding = |detail: Detail, taken: Decimal, since: Option<DateTime<Utc>>, entries: &[&Entry]| {
        let file_by = disputes.zip(since).map(|(days, since)| days_after(since, days));
        let subject = Subject { order: Some(facts.external_order_id.clone()), ..Subject::default() };
        Finding {
            key: FindingKey { kind: detail.kind(), subject },
            detail,
            at_stake: taken.abs(),
            is_recoverable: taken < Decimal::ZERO && file_by.is_none_or(|last| now <= last),
            file_by,
            evidence: entries.iter().map(|entry| entry.id).collect(),
        }
    };
    if let Some((due, detail)) = overdue_detail(&overdue, now) {
        let announced: Decimal = overdue.iter().map(|entry| entry.amount()).sum();
        result.findings.push(finding(detail, -announced, Some(due), &overdue));
    }
    if !paid.is_empty() && is_order_id(&facts.marketplace, &facts.external_order_id) {
        let net: Decimal = paid.iter().map(|entry| entry.amount()).sum();
        let booked = paid.iter().filter_map(|entry| entry.posted_at).max();
        result.findings.push(finding(Detail::UnknownOrder { entries: paid.len(), net }, net, booked, &paid));
    }
}

/// Amazon's ids of orders are 3, 7 and 7 digits; of other marketplaces any id may be one.
fn is_order_id(marketplace: &str, id: &str) -> bool {
    let is_digits = |(part, length): (&str, usize)| {
        part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit())
    };
    marketplace != "AMAZON_IN" || (id.split('-').count() == 3 && id.split('-').zip([3, 7, 7]).all(is_digits))
}

/// Approved claims whose money did not come. What came for the order's claims is counted for the oldest first.
fn missing_credits(facts: &OrderFacts, rules: &Rules, now: DateTime<Utc>) -> Vec<Finding> {
    let Some(terms) = rules.terms_of(&facts.marketplace) else {
        return Vec::new();
    };
    let mut credit: Decimal = facts
        .entries
        .iter()
        .filter(|entry| entry.payout.is_some())
        .flat_map(|entry| &entry.lines)
        .filter(|line| {
            matches!(line.line_type, LineType::Claim | LineType::ProtectionFund | LineType::Compensation)
        })
        .map(|line| line.amount)
        .sum::<Decimal>()
        .max(Decimal::ZERO);
    let won = facts.claims.iter().filter(|claim| claim.state == ClaimState::Won);
    let mut won: Vec<(DateTime<Utc>, Decimal, &Claim)> =
        won.filter_map(|claim| Some((claim.resolved_at?, claim.recovered?, claim))).collect();
    won.sort_by(|one, other| (one.0, &one.2.external_return_id).cmp(&(other.0, &other.2.external_return_id)));
    let mut findings = Vec::new();
    for (resolved_at, agreed, claim) in won {
        let credited = credit.min(agreed);
        credit -= credited;
        let is_due = days_after(resolved_at, terms.credits_claims_after_days) < now;
        if !is_due || agreed - credited <= terms.tolerance {
            continue;
        }
        let detail = Detail::ClaimNotCredited { agreed, credited, days: (now - resolved_at).num_days() };
        let subject = Subject {
            order: Some(facts.external_order_id.clone()),
            external_return: Some(claim.external_return_id.clone()),
            ..Subject::default()
        };
        let file_by = terms.disputes_within_days.map(|days| days_after(resolved_at, days));
        let key = FindingKey { kind: detail.kind(), subject };
        let is_recoverable = file_by.is_none_or(|last| now <= last);
        let at_stake = agreed - credited;
        findings.push(Finding { key, detail, at_stake, is_recoverable, file_by, evidence: Vec::new() });
    }
    findings
}
