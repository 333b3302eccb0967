//! The run's row and every transition of it, as the statements of `shared/dispatch/src/sql`, the scheduling sweep and the redrive function
//! make them. The search explores these functions, and `tests/conformance.rs` compares them with the statements on PostgreSQL.

use crate::defect::{Defect, Rules};
use crate::marketplace::Position;

/// A run's state, as in the column `state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// It waits for a function.
    Queued,
    /// A function holds its lease.
    Running,
    /// It goes on at a later time.
    Waiting,
    /// Its last page is stored.
    Succeeded,
    /// It ended for good without its last page.
    Failed,
    /// A member ended it.
    Cancelled,
    /// Its message has died.
    DeadLettered,
}

impl State {
    /// The text in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "QUEUED",
            Self::Running => "RUNNING",
            Self::Waiting => "WAITING",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Cancelled => "CANCELLED",
            Self::DeadLettered => "DEAD_LETTERED",
        }
    }

    /// Whether somebody works on it or will.
    #[must_use]
    pub fn is_live(self) -> bool {
        matches!(self, Self::Queued | Self::Running | Self::Waiting)
    }

    /// Whether the run is over for good.
    #[must_use]
    pub fn has_ended(self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Cancelled)
    }
}

/// What a message names: one publication of one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Publication {
    /// The run's step.
    pub step: u8,
    /// The step's publication.
    pub generation: u8,
}

impl Publication {
    fn again(self) -> Self {
        Self { generation: self.generation + 1, ..self }
    }
}

/// What a function states with each write: the step that it works on, and the attempt that its lease made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Holder {
    /// The step.
    pub step: u8,
    /// The attempt, which is the fencing token.
    pub attempt: u8,
}

/// A run's row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Run {
    /// Its state.
    pub state: State,
    /// Its present step and generation.
    pub at: Publication,
    /// How many leases were taken.
    pub attempt: u8,
    /// Whether the message of its present publication counts as sent.
    pub is_sent: bool,
    /// Whether the time is over that its state waits for: that of the writer to publish it (unsent), that of a function to answer (sent),
    /// the wait's (WAITING), or the lease's (RUNNING).
    pub is_over: bool,
    /// Pages that were committed.
    pub pages: u8,
    /// Where it goes on.
    pub position: Option<Position>,
    /// Since when it reads changes, once its first page has settled it.
    pub since: u8,
    /// Its place among the runs of its account that wait for their turn: 1 has waited longest; 0 for one that is not kept back.
    pub turn: u8,
}

/// The outcome of taking a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It was taken.
    Ours(Holder),
    /// Another attempt's lease lives; the message stays in its queue.
    Busy,
    /// Another run of the account goes first; the message is acknowledged, and the run rests.
    NotItsTurn,
    /// The publication has passed, or operators hold the run; the message is acknowledged.
    Passed,
    /// The row never was what the message names; the message is refused.
    Unknown,
}

/// What a redrive does with a dead letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Redriven {
    /// The run is queued again, and is to be published.
    Published(Publication),
    /// Another live run of the kind reads what this one was to read, so it ended.
    Superseded,
    /// The run is not what the letter names any more.
    MovedOn,
    /// The account or another run stands in the way; the letter stays open.
    Left,
}

impl Run {
    /// A run that was just asked for: `request_run.sql`, `claim_due.sql`.
    #[must_use]
    pub fn new() -> Self {
        Self {
            state: State::Queued,
            at: Publication { step: 0, generation: 0 },
            attempt: 0,
            is_sent: false,
            is_over: false,
            pages: 0,
            position: None,
            since: 0,
            turn: 0,
        }
    }

    /// `mark_sent.sql`.
    pub fn mark_sent(&mut self, rules: Rules, sent: Publication) {
        let is_it = self.at == sent || rules.lack(Defect::MarkIgnoresGeneration);
        if is_it && self.state == State::Queued {
            self.is_sent = true;
            self.is_over = false;
        }
    }

