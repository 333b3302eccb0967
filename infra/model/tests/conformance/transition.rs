//! The transitions that sequences are made of.

use proptest::prelude::*;

/// One transition. Numbers choose among what there is: the runs and the leases that were taken, newest first.
#[derive(Debug, Clone, Copy)]
pub enum Transition {
    /// A member asks for a run.
    Request,
    /// A member asks for a check of the credentials, whose runs take turns with those of orders.
    RequestCheck,
    /// A function whose own run must wait chooses the run whose turn it is.
    NextInTurn,
    /// A publisher marks a run as sent.
    MarkSent { run: usize, which: Which },
    /// A function takes a lease.
    TakeLease { run: usize, which: Which },
    /// A function commits a page.
    Advance { lease: usize, is_last: bool },
    /// A function leaves the rest to the next step.
    ContinueLater { lease: usize },
    /// A function postpones its run.
    Wait { lease: usize },
    /// A function ends its run for good.
    Fail { lease: usize },
    /// A member cancels a run.
    Cancel { run: usize },
    /// The scheduling sweep. Its schedule is due or not, and its queue takes messages or not.
    Sweep { is_due: bool, queue_is_up: bool },
    /// A message has died, and the redrive function collects it.
    Collect { run: usize, which: Which },
    /// An operator redrives the first dead letter.
    Redrive,
    /// Operators hold the account's runs, or let them go on.
    Hold { hold: bool },
    /// Two hours pass.
    LetTimePass,
}

/// Which publication of a run.
#[derive(Debug, Clone, Copy)]
pub enum Which {
    Present,
    EarlierGeneration,
    EarlierStep,
    /// One that never was.
    Later,
}

/// What must happen at least once, so that each branch of the model is compared.
pub const OUTCOMES: [&str; 35] = [
    "request: new",
    "request: found unsent",
    "request: found",
    "request: held",
    "mark: sent",
    "mark: nothing",
    "lease: ours",
    "lease: taken over",
    "lease: busy",
    "lease: not its turn",
    "lease: passed",
    "lease: held",
    "lease: unknown",
    "advance: page",
    "advance: last",
    "advance: lost",
    "continue: next",
    "continue: lost",
    "continue: waits",
    "pass on: next",
    "wait: waits",
    "wait: lost",
    "fail: ends",
    "fail: lost",
    "cancel: ends",
    "cancel: nothing",
    "sweep: made",
    "sweep: again",
    "sweep: nothing",
    "collect: marks",
    "collect: nothing",
    "redrive: published",
    "redrive: superseded",
    "redrive: moved on",
    "resume: released",
];

use Transition::{
    Advance, Cancel, Collect, ContinueLater, Fail, Hold, LetTimePass, MarkSent, NextInTurn, Redrive, Request,
    RequestCheck, Sweep, TakeLease, Wait,
};
use Which::{EarlierGeneration, EarlierStep, Later, Present};

const SENT: Transition = MarkSent { run: 0, which: Present };
const LEASED: Transition = TakeLease { run: 0, which: Present };
const PAGE: Transition = Advance { lease: 0, is_last: false };
const DIED: Transition = Collect { run: 0, which: Present };
const SWEPT: Transition = Sweep { is_due: false, queue_is_up: true };

/// The ways to every state of a row, and to what can stand beside it.
pub const WAYS: [&[Transition]; 29] = [
    &[],
    &[Request],
    &[Request, LetTimePass],
    &[Request, SENT],
    &[Request, SENT, LetTimePass],
    &[Request, SENT, LetTimePass, SWEPT],
    &[Request, SENT, LetTimePass, SWEPT, LEASED],
    &[Request, SENT, LetTimePass, Sweep { is_due: false, queue_is_up: false }],
    &[Request, SENT, LEASED],
    &[Request, SENT, LEASED, PAGE],
    &[Request, SENT, LEASED, DIED],
    &[Request, SENT, LEASED, LetTimePass],
    &[Request, SENT, LEASED, LetTimePass, LEASED],
    &[Request, SENT, LEASED, LetTimePass, SWEPT],
    &[Request, SENT, LEASED, PAGE, ContinueLater { lease: 0 }],
    &[Request, SENT, LEASED, PAGE, ContinueLater { lease: 0 }, LEASED],
    &[Request, SENT, LEASED, Wait { lease: 0 }],
    &[Request, SENT, LEASED, Wait { lease: 0 }, LetTimePass],
    &[Request, SENT, LEASED, Advance { lease: 0, is_last: true }],
    &[Request, SENT, LEASED, Fail { lease: 0 }],
    &[Request, Cancel { run: 0 }],
    &[Request, SENT, DIED],
    &[Request, SENT, DIED, Request],
    &[Request, SENT, LEASED, RequestCheck, LEASED],
    &[Request, SENT, LEASED, RequestCheck, LEASED, LetTimePass],
    &[Request, SENT, LEASED, RequestCheck, LEASED, PAGE, ContinueLater { lease: 0 }],
    &[Request, SENT, LEASED, RequestCheck, LEASED, PAGE, ContinueLater { lease: 0 }, LetTimePass],
    &[Request, SENT, LEASED, RequestCheck, LEASED, PAGE, ContinueLater { lease: 0 }, LEASED],
    &[Request, SENT, LEASED, RequestCheck, LEASED, PAGE, ContinueLater { lease: 0 }, SENT, DIED],
];

