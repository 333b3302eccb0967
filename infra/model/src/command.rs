//! `cargo xtask model`: searches the model and prints what was visited, or how a planted defect shows.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use clap::ValueEnum;
use local::failure::{Exit, Failure};
use local::progress::Progress;
use local::table::render;
use local::terminal::print;

use crate::defect::{Defect, Rules};
use crate::hunt::{Hunted, hunt};
use crate::options::ModelOptions;
use crate::scenario::{SCENARIOS, Scenario};
use crate::search::{Explored, explore};
use crate::story::tell;
use crate::transition::Model;

/// States between two lines of progress.
const PROGRESS_STATES: usize = 1_000_000;

/// Searches. Fails if there is a finding, and with `--defect all` if a defect does not show.
pub fn run(options: &ModelOptions) -> anyhow::Result<()> {
    if options.list {
        return print(&list());
    }
    match options.defect.as_deref() {
        Some("all") => hunt_all(options.faults),
        Some(name) => {
            let defect = ModelOptions::defect_of(name).ok_or_else(|| unknown("defect", name))?;
            hunt_one(defect, options.faults)
        }
        None => search(options),
    }
}

fn unknown(what: &str, name: &str) -> anyhow::Error {
    let next = format!("`cargo xtask model --list` lists the {what}s");
    Failure::new(Exit::Usage, format!("--{what}: there is no {what} named {name}"), next).into()
}

fn list() -> String {
    let scenarios: Vec<Vec<String>> =
        SCENARIOS.iter().map(|scenario| vec![scenario.name.to_owned(), scenario.about.to_owned()]).collect();
    let about = |defect: &Defect| {
        defect.to_possible_value().and_then(|value| value.get_help().map(ToString::to_string))
    };
    let defects: Vec<Vec<String>> = Defect::value_variants()
        .iter()
        .map(|defect| vec![defect.name(), about(defect).unwrap_or_default()])
        .collect();
    format!(
        "{}\n\n{}",
        render(&["scenario", "is about"], &scenarios, &[]),
        render(&["defect", "what is broken"], &defects, &[])
    )
}

/// Searches the scenarios without a defect.
fn search(options: &ModelOptions) -> anyhow::Result<()> {
    let chosen: Vec<Scenario> = match &options.scenario {
        None => SCENARIOS.to_vec(),
        Some(name) => {
            let found = SCENARIOS.into_iter().find(|scenario| scenario.name == name);
            vec![found.ok_or_else(|| unknown("scenario", name))?]
        }
    };
    let progress = Progress::new();
    let mut rows = Vec::new();
    let mut stories = Vec::new();
    for scenario in chosen {
        let scenario = options.faults.map_or(scenario, |faults| scenario.with_faults(faults));
        let model = Model { scenario, rules: Rules::default() };
        let since = Instant::now();
        progress.say(format_args!("{} …", scenario.name));
        let explored = explore(&model, reporter(&progress, scenario.name));
        rows.push(row(&scenario, &explored, since.elapsed()));
        stories.extend(
            explored.finding.map(|finding| format!("{}:\n{}", scenario.name, tell(&model, &finding))),
        );
    }
    print(&render(
        &["scenario", "faults", "states", "transitions", "longest way", "took", "result"],
        &rows,
        &[1, 2, 3, 4, 5],
    ))?;
    if stories.is_empty() {
        return Ok(());
    }
    print(&format!("\n{}", stories.join("\n\n")))?;
    let next = "the stories above begin with an empty database; the same search finds them again";
    Err(Failure::new(Exit::CheckFailed, format!("{} promises are broken", stories.len()), next).into())
}

fn row(scenario: &Scenario, explored: &Explored, took: Duration) -> Vec<String> {
    let result = explored.finding.as_ref().map_or("holds", |finding| finding.broken);
    vec![
        scenario.name.to_owned(),
        scenario.budget.faults.to_string(),
        explored.states.to_string(),
        explored.transitions.to_string(),
        explored.depth.to_string(),
        format!("{:.1} s", took.as_secs_f64()),
        result.to_owned(),
    ]
}

/// Says how far a search is, once for each million of states.
fn reporter(progress: &Progress, name: &str) -> impl FnMut(usize, usize) {
    let mut said = 0;
    move |depth, states| {
        if states >= said + PROGRESS_STATES {
            said = states;
            progress.say(format_args!("{name}: {states} states within {depth} actions"));
        }
    }
}

fn hunt_one(defect: Defect, faults: Option<u8>) -> anyhow::Result<()> {
    let Hunted { model, finding, states } = hunt(defect, faults, |_, _, _| ())
        .map_err(|states| anyhow!("{} does not show in {states} states", defect.name()))?;
    print(&format!(
        "{} (faults: {}):\n{}",
        model.scenario.name,
        model.scenario.budget.faults,
        tell(&model, &finding)
    ))?;
    let what = format!("{} was found after {states} states, in {} actions", defect.name(), finding.length());
    Err(Failure::new(Exit::CheckFailed, what, "this is what --defect is for: the rule is broken on purpose")
        .into())
}

fn hunt_all(faults: Option<u8>) -> anyhow::Result<()> {
    let progress = Progress::new();
    let mut rows = Vec::new();
    let mut missed = Vec::new();
    for &defect in Defect::value_variants() {
        let since = Instant::now();
        let hunted = hunt(defect, faults, |_, _, _| ());
        let took = format!("{:.1} s", since.elapsed().as_secs_f64());
        progress.say(format_args!("{}: {took}", defect.name()));
        rows.push(match hunted {
            Ok(Hunted { model, finding, states }) => vec![
                defect.name(),
                model.scenario.name.to_owned(),
                model.scenario.budget.faults.to_string(),
                finding.length().to_string(),
                states.to_string(),
                took,
                finding.broken.to_owned(),
            ],
            Err(states) => {
                missed.push(defect.name());
                vec![
                    defect.name(),
                    String::new(),
                    String::new(),
                    String::new(),
                    states.to_string(),
                    took,
                    "NOT FOUND".to_owned(),
                ]
            }
        });
    }
    print(&render(
        &["defect", "scenario", "faults", "actions", "states", "took", "promise"],
        &rows,
        &[2, 3, 4, 5],
    ))?;
    if missed.is_empty() {
        return Ok(());
    }
    let next = "a promise or a scenario is missing in infra/model";
    Err(Failure::new(Exit::CheckFailed, format!("not found: {}", missed.join(", ")), next).into())
}