    /// `take_lease.sql`, and what becomes of a message that does not get the lease. `must_wait` says that another run of the account goes
    /// first, and the place that this one gets behind it.
    pub fn take_lease(
        &mut self,
        rules: Rules,
        message: Publication,
        is_held: bool,
        must_wait: Option<u8>,
    ) -> Taken {
        let step = message.step == self.at.step || rules.lack(Defect::StepNotChecked);
        let generation = message.generation == self.at.generation
            || rules.lack(Defect::GenerationNotChecked)
            || rules.lack(Defect::StepNotChecked);
        let lapsed =
            (self.is_over && !rules.lack(Defect::LeaseNeverExpires)) || rules.lack(Defect::NoLeaseCheck);
        let is_free = match self.state {
            State::Queued => true,
            State::Running => lapsed,
            State::Cancelled => rules.lack(Defect::CancelIgnored),
            State::DeadLettered => rules.lack(Defect::DeadLetteredRunGoesOn),
            _ => false,
        };
        let may_go_on = !is_held || rules.lack(Defect::HoldIgnored);
        if let (Some(place), true) = (must_wait, step && generation && is_free && may_go_on) {
            self.rest(place);
            return Taken::NotItsTurn;
        }
        if step && generation && is_free && may_go_on {
            self.turn = 0;
            self.state = State::Running;
            self.attempt += u8::from(!rules.lack(Defect::AttemptNotRaised));
            self.is_over = false;
            return Taken::Ours(Holder { step: self.at.step, attempt: self.attempt });
        }
        match message.cmp(&self.at) {
            std::cmp::Ordering::Greater => Taken::Unknown,
            _ if is_held => Taken::Passed,
            std::cmp::Ordering::Equal if self.state == State::Running => Taken::Busy,
            _ => Taken::Passed,
        }
    }

    /// It waits for its turn. A sweep publishes it if nobody else does.
    fn rest(&mut self, place: u8) {
        self.state = State::Waiting;
        self.is_over = false;
        if self.turn == 0 {
            self.turn = place;
        }
    }

    /// Whether it waits for its turn.
    #[must_use]
    pub fn waits_for_turn(&self) -> bool {
        self.turn > 0 && matches!(self.state, State::Queued | State::Waiting)
    }

    /// Whether it keeps another run of its account back, which has this place or, with 0, comes as the last: it is at work, or has waited
    /// longer for its turn and its message is not lost.
    #[must_use]
    pub fn keeps_back(&self, rules: Rules, other: u8) -> bool {
        let is_earlier = self.waits_for_turn() && (other == 0 || self.turn < other);
        match self.state {
            State::Running => !self.is_over && !rules.lack(Defect::TurnNotChecked),
            State::Queued if self.is_over => false,
            _ => is_earlier && !rules.lack(Defect::LatecomerGoesFirst),
        }
    }

    /// `next_in_turn.sql`, for the run that has waited longest: it is published unless its message is on its way.
    pub fn take_turn(&mut self) -> Option<Publication> {
        let is_due = self.state == State::Waiting || self.is_over;
        if !self.waits_for_turn() || !is_due {
            return None;
        }
        self.state = State::Queued;
        Some(self.queue_again(false))
    }

    /// `requeue_runs.sql` of lanes: the account leaves the queue that its message lies in.
    pub fn leave_queue(&mut self, rules: Rules) {
        if self.state == State::Queued && !rules.lack(Defect::MoveKeepsSent) {
            self.queue_again(false);
        }
    }

    fn is_held_by(&self, holder: Holder) -> bool {
        self.state == State::Running && self.at.step == holder.step && self.attempt == holder.attempt
    }

    /// `advance.sql`: commits a page's progress. Returns false when the attempt is no longer the latest; nothing of the page is stored then.
    pub fn advance(&mut self, rules: Rules, holder: Holder, next: Option<Position>, since: u8) -> bool {
        let lax = rules.lack(Defect::NoAttemptCheck) && self.state == State::Running;
        if !self.is_held_by(holder) && !lax {
            return false;
        }
        self.pages += 1;
        self.position = next;
        self.since = since;
        self.is_over = false;
        true
    }

    /// `finish.sql`: ends a run with its last page.
    pub fn finish(&mut self, rules: Rules, holder: Holder) -> bool {
        let lax = rules.lack(Defect::FinishByLateWorker) || rules.lack(Defect::NoAttemptCheck);
        let ends = self.is_held_by(holder) || (lax && self.state == State::Running);
        if ends {
            self.state = State::Succeeded;
            self.position = None;
        }
        ends
    }

    /// `wait.sql`: postpones the run.
    pub fn wait(&mut self, holder: Holder) -> bool {
        let waits = self.is_held_by(holder);
        if waits {
            self.state = State::Waiting;
            self.is_over = false;
        }
        waits
    }

