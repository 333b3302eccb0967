//! The template's schedules: each names an existing sweep, uses the Indian clock, and has a switch that stops it.

mod kit;

use kit::{World, try_sweep};
use sweep::SweepError;
use tokio::time::Instant;

const TEMPLATE: &str = include_str!("../../../template.yaml");

/// Name and lines of every schedule of the sweep function.
fn schedules() -> Vec<(&'static str, &'static str)> {
    let (_, function) = TEMPLATE.split_once("\n  Sweep:\n").expect("the function is in the template");
    let (_, events) = function.split_once("      Events:\n").expect("it has schedules");
    let end = events.find("\n\n").expect("another section follows");
    let found = events[..end].split("          Type: ScheduleV2\n").skip(1);
    found
        .map(|schedule| {
            let (_, name) = schedule.split_once(r#"Input: '{"sweep":""#).expect("it names a sweep");
            (name.split('"').next().expect("there is always a first"), schedule)
        })
        .collect()
}

#[test]
fn each_schedule_has_a_switch_and_uses_the_indian_clock() {
    let schedules = schedules();
    let names: Vec<&str> = schedules.iter().map(|(name, _)| *name).collect();
    assert_eq!(
        names,
        ["scheduling", "claims", "retention", "keys", "reseal", "closing", "raw_pages", "usage"]
    );
    let mut switches = Vec::new();
    for (name, lines) in schedules {
        assert!(lines.contains("ScheduleExpressionTimezone: Asia/Kolkata\n"), "{name}");
        let (_, state) = lines.split_once("State: !If [").expect(name);
        let (condition, _) = state.split_once(", ENABLED, DISABLED]\n").expect(name);
        let parameter = condition.replace("On", "Enabled");
        let defined = format!("\n  {condition}: !Equals [!Ref {parameter}, \"true\"]\n");
        assert!(TEMPLATE.contains(&defined), "{name}: {defined}");
        let declared = format!(
            "\n  {parameter}:\n    Type: String\n    Default: \"true\"\n    AllowedValues: [\"true\", \"false\"]\n"
        );
        assert!(TEMPLATE.contains(&declared), "{name}: {declared}");
        assert!(!switches.contains(&parameter), "{name} has a switch of its own");
        switches.push(parameter);
    }
}

#[tokio::test]
async fn each_schedule_names_a_sweep_that_exists() {
    let world = World::without_lanes().await;
    for (name, _) in schedules() {
        let outcome = try_sweep(&world.context, name, Instant::now()).await;
        assert!(!matches!(outcome, Err(SweepError::UnknownSweep { .. })), "{name}: {outcome:?}");
    }
}
