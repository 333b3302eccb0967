//! Builds the functions and the simulators once, in the profile that tests use, and packs each function as Lambda requires: an
//! archive with one program named `bootstrap`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, anyhow};
use serde_json::Value;

use crate::failure::{Exit, Failure};
use crate::paths::Paths;
use crate::tools::cargo;

/// The packages under functions/; each builds one program of the same name.
pub const FUNCTIONS: [&str; 7] = ["adapter", "api", "exporter", "lanes", "migrate", "redrive", "sweep"];
/// The simulators' package and program.
const SIMULATORS: &str = "simulators";

const PACK: &str = include_str!("pack.py");

/// The built programs that other modules need.
#[derive(Debug)]
pub struct Built {
    /// The simulators' program.
    pub simulators: PathBuf,
}

/// Builds everything. Cargo's progress goes to standard error.
pub fn build(paths: &Paths, python: &str) -> anyhow::Result<Built> {
    let mut command = cargo();
    command.arg("build").current_dir(&paths.root).stdin(Stdio::null());
    for package in FUNCTIONS.into_iter().chain([SIMULATORS]) {
        command.args(["--package", package]);
    }
    let status = command.stdout(Stdio::null()).status().context("run cargo")?;
    if !status.success() {
        return Err(Failure::new(
            Exit::BuildFailed,
            "the functions do not build",
            "fix the compiler's errors above; `cargo check` repeats them",
        )
        .into());
    }
    let programs = target_folder(paths)?.join("debug");
    for name in FUNCTIONS {
        lay_out(&programs.join(name), &program(paths, name))?;
    }
    pack(paths, python)?;
    Ok(Built { simulators: programs.join(SIMULATORS) })
}

/// The archive that a function is deployed from.
#[must_use]
pub fn archive(paths: &Paths, name: &str) -> PathBuf {
    paths.local("build").join(format!("{name}.zip"))
}

/// Packs the programs that are newer than their archives.
fn pack(paths: &Paths, python: &str) -> anyhow::Result<()> {
    let mut command = Command::new(python);
    command.args(["-c", PACK]);
    for name in FUNCTIONS {
        command.arg(program(paths, name)).arg(archive(paths, name));
    }
    let output = command.stdin(Stdio::null()).output().with_context(|| format!("run {python}"))?;
    if output.status.success() {
        return Ok(());
    }
    Err(anyhow!("packing the functions failed: {}", String::from_utf8_lossy(&output.stderr)))
}

fn program(paths: &Paths, name: &str) -> PathBuf {
    paths.local("build").join(name).join("bootstrap")
}

/// Copies a program that is newer than its copy, without symbols, which would only slow the upload.
fn lay_out(program: &Path, target: &Path) -> anyhow::Result<()> {
    let modified = |file: &Path| fs::metadata(file).and_then(|data| data.modified());
    let built = modified(program).with_context(|| format!("read {}", program.display()))?;
    if modified(target).is_ok_and(|copied| copied >= built) {
        return Ok(());
    }
    let folder = target.parent().context("find the folder of a function")?;
    fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    // The old file may be running, so it is replaced and not overwritten.
    let _ = fs::remove_file(target);
    let stripped = Command::new("strip").arg("-o").arg(target).arg(program).output();
    if !stripped.is_ok_and(|output| output.status.success()) {
        fs::copy(program, target).with_context(|| format!("copy {}", program.display()))?;
    }
    Ok(())
}

/// Cargo's target folder, as its configuration says.
pub fn target_folder(paths: &Paths) -> anyhow::Result<PathBuf> {
    let output = cargo()
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(&paths.root)
        .output()
        .context("run cargo metadata")?;
    let metadata: Value = serde_json::from_slice(&output.stdout)
        .map_err(|_| anyhow!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr)))?;
    let folder = metadata["target_directory"].as_str().context("read cargo's target folder")?;
    Ok(PathBuf::from(folder))
}
