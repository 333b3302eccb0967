//! Dispatch: the run ledger, the message that announces a run, and the queues it travels in.
//!
//! The run's row is the truth and the message only announces it. A function that makes work writes the row, commits, publishes,
//! and marks the row as published. A sweep publishes again whatever nobody took, so no work depends on a message.

mod batch;
mod export_message;
mod job_message;
mod lane;
mod lane_request;
mod ledger;
mod outbox;
mod parallel;
mod publisher;
mod versioned;

pub use batch::{ItemFailure, Record};
pub use export_message::ExportMessage;
pub use job_message::{Job, JobMessage};
pub use lane::{lane_account, lane_queue_name};
pub use lane_request::LaneRequest;
pub use ledger::{
    LOCK_TURNS, Lease, NotTaken, Pause, Progress, RequestRun, Requested, StreamCounts, TakeLease, Taken,
    advance, continue_later, fail, fail_refused, fail_unreachable, finish_check, lock_turns, mark_sent,
    next_in_turn, wait, wait_unreachable,
};
pub use outbox::{OutboxMessage, PublishReport};
pub use parallel::{ParallelQueues, is_parallel_queue};
pub use publisher::{PublishError, Publisher};
pub use versioned::MessageError;
