//! A short run of chaos with a fixed seed, and one with a defect. `cargo xtask chaos` makes longer ones.

#![allow(clippy::unwrap_used, reason = "a test that cannot be arranged has failed")]

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// Makes chaos on the local AWS of the tests' stack.
fn chaos(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_xtask"));
    command.arg("chaos").args(arguments).env("ROBNU_LOCAL", state()).stdin(Stdio::null());
    command
}

/// The stack's folder, where `PostgreSQL` is installed.
fn state() -> PathBuf {
    let stack =
        std::env::var("ROBNU_STACK").expect("ROBNU_STACK is not set: run the tests with `cargo xtask test`");
    Path::new(&stack).parent().unwrap().to_owned()
}

fn said(output: &Output) -> (String, String) {
    (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn twelve_kills_and_every_other_fault_lose_nothing() {
    let output = chaos(&["--seed", "20261130", "--minutes", "0.3", "--kills", "12"]).output().unwrap();
    let (said, progress) = said(&output);
    assert_eq!(output.status.code(), Some(0), "{progress}\n{said}");
    assert!(said.contains(", 12 of them kills; ") && said.trim_end().ends_with(": no difference"), "{said}");
    let faults = said.split("\n\n").next().unwrap();
    let struck = faults.lines().skip(3).map(|line| line.split_whitespace().last().unwrap());
    assert!(struck.clone().count() >= 22 && struck.clone().all(|times| times != "0"), "{faults}");
}

#[test]
fn counts_that_are_doubled_are_found() {
    let arguments = ["--seed", "20261130", "--minutes", "0.25", "--kills", "4", "--break", "counts-doubled"];
    let output = chaos(&arguments).output().unwrap();
    let (said, progress) = said(&output);
    assert_eq!(output.status.code(), Some(7), "{progress}\n{said}");
    assert!(said.contains("\n  wrong counts: ORDERS of "), "{said}");
}

#[test]
fn an_interrupted_run_leaves_nothing_behind() {
    let mut command = chaos(&["--seed", "1", "--minutes", "5"]);
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("faults are planned")), "the faults begin");
    let line = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &line]).status().unwrap().success());
    let rest: Vec<String> = lines.collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:#?}");
    let left =
        std::fs::read_dir(state()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let left: Vec<String> = left.filter(|name| name.ends_with(&format!("-{}", child.id()))).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_wrong_flag_is_named() {
    for (arguments, expected) in [
        (["--minutes", "0"], "'--minutes <M>': is not between 0.25 and 1440 minutes"),
        (["--break", "nonsense"], "there is no defect nonsense for --break"),
    ] {
        let output = chaos(&arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).1.contains(expected), "{}", said(&output).1);
    }
}
