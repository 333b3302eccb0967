//! The programs of a run, and the migrations that belong to them: those of this checkout, or of a copy in which a defect is planted.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context;
use defects::{Planted, Tree};
use local::failure::{Exit, Failure};
use local::functions::target_folder;
use local::paths::Paths;
use local::tools::cargo;

use crate::defect::Defect;

/// The functions that a run starts, and the program that makes the chaos.
const PACKAGES: [&str; 4] = ["adapter", "sweep", "redrive", "chaos-run"];
/// The folder of the copy in cargo's.
const COPY: &str = "chaos";

/// Built programs.
#[derive(Debug)]
pub struct Programs {
    /// The folder with the programs.
    pub folder: PathBuf,
    /// The folder with the migrations.
    pub migrations: PathBuf,
    /// The defect, as long as it is in the copy.
    planted: Option<Planted>,
}

impl Programs {
    /// Builds the programs, with a defect if there is one. A defect in migrations alone needs no other programs.
    pub fn build(paths: &Paths, defect: Option<&Defect>) -> anyhow::Result<Self> {
        let ours = target_folder(paths)?.join("debug");
        let Some(defect) = defect else {
            build(&paths.root, None)?;
            return Ok(Self { folder: ours, migrations: paths.root.join("migrations"), planted: None });
        };
        let tree = Tree::make(paths, COPY)?;
        let planted = tree.plant(&defect.name, &defect.change)?;
        let (root, target) = if defect.is_in_database() {
            (&paths.root, None)
        } else {
            (&tree.root, Some(tree.target.as_path()))
        };
        if let Err(error) = build(root, target) {
            planted.take_out()?;
            return Err(error);
        }
        let folder = target.map_or(ours, |target| target.join("debug"));
        Ok(Self { folder, migrations: tree.root.join("migrations"), planted: Some(planted) })
    }

    /// Takes the defect out of the copy.
    pub fn clean(self) -> anyhow::Result<()> {
        self.planted.map_or(Ok(()), Planted::take_out)
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
        // Sources change back and forth there, and incremental compilation has failed on that before.
        command.env("CARGO_TARGET_DIR", target).env("CARGO_INCREMENTAL", "0");
    }
    let status = command.status().context("run cargo")?;
    if status.success() {
        return Ok(());
    }
    let next = "fix the compiler's errors above; `cargo check` repeats them";
    Err(Failure::new(Exit::BuildFailed, "the programs do not build", next).into())
}