    /// `fail.sql`: ends the run for good.
    pub fn fail(&mut self, holder: Holder) -> bool {
        let fails = self.is_held_by(holder);
        if fails {
            self.state = State::Failed;
        }
        fails
    }

    /// `continue_later.sql`: the remaining work becomes the next step, which waits for its turn behind others if there are any.
    pub fn continue_later(
        &mut self,
        rules: Rules,
        holder: Holder,
        must_wait: Option<u8>,
    ) -> Option<Publication> {
        if !self.is_held_by(holder) {
            return None;
        }
        self.state = State::Queued;
        if rules.lack(Defect::AttemptsAnewWithEachStep) {
            self.attempt = 0;
        }
        if !rules.lack(Defect::HandOverKeepsStep) {
            self.at = Publication { step: self.at.step + 1, generation: 0 };
        }
        self.is_sent = false;
        self.is_over = false;
        if let Some(place) = must_wait {
            self.rest(place);
        }
        Some(self.at)
    }

    /// `cancel.sql` of the API.
    pub fn cancel(&mut self) -> bool {
        let ends = matches!(self.state, State::Queued | State::Waiting);
        if ends {
            self.state = State::Cancelled;
        }
        ends
    }

    /// Whether `admit.sql` publishes it again.
    #[must_use]
    pub fn is_to_republish(&self, rules: Rules, is_held: bool) -> bool {
        let ignored = match self.state {
            State::Queued if self.is_sent => Defect::SweepIgnoresUnanswered,
            State::Queued => Defect::SweepIgnoresUnsent,
            State::Running if rules.lack(Defect::LeaseNeverExpires) => Defect::LeaseNeverExpires,
            State::Running => Defect::SweepIgnoresOverdueLeases,
            State::Waiting => Defect::WaitForgetsTime,
            _ => return false,
        };
        let may_go_on = !is_held || rules.lack(Defect::SweepIgnoresHolds);
        self.is_over && may_go_on && !rules.lack(ignored)
    }

    /// `admit.sql`. Returns what to publish.
    pub fn republish(&mut self, rules: Rules) -> Publication {
        self.state = State::Queued;
        self.queue_again(rules.lack(Defect::SweepKeepsGeneration))
    }

    fn queue_again(&mut self, keeps_generation: bool) -> Publication {
        if !keeps_generation {
            self.at = self.at.again();
        }
        self.is_sent = false;
        self.is_over = false;
        self.at
    }

    /// `record.sql` of the redrive function: a message has died. Returns whether it marks the run.
    pub fn record_dead(&mut self, rules: Rules, letter: Publication) -> bool {
        let is_its_own = self.at == letter || rules.lack(Defect::DeadLetterMarksNewerGeneration);
        let lapsed = self.is_over || rules.lack(Defect::DeadLetterMarksALiveLease);
        let rests = self.state == State::Queued || (self.state == State::Running && lapsed);
        let marks = is_its_own && rests && !rules.lack(Defect::DeadLetterMarksNothing);
        if marks {
            self.state = State::DeadLettered;
        }
        marks
    }

    /// `redrive.sql`: a dead letter is handled again. `other_is_live` says whether the account has another live run of the kind.
    pub fn redrive(
        &mut self,
        rules: Rules,
        letter: Publication,
        is_held: bool,
        other_is_live: bool,
    ) -> Redriven {
        if self.state != State::DeadLettered || self.at != letter {
            return Redriven::MovedOn;
        }
        if is_held {
            return Redriven::Left;
        }
        if other_is_live && !rules.lack(Defect::RedriveBesideALiveRun) {
            self.state = State::Failed;
            return Redriven::Superseded;
        }
        self.state = State::Queued;
        Redriven::Published(self.queue_again(rules.lack(Defect::RedriveKeepsGeneration)))
    }

    /// `release_runs.sql`: a hold ends, and what was sent before, or is being sent, may have been turned away.
    pub fn release(&mut self) {
        if self.state == State::Queued && (self.is_sent || !self.is_over) {
            self.queue_again(false);
        }
    }

    /// Time goes by until whatever the run waits for is over.
    pub fn let_time_pass(&mut self) {
        if self.state.is_live() {
            self.is_over = true;
        }
    }
}

impl Default for Run {
    fn default() -> Self {
        Self::new()
    }
}
