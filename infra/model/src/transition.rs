//! What each action does to the state. Functions and publishers have a file each.

use crate::action::Action;
use crate::defect::{Defect, Rules};
use crate::fact::{Fact, Facts, What};
use crate::ledger::{Publication, Redriven, Run, State};
use crate::marketplace::OVERLAP;
use crate::possible::cost;
use crate::program::leave;
use crate::scenario::Scenario;
use crate::turns;
use crate::world::{
    Account, By, Entry, Flight, Function, Letter, Message, Place, Process, Publisher, World, bit_of,
};

/// The platform within a scenario's bounds.
#[derive(Debug, Clone, Copy)]
pub struct Model {
    /// The bounds.
    pub scenario: Scenario,
    /// The platform's rules.
    pub rules: Rules,
}

/// A state that an action leads to, and what the action did.
#[derive(Debug)]
pub struct Next {
    pub world: World,
    pub facts: Facts,
}

impl Next {
    /// Notes what was done to a run.
    pub fn note(&mut self, account: u8, run: u8, what: What) {
        self.facts.push(Fact { account, run, what });
    }

    /// An account.
    pub fn account(&mut self, account: u8) -> &mut Account {
        &mut self.world.accounts[usize::from(account)]
    }

    /// A run.
    pub fn entry(&mut self, account: u8, run: u8) -> &mut Entry {
        &mut self.account(account).runs[usize::from(run)]
    }
}

impl Model {
    /// Since when the next run of an account reads.
    #[must_use]
    pub fn since(&self, watermark: Option<u8>) -> u8 {
        let overlap = if self.rules.lack(Defect::WatermarkWithoutOverlap) { 0 } else { OVERLAP };
        watermark.map_or(0, |watermark| watermark - overlap)
    }

    /// Does an action that is possible.
    #[must_use]
    pub fn apply(&self, world: &World, action: Action) -> Next {
        let mut next = Next { world: world.clone(), facts: Facts::new() };
        next.world.budget.take(cost(world, action));
        match action {
            Action::Request { account, kind } => self.request(&mut next, account, kind),
            Action::Schedule { account, kind } => {
                let run = make_run(&mut next, account, kind);
                begin_publishing(&mut next, By::Sweep, account, run);
            }
            Action::Republish { account, run } => {
                next.entry(account, run).row.republish(self.rules);
                begin_publishing(&mut next, By::Sweep, account, run);
            }
            Action::Receive { account, message } => receive(&mut next, account, message),
            Action::Proceed { process } => match next.world.processes[usize::from(process)] {
                Process::Idle => {}
                Process::Publisher(publisher) => self.publish(&mut next, process, publisher),
                Process::Function(function) => self.work(&mut next, process, function),
            },
            Action::EndSlice { process } => self.end_slice(&mut next, process),
            Action::PutOff { process } => leave(&mut next, process, Run::wait),
            Action::Refuse { process } => {
                leave(&mut next, process, Run::fail);
                self.move_watermark_of_failed(&mut next, world, process);
            }
            Action::Kill { process } => kill(&mut next, process),
            Action::FailSend { process } => fail_send(&mut next, process),
            Action::LetTimePass { account, run } => next.entry(account, run).row.let_time_pass(),
            Action::Reappear { account, message } => self.reappear(&mut next, account, message),
            Action::Lose { account, message } => {
                next.account(account).queue.remove(usize::from(message));
            }
            Action::Purge { account } => next.account(account).queue.clear(),
            Action::Cancel { account, run } => {
                next.entry(account, run).row.cancel();
            }
            Action::Hold { account } => next.account(account).is_held = true,
            Action::Resume { account } => {
                next.account(account).is_held = false;
                next.account(account).runs.iter_mut().for_each(|entry| entry.row.release());
            }
            Action::Move { account } => self.relocate(&mut next, account),
            Action::Collect { account } => self.collect(&mut next, account),
            Action::Redrive { account } => self.redrive(&mut next, account),
            Action::Arrive { account, is_listed } => next.account(account).book.arrive(is_listed),
            Action::Change { account } => next.account(account).book.change(),
            Action::List { account } => next.account(account).book.list(),
            Action::UploadOldFile { account } => {
                let older_wins = self.rules.lack(Defect::OlderVersionWins);
                let rows = &mut next.account(account).rows;
                rows.store((0, 1), older_wins, false);
            }
        }
        for account in &mut next.world.accounts {
            turns::renumber(account.rows_mut());
        }
        next
    }

    /// The lanes function gives the account the other kind of lane.
    fn relocate(&self, next: &mut Next, account: u8) {
        let here = next.account(account);
        here.has_lane = !here.has_lane;
        here.queue.clear();
        here.runs.iter_mut().for_each(|entry| entry.row.leave_queue(self.rules));
    }

    /// `request_run.sql`: makes a run or finds the live one, and has it published if it is not.
    fn request(&self, next: &mut Next, account: u8, kind: u8) {
        let here = next.account(account);
        let live = (0..).zip(&here.runs).find(|(_, entry)| entry.kind == kind && entry.row.state.is_live());
        let live = live.map(|(run, entry)| (run, *entry)).filter(|_| !self.rules.lack(Defect::SecondLiveRun));
        let is_held = here.is_held && !self.rules.lack(Defect::HoldIgnored);
        let (run, is_unsent) = match live {
            Some((run, entry)) => (run, entry.row.state == State::Queued && !entry.row.is_sent),
            None => (make_run(next, account, kind), true),
        };
        if is_unsent && !is_held {
            begin_publishing(next, By::Api, account, run);
        }
    }

