//! What was tried, how it was answered, and what was found.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::attempt::{Attempt, Front};
use super::watch::Watch;
use local::table::render;

type Counts = BTreeMap<String, BTreeMap<String, usize>>;

/// Tallies and findings.
#[derive(Debug, Default)]
pub struct Report {
    /// Attempts by front, then by what was attacked, then by how or by answer.
    tried: BTreeMap<Front, Counts>,
    /// Answers by front and how it was tried.
    answers: BTreeMap<Front, Counts>,
    findings: Vec<String>,
    /// What the victim had before and has no more.
    pub differences: Vec<String>,
}

impl Report {
    /// Counts an attempt in.
    pub fn add(&mut self, attempt: Attempt) {
        let Attempt { number, front, row, column, outcome, shown, findings } = attempt;
        for finding in findings {
            self.findings.push(format!("attempt {number}: {finding}\n    {shown}"));
        }
        // A route's table says how it was answered; the others' say how they were tried.
        let in_table = if front == Front::Http { outcome.to_owned() } else { column.clone() };
        *self.tried.entry(front).or_default().entry(row).or_default().entry(in_table).or_default() += 1;
        let answers = self.answers.entry(front).or_default().entry(column).or_default();
        *answers.entry(outcome.to_owned()).or_default() += 1;
    }

    /// How much was found.
    pub fn findings(&self) -> usize {
        self.findings.len() + self.differences.len()
    }

    /// An attack that cannot even reach what is its own would find nothing anywhere.
    pub fn require_power(&mut self) {
        for (front, own) in [(Front::Http, "2xx"), (Front::Sql, "own rows"), (Front::Pool, "own rows")] {
            let reached = self.answers.get(&front).into_iter().flat_map(BTreeMap::values);
            if reached.filter_map(|answers| answers.get(own)).sum::<usize>() == 0 {
                self.findings.push(format!("{front:?}: not one attempt reached even the insider's own rows"));
            }
        }
    }

    /// Everything, as tables.
    pub fn render(&self, seed: u64, watch: &Watch, took: Duration) -> String {
        let mut parts = Vec::new();
        for (front, title) in [
            (Front::Http, "HTTP: attempts per operation, by answer"),
            (Front::Sql, "SQL: attempts per relation, function and refused scope, by verb"),
            (Front::Pool, "One pool, several sellers: attempts by way"),
            (Front::Messages, "Messages: attempts per queue, by form"),
        ] {
            let Some(counts) = self.tried.get(&front) else { continue };
            parts.push(format!("{title}\n{}", table(counts, true)));
            let by = if front == Front::Http { "token" } else { "way" };
            parts.push(format!(
                "{}\n{}",
                format_args!("  answers by {by}"),
                table(&self.answers[&front], false)
            ));
        }
        let rows: i64 = watch.before.values().map(|(rows, _)| rows).sum();
        let relations = watch.before.len();
        let all: usize = self.tried.values().flat_map(BTreeMap::values).flat_map(BTreeMap::values).sum();
        parts.push(format!(
            "the victim: {rows} rows in {relations} relations, counted and digested {} times: {}",
            watch.looks,
            if self.differences.is_empty() {
                "no difference".to_owned()
            } else {
                self.differences.join("; ")
            }
        ));
        if !self.findings.is_empty() {
            parts.push(format!("findings:\n  {}", self.findings.join("\n  ")));
        }
        parts.push(format!(
            "seed {seed}: {all} attempts in {:.0} s, {} findings",
            took.as_secs_f64(),
            self.findings()
        ));
        parts.join("\n\n")
    }
}

fn table(counts: &Counts, total: bool) -> String {
    let columns: BTreeSet<&str> = counts.values().flat_map(BTreeMap::keys).map(String::as_str).collect();
    let mut header = vec![""];
    header.extend(&columns);
    header.push("all");
    let line = |name: &str, of: &dyn Fn(&str) -> usize| {
        let cells = columns.iter().map(|column| of(column));
        let sum: usize = cells.clone().sum();
        let cells =
            cells.chain([sum]).map(|count| if count == 0 { String::new() } else { count.to_string() });
        std::iter::once(name.to_owned()).chain(cells).collect::<Vec<String>>()
    };
    let mut rows: Vec<Vec<String>> = counts
        .iter()
        .map(|(name, cells)| line(name, &|column| cells.get(column).copied().unwrap_or_default()))
        .collect();
    if total {
        let of = |column: &str| counts.values().filter_map(|cells| cells.get(column)).sum();
        rows.push(line("all", &of));
    }
    let right: Vec<usize> = (1..header.len()).collect();
    render(&header, &rows, &right)
}
