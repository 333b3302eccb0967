//! The promises that every step must keep, whatever breaks. They look at states and facts only, and know nothing of defects.

use crate::action::Action;
use crate::fact::{Fact, What};
use crate::ledger::{Publication, Run, State};
use crate::transition::{Model, Next};
use crate::world::{Account, Entry, World, bit_of};

/// The promise that a step breaks, in a few words.
pub type Broken = &'static str;

impl Model {
    /// The first promise that a step breaks.
    #[must_use]
    pub fn broken_promise(&self, before: &World, action: Action, next: &Next) -> Option<Broken> {
        let facts = next.facts.iter().find_map(|fact| of_fact(before, *fact, next));
        let accounts = || {
            before
                .accounts
                .iter()
                .zip(&next.world.accounts)
                .find_map(|(old, new)| self.of_data(old, new).or_else(|| of_runs(action, old, new)))
        };
        facts.or_else(accounts)
    }

    /// No order is lost, doubled or overwritten by an older version of itself.
    fn of_data(&self, old: &Account, new: &Account) -> Option<Broken> {
        let since = self.since(new.watermark);
        for (place, order) in new.book.orders.iter().enumerate() {
            let stored = new.rows.versions[place];
            if order.version > stored && order.changed_at < since {
                return Some("an order is lost: the watermark has passed it, and it is not stored");
            }
            if new.rows.copies[place] > 1 {
                return Some("an order is stored twice");
            }
            if stored < old.rows.versions[place] {
                return Some("an older version of an order has overwritten a newer one");
            }
        }
        None
    }
}

/// What a fact breaks.
fn of_fact(before: &World, fact: Fact, next: &Next) -> Option<Broken> {
    let (account, run) = (usize::from(fact.account), usize::from(fact.run));
    let (old, new) = (&before.accounts[account], &next.world.accounts[account]);
    let (was, is) = (&old.runs.get(run)?.row, &new.runs[run].row);
    match fact.what {
        What::Leased { overtakes: true, .. } => Some("a message overtakes an earlier one of its lane"),
        What::Leased { .. } if old.is_held => Some("a run of a held account is taken up"),
        What::Leased { message, .. } if message != was.at => Some("a message starts what it does not name"),
        What::Leased { .. } if was.state == State::Running && !was.is_over => {
            Some("a live lease is taken from its holder")
        }
        What::Leased { .. }
            if others(old, fact.run).any(|other| other.state == State::Running && !other.is_over) =>
        {
            Some("two runs of an account are worked on at once")
        }
        What::Leased { .. } if others(old, fact.run).any(|other| goes_before(other, was)) => {
            Some("a run is worked on before one that has waited longer for its turn")
        }
        What::Unknown => Some("a message names what was never committed"),
        What::Committed { by_latest: false, .. } => {
            Some("a page is committed by a function that has lost its lease")
        }
        What::Committed { follows: false, .. } => Some("pages are not committed in order"),
        What::Ended { by_latest: false } => {
            Some("a run is ended or put off by a function that has lost its lease")
        }
        What::Acknowledged { message, is_turned_away: false } if is_forgotten(new, fact.run, message) => {
            Some("a message is acknowledged before its work is done")
        }
        What::Swallowed { is_new: true, .. } => Some("a queue takes a new publication for an old one"),
        What::Recorded { marks: true, message } if message != was.at => {
            Some("a dead letter marks a run that has moved on")
        }
        What::Recorded { marks: true, .. } if was.state == State::Running && !was.is_over => {
            Some("a dead letter marks a run that somebody works on")
        }
        What::Recorded { .. }
            if is.state == State::Queued
                && is.at == was.at
                && new.letters.iter().any(|letter| letter.run == fact.run && letter.names == is.at) =>
        {
            Some("a run waits for a message that has died")
        }
        _ => None,
    }
}

/// The account's other runs.
fn others(account: &Account, run: u8) -> impl Iterator<Item = &Run> {
    (0..).zip(&account.runs).filter(move |&(place, _)| place != run).map(|(_, entry)| &entry.row)
}

/// Whether one run has waited longer for its turn than the other, and its message is not lost.
fn goes_before(one: &Run, other: &Run) -> bool {
    let is_lost = one.state == State::Queued && one.is_over;
    one.waits_for_turn() && !is_lost && (other.turn == 0 || one.turn < other.turn)
}

/// Whether the row waits for the message that was just deleted. A running one does not: its lease runs out if its function dies.
fn is_forgotten(account: &Account, run: u8, message: Publication) -> bool {
    let row = account.runs[usize::from(run)].row;
    let waits = row.at == message && row.state == State::Queued && row.is_sent;
    waits && !account.is_held && !account.queue.iter().any(|one| one.run == run && one.names == message)
}

/// What a step may do to an account's runs.
fn of_runs(action: Action, old: &Account, new: &Account) -> Option<Broken> {
    let live = |kind| new.runs.iter().filter(|entry| entry.kind == kind && entry.row.state.is_live()).count();
    if live(0) > 1 || live(1) > 1 {
        return Some("an account has two live runs of a kind");
    }
    if old.is_held
        && new.is_held
        && new.runs.len() > old.runs.len()
        && matches!(action, Action::Schedule { .. })
    {
        return Some("a schedule makes a run of a held account");
    }
    let waits_there = |entry: &Entry| entry.row.state == State::Queued && entry.row.is_sent;
    if matches!(action, Action::Move { .. })
        && old.has_lane != new.has_lane
        && new.runs.iter().any(waits_there)
    {
        return Some("a run waits for a message that lies in a queue which its account has left");
    }
    old.runs.iter().zip(&new.runs).find_map(|(was, is)| of_run(action, old.is_held && new.is_held, was, is))
}

fn of_run(action: Action, is_held: bool, was: &Entry, is: &Entry) -> Option<Broken> {
    let (old, new) = (&was.row, &is.row);
    if old.state.has_ended() && old != new {
        return Some("a run that has ended changes");
    }
    if new.at < old.at || new.attempt < old.attempt {
        return Some("a step, a generation or an attempt goes back");
    }
    if is_held && new.at.step == old.at.step && new.at.generation > old.at.generation {
        return Some("a run of a held account is published");
    }
    if new.state == State::Queued && new.is_sent && is.sent & bit_of(new.at) == 0 {
        return Some("a row says that a message was sent which nobody has sent");
    }
    let is_published = matches!(
        action,
        Action::Republish { .. } | Action::Redrive { .. } | Action::EndSlice { .. } | Action::Move { .. }
    );
    let is_queued_again = is_published && new.state == State::Queued && old != new;
    if is_queued_again && is.sent & bit_of(new.at) != 0 {
        return Some("a run is queued again in a publication that was sent before");
    }
    let revives = old.state == State::DeadLettered && new.state.is_live();
    (revives && !matches!(action, Action::Redrive { .. }))
        .then_some("a dead-lettered run goes on without a redrive")
}
