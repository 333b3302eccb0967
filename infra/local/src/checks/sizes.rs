//! The limit on the length of a source file: a file longer than 500 lines usually has more than one purpose.

use std::fs;
use std::path::Path;

use anyhow::{Context, anyhow};

const LIMIT: usize = 500;
const FOLDERS: [&str; 4] = ["functions", "shared", "infra", "migrations"];
const SOURCES: [&str; 3] = ["rs", "sql", "py"];

/// Fails with the names of the source files that are too long.
pub fn check(root: &Path) -> anyhow::Result<()> {
    let mut long = Vec::new();
    for folder in FOLDERS {
        collect(&root.join(folder), &mut long)?;
    }
    if long.is_empty() {
        return Ok(());
    }
    long.sort();
    Err(anyhow!("longer than {LIMIT} lines, so split by purpose: {}", long.join(", ")))
}

fn collect(folder: &Path, long: &mut Vec<String>) -> anyhow::Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, long)?;
        } else if path.extension().is_some_and(|extension| SOURCES.iter().any(|source| extension == *source))
        {
            let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
            let lines = text.lines().count();
            if lines > LIMIT {
                long.push(format!("{} ({lines})", path.display()));
            }
        }
    }
    Ok(())
}
