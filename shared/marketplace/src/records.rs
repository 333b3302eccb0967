//! Maps a page's raw records to normalised ones. Each record is mapped alone, so that a bad one is quarantined with its
//! reason and never spoils its page.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::bytes::BadBytes;
use crate::error::AdapterError;
use crate::fields::PROBLEMS;
use crate::record::{MappedAgain, QuarantinedRecord, StreamRecord};

/// Why a record cannot be mapped: a field's path and what is wrong with it, never its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordProblem(String);

impl RecordProblem {
    /// Names the field and what is wrong with it.
    #[must_use]
    pub fn at(path: &str, problem: &str) -> Self {
        Self(format!("{path} {problem}"))
    }

    /// The reason as one sentence.
    #[must_use]
    pub fn into_reason(self) -> String {
        self.0
    }
}

/// A page's raw records. An empty list may come as `[]`, as null, or not at all.
#[derive(Debug, Default)]
pub struct RawRecords {
    records: Vec<Box<RawValue>>,
    /// Whether the page had the list, even if null.
    pub is_stated: bool,
}

impl<'de> Deserialize<'de> for RawRecords {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let records = Option::<Vec<Box<RawValue>>>::deserialize(deserializer)?.unwrap_or_default();
        Ok(Self { records, is_stated: true })
    }
}

impl std::ops::Deref for RawRecords {
    type Target = [Box<RawValue>];

    fn deref(&self) -> &Self::Target {
        &self.records
    }
}

/// The outcome of mapping a page's records.
#[derive(Debug)]
pub struct MappedRecords<R> {
    /// Records in page order. Of a record that came more than once, only the newest is here.
    pub records: Vec<R>,
    /// Quarantined records.
    pub quarantined: Vec<QuarantinedRecord>,
}

/// Maps each record alone. `external_id` finds a record's id even when nothing else in it can be read.
pub fn map_records<R: StreamRecord>(
    raw: &[Box<RawValue>],
    bad_bytes: BadBytes,
    external_id: impl Fn(&RawValue) -> Option<String>,
    map: impl Fn(&RawValue) -> Result<R, RecordProblem>,
) -> MappedRecords<R> {
    let mut mapped = MappedRecords { records: Vec::new(), quarantined: Vec::new() };
    for record in raw {
        match map_one(record, bad_bytes, &map) {
            Ok(record) => mapped.records.push(record),
            Err(problem) => mapped.quarantined.push(QuarantinedRecord {
                external_id: external_id(record).map(|id| bad_bytes.shown(&id)),
                reason: problem.into_reason(),
                raw: bad_bytes.shown(record.get()),
            }),
        }
    }
    keep_newest_of_each(&mut mapped.records);
    mapped
}

fn map_one<R: StreamRecord>(
    record: &RawValue,
    bad_bytes: BadBytes,
    map: &impl Fn(&RawValue) -> Result<R, RecordProblem>,
) -> Result<R, RecordProblem> {
    if bad_bytes.are_in(record.get()) {
        return Err(RecordProblem::at("record", "holds bytes that are not UTF-8"));
    }
    let mut mapped = map(record)?;
    mapped.check()?;
    Ok(mapped)
}

/// Maps records again that [`map_records`] had set aside, from the text that it kept of each.
pub fn map_again<R: StreamRecord>(
    kept: &[String],
    map: impl Fn(&RawValue) -> Result<R, RecordProblem>,
) -> MappedAgain {
    let mut records = Vec::new();
    let mut problems = Vec::with_capacity(kept.len());
    for text in kept {
        let outcome = match serde_json::from_str::<&RawValue>(text) {
            Ok(record) => map_one(record, BadBytes::KEPT, &map),
            Err(_) => Err(RecordProblem::at("record", "is not JSON")),
        };
        problems.push(outcome.map(|record| records.push(record)).err().map(RecordProblem::into_reason));
    }
    keep_newest_of_each(&mut records);
    MappedAgain { records: R::of_page(records), problems }
}

