//! Steps that run a tool. Each prints the command that repeats it.

use std::process::{Command, Stdio};

use anyhow::{Context, anyhow};

use crate::deploy;
use crate::paths::Paths;
use crate::python::Environment;
use crate::tools;

/// Runs cargo with additional environment variables.
pub fn cargo(paths: &Paths, arguments: &[&str], environment: &[(&str, String)]) -> anyhow::Result<()> {
    let mut command = tools::cargo();
    command.args(arguments).current_dir(&paths.root);
    for (name, value) in environment {
        command.env(name, value);
    }
    run(&mut command, &format!("cargo {}", arguments.join(" ")))
}

/// Runs both linters on both templates.
pub fn templates(paths: &Paths) -> anyhow::Result<()> {
    let mut sam = deploy::sam(paths);
    sam.args(["validate", "--lint", "--template-file", "template.yaml"]);
    run(&mut sam, "sam validate --lint")?;
    // .cfnlintrc names the templates.
    let mut lint = Command::new(Environment::sam(paths).program("cfn-lint"));
    lint.current_dir(&paths.root);
    run(&mut lint, "cfn-lint")
}

/// Checks the spelling of every file that git does not ignore; .typos.toml has the exceptions.
pub fn spelling(paths: &Paths) -> anyhow::Result<()> {
    let mut typos = Command::new(Environment::spelling(paths).program("typos"));
    typos.args(["--format", "brief"]).current_dir(&paths.root);
    run(&mut typos, "typos --format brief")
}

/// Runs a command and shows its output. `shown` is the command as a person would type it.
pub fn run(command: &mut Command, shown: &str) -> anyhow::Result<()> {
    eprintln!("$ {shown}");
    let status = command.stdin(Stdio::null()).status().with_context(|| format!("run {shown}"))?;
    if status.success() { Ok(()) } else { Err(anyhow!("`{shown}` failed with {status}")) }
}

/// Like [`run`], for a command that asks questions.
pub fn run_asking(command: &mut Command, shown: &str) -> anyhow::Result<()> {
    eprintln!("$ {shown}");
    let status = command.status().with_context(|| format!("run {shown}"))?;
    if status.success() { Ok(()) } else { Err(anyhow!("`{shown}` failed with {status}")) }
}

/// Like [`run`], but kills the command when the returned future is dropped.
pub async fn run_abortable(command: Command, shown: &str) -> anyhow::Result<()> {
    eprintln!("$ {shown}");
    let mut command = tokio::process::Command::from(command);
    let status = command.stdin(Stdio::null()).kill_on_drop(true).status().await;
    let status = status.with_context(|| format!("run {shown}"))?;
    if status.success() { Ok(()) } else { Err(anyhow!("`{shown}` failed with {status}")) }
}