    /// Whether a schedule that is due makes a run: operators do not hold the account's runs, and none is live.
    #[must_use]
    pub fn makes_scheduled(&self, here: &Account, kind: u8) -> bool {
        let is_held = here.is_held && !self.rules.lack(Defect::ScheduleIgnoresHolds);
        let gave_up = self.rules.lack(Defect::ScheduleEndsWithAFailure)
            && here.runs.iter().any(|entry| entry.row.state == State::Failed);
        !is_held && !gave_up && !here.has_live(kind, None)
    }

    /// Whether a queue would hand out the message at this place: a FIFO queue keeps the order of its one group.
    #[must_use]
    pub fn is_receivable(&self, here: &Account, message: usize) -> bool {
        let keeps_order = here.has_lane && !self.rules.lack(Defect::LaneDeliversPastAMessage);
        here.queue[message].flight == Flight::Visible && (message == 0 || !keeps_order)
    }

    /// A visibility timeout ends: the message is handed out again, or dies.
    fn reappear(&self, next: &mut Next, account: u8, message: u8) {
        let here = next.account(account);
        let place = usize::from(message);
        let Message { run, names, receives, .. } = here.queue[place];
        if receives < self.scenario.receives {
            here.queue[place].flight = Flight::Visible;
            return;
        }
        here.queue.remove(place);
        here.letters.push(Letter { run, names, is_recorded: false });
        next.note(account, run, What::Died { message: names });
    }

    /// `record.sql`.
    fn collect(&self, next: &mut Next, account: u8) {
        for place in 0..next.account(account).letters.len() {
            let Letter { run, names, is_recorded } = next.account(account).letters[place];
            if is_recorded {
                continue;
            }
            next.account(account).letters[place].is_recorded = true;
            let marks = next.entry(account, run).row.record_dead(self.rules, names);
            next.note(account, run, What::Recorded { message: names, marks });
        }
    }

    /// `redrive.sql`.
    fn redrive(&self, next: &mut Next, account: u8) {
        let here = next.account(account);
        let Some(place) = here.letters.iter().position(|letter| letter.is_recorded) else { return };
        let Letter { run, names, .. } = here.letters[place];
        let kind = here.runs[usize::from(run)].kind;
        let (is_held, other_is_live) = (here.is_held, here.has_live(kind, Some(run)));
        let redriven = next.entry(account, run).row.redrive(self.rules, names, is_held, other_is_live);
        if redriven != Redriven::Left {
            next.account(account).letters.remove(place);
        }
        if let Redriven::Published(_) = redriven {
            begin_publishing(next, By::Redrive, account, run);
        }
    }

    /// Puts a message into the account's queue, unless a lane has seen its deduplication id within the last minutes.
    pub fn send(&self, next: &mut Next, account: u8, run: u8, publication: Publication) {
        let in_id = if self.rules.lack(Defect::DedupWithoutGeneration) {
            Publication { generation: 0, ..publication }
        } else {
            publication
        };
        let sent = next.entry(account, run).sent;
        next.entry(account, run).sent |= bit_of(publication) | bit_of(in_id);
        if sent & bit_of(in_id) != 0 && next.account(account).has_lane {
            let is_new = sent & bit_of(publication) == 0;
            next.note(account, run, What::Swallowed { message: publication, is_new });
            return;
        }
        let message = Message { run, names: publication, receives: 0, flight: Flight::Visible };
        next.account(account).queue.push(message);
        next.note(account, run, What::Sent { message: publication });
    }
}

fn make_run(next: &mut Next, account: u8, kind: u8) -> u8 {
    let runs = &mut next.account(account).runs;
    runs.push(Entry { kind, row: Run::new(), sent: 0, turns: 0 });
    u8::try_from(runs.len() - 1).unwrap_or(u8::MAX)
}

fn begin_publishing(next: &mut Next, by: By, account: u8, run: u8) {
    let publication = next.entry(account, run).row.at;
    let publisher = Publisher { by, account, run, publication, is_half_done: false };
    if let Some(process) = next.world.idle() {
        next.world.processes[process] = Process::Publisher(publisher);
    }
}

fn receive(next: &mut Next, account: u8, message: u8) {
    let Some(process) = next.world.idle() else { return };
    let one = &mut next.account(account).queue[usize::from(message)];
    one.receives += 1;
    one.flight = Flight::Held(u8::try_from(process).unwrap_or(u8::MAX));
    let Message { run, names, .. } = *one;
    next.world.processes[process] = Process::Function(Function { account, run, names, at: Place::Received });
}

/// A process dies. The message that it was handed comes back when its visibility timeout is over.
fn kill(next: &mut Next, process: u8) {
    next.world.processes[usize::from(process)] = Process::Idle;
    for message in next.world.accounts.iter_mut().flat_map(|account| &mut account.queue) {
        if message.flight == Flight::Held(process) {
            message.flight = Flight::Left;
        }
    }
}

/// A queue does not take a message. A publisher gives up; a function acknowledges its own message. The sweep publishes the run.
fn fail_send(next: &mut Next, process: u8) {
    let at_work = &mut next.world.processes[usize::from(process)];
    *at_work = match *at_work {
        Process::Function(function) => Process::Function(Function { at: Place::Done, ..function }),
        _ => Process::Idle,
    };
}