/// A record that comes twice on a page would be stored twice in one statement, which PostgreSQL refuses. The newest counts, by
/// the marketplace's own stamp; where there is none, the last.
fn keep_newest_of_each<R: StreamRecord>(records: &mut Vec<R>) {
    let mut newest: HashMap<String, (usize, Option<DateTime<Utc>>)> = HashMap::new();
    for (index, record) in records.iter().enumerate() {
        let this = (index, record.updated_at());
        newest
            .entry(record.external_id().to_owned())
            .and_modify(|known| {
                if this.1 >= known.1 {
                    *known = this;
                }
            })
            .or_insert(this);
    }
    let mut index = 0;
    records.retain(|record| {
        let keep = newest.get(record.external_id()).is_some_and(|(newest, _)| *newest == index);
        index += 1;
        keep
    });
}

/// Reads a record into its struct.
///
/// # Errors
/// Names the path of the first field that does not fit, and why.
pub fn parse_record<T: DeserializeOwned>(raw: &RawValue) -> Result<T, RecordProblem> {
    parse_at(raw)
        .map_err(|(path, problem)| RecordProblem::at(if path == "." { "record" } else { &path }, &problem))
}

/// Reads a part of a record into its struct.
///
/// # Errors
/// Returns the path below the part (`.` is the part itself), and what is wrong there.
pub fn parse_at<T: DeserializeOwned>(raw: &RawValue) -> Result<T, (String, String)> {
    let mut json = serde_json::Deserializer::from_str(raw.get());
    serde_path_to_error::deserialize(&mut json)
        .map_err(|error| describe(&error.path().to_string(), &error.inner().to_string()))
}

/// Describes an error. Serde's own messages quote values, so only known phrases and names of missing fields pass.
fn describe(path: &str, text: &str) -> (String, String) {
    if let Some(field) = text.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        let path = if path == "." { field.to_owned() } else { format!("{path}.{field}") };
        return (path, "is missing".to_owned());
    }
    let problem = PROBLEMS.iter().find(|problem| text.starts_with(**problem));
    (path.to_owned(), (*problem.unwrap_or(&"does not have the type that the contract gives it")).to_owned())
}

/// Reads a whole response that has no records. Bytes that are not UTF-8 spoil only the text that holds them.
///
/// # Errors
/// See [`parse_page`].
pub fn parse_answer<T: DeserializeOwned>(body: &[u8], answer: &str) -> Result<T, AdapterError> {
    parse_page(body, answer).map(|(parsed, _)| parsed)
}

/// Reads a page's envelope, and returns how its bad bytes are marked; [`map_records`] quarantines the records that hold one.
///
/// # Errors
/// Returns [`AdapterError::Garbled`] when the response is not JSON or is cut off, and [`AdapterError::Malformed`] when it is
/// JSON that does not follow the contract. Both name the response and, if known, the field.
pub fn parse_page<T: DeserializeOwned>(body: &[u8], answer: &str) -> Result<(T, BadBytes), AdapterError> {
    let garbled = |problem: &str| AdapterError::Garbled { what: format!("{answer} {problem}") };
    let (text, bad_bytes) = BadBytes::decode(body);
    if text.trim_ascii().is_empty() {
        return Err(garbled("is empty"));
    }
    let mut json = serde_json::Deserializer::from_str(&text);
    let parsed = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        if error.inner().is_data() && is_whole_json(&text) {
            let (path, problem) = describe(&error.path().to_string(), &error.inner().to_string());
            let path = if path == "." { "record" } else { &path };
            AdapterError::Malformed { what: format!("{answer}: {path} {problem}") }
        } else {
            garbled("is not JSON")
        }
    })?;
    json.end().map_err(|_| garbled("goes on after its end"))?;
    Ok((parsed, bad_bytes))
}

/// Whether a text is JSON as a whole. A text that only begins like JSON, such as a number followed by a proxy's words, does not
/// count as breaking the contract.
fn is_whole_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// Returns the texts, each once and in order, as one text; `None` when there is none.
#[must_use]
pub fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Option<String> {
    let mut seen = Vec::new();
    for text in texts {
        if !seen.contains(&text) {
            seen.push(text);
        }
    }
    (!seen.is_empty()).then(|| seen.join(" / "))
}

/// Returns the first identifier that occurs twice, if any does.
#[must_use]
pub fn first_repeat<'a>(mut ids: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = std::collections::HashSet::new();
    ids.find(|id| !seen.insert(*id))
}
