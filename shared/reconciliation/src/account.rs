//! Reconciles what belongs to no order: entries without one, and payouts as a whole.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::facts::{Entry, Payout};
use crate::finding::{Detail, Finding, FindingKey, Subject};
use crate::judge::overdue_detail;
use crate::line_type::LineType;
use crate::money::days_after;
use crate::rules::Terms;
use crate::verdict::{Gap, LineVerdict, Reason, Verdict, by_nature};

/// What is said of an entry without an order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AccountResult {
    /// One for each line; none for an announced entry.
    pub verdicts: Vec<LineVerdict>,
    /// What is wrong.
    pub findings: Vec<Finding>,
}

/// Judges an entry that names no order.
#[must_use]
pub fn reconcile_account_entry(entry: &Entry, terms: Option<&Terms>, now: DateTime<Utc>) -> AccountResult {
    if entry.payout.is_some() {
        return AccountResult { verdicts: judge_without_order(entry), findings: Vec::new() };
    }
    let is_overdue = entry.expected_at.is_some_and(|expected| expected < now);
    let overdue: &[&Entry] = if is_overdue { &[entry] } else { &[] };
    let finding = overdue_detail(overdue, now).map(|(due, detail)| {
        let subject = Subject { entry: Some(entry.id), ..Subject::default() };
        let file_by = terms.and_then(|terms| terms.disputes_within_days).map(|days| days_after(due, days));
        account_finding(subject, detail, entry.amount(), file_by, now, vec![entry.id])
    });
    AccountResult { verdicts: Vec::new(), findings: finding.into_iter().collect() }
}

/// Compares a payout's stated total with its entries, to half a paisa: some files have more decimals than money.
#[must_use]
pub fn reconcile_payout(payout: &Payout, terms: Option<&Terms>, now: DateTime<Utc>) -> Option<Finding> {
    let half_a_paisa = Decimal::new(5, 3);
    let stated = payout.stated.filter(|stated| (*stated - payout.sum).abs() > half_a_paisa)?;
    let detail = Detail::PayoutTotalOff { stated, sum: payout.sum };
    let subject = Subject { payout: Some(payout.external_payout_id.clone()), ..Subject::default() };
    let days = terms.and_then(|terms| terms.disputes_within_days);
    let file_by = days.map(|days| days_after(payout.settled_at, days));
    Some(account_finding(subject, detail, (stated - payout.sum).abs(), file_by, now, Vec::new()))
}

fn account_finding(
    subject: Subject,
    detail: Detail,
    at_stake: Decimal,
    file_by: Option<DateTime<Utc>>,
    now: DateTime<Utc>,
    evidence: Vec<crate::facts::EntryId>,
) -> Finding {
    let key = FindingKey { kind: detail.kind(), subject };
    let is_recoverable = file_by.is_none_or(|last| now <= last);
    Finding { key, detail, at_stake, is_recoverable, file_by, evidence }
}

/// The verdicts on the lines of an entry of which no order is known. GST beside a charge that is taken as it is stated is too.
pub(crate) fn judge_without_order(entry: &Entry) -> Vec<LineVerdict> {
    let verdict_of =
        |line_type, amount| by_nature(line_type, amount).unwrap_or(Verdict::Unexplained(Gap::NoOrder));
    let as_stated = Verdict::Explained(Reason::AsStated);
    let is_stated = entry.lines.iter().any(|line| verdict_of(line.line_type, line.amount) == as_stated);
    let judge = |line: &crate::facts::Line| {
        let verdict = match line.line_type {
            LineType::FeeTax if is_stated => as_stated.clone(),
            line_type => verdict_of(line_type, line.amount),
        };
        LineVerdict::new(entry, line, verdict)
    };
    entry.lines.iter().map(judge).collect()
}
