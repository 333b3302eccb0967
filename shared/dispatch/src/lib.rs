//! Dispatch: the run ledger, the message that announces a run, and the lanes it travels in.
//!
//! The run's row is the truth and the message a doorbell. Whoever makes work writes the row, commits, rings, and marks
//! the row as rung; a sweep rings again for what was not heard. So no work depends on a message.

mod bell;
mod envelope;
mod lane;
mod ledger;
mod ring;

pub use bell::{Bell, BellError};
pub use envelope::{Envelope, EnvelopeError, Job};
pub use lane::{lane_account, lane_queue_name};
pub use ledger::{
    CLAIM, Claim, Claimed, Progress, REQUEST_RUN, Requested, StreamCounts, Unclaimed, advance,
    continue_later, fail, fail_refused, fail_unreachable, finish_check, mark_sent, wait, wait_unreachable,
};
pub use ring::{Ring, Rung};
