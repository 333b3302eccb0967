//! The search finds every planted defect, with a short story, and finds the same story again.

use clap::ValueEnum;
use model::{Defect, Hunted, hunt, tell};

/// Actions of a story at most.
const SHORT: usize = 30;

#[test]
fn each_defect_is_found_with_a_short_story_and_the_same_one_again() {
    for &defect in Defect::value_variants() {
        let find = || {
            hunt(defect, None, |_, _, _| ())
                .unwrap_or_else(|states| panic!("{defect:?} does not show in {states} states"))
        };
        let Hunted { model, finding, states } = find();
        let again = find();
        let story = tell(&model, &finding);
        assert!(finding.length() <= SHORT, "{defect:?}:\n{story}");
        assert_eq!((&again.finding, again.states), (&finding, states), "{defect:?}:\n{story}");
        assert_eq!(tell(&again.model, &again.finding), story, "{defect:?}");
    }
}
