//! How a run walks through Flipkart's passes, the windows of a pass, and the pages of a window.
//!
//! A run for changes ends at an instant that its first page fixes: a little in the past by our clock, because Flipkart states no
//! end of its own. It becomes the watermark. A link that Flipkart no longer accepts leads back to its window's start, once.

use std::fmt::Debug;

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::contract::{PagePosition, PageRequest};
use crate::error::AdapterError;
use crate::trail::Trail;

use super::filter::{Span, Times};
use super::page::ListPage;

/// A window with more pages than this (200,000 records) never ends.
const MAX_PAGES: u32 = 10_000;

/// How far in the past a run for changes ends, because clocks differ.
const MARGIN: TimeDelta = TimeDelta::minutes(2);

/// How far back a run goes that has no watermark. What has not left is read whatever its age.
const HISTORY: TimeDelta = TimeDelta::days(90);

/// Before the first order of Flipkart's marketplace: 1 January 2013.
const BEGINNING: DateTime<Utc> = match DateTime::from_timestamp(1_356_998_400, 0) {
    Some(instant) => instant,
    None => DateTime::UNIX_EPOCH,
};

/// The passes of a run through one of Flipkart's lists.
pub trait Passes: Copy + Debug + Serialize + DeserializeOwned {
    /// The first pass.
    const FIRST: Self;

    /// The pass after this one.
    fn next(self) -> Option<Self>;

    /// How much time one window of the pass covers; `None` for a pass that is not cut into windows.
    fn window(self) -> Option<TimeDelta>;
}

/// The page to read, and what is known of the pages before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position<P> {
    pass: P,
    /// Start of the whole run's time.
    since: DateTime<Utc>,
    /// End of the whole run's time.
    until: DateTime<Utc>,
    /// Whether the time is that of the order, and not that of its last change.
    placed: bool,
    /// Start of the present window.
    from: DateTime<Utc>,
    /// Query of the page; `None` is the window's first.
    query: Option<String>,
    /// Query of an earlier page of the window, renewed at pages 1, 2, 4, 8 …, so that a cycle of any length is noticed.
    marker: Option<String>,
    /// Pages read of the window.
    pages: u32,
    /// Whether the window has been started over.
    restarted: bool,
    /// The pages of the window. A record at the edge of two windows may be on a page of each.
    trail: Trail,
}

impl<P: Passes> Position<P> {
    fn start(since: DateTime<Utc>, until: DateTime<Utc>, placed: bool) -> Self {
        Self {
            pass: P::FIRST,
            since,
            until,
            placed,
            from: since,
            query: None,
            marker: None,
            pages: 0,
            restarted: false,
            trail: Trail::default(),
        }
    }

    /// Reads the position that a run continues from; without one, it is the run's first page.
    pub fn read(request: &PageRequest, now: DateTime<Utc>) -> Result<Self, AdapterError> {
        let Some(stored) = &request.position else {
            let until = now - MARGIN;
            return Ok(match (&request.placed, request.changed_since) {
                (Some(placed), _) => Self::start(placed.from.max(BEGINNING), placed.until.min(now), true),
                (None, Some(since)) => Self::start(since.min(until).max(BEGINNING), until, false),
                (None, None) => Self::start(until - HISTORY, until, false),
            });
        };
        stored.read()
    }

    /// Returns the position as the engine stores it.
    pub fn write(&self) -> Result<PagePosition, AdapterError> {
        PagePosition::of(self)
    }

    /// The pass.
    pub fn pass(&self) -> P {
        self.pass
    }

    /// The page's query; `None` for the first page of a window.
    pub fn query(&self) -> Option<&str> {
        self.query.as_deref()
    }

    /// Whether the time ends before it begins, as for orders that are yet to be placed.
    pub fn is_empty(&self) -> bool {
        self.until < self.since
    }

    /// The times that the present window asks for.
    pub fn times(&self) -> Times {
        match (self.pass.window(), self.placed) {
            (None, false) => Times::All,
            (_, true) => Times::Placed(Span::new(self.from, self.end())),
            (Some(_), false) => Times::Changed(Span::new(self.from, self.end())),
        }
    }

