//! Which actions are possible in a state, within the scenario's bounds and the environment's budget.

use crate::action::{Action, Cost};
use crate::ledger::State;
use crate::scenario::Scenario;
use crate::transition::Model;
use crate::world::{Account, Budget, Flight, Place, Process, World};

impl Model {
    /// Adds the actions that are possible in a state.
    pub fn possible(&self, world: &World, actions: &mut Vec<Action>) {
        actions.clear();
        for (process, at_work) in (0..).zip(&world.processes) {
            of_process(&self.scenario, world, process, at_work, actions);
        }
        for (account, here) in (0..).zip(&world.accounts) {
            self.of_account(world, account, here, actions);
            self.of_queue(world, account, here, actions);
            of_book(account, here, actions);
        }
        actions.retain(|action| world.budget.allows(cost(world, *action)));
    }

    fn of_account(&self, world: &World, account: u8, here: &Account, actions: &mut Vec<Action>) {
        let Scenario { kinds, runs, generation, publishers, .. } = self.scenario;
        let may_publish = world.idle().is_some() && world.at_work().1 < publishers;
        for kind in 0..kinds {
            let may_make = may_publish && here.runs.len() < runs;
            if may_publish && (here.has_live(kind, None) || may_make) {
                actions.push(Action::Request { account, kind });
            }
            if may_make && self.makes_scheduled(here, kind) {
                actions.push(Action::Schedule { account, kind });
            }
        }
        for (run, entry) in (0..).zip(&here.runs) {
            let may_raise = entry.row.at.generation < generation;
            if may_publish && may_raise && entry.row.is_to_republish(self.rules, here.is_held) {
                actions.push(Action::Republish { account, run });
            }
            if entry.row.state.is_live() && !entry.row.is_over {
                actions.push(Action::LetTimePass { account, run });
            }
            if matches!(entry.row.state, State::Queued | State::Waiting) {
                actions.push(Action::Cancel { account, run });
            }
        }
        if here.is_held {
            actions.push(Action::Resume { account });
        } else {
            actions.push(Action::Hold { account });
        }
        actions.push(Action::Move { account });
        if here.letters.iter().any(|letter| !letter.is_recorded) {
            actions.push(Action::Collect { account });
        }
        let letter = here.letters.iter().find(|letter| letter.is_recorded);
        if letter.is_some_and(|letter| letter.names.generation < generation) && may_publish {
            actions.push(Action::Redrive { account });
        }
    }

    fn of_queue(&self, world: &World, account: u8, here: &Account, actions: &mut Vec<Action>) {
        let may_receive = world.idle().is_some() && world.at_work().0 < self.scenario.functions;
        for (message, one) in (0..).zip(&here.queue) {
            if may_receive && self.is_receivable(here, usize::from(message)) {
                actions.push(Action::Receive { account, message });
            }
            if one.flight != Flight::Visible {
                actions.push(Action::Reappear { account, message });
            }
            if !matches!(one.flight, Flight::Held(_)) {
                actions.push(Action::Lose { account, message });
            }
        }
        if here.queue.len() > 1 {
            actions.push(Action::Purge { account });
        }
    }
}

fn of_process(scenario: &Scenario, world: &World, process: u8, at_work: &Process, actions: &mut Vec<Action>) {
    if *at_work == Process::Idle {
        return;
    }
    actions.extend([Action::Proceed { process }, Action::Kill { process }]);
    match at_work {
        Process::Publisher(publisher) if !publisher.is_half_done => {
            actions.push(Action::FailSend { process });
        }
        Process::Function(function) => match function.at {
            Place::Leased(work) => {
                let here = &world.accounts[usize::from(function.account)];
                let step = here.runs[usize::from(function.run)].row.at.step;
                if work.has_stored && step + 1 < scenario.steps {
                    actions.push(Action::EndSlice { process });
                }
                actions.extend([Action::PutOff { process }, Action::Refuse { process }]);
            }
            Place::HandedOver { is_sent: false, .. } => actions.push(Action::FailSend { process }),
            _ => {}
        },
        _ => {}
    }
}

fn of_book(account: u8, here: &Account, actions: &mut Vec<Action>) {
    let has_room = here.book.orders.iter().any(|order| order.version == 0);
    if here.book.may_move() {
        if has_room {
            actions.push(Action::Arrive { account, is_listed: true });
            actions.push(Action::Arrive { account, is_listed: false });
        }
        actions.push(Action::Change { account });
    }
    if !here.book.is_listed() {
        actions.push(Action::List { account });
    }
    if here.book.orders[0].version > 1 {
        actions.push(Action::UploadOldFile { account });
    }
}

/// What an action takes from the budget. Time that passes is a fault when somebody is at work on what it ends: he is slow, then.
#[must_use]
pub fn cost(world: &World, action: Action) -> Cost {
    match action {
        Action::Request { .. } => Cost::Request,
        Action::Cancel { .. } => Cost::Cancel,
        Action::Hold { .. } => Cost::Hold,
        Action::Move { .. } => Cost::Move,
        Action::Arrive { .. } | Action::Change { .. } => Cost::Arrival,
        Action::PutOff { .. }
        | Action::Refuse { .. }
        | Action::Kill { .. }
        | Action::FailSend { .. }
        | Action::Lose { .. }
        | Action::Purge { .. }
        | Action::UploadOldFile { .. } => Cost::Fault,
        Action::LetTimePass { account, run } if world.is_attended(account, run) => Cost::Fault,
        Action::Reappear { account, message } => {
            match world.accounts[usize::from(account)].queue[usize::from(message)].flight {
                Flight::Held(_) => Cost::Fault,
                _ => Cost::Free,
            }
        }
        _ => Cost::Free,
    }
}

impl Budget {
    fn item(&mut self, cost: Cost) -> Option<&mut u8> {
        match cost {
            Cost::Free => None,
            Cost::Fault => Some(&mut self.faults),
            Cost::Request => Some(&mut self.requests),
            Cost::Cancel => Some(&mut self.cancels),
            Cost::Hold => Some(&mut self.holds),
            Cost::Move => Some(&mut self.moves),
            Cost::Arrival => Some(&mut self.arrivals),
        }
    }

    /// Whether something of this cost may still happen.
    #[must_use]
    pub fn allows(mut self, cost: Cost) -> bool {
        self.item(cost).is_none_or(|left| *left > 0)
    }

    /// Takes the cost of something that happens.
    pub fn take(&mut self, cost: Cost) {
        if let Some(left) = self.item(cost) {
            *left = left.saturating_sub(1);
        }
    }
}
