//! The tables that `defects` prints.

use std::time::Duration;

use super::plan::Defect;
use super::trial::{Outcome, Verdict};
use local::table::render;

/// The defects, what each breaks and which test must catch it.
pub fn list(defects: &[Defect]) -> String {
    let rows: Vec<Vec<String>> = defects
        .iter()
        .map(|defect| vec![defect.name.clone(), defect.promise.clone(), test(defect)])
        .collect();
    render(&["defect", "breaks", "caught by"], &rows, &[])
}

/// The verdict on each defect.
pub fn outcomes(outcomes: &[Outcome], all: Duration) -> String {
    let seconds = |took: Duration| format!("{:.1} s", took.as_secs_f64());
    let mut rows: Vec<Vec<String>> = outcomes
        .iter()
        .map(|outcome| {
            let defect = &outcome.defect;
            let verdict = outcome.verdict.to_string();
            vec![defect.name.clone(), verdict, seconds(outcome.took), test(defect), defect.promise.clone()]
        })
        .collect();
    let caught = outcomes.iter().filter(|outcome| outcome.verdict == Verdict::Caught).count();
    let total = format!("{caught} of {} caught", outcomes.len());
    rows.push(vec!["all".to_owned(), total, seconds(all), String::new(), String::new()]);
    render(&["defect", "verdict", "took", "caught by", "breaks"], &rows, &[2])
}

fn test(defect: &Defect) -> String {
    format!("{} {}", defect.caught_by.target, defect.caught_by.test)
}
