//! How a run walks through AJIO's lists: orders on pendency and then all others, or returns.
//!
//! The lists change while they are read. When a list shrinks between two pages, records move up across the page border; the
//! run reads them again, so that none is missed. A page with fewer records than its own totals promise is asked for again. When
//! a page repeats an earlier one, the run ends instead of looping.

use serde::{Deserialize, Serialize};

use crate::contract::PagePosition;
use crate::error::AdapterError;
use crate::http::page_digest;
use crate::trail::Trail;

use super::client::{AjioPage, PAGE_SIZE};
use super::mapping::order_id;
use super::phase::Phase;
use super::returns::return_id;

/// A list with more pages than this (a million records) never ends.
const MAX_PAGES: u32 = 20_000;

/// How often one phase may go back for records that moved. The next run reads any that still escape.
const MAX_STEPS_BACK: u32 = 100;

/// How often a page is asked for again because it lacks records. After that it is taken as it is.
const MAX_REREADS: u32 = 2;

/// The page to read, and what is known of the pages before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The list.
    pub phase: Phase,
    /// The page's number, from 0.
    pub page: u32,
    /// Digest of the ids on the page read before this one.
    previous: Option<String>,
    /// The list's length at that page.
    total: Option<u64>,
    /// How often this phase has gone back.
    steps_back: u32,
    /// How often this page has been asked for again.
    rereads: u32,
    /// The pages of this phase.
    #[serde(default)]
    trail: Trail,
}

impl Position {
    fn start(phase: Phase) -> Self {
        Self {
            phase,
            page: 0,
            previous: None,
            total: None,
            steps_back: 0,
            rereads: 0,
            trail: Trail::default(),
        }
    }

    /// Reads the position that a run continues from; without one, it is the first page of the run's first list.
    pub fn read(stored: Option<&PagePosition>, first: Phase) -> Result<Self, AdapterError> {
        let Some(stored) = stored else { return Ok(Self::start(first)) };
        stored.read()
    }

    /// Returns the position as the engine stores it.
    pub fn write(&self) -> Result<PagePosition, AdapterError> {
        PagePosition::of(self)
    }

    /// Returns the position after this one's page; `None` when the run has read everything.
    pub fn after(&self, page: &AjioPage) -> Result<Option<Self>, AdapterError> {
        let info = page.page.unwrap_or_default();
        if info.number.is_some_and(|number| number < u64::from(self.page)) && !page.orders.is_empty() {
            return Err(AdapterError::RepeatedPage);
        }
        let digest = self.digest_unless_repeated(page)?;
        let trail = self.trail.with(&page.orders)?;
        if let Some(first_moved) = self.first_moved(info.total_elements) {
            return Ok(Some(Self {
                page: first_moved,
                // Reading a page again on purpose does not count as a repetition.
                previous: None,
                total: info.total_elements,
                steps_back: self.steps_back + 1,
                rereads: 0,
                trail: Trail::default(),
                ..*self
            }));
        }
        if self.rereads < MAX_REREADS && self.is_incomplete(page) {
            let total = info.total_elements;
            return Ok(Some(Self { rereads: self.rereads + 1, total, ..self.clone() }));
        }
        if self.is_last(page) {
            return Ok(self.phase.next().map(Self::start));
        }
        let next = self.page + 1;
        if next >= MAX_PAGES {
            return Err(AdapterError::Malformed { what: format!("list has more than {MAX_PAGES} pages") });
        }
        Ok(Some(Self {
            page: next,
            previous: digest,
            total: info.total_elements,
            rereads: 0,
            trail,
            ..*self
        }))
    }

    fn is_last(&self, page: &AjioPage) -> bool {
        match page.page.and_then(|info| info.total_pages) {
            _ if page.orders.is_empty() => true,
            Some(pages) => u64::from(self.page) + 1 >= pages,
            None => page.orders.len() < PAGE_SIZE as usize,
        }
    }

    /// Whether the page holds fewer records than its own totals say it must.
    fn is_incomplete(&self, page: &AjioPage) -> bool {
        let Some(total) = page.page.and_then(|info| info.total_elements) else { return false };
        let size = u64::from(PAGE_SIZE);
        let promised = total.saturating_sub(u64::from(self.page) * size).min(size);
        (page.orders.len() as u64) < promised
    }

    fn digest_unless_repeated(&self, page: &AjioPage) -> Result<Option<String>, AdapterError> {
        if page.orders.is_empty() {
            return Ok(None);
        }
        let id = match self.phase {
            Phase::Pendency | Phase::Orders => order_id,
            Phase::Returns => return_id,
        };
        let ids: Vec<String> =
            page.orders.iter().map(|raw| id(raw).unwrap_or_else(|| raw.get().to_owned())).collect();
        let digest = page_digest(ids.iter().map(String::as_str));
        if self.previous.as_ref() == Some(&digest) {
            return Err(AdapterError::RepeatedPage);
        }
        Ok(Some(digest))
    }

