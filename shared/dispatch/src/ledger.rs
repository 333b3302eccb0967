//! The run ledger: every transition of a run's row. Each is a conditional update that only the run's holder can make.
//!
//! ```text
//! QUEUED ──lease──▶ RUNNING ──last page──▶ SUCCEEDED
//!   ▲                 │ │ └──permanent──▶ FAILED
//!   │◀──slice over────┘ └──must wait──▶ WAITING ──sweep──▶ QUEUED
//! ```
//!
//! A run whose message comes while another one of its account is at work waits for its turn: `WAITING` until that one's work ends
//! ([`lock_turns`]). A run whose message died in its queue becomes `DEAD_LETTERED`, and `QUEUED` again when an operator redrives it (`functions/redrive`).

mod check;
mod lease;
mod progress;
mod request;
mod turns;

pub use check::{fail_refused, fail_unreachable, finish_check, wait_unreachable};
pub use lease::{Lease, NotTaken, TakeLease, Taken};
pub use progress::{Pause, Progress, StreamCounts, advance, continue_later, fail, mark_sent, wait};
pub use request::{RequestRun, Requested};
pub use turns::{LOCK_TURNS, lock_turns, next_in_turn};
