//! Dispatch: the run ledger, the message that announces a run, and the lanes it travels in.
//!
//! The run's row is the truth and the message only announces it. A function that makes work writes the row, commits, publishes,
//! and marks the row as published. A sweep publishes again whatever nobody took, so no work depends on a message.

mod envelope;
mod lane;
mod lane_request;
mod ledger;
mod message;
mod outbox;
mod publisher;

pub use envelope::{Envelope, Job};
pub use lane::{lane_account, lane_queue_name};
pub use lane_request::LaneRequest;
pub use ledger::{
    Lease, NotTaken, Progress, RequestRun, Requested, StreamCounts, TakeLease, Taken, advance,
    continue_later, fail, fail_refused, fail_unreachable, finish_check, mark_sent, wait, wait_unreachable,
};
pub use message::MessageError;
pub use outbox::{OutboxMessage, PublishReport};
pub use publisher::{PublishError, Publisher};
