//! How a run walks through its span: window by window, oldest first, one report each.

use chrono::{DateTime, FixedOffset, NaiveTime, SubsecRound, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::contract::{PagePosition, PageRequest};
use crate::error::AdapterError;

/// The span of one report: a day less than Amazon's 60, because Amazon does not say whether it counts both end days.
const WINDOW: TimeDelta = TimeDelta::days(59);

/// How far back an account's first run reads: as far as three reports reach, less the day that beginning at midnight costs.
const FIRST_READ: TimeDelta = TimeDelta::days(176);

/// How far back any run reads. That takes 13 reports, and Amazon allows 15 at once.
const LONGEST_READ: TimeDelta = TimeDelta::days(730);

/// How far in the past a span ends, because Amazon refuses a span that ends in the future of its own clock.
const YOUNGEST: TimeDelta = TimeDelta::minutes(5);

/// Indian time, by which Amazon.in dates returns.
pub const INDIA: FixedOffset = match FixedOffset::east_opt(5 * 3_600 + 1_800) {
    Some(offset) => offset,
    None => panic!("an offset of less than a day"),
};

/// What a run does next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// Asks for the window's report.
    Ask,
    /// Looks whether the report is ready.
    Look { report: String, asked_at: DateTime<Utc> },
    /// Reads the report's returns from this one on.
    Read { document: String, from: usize },
}

/// The step to take, and the time that is still to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Start of the window.
    from: DateTime<Utc>,
    /// End of the whole span, the same for all pages of a run.
    pub until: DateTime<Utc>,
    /// Whether the window's report has been asked for a second time.
    second: bool,
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

    /// Windows begin at midnight in India, so that no return's rows fall into two of them.
    fn start(changed_since: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        let until = (now - YOUNGEST).trunc_subsecs(0);
        let since = changed_since.unwrap_or(until - FIRST_READ).clamp(until - LONGEST_READ, until);
        let midnight = since.with_timezone(&INDIA).with_time(NaiveTime::MIN);
        let from = midnight.single().map_or(since, |midnight| midnight.to_utc());
        Self { from, until, second: false, step: Step::Ask }
    }

    /// The window's start and end.
    pub fn window(&self) -> (DateTime<Utc>, DateTime<Utc>) {
        (self.from, (self.from + WINDOW).min(self.until))
    }

    /// Another step in the same window.
    pub fn at(&self, step: Step) -> Self {
        Self { step, ..self.clone() }
    }

    /// The window again with another report, unless that has happened already.
    pub fn asked_again(&self) -> Option<Self> {
        (!self.second).then(|| Self { second: true, step: Step::Ask, ..self.clone() })
    }

    /// The next window; `None` after the last.
    pub fn next_window(&self) -> Option<Self> {
        let (_, end) = self.window();
        (end < self.until).then_some(Self { from: end, until: self.until, second: false, step: Step::Ask })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    /// The windows of a run that begins at this time.
    fn windows(changed_since: Option<&str>, now: &str) -> Vec<(DateTime<Utc>, DateTime<Utc>)> {
        let first = Position::start(changed_since.map(at), at(now));
        std::iter::successors(Some(first), Position::next_window).map(|it| it.window()).collect()
    }

    #[test]
    fn the_first_run_reads_half_a_year_in_three_reports_that_leave_no_gap() {
        // Whatever the time of day, the rounding to midnight makes no fourth report.
        for now in ["2026-11-29T18:34:59Z", "2026-11-29T18:35:00Z", "2026-11-29T08:00:00Z"] {
            let windows = windows(None, now);
            assert_eq!(windows.len(), 3, "{now}");
            assert!(windows.iter().all(|(from, until)| *until - *from <= TimeDelta::days(59)));
            assert!(windows.windows(2).all(|pair| pair[0].1 == pair[1].0));
            assert_eq!(windows[2].1, at(now) - TimeDelta::minutes(5));
        }
    }

    #[test]
    fn a_run_after_eight_weeks_of_overlap_needs_one_report_that_begins_at_midnight_in_india() {
        // The watermark is four hours old, and a run reads 56 days before it.
        let expected = (at("2026-10-03T18:30:00Z"), at("2026-11-29T11:55:00Z"));
        assert_eq!(windows(Some("2026-10-04T07:55:00Z"), "2026-11-29T12:00:00Z"), [expected]);
        assert_eq!(windows(Some("2026-10-03T18:30:00Z"), "2026-11-29T12:00:00Z"), [expected]);
        let earlier = (at("2026-10-02T18:30:00Z"), expected.1);
        assert_eq!(windows(Some("2026-10-03T18:29:59Z"), "2026-11-29T12:00:00Z"), [earlier]);
    }

    #[test]
    fn a_very_old_watermark_takes_no_more_reports_than_amazon_allows_at_once() {
        assert_eq!(windows(Some("2015-01-01T00:00:00Z"), "2026-11-29T12:00:00Z").len(), 13);
        let future = Position::start(Some(at("2030-01-01T00:00:00Z")), at("2026-11-29T12:00:00Z"));
        assert!(future.next_window().is_none());
    }

    #[test]
    fn a_report_is_asked_for_twice_in_each_window_and_not_a_third_time() {
        let first = Position::start(None, at("2026-11-29T12:00:00Z"));
        let looking = first.at(Step::Look { report: "R1".to_owned(), asked_at: at("2026-11-29T12:00:00Z") });
        let again = looking.asked_again().unwrap();
        assert_eq!((again.window(), &again.step, again.asked_again()), (first.window(), &Step::Ask, None));
        assert!(again.next_window().unwrap().asked_again().is_some(), "the next window may ask twice too");
    }
}
