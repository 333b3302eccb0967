//! A short attack with a fixed seed on the deployed stack. `cargo xtask attack` makes longer ones.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

use std::process::Command;

#[test]
fn three_hundred_attempts_of_an_insider_find_nothing_and_change_nothing() {
    let stack =
        std::env::var("ROBNU_STACK").expect("ROBNU_STACK is not set: run the tests with `cargo xtask test`");
    let local = tempdir();
    let output = Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(["attack", "--part", "insider", "--seed", "20261123", "--count", "300", "--stack", &stack])
        .env("ROBNU_LOCAL", &local)
        .output()
        .unwrap();
    let _ = std::fs::remove_dir_all(&local);
    let (said, progress) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{progress}\n{said}");
    assert!(said.contains(": no difference"), "{said}");
    assert!(said.contains("seed 20261123: 300 attempts in ") && said.contains(", 0 findings"), "{said}");
}

/// A folder for state, so that the attack does not use the developer's.
fn tempdir() -> std::path::PathBuf {
    std::env::temp_dir().join(format!("robnu-attack-{}", std::process::id()))
}
