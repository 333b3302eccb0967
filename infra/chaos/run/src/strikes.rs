//! How often each fault struck, and where functions were killed.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::plan::Fault;

/// Counts of faults that struck.
#[derive(Debug, Default)]
pub struct Strikes {
    counts: Mutex<BTreeMap<Fault, usize>>,
    kills: Mutex<BTreeMap<String, usize>>,
}

impl Strikes {
    /// Counts a strike.
    pub fn count(&self, fault: Fault) {
        self.count_many(fault, 1);
    }

    /// Counts several strikes.
    pub fn count_many(&self, fault: Fault, times: usize) {
        *lock(&self.counts).entry(fault).or_default() += times;
    }

    /// Takes a strike back that did not happen.
    pub fn take_back(&self, fault: Fault) {
        if let Some(count) = lock(&self.counts).get_mut(&fault) {
            *count = count.saturating_sub(1);
        }
    }

    /// Counts a kill, and where the function was.
    pub fn count_kill(&self, place: String) {
        self.count(Fault::Kill);
        *lock(&self.kills).entry(place).or_default() += 1;
    }

    /// How often a fault struck.
    pub fn of(&self, fault: Fault) -> usize {
        lock(&self.counts).get(&fault).copied().unwrap_or_default()
    }

    /// How often any fault struck.
    pub fn all(&self) -> usize {
        lock(&self.counts).values().sum()
    }

    /// The kills by place.
    pub fn kills(&self) -> BTreeMap<String, usize> {
        lock(&self.kills).clone()
    }
}

/// Locks a value that nobody leaves half changed.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
