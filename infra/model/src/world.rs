//! The state of the model: accounts with their rows, queues and books, the functions and publishers at work, and what the environment
//! may still do.

use std::hash::{BuildHasher, Hash};

use arrayvec::ArrayVec;
use foldhash::fast::FixedState;

use crate::ledger::{Holder, Publication, Run};
use crate::marketplace::{Book, Page, Position, Rows};

/// Functions and publishers at work at the same time.
pub const PROCESSES: usize = 3;

/// The whole state.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    pub accounts: ArrayVec<Account, 2>,
    pub processes: [Process; PROCESSES],
    pub budget: Budget,
}

/// How often the environment may still do what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Budget {
    /// What goes wrong.
    pub faults: u8,
    /// Runs that members ask for.
    pub requests: u8,
    /// Runs that members cancel.
    pub cancels: u8,
    /// Holds by operators.
    pub holds: u8,
    /// Moves of an account to the other kind of lane.
    pub moves: u8,
    /// Orders that arrive or change.
    pub arrivals: u8,
}

/// A marketplace account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Account {
    pub book: Book,
    pub rows: Rows,
    pub watermark: Option<u8>,
    pub runs: ArrayVec<Entry, 6>,
    pub queue: ArrayVec<Message, 8>,
    /// Messages that have died, in their order, until they are redriven.
    pub letters: ArrayVec<Letter, 6>,
    pub is_held: bool,
    /// Whether its messages go through a FIFO lane of its own, and not through a Standard queue.
    pub has_lane: bool,
}

/// A run, and what is known about it beside its row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Entry {
    pub kind: u8,
    pub row: Run,
    /// The publications that were sent, by [`bit_of`]. A FIFO queue remembers them.
    pub sent: u64,
    /// How many leases were taken: the truth that the attempt number stands for.
    pub turns: u8,
}

/// A publication's bit in a set.
#[must_use]
pub fn bit_of(publication: Publication) -> u64 {
    1 << (publication.step.min(7) * 8 + publication.generation.min(7))
}

/// A message in a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Message {
    pub run: u8,
    pub names: Publication,
    pub receives: u8,
    pub flight: Flight,
}

/// Whether a message is handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Flight {
    Visible,
    /// Handed out to this process.
    Held(u8),
    /// Handed out to a function that died or returned it; its visibility timeout runs.
    Left,
}

/// A message that has died.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Letter {
    pub run: u8,
    pub names: Publication,
    /// Whether it was taken out of the dead-letter queue into the database.
    pub is_recorded: bool,
}

/// Something that works on a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Process {
    Idle,
    Publisher(Publisher),
    Function(Function),
}

/// Somebody who has committed a run and now sends its message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Publisher {
    pub by: By,
    pub account: u8,
    pub run: u8,
    pub publication: Publication,
    /// Whether the first of its two steps is done: the message is sent, and the mark is left to do.
    pub is_half_done: bool,
}

/// Who publishes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum By {
    Api,
    Sweep,
    Redrive,
}

/// A function that was handed a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Function {
    pub account: u8,
    pub run: u8,
    pub names: Publication,
    pub at: Place,
}

/// Where a function is in its program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Place {
    /// It has read the message.
    Received,
    /// It holds a lease and reads the next page.
    Leased(Work),
    /// It has read a page and stores it next.
    PageRead(Work, Page),
    /// It has ended its work or made the rest the next step, and publishes what goes on: that step, or the run whose turn it is.
    HandedOver { run: u8, next: Publication, is_sent: bool },
    /// It acknowledges its message next, after its work.
    Done,
    /// It acknowledges its message next, because the publication has passed or operators hold the run.
    TurnedAway,
    /// With a defect: the position is committed, the page is not.
    PageLeft(Work, Page),
    /// With a defect: the next step's message is sent, and the row does not say so.
    SentFirst(Work),
}

