//! The programs of the adapter function and of whoever publishes a run, step by step. Between two steps anything else may happen.

use crate::defect::Defect;
use crate::fact::What;
use crate::ledger::{Holder, Run, State, Taken};
use crate::marketplace::{Book, Page};
use crate::transition::{Model, Next};
use crate::turns;
use crate::world::{Flight, Function, Place, Process, Publisher, Work, World};

impl Model {
    /// A publisher sends its message and marks the row as sent.
    pub(crate) fn publish(&self, next: &mut Next, process: u8, publisher: Publisher) {
        let Publisher { account, run, publication, is_half_done, .. } = publisher;
        if is_half_done == self.rules.lack(Defect::MarkedBeforeSent) {
            self.send(next, account, run, publication);
        } else {
            next.entry(account, run).row.mark_sent(self.rules, publication);
        }
        next.world.processes[usize::from(process)] = if is_half_done {
            Process::Idle
        } else {
            Process::Publisher(Publisher { is_half_done: true, ..publisher })
        };
    }

    /// A function takes its next step.
    pub(crate) fn work(&self, next: &mut Next, process: u8, function: Function) {
        let Function { account, .. } = function;
        let at = match function.at {
            Place::Received => self.take_lease(next, process, function),
            Place::Leased(work) => Some(Place::PageRead(work, read(next, function, work))),
            Place::PageRead(work, page) => Some(self.commit(next, function, work, page)),
            Place::PageLeft(work, page) => {
                self.store(next, function, page);
                Some(Place::Leased(work))
            }
            Place::SentFirst(work) => Some(self.hand_over(next, function, work, true)),
            Place::HandedOver { run, next: later, is_sent: false } => {
                self.send(next, account, run, later);
                Some(Place::HandedOver { run, next: later, is_sent: true })
            }
            Place::HandedOver { run, next: later, is_sent: true } => {
                next.entry(account, run).row.mark_sent(self.rules, later);
                Some(Place::Done)
            }
            Place::Done | Place::TurnedAway => {
                acknowledge(next, process, function);
                None
            }
        };
        let at = at.map_or(Process::Idle, |at| Process::Function(Function { at, ..function }));
        next.world.processes[usize::from(process)] = at;
    }

    fn take_lease(&self, next: &mut Next, process: u8, function: Function) -> Option<Place> {
        let Function { account, run, names, .. } = function;
        let here = next.account(account);
        let place = here.held_by(process);
        let overtakes = here.has_lane && place.is_some_and(|place| place > 0);
        let (is_held, since) = (here.is_held, self.since(here.watermark));
        if self.rules.lack(Defect::AckBeforeCommit) && place.is_some() {
            acknowledge(next, process, function);
            return Some(Place::Received);
        }
        let must_wait = turns::must_wait(self.rules, next.account(account).rows_in_order(), usize::from(run));
        let entry = next.entry(account, run);
        match entry.row.take_lease(self.rules, names, is_held, must_wait) {
            Taken::Ours(holder) => {
                entry.turns += 1;
                let Run { pages, position, since: settled, .. } = entry.row;
                let since = if pages == 0 { since } else { settled };
                let position = position.filter(|_| !self.rules.lack(Defect::PagePositionLost));
                let work = Work { holder, turn: entry.turns, since, position, has_stored: false };
                next.note(account, run, What::Leased { message: names, overtakes });
                Some(Place::Leased(work))
            }
            Taken::Busy => {
                next.note(account, run, What::Busy);
                if let Some(place) = place {
                    next.account(account).queue[place].flight = Flight::Left;
                }
                None
            }
            Taken::NotItsTurn => {
                next.note(account, run, What::KeptBack);
                Some(pass_on(next, account))
            }
            Taken::Passed => {
                next.note(account, run, What::Passed);
                Some(Place::TurnedAway)
            }
            Taken::Unknown => {
                next.note(account, run, What::Unknown);
                Some(Place::Done)
            }
        }
    }

    /// Commits a page with the run's progress; the last page ends the run and moves the watermark.
    fn commit(&self, next: &mut Next, function: Function, work: Work, page: Page) -> Place {
        let Function { account, run, .. } = function;
        let entry = next.entry(account, run);
        let by_latest = entry.turns == work.turn && entry.row.state == State::Running;
        let follows = entry.row.position == work.position;
        let is_last = page.next.is_none();
        if !entry.row.advance(self.rules, work.holder, page.next, work.since) {
            next.note(account, run, What::LeaseLost);
            if is_last && self.rules.lack(Defect::FinishByLateWorker) {
                self.finish(next, function, work.holder, page, by_latest);
            }
            return Place::Done;
        }
        next.note(account, run, What::Committed { by_latest, follows });
        let work = Work { position: page.next, has_stored: true, ..work };
        if self.rules.lack(Defect::PagePositionNotCommittedWithPage) && !is_last {
            return Place::PageLeft(work, page);
        }
        self.store(next, function, page);
        if self.rules.lack(Defect::WatermarkBeforeLastPage) {
            next.account(account).watermark = Some(page.until);
        }
        if is_last {
            self.finish(next, function, work.holder, page, by_latest);
            return pass_on(next, account);
        }
        Place::Leased(work)
    }

