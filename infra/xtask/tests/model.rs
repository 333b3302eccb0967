//! `cargo xtask model` as a person runs it: what it prints, and how it exits.

use std::process::{Command, Output};

fn model(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .arg("model")
        .args(arguments)
        .output()
        .expect("it can be started")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn a_search_prints_what_was_visited_and_a_planted_defect_its_story() {
    let holds = model(&["--scenario", "two kinds", "--faults", "0"]);
    assert_eq!(holds.status.code(), Some(0), "{}", said(&holds));
    assert!(said(&holds).contains("holds"), "{}", said(&holds));

    let found = model(&["--defect", "second-live-run"]);
    assert_eq!(found.status.code(), Some(7), "{}", said(&found));
    assert!(said(&found).contains("=> an account has two live runs of a kind"), "{}", said(&found));
    assert_eq!(found.stdout, model(&["--defect", "second-live-run"]).stdout, "the same story again");
}

#[test]
fn an_unknown_name_is_refused_with_its_flag() {
    for (flag, kind) in [("--scenario", "scenario"), ("--defect", "defect")] {
        let refused = model(&[flag, "nonsense"]);
        assert_eq!(refused.status.code(), Some(2), "{}", said(&refused));
        assert!(
            said(&refused).contains(&format!("{flag}: there is no {kind} named nonsense")),
            "{}",
            said(&refused)
        );
    }
}
