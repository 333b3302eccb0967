//! The scratch copy of the work tree, in which defects are planted, and cargo's folder for it.
//!
//! Both are kept for the next run. The copy contains every file that git does not ignore. An unchanged file keeps its
//! modification time, so that cargo does not build it again. The folder for cargo receives the third-party packages that are
//! compiled already; their files are linked and not copied, because nothing writes to them again.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, anyhow};

use super::plan::Change;
use local::functions::target_folder;
use local::paths::Paths;

const MIGRATIONS: &str = "migrations";

/// The copy.
#[derive(Debug)]
pub struct Tree {
    /// Its root.
    pub root: PathBuf,
    /// Cargo's target folder for it.
    pub target: PathBuf,
}

/// A defect that is in the copy now.
#[derive(Debug)]
#[must_use = "take it out again"]
pub struct Planted {
    /// The original texts of the files that it changed.
    before: Vec<(PathBuf, String)>,
}

impl Tree {
    /// Makes the copy, or brings it up to date. `name` is that of its folder in cargo's.
    pub fn make(paths: &Paths, name: &str) -> anyhow::Result<Self> {
        let ours = target_folder(paths)?;
        let tree = Self { root: ours.join(name).join("tree"), target: ours.join(name).join("target") };
        let files = listed(&paths.root)?;
        for file in &files {
            copy(&paths.root.join(file), &tree.root.join(file))?;
        }
        remove_others(&tree.root, &tree.root, &files)?;
        seed(&ours.join("debug"), &tree.target.join("debug"), &own_crates(paths)?)?;
        Ok(tree)
    }

    /// Plants the defect of this name. If one of its changes does not fit, none is made.
    pub fn plant(&self, name: &str, changes: &[Change]) -> anyhow::Result<Planted> {
        let mut planted = Planted { before: Vec::new() };
        for change in changes {
            let made = change.apply(&self.root).and_then(|changed| {
                let file = self.root.join(&change.file);
                planted.before.push((file.clone(), fs::read_to_string(&file)?));
                Ok(fs::write(file, changed)?)
            });
            if let Err(error) = made {
                planted.take_out()?;
                return Err(error.context(format!("plant {name}")));
            }
        }
        Ok(planted)
    }

    /// The text of all migrations, if a defect changes one: the tests' template database is named after its digest.
    pub fn template_of_migrations(&self, changes: &[Change]) -> anyhow::Result<Option<String>> {
        if !changes.iter().any(|change| change.file.starts_with(MIGRATIONS)) {
            return Ok(None);
        }
        let mut files: Vec<PathBuf> = fs::read_dir(self.root.join(MIGRATIONS))?
            .map(|entry| entry.map(|entry| entry.path()))
            .collect::<Result<_, _>>()?;
        files.retain(|file| file.extension() == Some(OsStr::new("sql")));
        files.sort();
        Ok(Some(files.iter().map(fs::read_to_string).collect::<Result<String, _>>()?))
    }
}

impl Planted {
    /// Restores the files, the last change first.
    pub fn take_out(self) -> anyhow::Result<()> {
        for (file, text) in self.before.into_iter().rev() {
            fs::write(&file, text).with_context(|| format!("write {}", file.display()))?;
        }
        Ok(())
    }
}

/// The existing files that git does not ignore.
fn listed(root: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(root)
        .output()
        .context("run git, which lists the files to copy; install it")?;
    if !output.status.success() {
        return Err(anyhow!("git ls-files failed: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    let names = String::from_utf8(output.stdout).context("read the names of the files")?;
    let files = names.split('\0').filter(|name| !name.is_empty()).map(PathBuf::from);
    Ok(files.filter(|file| root.join(file).is_file()).collect())
}

/// Copies a file unless the copy has the same content. Its modification time is then the time of copying.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    let read = |file: &Path| fs::read(file).with_context(|| format!("read {}", file.display()));
    let content = read(from)?;
    if to.is_file() && read(to)? == content {
        return Ok(());
    }
    let folder = to.parent().context("find the folder of a copy")?;
    fs::create_dir_all(folder).with_context(|| format!("make {}", folder.display()))?;
    fs::write(to, content).with_context(|| format!("write {}", to.display()))
}

/// Removes the files that are no longer in the work tree.
fn remove_others(root: &Path, folder: &Path, files: &[PathBuf]) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            remove_others(root, &path, files)?;
        } else if path.strip_prefix(root).is_ok_and(|file| !files.iter().any(|known| known == file)) {
            fs::remove_file(&path).with_context(|| format!("remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// The crate names of the workspace's own packages, such as `robnu_schema`. Every crate here is named after its package.
fn own_crates(paths: &Paths) -> anyhow::Result<Vec<String>> {
    let output = local::tools::cargo()
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(&paths.root)
        .output()
        .context("run cargo metadata")?;
    let metadata: serde_json::Value =
        serde_json::from_slice(&output.stdout).context("read cargo metadata")?;
    let packages = metadata["packages"].as_array().context("read the packages in cargo metadata")?;
    let names = packages.iter().filter_map(|package| package["name"].as_str());
    Ok(names.map(|name| name.replace('-', "_")).collect())
}

/// Takes over the compiled third-party packages. Only libraries are linked, because the compiler replaces them. Other files are
/// copied, because it overwrites them.
fn seed(from: &Path, to: &Path, own: &[String]) -> anyhow::Result<()> {
    for part in [".fingerprint", "build", "deps"] {
        let Ok(entries) = fs::read_dir(from.join(part)) else { continue };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let krate = crate_of(&name.to_string_lossy());
            let library =
                entry.path().extension().is_some_and(|end| end == "rlib" || end == "rmeta" || end == "so");
            let there = to.join(part).join(name);
            if there.exists() || own.contains(&krate) || (part == "deps" && !library) {
                continue;
            }
            let taken = take_over(&entry.path(), &there, part == "deps");
            taken.with_context(|| format!("take {} over", entry.path().display()))?;
        }
    }
    Ok(())
}

/// The crate that a file or folder such as `libserde_json-0123456789abcdef.rlib` belongs to.
fn crate_of(name: &str) -> String {
    let krate = name.rsplit_once('-').map_or(name, |(krate, _)| krate).replace('-', "_");
    let is_library = [".rlib", ".rmeta", ".so"].iter().any(|end| name.ends_with(end));
    if is_library { krate.strip_prefix("lib").unwrap_or(&krate).to_owned() } else { krate }
}

/// Links or copies a file or folder. Ignores a file that another cargo has just removed.
fn take_over(from: &Path, to: &Path, linked: bool) -> anyhow::Result<()> {
    if from.is_dir() {
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            take_over(&entry.path(), &to.join(entry.file_name()), linked)?;
        }
        return Ok(());
    }
    fs::create_dir_all(to.parent().context("find a folder")?)?;
    if linked && fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    match fs::copy(from, to) {
        Ok(_) => {
            let modified = fs::metadata(from)?.modified()?;
            Ok(fs::File::options().write(true).open(to)?.set_modified(modified)?)
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error.into()),
    }
}
