//! Judges a unit: gives every component of its entries a verdict, and says what is wrong. The order of steps counts: what a whole entry is
//! about (a second sale, a refund for nothing) explains its other lines, so that one mistake is one finding.

mod fees;
mod others;
mod sales;
mod settlement;
mod taxes;

pub(crate) use self::settlement::overdue_detail;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;

use crate::component::{Component, Fitted, components, fit};
use crate::expected::{Breakdown, Expected, NoCard, breakdown};
use crate::facts::{Entry, EntryId, Order, OrderFacts};
use crate::finding::{Detail, Finding, FindingKey, Subject};
use crate::line_type::LineType;
use crate::money::days_after;
use crate::rules::Rules;
use crate::unit::Unit;
use crate::verdict::{Because, Gap, LineVerdict, Reason, Verdict};

/// What a unit is judged with, and what has been said so far.
pub(crate) struct Judge<'a> {
    facts: &'a OrderFacts,
    order: &'a Order,
    rules: &'a Rules,
    now: DateTime<Utc>,
    tolerance: Decimal,
    unit: &'a Unit<'a>,
    components: Vec<Component<'a>>,
    /// One for each component, once it is judged.
    verdicts: Vec<Option<Verdict>>,
    /// One for each lot.
    breakdowns: Vec<Breakdown>,
    /// Entries that are about something that should not have happened.
    covered: BTreeMap<EntryId, Because>,
    findings: Vec<Finding>,
    no_card: Vec<NoCard>,
}

/// What was said of a unit.
pub(crate) struct Judged {
    pub(crate) verdicts: Vec<LineVerdict>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) no_card: Vec<NoCard>,
}

/// The components of one family beside what is expected of it.
struct Family {
    /// Places of the components; those of covered entries last.
    places: Vec<usize>,
    expected: Vec<Expected>,
    fitted: Fitted,
}

impl Family {
    /// What is charged in all, before anything is given back; positive.
    fn charged_once(&self) -> Decimal {
        self.expected.iter().map(|one| -one.amount).filter(|amount| *amount > Decimal::ZERO).sum()
    }
}

/// Judges a unit.
pub(crate) fn judge<'a>(
    facts: &'a OrderFacts,
    order: &'a Order,
    unit: &'a Unit<'a>,
    rules: &'a Rules,
    now: DateTime<Utc>,
) -> Judged {
    let components = components(&unit.paid);
    let breakdowns = unit.lots.iter().map(|lot| breakdown(&facts.marketplace, order, lot, rules)).collect();
    let mut judge = Judge {
        facts,
        order,
        rules,
        now,
        tolerance: rules.tolerance(&facts.marketplace),
        unit,
        verdicts: vec![None; components.len()],
        components,
        breakdowns,
        covered: BTreeMap::new(),
        findings: Vec::new(),
        no_card: Vec::new(),
    };
    judge.judge_sales();
    judge.judge_fees();
    judge.judge_fee_tax();
    judge.judge_withheld_tax();
    judge.judge_others();
    judge.judge_settlement();
    judge.finish()
}

impl Judge<'_> {
    /// Places of the components of a family: by time of booking, those of covered entries last.
    fn places_of(&self, family: LineType) -> Vec<usize> {
        let mut places: Vec<usize> =
            (0..self.components.len()).filter(|at| self.components[*at].family == family).collect();
        places.sort_by_key(|at| self.covered.contains_key(&self.components[*at].entry.id));
        places
    }

    fn fit_family(&self, family: LineType) -> Family {
        let places = self.places_of(family);
        let amounts = self.breakdowns.iter().flat_map(|one| &one.amounts);
        let expected: Vec<Expected> = amounts.filter(|one| one.line_type == family).cloned().collect();
        let own: Vec<&Component<'_>> = places.iter().map(|at| &self.components[*at]).collect();
        let due: Vec<Decimal> = expected.iter().map(|one| one.amount).collect();
        let fitted = fit(&own, &due, self.tolerance);
        Family { places, expected, fitted }
    }

    fn explain(&mut self, place: usize, reason: Reason) {
        self.verdicts[place] = Some(Verdict::Explained(reason));
    }

    fn differ(&mut self, place: usize, expected: Decimal, because: Because) {
        let actual = self.components[place].amount;
        self.verdicts[place] = Some(Verdict::Differs { expected, actual, because });
    }

    fn leave_open(&mut self, place: usize, gap: Gap) {
        self.verdicts[place] = Some(Verdict::Unexplained(gap));
    }

    /// The entries of components, each once.
    fn entries_of(&self, places: &[usize]) -> Vec<&Entry> {
        let mut entries: Vec<&Entry> = places.iter().map(|at| self.components[*at].entry).collect();
        entries.sort_by_key(|entry| entry.id);
        entries.dedup_by_key(|entry| entry.id);
        entries
    }

    /// Until when a wrong amount in these entries can be objected to.
    fn dispute_by(&self, entries: &[&Entry]) -> Option<DateTime<Utc>> {
        let days = self.rules.terms_of(&self.facts.marketplace)?.disputes_within_days?;
        let last = entries.iter().filter_map(|entry| entry.posted_at).max()?;
        Some(days_after(last, days))
    }

    /// Keeps a finding about components.
    fn find(
        &mut self,
        line_type: Option<LineType>,
        places: &[usize],
        at_stake: Decimal,
        may_be_asked_for: bool,
        detail: Detail,
    ) {
        let entries = self.entries_of(places);
        let file_by = self.dispute_by(&entries);
        let evidence = entries.iter().map(|entry| entry.id).collect();
        self.keep(line_type, evidence, at_stake, may_be_asked_for, file_by, detail);
    }

    fn keep(
        &mut self,
        line_type: Option<LineType>,
        evidence: Vec<EntryId>,
        at_stake: Decimal,
        may_be_asked_for: bool,
        file_by: Option<DateTime<Utc>>,
        detail: Detail,
    ) {
        let subject = Subject {
            order: Some(self.facts.external_order_id.clone()),
            item: self.unit.item.map(str::to_owned),
            line_type,
            ..Subject::default()
        };
        let is_recoverable = may_be_asked_for && file_by.is_none_or(|last| self.now <= last);
        let key = FindingKey { kind: detail.kind(), subject };
        self.findings.push(Finding { key, detail, at_stake, is_recoverable, file_by, evidence });
    }

    fn finish(self) -> Judged {
        let mut verdicts = Vec::new();
        for (component, verdict) in self.components.iter().zip(self.verdicts) {
            let verdict = verdict.unwrap_or(Verdict::Unexplained(Gap::NothingSaysWhy));
            let of_line = |line| LineVerdict::new(component.entry, line, verdict.clone());
            verdicts.extend(component.lines.iter().copied().map(of_line));
        }
        Judged { verdicts, findings: self.findings, no_card: self.no_card }
    }
}
