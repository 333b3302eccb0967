//! From a page's raw records to normalised ones: each record is mapped alone, so that a bad one is set aside with
//! its reason and never spoils its page.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::error::AdapterError;
use crate::fields::PROBLEMS;
use crate::record::{OrderRecord, QuarantinedRecord};

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

/// What became of a page's records.
#[derive(Debug, Default)]
pub struct MappedRecords {
    /// Orders in page order; of an order that came more than once only the last.
    pub orders: Vec<OrderRecord>,
    /// Records set aside.
    pub quarantined: Vec<QuarantinedRecord>,
}

/// Maps each record alone. `external_id` finds a record's id even when nothing else in it can be read.
pub fn map_records(
    raw: &[Box<RawValue>],
    external_id: impl Fn(&RawValue) -> Option<String>,
    map: impl Fn(&RawValue) -> Result<OrderRecord, RecordProblem>,
) -> MappedRecords {
    let mut mapped = MappedRecords::default();
    for record in raw {
        match map(record) {
            Ok(order) => mapped.orders.push(order),
            Err(problem) => mapped.quarantined.push(QuarantinedRecord {
                external_id: external_id(record),
                reason: problem.into_reason(),
                raw: record.get().to_owned(),
            }),
        }
    }
    keep_last_of_each(&mut mapped.orders);
    mapped
}

/// An order that comes twice on a page would be stored twice in one statement, which PostgreSQL refuses.
fn keep_last_of_each(orders: &mut Vec<OrderRecord>) {
    let last: HashMap<String, usize> =
        orders.iter().enumerate().map(|(index, order)| (order.external_order_id.clone(), index)).collect();
    let mut index = 0;
    orders.retain(|order| {
        let keep = last.get(&order.external_order_id) == Some(&index);
        index += 1;
        keep
    });
}

/// Reads a record into its struct.
///
/// # Errors
/// The path of the first field that does not fit, and why.
pub fn parse_record<T: DeserializeOwned>(raw: &RawValue) -> Result<T, RecordProblem> {
    let mut json = serde_json::Deserializer::from_str(raw.get());
    serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let path = error.path().to_string();
        let text = error.inner().to_string();
        RecordProblem(describe(&path, &text))
    })
}

/// Serde's own messages quote values, so only known phrases and names of missing fields pass.
fn describe(path: &str, text: &str) -> String {
    let parent = if path == "." { String::new() } else { format!("{path}.") };
    let own = if path == "." { "record" } else { path };
    if let Some(field) = text.strip_prefix("missing field `").and_then(|rest| rest.split('`').next()) {
        return format!("{parent}{field} is missing");
    }
    let problem = PROBLEMS.iter().find(|problem| text.starts_with(**problem));
    format!("{own} {}", problem.unwrap_or(&"does not have the type that the contract gives it"))
}

/// Reads a page's envelope or another whole answer.
///
/// # Errors
/// [`AdapterError::Malformed`] naming the answer and, where known, the field.
pub fn parse_answer<'a, T: Deserialize<'a>>(body: &'a [u8], answer: &str) -> Result<T, AdapterError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let parsed = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let what = if error.inner().is_data() {
            format!("{answer}: {}", describe(&error.path().to_string(), &error.inner().to_string()))
        } else {
            format!("{answer} is not JSON")
        };
        AdapterError::Malformed { what }
    })?;
    json.end().map_err(|_| AdapterError::Malformed { what: format!("{answer} goes on after its end") })?;
    Ok(parsed)
}

/// The first identifier that occurs twice, if any does.
#[must_use]
pub fn first_repeat<'a>(mut ids: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = std::collections::HashSet::new();
    ids.find(|id| !seen.insert(*id))
}
