//! Without a defect every promise holds in every state, within each scenario's bounds.

use model::{Model, Rules, SCENARIOS, explore, tell};

/// A scenario that visits fewer states than this tries next to nothing.
const STATES_AT_LEAST: usize = 50_000;

#[test]
fn whatever_happens_in_whatever_order_every_promise_holds() {
    for scenario in SCENARIOS {
        let model = Model { scenario, rules: Rules::default() };
        let explored = explore(&model, |_, _| ());
        if let Some(finding) = &explored.finding {
            panic!("{}:\n{}", scenario.name, tell(&model, finding));
        }
        assert!(explored.states >= STATES_AT_LEAST, "{}: {} states", scenario.name, explored.states);
    }
}