    /// Returns up to which instant a run for changes is complete.
    pub fn complete_until(&self) -> Option<DateTime<Utc>> {
        (!self.placed).then_some(self.until)
    }

    /// Returns the position after this one's page, which led on to `query`; `None` when it was the run's last.
    ///
    /// # Errors
    /// Returns [`AdapterError::RepeatedPage`] when the page or its link has come before.
    pub fn after(&self, page: &ListPage, query: Option<String>) -> Result<Option<Self>, AdapterError> {
        let trail = self.trail.with(&page.records)?;
        let Some(query) = query else { return Ok(self.after_window()) };
        if self.query.as_ref() == Some(&query) || self.marker.as_ref() == Some(&query) {
            return Err(AdapterError::RepeatedPage);
        }
        let pages = self.pages + 1;
        if pages >= MAX_PAGES {
            return Err(AdapterError::Malformed { what: format!("window has more than {MAX_PAGES} pages") });
        }
        let marker = if pages.is_power_of_two() { Some(query.clone()) } else { self.marker.clone() };
        Ok(Some(Self { query: Some(query), marker, pages, trail, ..self.clone() }))
    }

    /// The first page of the next window; of the next pass after the last window; `None` after the last pass.
    fn after_window(&self) -> Option<Self> {
        let end = self.end();
        if end < self.until { Some(self.at(self.pass, end)) } else { self.after_pass() }
    }

    /// The first page of the next pass.
    pub fn after_pass(&self) -> Option<Self> {
        self.pass.next().map(|pass| self.at(pass, self.since))
    }

    /// Returns the window's start when `error` means that the page's link is no longer accepted, if that has not happened
    /// before.
    pub fn restart_after(&self, error: &AdapterError) -> Option<Self> {
        let is_refused = matches!(error, AdapterError::Rejected { .. });
        (is_refused && self.query.is_some() && !self.restarted)
            .then(|| Self { restarted: true, ..self.at(self.pass, self.from) })
    }

    fn at(&self, pass: P, from: DateTime<Utc>) -> Self {
        Self { pass, from, ..Self::start(self.since, self.until, self.placed) }
    }

