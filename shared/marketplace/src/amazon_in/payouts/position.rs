//! How a run walks through an account's money: first the settlement reports that are new, then the transactions, window by window.
//!
//! What a settlement report says counts. So it is read first, and the transactions that it holds are then left out instead of being written
//! twice.

use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::contract::{PagePosition, PageRequest};
use crate::error::AdapterError;

use super::walk::Walk;

/// How far behind the watermark a run reads transactions. Amazon shows them up to 48 hours late and without a stamp of change, and what is
/// deferred is released a week after delivery, or when a business pays its invoice. Until then a transaction has to be read again.
pub const OVERLAP: Duration = Duration::from_hours(60 * 24);

/// How far behind the watermark a run lists reports, which appear late but never change.
const REPORTS_OVERLAP: TimeDelta = TimeDelta::days(3);

/// Amazon keeps reports for 90 days; a day less leaves room for clocks.
const REPORTS_KEPT: TimeDelta = TimeDelta::days(89);

/// The span of one list of transactions. Amazon permits 180 days; a shorter one costs less when its token is refused.
const WINDOW: TimeDelta = TimeDelta::days(30);

/// How far back an account's first run reads transactions, and how far any run does.
const FIRST_READ: TimeDelta = TimeDelta::days(180);
const LONGEST_READ: TimeDelta = TimeDelta::days(730);

/// How far in the past a span ends. Amazon refuses less than two minutes by its own clock.
const YOUNGEST: TimeDelta = TimeDelta::minutes(5);

/// What a run does next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Lists reports.
    Reports(Walk),
    /// Reads the first of these documents from this record on, then the others, then the list's next page if there is one.
    Documents { ids: Vec<String>, from: u64, then: Option<Walk> },
    /// Lists the transactions of a window.
    Transactions { from: DateTime<Utc>, walk: Walk },
}

/// The step to take, and the span of the whole run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// From when reports and transactions are read.
    pub reports_since: DateTime<Utc>,
    since: DateTime<Utc>,
    /// End of the span, the same for all pages of a run.
    pub until: DateTime<Utc>,
    pub step: Step,
}

impl Position {
    /// Reads the position that a run continues from; without one, it is the start of the requested span.
    pub fn read(request: &PageRequest, now: DateTime<Utc>) -> Result<Self, AdapterError> {
        let Some(stored) = &request.position else { return Ok(Self::start(request.changed_since, now)) };
        stored.read()
    }

    /// Returns the position as the engine stores it.
    pub fn write(&self) -> Result<PagePosition, AdapterError> {
        PagePosition::of(self)
    }

    /// `changed_since` lies [`OVERLAP`] behind the watermark.
    fn start(changed_since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        let until = (now - YOUNGEST).trunc_subsecs(0);
        let since = changed_since.unwrap_or(until - FIRST_READ).clamp(until - LONGEST_READ, until);
        let oldest_report = until - REPORTS_KEPT;
        let watermark = changed_since.map(|since| since + OVERLAP);
        let reports_since = watermark.map_or(oldest_report, |watermark| watermark - REPORTS_OVERLAP);
        Self {
            reports_since: reports_since.clamp(oldest_report, until).trunc_subsecs(0),
            since: since.trunc_subsecs(0),
            until,
            step: Step::Reports(Walk::default()),
        }
    }

    /// Another step of the same run.
    pub fn at(&self, step: Step) -> Self {
        Self { step, ..self.clone() }
    }

    /// The step after a page of reports with these documents, or after the first of them.
    pub fn documents(&self, ids: Vec<String>, then: Option<Walk>) -> Self {
        match (ids.is_empty(), then) {
            (false, then) => self.at(Step::Documents { ids, from: 0, then }),
            (true, Some(walk)) => self.at(Step::Reports(walk)),
            (true, None) => self.transactions(self.since),
        }
    }

    fn transactions(&self, from: DateTime<Utc>) -> Self {
        self.at(Step::Transactions { from, walk: Walk::default() })
    }

    /// The end of a window that begins then.
    pub fn window_end(&self, from: DateTime<Utc>) -> DateTime<Utc> {
        (from + WINDOW).min(self.until)
    }

    /// The window behind the one that begins then; `None` after the last.
    pub fn next_window(&self, from: DateTime<Utc>) -> Option<Self> {
        let end = self.window_end(from);
        (end < self.until).then(|| self.transactions(end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// The windows of transactions of a run that begins at this time.
    fn windows(changed_since: Option<&str>, now: &str) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        let start = Position::start(changed_since.map(at), at(now)).documents(Vec::new(), None);
        let from = |position: &Position| match position.step {
            Step::Transactions { from, .. } => from,
            _ => panic!("{position:?}"),
        };
        std::iter::successors(Some(start), |position| position.next_window(from(position)))
            .map(|position| (from(&position), position.window_end(from(&position))))
            .collect()
    }

    #[test]
    fn the_first_run_reads_half_a_year_of_transactions_without_a_gap_and_all_reports_that_are_kept() {
        let windows = windows(None, "2026-11-29T12:00:00Z");
        assert_eq!(windows.len(), 6);
        assert!(windows.iter().all(|(from, until)| *until - *from <= TimeDelta::days(180)));
        assert!(windows.windows(2).all(|pair| pair[0].1 == pair[1].0));
        assert_eq!(windows[5].1, at("2026-11-29T11:55:00Z"));
        let start = Position::start(None, at("2026-11-29T12:00:00Z"));
        assert_eq!(start.until - start.reports_since, TimeDelta::days(89));
    }

    #[test]
    fn a_later_run_reads_two_months_of_transactions_again_and_three_days_of_reports() {
        let watermark = at("2026-11-29T00:00:00Z");
        let changed_since = watermark - OVERLAP;
        let windows = windows(Some(&changed_since.to_rfc3339()), "2026-11-29T12:00:00Z");
        assert_eq!((windows.len(), windows[0].0), (3, changed_since));
        let start = Position::start(Some(changed_since), at("2026-11-29T12:00:00Z"));
        assert_eq!(start.reports_since, at("2026-11-26T00:00:00Z"));
    }

    #[test]
    fn a_very_old_or_future_watermark_is_bounded() {
        assert_eq!(windows(Some("2015-01-01T00:00:00Z"), "2026-11-29T12:00:00Z").len(), 25);
        let old = Position::start(Some(at("2015-01-01T00:00:00Z")), at("2026-11-29T12:00:00Z"));
        assert_eq!(old.until - old.reports_since, TimeDelta::days(89));
        let future = Position::start(Some(at("2030-01-01T00:00:00Z")), at("2026-11-29T12:00:00Z"));
        assert_eq!((future.reports_since, future.since), (future.until, future.until));
        assert_eq!(windows(Some("2030-01-01T00:00:00Z"), "2026-11-29T12:00:00Z").len(), 1);
    }

    #[test]
    fn a_position_stays_small_whatever_was_read() {
        let mut walk = Walk::default();
        for number in 0..200 {
            let record = serde_json::value::RawValue::from_string(number.to_string()).unwrap();
            walk = walk.after(&[record], Some(&format!("{number:0>1000}"))).unwrap().unwrap();
        }
        let ids = vec!["d".repeat(100); 20];
        let position = Position::start(None, Utc::now()).documents(ids, Some(walk));
        let written = position.write().unwrap();
        assert!(written.as_str().len() < 8_000, "{}", written.as_str().len());
        let request = PageRequest { position: Some(written), ..PageRequest::default() };
        assert_eq!(Position::read(&request, Utc::now()).unwrap(), position);
    }
}
