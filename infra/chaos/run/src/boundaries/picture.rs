//! What a seller has: its rows in every table, and counts of what lies outside the database. Two pictures of the same work are compared, by
//! values where they are the same in two undisturbed runs (orders, amounts, states, counts), and by whether there is a value where they are
//! not (ids, encrypted texts, digests with the seller's key, times of our own clock).

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use robnu_tenancy::SellerId;
use serde_json::Value;

use crate::superuser::Superuser;

const TABLES: &str = "select c.relname::text from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'seller_id' and not a.attisdropped
    where c.relnamespace = 'robnu'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition order by 1";
/// What may differ after a kill, and why.
const MAY_DIFFER: [(&str, &str, &str); 8] = [
    ("sync_runs", "attempt", "another attempt has taken the step"),
    ("sync_runs", "fruitless_attempts", "the attempts since the last page are counted"),
    ("sync_runs", "generation", "the step was published again"),
    ("sync_runs", "sent_at", "an adapter has handled a message before it was marked as sent"),
    ("sync_runs", "next_attempt_at", "until it is marked, when to publish it again is noted"),
    ("storage_objects", "size", "how well ids and times compress"),
    ("storage_objects", "time_folder", "an hour may begin between two trials"),
    ("raw_pages", "time_folder", "an hour may begin between two trials"),
];
/// Each attempt opens the credentials, and each time is in the audit trail.
const ONE_FOR_EACH_ATTEMPT: &str = "credentials.opened";
/// Differences of a table that are shown.
const SHOWN: usize = 3;

/// The rows of a table, each as its columns.
type Rows = Vec<BTreeMap<String, Value>>;

/// A picture.
#[derive(Debug, Clone, Default)]
pub struct Picture {
    tables: BTreeMap<String, Rows>,
    /// Counts of what lies outside, by name.
    pub counts: BTreeMap<&'static str, i64>,
}

impl Picture {
    /// The rows of a seller as they are now.
    pub async fn of(superuser: &Superuser, seller: SellerId) -> anyhow::Result<Self> {
        let mut picture = Self::default();
        for table in superuser.query(TABLES, &[]).await? {
            let name: String = table.get(0);
            let sql = format!("select to_jsonb(t)::text from robnu.{name} t where t.seller_id = $1");
            let rows = superuser.query(&sql, &[&seller]).await?;
            let read = |row: &tokio_postgres::Row| serde_json::from_str(row.get(0)).context("read a row");
            let mut rows: Rows = rows.iter().map(read).collect::<anyhow::Result<_>>()?;
            rows.retain(|row| row.get("action").is_none_or(|action| action != ONE_FOR_EACH_ATTEMPT));
            picture.tables.insert(name, rows);
        }
        Ok(picture)
    }

    /// How many rows it has.
    pub fn rows(&self) -> usize {
        self.tables.values().map(Vec::len).sum()
    }

    /// The values of a column, sorted.
    fn column(&self, table: &str, column: &str) -> Vec<String> {
        let rows = self.tables.get(table).into_iter().flatten();
        let mut values: Vec<String> = rows.filter_map(|row| row.get(column)).map(Value::to_string).collect();
        values.sort();
        values
    }

    fn columns(&self) -> BTreeSet<(String, String)> {
        let rows = self.tables.iter().flat_map(|(name, rows)| rows.iter().map(move |row| (name, row)));
        rows.flat_map(|(name, row)| row.keys().map(move |column| (name.clone(), column.clone()))).collect()
    }
}

/// The columns whose values differ by themselves.
#[derive(Debug)]
pub struct Volatile(BTreeSet<(String, String)>);

impl Volatile {
    /// Those that differ between two pictures of the same undisturbed work.
    pub fn between(one: &Picture, other: &Picture) -> Self {
        let differs =
            |(table, column): &(String, String)| one.column(table, column) != other.column(table, column);
        Self(one.columns().into_iter().filter(differs).collect())
    }

    /// How another picture differs from the expected one, in words.
    pub fn compare(&self, expected: &Picture, found: &Picture) -> Vec<String> {
        let mut differences = Vec::new();
        for (table, rows) in &expected.tables {
            let (mut left, right) = (self.shown(table, rows), self.shown(table, &found.tables[table]));
            let mut surplus = Vec::new();
            for row in right {
                match left.iter().position(|other| *other == row) {
                    Some(at) => drop(left.swap_remove(at)),
                    None => surplus.push(row),
                }
            }
            let said = |what: &str, rows: &[String]| {
                let rows = rows.iter().take(SHOWN);
                rows.map(|row| format!("{what} {table}: {row}")).collect::<Vec<_>>()
            };
            differences.extend(said("a row is missing in", &left));
            differences.extend(said("a row too many in", &surplus));
        }
        for (table, column) in &self.0 {
            let distinct =
                |picture: &Picture| picture.column(table, column).into_iter().collect::<BTreeSet<_>>().len();
            let (before, after) = (distinct(expected), distinct(found));
            // A time of our own clock is another one after a kill, and as many rows may share it as like to.
            if before != after && is_identity(expected, table, column) {
                differences.push(format!("{table}.{column} has {after} values instead of {before}"));
            }
        }
        for (name, count) in &expected.counts {
            let other = found.counts.get(name).copied().unwrap_or_default();
            if other != *count {
                differences.push(format!("{name}: {other} instead of {count}"));
            }
        }
        differences
    }

    /// Rows without what differs by itself.
    fn shown(&self, table: &str, rows: &Rows) -> Vec<String> {
        let cell = |(column, value): (&String, &Value)| {
            if MAY_DIFFER.iter().any(|(of, name, _)| *of == table && name == column) {
                return None;
            }
            let is_volatile = self.0.contains(&(table.to_owned(), column.clone()));
            match (is_volatile, value.is_null()) {
                (_, true) => None,
                (true, false) => Some(format!("{column}=…")),
                (false, false) => Some(format!("{column}={value}")),
            }
        };
        rows.iter().map(|row| row.iter().filter_map(cell).collect::<Vec<_>>().join(" ")).collect()
    }
}

/// Whether a column's values are ids or bytes.
fn is_identity(picture: &Picture, table: &str, column: &str) -> bool {
    let values = picture.column(table, column);
    let is_one = |value: &String| {
        value == "null"
            || value.starts_with("\"\\\\x")
            || (value.len() == 38 && value.matches('-').count() == 4)
    };
    values.iter().all(is_one)
}
