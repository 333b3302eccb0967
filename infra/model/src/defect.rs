//! Planted defects of the model: each breaks one rule that the platform keeps, and the search must find it.

use clap::ValueEnum;

/// A rule that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Defect {
    /// A function acknowledges its message before it has done anything
    AckBeforeCommit,
    /// A function sends the next step's message before the row says so
    SentBeforeCommitted,
    /// A publisher marks the row as sent before it sends the message
    MarkedBeforeSent,
    /// The mark of an older publication marks a newer one as sent
    MarkIgnoresGeneration,
    /// The deduplication id leaves the generation out
    DedupWithoutGeneration,
    /// The remaining work stays in the step whose message was handled
    HandOverKeepsStep,
    /// A lane delivers a message while an earlier one is in flight
    LaneDeliversPastAMessage,
    /// A lease is taken although another attempt's lease lives
    NoLeaseCheck,
    /// A page is committed without a look at the attempt
    NoAttemptCheck,
    /// A lease does not raise the attempt
    AttemptNotRaised,
    /// A lease is taken by a message of an earlier step
    StepNotChecked,
    /// A lease is taken by a message of an earlier generation
    GenerationNotChecked,
    /// Each step counts its attempts anew
    AttemptsAnewWithEachStep,
    /// A lease ends only with its holder
    LeaseNeverExpires,
    /// A function that has lost its lease ends the run all the same
    FinishByLateWorker,
    /// The sweep leaves runs alone whose message was never sent
    SweepIgnoresUnsent,
    /// The sweep leaves runs alone whose message nobody has answered
    SweepIgnoresUnanswered,
    /// The sweep leaves runs alone whose lease is overdue
    SweepIgnoresOverdueLeases,
    /// The sweep publishes runs again although operators hold them
    SweepIgnoresHolds,
    /// The sweep publishes a run again in the same generation
    SweepKeepsGeneration,
    /// A schedule makes a run although operators hold the account's runs
    ScheduleIgnoresHolds,
    /// A schedule makes no run after one that failed
    ScheduleEndsWithAFailure,
    /// A run waits without a time at which it goes on
    WaitForgetsTime,
    /// The watermark moves with the first page
    WatermarkBeforeLastPage,
    /// The next run begins at the watermark itself
    WatermarkWithoutOverlap,
    /// A run that failed moves the watermark
    WatermarkOfAFailedRun,
    /// The position is committed before the page is
    PagePositionNotCommittedWithPage,
    /// A lease begins at the first page again
    PagePositionLost,
    /// What was read last is stored, whichever version it is
    OlderVersionWins,
    /// An order that is read again becomes another row
    PageStoredTwice,
    /// A request makes a run although one is live
    SecondLiveRun,
    /// A cancelled run goes on when its message arrives
    CancelIgnored,
    /// A lease is taken although operators hold the account's runs
    HoldIgnored,
    /// A dead letter marks its run although a newer message is on its way
    DeadLetterMarksNewerGeneration,
    /// A dead letter marks a run that somebody works on
    DeadLetterMarksALiveLease,
    /// A dead letter leaves its run as it is
    DeadLetterMarksNothing,
    /// A dead-lettered run is taken up by another copy of its message
    DeadLetteredRunGoesOn,
    /// A redrive publishes the run in the generation that has died
    RedriveKeepsGeneration,
    /// A redrive requeues a run although another one is live
    RedriveBesideALiveRun,
    /// A lease is taken although another run of the account is at work
    TurnNotChecked,
    /// A run takes a lease before another one that has waited longer for its turn
    LatecomerGoesFirst,
    /// Runs that were sent into a queue which their account leaves still count as sent
    MoveKeepsSent,
}

impl Defect {
    /// Its name on the command line.
    ///
    /// # Panics
    /// Never: every defect has a name.
    #[must_use]
    pub fn name(self) -> String {
        self.to_possible_value().expect("every defect has a name").get_name().to_owned()
    }
}

/// The rules of the platform, with at most one of them broken.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules {
    /// The rule that is broken.
    pub broken: Option<Defect>,
}

impl Rules {
    /// Whether this defect is planted.
    #[must_use]
    pub fn lack(self, defect: Defect) -> bool {
        self.broken == Some(defect)
    }
}
