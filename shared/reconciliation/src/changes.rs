//! What a run changes in the findings of what it looked at. A finding is known by its key, so what a person decided about it stays while
//! its numbers move, and is still there if it opens again.

use std::collections::BTreeMap;

use crate::finding::{Finding, FindingKey};

/// What to store after a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Findings that were not there.
    pub opened: Vec<Finding>,
    /// Findings that are still there, with other numbers or evidence.
    pub moved: Vec<Finding>,
    /// Findings that are no longer there.
    pub closed: Vec<FindingKey>,
}

/// Compares the open findings of what a run looked at, such as an order, with those it made.
#[must_use]
pub fn changes(open: &[Finding], made: &[Finding]) -> Changes {
    let before: BTreeMap<&FindingKey, &Finding> = open.iter().map(|one| (&one.key, one)).collect();
    let after: BTreeMap<&FindingKey, &Finding> = made.iter().map(|one| (&one.key, one)).collect();
    let mut result = Changes::default();
    for (key, finding) in &after {
        match before.get(key) {
            None => result.opened.push((*finding).clone()),
            Some(known) if known != finding => result.moved.push((*finding).clone()),
            Some(_) => {}
        }
    }
    result.closed = before.keys().filter(|key| !after.contains_key(*key)).map(|key| (*key).clone()).collect();
    result
}