    /// Returns the page that now holds the first record which may have moved up unseen, when the list shrank by so much
    /// that any moved at all.
    fn first_moved(&self, total: Option<u64>) -> Option<u32> {
        let gone = self.total?.checked_sub(total?).filter(|gone| *gone > 0)?;
        if self.page == 0 || self.steps_back >= MAX_STEPS_BACK {
            return None;
        }
        let read = u64::from(self.page) * u64::from(PAGE_SIZE);
        u32::try_from(read.saturating_sub(gone) / u64::from(PAGE_SIZE)).ok()
    }
}

#[cfg(test)]
mod tests {
    use std::ops::Range;

    use super::*;

    /// A page with these orders, of a list of `total` where that is stated.
    fn page(number: Option<u64>, orders: Range<u64>, status: &str, total: Option<u64>) -> AjioPage {
        let orders: Vec<String> =
            orders.map(|id| format!(r#"{{"order_id":"FN{id}","status":"{status}"}}"#)).collect();
        let stated = serde_json::json!({
            "number": number, "totalElements": total, "totalPages": total.map(|total| total.div_ceil(50)),
        });
        serde_json::from_str(&format!(r#"{{"orders":[{}],"page":{stated}}}"#, orders.join(","))).unwrap()
    }

    fn at(page: u32, total: Option<u64>) -> Position {
        Position { page, total, ..Position::start(Phase::Orders) }
    }

    #[test]
    fn a_page_with_a_lower_number_than_was_asked_for_is_a_repetition_unless_it_is_empty() {
        let repeated = at(3, None).after(&page(Some(2), 0..50, "PACKED", None));
        assert_eq!(repeated, Err(AdapterError::RepeatedPage));
        assert_eq!(at(3, None).after(&page(Some(2), 0..0, "PACKED", None)), Ok(None));
    }

    #[test]
    fn orders_that_come_again_are_a_repetition_though_they_have_changed() {
        let next = at(0, None).after(&page(None, 0..50, "PACKED", None)).unwrap().unwrap();
        let changed = page(None, 0..50, "DISPATCHED", None);
        assert_eq!(next.after(&changed), Err(AdapterError::RepeatedPage));
    }

    #[test]
    fn a_list_that_has_shrunk_is_read_again_from_the_page_that_its_first_unseen_order_moved_to() {
        let before = at(2, Some(201)).after(&page(Some(2), 100..150, "PACKED", Some(201))).unwrap().unwrap();
        let before = Position { steps_back: 5, rereads: 2, ..before };
        let back = before.after(&page(Some(3), 151..200, "PACKED", Some(200))).unwrap().unwrap();
        let expected = Position { steps_back: 6, ..at(2, Some(200)) };
        assert_eq!(back, expected, "what was known of the pages is forgotten with them");
    }

    #[test]
    fn nothing_moves_to_the_first_page_unseen_and_after_a_hundred_steps_back_the_run_goes_on() {
        let shrunk = page(None, 0..50, "PACKED", Some(150));
        let next = at(0, Some(151)).after(&shrunk).unwrap().unwrap();
        assert_eq!((next.page, next.steps_back), (1, 0));
        for (steps_back, page) in [(99, 0), (100, 2)] {
            let next = Position { steps_back, ..at(1, Some(151)) }.after(&shrunk).unwrap().unwrap();
            assert_eq!(next.page, page, "after {steps_back} steps back");
        }
    }

    #[test]
    fn a_page_that_lacks_orders_is_asked_for_twice_more_and_the_next_page_anew() {
        let short = page(None, 0..10, "PACKED", Some(120));
        let mut position = at(0, None);
        for rereads in 1..=2 {
            position = position.after(&short).unwrap().unwrap();
            assert_eq!(position, Position { rereads, ..at(0, Some(120)) });
        }
        let next = position.after(&short).unwrap().unwrap();
        assert_eq!((next.page, next.rereads, next.total), (1, 0, Some(120)));
    }

    #[test]
    fn a_page_that_stays_empty_ends_its_list_whatever_the_totals_promise() {
        let tired = Position { rereads: MAX_REREADS, ..at(1, Some(200)) };
        let empty = page(Some(1), 0..0, "PACKED", Some(200));
        assert_eq!(tired.after(&empty), Ok(None));
        let tired = Position { phase: Phase::Pendency, ..tired };
        assert_eq!(tired.after(&empty), Ok(Some(Position::start(Phase::Orders))), "the second list follows");
    }
}
