//! Progress on standard error. Each line shows the seconds since the command began; the time of each step is kept.

use std::fmt::Display;
use std::time::{Duration, Instant};

/// The command's clock and the steps done so far.
#[derive(Debug)]
pub struct Progress {
    began: Instant,
    steps: Vec<Step>,
}

/// One finished step.
#[derive(Debug, Clone)]
pub struct Step {
    /// What was done.
    pub name: String,
    /// How long it took.
    pub took: Duration,
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress {
    /// Starts the clock.
    #[must_use]
    pub fn new() -> Self {
        Self { began: Instant::now(), steps: Vec::new() }
    }

    /// Prints a line.
    pub fn say(&self, line: impl Display) {
        eprintln!("[{:6.1} s] {line}", self.began.elapsed().as_secs_f64());
    }

    /// Announces a step. [`Self::done`] ends it.
    pub fn begin(&self, name: &str) -> Running {
        self.say(format_args!("{name} …"));
        Running { name: name.to_owned(), since: Instant::now() }
    }

    /// Ends a step. `result` describes its result in a few words.
    pub fn done(&mut self, running: Running, result: impl Display) {
        let took = running.since.elapsed();
        self.say(format_args!("{}: {result}", running.name));
        self.steps.push(Step { name: running.name, took });
    }

    /// The finished steps, in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Time since the command began.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

/// A step under way.
#[derive(Debug)]
#[must_use = "end the step with Progress::done"]
pub struct Running {
    name: String,
    since: Instant,
}
