//! How a corrected file differs from the one that it corrects, record by record.
//!
//! Both files hold their records sorted by id, so they are read side by side, each once, in memory for a few records. Records with
//! one id are compared together: that id is the order's number, or of a return the number that its marketplace repeats for each time
//! that the goods come back. A record that could not be read is not compared; the quarantine names it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use chrono::{DateTime, Utc};
use robnu_files::FileError;
use serde::Serialize;

use super::{FileRecord, ImportFile, Mapping, PAGE, Source, map_one};
use crate::kind::RunKind;
use crate::record::{Fields, StreamRecord};
use crate::records::RecordProblem;

/// Ids that are compared at once.
const IDS_AT_ONCE: usize = 500;
/// The most fields that are told of a record. Others are counted.
const MOST_FIELDS: usize = 50;

/// What became of a record in the corrected file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Only the corrected file has it.
    Added,
    /// Both have it, with other values.
    Changed,
    /// Only the earlier file has it.
    Missing,
}

impl Change {
    /// The text stored in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "ADDED",
            Self::Changed => "CHANGED",
            Self::Missing => "MISSING",
        }
    }
}

/// A field whose value differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldChange {
    /// The field's name, such as `lines[4711].quantity`.
    pub field: String,
    /// Its value in the earlier file; `None` when that states none.
    pub before: Option<String>,
    /// Its value in the corrected file.
    pub after: Option<String>,
}

/// A record that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The stream that the record belongs to.
    pub stream: RunKind,
    /// The marketplace's id of the record.
    pub external_id: String,
    /// What became of it.
    pub change: Change,
    /// The fields that changed, by name. A record that was added or is missing has none.
    pub fields: Vec<FieldChange>,
    /// How many more fields changed.
    pub fields_left_out: usize,
}

/// How far two files have been compared: the records read of each table, those of the earlier file first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComparedUntil(Vec<u64>);

impl ComparedUntil {
    /// The beginning of both files.
    #[must_use]
    pub fn nothing(earlier: &ImportFile, corrected: &ImportFile) -> Self {
        Self(vec![0; earlier.sources.len() + corrected.sources.len()])
    }

    /// Reads what [`Display`](std::fmt::Display) wrote for these files.
    #[must_use]
    pub fn parse(text: &str, earlier: &ImportFile, corrected: &ImportFile) -> Option<Self> {
        let read: Vec<u64> = text.split(',').map(|count| count.parse().ok()).collect::<Option<_>>()?;
        (read.len() == earlier.sources.len() + corrected.sources.len()).then_some(Self(read))
    }
}

impl std::fmt::Display for ComparedUntil {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts: Vec<String> = self.0.iter().map(u64::to_string).collect();
        f.write_str(&counts.join(","))
    }
}

/// The differences of some records.
#[derive(Debug)]
pub struct Compared {
    /// Them, by stream and id.
    pub differences: Vec<Difference>,
    /// Where the next records begin; `None` when these were the last.
    pub next: Option<ComparedUntil>,
}

/// Compares some of two files' records, from a place on.
///
/// # Errors
/// Fails only when the temporary files cannot be read.
pub fn compare(
    earlier: &ImportFile,
    corrected: &ImportFile,
    from: &ComparedUntil,
) -> Result<Compared, FileError> {
    let sources = earlier.sources.iter().map(|source| (Side::Earlier, source));
    let sources = sources.chain(corrected.sources.iter().map(|source| (Side::Corrected, source)));
    let mut readers: Vec<Reader<'_>> = sources
        .zip(&from.0)
        .map(|((side, source), read)| Reader { side, source, read: *read, ahead: VecDeque::new() })
        .collect();
    let mut differences = Vec::new();
    for _ in 0..IDS_AT_ONCE {
        let Some((stream, id)) = next_id(&mut readers)? else {
            return Ok(Compared { differences, next: None });
        };
        let mut versions = [Versions::default(), Versions::default()];
        for reader in readers.iter_mut().filter(|reader| reader.source.mapping.stream() == stream) {
            while let Some(record) = reader.take(&id)? {
                versions[reader.side as usize].add(reader.source.mapping, &record);
            }
        }
        let [before, after] = &versions;
        differences.extend(before.differences(after, stream));
    }
    let next = ComparedUntil(readers.iter().map(|reader| reader.read).collect());
    Ok(Compared { differences, next: Some(next) })
}

