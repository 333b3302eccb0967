//! How a list is read page by page, where tokens lead from page to page. A token or page that comes again ends the run. A token that
//! Amazon no longer accepts leads back to the list's start, once.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::AdapterError;
use crate::trail::Trail;

/// A list with more pages than this never ends.
const MAX_PAGES: u32 = 20_000;

/// The page to read, and what is known of the pages before it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Walk {
    /// Token of the page; `None` is the first.
    token: Option<String>,
    /// Token of an earlier page, renewed at pages 1, 2, 4, 8 …, so that a cycle of empty pages is noticed too.
    marker: Option<String>,
    /// Pages read.
    pages: u32,
    /// Whether the list has been started over.
    restarted: bool,
    trail: Trail,
}

impl Walk {
    /// The page's token.
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// Returns the walk after a page with these records and the token of the next one; `None` when it was the last.
    ///
    /// # Errors
    /// [`AdapterError::RepeatedPage`] for a page or token that comes again, [`AdapterError::Malformed`] for a list without an end.
    pub fn after(&self, records: &[Box<RawValue>], next: Option<&str>) -> Result<Option<Self>, AdapterError> {
        let trail = self.trail.with(records)?;
        let Some(token) = next.filter(|token| !token.is_empty()) else { return Ok(None) };
        if self.token() == Some(token) || self.marker.as_deref() == Some(token) {
            return Err(AdapterError::RepeatedPage);
        }
        let pages = self.pages + 1;
        if pages >= MAX_PAGES {
            return Err(AdapterError::Malformed { what: format!("list has more than {MAX_PAGES} pages") });
        }
        let marker = if pages.is_power_of_two() { Some(token.to_owned()) } else { self.marker.clone() };
        Ok(Some(Self { token: Some(token.to_owned()), marker, pages, restarted: self.restarted, trail }))
    }

    /// Returns the list's start when `error` means that the page's token is no longer accepted, if that has not happened before.
    pub fn restart_after(&self, error: &AdapterError) -> Option<Self> {
        let AdapterError::Rejected { status: 400, code } = error else { return None };
        let is_refused = code.as_deref().is_none_or(|code| code == "InvalidInput");
        (is_refused && self.token.is_some() && !self.restarted)
            .then(|| Self { restarted: true, ..Self::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(numbers: &[u32]) -> Vec<Box<RawValue>> {
        numbers.iter().map(|number| RawValue::from_string(number.to_string()).unwrap()).collect()
    }

    #[test]
    fn empty_pages_are_passed_and_a_token_or_page_that_comes_again_ends_the_run() {
        let second = Walk::default().after(&records(&[1, 2]), Some("a")).unwrap().unwrap();
        let third = second.after(&records(&[]), Some("b")).unwrap().unwrap();
        assert_eq!(third.token(), Some("b"));
        assert_eq!(
            third.after(&records(&[2, 1]), Some("c")),
            Err(AdapterError::RepeatedPage),
            "the same page"
        );
        assert_eq!(third.after(&records(&[3]), Some("b")), Err(AdapterError::RepeatedPage), "the same token");
        for end in [None, Some("")] {
            assert_eq!(third.after(&records(&[3]), end), Ok(None));
        }
    }

    #[test]
    fn a_cycle_of_empty_pages_ends() {
        let mut walk = Walk::default();
        for number in 0..1_000 {
            let token = format!("t{}", number % 7);
            match walk.after(&records(&[]), Some(&token)) {
                Ok(next) => walk = next.unwrap(),
                Err(error) => return assert_eq!(error, AdapterError::RepeatedPage),
            }
        }
        panic!("seven tokens are followed for ever");
    }

    #[test]
    fn a_list_whose_token_is_refused_is_started_over_once() {
        let refused = AdapterError::Rejected { status: 400, code: Some("InvalidInput".to_owned()) };
        let second = Walk::default().after(&records(&[1]), Some("a")).unwrap().unwrap();
        let again = second.restart_after(&refused).unwrap();
        assert_eq!(again, Walk { restarted: true, ..Walk::default() });
        let second = again.after(&records(&[1]), Some("b")).unwrap().unwrap();
        assert_eq!(second.restart_after(&refused), None, "not a second time");
        assert_eq!(Walk::default().restart_after(&refused), None, "the first page has no token");
        let other = AdapterError::Rejected { status: 403, code: None };
        assert_eq!(
            Walk::default().after(&records(&[1]), Some("a")).unwrap().unwrap().restart_after(&other),
            None
        );
    }
}
