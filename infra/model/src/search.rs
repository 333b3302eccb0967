//! The search: visits every reachable state, nearest first, so that the first finding has the shortest story.
//!
//! Only the states at the edge are kept whole. Of the others a number of 64 bits, the state before and the action are kept: an action always
//! leads to the same state, so a story is told by doing its actions again.

use std::collections::HashSet;
use std::mem::take;

use foldhash::fast::FixedState;

use crate::action::Action;
use crate::promise::Broken;
use crate::recovery::Recovering;
use crate::transition::Model;
use crate::world::World;

/// A promise that is broken, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The promise.
    pub broken: Broken,
    pub(crate) actions: Vec<Action>,
    /// How many of them, at the end, happen after faults have stopped. With 0 the last action breaks the promise.
    pub(crate) after_faults: usize,
}

impl Finding {
    /// How many things happen in its story.
    #[must_use]
    pub fn length(&self) -> usize {
        self.actions.len()
    }
}

/// What a search has visited.
#[derive(Debug, Clone)]
pub struct Explored {
    /// States that differ in more than in who does what.
    pub states: usize,
    /// Actions that were done in them.
    pub transitions: usize,
    /// The most actions that lead to a state.
    pub depth: usize,
    /// The first promise that is broken.
    pub finding: Option<Finding>,
}

/// The way to a state: the place of the state before, and the action that leads from there.
type Step = (u32, Action);

/// Visits all states, or those up to the first finding. `progress` hears of each further action.
pub fn explore(model: &Model, mut progress: impl FnMut(usize, usize)) -> Explored {
    let start = model.scenario.start();
    let mut visited: HashSet<u64, FixedState> = HashSet::default();
    visited.insert(start.fingerprint());
    let mut ways: Vec<Option<Step>> = vec![None];
    let mut edge: Vec<(u32, World)> = vec![(0, start)];
    let mut recovering = Recovering::default();
    let mut explored = Explored { states: 1, transitions: 0, depth: 0, finding: None };
    let mut actions = Vec::new();
    while !edge.is_empty() {
        progress(explored.depth, explored.states);
        for (place, world) in take(&mut edge) {
            if let Err(stuck) = recovering.check(model, &world) {
                let after_faults = stuck.actions.len();
                let actions = way_to(&ways, place).into_iter().chain(stuck.actions).collect();
                explored.finding = Some(Finding { broken: stuck.broken, actions, after_faults });
                return explored;
            }
            model.possible(&world, &mut actions);
            for &action in &actions {
                let next = model.apply(&world, action);
                explored.transitions += 1;
                if let Some(broken) = model.broken_promise(&world, action, &next) {
                    let mut actions = way_to(&ways, place);
                    actions.push(action);
                    explored.finding = Some(Finding { broken, actions, after_faults: 0 });
                    return explored;
                }
                if visited.insert(next.world.fingerprint()) {
                    let this = u32::try_from(ways.len()).unwrap_or(u32::MAX);
                    ways.push(Some((place, action)));
                    edge.push((this, next.world));
                }
            }
        }
        explored.states = ways.len();
        explored.depth += usize::from(!edge.is_empty());
    }
    explored
}

/// The actions that lead to the state at a place.
fn way_to(ways: &[Option<Step>], place: u32) -> Vec<Action> {
    let mut actions = Vec::new();
    let mut place = place;
    while let Some((before, action)) = ways[usize::try_from(place).unwrap_or_default()] {
        actions.push(action);
        place = before;
    }
    actions.reverse();
    actions
}
