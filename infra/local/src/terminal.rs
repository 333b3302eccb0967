//! Standard output. Results go there; progress and failures go to standard error.

use std::io::Write;

use anyhow::Context;

/// Prints a text and a line break. It fails, instead of panicking, when the reader has closed the pipe.
pub fn print(text: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{text}").context("write to standard output")
}
