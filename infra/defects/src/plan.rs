//! The files of the planted defects. Each names the promise that the defect breaks, the exact change and the test that must
//! fail.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use local::failure::{Exit, Failure};
use local::paths::Paths;

const FOLDER: &str = "infra/defects/planted";

/// One defect.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defect {
    /// The name of its file without the number.
    #[serde(skip)]
    pub name: String,
    /// The promise that it breaks.
    pub promise: String,
    /// The changes in the sources.
    pub change: Vec<Change>,
    /// The test that must fail.
    pub caught_by: CaughtBy,
}

/// A text to replace.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    /// The file, relative to the project's root.
    pub file: PathBuf,
    /// The text to replace; it must occur exactly once.
    pub old: String,
    /// The text that replaces it.
    pub new: String,
}

/// A test, and a part of its message when it fails for the right reason.
#[derive(Debug, Deserialize)]
pub struct CaughtBy {
    /// The program of tests that contains it.
    #[serde(flatten)]
    pub target: Target,
    /// Its name, including its modules.
    pub test: String,
    /// A part of its failure message.
    pub says: String,
}

/// A program of tests: a file of a package's `tests`, or the package's own sources.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
pub struct Target {
    /// The package.
    pub package: String,
    /// The file in its `tests` folder; none for the tests inside its library.
    pub target: Option<String>,
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.package, self.target.as_deref().unwrap_or("lib"))
    }
}

impl Change {
    /// The file's text after the change.
    pub fn apply(&self, root: &Path) -> anyhow::Result<String> {
        let file = root.join(&self.file);
        let text = fs::read_to_string(&file).with_context(|| format!("read {}", file.display()))?;
        match text.matches(&self.old).count() {
            1 => Ok(text.replace(&self.old, &self.new)),
            found => Err(anyhow!(
                "{} contains the text to replace {found} times, not once; correct `old` in the defect's file",
                self.file.display()
            )),
        }
    }
}

/// The chosen defects, or all. Defects of the same program of tests follow each other, so that little is compiled in between.
pub fn load(paths: &Paths, only: &[String]) -> anyhow::Result<Vec<Defect>> {
    let mut defects = read(&paths.root)?;
    if let Some(unknown) = only.iter().find(|name| !defects.iter().any(|defect| defect.name == **name)) {
        let what = format!("there is no defect {unknown}");
        return Err(
            Failure::new(Exit::Usage, what, "choose one that `cargo xtask defects --list` shows").into()
        );
    }
    defects.retain(|defect| only.is_empty() || only.contains(&defect.name));
    defects.sort_by(|a, b| a.caught_by.target.cmp(&b.caught_by.target));
    Ok(defects)
}

/// Every defect, in the order of their numbers.
fn read(root: &Path) -> anyhow::Result<Vec<Defect>> {
    let named = |(stem, defect): (String, Defect)| {
        let (_, name) = stem.split_once('-').context("a defect's file is called NNN-name.toml")?;
        Ok(Defect { name: name.to_owned(), ..defect })
    };
    read_folder(&root.join(FOLDER))?.into_iter().map(named).collect()
}

/// Reads all TOML files of a folder, in the order of their names. Returns each with its name without the ending; an error names the file.
pub fn read_folder<T: DeserializeOwned>(folder: &Path) -> anyhow::Result<Vec<(String, T)>> {
    let entries = fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))?;
    let mut files = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    files.sort();
    let read = |file: &PathBuf| -> anyhow::Result<(String, T)> {
        let stem = file.file_stem().and_then(|stem| stem.to_str()).context("the file has no name")?;
        Ok((stem.to_owned(), toml::from_str(&fs::read_to_string(file)?)?))
    };
    let read = |file| read(file).with_context(|| format!("read {}", file.display()));
    files.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_defect_still_fits_the_sources() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
        let defects = read(root).unwrap();
        assert!(defects.len() >= 20, "{} defects", defects.len());
        let names: BTreeSet<&str> = defects.iter().map(|defect| defect.name.as_str()).collect();
        assert_eq!(names.len(), defects.len(), "two defects have the same name");
        for defect in &defects {
            for change in &defect.change {
                let changed = change.apply(root).unwrap_or_else(|error| panic!("{}: {error:#}", defect.name));
                assert!(!changed.is_empty() && change.old != change.new, "{}", defect.name);
            }
        }
    }
}
