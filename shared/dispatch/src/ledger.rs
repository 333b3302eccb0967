//! The run ledger: every transition of a run's row, each a conditional update that only the run's holder can make.
//!
//! ```text
//! QUEUED ──claim──▶ RUNNING ──last page──▶ SUCCEEDED
//!   ▲                 │ │ └──permanent──▶ FAILED
//!   │◀──slice over────┘ └──must wait──▶ WAITING ──sweep──▶ QUEUED
//! ```

mod check;
mod claim;
mod progress;
mod request;

pub use check::{fail_refused, fail_unreachable, finish_check, wait_unreachable};
pub use claim::{CLAIM, Claim, Claimed, Unclaimed};
pub use progress::{Progress, StreamCounts, advance, continue_later, fail, mark_sent, wait};
pub use request::{REQUEST_RUN, Requested};
