//! The defects that `--break` plants, kept as data, in one folder for each command: changes in a copy of the sources, and the differences that a run
//! must then find.

use std::path::Path;

use defects::{Change, read_folder};
use local::failure::{Exit, Failure};
use local::table::render;
use serde::Deserialize;

/// Defects that chaos finds.
pub const OF_CHAOS: &str = "infra/chaos/planted";
/// Defects that a kill at a boundary finds.
pub const OF_BOUNDARIES: &str = "infra/chaos/boundaries/planted";
/// The folder of the migrations, in the checkout and in copies of it.
pub const MIGRATIONS: &str = "migrations";

/// One defect.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defect {
    /// The name of its file.
    #[serde(skip)]
    pub name: String,
    /// The promise that it breaks.
    pub promise: String,
    /// The kinds of differences of which the run must find one.
    pub differences: Vec<String>,
    /// The changes in the sources.
    pub change: Vec<Change>,
}

impl Defect {
    /// The defect of this name in a folder.
    pub fn find(root: &Path, folder: &str, name: &str) -> anyhow::Result<Self> {
        let mut defects = read(root, folder)?;
        let found = defects.iter().position(|defect| defect.name == name);
        let at = found.ok_or_else(|| {
            let names: Vec<&str> = defects.iter().map(|defect| defect.name.as_str()).collect();
            let next = format!("choose one of {}", names.join(", "));
            Failure::new(Exit::Usage, format!("there is no defect {name} for --break"), next)
        })?;
        Ok(defects.swap_remove(at))
    }

    /// Whether it is in the database alone: then no program has to be built.
    pub fn is_in_database(&self) -> bool {
        self.change.iter().all(|change| change.file.starts_with(MIGRATIONS))
    }
}

/// All defects as a table.
pub fn list(root: &Path) -> anyhow::Result<String> {
    let row = |defect: Defect| vec![defect.name, defect.promise, defect.differences.join(", ")];
    let rows: Vec<Vec<String>> = read(root, OF_CHAOS)?.into_iter().map(row).collect();
    Ok(render(&["defect", "breaks the promise that", "the run then finds one of"], &rows, &[]))
}

/// Every defect of a folder, by name.
fn read(root: &Path, folder: &str) -> anyhow::Result<Vec<Defect>> {
    let defects = read_folder(&root.join(folder))?.into_iter();
    Ok(defects.map(|(name, defect)| Defect { name, ..defect }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn root() -> &'static Path {
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the project is above infra/chaos")
    }

    #[test]
    fn every_defect_still_fits_the_sources() {
        let mut defects = read(root(), OF_CHAOS).unwrap();
        assert!(defects.len() >= 15, "{} defects", defects.len());
        defects.extend(read(root(), OF_BOUNDARIES).unwrap());
        for defect in &defects {
            assert!(!defect.differences.is_empty(), "{}", defect.name);
            for change in &defect.change {
                let changed =
                    change.apply(root()).unwrap_or_else(|error| panic!("{}: {error:#}", defect.name));
                assert!(!changed.is_empty() && change.old != change.new, "{}", defect.name);
            }
        }
    }

    #[test]
    fn an_unknown_defect_is_refused_by_name() {
        let said = Defect::find(root(), OF_CHAOS, "nonsense").unwrap_err().to_string();
        assert!(said.starts_with("there is no defect nonsense for --break"), "{said}");
    }
}
