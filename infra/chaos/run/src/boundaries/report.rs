//! The report: one line for each piece of work, and the differences below.

use std::time::Duration;

use local::table::render;

use super::watch::{Boundary, Moment};
use crate::compare::Difference;

/// Differences that are shown.
const SHOWN: usize = 40;

/// The line of a piece of work.
#[derive(Debug)]
pub struct Row {
    pub name: &'static str,
    pub boundaries: usize,
    /// The kills that struck.
    pub kills: usize,
    /// Rows of the undisturbed run.
    pub compared: usize,
    pub differences: usize,
    pub took: Duration,
}

/// A kill, in words.
pub fn place(boundary: &Boundary, moment: Moment) -> String {
    let moment = match moment {
        Moment::Before => "before",
        Moment::After => "after",
    };
    match boundary.nth {
        0 => format!("killed {moment} {}", boundary.what),
        nth => format!("killed {moment} {} (number {})", boundary.what, nth + 1),
    }
}

/// The whole report.
pub fn render_all(rows: &[Row], differences: &[Difference], took: Duration) -> String {
    let cells = rows.iter().map(|row| {
        let numbers =
            [row.boundaries, row.kills, row.compared, row.differences].map(|number| number.to_string());
        let mut cells = vec![row.name.to_owned()];
        cells.extend(numbers);
        cells.push(format!("{:.1} s", row.took.as_secs_f64()));
        cells
    });
    let header = ["work", "boundaries", "kills", "rows compared", "differences", "took"];
    let mut lines = vec![render(&header, &cells.collect::<Vec<_>>(), &[1, 2, 3, 4, 5])];
    let shown = differences.iter().take(SHOWN);
    lines.extend(shown.map(|difference| format!("  {}: {}", difference.kind, difference.what)));
    if differences.len() > SHOWN {
        lines.push(format!("  and {} more", differences.len() - SHOWN));
    }
    let kills: usize = rows.iter().map(|row| row.kills).sum();
    let found = match differences.len() {
        0 => "no difference".to_owned(),
        1 => "1 difference".to_owned(),
        many => format!("{many} differences"),
    };
    format!("{}\n\n{kills} kills in {:.0} s: {found}", lines.join("\n"), took.as_secs_f64())
}
