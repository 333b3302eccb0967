//! The programs of a run, and the migrations that belong to them: those of this checkout, or of a copy in which a defect is planted.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::Context;
use defects::{Planted, Tree};
use local::failure::{Exit, Failure};
use local::functions::target_folder;
use local::paths::Paths;
use local::tools::cargo;

use crate::defect::{Defect, MIGRATIONS};

/// The functions that a run starts, and the program that makes the chaos.
const PACKAGES: [&str; 6] = ["adapter", "sweep", "redrive", "lanes", "exporter", "chaos-run"];
/// The folder of the copy in cargo's.
const COPY: &str = "chaos";

/// Built programs.
#[derive(Debug)]
pub struct Programs {
    /// The folder with the programs.
    pub folder: PathBuf,
    /// The folder with the migrations.
    pub migrations: PathBuf,
    defect: Option<InCopy>,
}

/// A defect that is in a copy now.
#[derive(Debug)]
enum InCopy {
    /// In a copy of the migrations, which nobody else uses.
    Migrations(PathBuf),
    /// In the copy of all sources. The lock keeps other runs with a defect from it.
    Sources(Planted, File),
}

impl Programs {
    /// Builds the programs, with a defect if there is one. A defect in migrations alone needs no other programs.
    pub fn build(paths: &Paths, defect: Option<&Defect>) -> anyhow::Result<Self> {
        match defect {
            Some(defect) if !defect.is_in_database() => Self::with_defect(paths, defect),
            _ => Self::of_checkout(paths, defect),
        }
    }

    fn of_checkout(paths: &Paths, defect: Option<&Defect>) -> anyhow::Result<Self> {
        build(&paths.root, None)?;
        let folder = target_folder(paths)?.join("debug");
        let migrations = paths.root.join(MIGRATIONS);
        let Some(defect) = defect else { return Ok(Self { folder, migrations, defect: None }) };
        let copy = paths.local(&format!("chaos-migrations-{}", std::process::id()));
        copy_migrations(&migrations, &copy.join(MIGRATIONS), &copy, defect)
            .with_context(|| format!("copy the migrations to {}", copy.display()))?;
        Ok(Self { folder, migrations: copy.join(MIGRATIONS), defect: Some(InCopy::Migrations(copy)) })
    }

    fn with_defect(paths: &Paths, defect: &Defect) -> anyhow::Result<Self> {
        let file = target_folder(paths)?.join("chaos.lock");
        let lock = File::create(&file).with_context(|| format!("make {}", file.display()))?;
        lock.lock().with_context(|| format!("lock {}", file.display()))?;
        let tree = Tree::make(paths, COPY)?;
        let planted = tree.plant(&defect.name, &defect.change)?;
        if let Err(error) = build(&tree.root, Some(&tree.target)) {
            planted.take_out()?;
            return Err(error);
        }
        let (folder, migrations) = (tree.target.join("debug"), tree.root.join(MIGRATIONS));
        Ok(Self { folder, migrations, defect: Some(InCopy::Sources(planted, lock)) })
    }

    /// Takes the defect out of its copy.
    pub fn clean(self) -> anyhow::Result<()> {
        match self.defect {
            None => Ok(()),
            Some(InCopy::Migrations(copy)) => {
                fs::remove_dir_all(&copy).with_context(|| format!("remove {}", copy.display()))
            }
            Some(InCopy::Sources(planted, lock)) => {
                planted.take_out()?;
                lock.unlock().context("let other runs with a defect begin")
            }
        }
    }
}

/// Copies the migrations, and plants the defect in the copy. `root` is to the copy what the checkout is to the migrations.
fn copy_migrations(from: &Path, to: &Path, root: &Path, defect: &Defect) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        fs::copy(entry.path(), to.join(entry.file_name()))?;
    }
    for change in &defect.change {
        fs::write(root.join(&change.file), change.apply(root)?)?;
    }
    Ok(())
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
