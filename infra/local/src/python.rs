//! Virtual environments with exactly pinned packages. A marker file holds a digest of the pins, so that later runs install
//! nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Context;

use crate::digest::digest;
use crate::failure::{Exit, Failure};
use crate::paths::Paths;

/// One environment, named after its requirements file.
#[derive(Debug, Clone)]
pub struct Environment {
    folder: PathBuf,
    requirements: PathBuf,
    log: PathBuf,
}

impl Environment {
    /// The environment of the local AWS and PostgreSQL.
    pub fn cloud(paths: &Paths) -> Self {
        Self::named(paths, "cloud")
    }

    /// The environment of SAM CLI and cfn-lint.
    pub fn sam(paths: &Paths) -> Self {
        Self::named(paths, "sam")
    }

    /// The environment of Schemathesis.
    pub fn contract(paths: &Paths) -> Self {
        Self::named(paths, "contract")
    }

    /// The environment of the spelling check.
    pub fn spelling(paths: &Paths) -> Self {
        Self::named(paths, "spelling")
    }

    /// The environment of the browser in which the operators' page is tested.
    pub fn browser(paths: &Paths) -> Self {
        Self::named(paths, "browser")
    }

    fn named(paths: &Paths, name: &str) -> Self {
        Self {
            folder: paths.local("python").join(name),
            requirements: paths.root.join("infra/local/requirements").join(format!("{name}.txt")),
            log: paths.log(&format!("pip-{name}")),
        }
    }

    /// A program of this environment.
    pub fn program(&self, name: &str) -> PathBuf {
        self.folder.join("bin").join(name)
    }

    /// Makes it, unless the same pins are installed already. Returns whether it installed anything.
    pub fn ensure(&self, python: &str) -> anyhow::Result<bool> {
        let pins =
            fs::read(&self.requirements).with_context(|| format!("read {}", self.requirements.display()))?;
        let marker = self.folder.join("installed");
        let wanted = digest([pins.as_slice()]);
        if fs::read_to_string(&marker).is_ok_and(|installed| installed == wanted) {
            return Ok(false);
        }
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).with_context(|| format!("remove {}", self.folder.display()))?;
        }
        let log = fs::File::create(&self.log).with_context(|| format!("write {}", self.log.display()))?;
        self.run(Command::new(python).args(["-m", "venv"]).arg(&self.folder), &log)?;
        let pip = self.program("pip");
        let flags = ["install", "--disable-pip-version-check", "--no-input", "--only-binary=:all:", "-r"];
        self.run(Command::new(pip).args(flags).arg(&self.requirements), &log)?;
        fs::write(&marker, wanted).with_context(|| format!("write {}", marker.display()))?;
        Ok(true)
    }

    fn run(&self, command: &mut Command, log: &fs::File) -> anyhow::Result<()> {
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log.try_clone()?);
        let status = command.status().with_context(|| format!("run {}", command.get_program().display()))?;
        if status.success() {
            return Ok(());
        }
        Err(Failure::new(
            Exit::BuildFailed,
            format!("installing {} failed:\n{}", file_name(&self.requirements), tail(&self.log, 5)),
            format!("read {}; the first run needs access to a Python package index", self.log.display()),
        )
        .into())
    }
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().display().to_string()
}

/// The last lines of a log, indented.
pub fn tail(file: &Path, lines: usize) -> String {
    let text = fs::read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let all: Vec<&str> = text.lines().collect();
    let last = all.len().saturating_sub(lines);
    all[last..].iter().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}
