//! Names of statements: the file that a text is in, or the beginning of a text that is in none. Texts hold no values.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::Context;

/// Characters of a text that is in no file.
const SHOWN: usize = 60;

/// The names by text.
#[derive(Debug, Default)]
pub struct Names(HashMap<String, String>);

impl Names {
    /// Reads all statements of the functions and the shared crates below a source tree.
    pub fn read(root: &Path) -> anyhow::Result<Self> {
        let mut names = Self::default();
        for folder in ["functions", "shared"] {
            let folder = root.join(folder);
            let crates = fs::read_dir(&folder).with_context(|| format!("read {}", folder.display()))?;
            for entry in crates {
                let entry = entry?;
                let source = entry.path().join("src");
                if source.is_dir() {
                    names.add(&entry.file_name().to_string_lossy(), &source)?;
                }
            }
        }
        Ok(names)
    }

    fn add(&mut self, owner: &str, folder: &Path) -> anyhow::Result<()> {
        for entry in fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                self.add(owner, &path)?;
            } else if path.extension().is_some_and(|extension| extension == "sql") {
                let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
                let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
                self.0.insert(one_line(&text), format!("{owner}/{stem}"));
            }
        }
        Ok(())
    }

    /// The name of a statement.
    pub fn of(&self, text: &str) -> String {
        let line = one_line(text);
        self.0.get(&line).cloned().unwrap_or_else(|| line.chars().take(SHOWN).collect())
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_of_a_file_has_its_name_and_another_one_its_beginning() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).expect("the project's root");
        let names = Names::read(root).expect("the sources can be read");
        let text =
            fs::read_to_string(root.join("shared/dispatch/src/sql/take_lease.sql")).expect("a statement");
        assert_eq!(names.of(&text), "dispatch/take_lease");
        assert_eq!(names.of(" commit\n"), "commit");
    }
}
