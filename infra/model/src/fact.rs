//! What an action did, as far as the states before and after do not show it. The promises are checked against facts and states.

use arrayvec::ArrayVec;

use crate::ledger::Publication;

/// Something that an action did to a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    pub account: u8,
    pub run: u8,
    pub what: What,
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// A message's function took the lease. `overtakes` says whether an earlier message of its lane still lay there.
    Leased { message: Publication, overtakes: bool },
    /// A lease was refused, because another attempt's lease lives.
    Busy,
    /// A message was acknowledged, and its run rests until another run of the account has ended.
    KeptBack,
    /// A message was acknowledged without work, because its publication has passed or operators hold the run.
    Passed,
    /// A message names what the row never was.
    Unknown,
    /// A page was committed. `by_latest` says whether by the holder of the latest lease, and `follows` whether it follows the page before.
    Committed { by_latest: bool, follows: bool },
    /// A run was ended or put off, by the holder of the latest lease or not.
    Ended { by_latest: bool },
    /// Another attempt has taken over, so nothing was stored.
    LeaseLost,
    /// A message was deleted from its queue, by a function that was turned away or has worked.
    Acknowledged { message: Publication, is_turned_away: bool },
    /// A message was put into a queue.
    Sent { message: Publication },
    /// A queue dropped a message, because it had seen its deduplication id. `is_new` says whether it had not seen the publication.
    Swallowed { message: Publication, is_new: bool },
    /// A message died of too many receives.
    Died { message: Publication },
    /// A dead letter was recorded, and marked the run or not.
    Recorded { message: Publication, marks: bool },
}

/// What one action did.
pub type Facts = ArrayVec<Fact, 8>;
