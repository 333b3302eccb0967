//! Where files are. Everything that the commands write is in one folder that git ignores.

use std::path::{Path, PathBuf};

use anyhow::Context;

/// The project's root and the folder for local state.
#[derive(Debug, Clone)]
pub struct Paths {
    /// The checkout.
    pub root: PathBuf,
    /// `.local` in the checkout, unless `--state` names another folder.
    pub local: PathBuf,
}

impl Paths {
    /// Finds both folders and makes the one for local state.
    pub fn new(local: Option<&Path>) -> anyhow::Result<Self> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .ancestors()
            .nth(2)
            .context("find the project's root above infra/local")?
            .to_path_buf();
        let local = match local {
            Some(folder) => std::path::absolute(folder).context("read the current folder")?,
            None => root.join(".local"),
        };
        std::fs::create_dir_all(local.join("logs"))
            .and_then(|()| std::fs::create_dir_all(local.join("run")))
            .with_context(|| format!("make the folder {}", local.display()))?;
        Ok(Self { root, local })
    }

    /// A file or folder under the folder for local state.
    #[must_use]
    pub fn local(&self, relative: &str) -> PathBuf {
        self.local.join(relative)
    }

    /// The log of a process.
    #[must_use]
    pub fn log(&self, name: &str) -> PathBuf {
        self.local.join("logs").join(format!("{name}.log"))
    }

    /// A path as a person in the checkout would type it.
    #[must_use]
    pub fn shown(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).display().to_string()
    }
}