/// Every transition.
pub const EVERY: [Transition; 34] = [
    Request,
    RequestCheck,
    NextInTurn,
    TakeLease { run: 1, which: Present },
    SENT,
    MarkSent { run: 0, which: EarlierGeneration },
    MarkSent { run: 0, which: EarlierStep },
    LEASED,
    TakeLease { run: 0, which: EarlierGeneration },
    TakeLease { run: 0, which: EarlierStep },
    TakeLease { run: 0, which: Later },
    PAGE,
    Advance { lease: 0, is_last: true },
    Advance { lease: 1, is_last: false },
    Advance { lease: 1, is_last: true },
    ContinueLater { lease: 0 },
    ContinueLater { lease: 1 },
    Wait { lease: 0 },
    Wait { lease: 1 },
    Fail { lease: 0 },
    Fail { lease: 1 },
    Cancel { run: 0 },
    Cancel { run: 1 },
    SWEPT,
    Sweep { is_due: false, queue_is_up: false },
    Sweep { is_due: true, queue_is_up: true },
    Sweep { is_due: true, queue_is_up: false },
    DIED,
    Collect { run: 0, which: EarlierGeneration },
    Collect { run: 0, which: EarlierStep },
    Redrive,
    Hold { hold: true },
    Hold { hold: false },
    LetTimePass,
];

/// Those that ask whether operators hold the account's runs.
pub const ASK_FOR_HOLDS: [Transition; 8] = [
    Request,
    LEASED,
    ContinueLater { lease: 0 },
    SWEPT,
    Sweep { is_due: true, queue_is_up: true },
    DIED,
    Redrive,
    Hold { hold: false },
];

/// Any transition, for random sequences.
pub fn any_transition() -> impl Strategy<Value = Transition> {
    // The newest is chosen most often, because the others have usually ended.
    let newest = || prop_oneof![6 => Just(0_usize), 1 => Just(1_usize), 1 => Just(2_usize)];
    let which = || {
        prop_oneof![
            7 => Just(Present),
            1 => Just(EarlierGeneration),
            1 => Just(EarlierStep),
            1 => Just(Later),
        ]
    };
    prop_oneof![
        4 => Just(Request),
        3 => Just(RequestCheck),
        1 => Just(NextInTurn),
        3 => (newest(), which()).prop_map(|(run, which)| MarkSent { run, which }),
        8 => (newest(), which()).prop_map(|(run, which)| TakeLease { run, which }),
        5 => (newest(), prop::bool::weighted(0.2)).prop_map(|(lease, is_last)| Advance { lease, is_last }),
        4 => newest().prop_map(|lease| ContinueLater { lease }),
        2 => newest().prop_map(|lease| Wait { lease }),
        2 => newest().prop_map(|lease| Fail { lease }),
        1 => newest().prop_map(|run| Cancel { run }),
        5 => (prop::bool::weighted(0.4), prop::bool::weighted(0.7))
            .prop_map(|(is_due, queue_is_up)| Sweep { is_due, queue_is_up }),
        3 => (newest(), which()).prop_map(|(run, which)| Collect { run, which }),
        3 => Just(Redrive),
        2 => prop::bool::weighted(0.4).prop_map(|hold| Hold { hold }),
        4 => Just(LetTimePass),
    ]
}
