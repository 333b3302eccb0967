//! A changed parameter reaches the functions that run behind an alias: SAM publishes another version of each.

use std::path::PathBuf;
use std::process::Command;

use local::release::place;

fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The versions that the real translator publishes of the real template.
fn versions(parameters: &[&str]) -> Vec<String> {
    let python = std::env::var("ROBNU_SAM_PYTHON")
        .expect("ROBNU_SAM_PYTHON is not set: run the tests with `cargo xtask test`");
    let file = root().join("template.yaml");
    let template = std::fs::read_to_string(&file).expect("the template");
    let parameters: Vec<String> = parameters.iter().map(|&text| text.to_owned()).collect();
    let output = Command::new(python)
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/versions.py"))
        .arg(file)
        .arg(place("robnu-staging", &template, &parameters))
        .env("AWS_DEFAULT_REGION", "ap-south-1")
        .output()
        .expect("Python starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("a list")
}

#[test]
fn another_set_of_parameters_publishes_every_version_anew_and_the_same_set_none() {
    let before = versions(&["Stage=staging", "AdapterTimeoutSeconds=120"]);
    // The four adapters and migrate run behind an alias.
    assert_eq!(before.len(), 5, "{before:?}");
    assert_eq!(versions(&["Stage=staging", "AdapterTimeoutSeconds=120"]), before);
    let after = versions(&["Stage=staging", "AdapterTimeoutSeconds=600"]);
    assert_eq!(after.len(), 5);
    for version in after {
        assert!(!before.contains(&version), "{version} keeps the old time-out");
    }
}

#[test]
fn another_template_is_another_place() {
    let parameters = ["Stage=staging".to_owned()];
    assert_ne!(place("robnu-staging", "a", &parameters), place("robnu-staging", "b", &parameters));
    assert_eq!(place("robnu-staging", "a", &parameters), place("robnu-staging", "a", &parameters));
    assert!(place("robnu-staging", "a", &parameters).starts_with("robnu-staging-"));
}
