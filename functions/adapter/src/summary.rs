//! What became of one job, said in one line of the log: how it ended, what it stored and how long it took. Who it was for stands in the
//! line's span.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use robnu_dispatch::{Job, StreamCounts};
use robnu_observe::metric;

use crate::error::JobError;

/// What is known so far.
#[derive(Debug)]
pub struct Summary {
    began: Instant,
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    end: Option<&'static str>,
    error: Option<String>,
    pages: u32,
    added: i64,
    changed: i64,
    unchanged: i64,
    removed: i64,
    quarantined: i64,
}

impl Summary {
    /// Of a job that begins now.
    #[must_use]
    pub fn begin() -> Self {
        Self { began: Instant::now(), known: Mutex::default() }
    }

    /// A page is committed.
    pub fn stored(&self, counts: &[StreamCounts], quarantined: i32) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.pages += 1;
        known.quarantined += i64::from(quarantined);
        for stream in counts {
            known.added += i64::from(stream.added);
            known.changed += i64::from(stream.changed);
            known.unchanged += i64::from(stream.unchanged);
            known.removed += i64::from(stream.removed);
        }
    }

    /// The job ends in this way, with the error code that the run's row has.
    pub fn ended(&self, end: &'static str, error: Option<&str>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.end = Some(end);
        known.error = error.map(str::to_owned);
    }

    /// Logs the line, and counts the job and its records. After an error its message is refused, or goes back to its queue.
    pub fn log(&self, job: &Job, outcome: &Result<(), JobError>) {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let end = match outcome {
            Ok(()) => known.end.unwrap_or("PASSED"),
            Err(JobError::Refused(_)) => "REFUSED",
            Err(_) => "RETURNED",
        };
        tracing::info!(
            run.kind = job.kind.as_str(),
            run.end = end,
            run.error = known.error.as_deref(),
            pages = known.pages,
            added = known.added,
            changed = known.changed,
            unchanged = known.unchanged,
            removed = known.removed,
            quarantined = known.quarantined,
            elapsed.ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX),
            "job done"
        );
        let marketplace = ("Marketplace", job.marketplace.as_str());
        metric::gauge("Jobs", marketplace, 1);
        metric::gauge("RecordsStored", marketplace, known.added + known.changed);
    }
}
