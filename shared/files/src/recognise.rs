//! Finds the tables that are known, by their headers, whoever named the file or reordered its columns.

use std::collections::HashMap;
use std::sync::Arc;

use csv::StringRecord;

use crate::error::{Closest, FileError};
use crate::header::folded;
use crate::kind::{Kind, KindSpec, Marketplace, all};
use crate::limits::HEADER_ROWS;
use crate::spool::RawRow;
use crate::upload::{Sheet, Upload};

/// A table of a file that is known.
#[derive(Debug, Clone)]
pub struct Recognised {
    /// What it is.
    pub kind: Kind,
    /// The generation of its layout, by [`KindSpec::generations`].
    pub generation: &'static str,
    /// Which of [`Upload::sheets`] it is.
    pub sheet: usize,
    /// The line or row of its header, from 1.
    pub header_row: u64,
    pub(crate) columns: Arc<Columns>,
}

impl Recognised {
    /// The marketplace that handed the file out.
    #[must_use]
    pub fn marketplace(&self) -> Marketplace {
        self.kind.marketplace()
    }
}

/// Finds the known tables of a file, at most one on each sheet, in the file's order.
///
/// # Errors
/// Returns [`FileError::Unrecognised`] with the kind that comes closest when there is none.
pub fn recognise(upload: &Upload) -> Result<Vec<Recognised>, FileError> {
    let mut found = Vec::new();
    let mut closest: Option<Match> = None;
    for (index, sheet) in upload.sheets().iter().enumerate() {
        let best = best_match(sheet)?;
        match best {
            Some(best) if best.missing.is_empty() => found.push(Recognised {
                kind: best.spec.kind,
                generation: generation(best.spec, &best.columns),
                sheet: index,
                header_row: best.row,
                columns: Arc::new(best.columns.labelled()),
            }),
            Some(best) if closest.as_ref().is_none_or(|closest| best.is_closer_than(closest)) => {
                closest = Some(best);
            }
            _ => {}
        }
    }
    if found.is_empty() {
        let closest = closest.map(|it| Closest { kind: it.spec.kind, missing: it.missing });
        return Err(FileError::Unrecognised { closest });
    }
    Ok(found)
}

/// How well a row is the header of a kind.
struct Match {
    spec: &'static KindSpec,
    row: u64,
    missing: Vec<&'static str>,
    columns: Columns,
}

impl Match {
    /// A complete header comes before any other, and the one with more known columns before one with fewer. Of incomplete
    /// ones, the one that lacks the smaller share is closer.
    fn is_closer_than(&self, other: &Self) -> bool {
        match (self.missing.is_empty(), other.missing.is_empty()) {
            (true, true) => self.weight() > other.weight(),
            (false, false) => {
                self.missing.len() * other.spec.required.len()
                    < other.missing.len() * self.spec.required.len()
            }
            (is_complete, _) => is_complete,
        }
    }

    /// Required columns count before optional ones.
    fn weight(&self) -> (usize, usize) {
        (self.spec.required.len(), self.columns.known.len())
    }
}

/// Returns the best match of the first rows, if at least one column of a kind is there.
fn best_match(sheet: &Sheet) -> Result<Option<Match>, FileError> {
    let (mut rows, mut row) = (sheet.raw_rows(), RawRow::default());
    let mut best: Option<Match> = None;
    for _ in 0..HEADER_ROWS {
        if !rows.read(&mut row)? {
            break;
        }
        let names: Vec<String> = row.cells.iter().map(folded).collect();
        for spec in all() {
            let columns = Columns::new(spec, &names, &row.cells);
            let missing = columns.missing(spec);
            if missing.len() == spec.required.len() {
                continue;
            }
            let this = Match { spec, row: row.number, missing, columns };
            if best.as_ref().is_none_or(|best| this.is_closer_than(best)) {
                best = Some(this);
            }
        }
    }
    Ok(best)
}

fn generation(spec: &'static KindSpec, columns: &Columns) -> &'static str {
    let has_all = |markers: &&[&str]| markers.iter().all(|marker| columns.known.contains_key(marker));
    spec.generations.iter().find(|(_, markers)| has_all(markers)).map_or("", |(name, _)| name)
}

/// Where the columns of a table are.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    /// The places of the kind's columns, by their names in its [`KindSpec`]; a name that occurs twice has two.
    known: HashMap<&'static str, Vec<usize>>,
    /// All columns as they are compared.
    names: Vec<String>,
    /// The header as it stands in the file.
    header: StringRecord,
    /// What each place is called: a known column as its kind calls it, another as the header does.
    labels: Vec<String>,
}

impl Columns {
    fn new(spec: &'static KindSpec, names: &[String], header: &StringRecord) -> Self {
        let places = |wanted: &str| -> Vec<usize> {
            let wanted = folded(wanted);
            (0..names.len()).filter(|place| names[*place] == wanted).collect()
        };
        let mut known = HashMap::new();
        for name in spec.required.iter().chain(spec.optional) {
            let aliases = spec.aliases.iter().filter(|(_, meant)| meant == name).map(|(alias, _)| *alias);
            let found = std::iter::once(*name).chain(aliases).map(places).find(|places| !places.is_empty());
            if let Some(found) = found {
                known.insert(*name, found);
            }
        }
        Self { known, names: names.to_vec(), header: header.clone(), labels: Vec::new() }
    }

    /// Columns that no kind knows.
    #[cfg(test)]
    pub(crate) fn of(names: &[&str]) -> Self {
        let header = StringRecord::from(names);
        let names = names.iter().map(|name| folded(name)).collect();
        Self { known: HashMap::new(), names, header, labels: Vec::new() }.labelled()
    }

    /// Gives every place a name of its own. The second of two columns with one name is called after it, as `Fixed Fee (2)`.
    fn labelled(mut self) -> Self {
        let mut labels: Vec<String> = self.header.iter().map(|name| name.trim().to_owned()).collect();
        for (name, places) in &self.known {
            for place in places {
                (*name).clone_into(&mut labels[*place]);
            }
        }
        for place in 0..labels.len() {
            if !labels[place].is_empty() && labels[..place].contains(&labels[place]) {
                labels[place].push_str(" (2)");
            }
            if labels[place].is_empty() || labels[..place].contains(&labels[place]) {
                labels[place] = beyond(place);
            }
        }
        self.labels = labels;
        self
    }

    fn missing(&self, spec: &'static KindSpec) -> Vec<&'static str> {
        spec.required.iter().filter(|name| !self.known.contains_key(**name)).copied().collect()
    }

    /// The place of a column's occurrence, counted from 0.
    pub(crate) fn place(&self, name: &str, occurrence: usize) -> Option<usize> {
        if let Some(places) = self.known.get(name) {
            return places.get(occurrence).copied();
        }
        let wanted = folded(name);
        (0..self.names.len()).filter(|place| self.names[*place] == wanted).nth(occurrence)
    }

    /// How many columns the header has.
    pub(crate) fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether a row is the header again, as in files that were put together from several.
    pub(crate) fn is_header(&self, row: &RawRow) -> bool {
        row.cells == self.header
    }

    /// What a place is called.
    pub(crate) fn label(&self, place: usize) -> String {
        self.labels.get(place).cloned().unwrap_or_else(|| beyond(place))
    }
}

/// What a place without a name of its own is called.
fn beyond(place: usize) -> String {
    format!("column {}", place + 1)
}
