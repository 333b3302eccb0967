//! Some of the kills that `cargo xtask boundaries` makes: every seventh one, so that both sides of boundaries come in turn.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn boundaries(arguments: &[&str]) -> (Option<i32>, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg("boundaries").args(arguments).env("ROBNU_LOCAL", state()).stdin(Stdio::null());
    let output = command.output().unwrap();
    (output.status.code(), said(&output))
}

/// The stack's folder, where the functions' logs go.
fn state() -> PathBuf {
    let stack =
        std::env::var("ROBNU_STACK").expect("ROBNU_STACK is not set: run the tests with `cargo xtask test`");
    Path::new(&stack).parent().unwrap().to_owned()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

#[test]
fn a_kill_at_a_boundary_of_any_work_changes_nothing() {
    let (code, said) = boundaries(&["--every", "7"]);
    assert_eq!(code, Some(0), "{said}");
    for work in ["orders", "returns", "check", "import", "publish", "lane-opens", "lane-retires"] {
        assert!(
            said.lines().any(|line| line.trim_start().starts_with(&format!("{work} "))),
            "{work}: {said}"
        );
    }
    assert!(said.trim_end().ends_with(": no difference"), "{said}");
}

#[test]
fn a_kill_finds_that_an_object_of_raw_pages_is_written_twice() {
    let (code, said) =
        boundaries(&["--only", "publish", "--every", "7", "--break", "object-of-pages-forgotten"]);
    assert_eq!(code, Some(7), "{said}");
    assert!(said.contains("objects in the bucket: 2 instead of 1"), "{said}");
}

#[test]
fn a_wrong_flag_is_named() {
    for (arguments, expected) in [
        (["--every", "0"], "'--every <N>': 0 is not in 1..=65535"),
        (["--only", "nonsense"], "invalid value 'nonsense' for '--only <NAME>'"),
        (["--break", "nonsense"], "there is no defect nonsense for --break"),
    ] {
        let (code, said) = boundaries(&arguments);
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(expected), "{said}");
    }
}