    fn end(&self) -> DateTime<Utc> {
        self.pass.window().map_or(self.until, |window| (self.from + window).min(self.until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::PlacedWindow;
    use crate::flipkart::filter::Pass;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn page(numbers: &[u32]) -> ListPage {
        let shipments: Vec<String> =
            numbers.iter().map(|number| format!(r#"{{"shipmentId":"S{number}"}}"#)).collect();
        serde_json::from_str(&format!(r#"{{"shipments":[{}]}}"#, shipments.join(","))).unwrap()
    }

    fn first(changed_since: Option<&str>, placed: Option<(&str, &str)>) -> Position<Pass> {
        let placed = placed.map(|(from, until)| PlacedWindow { from: at(from), until: at(until) });
        let request = PageRequest { position: None, changed_since: changed_since.map(at), placed };
        Position::read(&request, at("2026-11-20T10:02:00Z")).unwrap()
    }

    /// The passes and times of a run without records.
    fn walk(start: Position<Pass>) -> Vec<(Pass, Times)> {
        let (mut next, mut walked) = (Some(start), Vec::new());
        while let Some(position) = next {
            walked.push((position.pass(), position.times()));
            next = position.after(&page(&[]), None).unwrap();
        }
        walked
    }

    #[test]
    fn a_run_for_changes_reads_all_that_is_open_and_the_rest_from_the_watermark_to_a_little_before_now() {
        let span = || Times::Changed(Span::new(at("2026-11-20T09:30:00Z"), at("2026-11-20T10:00:00Z")));
        let start = first(Some("2026-11-20T09:30:00Z"), None);
        assert_eq!(start.complete_until(), Some(at("2026-11-20T10:00:00Z")));
        assert_eq!(
            walk(start),
            [
                (Pass::Open, Times::All),
                (Pass::Held, Times::All),
                (Pass::Dispatched, span()),
                (Pass::CancelledBySeller, span()),
                (Pass::CancelledByBuyer, span()),
                (Pass::CancelledByMarketplace, span()),
            ]
        );
    }

    #[test]
    fn the_first_run_reads_ninety_days_in_windows_that_leave_no_gap() {
        let walked = walk(first(None, None));
        let count = |pass: Pass| walked.iter().filter(|(given, _)| *given == pass).count();
        assert_eq!((count(Pass::Open), count(Pass::Dispatched), count(Pass::CancelledByBuyer)), (1, 90, 13));
        let days: Vec<&Times> =
            walked.iter().filter(|(pass, _)| *pass == Pass::Dispatched).map(|(_, times)| times).collect();
        assert_eq!(
            days[0],
            &Times::Changed(Span::new(at("2026-08-22T10:00:00Z"), at("2026-08-23T10:00:00Z")))
        );
        assert_eq!(
            days[1],
            &Times::Changed(Span::new(at("2026-08-23T10:00:00Z"), at("2026-08-24T10:00:00Z")))
        );
        assert_eq!(
            days[89],
            &Times::Changed(Span::new(at("2026-11-19T10:00:00Z"), at("2026-11-20T10:00:00Z")))
        );
    }

    #[test]
    fn a_window_of_placed_orders_bounds_every_pass_and_vouches_for_nothing() {
        let start = first(None, Some(("2026-11-19T00:00:00Z", "2026-12-31T00:00:00Z")));
        assert_eq!(start.complete_until(), None);
        let walked = walk(start);
        let now = at("2026-11-20T10:02:00Z");
        assert_eq!(walked[0], (Pass::Open, Times::Placed(Span::new(at("2026-11-19T00:00:00Z"), now))));
        assert_eq!(walked.len(), 7, "two windows of dispatched shipments, and one of every other pass");
        assert!(first(None, Some(("2026-11-21T00:00:00Z", "2026-12-31T00:00:00Z"))).is_empty());
    }

    #[test]
    fn a_watermark_of_another_clock_does_not_turn_the_run_round() {
        let start = first(Some("2027-01-01T00:00:00Z"), None);
        assert!(!start.is_empty());
        assert_eq!(start.complete_until(), Some(at("2026-11-20T10:00:00Z")));
        assert_eq!(walk(start).len(), 6);
    }

    #[test]
    fn a_page_or_link_that_comes_again_in_its_window_ends_the_run() {
        let start = first(Some("2026-11-18T10:00:00Z"), None);
        let link = |text: &str| Some(format!("next_token={text}"));
        let second = start.after(&page(&[1]), link("a")).unwrap().unwrap();
        assert_eq!(second.after(&page(&[1]), link("b")), Err(AdapterError::RepeatedPage));
        assert_eq!(second.after(&page(&[]), link("a")), Err(AdapterError::RepeatedPage));
        let third = second.after(&page(&[]), link("b")).unwrap().unwrap();
        let fourth = third.after(&page(&[]), link("c")).unwrap().unwrap();
        assert_eq!(fourth.after(&page(&[]), link("b")), Err(AdapterError::RepeatedPage), "the marker");
        let other_pass = second.after(&page(&[2]), None).unwrap().unwrap();
        assert!(other_pass.after(&page(&[1]), None).is_ok(), "another window may show it again");
    }

    #[test]
    fn a_link_that_is_refused_leads_back_to_its_window_once() {
        let refused = AdapterError::Rejected { status: 400, code: None };
        let start = first(Some("2026-11-18T10:00:00Z"), None);
        assert_eq!(start.restart_after(&refused), None, "the first page has no link");
        let second = start.after(&page(&[1]), Some("next_token=a".to_owned())).unwrap().unwrap();
        let again = second.restart_after(&refused).unwrap();
        assert_eq!((again.query(), again.times(), again.pass()), (None, start.times(), Pass::Open));
        let second = again.after(&page(&[1]), Some("next_token=a".to_owned())).unwrap().unwrap();
        assert_eq!(second.restart_after(&refused), None, "not a second time");
        assert_eq!(second.restart_after(&AdapterError::OutOfTime), None);
    }
}
