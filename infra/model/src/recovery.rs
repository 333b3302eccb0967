//! Liveness: from every state, when faults stop and everybody goes on, all runs end and all orders are stored once.
//!
//! The schedule is fixed, so that each state has one way out: operators let go what they hold, whoever is at work goes on, messages are
//! delivered, dead letters are collected and redriven, the sweep does its work, and time passes when nothing else can happen.

use std::collections::HashSet;

use foldhash::fast::FixedState;

use crate::action::Action;
use crate::ledger::State;
use crate::promise::Broken;
use crate::transition::Model;
use crate::world::{Account, Flight, Process, World};

/// No way out is longer than this.
const STEPS_AT_MOST: usize = 300;

/// States that are known to come to a good end.
#[derive(Debug, Default)]
pub struct Recovering {
    known: HashSet<u64, FixedState>,
}

/// A state that does not come to a good end, and what happens from there.
#[derive(Debug)]
pub struct Stuck {
    pub broken: Broken,
    pub actions: Vec<Action>,
}

impl Recovering {
    /// Checks that a state comes to a good end.
    pub fn check(&mut self, model: &Model, world: &World) -> Result<(), Stuck> {
        let mut world = world.clone();
        let mut passed = Vec::new();
        let mut actions = Vec::new();
        while self.known.insert(world.fingerprint()) {
            passed.push(world.fingerprint());
            let Some(action) = model.goes_on(&world) else {
                match unfinished(&world) {
                    None => return Ok(()),
                    Some(broken) => return Err(self.forget(passed, Stuck { broken, actions })),
                }
            };
            actions.push(action);
            let next = model.apply(&world, action);
            if let Some(broken) = model.broken_promise(&world, action, &next) {
                return Err(self.forget(passed, Stuck { broken, actions }));
            }
            world = next.world;
            let goes_in_circles = passed.contains(&world.fingerprint());
            if goes_in_circles || passed.len() > STEPS_AT_MOST {
                return Err(
                    self.forget(passed, Stuck { broken: "everybody goes on, and a run never ends", actions })
                );
            }
        }
        Ok(())
    }

    /// What leads to a bad end is not known to come to a good one.
    fn forget(&mut self, passed: Vec<u64>, stuck: Stuck) -> Stuck {
        for state in passed {
            self.known.remove(&state);
        }
        stuck
    }
}

impl Model {
    /// What happens next when nothing goes wrong any more; `None` when nothing is left to do.
    fn goes_on(&self, world: &World) -> Option<Action> {
        let at_work = world.processes.iter().position(|process| *process != Process::Idle);
        let proceed =
            at_work.map(|process| Action::Proceed { process: u8::try_from(process).unwrap_or(u8::MAX) });
        let accounts = || (0..).zip(&world.accounts);
        let first = |what: &dyn Fn(u8, &Account) -> Option<Action>| {
            accounts().find_map(|(place, here)| what(place, here))
        };
        first(&|account, here| here.is_held.then_some(Action::Resume { account }))
            .or_else(|| first(&|account, here| (!here.book.is_listed()).then_some(Action::List { account })))
            .or(proceed)
            .or_else(|| first(&|account, here| self.delivers(account, here)))
            .or_else(|| first(&|account, here| self.mends(account, here)))
            .or_else(|| first(&waits))
            .or_else(|| first(&|account, here| self.reads_the_rest(account, here)))
    }

    /// A queue hands out its first message, or one comes back to it.
    fn delivers(&self, account: u8, here: &Account) -> Option<Action> {
        let receivable = (0..here.queue.len()).find(|&message| self.is_receivable(here, message));
        let left = || here.queue.iter().position(|message| message.flight == Flight::Left);
        let place = |message| u8::try_from(message).unwrap_or(u8::MAX);
        receivable
            .map(|message| Action::Receive { account, message: place(message) })
            .or_else(|| left().map(|message| Action::Reappear { account, message: place(message) }))
    }

    /// Dead letters are collected and redriven, and the sweep publishes what is due.
    fn mends(&self, account: u8, here: &Account) -> Option<Action> {
        if here.letters.iter().any(|letter| !letter.is_recorded) {
            return Some(Action::Collect { account });
        }
        if !here.letters.is_empty() {
            return Some(Action::Redrive { account });
        }
        let is_due = |run: &crate::world::Entry| run.row.is_to_republish(self.rules, here.is_held);
        let run = here.runs.iter().position(is_due)?;
        Some(Action::Republish { account, run: u8::try_from(run).unwrap_or(u8::MAX) })
    }

    /// The schedule's next run reads what is not stored yet, if there is room for it in the model.
    fn reads_the_rest(&self, account: u8, here: &Account) -> Option<Action> {
        let is_due = !here.rows.are_complete(&here.book) && !here.runs.is_full();
        (is_due && self.makes_scheduled(here, 0)).then_some(Action::Schedule { account, kind: 0 })
    }
}

fn waits(account: u8, here: &Account) -> Option<Action> {
    let waiting = |entry: &crate::world::Entry| entry.row.state.is_live() && !entry.row.is_over;
    // Time passes for all alike. What keeps another run back has less of it left: the lease of somebody who has died, or an unsent message.
    let order = |entry: &crate::world::Entry| match entry.row.state {
        State::Running => 0,
        State::Queued => 1,
        _ => 2,
    };
    let (run, _) = here
        .runs
        .iter()
        .enumerate()
        .filter(|(_, entry)| waiting(entry))
        .min_by_key(|(_, entry)| order(entry))?;
    Some(Action::LetTimePass { account, run: u8::try_from(run).unwrap_or(u8::MAX) })
}

/// What is not as it should be when nobody has anything left to do.
fn unfinished(world: &World) -> Option<Broken> {
    world.accounts.iter().find_map(|here| {
        if here.runs.iter().any(|entry| entry.row.state.is_live()) {
            return Some("everybody has done what he can, and a run never ends");
        }
        (!here.rows.are_complete(&here.book)).then_some("all runs have ended, and an order is not stored")
    })
}
