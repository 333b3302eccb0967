//! The report: what was tried, how it was answered, and the findings.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::attempt::{Attempt, Surface};
use super::watch::Watch;
use local::table::render;

type Counts = BTreeMap<String, BTreeMap<String, usize>>;

/// Counts and findings.
#[derive(Debug, Default)]
pub struct Report {
    /// Attempts by surface, then by what was attacked, then by the answer or the way.
    tried: BTreeMap<Surface, Counts>,
    /// Answers by surface, then by the way it was tried.
    answers: BTreeMap<Surface, Counts>,
    findings: Vec<String>,
    /// How the victim's rows differ from before.
    pub differences: Vec<String>,
}

impl Report {
    /// Adds an attempt.
    pub fn add(&mut self, attempt: Attempt) {
        let Attempt { number, surface, row, column, outcome, shown, findings } = attempt;
        for finding in findings {
            self.findings.push(format!("attempt {number}: {finding}\n    {shown}"));
        }
        // The table of operations shows the answers; the other tables show the ways.
        let in_table = if surface == Surface::Http { outcome.to_owned() } else { column.clone() };
        *self.tried.entry(surface).or_default().entry(row).or_default().entry(in_table).or_default() += 1;
        let answers = self.answers.entry(surface).or_default().entry(column).or_default();
        *answers.entry(outcome.to_owned()).or_default() += 1;
    }

    /// How many findings there are.
    pub fn findings(&self) -> usize {
        self.all_findings().count()
    }

    /// Every finding: what an attempt showed, and how the victim's rows differ.
    pub fn all_findings(&self) -> impl Iterator<Item = &String> {
        self.findings.iter().chain(&self.differences)
    }

    /// Adds a finding if no attempt reached even the insider's own rows: such an attack could find nothing.
    pub fn require_power(&mut self) {
        for (surface, own) in
            [(Surface::Http, "2xx"), (Surface::Sql, "own rows"), (Surface::Pool, "own rows")]
        {
            let reached = self.answers.get(&surface).into_iter().flat_map(BTreeMap::values);
            if reached.filter_map(|answers| answers.get(own)).sum::<usize>() == 0 {
                self.findings.push(format!("{surface:?}: no attempt reached even the insider's own rows"));
            }
        }
    }

    /// The report as tables.
    pub fn render(&self, seed: u64, watch: &Watch, took: Duration) -> String {
        let mut parts = Vec::new();
        for (surface, title) in [
            (Surface::Http, "HTTP: attempts per operation, by answer"),
            (Surface::Sql, "SQL: attempts per relation, function and refused scope, by verb"),
            (Surface::Pool, "One pool, several sellers: attempts by way"),
            (Surface::Messages, "Messages: attempts per queue, by form"),
        ] {
            let Some(counts) = self.tried.get(&surface) else { continue };
            parts.push(format!("{title}\n{}", table(counts, true)));
            let by = if surface == Surface::Http { "token" } else { "way" };
            parts.push(format!(
                "{}\n{}",
                format_args!("  answers by {by}"),
                table(&self.answers[&surface], false)
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