    fn store(&self, next: &mut Next, function: Function, page: Page) {
        let older_wins = self.rules.lack(Defect::OlderVersionWins);
        let doubles = self.rules.lack(Defect::PageStoredTwice);
        if let Some(order) = page.order {
            next.account(function.account).rows.store(order, older_wins, doubles);
        }
    }

    /// `finish.sql`.
    fn finish(&self, next: &mut Next, function: Function, holder: Holder, page: Page, by_latest: bool) {
        let Function { account, run, .. } = function;
        if next.entry(account, run).row.finish(self.rules, holder) {
            next.note(account, run, What::Ended { by_latest });
            if next.entry(account, run).kind == 0 {
                let watermark = &mut next.account(account).watermark;
                *watermark = (*watermark).max(Some(page.until));
            }
        }
    }

    /// A slice is over: the rest becomes the next step.
    pub(crate) fn end_slice(&self, next: &mut Next, process: u8) {
        let Process::Function(function) = next.world.processes[usize::from(process)] else { return };
        let Some(work) = function.work() else { return };
        let at = if self.rules.lack(Defect::SentBeforeCommitted) {
            let mut later = next.entry(function.account, function.run).row;
            if let Some(later) = later.continue_later(self.rules, work.holder, None) {
                self.send(next, function.account, function.run, later);
            }
            Place::SentFirst(work)
        } else {
            self.hand_over(next, function, work, false)
        };
        next.world.processes[usize::from(process)] = Process::Function(Function { at, ..function });
    }

    fn hand_over(&self, next: &mut Next, function: Function, work: Work, is_sent: bool) -> Place {
        let Function { account, run, .. } = function;
        let here = next.account(account);
        let (is_held, must_wait) = (here.is_held, turns::behind(here.rows_in_order()));
        let later = next.entry(account, run).row.continue_later(self.rules, work.holder, must_wait);
        match (later, must_wait) {
            (Some(later), None) if !is_held => Place::HandedOver { run, next: later, is_sent },
            _ => pass_on(next, account),
        }
    }

    /// With a defect, a run that fails moves the watermark as one that succeeds.
    pub(crate) fn move_watermark_of_failed(&self, next: &mut Next, before: &World, process: u8) {
        let Process::Function(function) = before.processes[usize::from(process)] else { return };
        if self.rules.lack(Defect::WatermarkOfAFailedRun) {
            let here = next.account(function.account);
            here.watermark = here.watermark.max(Some(here.book.now));
        }
    }
}

/// A function leaves its run in another state, if it still holds the lease.
pub fn leave(next: &mut Next, process: u8, how: fn(&mut Run, Holder) -> bool) {
    let Process::Function(function) = next.world.processes[usize::from(process)] else { return };
    let Some(work) = function.work() else { return };
    let Function { account, run, .. } = function;
    let entry = next.entry(account, run);
    let by_latest = entry.turns == work.turn;
    if how(&mut entry.row, work.holder) {
        next.note(account, run, What::Ended { by_latest });
    } else {
        next.note(account, run, What::LeaseLost);
    }
    let at = pass_on(next, account);
    next.world.processes[usize::from(process)] = Process::Function(Function { at, ..function });
}

/// A function that ends its work chooses the account's next run in the same transaction, and publishes it then.
fn pass_on(next: &mut Next, account: u8) -> Place {
    let here = next.account(account);
    let is_held = here.is_held;
    match turns::next_in_turn(here.rows_mut(), is_held) {
        Some((run, publication)) => {
            let run = u8::try_from(run).unwrap_or(u8::MAX);
            Place::HandedOver { run, next: publication, is_sent: false }
        }
        None => Place::Done,
    }
}

/// Reads a page of the marketplace. Only runs of the first kind read orders.
fn read(next: &mut Next, function: Function, work: Work) -> Page {
    let here = next.account(function.account);
    let kind = here.runs[usize::from(function.run)].kind;
    let book = if kind == 0 { here.book } else { Book::empty() };
    book.page(work.since, work.position)
}

/// Deletes the function's message, if it was not handed out again meanwhile.
fn acknowledge(next: &mut Next, process: u8, function: Function) {
    let here = next.account(function.account);
    if let Some(place) = here.held_by(process) {
        here.queue.remove(place);
        let is_turned_away = function.at == Place::TurnedAway;
        let what = What::Acknowledged { message: function.names, is_turned_away };
        next.note(function.account, function.run, what);
    }
}
