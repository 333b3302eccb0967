//! The trail of pages that a run has read, so that the run ends when they come again under any tokens or numbers.
//!
//! The last pages are all remembered, so a short cycle is noticed after one time through. Of the pages before them one
//! marker is kept, renewed at pages 1, 2, 4, 8 …, so that a cycle of any length is noticed in the end. The trail is
//! bounded, because it travels in the run's position.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::AdapterError;
use crate::http::page_digest;

/// How many pages are remembered one by one.
const RECENT: usize = 32;

/// Digests of pages.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Trail {
    /// The last pages, the newest at the end.
    recent: Vec<String>,
    marker: Option<String>,
    pages: u32,
}

impl Trail {
    /// Returns the trail with one more page; a page without records is not added.
    ///
    /// # Errors
    /// Returns [`AdapterError::RepeatedPage`] when the page is one of the earlier pages, whatever the order of its records.
    pub fn with(&self, records: &[Box<RawValue>]) -> Result<Self, AdapterError> {
        if records.is_empty() {
            return Ok(self.clone());
        }
        // Whole records are compared, because a record that has changed meanwhile may come again.
        let mut records: Vec<&str> = records.iter().map(|record| record.get()).collect();
        records.sort_unstable();
        let digest = page_digest(records.into_iter());
        if self.recent.contains(&digest) || self.marker.as_ref() == Some(&digest) {
            return Err(AdapterError::RepeatedPage);
        }
        let mut next = self.clone();
        next.pages = next.pages.saturating_add(1);
        if next.pages.is_power_of_two() {
            next.marker = Some(digest.clone());
        }
        if next.recent.len() == RECENT {
            next.recent.remove(0);
        }
        next.recent.push(digest);
        Ok(next)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn page(number: usize) -> Vec<Box<RawValue>> {
        vec![RawValue::from_string(number.to_string()).unwrap()]
    }

    /// Returns how many pages are read of a list that repeats.
    fn read(lead: usize, round: usize) -> usize {
        let mut trail = Trail::default();
        for number in 0..10_000 {
            let shown = if number < lead { number } else { lead + (number - lead) % round };
            match trail.with(&page(shown)) {
                Ok(next) => trail = next,
                Err(_) => return number + 1,
            }
            assert!(serde_json::to_string(&trail).unwrap().len() < 2_000);
        }
        panic!("a list that goes round after {lead} and {round} pages is read for ever")
    }

    proptest! {
        #[test]
        fn a_short_cycle_ends_with_the_first_page_that_comes_again(lead in 0..100_usize, round in 1..=RECENT) {
            prop_assert_eq!(read(lead, round), lead + round + 1);
        }

        #[test]
        fn a_cycle_of_any_length_ends(lead in 0..100_usize, round in 1..500_usize) {
            prop_assert!(read(lead, round) <= 4 * (lead + round) + 1);
        }
    }

    #[test]
    fn pages_without_records_may_follow_each_other() {
        let trail = Trail::default();
        assert_eq!(trail.with(&[]).unwrap().with(&[]).unwrap(), trail);
    }
}