/// What a function with a lease knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Work {
    pub holder: Holder,
    /// Which lease of the run it is.
    pub turn: u8,
    pub since: u8,
    pub position: Option<Position>,
    /// Whether it has committed a page.
    pub has_stored: bool,
}

impl Account {
    /// Whether a run of the kind is live, other than one.
    #[must_use]
    pub fn has_live(&self, kind: u8, but: Option<u8>) -> bool {
        (0..)
            .zip(&self.runs)
            .any(|(place, entry)| entry.kind == kind && entry.row.state.is_live() && Some(place) != but)
    }

    /// The rows of its runs.
    pub fn rows_in_order(&self) -> impl Iterator<Item = &Run> + Clone {
        self.runs.iter().map(|entry| &entry.row)
    }

    /// The same, to change them.
    pub fn rows_mut(&mut self) -> impl Iterator<Item = &mut Run> {
        self.runs.iter_mut().map(|entry| &mut entry.row)
    }

    /// The message that a process was handed, if it still has it.
    #[must_use]
    pub fn held_by(&self, process: u8) -> Option<usize> {
        self.queue.iter().position(|message| message.flight == Flight::Held(process))
    }
}

impl World {
    /// A number that is equal for states that differ only in which process does what.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        let mut order: [u8; PROCESSES] = std::array::from_fn(|place| u8::try_from(place).unwrap_or(u8::MAX));
        order.sort_by_key(|&place| {
            let held = self.accounts.iter().map(|account| account.held_by(place));
            (self.processes[usize::from(place)], held.collect::<ArrayVec<_, 2>>())
        });
        let mut same = self.clone();
        same.processes = order.map(|place| self.processes[usize::from(place)]);
        for message in same.accounts.iter_mut().flat_map(|account| &mut account.queue) {
            if let Flight::Held(process) = message.flight {
                let place = (0..).zip(order).find(|&(_, old)| old == process).map_or(process, |(new, _)| new);
                message.flight = Flight::Held(place);
            }
        }
        FixedState::with_seed(0).hash_one(same)
    }

    /// A process with nothing to do.
    #[must_use]
    pub fn idle(&self) -> Option<usize> {
        self.processes.iter().position(|process| *process == Process::Idle)
    }

    /// How many functions and publishers are at work.
    #[must_use]
    pub fn at_work(&self) -> (usize, usize) {
        let count = |is: fn(&Process) -> bool| self.processes.iter().filter(|process| is(process)).count();
        (
            count(|process| matches!(process, Process::Function(_))),
            count(|process| matches!(process, Process::Publisher(_))),
        )
    }

    /// Whether somebody is at work on what the run waits for, so that it is a fault when its time is over.
    #[must_use]
    pub fn is_attended(&self, account: u8, run: u8) -> bool {
        use crate::ledger::State;
        let here = &self.accounts[usize::from(account)];
        let row = here.runs[usize::from(run)].row;
        match row.state {
            State::Queued if row.is_sent => {
                here.queue.iter().any(|message| message.run == run && message.names == row.at)
            }
            State::Queued => self.processes.iter().any(|process| match process {
                Process::Publisher(one) => (one.account, one.run, one.publication) == (account, run, row.at),
                Process::Function(one) => {
                    let Place::HandedOver { run: of, next, .. } = one.at else { return false };
                    (one.account, of, next) == (account, run, row.at)
                }
                Process::Idle => false,
            }),
            State::Running => self.processes.iter().any(|process| match process {
                Process::Function(one) => {
                    let is_here = (one.account, one.run) == (account, run);
                    is_here && one.work().is_some_and(|work| work.turn == here.runs[usize::from(run)].turns)
                }
                _ => false,
            }),
            _ => false,
        }
    }
}

impl Function {
    /// What it knows, while it believes that it holds a lease.
    #[must_use]
    pub fn work(&self) -> Option<Work> {
        match self.at {
            Place::Leased(work)
            | Place::PageRead(work, _)
            | Place::PageLeft(work, _)
            | Place::SentFirst(work) => Some(work),
            _ => None,
        }
    }
}
