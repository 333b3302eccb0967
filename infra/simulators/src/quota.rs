//! Token buckets, which limit how many requests an account may send to one operation.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A usage plan: requests per second, and how many requests may come at once after a pause.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Quota {
    /// Requests per second that the bucket regains.
    pub rate: f64,
    /// Size of the bucket, which is full at the start.
    pub burst: u32,
}

struct Bucket {
    level: f64,
    filled_at: DateTime<Utc>,
}

/// One bucket for each pair of account and operation.
#[derive(Default)]
pub(crate) struct Buckets {
    buckets: HashMap<(String, &'static str), Bucket>,
}

impl Buckets {
    /// Takes one request from the bucket. False if none is left.
    pub(crate) fn take(
        &mut self,
        account: &str,
        operation: &'static str,
        quota: Quota,
        now: DateTime<Utc>,
    ) -> bool {
        let size = f64::from(quota.burst);
        let bucket = self
            .buckets
            .entry((account.to_owned(), operation))
            .or_insert(Bucket { level: size, filled_at: now });
        let seconds = (now - bucket.filled_at).to_std().unwrap_or_default().as_secs_f64();
        bucket.level = (bucket.level + seconds * quota.rate).min(size);
        bucket.filled_at = now;
        if bucket.level < 1.0 {
            return false;
        }
        bucket.level -= 1.0;
        true
    }

    /// Fills every bucket again.
    pub(crate) fn refill(&mut self) {
        self.buckets.clear();
    }
}
