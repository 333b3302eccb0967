//! The bounds of each search: a small part of the platform, and what the environment may do to it.

use arrayvec::ArrayVec;

use crate::marketplace::{Book, Rows};
use crate::world::{Account, Budget, PROCESSES, Process, World};

/// The bounds of a search.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// Its name in tables.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Accounts, each of another seller.
    pub accounts: u8,
    /// Kinds of runs that are asked for or scheduled.
    pub kinds: u8,
    /// Whether messages go through the account's FIFO lane, and not through a Standard queue, until it is moved.
    pub has_lane: bool,
    /// Functions at work at the same time.
    pub functions: usize,
    /// Publishers at work at the same time.
    pub publishers: usize,
    /// Steps of a run.
    pub steps: u8,
    /// The latest generation of a step that the sweep or a redrive makes.
    pub generation: u8,
    /// After so many receives a message dies.
    pub receives: u8,
    /// Runs of an account, those that have ended included.
    pub runs: usize,
    /// What the environment may do.
    pub budget: Budget,
}

const NOTHING: Budget = Budget { faults: 0, requests: 0, cancels: 0, holds: 0, moves: 0, arrivals: 0 };

/// One account, its lane and one run: the platform's usual day, with faults.
const LANE: Scenario = Scenario {
    name: "lane",
    about: "one account and its FIFO lane",
    accounts: 1,
    kinds: 1,
    has_lane: true,
    functions: 2,
    publishers: 2,
    steps: 2,
    generation: 2,
    receives: 3,
    runs: 1,
    budget: Budget { faults: 2, requests: 2, ..NOTHING },
};

/// The scenarios, in the order in which they are searched.
pub const SCENARIOS: [Scenario; 10] = [
    LANE,
    Scenario {
        name: "parallel",
        about: "the same through a Standard queue",
        has_lane: false,
        publishers: 1,
        steps: 1,
        ..LANE
    },
    Scenario {
        name: "dead letters",
        about: "a message dies of one receive, is collected and redriven",
        receives: 1,
        runs: 2,
        steps: 1,
        publishers: 1,
        budget: Budget { faults: 2, requests: 1, ..NOTHING },
        ..LANE
    },
    Scenario {
        name: "two kinds",
        about: "runs of two kinds in one lane",
        kinds: 2,
        steps: 1,
        runs: 2,
        generation: 1,
        publishers: 1,
        budget: Budget { faults: 1, requests: 2, ..NOTHING },
        ..LANE
    },
    Scenario {
        name: "shared lane",
        about: "runs of two kinds of one account in a queue without order",
        kinds: 2,
        has_lane: false,
        runs: 2,
        generation: 1,
        publishers: 1,
        budget: Budget { requests: 2, ..NOTHING },
        ..LANE
    },
    Scenario {
        name: "turns",
        about: "the same with faults, in one step each",
        kinds: 2,
        has_lane: false,
        steps: 1,
        runs: 2,
        generation: 1,
        publishers: 1,
        receives: 2,
        budget: Budget { faults: 1, ..NOTHING },
        ..LANE
    },
    Scenario {
        name: "moves",
        about: "an account is moved to a shared lane and back",
        kinds: 2,
        steps: 1,
        runs: 2,
        generation: 1,
        publishers: 1,
        budget: Budget { faults: 0, requests: 2, moves: 2, ..NOTHING },
        ..LANE
    },
    Scenario {
        name: "sellers and operators",
        about: "a seller asks and cancels, operators hold and resume",
        runs: 2,
        steps: 1,
        publishers: 1,
        budget: Budget { faults: 1, requests: 2, cancels: 1, holds: 1, ..NOTHING },
        ..LANE
    },
    Scenario {
        name: "book",
        about: "orders arrive, change and are listed late while runs read",
        publishers: 1,
        steps: 1,
        generation: 1,
        runs: 3,
        budget: Budget { faults: 1, arrivals: 2, ..NOTHING },
        ..LANE
    },
    Scenario {
        name: "two sellers",
        about: "an account of each of two sellers",
        accounts: 2,
        steps: 1,
        generation: 1,
        budget: Budget { faults: 1, requests: 2, ..NOTHING },
        ..LANE
    },
];

impl Scenario {
    /// Whether runs of an account may come in any order, so that the ledger makes them take turns.
    #[must_use]
    pub const fn takes_turns(&self) -> bool {
        self.kinds > 1 && (!self.has_lane || self.budget.moves > 0)
    }

    /// The same with so many faults.
    #[must_use]
    pub fn with_faults(self, faults: u8) -> Self {
        Self { budget: Budget { faults, ..self.budget }, ..self }
    }

    /// Where the search begins: nothing was read and nobody is at work.
    #[must_use]
    pub fn start(&self) -> World {
        let account = Account {
            book: Book::new(),
            rows: Rows::default(),
            watermark: None,
            runs: ArrayVec::new(),
            queue: ArrayVec::new(),
            letters: ArrayVec::new(),
            is_held: false,
            has_lane: self.has_lane,
        };
        World {
            accounts: (0..self.accounts).map(|_| account.clone()).collect(),
            processes: [Process::Idle; PROCESSES],
            budget: self.budget,
        }
    }
}
