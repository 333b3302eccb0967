//! Dead letters: messages that no function could handle. And what operators see beside them: what is stuck, runs and lanes;
//! holds of accounts and marketplaces, and moves of accounts to the other kind of lane.
//!
//! A schedule has them taken out of the dead-letter queues into the table `dead_letters`, which marks the runs whose present message
//! died. Operators list them, redrive them in order and discard them. The run's row is the truth here too: a redrive raises its
//! generation, commits, and then publishes it. A later invocation or the scheduling sweep publishes a run that this one did not.

mod collect;
mod context;
mod discard;
mod error;
mod find;
mod handler;
mod hold;
mod lanes;
mod letter;
mod limit;
mod marketplaces;
mod publish;
mod queues;
mod redrive;
mod relocate;
mod request;
mod runs;
mod story;
mod stuck;

pub use collect::Collected;
pub use context::Context;
pub use discard::Discarded;
pub use error::RedriveError;
pub use find::{Found, FoundLetter, Shown};
pub use handler::{Answer, handle};
pub use hold::Held;
pub use lanes::{FoundLane, FoundLanes, LastRead};
pub use letter::{Form, Letter, Received};
pub use limit::Limited;
pub use marketplaces::{BusyAccount, FoundMarketplace, FoundMarketplaces, OldestRun};
pub use queues::{DeadLetterQueue, Queues, Source};
pub use redrive::{Prospects, Redriven};
pub use relocate::Moved;
pub use request::{
    Discard, Filter, Hold, InputError, LaneKind, Lanes, Limit, List, Marketplaces, Move, Redrive, Runs, Show,
    Story, Stuck, Whose,
};
pub use runs::{FoundRun, FoundRuns};
pub use story::{RunStory, StreamCounts};
pub use stuck::{StuckThing, StuckThings};
