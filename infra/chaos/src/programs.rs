//! The programs of a run, and the migrations that belong to them.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context;
use local::failure::{Exit, Failure};
use local::functions::target_folder;
use local::paths::Paths;
use local::tools::cargo;

/// The functions that a run starts, and the program that makes the chaos.
const PACKAGES: [&str; 4] = ["adapter", "sweep", "redrive", "chaos-run"];

/// Built programs.
#[derive(Debug)]
pub struct Programs {
    /// The folder with the programs.
    pub folder: PathBuf,
    /// The folder with the migrations.
    pub migrations: PathBuf,
}

impl Programs {
    /// Builds the programs of this checkout.
    pub fn build(paths: &Paths) -> anyhow::Result<Self> {
        build(&paths.root, None)?;
        Ok(Self { folder: target_folder(paths)?.join("debug"), migrations: paths.root.join("migrations") })
    }
}

/// Builds the programs of a source tree. Cargo's progress goes to standard error.
fn build(root: &Path, target: Option<&Path>) -> anyhow::Result<()> {
    let mut command = cargo();
    command.args(["build", "--quiet"]).current_dir(root).stdin(Stdio::null()).stdout(Stdio::null());
    for package in PACKAGES {
        command.args(["--package", package]);
    }
    if let Some(target) = target {
        command.env("CARGO_TARGET_DIR", target);
    }
    let status = command.status().context("run cargo")?;
    if status.success() {
        return Ok(());
    }
    let next = "fix the compiler's errors above; `cargo check` repeats them";
    Err(Failure::new(Exit::BuildFailed, "the programs do not build", next).into())
}
