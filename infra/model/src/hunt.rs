//! Hunting a planted defect: first in the scenarios in which no runs take turns, and with as few faults as possible, so that its story is
//! simple.

use crate::defect::{Defect, Rules};
use crate::scenario::{SCENARIOS, Scenario};
use crate::search::{Explored, Finding, explore};
use crate::transition::Model;

/// A defect's finding.
#[derive(Debug)]
pub struct Hunted {
    /// The scenario and rules that show it.
    pub model: Model,
    /// What it breaks, and how.
    pub finding: Finding,
    /// How many states were visited in all scenarios until then.
    pub states: usize,
}

/// Finds a defect, or returns the number of states in which it does not show.
pub fn hunt(
    defect: Defect,
    faults: Option<u8>,
    mut progress: impl FnMut(&Model, usize, usize),
) -> Result<Hunted, usize> {
    let rules = Rules { broken: Some(defect) };
    let mut visited = 0;
    let most = |own: u8| faults.unwrap_or(own);
    let last = SCENARIOS.iter().map(|scenario| most(scenario.budget.faults)).max().unwrap_or_default();
    let levels = [false, true].into_iter().flat_map(|turns| (0..=last).map(move |at_most| (turns, at_most)));
    for (turns, at_most) in levels {
        let fits =
            |scenario: &Scenario| scenario.takes_turns() == turns && at_most <= most(scenario.budget.faults);
        for scenario in SCENARIOS.into_iter().filter(fits) {
            let model = Model { scenario: scenario.with_faults(at_most), rules };
            let Explored { states, finding, .. } =
                explore(&model, |depth, states| progress(&model, depth, states));
            visited += states;
            if let Some(finding) = finding {
                return Ok(Hunted { model, finding, states: visited });
            }
        }
    }
    Err(visited)
}
