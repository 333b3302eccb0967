//! What can happen next in the model.

/// One thing that happens. Accounts, runs, messages and processes are named by their places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A seller asks for a run of a kind.
    Request { account: u8, kind: u8 },
    /// A schedule is due, and the sweep makes a run.
    Schedule { account: u8, kind: u8 },
    /// The sweep publishes a run again.
    Republish { account: u8, run: u8 },
    /// A queue hands a message to a function.
    Receive { account: u8, message: u8 },
    /// A function or publisher takes its next step.
    Proceed { process: u8 },
    /// A function's slice is over.
    EndSlice { process: u8 },
    /// A fault: the marketplace puts a function off.
    PutOff { process: u8 },
    /// A fault: the marketplace refuses for good.
    Refuse { process: u8 },
    /// A fault: a function or publisher dies.
    Kill { process: u8 },
    /// A fault: a publisher's or function's message does not reach the queue, and it gives up.
    FailSend { process: u8 },
    /// The time is over that a run waits for.
    LetTimePass { account: u8, run: u8 },
    /// A message's visibility timeout is over.
    Reappear { account: u8, message: u8 },
    /// A fault: a queue loses a message.
    Lose { account: u8, message: u8 },
    /// A fault: a queue is emptied.
    Purge { account: u8 },
    /// A seller cancels a run.
    Cancel { account: u8, run: u8 },
    /// Operators hold an account's runs.
    Hold { account: u8 },
    /// Operators let them go on.
    Resume { account: u8 },
    /// Operators move an account to the other kind of lane; what lies in the queue that it leaves is lost.
    Move { account: u8 },
    /// The redrive function takes dead letters into the database.
    Collect { account: u8 },
    /// An operator redrives an account's first dead letter.
    Redrive { account: u8 },
    /// An order arrives, and is listed at once or later.
    Arrive { account: u8, is_listed: bool },
    /// An order changes.
    Change { account: u8 },
    /// The marketplace lists what it has not listed yet.
    List { account: u8 },
    /// A fault: the seller uploads an old file, which shows the first order as it was in the beginning.
    UploadOldFile { account: u8 },
}

/// What an action takes from the environment's budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cost {
    Free,
    Fault,
    Request,
    Cancel,
    Hold,
    Move,
    Arrival,
}
