//! Asking before something is changed.

use std::io::{BufRead, IsTerminal, Write};

use local::failure::{Exit, Failure};

/// Asks for a yes. Without a terminal nobody can answer, so the flag `--yes` is needed.
pub(crate) fn confirm(question: &str) -> anyhow::Result<()> {
    if !std::io::stdin().is_terminal() {
        let next = "add --yes, or --dry-run to see what would be done";
        return Err(Failure::new(Exit::Usage, format!("nobody can answer: {question}"), next).into());
    }
    let mut terminal = std::io::stderr();
    write!(terminal, "{question} [y/N] ")?;
    terminal.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) {
        return Ok(());
    }
    Err(Failure::new(Exit::Interrupted, "nothing was changed", "answer y to go on").into())
}