/// The smallest id that any table goes on with. All orders come before all returns, and these before all payouts.
fn next_id(readers: &mut [Reader<'_>]) -> Result<Option<(RunKind, String)>, FileError> {
    for stream in [RunKind::Orders, RunKind::Returns, RunKind::Payouts] {
        let mut least: Option<String> = None;
        for reader in readers.iter_mut().filter(|reader| reader.source.mapping.stream() == stream) {
            if let Some(id) = reader.id()?
                && least.as_deref().is_none_or(|least| id < least)
            {
                least = Some(id.to_owned());
            }
        }
        if let Some(id) = least {
            return Ok(Some((stream, id)));
        }
    }
    Ok(None)
}

/// Which of the two files.
#[derive(Debug, Clone, Copy)]
enum Side {
    Earlier,
    Corrected,
}

/// Reads a table's records in the order of their ids.
struct Reader<'a> {
    side: Side,
    source: &'a Source,
    read: u64,
    ahead: VecDeque<(Option<String>, FileRecord)>,
}

impl Reader<'_> {
    /// The id of the next record that has one; records without an id are passed over.
    fn id(&mut self) -> Result<Option<&str>, FileError> {
        loop {
            if self.ahead.is_empty() {
                let groups = self.source.groups.read(self.read, PAGE)?;
                if groups.is_empty() {
                    return Ok(None);
                }
                let Source { kind, dates, mapping, .. } = self.source;
                let records = groups.iter().map(|group| FileRecord::new(*kind, *dates, group));
                self.ahead = records.map(|record| (record.id(mapping.key()), record)).collect();
            }
            match self.ahead.front() {
                Some((None, _)) => self.pass(),
                _ => break,
            }
        }
        Ok(self.ahead.front().and_then(|(id, _)| id.as_deref()))
    }

    /// Takes the next record if it has this id.
    fn take(&mut self, id: &str) -> Result<Option<FileRecord>, FileError> {
        if self.id()? != Some(id) {
            return Ok(None);
        }
        self.read += 1;
        Ok(self.ahead.pop_front().map(|(_, record)| record))
    }

    fn pass(&mut self) {
        self.ahead.pop_front();
        self.read += 1;
    }
}

/// The records of one file that share an id.
#[derive(Default)]
struct Versions {
    /// By the record's own id; of several tables' versions the newest counts, as in the store.
    records: BTreeMap<String, (Option<DateTime<Utc>>, Fields)>,
    has_unread: bool,
}

impl Versions {
    fn add(&mut self, mapping: Mapping, record: &FileRecord) {
        match mapping {
            Mapping::Orders { map, .. } => self.add_mapped(map_one(map, record)),
            Mapping::Returns { map, .. } => self.add_mapped(map_one(map, record)),
            Mapping::Payouts { map, .. } => self.add_mapped(map_one(map, record)),
        }
    }

    fn add_mapped<R: StreamRecord>(&mut self, record: Result<R, RecordProblem>) {
        let Ok(record) = record else {
            self.has_unread = true;
            return;
        };
        let version = (record.updated_at(), record.fields());
        match self.records.get(record.external_id()) {
            Some((known, _)) if version.0 < *known => {}
            _ => drop(self.records.insert(record.external_id().to_owned(), version)),
        }
    }

    /// What `corrected` has other than these.
    fn differences(&self, corrected: &Self, stream: RunKind) -> Vec<Difference> {
        let ids: BTreeSet<&String> = self.records.keys().chain(corrected.records.keys()).collect();
        let difference = |id: &String| {
            let (before, after) = (self.records.get(id), corrected.records.get(id));
            let (change, mut fields) = match (before, after) {
                (Some((_, before)), Some((_, after))) => (Change::Changed, changed_fields(before, after)),
                // A record that could not be read may be this one.
                (Some(_), None) if !corrected.has_unread => (Change::Missing, Vec::new()),
                (None, Some(_)) if !self.has_unread => (Change::Added, Vec::new()),
                _ => return None,
            };
            if change == Change::Changed && fields.is_empty() {
                return None;
            }
            let fields_left_out = fields.len().saturating_sub(MOST_FIELDS);
            fields.truncate(MOST_FIELDS);
            Some(Difference { stream, external_id: id.clone(), change, fields, fields_left_out })
        };
        ids.into_iter().filter_map(difference).collect()
    }
}

fn changed_fields(before: &Fields, after: &Fields) -> Vec<FieldChange> {
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    let change = |name: &String| {
        let (before, after) = (before.get(name).cloned(), after.get(name).cloned());
        (before != after).then(|| FieldChange { field: name.clone(), before, after })
    };
    names.into_iter().filter_map(change).collect()
}
