//! Golden files: a test's result, line by line, which is kept beside the test and reviewed like code.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

/// Rewrites golden files instead of comparing with them.
const UPDATE_VARIABLE: &str = "UPDATE_GOLDEN";

/// Compares `lines` with the golden file at `path`.
///
/// # Panics
/// Panics when they differ, with the lines that are new or gone, and how to accept them.
pub fn assert_golden(path: &Path, lines: &[String]) {
    if std::env::var_os(UPDATE_VARIABLE).is_some_and(|value| value == "1") {
        fs::write(path, lines.join("\n") + "\n").expect("the golden file can be written");
        return;
    }
    let golden = fs::read_to_string(path).unwrap_or_default();
    let golden: Vec<&str> = golden.lines().collect();
    if golden == lines {
        return;
    }
    let mut difference = String::new();
    for gone in golden.iter().filter(|line| !lines.iter().any(|found| found == *line)) {
        let _ = writeln!(difference, "- {gone}");
    }
    for new in lines.iter().filter(|line| !golden.contains(&line.as_str())) {
        let _ = writeln!(difference, "+ {new}");
    }
    panic!(
        "{} is out of date:\n{difference}review the change, then run the test once with {UPDATE_VARIABLE}=1 to accept it",
        path.display()
    );
}
