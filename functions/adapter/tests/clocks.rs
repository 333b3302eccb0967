//! The times in the template and its local settings fit together for an adapter and its lanes. A lane's visibility timeout
//! must outlast the function, and a crashed attempt's lease must have ended when its message returns.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

use std::collections::BTreeMap;

const TEMPLATE: &str = include_str!("../../../template.yaml");
const SETTINGS: &str = include_str!("../../../samconfig.toml");

const CLOCKS: [&str; 4] = ["AdapterTimeoutSeconds", "SliceSeconds", "LeaseSeconds", "LaneVisibilitySeconds"];

type Clocks = BTreeMap<&'static str, u32>;

/// The number between `before` and the end of the line.
fn number_after(text: &str, before: &str) -> Option<u32> {
    let (_, rest) = text.split_once(before)?;
    let digits: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some(digits.parse().unwrap_or_else(|_| panic!("no number follows {before}")))
}

fn defaults() -> Clocks {
    let default = |name: &'static str| {
        let (_, parameter) = TEMPLATE.split_once(&format!("\n  {name}:\n")).unwrap();
        (name, number_after(parameter, "    Default: ").unwrap())
    };
    CLOCKS.into_iter().map(default).collect()
}

/// The times of every stage: its section's overrides over the template's defaults.
fn stages() -> Vec<(&'static str, Clocks)> {
    let sections = SETTINGS.split("\n[").filter_map(|section| section.split_once(".deploy.parameters]\n"));
    let stage = |(stage, overrides): (&'static str, &str)| {
        let mut clocks = defaults();
        for (name, seconds) in &mut clocks {
            *seconds = number_after(overrides, &format!("\n  \"{name}=")).unwrap_or(*seconds);
        }
        (stage, clocks)
    };
    sections.map(stage).collect()
}

#[test]
fn in_every_stage_a_message_stays_out_of_sight_until_its_attempt_is_over() {
    let stages = stages();
    let names: Vec<&str> = stages.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["local", "staging", "prod"]);
    assert_ne!(stages[0].1, defaults(), "the local overrides are read");
    for (stage, clocks) in stages {
        let visibility = clocks["LaneVisibilitySeconds"];
        assert!(visibility >= clocks["AdapterTimeoutSeconds"], "{stage}: {clocks:?}");
        assert!(visibility >= clocks["SliceSeconds"] + clocks["LeaseSeconds"], "{stage}: {clocks:?}");
    }
}
